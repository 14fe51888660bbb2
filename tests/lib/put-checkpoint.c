/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * put-checkpoint FILE JOB GENERATION [TIME]: what a run would have saved then,
 * in seconds since the epoch, for tests of those who read it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/loop.h"
#include "store/store.h"

static struct net_loop *loop;
static int result;

static void
on_saved(struct store_call *call)
{
	result = call->error.code;
	if (result < 0)
		(void)fprintf(stderr, "%s\n", call->error.text);
}

static void
on_closed(struct store_call *call)
{
	(void)call;
	net_loop_stop(loop);
}

static struct store_checkpoint *
make(const char *job, uint64_t generation, int64_t saved_at_ms)
{
	struct store_checkpoint *c = store_checkpoint_new();
	struct store_destination *d;

	if (c == NULL)
		return NULL;
	d = &c->destinations[0];
	c->job = strdup(job);
	c->mode = strdup("copy");
	c->settings = strdup("1 0 0 0");
	c->generation = generation;
	c->saved_at_ms = saved_at_ms;
	c->source.size = 1 << 20;
	c->source.identity = strdup("nbd://there/disk");
	c->n_destinations = 1;
	d->side.size = 1 << 20;
	d->side.identity = strdup("nbd://here/disk");
	if (ranges_add(&d->durable, 0, 4096) < 0 ||
	    ranges_add(&d->durable, 8192, 4096) < 0)
		return NULL;
	return c;
}

int
main(int argc, char **argv)
{
	struct store_options options = { .path = argv[1] };
	struct store_checkpoint *c;
	struct mailbox *box = NULL;
	struct store *store = NULL;

	if (argc != 4 && argc != 5)
		return 2;
	c = make(argv[2], strtoull(argv[3], NULL, 10), argc == 5 ?
	    strtoll(argv[4], NULL, 10) * 1000 : 1764151872000);
	if (c == NULL || net_loop_new(&loop) < 0 ||
	    mailbox_new(loop, &box) < 0 || store_open(&options, &store) < 0)
		return 1;
	store_save_checkpoint(store, store_call_new(box, on_saved, NULL), c);
	store_close(store, store_call_new(box, on_closed, NULL), 20000);
	(void)net_loop_run(loop);
	store_free(store);
	mailbox_free(box);
	net_loop_free(loop);
	return result < 0;
}
