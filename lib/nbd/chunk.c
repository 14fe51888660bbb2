/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Replies in chunks ("Structured reply chunk message").  The chunks of one
 * reply come in any order, and those of different replies mixed; the last of
 * a reply says so.  Each is checked against its request before a byte of it
 * goes anywhere.  Extended headers make the header longer, and block status
 * another type.  Block status is read in status.c.
 */

#include <errno.h>
#include <inttypes.h>

#include "base/bytes.h"
#include "nbd/session-private.h"

enum {
	ERROR_HEADER = 6,	/* 32 bits error, 16 bits length of message */
	/* What types of error we do not know may carry behind the message. */
	ERROR_SLACK = 64,
	MAX_ERROR = ERROR_HEADER + NBD_MAX_STRING + ERROR_SLACK,
	/* Disjoint pieces of a READ that comes out of order. */
	MAX_PIECES = 4096,
};

static const struct chunk_row {
	uint16_t type;
	bool compact;		/* may come under short headers */
	bool extended;		/* may come under extended headers */
	const char *name;
	enum nbd_command command;	/* what it is an answer to */
	uint32_t min;		/* bytes of payload */
	uint32_t max;
	enum session_state state;
} chunk_rows[] = {
	/* Not longer than the request either, see chunk_is_allowed(). */
	{ NBD_REPLY_TYPE_OFFSET_DATA, true, true, "data", NBD_CMD_READ, 9,
	    UINT32_MAX, SESSION_CHUNK_DATA },
	{ NBD_REPLY_TYPE_OFFSET_HOLE, true, true, "hole", NBD_CMD_READ, 12,
	    12, SESSION_CHUNK_HOLE },
	{ NBD_REPLY_TYPE_BLOCK_STATUS, true, false, "block status",
	    NBD_CMD_BLOCK_STATUS, 12, NBD_MAX_STATUS_CHUNK, SESSION_STATUS },
	{ NBD_REPLY_TYPE_BLOCK_STATUS_EXT, false, true, "block status",
	    NBD_CMD_BLOCK_STATUS, 24, NBD_MAX_STATUS_CHUNK_EXT,
	    SESSION_STATUS },
};

#define N_CHUNKS (sizeof chunk_rows / sizeof chunk_rows[0])

static const struct chunk_row *
find_chunk(uint16_t type, bool extended)
{
	for (size_t i = 0; i < N_CHUNKS; i++) {
		const struct chunk_row *row = &chunk_rows[i];

		if (row->type == type &&
		    (extended ? row->extended : row->compact))
			return row;
	}
	return NULL;
}

static void
wrong_length(struct nbd_session *s, const char *what)
{
	nbd_session_violation(s, "a chunk of type %s with %" PRIu32 " bytes",
	    what, s->reply.left);
}

/* May such a chunk answer this request, at this length? */
static bool
chunk_is_allowed(struct nbd_session *s, const struct chunk_row *row)
{
	const struct nbd_reply *reply = &s->reply;

	if (reply->req->command != row->command) {
		nbd_session_violation(s, "a chunk of type %s to a %s",
		    row->name, nbd_request_name(reply->req));
		return false;
	}
	if (reply->left < row->min || reply->left > row->max ||
	    (row->type == NBD_REPLY_TYPE_OFFSET_DATA &&
		reply->left - 8 > reply->req->length)) {
		wrong_length(s, row->name);
		return false;
	}
	return true;
}

static void
chunk_none(struct nbd_session *s)
{
	if (s->reply.left != 0)
		wrong_length(s, "none");
	else if (!s->reply.done)
		nbd_session_violation(s, "an empty chunk that is not the last");
	else
		nbd_reply_end(s);
}

static void
chunk_dispatch(struct nbd_session *s)
{
	struct nbd_reply *reply = &s->reply;
	const struct chunk_row *row = find_chunk(reply->type,
	    s->export.extended);

	if (reply->type == NBD_REPLY_TYPE_NONE) {
		chunk_none(s);
	} else if (reply->type & NBD_REPLY_TYPE_FLAG_ERROR) {
		if (reply->left < ERROR_HEADER || reply->left > MAX_ERROR)
			wrong_length(s, "error");
		else
			nbd_session_enter(s, SESSION_CHUNK_ERROR);
	} else if (row == NULL) {
		nbd_session_violation(s, "a chunk of unknown type %" PRIu16,
		    reply->type);
	} else if (chunk_is_allowed(s, row)) {
		nbd_session_enter(s, row->state);
	}
}

/* An extended header repeats the request's offset, and its length is longer. */
static bool
extended_is_allowed(struct nbd_session *s, const struct nbd_request *req,
    uint64_t offset, uint64_t length)
{
	if (offset != req->offset)
		nbd_session_violation(s,
		    "a reply for offset %" PRIu64 " to a %s at %" PRIu64,
		    offset, nbd_request_name(req), req->offset);
	else if (length > UINT32_MAX)
		nbd_session_violation(s, "a chunk of %" PRIu64 " bytes",
		    length);
	else
		return true;
	return false;
}

