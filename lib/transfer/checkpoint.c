/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The checkpoints of a run: made from what its lanes have made durable, put
 * into the store while it copies and when it ends, and compared with what the
 * disks are when another run may go on from there.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/run-private.h"

#define REMOVE_AGAIN_MS 1000

/* What a server offers matters as much as its size. */
static uint32_t
features_of(const struct disk_shape *s)
{
	return (uint32_t)s->can_flush | (uint32_t)s->can_zero << 1 |
	    (uint32_t)s->can_multi_conn << 2 | (uint32_t)s->can_status << 3 |
	    (uint32_t)s->can_fast_zero << 4;
}

#define IDENTITY_SIZE 1024

/*
 * How it is reached, in full: a server that was started again at the same
 * place is the same, and the canary looks whether it really is.
 */
static void
write_identity(const struct endpoint_spec *spec, char *buf, size_t size)
{
	size_t used = 0;
	size_t i;

	buf[0] = '\0';
	if (spec->uri != NULL)
		(void)snprintf(buf, size, "%s", spec->uri);
	else if (spec->path != NULL)
		(void)snprintf(buf, size, "%s", spec->path);
	for (i = 0; spec->argv != NULL && spec->argv[i] != NULL &&
	     used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s ",
		    spec->argv[i]);
}

static const struct endpoint_spec *
spec_of(const struct run *run, enum copy_side side, unsigned target)
{
	return side == COPY_SOURCE ? run->source_spec :
				     run->destination_specs[target];
}

static bool
has_disk(const struct run *run, unsigned target)
{
	return copy_ledger_is_live(&run->ledger, target);
}

static int
describe_side(const struct run *run, enum copy_side side, unsigned target,
    struct store_side *ret)
{
	const struct disk_shape *s = lane_shape(run->lanes[0].lane, side,
	    target);
	char identity[IDENTITY_SIZE];

	write_identity(spec_of(run, side, target), identity, sizeof identity);
	ret->size = s->size;
	ret->min_block = s->block_minimum;
	ret->preferred_block = s->block_preferred;
	ret->max_block = s->block_maximum;
	ret->flags = features_of(s);
	ret->is_read_only = s->read_only;
	ret->identity = strdup(identity);
	return ret->identity == NULL ? -ENOMEM : 0;
}

int
checkpoint_begin(struct run *run)
{
	struct store_side *sides = run->keeper.sides;
	unsigned t;
	int r;

	if (run->keeper.store == NULL)
		return 0;
	r = describe_side(run, COPY_SOURCE, 0, &sides[0]);
	for (t = 0; r == 0 && t < run->n_destinations; t++)
		if (copy_ledger_is_live(&run->ledger, t))
			r = describe_side(run, COPY_DESTINATION, t,
			    &sides[1 + t]);
	return r;
}

static int
copy_side(const struct store_side *from, struct store_side *to)
{
	*to = *from;
	to->identity = strdup(from->identity != NULL ? from->identity : "");
	return to->identity == NULL ? -ENOMEM : 0;
}

static void
write_settings(const struct run *run, char *buf, size_t size)
{
	(void)snprintf(buf, size, "1 %d %d %d%s", run->wish.is_zero_before,
	    run->wish.is_allocated, run->wish.zero_rest,
	    run->wish.skips_holes ? " trim" : "");
}

static int
describe_ranges(const struct run *run, struct store_checkpoint *cp)
{
	size_t i;

	cp->ranges = calloc(run->wish.n_ranges + 1, sizeof *cp->ranges);
	if (cp->ranges == NULL)
		return -ENOMEM;
	for (i = 0; i < run->wish.n_ranges; i++)
		cp->ranges[i] = (struct store_extent){
			.from = run->ranges[i].from,
			.length = run->ranges[i].length,
			.to = run->ranges[i].to,
		};
	cp->n_ranges = run->wish.n_ranges;
	return 0;
}

/* What is durable now. */
static int
describe_durable(struct keeper *k, struct store_checkpoint *cp)
{
	size_t n;
	size_t i;
	unsigned t;
	int r = 0;

	(void)pthread_mutex_lock(&k->lock);
	for (t = 0; r == 0 && t < cp->n_destinations; t++)
		r = ranges_add_all(&cp->destinations[t].durable,
		    &k->durable[t]);
	n = k->n_recent < STORE_MAX_RECENT ? k->n_recent : STORE_MAX_RECENT;
	for (i = 0; i < n; i++)
		cp->recent[i] = k->recent[i];
	cp->n_recent = n;
	k->has_news = false;
	(void)pthread_mutex_unlock(&k->lock);
	return r;
}

