/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbd/session.h"

/*
 * A scripted server: a test says what it sends, byte for byte, and looks at
 * what the session sends.  How the stream is cut must never matter, so each
 * test runs once for every way of cutting it:
 *
 *	tcase_add_loop_test(tc, test, 0, SCRIPT_N_CUTS);
 *	... script_open(&script, &options, _i);
 *
 * What is said is gathered until script_tell().
 */

#define SCRIPT_N_CUTS 3	/* single bytes, a few at a time, all at once */
#define SCRIPT_ROOM   (2U * 1024 * 1024)

struct script {
	struct nbd_session *s;
	size_t cut;		/* bytes in one receive or send */
	uint8_t *said;		/* by the server, not yet told */
	size_t n_said;
	uint8_t *heard;		/* from the client, since script_forget() */
	size_t n_heard;
	bool extended;		/* headers were agreed on */
};

void script_open(struct script *script,
    const struct nbd_session_options *options, int cut);
void script_close(struct script *script);

/* What the server says. */
void say_bytes(struct script *script, const void *p, size_t n);
void say_text(struct script *script, const char *text);
void say_zeroes(struct script *script, size_t n);
void say8(struct script *script, uint8_t v);
void say16(struct script *script, uint16_t v);
void say32(struct script *script, uint32_t v);
void say64(struct script *script, uint64_t v);
void say_greeting(struct script *script, uint16_t flags);
/* The header of an option reply; the data are for the caller to say. */
void say_option(struct script *script, uint32_t option, uint32_t type,
    uint32_t length);
void say_ack(struct script *script, uint32_t option);
void say_refusal(struct script *script, uint32_t option, uint32_t error,
    const char *message);
void say_info_export(struct script *script, uint64_t size, uint16_t flags);
void say_info_block_size(struct script *script, uint32_t minimum,
    uint32_t preferred, uint32_t maximum);
void say_context(struct script *script, uint32_t id, const char *name);
void say_simple(struct script *script, const struct nbd_request *req,
    uint32_t error);
/* The header of a chunk. */
void say_chunk(struct script *script, const struct nbd_request *req,
    uint16_t flags, uint16_t type, uint32_t length);
/* Whole chunks. */
void say_data(struct script *script, const struct nbd_request *req,
    uint16_t flags, uint64_t offset, const void *p, uint32_t n);
void say_hole(struct script *script, const struct nbd_request *req,
    uint16_t flags, uint64_t offset, uint32_t n);
void say_error(struct script *script, const struct nbd_request *req,
    uint16_t flags, uint32_t error, const char *message);
void say_done(struct script *script, const struct nbd_request *req);
/* Give the session what was said, until it takes no more. */
void script_tell(struct script *script);

/* Take all that the session wants to send. */
void script_listen(struct script *script);
void script_forget(struct script *script);
/* Is this what was heard?  Then forget it. */
void hear_bytes(struct script *script, const void *p, size_t n);
void hear_nothing(struct script *script);
void hear_flags(struct script *script, uint32_t flags);
/* One option; returns its data, *ret_len bytes; valid until the next call. */
const uint8_t *hear_option(struct script *script, uint32_t option,
    size_t *ret_len);
void hear_empty_option(struct script *script, uint32_t option);
void hear_request(struct script *script, const struct nbd_request *req);

/* What is common to many tests. */
#define FIXED	  (NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES)
#define DISK_SIZE (1024U * 1024)
#define HUGE_SIZE (1ULL << 40)

struct disk_kind {
	uint16_t flags;
	bool structured;
	bool extended;		/* headers, and structured replies */
	uint32_t minimum;	/* 0: no block sizes told */
	uint32_t maximum;
	size_t n_contexts;	/* of "base:allocation", "x:dirty" */
};

/*
 * Through the handshake, to an export of DISK_SIZE bytes, of HUGE_SIZE with
 * extended headers.
 */
void script_open_disk(struct script *script, const struct disk_kind *kind,
    int cut);
/* Submit, and let it be sent. */
void script_submit(struct script *script, struct nbd_request *req);
void expect_done(struct script *script, struct nbd_request *req, int error);
void expect_none_done(struct script *script);
void expect_phase(struct script *script, enum nbd_phase phase);
/* The session has failed so, and what it says has this text in it. */
void expect_failure(struct script *script, enum nbd_failure why,
    const char *text);

#endif
