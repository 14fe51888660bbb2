/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAULT_NBD_STREAM_H
#define FAULT_NBD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Follows both directions of an NBD connection and says which step of the
 * protocol comes next, and how long it is.
 */

enum nbd_side { FROM_CLIENT, FROM_SERVER, N_SIDES };

enum nbd_step {
	STEP_GREETING,		/* from the server */
	STEP_FLAGS,
	STEP_OPTION,		/* its header */
	STEP_GO,		/* the header of that option, or EXPORT_NAME */
	STEP_OPTION_DATA,
	STEP_OPTION_REPLY,	/* its header */
	STEP_GO_REPLY,		/* the header of the one that ends it */
	STEP_OPTION_REPLY_DATA,
	STEP_REQUEST,		/* a header */
	STEP_PAYLOAD,		/* of a write */
	STEP_REPLY,		/* a header, also of a chunk */
	STEP_CHUNK,		/* of a reply: all but what was read */
	STEP_DATA,		/* that was read */
	STEP_OPAQUE,		/* after TLS has begun, or nonsense */
	N_STEPS,
};

extern const char *const nbd_step_names[N_STEPS];

/* One direction. */
struct nbd_direction {
	enum nbd_step next;
	uint64_t length;	/* of the next, unless it is a header */
	uint64_t rest;		/* of the data after the next */
};

struct nbd_read {
	struct nbd_read *next;
	uint64_t cookie;
	uint64_t length;
};

struct nbd_stream {
	struct nbd_direction from[N_SIDES];
	uint32_t option;	/* the last that the client has sent */
	bool is_go_done;
	bool has_extended;
	bool has_no_zeroes;
	struct nbd_read *reads;	/* in flight */
};

void nbd_stream_init(struct nbd_stream *s);
void nbd_stream_done(struct nbd_stream *s);

/*
 * The length of the step that these bytes begin, or 0 if there are too few
 * to say.  The next call is about the one after it.
 */
uint64_t nbd_stream_next(struct nbd_stream *s, enum nbd_side side,
    const uint8_t *data, size_t len, enum nbd_step *ret_step);

#endif