/*
 * 16 bits flags, 16 bits type, 64 bits cookie, 32 bits length; in an extended
 * header 64 bits offset and 64 bits length.
 */
bool
nbd_chunk_step(struct nbd_session *s)
{
	bool extended = s->export.extended;
	const uint8_t *p = nbd_session_take(s, extended ? 28 : 16);
	struct nbd_request *req;

	if (p == NULL)
		return false;
	req = nbd_reply_find(s, get_be64(p + 4));
	if (req == NULL)
		return true;
	if (extended &&
	    !extended_is_allowed(s, req, get_be64(p + 12), get_be64(p + 20)))
		return true;
	req->got_chunk = true;
	s->reply = (struct nbd_reply){
		.req = req,
		.done = (get_be16(p) & NBD_REPLY_FLAG_DONE) != 0,
		.type = get_be16(p + 2),
		.left = get_be32(extended ? p + 24 : p + 12),
	};
	chunk_dispatch(s);
	return true;
}

/*
 * Note that [offset, offset+len) of the request has come.  Servers send in
 * order, mostly, so that a counter does; only else is there a set.
 */
static int
cover(struct nbd_session *s, struct nbd_request *req, uint64_t offset,
    uint64_t len)
{
	struct ranges *covered = nbd_inflight_covered(s, req);

	if (offset < req->contiguous)
		return -EEXIST;
	if (offset > req->contiguous || covered->n > 0)
		return ranges_add_new(covered, offset, len, MAX_PIECES);
	req->contiguous += len;
	return 0;
}

/* May content be at this place, once?  Notes that it has come if so. */
static bool
content_is_allowed(struct nbd_session *s, uint64_t offset, uint64_t len)
{
	struct nbd_request *req = s->reply.req;
	int r;

	if (!range_is_within(offset, len, req->offset, req->length)) {
		nbd_session_violation(s,
		    "%" PRIu64 " bytes at %" PRIu64 " in answer to a read of "
		    "%" PRIu64 " at %" PRIu64,
		    len, offset, req->length, req->offset);
		return false;
	}
	if (req->got_content && (req->flags & NBD_CMD_FLAG_DF)) {
		nbd_session_violation(s,
		    "pieces of a read that was not to be split");
		return false;
	}
	req->got_content = true;
	r = cover(s, req, offset - req->offset, len);
	if (r == -ENOMEM)
		nbd_session_no_memory(s);
	else if (r == -EEXIST)
		nbd_session_violation(s,
		    "it sent what lies at %" PRIu64 " of a read twice",
		    offset);
	else if (r < 0)
		nbd_session_violation(s, "a read in too many pieces");
	return r == 0;
}

/* 64 bits offset, data. */
bool
nbd_chunk_data_step(struct nbd_session *s)
{
	const uint8_t *p = nbd_session_take(s, 8);
	struct nbd_request *req = s->reply.req;
	uint64_t offset;
	uint32_t len;

	if (p == NULL)
		return false;
	offset = get_be64(p);
	len = s->reply.left - 8;
	if (!content_is_allowed(s, offset, len))
		return true;
	nbd_payload_begin(s, offset - req->offset, len, false);
	return true;
}

/* 64 bits offset, 32 bits length. */
bool
nbd_chunk_hole_step(struct nbd_session *s)
{
	const uint8_t *p = nbd_session_take(s, 12);
	struct nbd_request *req = s->reply.req;
	uint64_t offset;
	uint32_t len;

	if (p == NULL)
		return false;
	offset = get_be64(p);
	len = get_be32(p + 8);
	if (len == 0) {
		nbd_session_violation(s, "a hole of no length");
		return true;
	}
	if (!content_is_allowed(s, offset, len))
		return true;
	nbd_payload_begin(s, offset - req->offset, len, true);
	return true;
}

/* 32 bits error, 16 bits length of message, message, [64 bits offset]. */
bool
nbd_chunk_error_step(struct nbd_session *s)
{
	struct nbd_reply *reply = &s->reply;
	struct nbd_request *req = reply->req;
	bool has_offset = reply->type == NBD_REPLY_TYPE_ERROR_OFFSET;
	uint32_t room = reply->left - ERROR_HEADER;
	const uint8_t *p = nbd_session_take(s, reply->left);
	uint32_t error;
	uint16_t len;

	if (p == NULL)
		return false;
	error = get_be32(p);
	len = get_be16(p + 4);
	if (len > NBD_MAX_STRING || len > room ||
	    (has_offset && room - len < 8)) {
		nbd_session_violation(s, "an error message that is too long");
		return true;
	}
	if (has_offset &&
	    !range_is_within(get_be64(p + ERROR_HEADER + len), 1, req->offset,
		req->length)) {
		nbd_session_violation(s, "an error outside of the request");
		return true;
	}
	nbd_reply_error(req, error == 0 ? -EPROTO : nbd_error_to_errno(error),
	    p + ERROR_HEADER, len);
	nbd_reply_end(s);
	return true;
}
