/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_STALL_H
#define CLIENT_STALL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Has a connection stalled?  Judged at a coarse tick, so that no request
 * needs a timer or a timestamp of its own.  Reads no clock.
 *
 * Stalled means: requests are in flight, and no byte has moved either way
 * for timeout_ms; or one request is older than request_timeout_ms, whatever
 * else moves.
 *
 * The time of a request is the number of the epoch it was submitted in, which
 * lasts for some ticks.  How many are in flight from each epoch is counted in
 * a ring.
 */

#define STALL_EPOCHS 128

enum stall_verdict {
	STALL_NONE,
	STALL_NO_PROGRESS,
	STALL_REQUEST_TOO_OLD,
};

struct stall {
	uint64_t timeout_ms;
	uint64_t request_timeout_ms;
	uint64_t tick_ms;		/* call stall_tick() that often while
					   requests are in flight */
	uint64_t epoch_ticks;
	uint64_t n_ticks;		/* of the epoch that is now */
	uint64_t last_progress_ms;
	uint64_t n_moved;
	uint32_t epoch;
	uint32_t max_age;		/* in epochs, less than STALL_EPOCHS */
	uint32_t n_in_flight;
	uint32_t n_of_epoch[STALL_EPOCHS];
};

/*
 * How long nothing may move while requests are in flight, and how long any one
 * of them may take.
 */
void stall_init(struct stall *st, uint64_t timeout_ms,
    uint64_t request_timeout_ms);

/* The first request after none: the clock starts. */
void stall_start(struct stall *st, uint64_t now_ms);

/* A request was submitted; returns its epoch, to be given back at its end. */
uint32_t stall_submitted(struct stall *st);
void stall_completed(struct stall *st, uint32_t epoch);

/* n_moved: all bytes that have moved so far. */
enum stall_verdict stall_tick(struct stall *st, uint64_t now_ms,
    uint64_t n_moved);

/* A verdict other than STALL_NONE, as -ETIMEDOUT with a sentence. */
void stall_describe(const struct stall *st, enum stall_verdict verdict,
    size_t n_in_flight, struct error *ret_why);

#endif
