/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pulse of a run that copies, on its own worker: a few times a second it
 * is looked at whether anything is done, how long has been tried again, what
 * is to be saved, and whether it goes faster with more connections or
 * requests, or as fast with less.
 */

#include "transfer/run-private.h"

/* How often the figures are looked at: at first, and later. */
#define EARLY_MS      3000
#define EARLY_TICK_MS 20
#define TUNE_TICK_MS  200

/* Bytes that were moved or looked at, also if in vain. */
static uint64_t
activity(const struct run *run)
{
	uint64_t n = copy_ledger_get(&run->ledger.read_bytes);
	unsigned i;

	for (i = 0; i < run->n_destinations; i++) {
		const struct copy_target_books *b = &run->ledger.targets[i];

		n += copy_ledger_get(&b->written_bytes) +
		    copy_ledger_get(&b->zeroed_bytes) +
		    copy_ledger_get(&b->trimmed_bytes) +
		    copy_ledger_get(&b->untouched_bytes) +
		    copy_ledger_get(&b->equal_bytes) +
		    copy_ledger_get(&b->differing_bytes) +
		    copy_ledger_get(&b->durable_bytes);
	}
	return n;
}

/* Who waits because he is to does not stall. */
static void
note_progress(struct run *run, uint64_t now, enum copy_limit held_by)
{
	uint64_t n = activity(run);

	if (n != run->activity || held_by == COPY_LIMIT_RATE ||
	    atomic_load(&run->progressed_ms) == 0)
		atomic_store(&run->progressed_ms, now);
	run->activity = n;
}

/* Trying again has its time; then what fails is skipped, or fatal, at once. */
static void
limit_retries(struct run *run, uint64_t now)
{
	if (run->max_retry_ms == 0)
		return;
	if (copy_ledger_get(&run->ledger.n_retrying) == 0) {
		run->retrying_at_ms = 0;
		return;
	}
	if (run->retrying_at_ms != 0)
		run->retried_ms += now - run->retrying_at_ms;
	run->retrying_at_ms = now;
	if (run->retried_ms >= run->max_retry_ms)
		atomic_store(&run->ledger.no_more_tries, true);
}

static enum copy_limit
what_holds(struct run *run)
{
	bool is_short = budget_was_short(&run->share);

	if (budget_was_held(&run->share))
		return COPY_LIMIT_RATE;
	return is_short ? COPY_LIMIT_MEMORY : COPY_LIMIT_NONE;
}

static void
pulse_on_tick(void *arg)
{
	struct run *run = arg;
	uint64_t now = run_clock_ms();
	enum copy_limit held_by;
	unsigned n;

	on_worker_entry();
	if (atomic_load(&run->phase) != RUN_COPYING ||
	    copy_ledger_is_stopped(&run->ledger))
		return;
	held_by = what_holds(run);
	note_progress(run, now, held_by);
	limit_retries(run, now);
	checkpoint_tick(run, now);
	n = copy_tuning_look(&run->tuning, now,
	    copy_ledger_done_bytes(&run->ledger), held_by);
	if (!copy_cursor_is_at_end(&run->cursor))
		run_add_lanes(run, n);
	net_timer_start(&run->pulse_timer,
	    now - atomic_load(&run->started_ms) < EARLY_MS ? EARLY_TICK_MS :
							     TUNE_TICK_MS);
}

int
pulse_init(struct run *run)
{
	return net_timer_init(&run->pulse_timer, worker_loop(run->home),
	    pulse_on_tick, run);
}

void
pulse_start(struct run *run)
{
	net_timer_start(&run->pulse_timer, EARLY_TICK_MS);
}
