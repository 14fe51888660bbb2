/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_LEDGER_H
#define COPY_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The books of a run: what the destination has acknowledged, what a flush
 * has covered, what failed, and whether the whole may be called a success.
 *
 * The counters and the stop flag are atomics that lanes on any thread use;
 * they are read for progress at any time.  Failures and the verdict belong
 * to one thread, the run's.
 */

enum copy_side {
	COPY_SOURCE,
	COPY_DESTINATION,
};

enum copy_op {
	COPY_STATUS,		/* ask the source for extents */
	COPY_READ,		/* from the source */
	COPY_WRITE,		/* to the destination */
	COPY_ZERO,		/* write-zeroes to the destination */
	COPY_FLUSH,		/* the destination */
};

/* "read", "write", "write-zeroes", "flush", "block status". */
const char *copy_op_name(enum copy_op op);
enum copy_side copy_op_side(enum copy_op op);

#define COPY_MESSAGE_SIZE 320

struct copy_failure {
	int error;		/* negative errno; 0: nothing failed */
	bool is_request;	/* op, offset and length say which */
	bool is_lost;		/* the connection failed: message says how;
				   else error is the server's answer, and
				   message its words */
	enum copy_side side;
	enum copy_op op;
	uint64_t offset;	/* bytes, on that side */
	uint64_t length;
	char message[COPY_MESSAGE_SIZE];	/* may be "" */
};

struct copy_ledger {
	_Atomic uint64_t read_bytes;
	_Atomic uint64_t written_bytes;
	_Atomic uint64_t zeroed_bytes;
	_Atomic uint64_t durable_bytes;
	_Atomic uint64_t total_bytes;
	atomic_bool stop;		/* lanes start nothing new */
	atomic_bool status_failed;	/* a block status request failed */

	struct copy_failure first_failure;
	uint64_t n_failures;
	bool is_planned;		/* total_bytes is known */
	bool is_flushed;
};

void copy_ledger_init(struct copy_ledger *l);

/* The run's thread: so many bytes are to be copied. */
void copy_ledger_plan(struct copy_ledger *l, uint64_t total_bytes);

/* Any thread. */
static inline void
copy_ledger_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline uint64_t
copy_ledger_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void copy_ledger_stop(struct copy_ledger *l);
bool copy_ledger_is_stopped(const struct copy_ledger *l);

/* Written or zeroed, and acknowledged. */
uint64_t copy_ledger_done_bytes(const struct copy_ledger *l);

/*
 * The run's thread: n requests failed, the first of them (or what else
 * happened) is failure.  Nothing new is started from here on.
 */
void copy_ledger_fail(struct copy_ledger *l, const struct copy_failure *failure,
    uint64_t n);

/*
 * The run's thread: a flush that was sent after every lane had the replies
 * to all its writes has succeeded.
 */
void copy_ledger_flushed(struct copy_ledger *l);

/*
 * Was there a plan, and did everything in it reach the destination, and (where
 * it can flush) stay?
 * This, and nothing else, makes a run a success.
 */
bool copy_ledger_is_success(const struct copy_ledger *l, bool need_flush);

#endif
