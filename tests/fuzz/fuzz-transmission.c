/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies, to requests of all commands that are in flight together: each
 * comes back exactly once.  The first byte says how the replies are cut.
 */
#include "fuzz.h"

const char fuzz_target[] = "transmission";

enum {
	BLOCK = 64,		/* the unit of offsets and lengths */
	N_REQUESTS = 8,
	N_CONTEXTS = 2,
};

static const char *const contexts[N_CONTEXTS] = { "base:allocation",
	"x:dirty" };

/* With structured replies, both contexts, and all commands, on 4096 bytes. */
static const uint8_t handshake[] =
    "NBDMAGICIHAVEOPT\0\3"
    "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\x8\0\0\0\1\0\0\0\0"
    "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\xa\0\0\0\4\0\0\0\x13"
    "\0\0\0\1base:allocation"
    "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\xa\0\0\0\4\0\0\0\xb"
    "\0\0\0\2x:dirty"
    "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\xa\0\0\0\1\0\0\0\0"
    "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\7\0\0\0\3\0\0\0\xc"
    "\0\0\0\0\0\0\0\0\x10\0\xd\xed"
    "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\7\0\0\0\1\0\0\0\0";

struct fuzz_request {
	struct nbd_request req;
	struct iovec iov[3];
	struct nbd_extents extents[N_CONTEXTS];
	unsigned n_reaped;
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

static void
submit(struct nbd_session *s, struct fuzz_request *fr, size_t i)
{
	struct nbd_request *req = &fr->req;

	req->command = rows[i].command;
	req->flags = rows[i].flags;
	req->offset = (uint64_t)rows[i].offset * BLOCK;
	req->length = rows[i].length * BLOCK;
	req->owner = fr;
	req->extents = fr->extents;
	req->iov = fr->iov;
	if (req->command == NBD_CMD_READ || req->command == NBD_CMD_WRITE) {
		/* One of a single byte, an empty one, and the rest. */
		req->n_iov = 3;
		fr->iov[0] = (struct iovec){ calloc(1, 1), 1 };
		fr->iov[1] = (struct iovec){ NULL, 0 };
		fr->iov[2] = (struct iovec){ calloc(1, req->length - 1),
			req->length - 1 };
	}
	FUZZ_CHECK(nbd_session_submit(s, req) == 0);
}

static void
reap(struct nbd_session *s)
{
	struct nbd_request *req;

	while ((req = nbd_session_reap(s)) != NULL) {
		struct fuzz_request *fr = req->owner;

		fr->n_reaped++;
		FUZZ_CHECK(req->error <= 0);
		if (req->error == 0 && req->command == NBD_CMD_BLOCK_STATUS)
			FUZZ_CHECK(fr->extents[0].n > 0 &&
			    fr->extents[1].n > 0);
	}
}

static void
forget(struct fuzz_request *fr)
{
	FUZZ_CHECK(fr->n_reaped == 1);
	free(fr->iov[0].iov_base);
	free(fr->iov[2].iov_base);
	for (size_t i = 0; i < N_CONTEXTS; i++)
		free(fr->extents[i].v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nbd_session_options options = {
		.no_extended = true,
		.contexts = contexts,
		.n_contexts = N_CONTEXTS,
	};
	struct fuzz_request requests[N_REQUESTS] = { 0 };
	struct nbd_session *s;

	if (size < 1)
		return 0;
	FUZZ_CHECK(nbd_session_new(&options, &s) == 0);
	fuzz_feed(s, handshake, sizeof handshake - 1, 0);
	FUZZ_CHECK(nbd_session_phase(s) == NBD_PHASE_READY);
	for (size_t i = 0; i < N_REQUESTS; i++)
		submit(s, &requests[i], i);
	fuzz_feed(s, data + 1, size - 1, data[0]);
	reap(s);
	nbd_session_received_eof(s);
	reap(s);
	FUZZ_CHECK(nbd_session_in_flight(s) == 0);
	nbd_session_free(s);
	for (size_t i = 0; i < N_REQUESTS; i++)
		forget(&requests[i]);
	return 0;
}
