/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that nobody needs any more.  A thousand runs leave a hundred
 * megabytes that are free, but lie between what is not, and the allocator
 * gives back by itself only what lies at the end.
 *
 * To look through all that is free may take a while, where it is many small
 * pieces: a worker does it, when nothing runs.
 */

#include <malloc.h>
#include <stdatomic.h>

#include "job/job-private.h"

/* How long nothing runs before it is done. */
#define IDLE_MS 2000

/* There is one heap of all. */
static _Atomic bool is_trimming;

static void
on_worker(struct mail *mail UNUSED)
{
	on_worker_entry();
	(void)malloc_trim(0);
	atomic_store(&is_trimming, false);
}

static void
on_timer(void *arg)
{
	static struct mail mail = { .deliver = on_worker };
	struct jobs *jobs = arg;

	on_main_entry();
	if (jobs->n_running == 0 && jobs->pool != NULL &&
	    !atomic_exchange(&is_trimming, true))
		worker_post(worker_pool_get(jobs->pool, 0), &mail);
}

int
trim_init(struct jobs *jobs)
{
	return net_timer_init(&jobs->trim_timer, jobs->loop, on_timer, jobs);
}

void
trim_later(struct jobs *jobs)
{
	net_timer_start(&jobs->trim_timer, IDLE_MS);
}
