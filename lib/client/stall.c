/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The judgement of stalled connections; see the header.
 */
#include "client/stall.h"

#include <string.h>

enum {
	TICKS_PER_TIMEOUT = 8,
	MIN_TICK_MS = 50,
	MAX_REQUEST_TIMEOUTS = 10,
};

void
stall_init(struct stall *st, uint64_t timeout_ms)
{
	uint64_t max_age_ms = timeout_ms * MAX_REQUEST_TIMEOUTS;

	memset(st, 0, sizeof *st);
	st->timeout_ms = timeout_ms;
	st->tick_ms = timeout_ms / TICKS_PER_TIMEOUT;
	if (st->tick_ms < MIN_TICK_MS)
		st->tick_ms = MIN_TICK_MS;
	/* One more, since a request may come at the very end of its epoch. */
	st->max_age = (uint32_t)(max_age_ms / st->tick_ms) + 1;
}

uint64_t
stall_max_age_ms(const struct stall *st)
{
	return st->timeout_ms * MAX_REQUEST_TIMEOUTS;
}

void
stall_start(struct stall *st, uint64_t now_ms)
{
	st->last_progress_ms = now_ms;
}

uint32_t
stall_submitted(struct stall *st)
{
	st->n_of_epoch[st->epoch % STALL_EPOCHS]++;
	st->n_in_flight++;
	return st->epoch;
}

void
stall_completed(struct stall *st, uint32_t epoch)
{
	st->n_of_epoch[epoch % STALL_EPOCHS]--;
	st->n_in_flight--;
}

enum stall_verdict
stall_tick(struct stall *st, uint64_t now_ms, uint64_t n_moved)
{
	if (n_moved != st->n_moved) {
		st->n_moved = n_moved;
		st->last_progress_ms = now_ms;
	}
	st->epoch++;
	if (st->n_in_flight == 0)
		return STALL_NONE;
	if (now_ms - st->last_progress_ms >= st->timeout_ms)
		return STALL_NO_PROGRESS;
	if (st->n_of_epoch[(st->epoch - st->max_age) % STALL_EPOCHS] > 0)
		return STALL_REQUEST_TOO_OLD;
	return STALL_NONE;
}
