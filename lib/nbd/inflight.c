/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The requests whose reply is outstanding, found by their cookie: its low
 * bits are a place in a table, the rest is a counter that never comes back.
 * A reply that comes twice, or too late, thus finds nothing, even where its
 * place has been given to another request.
 *
 * What a READ needs to remember of chunks out of order is kept here and not
 * in the request, so that forgetting a request needs no look at it.
 */

#include <errno.h>
#include <stdlib.h>

#include "nbd/session-private.h"

#define FIRST_SLOTS 16U
#define INDEX_MASK  (NBD_MAX_IN_FLIGHT - 1U)

_Static_assert(NBD_MAX_IN_FLIGHT == 1 << NBD_COOKIE_INDEX_BITS,
    "a cookie has room for every place in the table");

static struct nbd_inflight_slot *
slot_of(const struct nbd_session *s, const struct nbd_request *req)
{
	return &s->inflight.slots[req->cookie & INDEX_MASK];
}

static int
inflight_grow(struct nbd_inflight *inflight)
{
	uint32_t n = inflight->n_slots == 0 ? FIRST_SLOTS :
					      2 * inflight->n_slots;
	struct nbd_inflight_slot *slots;

	if (n > NBD_MAX_IN_FLIGHT)
		return -ENOMEM;
	slots = reallocarray(inflight->slots, n, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;
	for (uint32_t i = inflight->n_slots; i < n; i++) {
		slots[i].req = NULL;
		slots[i].next_free = i + 1;
		ranges_init(&slots[i].covered);
	}
	inflight->slots = slots;
	inflight->first_free = inflight->n_slots;
	inflight->n_slots = n;
	return 0;
}

int
nbd_inflight_add(struct nbd_session *s, struct nbd_request *req)
{
	struct nbd_inflight *inflight = &s->inflight;
	uint32_t i;
	int r;

	/* All are taken: the last free one ended the chain. */
	if (inflight->first_free == inflight->n_slots) {
		r = inflight_grow(inflight);
		if (r < 0)
			return r;
	}
	i = inflight->first_free;
	inflight->first_free = inflight->slots[i].next_free;
	inflight->slots[i].req = req;
	inflight->n++;
	req->cookie = ++inflight->n_ever << NBD_COOKIE_INDEX_BITS | i;
	return 0;
}

struct nbd_request *
nbd_inflight_find(const struct nbd_session *s, uint64_t cookie)
{
	uint32_t i = (uint32_t)(cookie & INDEX_MASK);
	struct nbd_request *req;

	if (i >= s->inflight.n_slots)
		return NULL;
	req = s->inflight.slots[i].req;
	return req != NULL && req->cookie == cookie ? req : NULL;
}

struct ranges *
nbd_inflight_covered(struct nbd_session *s, const struct nbd_request *req)
{
	return &slot_of(s, req)->covered;
}

/* Nobody is to use half an answer. */
static void
drop_extents(const struct nbd_session *s, struct nbd_request *req)
{
	if (req->command != NBD_CMD_BLOCK_STATUS)
		return;
	for (uint32_t i = 0; i < s->n_contexts; i++)
		req->extents[i].n = 0;
}

void
nbd_inflight_complete(struct nbd_session *s, struct nbd_request *req)
{
	struct nbd_inflight *inflight = &s->inflight;
	struct nbd_inflight_slot *slot = slot_of(s, req);

	slot->req = NULL;
	ranges_done(&slot->covered);
	slot->next_free = inflight->first_free;
	inflight->first_free = (uint32_t)(slot - inflight->slots);
	inflight->n--;
	if (req->error != 0)
		drop_extents(s, req);
	list_remove(&req->node);
	list_append(&s->done, &req->node);
}

void
nbd_inflight_complete_all(struct nbd_session *s, int error)
{
	for (uint32_t i = 0; i < s->inflight.n_slots; i++) {
		struct nbd_request *req = s->inflight.slots[i].req;

		if (req == NULL)
			continue;
		req->error = error;
		req->message[0] = '\0';
		nbd_inflight_complete(s, req);
	}
}

void
nbd_inflight_done(struct nbd_inflight *inflight)
{
	for (uint32_t i = 0; i < inflight->n_slots; i++)
		ranges_done(&inflight->slots[i].covered);
	free(inflight->slots);
}
