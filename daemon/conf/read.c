/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who can change the configuration can have the daemon start anything, so a
 * file that others may write to is refused, and likewise a directory of such
 * files and a program of a hook.
 */

#include "conf/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/escape.h"
#include "conf/conf.h"

/* NULL: only root and we ourselves may change it. */
static const char *
who_may_change(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user";
	if ((st->st_mode & S_IWOTH) != 0)
		return "can be written to by everybody";
	if ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0)
		return "can be written to by its group";
	return NULL;
}

static int
open_file(const char *path, struct stat *st, struct conf_problems *problems)
{
	/* O_NONBLOCK: opening a fifo must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		conf_problems_add(problems, CONF_WHOLE_FILE, "cannot be "
		    "read: %s", strerror(errno));
		return -EINVAL;
	}
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		conf_problems_add(problems, CONF_WHOLE_FILE, "is not a "
		    "regular file");
		(void)close(fd);
		return -EINVAL;
	}
	if (who_may_change(st) != NULL) {
		conf_problems_add(problems, CONF_WHOLE_FILE, "%s; only root "
		    "and the user of the daemon may", who_may_change(st));
		(void)close(fd);
		return -EINVAL;
	}
	return fd;
}

int
read_conf_file(const char *path, char **ret_text, size_t *ret_len,
    bool *ret_is_world_readable, struct conf_problems *problems)
{
	struct stat st;
	CLEANUP(cleanup_close) int fd = open_file(path, &st, problems);
	CLEANUP(cleanup_free) char *text = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	text = malloc(CONF_FILE_MAX + sizeof "\n" + 1);
	if (text == NULL)
		return -ENOMEM;
	do {
		n = read(fd, text + len, CONF_FILE_MAX + 1 - len);
		if (n < 0) {
			conf_problems_add(problems, CONF_WHOLE_FILE,
			    "cannot be read: %s", strerror(errno));
			return -EINVAL;
		}
		len += (size_t)n;
	} while (n > 0);
	if (len > CONF_FILE_MAX) {
		conf_problems_add(problems, CONF_WHOLE_FILE, "is larger than "
		    "1 MiB");
		return -EINVAL;
	}
	/* To libconfig a comment without a line's end is a syntax error. */
	memcpy(text + len, "\n", sizeof "\n");
	*ret_text = STEAL(text);
	*ret_len = len;
	*ret_is_world_readable = (st.st_mode & S_IROTH) != 0;
	return 0;
}

static int
is_conf_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > strlen(".conf") &&
	    strcmp(entry->d_name + len - strlen(".conf"), ".conf") == 0;
}

/* Not by the locale, as alphasort(3) would. */
static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
check_dir(const char *dir, struct conf_spot spot, int n,
    struct conf_problems *problems)
{
	int errnum = errno;
	struct stat st;
	char shown[200];

	escape_text(dir, strlen(dir), shown, sizeof shown);
	if (n < 0)
		conf_problems_add(problems, spot, "\"include_dir\": %s cannot "
		    "be read: %s", shown, strerror(errnum));
	else if (n > CONF_FILES_MAX)
		conf_problems_add(problems, spot, "\"include_dir\": %s has "
		    "more than %d files", shown, CONF_FILES_MAX);
	else if (stat(dir, &st) == 0 && who_may_change(&st) != NULL)
		conf_problems_add(problems, spot, "\"include_dir\": %s %s; "
		    "only root and the user of the daemon may", shown,
		    who_may_change(&st));
	else
		return 0;
	return -EINVAL;
}

int
read_conf_dir(const char *dir, struct conf_spot spot, char ***ret_paths,
    struct conf_problems *problems)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_conf_file, by_bytes);
	int r = check_dir(dir, spot, n, problems);
	char **paths = calloc((size_t)(n < 0 ? 0 : n) + 1, sizeof *paths);

	if (r == 0 && paths == NULL)
		r = -ENOMEM;
	for (int i = 0; i < n; i++) {
		if (r == 0 && asprintf(&paths[i], "%s/%s", dir,
		    entries[i]->d_name) < 0) {
			paths[i] = NULL;
			r = -ENOMEM;
		}
		free(entries[i]);
	}
	free(entries);
	if (r == 0) {
		*ret_paths = paths;
		return 0;
	}
	for (int i = 0; paths != NULL && i < n && paths[i] != NULL; i++)
		free(paths[i]);
	free(paths);
	return r;
}

/*
 * Whoever can put another file, or directory, into the place of one of these
 * can change what is run as well; in a directory with the sticky bit only the
 * owners can.
 */
static int
check_directories(const char *real, const char *shown, struct error *e)
{
	CLEANUP(cleanup_free) char *dir = strdup(real);
	char printable[200];
	struct stat st;
	char *end;

	if (dir == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	while ((end = strrchr(dir, '/')) != NULL) {
		end[end == dir] = '\0';
		escape_text(dir, strlen(dir), printable, sizeof printable);
		if (stat(dir, &st) < 0)
			return error_set(e, -errno, "'%s': %s", printable,
			    strerrordesc_np(errno));
		if ((st.st_mode & S_ISVTX) != 0)
			st.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
		if (who_may_change(&st) != NULL)
			return error_set(e, -EPERM, "the directory '%s' of "
			    "'%s' %s; only root and the user of the daemon may",
			    printable, shown, who_may_change(&st));
		if (end == dir)
			break;
	}
	return 0;
}

int
read_check_program(const char *path, char **ret_real, struct error *e)
{
	CLEANUP(cleanup_free) char *real = NULL;
	char shown[200];
	struct stat st;
	int r;

	escape_text(path, strlen(path), shown, sizeof shown);
	real = realpath(path, NULL);
	if (real == NULL || stat(real, &st) < 0)
		return error_set(e, -errno, "'%s': %s", shown,
		    strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode) || access(real, X_OK) < 0)
		return error_set(e, -EACCES, "'%s' is not a file that can be "
		    "executed", shown);
	if (who_may_change(&st) != NULL)
		return error_set(e, -EPERM, "'%s' %s; only root and the user "
		    "of the daemon may", shown, who_may_change(&st));
	r = check_directories(real, shown, e);
	if (r == 0)
		*ret_real = STEAL(real);
	return r;
}