static int
describe_run(struct run *run, struct store_checkpoint *cp)
{
	char settings[64];
	unsigned t;
	int r;

	write_settings(run, settings, sizeof settings);
	cp->job = strdup(run->keeper.job);
	cp->mode = strdup(run_mode_name(run->mode));
	cp->settings = strdup(settings);
	cp->generation = ++run->keeper.generation;
	cp->saved_at_ms = run_wall_clock_ms();
	cp->n_destinations = run->n_destinations;
	r = copy_side(&run->keeper.sides[0], &cp->source);
	for (t = 0; r == 0 && t < run->n_destinations; t++)
		r = copy_side(&run->keeper.sides[1 + t],
		    &cp->destinations[t].side);
	if (r == 0)
		r = describe_ranges(run, cp);
	if (r == 0)
		r = describe_durable(&run->keeper, cp);
	return r < 0 || cp->job == NULL || cp->mode == NULL ||
		cp->settings == NULL ?
	    -ENOMEM :
	    0;
}

/* What comes of saving and removing. */

static void
note_answer(struct run *run, const struct error *error)
{
	struct keeper *k = &run->keeper;

	on_worker_entry();
	k->call = NULL;
	if (error->code == 0)
		k->is_stale = false;
	if (error->code != -ECANCELED)
		k->trouble = *error;
	if (error->code != 0 && error->code != -ECANCELED)
		atomic_fetch_add(&k->n_failures, 1);
}

static void
go_on(struct run *run)
{
	if (!resume_removed(run) && run->is_keeping &&
	    !checkpoint_conclude(run))
		run_is_kept(run);
}

static void
on_saved(struct store_call *call)
{
	struct run *run = call->arg;

	note_answer(run, &call->error);
	if (call->error.code == 0)
		atomic_store(&run->keeper.kept_at_ms, run_clock_ms());
	else
		keeper_has_news(&run->keeper);
	go_on(run);
}

static void
on_removed(struct store_call *call)
{
	struct run *run = call->arg;

	note_answer(run, &call->error);
	go_on(run);
}

static struct store_call *
new_call(struct run *run, void (*on_done)(struct store_call *call))
{
	return store_call_new(worker_mailbox(run->home), on_done, run);
}

/* 0: on_saved() will come. */
static int
save(struct run *run)
{
	struct keeper *k = &run->keeper;
	struct store_checkpoint *cp = store_checkpoint_new();
	struct store_call *call = new_call(run, on_saved);

	if (cp == NULL || call == NULL || describe_run(run, cp) < 0) {
		store_checkpoint_free(cp);
		store_call_free(call);
		atomic_fetch_add(&k->n_failures, 1);
		keeper_has_news(k);
		return error_set(&k->trouble, -ENOMEM, "out of memory");
	}
	k->call = call;
	k->saved_at_ms = run_clock_ms();
	store_save_checkpoint(k->store, call, cp);
	return 0;
}

int
checkpoint_remove(struct run *run)
{
	struct keeper *k = &run->keeper;
	struct store_call *call = new_call(run, on_removed);

	if (call == NULL) {
		atomic_fetch_add(&k->n_failures, 1);
		return error_set(&k->trouble, -ENOMEM, "out of memory");
	}
	k->call = call;
	k->saved_at_ms = run_clock_ms();
	store_discard_checkpoint(k->store, call, k->job);
	return 0;
}

/* What others write to as well is not what this run has made durable. */
static bool
is_disturbed(struct keeper *k)
{
	if (!atomic_load(&k->is_disturbed))
		return false;
	k->is_stale = k->is_stale || !k->is_forgotten;
	k->is_forgotten = true;
	return true;
}

void
checkpoint_tick(struct run *run, uint64_t now_ms)
{
	struct keeper *k = &run->keeper;
	bool keeps_none;
	bool has_news;

	if (k->store == NULL || k->call != NULL)
		return;
	keeps_none = is_disturbed(k);
	if (now_ms - k->saved_at_ms <
	    (k->is_stale ? REMOVE_AGAIN_MS : k->interval_ms))
		return;
	if (k->is_stale) {
		(void)checkpoint_remove(run);
		return;
	}
	if (keeps_none)
		return;
	(void)pthread_mutex_lock(&k->lock);
	has_news = k->has_news;
	(void)pthread_mutex_unlock(&k->lock);
	if (has_news)
		(void)save(run);
}

/*
 * A run that is complete leaves nothing to go on from.  One whose bad ranges
 * are filled now is complete after that.
 */
static bool
leaves_nothing(struct run *run)
{
	enum run_outcome outcome = run->result.outcome;

	return (outcome != RUN_FAILED && outcome != RUN_CANCELLED &&
		   !(outcome == RUN_BAD_RANGES && run->is_to_be_filled)) ||
	    atomic_load(&run->keeper.is_disturbed) ||
	    keeper_is_empty(&run->keeper);
}

