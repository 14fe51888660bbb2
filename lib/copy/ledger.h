/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_LEDGER_H
#define COPY_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The books of a run: what each destination has acknowledged, what a flush
 * has covered, what failed, and whether it may be called a success.
 *
 * The counters and flags are atomics that lanes on any thread use; they are
 * read for progress at any time.  Failures and verdicts belong to one thread,
 * the run's.
 */

enum copy_side {
	COPY_SOURCE,
	COPY_DESTINATION,
};

/* Destinations of a run are numbered, from 0. */
#define COPY_MAX_TARGETS 8

enum copy_op {
	COPY_STATUS,		/* ask for extents */
	COPY_READ,
	COPY_WRITE,		/* to a destination, and so is what follows */
	COPY_ZERO,		/* write-zeroes */
	COPY_FAST_ZERO,		/* the same, at once or not at all */
	COPY_TRIM,
	COPY_FLUSH,
};

/*
 * "read", "write", "write-zeroes", "fast write-zeroes", "trim", "flush",
 * "block status".
 */
const char *copy_op_name(enum copy_op op);

#define COPY_MESSAGE_SIZE 320

struct copy_failure {
	int error;		/* negative errno; 0: nothing failed */
	bool is_request;	/* op, offset and length say which */
	bool is_told;		/* message says why; else error is the
				   server's answer, and message its words */
	bool is_lost;		/* the connection is, for good */
	enum copy_side side;
	unsigned target;	/* of COPY_DESTINATION */
	enum copy_op op;
	uint64_t offset;	/* bytes, on that side */
	uint64_t length;
	char message[COPY_MESSAGE_SIZE];	/* may be "" */
};

/* What it has refused of one operation. */
struct copy_refusal {
	atomic_bool is_total;
	_Atomic uint32_t limit;		/* the longest that was not; 0: none
					   was refused */
};

/* What of a disk was given up: it may be too much. */
struct copy_account {
	_Atomic uint64_t bytes;
	_Atomic uint64_t ranges;
};

/* What is known of one destination. */
struct copy_target_books {
	_Atomic uint64_t total_bytes;	/* that it is to get */
	_Atomic uint64_t done_bytes;	/* needs no more attention than a
					   flush; falls when a connection is
					   lost before that */
	_Atomic uint64_t written_bytes;	/* these grow, also by what is done
					   again */
	_Atomic uint64_t zeroed_bytes;
	_Atomic uint64_t trimmed_bytes;		/* holes */
	_Atomic uint64_t untouched_bytes;	/* holes that cannot be */
	_Atomic uint64_t equal_bytes;	/* compared: nothing to write */
	_Atomic uint64_t differing_bytes;	/* compared, and left so */
	_Atomic uint64_t resumed_bytes;	/* done by an earlier run */
	_Atomic uint64_t failed_bytes;	/* given up, and listed */
	struct copy_account skipped;	/* because of itself */
	_Atomic uint64_t behind_bytes;	/* to be caught up with */
	_Atomic uint64_t durable_bytes;	/* covered by a flush */
	_Atomic uint64_t n_flushes;	/* that have covered something */
	atomic_bool is_failed;		/* nothing new goes there */
	atomic_bool has_no_fast_zero;	/* refused, where it is not fast */
	atomic_bool lacks_fast_zero;	/* not offered, where it was wanted */
	atomic_bool status_failed;	/* it failed to tell extents */
	struct copy_refusal zero;	/* of write-zeroes */
	struct copy_refusal trim;

	/* The run's thread. */
	struct copy_failure first_failure;
	uint64_t n_failures;
};

struct copy_digests;

struct copy_ledger {
	_Atomic uint64_t read_bytes;	/* from the source */
	_Atomic uint64_t total_bytes;	/* of the destination that gets most */
	atomic_bool stop;		/* lanes start nothing new */
	_Atomic uint64_t n_reconnects;	/* connections that came back */
	_Atomic uint64_t n_retries;	/* times that failed ranges were tried
					   again */
	_Atomic uint64_t n_retrying;	/* disks, of each lane, of which some
					   are */
	_Atomic int retrying_for;	/* the error that came last of those */
	_Atomic unsigned retrying_disk;	/* and whose: 0 the source's, n that of
					   destination n - 1 */
	struct copy_account skipped;	/* of the source */
	atomic_bool no_more_tries;	/* what fails now is skipped, or fails
					   the run, at once */
	_Atomic unsigned n_away;	/* that are lost now, and may */
	atomic_bool status_failed;	/* the source failed to tell extents */
	_Atomic uint32_t size_limit;	/* the largest read or write that was
					   not refused; 0: none was */
	struct copy_target_books targets[COPY_MAX_TARGETS];
	unsigned n_targets;
	struct copy_digests *digests;	/* where the plan wants some */

	/* The run's thread: what concerns all destinations. */
	struct copy_failure first_failure;
	uint64_t n_failures;
	bool is_planned;		/* the totals are known */
};

void copy_ledger_init(struct copy_ledger *l, unsigned n_targets);

/* The run's thread: so many bytes are to be copied to each destination. */
void copy_ledger_plan(struct copy_ledger *l, uint64_t total_bytes);
/* Then: but this one gets so many, which is not more. */
void copy_ledger_plan_target(struct copy_ledger *l, unsigned target,
    uint64_t total_bytes);

/* The run's thread: so many of them an earlier run has done, for good. */
void copy_ledger_resume(struct copy_ledger *l, unsigned target,
    uint64_t bytes);

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

/* Any thread: the run is not going on; nothing new is sent. */
void copy_ledger_stop(struct copy_ledger *l);
bool copy_ledger_is_stopped(const struct copy_ledger *l);

/* Any thread: may something new go to this destination? */
bool copy_ledger_is_live(const struct copy_ledger *l, unsigned target);
/* Any thread: no destination is left. */
bool copy_ledger_all_failed(const struct copy_ledger *l);

/* done_bytes of this destination. */
uint64_t copy_ledger_target_done(const struct copy_ledger *l, unsigned target);

/* And how much is missing, and has not been given up. */
uint64_t copy_ledger_target_left(const struct copy_ledger *l, unsigned target);

/*
 * total_bytes less what is missing at the destination that is least far, of
 * those that have not failed; of all, if all have.
 */
uint64_t copy_ledger_done_bytes(const struct copy_ledger *l);

/*
 * The run's thread: n requests failed, the first of them (or what else
 * happened) is failure.  The source's failures stop everything; those of a
 * destination, what goes there.
 */
void copy_ledger_fail(struct copy_ledger *l, const struct copy_failure *failure,
    uint64_t n);

/*
 * Was there a plan, and is all of it done on this destination, and durable
 * (where it can flush), but for what was skipped?
 */
bool copy_ledger_is_complete(const struct copy_ledger *l, unsigned target,
    bool need_flush);

/*
 * Was there a plan, and did everything in it reach this destination, and
 * (where it can flush) was covered by a flush?  This, and nothing else, makes
 * a success.
 */
bool copy_ledger_is_success(const struct copy_ledger *l, unsigned target,
    bool need_flush);

#endif
