/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The judgement of stalled connections; see the header.
 */
#include "client/stall.h"

#include <errno.h>
#include <string.h>

#include "base/units.h"

enum {
	TICKS_PER_TIMEOUT = 8,
	MIN_TICK_MS = 50,
	MAX_AGE = 100,			/* in epochs */
};

static uint64_t
max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
divide_up(uint64_t n, uint64_t by)
{
	return (n + by - 1) / by;
}

void
stall_init(struct stall *st, uint64_t timeout_ms, uint64_t request_timeout_ms)
{
	uint64_t n_ticks;
	uint64_t shorter = timeout_ms < request_timeout_ms ? timeout_ms :
	    request_timeout_ms;

	memset(st, 0, sizeof *st);
	st->timeout_ms = timeout_ms;
	st->request_timeout_ms = request_timeout_ms;
	st->tick_ms = max(shorter / TICKS_PER_TIMEOUT, MIN_TICK_MS);
	n_ticks = divide_up(request_timeout_ms, st->tick_ms);
	st->epoch_ticks = max(divide_up(n_ticks, MAX_AGE), 1);
	/* One more, since a request may come at the very end of its epoch. */
	st->max_age = (uint32_t)divide_up(n_ticks, st->epoch_ticks) + 1;
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
	if (++st->n_ticks >= st->epoch_ticks) {
		st->epoch++;
		st->n_ticks = 0;
	}
	if (st->n_in_flight == 0)
		return STALL_NONE;
	if (now_ms - st->last_progress_ms >= st->timeout_ms)
		return STALL_NO_PROGRESS;
	if (st->n_of_epoch[(st->epoch - st->max_age) % STALL_EPOCHS] > 0)
		return STALL_REQUEST_TOO_OLD;
	return STALL_NONE;
}

void
stall_describe(const struct stall *st, enum stall_verdict verdict,
    size_t n_in_flight, struct error *ret_why)
{
	char time[UNITS_TEXT_SIZE], requests[UNITS_TEXT_SIZE];

	if (verdict == STALL_NO_PROGRESS)
		(void)error_set(ret_why, -ETIMEDOUT,
		    "no answer for %s with %s in flight",
		    units_format_time_ms(st->timeout_ms, time),
		    units_format_count(n_in_flight, "request", requests));
	else
		(void)error_set(ret_why, -ETIMEDOUT,
		    "a request was not answered for %s",
		    units_format_time_ms(st->request_timeout_ms, time));
}
