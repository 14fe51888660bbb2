/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_SET_META_CONTEXT: selects what block status will tell.  The server
 * answers with a number for each context it has; without any, there is no
 * block status, which is no error.
 */

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"

static bool
set_meta_context_wanted(const struct nbd_session *s)
{
	return s->goal == NBD_GOAL_TRANSMISSION && s->export.structured &&
	    s->n_contexts > 0;
}

static void
set_meta_context_send(struct nbd_session *s)
{
	nbd_option_send_contexts(s, NBD_OPT_SET_META_CONTEXT);
}

static struct nbd_context *
find_context(struct nbd_session *s, const uint8_t *name, uint32_t len)
{
	for (uint32_t i = 0; i < s->n_contexts; i++) {
		struct nbd_context *context = &s->contexts[i];

		if (strlen(context->name) == len &&
		    memcmp(context->name, name, len) == 0)
			return context;
	}
	return NULL;
}

static bool
id_is_taken(const struct nbd_session *s, uint32_t id)
{
	for (uint32_t i = 0; i < s->n_contexts; i++) {
		if (s->contexts[i].selected && s->contexts[i].id == id)
			return true;
	}
	return false;
}

/* NBD_REP_META_CONTEXT: 32 bits number, name. */
static void
set_meta_context_on_part(struct nbd_session *s, const uint8_t *p, uint32_t len)
{
	struct nbd_context *context = find_context(s, p + 4, len - 4);
	uint32_t id = get_be32(p);

	if (context == NULL) {
		nbd_session_violation(s,
		    "a metadata context that was not asked for");
	} else if (context->selected || id_is_taken(s, id)) {
		nbd_session_violation(s,
		    "a metadata context, number %" PRIu32 ", twice", id);
	} else {
		context->selected = true;
		context->id = id;
	}
}

/* What was received before an error is void as well. */
static bool
set_meta_context_survives(struct nbd_session *s, uint32_t error UNUSED)
{
	for (uint32_t i = 0; i < s->n_contexts; i++)
		s->contexts[i].selected = false;
	return true;
}

const struct nbd_option_kind nbd_option_set_meta_context = {
	.number = NBD_OPT_SET_META_CONTEXT,
	.name = "NBD_OPT_SET_META_CONTEXT",
	.waiting_for = "the answer to NBD_OPT_SET_META_CONTEXT",
	.wanted = set_meta_context_wanted,
	.send = set_meta_context_send,
	.part = NBD_REP_META_CONTEXT,
	.part_min = 4,
	.part_max = 4 + NBD_MAX_STRING,
	.on_part = set_meta_context_on_part,
	.on_ack = nbd_option_next,
	.survives = set_meta_context_survives,
};
