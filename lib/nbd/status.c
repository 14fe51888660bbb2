/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Block status ("NBD_CMD_BLOCK_STATUS"): the extents of one context in one
 * chunk, from the request's offset on, taken as they arrive.
 *
 * A server may tell less than was asked for, and so may we keep less: a map
 * in single bytes must not fill the memory.  Its last extent may reach
 * beyond the request.  Once the request has failed the rest is ignored.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"

#define FIRST_ROOM 64U

enum {
	EXTENT_SIZE = 8,
	EXTENT_SIZE_EXT = 16,	/* with extended headers */
};

/* Which of our contexts has this number; n_contexts if none. */
static uint32_t
find_context(const struct nbd_session *s, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < s->n_contexts; i++) {
		if (s->contexts[i].selected && s->contexts[i].id == id)
			break;
	}
	return i;
}

/* Do the extents add up to the rest of the chunk?  p: behind the number. */
static bool
extents_fit(const struct nbd_session *s, const uint8_t *p)
{
	uint32_t left = s->reply.left;

	if (s->export.extended)
		return left % EXTENT_SIZE_EXT == 0 &&
		    left / EXTENT_SIZE_EXT == get_be32(p);
	return left % EXTENT_SIZE == 0;
}

/*
 * 32 bits number of the context, with extended headers 32 bits number of
 * extents, then extents.
 */
bool
nbd_status_step(struct nbd_session *s)
{
	size_t size = s->export.extended ? 8 : 4;
	const uint8_t *p = nbd_session_take(s, size);
	struct nbd_reply *reply = &s->reply;
	struct nbd_request *req = reply->req;
	uint32_t i;

	if (p == NULL)
		return false;
	reply->left -= (uint32_t)size;
	i = find_context(s, get_be32(p));
	if (i == s->n_contexts) {
		nbd_session_violation(s,
		    "block status of an unknown context (%" PRIu32 ")",
		    get_be32(p));
	} else if (req->contexts_seen & (1U << i)) {
		nbd_session_violation(s,
		    "block status of one context in two chunks");
	} else if (!extents_fit(s, p + 4)) {
		nbd_session_violation(s,
		    "extents that do not add up to their chunk");
	} else {
		req->contexts_seen |= 1U << i;
		reply->context = i;
		reply->status_offset = req->offset;
		nbd_session_enter(s, SESSION_STATUS_EXTENT);
	}
	return true;
}

static int
extents_reserve(struct nbd_extents *extents)
{
	size_t room = extents->room < FIRST_ROOM ? FIRST_ROOM :
						   2 * extents->room;
	struct nbd_extent *v;

	if (extents->n < extents->room)
		return 0;
	v = reallocarray(extents->v, room, sizeof *v);
	if (v == NULL)
		return -ENOMEM;
	extents->v = v;
	extents->room = room;
	return 0;
}

static void
extents_add(struct nbd_reply *reply, uint64_t length, uint64_t flags)
{
	struct nbd_extents *extents = &reply->req->extents[reply->context];
	struct nbd_extent *last = NULL;

	if (extents->n > 0)
		last = &extents->v[extents->n - 1];
	if (last != NULL && last->flags == flags) {
		last->length += length;
	} else if (extents->n == NBD_MAX_EXTENTS) {
		reply->is_full = true;
	} else if (extents_reserve(extents) < 0) {
		nbd_reply_error(reply->req, -ENOMEM, "", 0);
	} else {
		extents->v[extents->n++] = (struct nbd_extent){
			.length = length,
			.flags = flags,
		};
	}
}

/* Contexts whose flags are the protocol's have none in the upper half. */
static bool
is_base(const struct nbd_context *context)
{
	return strncmp(context->name, "base:", 5) == 0;
}

/* What is wrong with the next extent; NULL: nothing. */
static const char *
extent_fault(const struct nbd_session *s, uint64_t length, uint64_t flags)
{
	const struct nbd_reply *reply = &s->reply;
	const struct nbd_request *req = reply->req;

	if (length == 0)
		return "the server sent an extent of no length";
	if (reply->status_offset - req->offset >= req->length)
		return "the server sent extents beyond the request";
	if (reply->n_extents > 0 && (req->flags & NBD_CMD_FLAG_REQ_ONE))
		return "the server sent more than the one extent asked for";
	if (flags > UINT32_MAX && is_base(&s->contexts[reply->context]))
		return "the server sent flags that no base: context has";
	return NULL;
}

static void
status_add(const struct nbd_session *s, struct nbd_reply *reply,
    uint64_t length, uint64_t flags)
{
	uint64_t end = s->export.size;

	if (reply->req->flags & NBD_CMD_FLAG_REQ_ONE)
		end = reply->req->offset + reply->req->length;
	if (length > end - reply->status_offset)
		length = end - reply->status_offset;
	reply->status_offset += length;
	reply->n_extents++;
	if (!reply->is_full)
		extents_add(reply, length, flags);
}

/* 32 bits length, 32 bits flags; with extended headers 64 bits each. */
bool
nbd_status_extent_step(struct nbd_session *s)
{
	bool extended = s->export.extended;
	uint32_t size = extended ? EXTENT_SIZE_EXT : EXTENT_SIZE;
	struct nbd_reply *reply = &s->reply;
	uint64_t length;
	uint64_t flags;
	const char *fault;
	const uint8_t *p;

	if (reply->left == 0) {
		nbd_reply_end(s);
		return true;
	}
	p = nbd_session_take(s, size);
	if (p == NULL)
		return false;
	reply->left -= size;
	if (reply->req->error != 0)
		return true;
	length = extended ? get_be64(p) : get_be32(p);
	flags = extended ? get_be64(p + 8) : get_be32(p + 4);
	fault = extent_fault(s, length, flags);
	if (fault != NULL)
		nbd_reply_error(reply->req, -EPROTO, fault, strlen(fault));
	else
		status_add(s, reply, length, flags);
	return true;
}
