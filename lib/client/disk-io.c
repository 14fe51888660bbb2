/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the blocking face does with a disk: start an operation, and run the
 * loop until it is done.  A connection that fails is the disk's end: each
 * later call says so without trying.
 */
#include <string.h>

#include "client/disk.h"

struct waiter {
	struct link *link;
	struct nbdclient_error *err;
	bool is_done;
	int code;
};

static void
waiter_on_done(void *arg, const struct nbdclient_error *err)
{
	struct waiter *w = arg;

	w->is_done = true;
	w->code = err != NULL ? err->code : 0;
	if (err != NULL && w->err != NULL)
		*w->err = *err;
	link_wake(w->link);
}

static void
disk_on_completions(void *arg)
{
	struct nbdclient_disk *disk = arg;

	io_on_completions(&disk->io);
}

static int
disk_run(struct nbdclient_disk *disk, const struct op_params *params,
    struct nbdclient_error *err)
{
	struct waiter w = { .link = &disk->link, .err = err };
	struct link *l = &disk->link;
	int code;

	l->on_completions = disk_on_completions;
	l->arg = disk;
	code = io_start(&disk->io, params, waiter_on_done, &w, err);
	if (code != 0)
		return code;
	while (!w.is_done && !l->has_failed)
		link_wait(l);
	if (l->has_failed)
		io_fail(&disk->io, l->client_code, &l->error);
	return w.code;
}

/* The commands of buffers and flags. */
static int
disk_run_iov(struct nbdclient_disk *disk, enum op_kind kind, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = kind,
		.flags = flags,
		.sector = sector,
		.iov = iov,
		.n_iov = n_iov,
	};

	return disk_run(disk, &params, err);
}

int
nbdclient_read_flags(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    struct nbdclient_error *err)
{
	return disk_run_iov(disk, OP_READ, sector, iov, n_iov, flags, err);
}

int
nbdclient_read(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, struct nbdclient_error *err)
{
	return nbdclient_read_flags(disk, sector, iov, n_iov, 0, err);
}

int
nbdclient_write_flags(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    struct nbdclient_error *err)
{
	return disk_run_iov(disk, OP_WRITE, sector, iov, n_iov, flags, err);
}

int
nbdclient_write(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, struct nbdclient_error *err)
{
	return nbdclient_write_flags(disk, sector, iov, n_iov, 0, err);
}

int
nbdclient_flush(struct nbdclient_disk *disk, struct nbdclient_error *err)
{
	const struct op_params params = { .kind = OP_FLUSH };

	return disk_run(disk, &params, err);
}

/* The commands of a range and flags. */
static int
disk_run_range(struct nbdclient_disk *disk, enum op_kind kind,
    uint64_t sector, uint64_t n_sectors, unsigned flags,
    struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = kind,
		.flags = flags,
		.sector = sector,
		.n_sectors = n_sectors,
	};

	return disk_run(disk, &params, err);
}

int
nbdclient_trim(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, unsigned flags, struct nbdclient_error *err)
{
	return disk_run_range(disk, OP_TRIM, sector, n_sectors, flags, err);
}

int
nbdclient_write_zeroes(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, unsigned flags, struct nbdclient_error *err)
{
	return disk_run_range(disk, OP_ZERO, sector, n_sectors, flags, err);
}

int
nbdclient_cache(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, struct nbdclient_error *err)
{
	return disk_run_range(disk, OP_CACHE, sector, n_sectors, 0, err);
}

int
nbdclient_block_status(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, const char *context, nbdclient_extent_cb *on_extent,
    void *arg, struct nbdclient_error *err)
{
	const struct op_params params = {
		.kind = OP_STATUS,
		.sector = sector,
		.n_sectors = n_sectors,
		.context = context,
		.on_extent = on_extent,
		.extent_arg = arg,
	};

	return disk_run(disk, &params, err);
}
