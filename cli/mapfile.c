/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/mapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A file with more lines than that is none of ours. */
#define MAX_LINES 4000000

void
mapfile_done(struct mapfile *m)
{
	ranges_done(&m->finished);
}

/*
 * What takes the file's place when it is complete, under a name that nobody
 * else uses; NULL: out of memory.
 */
static char *
new_path_of(const char *path)
{
	char *new_path;

	return asprintf(&new_path, "%s.%ld.new", path, (long)getpid()) < 0 ?
	    NULL : new_path;
}

static int
create(const char *new_path)
{
	int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

/* What it has to say: all before a "#" that begins a word. */
static void
cut_comment(char *line)
{
	for (char *p = line; (p = strchr(p, '#')) != NULL; p++)
		if (p == line || strchr(" \t", p[-1]) != NULL) {
			*p = '\0';
			return;
		}
}

static bool
is_blank(const char *p)
{
	return p[strspn(p, " \t\r\n")] == '\0';
}

/* Behind blanks, in any base of C (0) or in one; *p goes behind it. */
static bool
take_number(char **p, int base, uint64_t *ret)
{
	char *end;

	*p += strspn(*p, " \t");
	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*ret = strtoull(*p, &end, base);
	if (errno != 0 || strchr(" \t\r\n", *end) == NULL)
		return false;
	*p = end;
	return true;
}

/* One of these characters, behind blanks, and the end of a word. */
static bool
take_status(char **p, const char *known, char *ret)
{
	*p += strspn(*p, " \t");
	if (**p == '\0' || strchr(known, **p) == NULL)
		return false;
	*ret = *(*p)++;
	return strchr(" \t\r\n", **p) != NULL;
}

/*
 * "pos size status": each block begins where the one before ended.  What lies
 * before the first was not tried.
 */
static int
read_block(struct mapfile *m, char *line, bool is_first)
{
	uint64_t from;
	uint64_t length;
	char status;

	if (!take_number(&line, 0, &from) ||
	    !take_number(&line, 0, &length) ||
	    !take_status(&line, "?*/-+", &status) || !is_blank(line) ||
	    (from != m->end && !is_first) || length == 0 ||
	    from > INT64_MAX || length > INT64_MAX - from)
		return -EINVAL;
	m->end = from + length;
	return status == '+' ? ranges_add(&m->finished, from, length) : 0;
}

/* "current_pos current_status [current_pass]": older ones have no pass. */
static int
read_status(char *line)
{
	uint64_t number;
	char status;

	if (!take_number(&line, 0, &number) ||
	    !take_status(&line, "?*/-FG+", &status))
		return -EINVAL;
	if (is_blank(line))
		return 0;
	return take_number(&line, 10, &number) && number > 0 &&
		is_blank(line) ?
	    0 :
	    -EINVAL;
}

static int
read_line(struct mapfile *m, char *line, unsigned *n_read)
{
	int r;

	cut_comment(line);
	if (is_blank(line))
		return 0;
	r = *n_read == 0 ? read_status(line) :
			   read_block(m, line, *n_read == 1);
	++*n_read;
	return r;
}

static int
read_lines(struct mapfile *m, FILE *f, size_t *ret_line)
{
	CLEANUP(cleanup_free) char *line = NULL;
	unsigned n_read = 0;
	size_t room = 0;
	ssize_t n;
	int r;

	for (*ret_line = 1; (n = getline(&line, &room, f)) >= 0;
	     ++*ret_line) {
		if (*ret_line > MAX_LINES)
			return -EFBIG;
		/* It is a text. */
		if (strlen(line) != (size_t)n)
			return -EINVAL;
		r = read_line(m, line, &n_read);
		if (r < 0)
			return r;
	}
	if (ferror(f))
		return -EIO;
	return n_read > 0 ? 0 : -EINVAL;
}

/* Told before the copy, rather than after it. */
static int
try_to_write(const char *path, struct error *e)
{
	CLEANUP(cleanup_free) char *new_path = new_path_of(path);
	int fd;

	if (new_path == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	fd = create(new_path);
	if (fd < 0)
		return error_set(e, fd, "cannot write %s: %s", new_path,
		    strerror(-fd));
	(void)close(fd);
	(void)unlink(new_path);
	return 0;
}

int
mapfile_read(struct mapfile *m, struct error *e)
{
	FILE *f = fopen(m->path, "re");
	size_t line;
	int r;

	if (f == NULL && errno == ENOENT)
		return try_to_write(m->path, e);
	if (f == NULL)
		return error_set(e, -errno, "cannot read %s: %s", m->path,
		    strerror(errno));
	r = read_lines(m, f, &line);
	(void)fclose(f);
	if (r == -EINVAL)
		return error_set(e, r, "%s: line %zu is not as in a mapfile "
		    "of ddrescue", m->path, line);
	if (r < 0)
		return error_set(e, r, "cannot read %s: %s", m->path,
		    strerror(-r));
	return try_to_write(m->path, e);
}

static int
add_todo(struct run_range **v, size_t *n, uint64_t from, uint64_t length)
{
	struct run_range *ranges = reallocarray(*v, *n + 1, sizeof *ranges);

	if (ranges == NULL)
		return -ENOMEM;
	*v = ranges;
	ranges[(*n)++] = (struct run_range){
		.from = from,
		.length = length,
		.to = from,
	};
	return 0;
}

int
mapfile_todo(const struct mapfile *m, struct run_range **ret_ranges,
    size_t *ret_n)
{
	uint64_t at = 0;
	uint64_t n;
	bool is_in;

	*ret_ranges = NULL;
	*ret_n = 0;
	while (at < m->end) {
		n = ranges_run_at(&m->finished, at, m->end - at, &is_in);
		if (!is_in && add_todo(ret_ranges, ret_n, at, n) < 0)
			return -ENOMEM;
		at += n;
	}
	return add_todo(ret_ranges, ret_n, m->end, RUN_LENGTH_ALL);
}

/* Writing. */

/* Bytes on the source. */
struct unfinished {
	struct ranges bad;
	struct ranges left_out;
};

static int
find_bad(const struct run_result *result, struct ranges *bad)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < result->n_bad_ranges; i++)
		r = ranges_add(bad, result->bad_ranges[i].offset,
		    result->bad_ranges[i].length);
	return r;
}

