/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "endpoint/disk.h"
#include "endpoint/spec.h"
#include "net/loop.h"

/*
 * One end of a run, made ready to be connected to: a URI is read, a server
 * is started, a file is looked at.  Opened and closed on one loop, the
 * run's; once open it does not change, and disks are connected from any
 * thread.
 */

struct endpoint;

enum endpoint_role {
	ENDPOINT_SOURCE,	/* opened read-only where that can be said */
	ENDPOINT_DESTINATION,
};

/*
 * Open.  create_size: what a destination file that does not exist is created
 * with, and what a null: destination has; bytes.  words may be NULL.  0, or a
 * negative errno with a sentence without the endpoint's name.
 */
int endpoint_open(struct net_loop *loop, const struct endpoint_spec *spec,
    enum endpoint_role role, uint64_t create_size,
    const struct endpoint_words *words, struct endpoint **ret_endpoint,
    struct error *e);

/*
 * Has the command of this endpoint ended by itself?  Then *e says how it did
 * last, or why it could not be started again.  On the endpoint's loop.
 */
bool endpoint_has_exited(const struct endpoint *ep, struct error *e);

/*
 * On the endpoint's loop.  From now on a server that was started for it is
 * started again when it ends by itself, after a while that becomes longer each
 * time, at the place where it was.
 */
void endpoint_keep(struct endpoint *ep);

/* How often one was started.  Any thread. */
unsigned endpoint_n_starts(const struct endpoint *ep);

/* Does opening it start a server, which may take its reason with it? */
bool endpoint_is_command(const struct endpoint *ep);

struct endpoint_limits {
	uint64_t connect_timeout_ms;
	uint64_t io_timeout_ms;
	bool wants_status;		/* also of a destination */
};

/*
 * Connect a disk, on loop's thread.  All disks must be closed before the
 * endpoint is.
 */
int endpoint_connect(const struct endpoint *ep, struct net_loop *loop,
    const struct endpoint_limits *limits, const struct disk_events *events,
    void *arg, struct disk **ret_disk, struct error *e);

/*
 * Close: a server that was started is stopped.  on_closed comes exactly
 * once, from the loop; the endpoint is gone then.
 */
void endpoint_close(struct endpoint *ep, void (*on_closed)(void *arg),
    void *arg);

#endif
