/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_BUDGET_H
#define TRANSFER_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "copy/pace.h"

/*
 * What all runs of a process have in common: how fast they may go, and how
 * much memory they may use for what is on its way.
 *
 * Any thread.  Its lock, which is held for a few additions, is taken only
 * while there is a rate, and only by the calls of this file; memory is counted
 * without.
 */

struct budget;

/* -ENOMEM. */
int budget_new(struct budget **ret_budget);
/* No run may have a share of it any more. */
void budget_free(struct budget *b);

/* Of all runs together, in bytes/s; 0: no limit. */
void budget_set_rate(struct budget *b, uint64_t rate);

/* Likewise, in bytes of memory. */
void budget_set_memory(struct budget *b, uint64_t bytes);
uint64_t budget_memory_max(const struct budget *b);
/* What is taken of it now, and the most that was at a time. */
uint64_t budget_memory_used(const struct budget *b);
uint64_t budget_memory_peak(const struct budget *b);

/* A run's part; embedded. */
struct budget_share {
	struct budget *budget;
	struct copy_pace pace;		/* under the budget's lock */
	_Atomic uint64_t rate;		/* of the run; 0: no limit */
	atomic_bool was_held;
	_Atomic unsigned n_held;	/* lanes that wait */
	_Atomic uint64_t memory;	/* bytes that it has taken */
	_Atomic uint64_t memory_peak;
	atomic_bool was_short;		/* it was refused some */
	bool is_waiting;		/* the run's worker's */
};

void budget_join(struct budget *b, struct budget_share *s, uint64_t rate);
void budget_leave(struct budget_share *s);
void budget_share_set_rate(struct budget_share *s, uint64_t rate);

/*
 * May a lane go on?  0: yes, with pieces of *ret_size at most; else it is to
 * ask again after so many microseconds.
 */
uint64_t budget_wait_us(struct budget_share *s, uint32_t *ret_size);
void budget_pass(struct budget_share *s, uint64_t bytes);

/* A lane begins to wait, and waits no longer. */
void budget_hold(struct budget_share *s);
void budget_release(struct budget_share *s);

/* Has a lane waited since the last call? */
bool budget_was_held(struct budget_share *s);

/* Take so many bytes; false: there are not so many left. */
bool budget_take(struct budget_share *s, uint64_t bytes);
/*
 * The same for what a run cannot begin without: until it has got it, nobody
 * else gets any, and what can be done without is wanted back.
 */
bool budget_take_first(struct budget_share *s, uint64_t bytes);
/* It is not going to ask again. */
void budget_stop_waiting(struct budget_share *s);
bool budget_is_wanted(const struct budget_share *s);

/* Also where there are not: for what must not wait. */
void budget_force(struct budget_share *s, uint64_t bytes);
void budget_give_back(struct budget_share *s, uint64_t bytes);
/* Was it refused some since the last call? */
bool budget_was_short(struct budget_share *s);

#endif
