/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies, to requests of all commands that are in flight together: each
 * comes back exactly once.  The first byte says what was agreed on and what
 * we do meanwhile, the second how the replies are cut.
 */
#include "fuzz.h"

#include <errno.h>

const char fuzz_target[] = "transmission";

enum {
	EXTENDED = 1,		/* headers */
	SIMPLE = 2,		/* no structured replies */
	GOODBYE = 4,		/* after a half of the replies */
	LATER = 8,		/* a half of the requests, likewise */
	LATE = 16,		/* reads get their place when data arrive */
	PIPED = 32,		/* ... in a pipe */
	LEAVES = 64,		/* ... and out of it again */
	BLOCK = 64,		/* the unit of offsets and lengths */
	N_REQUESTS = 8,
	N_CONTEXTS = 2,
};

static const char *const contexts[N_CONTEXTS] = { "base:allocation",
	"x:dirty" };

#define REPLY "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0"
#define EMPTY "\0\0\0\1\0\0\0\0"
#define CONTEXTS \
	REPLY "\xa\0\0\0\4\0\0\0\x13\0\0\0\1" "base:allocation" \
	REPLY "\xa\0\0\0\4\0\0\0\xb\0\0\0\2" "x:dirty" \
	REPLY "\xa" EMPTY
/* All commands, on 4096 bytes. */
#define OPEN \
	REPLY "\7\0\0\0\3\0\0\0\xc\0\0\0\0\0\0\0\0\x10\0\xd\xed" \
	REPLY "\7" EMPTY
#define TEXT(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static const struct {
	const uint8_t *p;
	size_t n;
} handshakes[] = {
	[0] = TEXT("NBDMAGICIHAVEOPT\0\3" REPLY "\x8" EMPTY CONTEXTS OPEN),
	[EXTENDED] = TEXT("NBDMAGICIHAVEOPT\0\3" REPLY "\xb" EMPTY CONTEXTS
	    OPEN),
	[SIMPLE] = TEXT("NBDMAGICIHAVEOPT\0\3" OPEN),
	[SIMPLE | EXTENDED] = TEXT("NBDMAGICIHAVEOPT\0\3" OPEN),
};

struct fuzz_request {
	struct fuzz_place place;	/* the first: see req.owner */
	struct nbd_request req;
	struct iovec iov[3];
	struct nbd_extents extents[N_CONTEXTS];
	bool is_under_way;
};

static const struct {
	enum nbd_command command;
	uint16_t flags;
	unsigned offset;	/* in blocks */
	unsigned length;
} rows[N_REQUESTS] = {
	{ NBD_CMD_READ, 0, 0, 4 },
	{ NBD_CMD_READ, NBD_CMD_FLAG_DF, 60, 4 },
	{ NBD_CMD_BLOCK_STATUS, 0, 2, 16 },
	{ NBD_CMD_BLOCK_STATUS, NBD_CMD_FLAG_REQ_ONE, 0, 64 },
	{ NBD_CMD_FLUSH, 0, 0, 0 },
	{ NBD_CMD_TRIM, 0, 4, 4 },
	{ NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_FAST_ZERO, 8, 4 },
	{ NBD_CMD_WRITE, NBD_CMD_FLAG_FUA, 12, 4 },
};

static struct nbd_session *
open_session(unsigned kind)
{
	const struct nbd_session_options options = {
		.no_extended = (kind & EXTENDED) == 0,
		.no_structured = (kind & SIMPLE) != 0,
		.contexts = contexts,
		.n_contexts = N_CONTEXTS,
	};
	struct nbd_session *s;

	kind &= EXTENDED | SIMPLE;
	FUZZ_CHECK(nbd_session_new(&options, &s) == 0);
	(void)fuzz_feed(s, handshakes[kind].p, handshakes[kind].n, 0);
	FUZZ_CHECK(nbd_session_phase(s) == NBD_PHASE_READY);
	return s;
}

/* One of a single byte, an empty one, and the rest. */
static void
give_buffers(struct fuzz_request *fr)
{
	struct nbd_request *req = &fr->req;

	fr->iov[0] = (struct iovec){ calloc(1, 1), 1 };
	fr->iov[1] = (struct iovec){ NULL, 0 };
	fr->iov[2] = (struct iovec){ calloc(1, req->length - 1),
		req->length - 1 };
	req->iov = fr->iov;
	req->n_iov = 3;
}

/* What has no business on this connection is refused. */
static void
submit(struct nbd_session *s, struct fuzz_request *fr, size_t i, uint8_t kind)
{
	struct nbd_request *req = &fr->req;
	int r;

	req->command = rows[i].command;
	req->flags = rows[i].flags;
	req->offset = (uint64_t)rows[i].offset * BLOCK;
	req->length = rows[i].length * BLOCK;
	req->owner = fr;
	req->extents = fr->extents;
	fr->place.pipes = (kind & PIPED) != 0;
	fr->place.leaves = (kind & LEAVES) != 0;
	if (req->command == NBD_CMD_READ && (kind & LATE))
		fr->place.buffer = calloc(1, req->length);
	else if (req->command == NBD_CMD_READ || req->command == NBD_CMD_WRITE)
		give_buffers(fr);
	r = nbd_session_submit(s, req);
	fr->is_under_way = r == 0;
	FUZZ_CHECK(r == 0 || r == -ENOTCONN || r == -EOPNOTSUPP);
}

static void
reap(struct nbd_session *s)
{
	struct nbd_request *req;

	while ((req = nbd_session_reap(s)) != NULL) {
		struct fuzz_request *fr = req->owner;

		FUZZ_CHECK(fr->is_under_way);
		fr->is_under_way = false;
		FUZZ_CHECK(req->error <= 0);
		if (req->error == 0 && req->command == NBD_CMD_BLOCK_STATUS)
			FUZZ_CHECK(fr->extents[0].n > 0 &&
			    fr->extents[1].n > 0);
	}
}

static void
forget(struct fuzz_request *fr)
{
	FUZZ_CHECK(!fr->is_under_way);
	free(fr->place.buffer);
	free(fr->iov[0].iov_base);
	free(fr->iov[2].iov_base);
	for (size_t i = 0; i < N_CONTEXTS; i++)
		free(fr->extents[i].v);
}

/* The replies, and what we do in their midst. */
static void
converse(struct nbd_session *s, struct fuzz_request *requests,
    const uint8_t *data, size_t size)
{
	bool later = (data[0] & LATER) != 0;
	size_t half = size / 2 > 2 ? size / 2 : 2;
	size_t i = 0;

	for (; i < (later ? N_REQUESTS / 2 : N_REQUESTS); i++)
		submit(s, &requests[i], i, data[0]);
	half = 2 + fuzz_feed(s, data + 2, half - 2, data[1]);
	reap(s);
	for (; i < N_REQUESTS; i++)
		submit(s, &requests[i], i, data[0]);
	if (data[0] & GOODBYE)
		nbd_session_disconnect(s);
	(void)fuzz_feed(s, data + half, size - half, data[1]);
	reap(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_request requests[N_REQUESTS] = { 0 };
	struct nbd_session *s;

	if (size < 2)
		return 0;
	s = open_session(data[0]);
	converse(s, requests, data, size);
	nbd_session_received_eof(s);
	reap(s);
	FUZZ_CHECK(nbd_session_in_flight(s) == 0);
	nbd_session_free(s);
	for (size_t i = 0; i < N_REQUESTS; i++)
		forget(&requests[i]);
	return 0;
}
