/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A file or block device of this machine, served by nbdkit's file plugin, so
 * that the engine has only one way to reach a disk.
 *
 * A destination file that does not exist is created with the size of the
 * source.  One that exists is never resized: too small is refused later, as
 * for any other disk.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "endpoint/kind.h"

static int
set_identity(struct endpoint *ep, const struct stat *st, struct error *e)
{
	bool is_device = S_ISBLK(st->st_mode);
	dev_t dev = is_device ? st->st_rdev : st->st_dev;
	char *identity;

	if (asprintf(&identity, "%s:%u:%u:%ju", is_device ? "device" : "file",
		major(dev), minor(dev),
		is_device ? 0 : (uintmax_t)st->st_ino) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	free(ep->identity);
	ep->identity = identity;
	return 0;
}

/*
 * What the server flushes is the file: that it is there has to be on the disk,
 * too.  A directory that may not be read, and one of a file system that has
 * nothing to flush, are as good as they get.
 */
static int
flush_directory(const char *path, struct error *e)
{
	CLEANUP(cleanup_free) char *dir = strdup(path);
	CLEANUP(cleanup_close) int fd = -1;

	if (dir == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return 0;
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL && errno != ENOSYS &&
	    errno != EOPNOTSUPP))
		return error_set(e, -errno, "cannot flush the directory of "
		    "the new file: %s", strerror(errno));
	return 0;
}

static int
create_file(const char *path, uint64_t size, struct error *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	int r = 0;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_set(e, -errno, "cannot create the file: %s",
		    strerror(errno));
	if (ftruncate(fd, (off_t)size) < 0)
		r = error_set(e, -errno,
		    "cannot give the new file its %" PRIu64 " bytes: %s", size,
		    strerror(errno));
	else
		r = flush_directory(path, e);
	if (r < 0)
		(void)unlink(path);
	return r;
}

static bool
is_to_be_created(const struct endpoint *ep)
{
	return ep->role == ENDPOINT_DESTINATION &&
	    access(ep->spec->path, F_OK) < 0 && errno == ENOENT;
}

/* Look at the file before a server does: its errors are hard to read. */
static int
check_file(struct endpoint *ep, struct error *e)
{
	bool writes = ep->role == ENDPOINT_DESTINATION;
	const char *path = ep->spec->path;
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;

	fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(e, -errno, "cannot open it: %s",
		    strerror(errno));
	if (fstat(fd, &st) < 0)
		return error_set(e, -errno, "cannot look at it: %s",
		    strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(e, -EINVAL,
		    "is neither a file nor a block device");
	return set_identity(ep, &st, e);
}

static int
start_server(struct endpoint *ep, struct error *e)
{
	CLEANUP(cleanup_free) char *file = NULL;
	const char *source_argv[] = { "nbdkit", "-f", "-r", "file", NULL,
		NULL };
	const char *destination_argv[] = { "nbdkit", "-f", "file", NULL,
		NULL };

	if (asprintf(&file, "file=%s", ep->spec->path) < 0) {
		file = NULL;
		return error_set(e, -ENOMEM, "out of memory");
	}
	source_argv[4] = file;
	destination_argv[3] = file;
	return endpoint_start_child(ep,
	    ep->role == ENDPOINT_SOURCE ? source_argv : destination_argv, e);
}

static int
path_open(struct endpoint *ep, struct error *e)
{
	bool is_new = is_to_be_created(ep);
	int r = 0;

	if (is_new)
		r = create_file(ep->spec->path, ep->create_size, e);
	if (r < 0)
		return r;
	r = check_file(ep, e);
	if (r == 0)
		r = start_server(ep, e);
	/* Nothing has been written to it yet. */
	if (r < 0 && is_new)
		(void)unlink(ep->spec->path);
	return r;
}

const struct endpoint_kind endpoint_kind_path = {
	.type = ENDPOINT_PATH,
	.open = path_open,
	.connect = endpoint_connect_nbd,
};