/* What whole blocks of a server leave out was not tried. */
static int
find_left_out(const struct run_result *result, struct ranges *left_out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < result->n_not_copied; i++)
		r = ranges_add(left_out, result->not_copied[i].offset,
		    result->not_copied[i].length);
	return r;
}

/* The status of the *n bytes from at on, or of fewer. */
static char
status_at(const struct unfinished *u, uint64_t at, uint64_t *n)
{
	bool is_bad, is_left_out;

	*n = ranges_run_at(&u->bad, at, *n, &is_bad);
	*n = ranges_run_at(&u->left_out, at, *n, &is_left_out);
	return is_bad ? '-' : is_left_out ? '?' : '+';
}

static void
print_map(FILE *f, const struct unfinished *u, uint64_t end)
{
	uint64_t at = 0;
	uint64_t n;
	char status;

	(void)fprintf(f, "# Mapfile. Created by nbdsync\n"
	    "# current_pos  current_status  current_pass\n"
	    "0x%08" PRIX64 "     +               1\n"
	    "#      pos        size  status\n", end);
	for (; at < end; at += n) {
		n = end - at;
		status = status_at(u, at, &n);
		(void)fprintf(f, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", at,
		    n, status);
	}
}

static int
write_durably(int fd, const struct unfinished *u, uint64_t end)
{
	FILE *f = fdopen(fd, "w");
	int error;

	if (f == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	print_map(f, u, end);
	error = fflush(f) != 0 || ferror(f) || fsync(fileno(f)) < 0 ?
	    -errno : 0;
	if (fclose(f) != 0 && error == 0)
		error = -errno;
	return error;
}

static int
replace(const char *path, const struct unfinished *u, uint64_t end)
{
	CLEANUP(cleanup_free) char *new_path = new_path_of(path);
	int fd, r;

	if (new_path == NULL)
		return -ENOMEM;
	fd = create(new_path);
	if (fd < 0)
		return fd;
	r = write_durably(fd, u, end);
	if (r == 0 && rename(new_path, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(new_path);
	return r;
}

int
mapfile_write(const struct mapfile *m, const struct run_result *result,
    struct error *e)
{
	uint64_t size = result->progress.source_size;
	struct unfinished u;
	int r;

	ranges_init(&u.bad);
	ranges_init(&u.left_out);
	r = find_bad(result, &u.bad);
	if (r == 0)
		r = find_left_out(result, &u.left_out);
	if (r == 0)
		r = replace(m->path, &u, size);
	ranges_done(&u.bad);
	ranges_done(&u.left_out);
	if (r < 0)
		return error_set(e, r, "cannot write %s: %s", m->path,
		    strerror(-r));
	return 0;
}
