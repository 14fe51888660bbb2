/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting a damaged database out of the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/store-private.h"

#define MAX_TRIES 100

/* -EEXIST: nothing is overwritten.  What is not there need not be moved. */
static int
move(const char *path, const char *target, const char *suffix)
{
	char from[PATH_MAX], to[PATH_MAX];
	int n = snprintf(from, sizeof from, "%s%s", path, suffix);
	int m = snprintf(to, sizeof to, "%s%s", target, suffix);

	if (n >= PATH_MAX || m >= PATH_MAX)
		return -ENAMETOOLONG;
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ||
	    errno == ENOENT)
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* Not every file system can look and rename at once. */
	if (access(to, F_OK) == 0)
		return -EEXIST;
	return rename(from, to) == 0 || errno == ENOENT ? 0 : -errno;
}

/*
 * The log first: beside a fresh database it would be taken for that one's.
 */
static int
move_all(const char *path, const char *target)
{
	int r = move(path, target, "-wal");

	if (r == 0)
		r = move(path, target, "-shm");
	return r < 0 ? r : move(path, target, "");
}

int
store_set_aside(const char *path, const char *why, char *ret_sentence)
{
	time_t now = time(NULL);
	char date[24] = "", target[PATH_MAX];
	struct tm tm;
	int r = -EEXIST;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned i = 0; r == -EEXIST && i < MAX_TRIES; i++) {
		char again[8] = "";

		if (i > 0)
			(void)snprintf(again, sizeof again, ".%u", i);
		if (snprintf(target, sizeof target, "%s.damaged-%s%s", path,
		    date, again) >= PATH_MAX)
			return -ENAMETOOLONG;
		r = move_all(path, target);
	}
	if (r < 0)
		return r;
	(void)snprintf(ret_sentence, ERROR_TEXT_SIZE, "%.120s was damaged "
	    "(%.80s): it is now '%.160s', and all begins afresh", path, why,
	    strrchr(target, '/') == NULL ? target : strrchr(target, '/') + 1);
	return 0;
}
