/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_LIST: the names and descriptions of the exports.
 */

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"

#define FIRST_ROOM 16U

static bool
list_wanted(const struct nbd_session *s)
{
	return s->goal == NBD_GOAL_LIST;
}

static void
list_send(struct nbd_session *s)
{
	(void)nbd_option_append(s, NBD_OPT_LIST, 0);
}

struct nbd_listed_export *
nbd_list_add(struct nbd_session *s)
{
	struct nbd_listed_export *list;
	size_t room;

	if (s->n_list == s->list_room) {
		room = s->list_room == 0 ? FIRST_ROOM : 2 * s->list_room;
		list = reallocarray(s->list, room, sizeof *list);
		if (list == NULL)
			return NULL;
		s->list = list;
		s->list_room = room;
	}
	s->list[s->n_list] = (struct nbd_listed_export){ NULL, NULL };
	return &s->list[s->n_list++];
}

/* NBD_REP_SERVER: 32 bits length of name, name, description. */
static void
list_on_part(struct nbd_session *s, const uint8_t *p, uint32_t len)
{
	struct nbd_listed_export *entry;
	const char *name = (const char *)p + 4;
	uint32_t name_len = get_be32(p);

	if (name_len > len - 4 || name_len > NBD_MAX_STRING ||
	    len - 4 - name_len > NBD_MAX_STRING) {
		nbd_session_violation(s, "a listed export's name is too long");
		return;
	}
	if (memchr(name, '\0', name_len) != NULL) {
		nbd_session_violation(s,
		    "a listed export's name has a zero byte in it");
		return;
	}
	entry = nbd_list_add(s);
	if (entry == NULL) {
		nbd_session_no_memory(s);
		return;
	}
	entry->name = strndup(name, name_len);
	entry->description = strndup(name + name_len, len - 4 - name_len);
	if (entry->name == NULL || entry->description == NULL)
		nbd_session_no_memory(s);
}

static void
list_on_ack(struct nbd_session *s)
{
	nbd_session_enter(s, SESSION_LISTED);
}

const struct nbd_option_kind nbd_option_list = {
	.number = NBD_OPT_LIST,
	.name = "NBD_OPT_LIST",
	.waiting_for = "the answer to NBD_OPT_LIST",
	.wanted = list_wanted,
	.send = list_send,
	.part = NBD_REP_SERVER,
	.part_min = 4,
	.part_max = 4 + 2 * NBD_MAX_STRING,
	.on_part = list_on_part,
	.on_ack = list_on_ack,
};
