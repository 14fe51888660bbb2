/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * put-checkpoint FILE JOB GENERATION [TIME]: what a run would have saved then,
 * in seconds since the epoch, for tests of those who read it.
 *
 * put-checkpoint --all FILE JOB DISTANCE: the one that is there, as if all was
 * durable, and last of all 64 KiB at each multiple of DISTANCE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/loop.h"
#include "store/store.h"

#define RECENT_BYTES (64U * 1024)

static struct net_loop *loop;
static struct mailbox *box;
static struct store *store;
static uint64_t distance;
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

static void
call_it_all_durable(struct store_checkpoint *c)
{
	const uint64_t size = c->destinations[0].side.size;
	size_t i;

	if (ranges_add(&c->destinations[0].durable, 0, size) < 0)
		abort();
	for (i = 0; i < STORE_MAX_RECENT && i * distance < size; i++)
		c->recent[i] = (struct range){ i * distance, RECENT_BYTES };
	c->n_recent = i;
	c->generation++;
}

static void
on_loaded(struct store_call *call)
{
	struct store_checkpoint *c = call->checkpoint;

	if (c == NULL) {
		(void)fprintf(stderr, "there is none: %s\n",
		    call->error.text);
		result = -1;
	} else {
		call->checkpoint = NULL;
		call_it_all_durable(c);
		store_save_checkpoint(store, store_call_new(box, on_saved,
		    NULL), c);
	}
	store_close(store, store_call_new(box, on_closed, NULL), 20000);
}

static int
open_store(const char *path)
{
	struct store_options options = { .path = path };

	return net_loop_new(&loop) < 0 || mailbox_new(loop, &box) < 0 ||
	    store_open(&options, &store) < 0 ? -1 : 0;
}

int
main(int argc, char **argv)
{
	struct store_checkpoint *c = NULL;
	bool is_there = argc > 1 && strcmp(argv[1], "--all") == 0;

	if (argc != 5 && (is_there || argc != 4))
		return 2;
	if (open_store(argv[is_there ? 2 : 1]) < 0)
		return 1;
	if (is_there) {
		distance = strtoull(argv[4], NULL, 10);
		store_load_checkpoint(store, store_call_new(box, on_loaded,
		    NULL), argv[3]);
	} else {
		c = make(argv[2], strtoull(argv[3], NULL, 10), argc == 5 ?
		    strtoll(argv[4], NULL, 10) * 1000 : 1764151872000);
		if (c == NULL)
			return 1;
		store_save_checkpoint(store, store_call_new(box, on_saved,
		    NULL), c);
		store_close(store, store_call_new(box, on_closed, NULL),
		    20000);
	}
	(void)net_loop_run(loop);
	store_free(store);
	mailbox_free(box);
	net_loop_free(loop);
	return result < 0;
}
