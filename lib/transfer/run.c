/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A run as its owner sees it: made, started, asked, cancelled, freed.  What
 * happens in between is in drive.c, on a worker of the pool.
 */

#include "transfer/run.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "transfer/run-private.h"

/* Without any progress, it is called so. */
#define STALLED_MS	10000
#define RECONNECTING_MS	1000

static const enum copy_mode engine_modes[] = {
	[RUN_COPY] = COPY_MODE_COPY,
	[RUN_SYNC] = COPY_MODE_SYNC,
	[RUN_VERIFY] = COPY_MODE_VERIFY,
};

static const enum copy_on_error engine_policies[] = {
	[RUN_STOP] = COPY_STOP,
	[RUN_RETRY] = COPY_RETRY,
	[RUN_SKIP] = COPY_SKIP,
};

static int64_t
clock_ms(clockid_t which)
{
	struct timespec ts;

	(void)clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t
run_clock_ms(void)
{
	return (uint64_t)clock_ms(CLOCK_MONOTONIC);
}

int64_t
run_wall_clock_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

static bool
is_sparse_size(uint32_t size)
{
	if (size == 0 || size == RUN_SPARSE_OFF)
		return true;
	return size >= RUN_MIN_SPARSE_SIZE && size <= RUN_MAX_REQUEST_SIZE &&
	    (size & (size - 1)) == 0;
}

/* A hole that was trimmed reads as anything. */
static int
check_trim(const struct run_spec *spec, struct error *e)
{
	if (!spec->trim)
		return 0;
	/* Who compares leaves them out, and so does what is written then. */
	if (spec->mode != RUN_COPY && spec->mode != RUN_VERIFY &&
	    !spec->repair)
		return error_set(e, -EINVAL,
		    "holes are trimmed by a plain copy only: others look at "
		    "what the destination holds there");
	if (spec->digest != DIGEST_NONE || spec->block_digests ||
	    spec->verify_after)
		return error_set(e, -EINVAL,
		    "holes are not trimmed where a digest is taken, or where "
		    "all is read back: what they hold would count");
	if (spec->allocated)
		return error_set(e, -EINVAL,
		    "holes are not trimmed where all of the destination is to "
		    "be allocated");
	return 0;
}

static int
check_spec(const struct run_spec *spec, struct error *e)
{
	if (spec->n_destinations == 0 ||
	    spec->n_destinations > RUN_MAX_DESTINATIONS)
		return error_set(e, -EINVAL,
		    "1 to %d destinations are possible, not %u",
		    RUN_MAX_DESTINATIONS, spec->n_destinations);
	if (spec->connections > RUN_MAX_CONNECTIONS)
		return error_set(e, -EINVAL,
		    "at most %d connections are possible, not %u",
		    RUN_MAX_CONNECTIONS, spec->connections);
	if (spec->queue_depth > RUN_MAX_QUEUE_DEPTH)
		return error_set(e, -EINVAL,
		    "at most %d requests can be in flight on a connection, "
		    "not %u",
		    RUN_MAX_QUEUE_DEPTH, spec->queue_depth);
	if (!is_sparse_size(spec->sparse_size))
		return error_set(e, -EINVAL,
		    "zeroes can be looked for in powers of two from 512 bytes "
		    "to 32 MiB, not in %u bytes",
		    spec->sparse_size);
	if (spec->zero_rest && spec->n_ranges > 0)
		return error_set(e, -EINVAL,
		    "what lies outside of ranges is never written, so the "
		    "rest of the destination cannot be zeroed");
	if (spec->sample_ppm > 1000000 || (spec->sample_ppm > 0 &&
	    (spec->mode != RUN_VERIFY || spec->zero_rest)))
		return error_set(e, -EINVAL, "a sample can be compared, and "
		    "nothing else");
	if (spec->request_size > RUN_MAX_REQUEST_SIZE ||
	    spec->request_size % 512 != 0)
		return error_set(e, -EINVAL,
		    "the request size is to be a multiple of 512 and at most "
		    "32 MiB, not %u bytes",
		    spec->request_size);
	return check_trim(spec, e);
}

/* To compare with what may not be on the disk tells nothing. */
static enum run_mode
mode_of(const struct run_spec *spec)
{
	return spec->mode == RUN_SYNC && spec->distrusted != 0 ? RUN_COPY :
								 spec->mode;
}

static void
take_policy(struct run *run, const struct run_spec *spec)
{
	struct copy_wish *w = &run->wish;

	w->may_be_empty = spec->may_be_empty;
	w->on_error[COPY_SOURCE] = engine_policies[spec->on_read_error];
	w->on_error[COPY_DESTINATION] = engine_policies[spec->on_write_error];
	w->retries = spec->retries;
	w->waits_for_space = spec->wait_for_space;
	w->max_bad_bytes = spec->max_bad_bytes != 0 ? spec->max_bad_bytes :
						      UINT64_MAX;
	w->max_bad_ranges = spec->max_bad_ranges != 0 ? spec->max_bad_ranges :
							RUN_MAX_BAD_RANGES;
	run->max_retry_ms = spec->max_retry_ms;
	w->keeps = spec->store != NULL && spec->mode != RUN_VERIFY;
}

static void
take_keeper(struct run *run, const struct run_spec *spec)
{
	struct keeper *k = &run->keeper;

	keeper_init(k);
	marks_init(&run->marks);
	run->mode = mode_of(spec);
	run->distrusted = spec->distrusted;
	k->interval_ms = spec->checkpoint_ms != 0 ? spec->checkpoint_ms :
						    RUN_CHECKPOINT_MS;
	/* Who writes nothing leaves nothing behind. */
	if (spec->store == NULL || spec->mode == RUN_VERIFY)
		return;
	run->is_to_be_filled = spec->fill != RUN_FILL_LEAVE;
	k->store = spec->store;
	run->store_ms = spec->store_ms != 0 ? spec->store_ms : RUN_STORE_MS;
	k->max_age_ms = spec->resume_max_age_ms;
	atomic_store(&k->resume_after_ms, spec->resume_after_ms);
	k->is_full = spec->full;
	k->full_because = spec->full_because != NULL ? spec->full_because :
						       "asked for";
	(void)snprintf(k->job, sizeof k->job, "%s", spec->store_job);
}

static int
copy_spec(struct run *run, const struct run_spec *spec)
{
	size_t i;

	run->source_spec = endpoint_spec_copy(spec->source);
	run->ranges = calloc(spec->n_ranges + 1, sizeof *run->ranges);
	if (run->source_spec == NULL || run->ranges == NULL)
		return -ENOMEM;
	for (i = 0; i < spec->n_destinations; i++) {
		run->destination_specs[i] =
		    endpoint_spec_copy(spec->destinations[i]);
		if (run->destination_specs[i] == NULL)
			return -ENOMEM;
		run->n_destinations++;
	}
	for (i = 0; i < spec->n_ranges; i++) {
		run->ranges[i].from = spec->ranges[i].from;
		run->ranges[i].to = spec->ranges[i].to;
		run->ranges[i].length =
		    spec->ranges[i].length == RUN_LENGTH_ALL ?
		    COPY_LENGTH_ALL :
		    spec->ranges[i].length;
	}
	run->wish.ranges = run->ranges;
	run->wish.n_ranges = spec->n_ranges;
	run->wish.sample_ppm = spec->sample_ppm;
	run->wish.sample_seed = spec->sample_seed;
	run->wish.connections = spec->connections;
	run->wish.queue_depth = spec->queue_depth;
	run->wish.request_size = spec->request_size;
	run->wish.allow_no_flush = spec->allow_no_flush;
	run->wish.mode = engine_modes[mode_of(spec)];
	run->wish.is_zero_before = spec->destination_is_zero &&
	    spec->distrusted == 0;
	run->wish.is_allocated = spec->allocated;
	run->wish.skips_holes = spec->trim;
	run->requires_all = spec->require_all;
	run->wish.sparse_grain = spec->sparse_size == RUN_SPARSE_OFF ?
	    COPY_SPARSE_OFF :
	    spec->sparse_size;
	run->wish.zero_rest = spec->zero_rest;
	run->wish.max_lag = spec->max_lag;
	take_policy(run, spec);
	run->wish.digest = spec->digest;
	run->wish.digests_blocks = spec->block_digests;
	run->wish.align = spec->is_readback ? spec->align : 0;
	run->is_readback = spec->is_readback;
	run->wish.reconnects = spec->reconnect_ms != 0;
	run->reconnect_ms = spec->reconnect_ms;
	run->straggler_ms = spec->straggler_ms;
	run->counts = spec->counts;
	run->words = spec->words;
	run->limits.wants_status = mode_of(spec) != RUN_COPY;
	run->limits.connect_timeout_ms = spec->connect_timeout_ms ?
	    spec->connect_timeout_ms :
	    RUN_CONNECT_TIMEOUT_MS;
	run->limits.io_timeout_ms = spec->io_timeout_ms ?
	    spec->io_timeout_ms :
	    RUN_IO_TIMEOUT_MS;
	return 0;
}

static int
join_budget(struct run *run, const struct run_spec *spec)
{
	struct budget *budget = spec->budget;
	int r;

	if (budget == NULL) {
		r = budget_new(&run->own_budget);
		if (r < 0)
			return r;
		budget = run->own_budget;
		budget_set_memory(budget, spec->memory_max);
	}
	budget_join(budget, &run->share, spec->rate);
	return 0;
}

static void
finished_deliver(struct mail *mail)
{
	struct run *run = (struct run *)(void *)((char *)mail -
	    offsetof(struct run, finished_mail));

	run->on_finished(run, run->arg);
}

int
run_new(const struct run_spec *spec, struct worker_pool *pool,
    struct mailbox *owner, void (*on_finished)(struct run *run, void *arg),
    void *arg, struct run **ret_run, struct error *e)
{
	struct run *run;
	int r;

	r = check_spec(spec, e);
	if (r < 0)
		return r;
	run = calloc(1, sizeof *run);
	if (run == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	copy_ledger_init(&run->ledger, spec->n_destinations);
	take_keeper(run, spec);
	if (copy_spec(run, spec) < 0) {
		run_free(run);
		return error_set(e, -ENOMEM, "out of memory");
	}
	if (join_budget(run, spec) < 0) {
		run_free(run);
		return error_set(e, -ENOMEM, "out of memory");
	}
	run->pool = pool;
	run->owner = owner;
	run->on_finished = on_finished;
	run->arg = arg;
	run->start_mail.deliver = run_drive_start;
	run->cancel_mail.deliver = run_drive_cancel;
	run->abort_mail.deliver = run_drive_abort;
	run->finished_mail.deliver = finished_deliver;
	run->home_index = worker_pool_next(pool);
	run->home = worker_pool_get(pool, run->home_index);
	*ret_run = run;
	return 0;
}

void
run_start(struct run *run)
{
	run->started_at_ms = run_wall_clock_ms();
	atomic_store(&run->started_ms, run_clock_ms());
	worker_post(run->home, &run->start_mail);
}

void
run_cancel(struct run *run)
{
	if (!atomic_exchange(&run->cancel_is_posted, true))
		worker_post(run->home, &run->cancel_mail);
}

void
run_abort(struct run *run)
{
	if (!atomic_exchange(&run->abort_is_posted, true))
		worker_post(run->home, &run->abort_mail);
}

static void
get_destination(const struct run *run, unsigned i,
    struct run_destination_progress *ret)
{
	const struct copy_target_books *b = &run->ledger.targets[i];

	ret->is_failed = !copy_ledger_is_live(&run->ledger, i);
	ret->size = atomic_load(&run->destination_sizes[i]);
	ret->total_bytes = copy_ledger_get(&b->total_bytes);
	ret->written_bytes = copy_ledger_get(&b->written_bytes);
	ret->zeroed_bytes = copy_ledger_get(&b->zeroed_bytes);
	ret->trimmed_bytes = copy_ledger_get(&b->trimmed_bytes);
	ret->untouched_bytes = copy_ledger_get(&b->untouched_bytes);
	ret->equal_bytes = copy_ledger_get(&b->equal_bytes);
	ret->differing_bytes = copy_ledger_get(&b->differing_bytes);
	ret->resumed_bytes = copy_ledger_get(&b->resumed_bytes);
	ret->failed_bytes = copy_ledger_get(&b->failed_bytes);
	ret->behind_bytes = copy_ledger_get(&b->behind_bytes);
	ret->durable_bytes = copy_ledger_get(&b->durable_bytes);
	ret->n_flushes = copy_ledger_get(&b->n_flushes);
	ret->done_bytes = copy_ledger_get(&b->done_bytes);
}

/* What was skipped is not left. */
static uint64_t
bytes_left(const struct run_destination_progress *d)
{
	return d->total_bytes - d->done_bytes - d->failed_bytes;
}

/*
 * The one that is least far stands for the run; failed ones come last.
 * Returns what is left to do there.
 */
static uint64_t
get_destinations(const struct run *run, struct run_progress *ret)
{
	const struct run_destination_progress *least = NULL;
	struct run_destination_progress *d;
	unsigned i;

	ret->n_destinations = run->n_destinations;
	for (i = 0; i < run->n_destinations; i++) {
		d = &ret->destinations[i];
		get_destination(run, i, d);
		if (d->total_bytes > ret->total_bytes)
			ret->total_bytes = d->total_bytes;
		if (least == NULL || (least->is_failed && !d->is_failed) ||
		    (least->is_failed == d->is_failed &&
			bytes_left(d) > bytes_left(least)))
			least = d;
	}
	if (least == NULL)
		return 0;
	ret->done_bytes = ret->total_bytes -
	    (least->total_bytes - least->done_bytes);
	ret->written_bytes = least->written_bytes;
	ret->zeroed_bytes = least->zeroed_bytes;
	ret->trimmed_bytes = least->trimmed_bytes;
	ret->untouched_bytes = least->untouched_bytes;
	ret->equal_bytes = least->equal_bytes;
	ret->differing_bytes = least->differing_bytes;
	ret->failed_bytes = least->failed_bytes;
	ret->durable_bytes = ret->total_bytes -
	    (least->total_bytes - least->durable_bytes);
	ret->destination_size = least->size;
	return bytes_left(least);
}

/* What copying is like just now. */
static void
refine_phase(const struct run *run, uint64_t left, struct run_progress *ret)
{
	uint64_t progressed = atomic_load(&run->progressed_ms);
	uint64_t now = run_clock_ms();

	if (progressed != 0 && now > progressed)
		ret->stalled_ms = now - progressed;
	if (ret->stalled_ms >= STALLED_MS)
		ret->phase = RUN_STALLED;
	else if (ret->n_away > 0 && ret->stalled_ms >= RECONNECTING_MS)
		ret->phase = RUN_RECONNECTING;
	else if (ret->total_bytes > 0 && left == 0)
		ret->phase = RUN_FLUSHING;
}

void
run_set_rate(struct run *run, uint64_t rate)
{
	budget_share_set_rate(&run->share, rate);
}

struct run_loss *
run_take_loss(struct run *run)
{
	return atomic_exchange(&run->loss, NULL);
}

size_t
run_get_connections(const struct run *run, struct run_connection *ret,
    size_t room)
{
	struct connection_books *books;
	size_t n = 0;

	for (unsigned i = 0; i < RUN_MAX_CONNECTIONS; i++) {
		books = atomic_load(&run->books[i]);
		if (books != NULL)
			n += connection_list(books, run->n_destinations,
			    i + 1, ret + n, room - n);
	}
	return n;
}

void
run_outdate(struct run *run, int64_t resume_after_ms)
{
	atomic_store(&run->keeper.resume_after_ms, resume_after_ms);
}

void
run_disturb(struct run *run)
{
	atomic_store(&run->keeper.is_disturbed, true);
}

static void
get_checkpoint(const struct run *run, uint64_t now, struct run_progress *ret)
{
	const struct keeper *k = &run->keeper;
	uint64_t at = atomic_load(&k->kept_at_ms);

	if (k->store == NULL)
		return;
	if (at == 0)
		at = atomic_load(&run->started_ms);
	ret->checkpoint_age_ms = now > at ? now - at : 0;
	ret->n_checkpoint_failures = atomic_load(&k->n_failures);
}

static void
get_retries(const struct run *run, struct run_progress *ret)
{
	const struct copy_ledger *l = &run->ledger;
	int error = atomic_load(&l->retrying_for);
	unsigned disk = atomic_load(&l->retrying_disk);
	const char *label;
	char name[24];
	size_t len;

	ret->n_retries = copy_ledger_get(&l->n_retries);
	if (copy_ledger_get(&l->n_retrying) == 0 || ret->phase != RUN_COPYING)
		return;
	if (disk == 0 || run->n_destinations == 1) {
		(void)snprintf(ret->trying_again, sizeof ret->trying_again,
		    "%s: %s", run_side_name(disk == 0 && !run->is_readback ?
			COPY_SOURCE : COPY_DESTINATION),
		    strerrordesc_np(-error));
		return;
	}
	/* On a line with other things: of a long name its end. */
	label = run->destination_specs[disk - 1]->name;
	len = strlen(label);
	if (len >= sizeof name)
		label += len - (sizeof name - 1);
	while ((*label & 0xc0) == 0x80)
		label++;
	(void)snprintf(ret->trying_again, sizeof ret->trying_again,
	    "destination '%s': %s",
	    escape_text(label, strlen(label), name, sizeof name),
	    strerrordesc_np(-error));
}

void
run_get_progress(const struct run *run, struct run_progress *ret)
{
	const struct copy_ledger *l = &run->ledger;
	uint64_t started = atomic_load(&run->started_ms);
	uint64_t ended = atomic_load(&run->ended_ms);
	uint64_t left;

	memset(ret, 0, sizeof *ret);
	ret->phase = (enum run_phase)atomic_load(&run->phase);
	ret->read_bytes = copy_ledger_get(&l->read_bytes);
	ret->source_size = atomic_load(&run->source_size);
	left = get_destinations(run, ret);
	ret->rate_limit = copy_ledger_get(&run->share.rate);
	ret->memory = copy_ledger_get(&run->share.memory);
	ret->memory_peak = copy_ledger_get(&run->share.memory_peak);
	ret->lanes = atomic_load(&run->lanes_shown);
	ret->distrusted = atomic_load(&run->keeper.distrusted);
	ret->n_reconnects = copy_ledger_get(&l->n_reconnects);
	ret->n_away = atomic_load(&l->n_away);
	get_retries(run, ret);
	if (ret->phase == RUN_COPYING)
		refine_phase(run, left, ret);
	ret->limited_by = copy_limit_name(COPY_LIMIT_NONE);
	if (atomic_load(&run->is_tuned)) {
		ret->queue_depth = atomic_load(&run->tuning.depth);
		ret->request_size = atomic_load(&run->tuning.request_size);
		ret->limited_by = copy_limit_name(
		    (enum copy_limit)atomic_load(&run->tuning.limit));
	}
	/* Nothing does, of what that knows. */
	if (ret->phase == RUN_STALLED || ret->phase == RUN_RECONNECTING)
		ret->limited_by = copy_limit_name(COPY_LIMIT_NONE);
	if (started == 0)
		return;
	if (ended == 0)
		ended = run_clock_ms();
	ret->elapsed_ms = ended - started;
	get_checkpoint(run, ended, ret);
}

const struct run_result *
run_result(const struct run *run)
{
	return &run->result;
}

void
run_free(struct run *run)
{
	size_t i;

	if (run == NULL)
		return;
	for (i = 0; i < run->n_gave_up; i++)
		free(run->gave_up[i]);
	free(run->gave_up);
	free(run->differences);
	free(run->bad_ranges);
	resume_free(run);
	keeper_done(&run->keeper);
	marks_done(&run->marks);
	free(run->gaps);
	free(run->lanes);
	free(run->block_digests);
	free(run->pieces);
	free(run_take_loss(run));
	for (i = 0; i < RUN_MAX_CONNECTIONS; i++)
		free(atomic_load(&run->books[i]));
	copy_digests_done(&run->digests);
	copy_plan_done(&run->plan);
	budget_leave(&run->share);
	budget_free(run->own_budget);
	endpoint_spec_free(run->source_spec);
	for (i = 0; i < run->n_destinations; i++)
		endpoint_spec_free(run->destination_specs[i]);
	free(run->ranges);
	free(run);
}