bool
checkpoint_conclude(struct run *run)
{
	struct keeper *k = &run->keeper;

	if (k->store == NULL || !run->has_begun)
		return false;
	if (!run->is_keeping)
		net_timer_start(&run->store_timer, run->store_ms);
	run->is_keeping = true;
	if (k->call != NULL)
		return true;
	if (!run->is_last_removed) {
		run->is_last_removed = true;
		k->is_stale = k->is_stale || leaves_nothing(run);
		if (k->is_stale && checkpoint_remove(run) == 0)
			return true;
	}
	if (run->is_last_saved || leaves_nothing(run))
		return false;
	run->is_last_saved = true;
	return k->has_news && save(run) == 0;
}

static void
forget_call(struct keeper *k)
{
	if (k->call != NULL)
		store_call_forget(k->call);
	k->call = NULL;
}

/*
 * All is asked for nevertheless, and done in this order if the store comes to
 * it: whatever is asked for later, by the next run, is done after it.
 */
void
checkpoint_go_without(struct run *run)
{
	struct keeper *k = &run->keeper;

	do
		forget_call(k);
	while (checkpoint_conclude(run));
	(void)error_set(&k->trouble, -ETIMEDOUT, "the store has not answered "
	    "within %" PRIu64 " ms", run->store_ms);
	atomic_fetch_add(&k->n_failures, 1);
	/* Whether it is saved is not known. */
	keeper_has_news(k);
	run_is_kept(run);
}

void
checkpoint_end(struct run *run)
{
	forget_call(&run->keeper);
	net_timer_done(&run->store_timer);
}

bool
checkpoint_is_outdated(const struct run *run)
{
	const struct keeper *k = &run->keeper;

	/* What was saved before a flush failed may not be durable. */
	return k->is_stale || (k->distrusted != 0 && k->has_news);
}

/* Does it fit? */

static bool
is_same_side(const struct run *run, enum copy_side side, unsigned target,
    const struct store_side *old)
{
	const struct disk_shape *s = lane_shape(run->lanes[0].lane, side,
	    target);

	return old->size == s->size && old->min_block == s->block_minimum &&
	    old->max_block == s->block_maximum &&
	    old->flags == features_of(s) && old->is_read_only == s->read_only;
}

static int
check_side(const struct run *run, enum copy_side side, unsigned target,
    const struct store_side *old, struct error *why)
{
	char identity[IDENTITY_SIZE];

	write_identity(spec_of(run, side, target), identity, sizeof identity);
	if (old->identity == NULL || strcmp(old->identity, identity) != 0)
		return error_set(why, -ESTALE, "the %s is another one",
		    run_side_name(side));
	if (!is_same_side(run, side, target, old))
		return error_set(why, -ESTALE, "the %s has another size, or "
		    "its server other limits or features",
		    run_side_name(side));
	return 0;
}

static bool
has_same_ranges(const struct run *run, const struct store_checkpoint *cp)
{
	size_t i;

	if (cp->n_ranges != run->wish.n_ranges)
		return false;
	for (i = 0; i < cp->n_ranges; i++)
		if (cp->ranges[i].from != run->ranges[i].from ||
		    cp->ranges[i].length != run->ranges[i].length ||
		    cp->ranges[i].to != run->ranges[i].to)
			return false;
	return true;
}

int
checkpoint_check(const struct run *run, const struct store_checkpoint *cp,
    struct error *why)
{
	int64_t age = run_wall_clock_ms() - cp->saved_at_ms;
	char settings[64];
	unsigned t;
	int r;

	write_settings(run, settings, sizeof settings);
	if (strcmp(cp->mode, run_mode_name(run->mode)) != 0 ||
	    strcmp(cp->settings, settings) != 0 ||
	    !has_same_ranges(run, cp) ||
	    cp->n_destinations != run->n_destinations)
		return error_set(why, -ESTALE,
		    "mode, ranges or settings have changed");
	if (cp->saved_at_ms <= atomic_load(&run->keeper.resume_after_ms))
		return error_set(why, -ESTALE, "it is out of date: another "
		    "job has written to one of the disks since, or a later "
		    "run could not replace or remove it");
	if (run->keeper.max_age_ms != 0 && age < 0)
		return error_set(why, -ESTALE, "the clock was set back since, "
		    "so that its age is not known");
	if (run->keeper.max_age_ms != 0 &&
	    (uint64_t)age > run->keeper.max_age_ms)
		return error_set(why, -ESTALE, "the last run ended %" PRId64
		    " s ago, and the source may have changed", age / 1000);
	r = check_side(run, COPY_SOURCE, 0, &cp->source, why);
	for (t = 0; r == 0 && t < run->n_destinations; t++)
		if (has_disk(run, t) && cp->destinations[t].durable.n > 0)
			r = check_side(run, COPY_DESTINATION, t,
			    &cp->destinations[t].side, why);
	return r;
}
