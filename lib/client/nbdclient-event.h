/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NBDCLIENT_EVENT_H
#define NBDCLIENT_EVENT_H

#include <nbdclient.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The event-driven face of libnbdclient: a disk, or a list of what a server
 * has, on the caller's libevent base.
 *
 * All calls are made on the thread that runs the base, and all callbacks come
 * on it, from the base's loop, never from inside a call of this library.  A
 * callback may make any call, also nbdclient_event_close().
 *
 * Link with -levent_core as well.
 */

struct event_base;
struct nbdclient_event_list;
struct nbdclient_event_disk;

/*
 * The end of a listing.  err is NULL for a success: listing (n rows) is the
 * callback's then, for nbdclient_listing_free().  Else listing is NULL, and
 * err is valid during the call and as the blocking call has it.
 */
typedef void nbdclient_listed_cb(void *arg, struct nbdclient_listing *listing,
    size_t n, const struct nbdclient_error *err);

/*
 * What the blocking calls of these names list ("NBD_OPT_LIST",
 * "NBD_OPT_LIST_META_CONTEXT"), of a channel of any kind.  0: *ret_list is
 * the caller's, for nbdclient_event_list_close(), and on_listed comes exactly
 * once.  Else INVALID, NO_MEMORY, and it does not come.  base and channel are
 * as for nbdclient_event_negotiate().
 */
int nbdclient_event_list(struct event_base *base,
    struct nbdclient_channel *channel, nbdclient_listed_cb *on_listed,
    void *arg, struct nbdclient_event_list **ret_list,
    struct nbdclient_error *err);
int nbdclient_event_list_contexts(struct event_base *base,
    struct nbdclient_channel *channel, const char *export_name,
    const char *const *queries, size_t n_queries,
    nbdclient_listed_cb *on_listed, void *arg,
    struct nbdclient_event_list **ret_list, struct nbdclient_error *err);

/*
 * Disconnect, and free the list.  If on_listed has not come it comes now, from
 * the loop, with DISCONNECTED.  The rest is as for nbdclient_event_close().
 */
void nbdclient_event_list_close(struct nbdclient_event_list *list,
    void (*on_closed)(void *arg), void *arg);

struct nbdclient_event_callbacks {
	/* The export is open: requests may be made. */
	void (*on_ready)(void *arg);
	/*
	 * It could not be opened (the codes of nbdclient_negotiate()), or
	 * the connection was lost later (DISCONNECTED, PROTOCOL, TIMED_OUT):
	 * what was under way has been told to have failed already.  The disk
	 * still wants nbdclient_event_close().  Comes at most once.
	 */
	void (*on_failed)(void *arg, const struct nbdclient_error *err);
};

/*
 * Open an export of a channel of any kind (<nbdclient.h>), with the channel's
 * options; export_name NULL: the URI's, or the default export "".  base has
 * to outlive the disk; *callbacks is copied.  0: *ret_disk is the caller's,
 * for nbdclient_event_close(), and one of the callbacks will come, unless it
 * is closed before.  Else INVALID, NO_MEMORY.
 *
 * The channel may be freed at once: a server that was started for it lives as
 * long as the disk.  If it is not freed, it is not to be used on another
 * thread before on_ready or on_failed.
 */
int nbdclient_event_negotiate(struct event_base *base,
    struct nbdclient_channel *channel, const char *export_name,
    const struct nbdclient_event_callbacks *callbacks, void *arg,
    struct nbdclient_event_disk **ret_disk, struct nbdclient_error *err);

/*
 * The same for the export of an NBD URI, without a channel.  options may be
 * NULL.
 */
int nbdclient_event_open(struct event_base *base, const char *uri,
    const struct nbdclient_options *options,
    const struct nbdclient_event_callbacks *callbacks, void *arg,
    struct nbdclient_event_disk **ret_disk, struct nbdclient_error *err);

/* From on_ready on.  Cannot fail, asks nobody. */
void nbdclient_event_get_info(const struct nbdclient_event_disk *disk,
    struct nbdclient_info *ret_info);

/*
 * The end of a request: err is NULL for a success, else it is valid during
 * the call and as the blocking call of the same name has it.
 */
typedef void nbdclient_done_cb(void *arg, const struct nbdclient_error *err);

/*
 * Requests: arguments, errors and limits are those of the blocking calls
 * (<nbdclient.h>).  They return 0 if the request is under way: on_done comes
 * exactly once.  Else nothing was sent, err is filled and on_done does not
 * come: INVALID, READ_ONLY, UNIMPLEMENTED, DISCONNECTED (lost, closed, or not
 * ready yet), NO_MEMORY.
 *
 * Any number of requests may be under way; how many of them are sent at the
 * same time is the library's business, and they may be done in any order.
 * Buffers belong to the request until on_done; the array of them is copied.
 */
/* flags: 0 or NBDCLIENT_DF. */
int nbdclient_event_read(struct nbdclient_event_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err);

/* flags: 0 or NBDCLIENT_FUA. */
int nbdclient_event_write(struct nbdclient_event_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err);

/* Makes stable what was done (on_done) before this call. */
int nbdclient_event_flush(struct nbdclient_event_disk *disk,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err);

int nbdclient_event_write_zeroes(struct nbdclient_event_disk *disk,
    uint64_t sector, uint64_t n_sectors, unsigned flags,
    nbdclient_done_cb *on_done, void *arg, struct nbdclient_error *err);
int nbdclient_event_trim(struct nbdclient_event_disk *disk, uint64_t sector,
    uint64_t n_sectors, unsigned flags, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err);
int nbdclient_event_cache(struct nbdclient_event_disk *disk, uint64_t sector,
    uint64_t n_sectors, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err);

/* on_extent comes with the same arg, before on_done; it may make calls. */
int nbdclient_event_block_status(struct nbdclient_event_disk *disk,
    uint64_t sector, uint64_t n_sectors, const char *context,
    nbdclient_extent_cb *on_extent, nbdclient_done_cb *on_done, void *arg,
    struct nbdclient_error *err);

/*
 * Close, with a goodbye if nothing is under way, and free the disk.  What is
 * under way is given up: its on_done comes with DISCONNECTED.  A server that
 * was started for the channel is ended with the last that has it.  on_closed
 * (may be NULL) comes last, once; the disk, and such a server, are gone then.
 * Takes a second at most, and the end of the server; cannot fail.  Call it
 * once.
 */
void nbdclient_event_close(struct nbdclient_event_disk *disk,
    void (*on_closed)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif
