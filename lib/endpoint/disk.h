/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENDPOINT_DISK_H
#define ENDPOINT_DISK_H

#include "base/error.h"
#include "copy/shape.h"
#include "nbd/session.h"

/*
 * An open disk: one connection to one end of a run, on one event loop.
 * Requests are the NBD protocol's, whatever answers them.
 *
 * All on the loop's thread; no callback comes from inside a call.
 */

struct disk;

struct disk_events {
	/* disk_shape() is known; requests may be submitted. */
	void (*on_ready)(void *arg);
	/* Requests have completed: disk_reap() until NULL. */
	void (*on_completions)(void *arg);
	/*
	 * The disk is lost, before or after on_ready.  What was in flight
	 * has completed with -ENOTCONN (on_completions came first).  e is a
	 * sentence without the endpoint's name.  Only disk_close() may
	 * follow.
	 */
	void (*on_failed)(void *arg, const struct error *e);

	/* As those of conn_events: for READs without an iov, and WRITEs that
	   tell when they have been sent. */
	bool (*find_place)(void *arg, const struct nbd_arrival *arrival);
	int (*leave_pipe)(void *arg, struct nbd_request *req);
	void (*on_sent)(void *arg);
};

/* From on_ready on; the disk's. */
const struct disk_shape *disk_shape(const struct disk *disk);

/*
 * A text that is equal for two disks that are the same, "" where nothing is
 * known.  After on_ready.
 */
const char *disk_identity(const struct disk *disk);

/* As conn_tls(); after on_ready. */
bool disk_tls(const struct disk *disk, const char **ret_version,
    const char **ret_cipher);

/* As nbd_session_submit(). */
int disk_submit(struct disk *disk, struct nbd_request *req);
struct nbd_request *disk_reap(struct disk *disk);

/* As conn_reap_sent(); some disks tell of the end of a request only. */
struct nbd_request *disk_reap_sent(struct disk *disk);
/* As conn_place_found() and conn_can_pipe(). */
void disk_place_found(struct disk *disk);
bool disk_can_pipe(const struct disk *disk);

/* As conn_load(); 0 where there is no connection. */
void disk_load(const struct disk *disk, uint64_t *ret_network_us,
    uint64_t *ret_tls_us);

/* As conn_close(): on_closed comes exactly once, the disk is gone then. */
void disk_close(struct disk *disk, void (*on_closed)(void *arg), void *arg);

#endif
