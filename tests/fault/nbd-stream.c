/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a proxy has to know of NBD.  It believes everything: both ends are of
 * the tests.  What follows STARTTLS, or is not understood, is opaque.
 */
#include "tests/fault/nbd-stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/protocol.h"

const char *const nbd_step_names[N_STEPS] = {
	[STEP_GREETING] = "greeting",
	[STEP_FLAGS] = "flags",
	[STEP_OPTION] = "option",
	[STEP_GO] = "go",
	[STEP_OPTION_DATA] = "option-data",
	[STEP_OPTION_REPLY] = "option-reply",
	[STEP_GO_REPLY] = "go-reply",
	[STEP_OPTION_REPLY_DATA] = "option-reply-data",
	[STEP_REQUEST] = "request",
	[STEP_PAYLOAD] = "payload",
	[STEP_REPLY] = "reply",
	[STEP_CHUNK] = "chunk",
	[STEP_DATA] = "data",
	[STEP_OPAQUE] = "opaque",
};

static void
expect(struct nbd_direction *d, enum nbd_step next, uint64_t length)
{
	d->next = next;
	d->length = length;
}

void
nbd_stream_init(struct nbd_stream *s)
{
	memset(s, 0, sizeof *s);
	expect(&s->from[FROM_SERVER], STEP_GREETING, 18);
	expect(&s->from[FROM_CLIENT], STEP_FLAGS, 4);
}

void
nbd_stream_done(struct nbd_stream *s)
{
	struct nbd_read *r;

	while ((r = s->reads) != NULL) {
		s->reads = r->next;
		free(r);
	}
}

static void
remember_read(struct nbd_stream *s, uint64_t cookie, uint64_t length)
{
	struct nbd_read *r = calloc(1, sizeof *r);

	if (r == NULL)
		abort();
	r->cookie = cookie;
	r->length = length;
	r->next = s->reads;
	s->reads = r;
}

static uint64_t
forget_read(struct nbd_stream *s, uint64_t cookie)
{
	struct nbd_read **link = &s->reads, *r;
	uint64_t length;

	while ((r = *link) != NULL && r->cookie != cookie)
		link = &r->next;
	if (r == NULL)
		return 0;
	*link = r->next;
	length = r->length;
	free(r);
	return length;
}

/*
 * From the client.
 */

static void
after_option(struct nbd_stream *s)
{
	struct nbd_direction *d = &s->from[FROM_CLIENT];

	if (s->option == NBD_OPT_STARTTLS)
		expect(d, STEP_OPAQUE, UINT64_MAX);
	else if (s->option == NBD_OPT_EXPORT_NAME) {
		s->is_go_done = true;
		expect(&s->from[FROM_SERVER], STEP_GO_REPLY,
		    s->has_no_zeroes ? 10 : 134);
		expect(d, STEP_REQUEST, 0);
	} else
		expect(d, STEP_OPTION, 0);
}

static enum nbd_step
option_header(struct nbd_stream *s, const uint8_t *p)
{
	const uint32_t length = get_be32(p + 12);

	s->option = get_be32(p + 8);
	if (length > 0)
		expect(&s->from[FROM_CLIENT], STEP_OPTION_DATA, length);
	else
		after_option(s);
	return s->option == NBD_OPT_GO || s->option == NBD_OPT_EXPORT_NAME ?
	    STEP_GO : STEP_OPTION;
}

static void
request_header(struct nbd_stream *s, const uint8_t *p)
{
	const uint16_t command = get_be16(p + 6);
	const uint64_t length =
	    s->has_extended ? get_be64(p + 24) : get_be32(p + 24);

	if (command == NBD_CMD_READ)
		remember_read(s, get_be64(p + 8), length);
	if (command == NBD_CMD_WRITE && length > 0)
		expect(&s->from[FROM_CLIENT], STEP_PAYLOAD, length);
}

static enum nbd_step
next_from_client(struct nbd_stream *s, enum nbd_step step, const uint8_t *p)
{
	struct nbd_direction *d = &s->from[FROM_CLIENT];

	switch ((int)step) {
	case STEP_FLAGS:
		s->has_no_zeroes = (p[3] & NBD_FLAG_NO_ZEROES) != 0;
		expect(d, STEP_OPTION, 0);
		return step;
	case STEP_OPTION:
		return option_header(s, p);
	case STEP_OPTION_DATA:
		after_option(s);
		return step;
	case STEP_REQUEST:
		request_header(s, p);
		return step;
	case STEP_PAYLOAD:
		expect(d, STEP_REQUEST, 0);
		return step;
	default:
		return STEP_OPAQUE;
	}
}

/*
 * From the server.
 */

