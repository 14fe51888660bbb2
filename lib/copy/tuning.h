/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_TUNING_H
#define COPY_TUNING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "copy/ledger.h"
#include "copy/plan.h"

/*
 * How many requests, how large, over how many lanes: measured, not
 * configured.
 *
 * Lanes tell how long requests take, and go by the depth and the request size
 * that are set here.  The run looks at the figures now and then.  A request
 * that takes about as long as the fastest ones of its side has not waited for
 * others: the way there and back is what takes the time, and more can be on
 * it.  One that takes several times as long has stood in a queue, and more
 * requests would only make that longer.
 */

/* Requests of one side that have ended since the last look.  Any thread. */
struct copy_meter {
	_Atomic uint64_t n;
	_Atomic uint64_t sum_us;	/* of the time they took */
	_Atomic uint64_t min_us;	/* UINT64_MAX: none has ended */
};

struct copy_side_figures {
	uint64_t base_us;	/* the fastest of late; 0: not known */
	uint64_t next_base_us;	/* and since base_until / 2 */
	uint64_t average_us;	/* of the last look that saw some, */
	uint64_t n;		/* and how many */
};

/* A raise that is kept only if it goes faster, and the rate before it. */
struct copy_trial {
	bool is_needed;		/* for raises from now on */
	bool is_on;
	uint64_t begins_ms;
	uint64_t from_bytes;
	uint64_t n;		/* ends of requests since then; 0: not begun */
	uint64_t rate_before;	/* bytes/s, of the trial before */
	unsigned raised;	/* what was, and of what kind the next is */
	unsigned first;
	uint32_t old_size;
	unsigned old_depth;
	bool lanes_are_enough;	/* more were for nothing */
};

enum copy_limit {
	COPY_LIMIT_NONE,
	COPY_LIMIT_WINDOW,		/* all that may be in flight is */
	COPY_LIMIT_SOURCE,		/* requests queue there */
	COPY_LIMIT_DESTINATION,
	COPY_LIMIT_RATE,		/* no more is allowed */
	COPY_LIMIT_MEMORY,		/* there is no room for more */
	COPY_LIMIT_NETWORK,		/* data are half across most of the
					   time */
	COPY_LIMIT_TLS,			/* workers do little else */
	COPY_LIMITS,
};

/* "none", "window", "source-latency", ... */
const char *copy_limit_name(enum copy_limit limit);

struct copy_tuning {
	/* Any thread. */
	_Atomic unsigned depth;		/* slots of a lane in use at most */
	_Atomic uint32_t request_size;
	_Atomic unsigned lanes;		/* set by the run's */
	struct copy_meter meters[2];	/* by enum copy_side */
	/* Microseconds since the last look that saw anything, of all lanes. */
	_Atomic uint64_t network_us[1 + COPY_MAX_TARGETS];
	_Atomic uint64_t tls_us;
	_Atomic int limit;		/* enum copy_limit */

	/* The run's thread. */
	const struct copy_plan *plan;
	unsigned n_workers;		/* that lanes share; set by the run's */
	struct copy_side_figures sides[2];
	uint64_t base_turn_ms;		/* when bases are forgotten next */
	unsigned level;			/* raises that are in force */
	uint64_t looked_ms;
	uint64_t looked_bytes;
	uint64_t rate;			/* bytes/s since the look before */
	uint64_t rate_before;		/* and when the level was raised */
	uint64_t hold_until_ms;		/* no raise before */
	uint64_t hold_ms;		/* how long the next one is */
	uint64_t settled_ms;		/* nothing is lowered before */
	struct copy_trial trial;
};

/* What the plan begins with.  plan outlives t. */
void copy_tuning_init(struct copy_tuning *t, const struct copy_plan *plan,
    uint64_t now_ms);

/* A request of this side has ended well, after so many microseconds. */
void copy_tuning_note(struct copy_tuning *t, enum copy_side side,
    uint64_t took_us);

/*
 * So long a connection of a lane (0: to the source, n: to destination n - 1)
 * has waited in the middle of data, and so long TLS took there.
 */
void copy_tuning_note_load(struct copy_tuning *t, unsigned disk,
    uint64_t network_us, uint64_t tls_us);

/*
 * The run's thread: look at the figures, and change what follows from them.
 * done_bytes: acknowledged so far.  held_by: what is known to hold the lanes,
 * COPY_LIMIT_NONE if nothing is: more requests would not help then, and what
 * is measured says little.  Returns how many lanes there should be.
 */
unsigned copy_tuning_look(struct copy_tuning *t, uint64_t now_ms,
    uint64_t done_bytes, enum copy_limit held_by);

#endif
