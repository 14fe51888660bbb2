/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_LIST_META_CONTEXT: the names of the metadata contexts of an export
 * that fit the queries ("qemu:" for all of QEMU's), or of all.  It selects
 * nothing; the numbers in the answers mean nothing.
 */

#include <stdlib.h>
#include <string.h>

#include "nbd/session-private.h"

static bool
list_meta_context_wanted(const struct nbd_session *s)
{
	return s->goal == NBD_GOAL_LIST_CONTEXTS;
}

static void
list_meta_context_send(struct nbd_session *s)
{
	nbd_option_send_contexts(s, NBD_OPT_LIST_META_CONTEXT);
}

/* NBD_REP_META_CONTEXT: 32 bits number, name. */
static void
list_meta_context_on_part(struct nbd_session *s, const uint8_t *p,
    uint32_t len)
{
	const char *name = (const char *)p + 4;
	struct nbd_listed_export *entry;

	if (len == 4 || memchr(name, '\0', len - 4) != NULL) {
		nbd_session_violation(s,
		    "a metadata context whose name is %s",
		    len == 4 ? "empty" : "with a zero byte in it");
		return;
	}
	entry = nbd_list_add(s);
	if (entry == NULL) {
		nbd_session_no_memory(s);
		return;
	}
	entry->name = strndup(name, len - 4);
	entry->description = strdup("");
	if (entry->name == NULL || entry->description == NULL)
		nbd_session_no_memory(s);
}

static void
list_meta_context_on_ack(struct nbd_session *s)
{
	nbd_session_enter(s, SESSION_LISTED);
}

const struct nbd_option_kind nbd_option_list_meta_context = {
	.number = NBD_OPT_LIST_META_CONTEXT,
	.name = "NBD_OPT_LIST_META_CONTEXT",
	.waiting_for = "the answer to NBD_OPT_LIST_META_CONTEXT",
	.wanted = list_meta_context_wanted,
	.send = list_meta_context_send,
	.part = NBD_REP_META_CONTEXT,
	.part_min = 4,
	.part_max = 4 + NBD_MAX_STRING,
	.on_part = list_meta_context_on_part,
	.on_ack = list_meta_context_on_ack,
};