static enum nbd_step
option_reply_header(struct nbd_stream *s, const uint8_t *p)
{
	struct nbd_direction *d = &s->from[FROM_SERVER];
	const bool is_ack = get_be32(p + 12) == NBD_REP_ACK;
	const uint32_t option = get_be32(p + 8);

	if (is_ack && option == NBD_OPT_EXTENDED_HEADERS)
		s->has_extended = true;
	if (is_ack && option == NBD_OPT_STARTTLS)
		expect(d, STEP_OPAQUE, UINT64_MAX);
	else if (is_ack && option == NBD_OPT_GO) {
		s->is_go_done = true;
		expect(&s->from[FROM_CLIENT], STEP_REQUEST, 0);
		expect(d, STEP_REPLY, 0);
		return STEP_GO_REPLY;
	} else if (get_be32(p + 16) > 0)
		expect(d, STEP_OPTION_REPLY_DATA, get_be32(p + 16));
	return STEP_OPTION_REPLY;
}

static void
chunk_header(struct nbd_stream *s, const uint8_t *p, uint64_t length)
{
	struct nbd_direction *d = &s->from[FROM_SERVER];

	if ((get_be16(p + 4) & NBD_REPLY_FLAG_DONE) != 0)
		(void)forget_read(s, get_be64(p + 8));
	d->rest = 0;
	if (length > 8 && get_be16(p + 6) == NBD_REPLY_TYPE_OFFSET_DATA) {
		d->rest = length - 8;
		length = 8;
	}
	if (length > 0)
		expect(d, STEP_CHUNK, length);
}

static void
reply_header(struct nbd_stream *s, const uint8_t *p)
{
	const uint32_t magic = get_be32(p);
	uint64_t length;

	if (magic == NBD_STRUCTURED_REPLY_MAGIC)
		chunk_header(s, p, get_be32(p + 16));
	else if (magic == NBD_EXTENDED_REPLY_MAGIC)
		chunk_header(s, p, get_be64(p + 24));
	else {
		length = forget_read(s, get_be64(p + 8));
		if (get_be32(p + 4) == 0 && length > 0)
			expect(&s->from[FROM_SERVER], STEP_DATA, length);
	}
}

static enum nbd_step
next_from_server(struct nbd_stream *s, enum nbd_step step, const uint8_t *p)
{
	struct nbd_direction *d = &s->from[FROM_SERVER];

	switch ((int)step) {
	case STEP_GREETING:
	case STEP_OPTION_REPLY_DATA:
		expect(d, STEP_OPTION_REPLY, 0);
		return step;
	case STEP_OPTION_REPLY:
		return option_reply_header(s, p);
	case STEP_REPLY:
		reply_header(s, p);
		return step;
	case STEP_CHUNK:
		if (d->rest > 0)
			expect(d, STEP_DATA, d->rest);
		else
			expect(d, STEP_REPLY, 0);
		return step;
	case STEP_GO_REPLY:
	case STEP_DATA:
		expect(d, STEP_REPLY, 0);
		return step;
	default:
		return STEP_OPAQUE;
	}
}

/* Of a header, as far as its first bytes say. */
static uint64_t
header_length(const struct nbd_stream *s, enum nbd_step step,
    const uint8_t *p, size_t len)
{
	switch ((int)step) {
	case STEP_OPTION:
		return 16;
	case STEP_OPTION_REPLY:
		return 20;
	case STEP_REQUEST:
		return s->has_extended ? 32 : 28;
	default:
		break;
	}
	if (len < 4)
		return 4;
	switch (get_be32(p)) {
	case NBD_SIMPLE_REPLY_MAGIC:
		return 16;
	case NBD_STRUCTURED_REPLY_MAGIC:
		return 20;
	case NBD_EXTENDED_REPLY_MAGIC:
		return 32;
	default:
		return UINT64_MAX;	/* nonsense */
	}
}

uint64_t
nbd_stream_next(struct nbd_stream *s, enum nbd_side side, const uint8_t *data,
    size_t len, enum nbd_step *ret_step)
{
	struct nbd_direction *d = &s->from[side];
	const bool is_header = d->next == STEP_OPTION ||
	    d->next == STEP_OPTION_REPLY || d->next == STEP_REQUEST ||
	    d->next == STEP_REPLY;
	uint64_t length = d->length;

	if (is_header) {
		length = header_length(s, d->next, data, len);
		if (length == UINT64_MAX)
			d->next = STEP_OPAQUE;
		else if (len < length)
			return 0;
	} else if (d->next == STEP_FLAGS && len < length)
		return 0;
	*ret_step = side == FROM_CLIENT ? next_from_client(s, d->next, data) :
					  next_from_server(s, d->next, data);
	return length;
}
