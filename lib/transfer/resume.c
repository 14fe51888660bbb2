/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Going on from where another run has ended:
 *
 *	load the checkpoint, which has to fit the disks and the settings
 *	read what it calls durable here and there on both sides: 64 pieces at
 *	random, some more of each of several destinations, and those that were
 *	written last (the canary)
 *	leave out what it calls durable
 *
 * Whatever is wrong with it, all is copied, and the result says why; and so
 * it is where the store does not answer in time.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "transfer/run-private.h"

#define N_RANDOM     64
#define N_OWN	     16		/* more of each of several destinations */
#define CANARY_BYTES (64U * 1024)
#define MAX_CANARY   (N_RANDOM + N_OWN * COPY_MAX_TARGETS + STORE_MAX_RECENT)

struct resume {
	struct store_call *call;	/* to load it; NULL: not awaited */
	struct store_checkpoint *checkpoint;
	struct copy_range ranges[MAX_CANARY];
	size_t n_ranges;
	struct copy_plan plan;		/* the canary's */
	struct copy_cursor cursor;
	struct copy_ledger ledger;
	struct copy_tuning tuning;
	bool is_over;			/* kept, since the lane refers to it */
};

void
resume_free(struct run *run)
{
	struct resume *r = run->resume;

	if (r == NULL)
		return;
	store_checkpoint_free(r->checkpoint);
	copy_plan_done(&r->plan);
	free(r);
	run->resume = NULL;
}

static void
end_resume(struct run *run)
{
	store_checkpoint_free(run->resume->checkpoint);
	run->resume->checkpoint = NULL;
	run->resume->is_over = true;
}

/*
 * What was not durable may have been written, or filled, all the same: what is
 * zero by now is not so at the destination.
 */
static void
break_promise(struct run *run)
{
	if (!run->plan.skip_zeroes)
		return;
	run->plan.skip_zeroes = false;
	run_add_gave_up(run, "that the destination is zero does not hold where "
	    "an earlier run may have written: zeroes are written, too");
}

/*
 * All is copied.  What was kept goes first: this run may be killed before it
 * keeps anything of its own, and then the old would stand for what is there.
 * If the store cannot, it is tried again while the run copies.
 */
static void
refuse(struct run *run, const struct error *why)
{
	run->result.not_resumed = *why;
	break_promise(run);
	end_resume(run);
	run->keeper.is_stale = true;
	run->awaits_removal = checkpoint_remove(run) == 0;
	if (run->awaits_removal)
		net_timer_start(&run->store_timer, run->store_ms);
	else
		run_begin(run);
}

bool
resume_removed(struct run *run)
{
	if (!run->awaits_removal)
		return false;
	run->awaits_removal = false;
	net_timer_stop(&run->store_timer);
	run_begin(run);
	return true;
}

/* The canary sang. */
static void
accept(struct run *run)
{
	struct store_checkpoint *cp = run->resume->checkpoint;
	struct ranges done[COPY_MAX_TARGETS];
	struct keeper *k = &run->keeper;
	struct error why;
	unsigned t;
	int r;

	for (t = 0; t < run->n_destinations; t++)
		done[t] = cp->destinations[t].durable;
	r = copy_plan_resume(&run->plan, done);
	if (r < 0) {
		(void)error_set(&why, r, "out of memory");
		refuse(run, &why);
		return;
	}
	(void)pthread_mutex_lock(&k->lock);
	for (t = 0; r == 0 && t < run->n_destinations; t++)
		r = ranges_add_all(&k->durable[t],
		    &run->plan.targets[t].done);
	(void)pthread_mutex_unlock(&k->lock);
	/* One that is not here today may be another day. */
	for (t = 0; t < run->n_destinations; t++)
		if (!copy_ledger_is_live(&run->ledger, t)) {
			k->sides[1 + t] = cp->destinations[t].side;
			cp->destinations[t].side.identity = NULL;
		}
	run->result.is_resumed = true;
	break_promise(run);
	end_resume(run);
	run_begin(run);
}

/*
 * In whole sectors, if all of these are durable and lie in one piece of the
 * source.
 */
static void
add_canary(const struct run *run, struct ranges *set,
    const struct ranges *durable, uint64_t to, uint64_t length)
{
	const struct copy_piece *p = copy_plan_piece_to(&run->plan, UINT32_MAX,
	    to);
	uint32_t align = run->plan.sector;

	to &= ~(uint64_t)(align - 1);
	if (p->is_rest || to < p->to || to - p->to >= p->length)
		return;
	length = (length + align - 1) & ~(uint64_t)(align - 1);
	if (length > p->to + p->length - to)
		length = p->to + p->length - to;
	/* A tail that not all destinations have is no whole sector of them. */
	if (length % align != 0 && p->from + (to - p->to) + length !=
	    atomic_load(&run->source_size))
		return;
	/* What cannot be added is not looked at. */
	if (ranges_cover(durable, to, length))
		(void)ranges_add(set, to, length);
}

/* A place in the set, all being as likely. */
static uint64_t
random_place(const struct ranges *set, uint64_t total)
{
	uint64_t n = ((uint64_t)arc4random() << 32 | arc4random()) % total;
	size_t i = 0;

	while (n >= set->v[i].len)
		n -= set->v[i++].len;
	return set->v[i].offset + n;
}

/* What all destinations have, but for those that have failed. */
static int
common_durable(const struct run *run, struct ranges *ret)
{
	const struct store_checkpoint *cp = run->resume->checkpoint;
	uint64_t end = UINT64_MAX / 2;
	uint64_t at = 0;
	uint64_t length;
	unsigned t;
	bool is_in;
	bool all;
	int r = 0;

	while (r == 0 && at < end) {
		length = end - at;
		all = true;
		for (t = 0; t < run->n_destinations; t++) {
			if (!copy_ledger_is_live(&run->ledger, t))
				continue;
			length = ranges_run_at(&cp->destinations[t].durable,
			    at, length, &is_in);
			all &= is_in;
		}
		if (all)
			r = ranges_add(ret, at, length);
		at += length;
	}
	return r;
}

static void
add_random(const struct run *run, struct ranges *set,
    const struct ranges *durable, unsigned n)
{
	uint64_t total = ranges_total(durable);

	while (total > 0 && n-- > 0)
		add_canary(run, set, durable, random_place(durable, total),
		    CANARY_BYTES);
}

/* One may have got further than the others: there it is looked at as well. */
static void
add_own(const struct run *run, struct ranges *set, unsigned target)
{
	const struct store_checkpoint *cp = run->resume->checkpoint;
	const struct ranges *durable = &cp->destinations[target].durable;

	if (!copy_ledger_is_live(&run->ledger, target))
		return;
	if (run->n_destinations > 1)
		add_random(run, set, durable, N_OWN);
	for (size_t i = 0; i < cp->n_recent; i++)
		add_canary(run, set, durable, cp->recent[i].offset,
		    cp->recent[i].len);
}

static int
choose_canary(struct run *run, struct ranges *set)
{
	struct ranges common;
	int r;

	ranges_init(&common);
	r = common_durable(run, &common);
	if (r == 0)
		add_random(run, set, &common, N_RANDOM);
	for (unsigned t = 0; r == 0 && t < run->n_destinations; t++)
		add_own(run, set, t);
	ranges_done(&common);
	return r;
}

static void
describe_canary(struct run *run, const struct ranges *set)
{
	struct resume *r = run->resume;
	const struct copy_piece *p;
	size_t i;

	for (i = 0; i < set->n && i < MAX_CANARY; i++) {
		p = copy_plan_piece_to(&run->plan, UINT32_MAX,
		    set->v[i].offset);
		/* Neighbours in the set may lie in two pieces: one will do. */
		r->ranges[i] = (struct copy_range){
			.from = p->from + (set->v[i].offset - p->to),
			.to = set->v[i].offset,
			.length = set->v[i].len <
				p->to + p->length - set->v[i].offset ?
			    set->v[i].len :
			    p->to + p->length - set->v[i].offset,
		};
		r->n_ranges = i + 1;
	}
}

/* Nobody waits for those that have failed already. */
static void
leave_failed_out(struct run *run, struct copy_ledger *canary)
{
	unsigned t;

	for (t = 0; t < run->n_destinations; t++)
		if (!copy_ledger_is_live(&run->ledger, t))
			copy_ledger_fail(canary,
			    &run->ledger.targets[t].first_failure, 1);
}

/* 0: resume_copied() will come. */
static int
send_canary(struct run *run, struct error *why)
{
	struct resume *r = run->resume;
	const struct disk_shape *shapes[RUN_MAX_DESTINATIONS];
	struct copy_wish wish = {
		.mode = COPY_MODE_VERIFY,
		.ranges = r->ranges,
		.n_ranges = r->n_ranges,
		.connections = 1,
		.reconnects = run->wish.reconnects,
		/* What they hold may differ. */
		.skips_holes = run->wish.skips_holes,
	};
	unsigned target;
	int e;

	run_get_shapes(run, shapes);
	e = copy_plan_make(&r->plan, lane_shape(run->lanes[0].lane,
	    COPY_SOURCE, 0), shapes, run->n_destinations, &wish, &target,
	    why);
	if (e < 0)
		return e;
	copy_cursor_init(&r->cursor, r->plan.line_length);
	copy_tuning_init(&r->tuning, &r->plan, run_clock_ms());
	copy_ledger_init(&r->ledger, run->n_destinations);
	copy_ledger_plan(&r->ledger, r->plan.total_bytes);
	for (unsigned t = 0; t < run->n_destinations; t++)
		copy_ledger_plan_target(&r->ledger, t,
		    r->plan.targets[t].total_bytes);
	leave_failed_out(run, &r->ledger);
	run->lanes[0].is_busy = true;
	lane_copy(run->lanes[0].lane, &r->plan, &r->cursor, &r->ledger,
	    &r->tuning);
	return 0;
}

static void
note_lost(struct run *run, enum copy_side side, unsigned target)
{
	const struct copy_failure *f;
	uint64_t n;

	f = lane_failure(run->lanes[0].lane, side, target, &n);
	if (n > 0 && f->is_told && f->error != -ECANCELED)
		copy_ledger_fail(&run->ledger, f, n);
}

/* A disk that is gone says nothing of what is on it. */
static void
note_lost_disks(struct run *run)
{
	unsigned t;

	note_lost(run, COPY_SOURCE, 0);
	for (t = 0; t < run->n_destinations; t++)
		if (copy_ledger_is_live(&run->ledger, t))
			note_lost(run, COPY_DESTINATION, t);
}

/* Is any of this in the set? */
static bool
touches(const struct ranges *set, uint64_t offset, uint64_t length)
{
	bool is_in;

	return ranges_run_at(set, offset, length, &is_in) < length || is_in;
}

/* Does this difference lie where the destination is said to be right? */
static bool
counts(const struct run *run, const struct copy_difference *d)
{
	const struct ranges *durable =
	    &run->resume->checkpoint->destinations[d->target].durable;

	for (size_t i = 0; i < run->resume->n_ranges; i++) {
		const struct copy_range *r = &run->resume->ranges[i];
		uint64_t from = d->offset > r->from ? d->offset : r->from;
		uint64_t end = d->offset + d->length;

		if (end > r->from + r->length)
			end = r->from + r->length;
		if (from < end && touches(durable, r->to + (from - r->from),
		    end - from))
			return true;
	}
	return false;
}

static bool
was_looked_at(const struct run *run, const struct ranges *durable)
{
	const struct resume *r = run->resume;

	for (size_t i = 0; i < r->n_ranges; i++)
		if (touches(durable, r->ranges[i].to, r->ranges[i].length))
			return true;
	return false;
}

/* Has it what the checkpoint calls durable, where that was looked at? */
static bool
is_as_said(const struct run *run, unsigned target)
{
	const struct ranges *durable =
	    &run->resume->checkpoint->destinations[target].durable;
	const struct copy_ledger *l = &run->resume->ledger;
	const struct copy_difference *v;
	bool is_cut;
	size_t n;

	if (durable->n == 0)
		return true;
	if (!was_looked_at(run, durable) ||
	    !copy_ledger_is_success(l, target, false))
		return false;
	if (copy_ledger_get(&l->targets[target].differing_bytes) == 0)
		return true;
	v = lane_differences(run->lanes[0].lane, &n, &is_cut);
	for (size_t i = 0; i < n && !is_cut; i++)
		is_cut = v[i].target == target && counts(run, &v[i]);
	return !is_cut;
}

bool
resume_copied(struct run *run)
{
	struct resume *r = run->resume;
	struct error why;
	unsigned t;

	if (r == NULL || r->is_over)
		return false;
	run->lanes[0].is_busy = false;
	note_lost_disks(run);
	if (run->is_cancelled || copy_ledger_is_stopped(&run->ledger)) {
		end_resume(run);
		run_begin(run);
		return true;
	}
	for (t = 0; t < run->n_destinations; t++) {
		if (!copy_ledger_is_live(&run->ledger, t) || is_as_said(run, t))
			continue;
		(void)error_set(&why, -ESTALE, "what the last run had "
		    "written is not on the destination, or the source has "
		    "changed");
		refuse(run, &why);
		return true;
	}
	accept(run);
	return true;
}

static void
look_closer(struct run *run)
{
	struct ranges set;
	struct error why;
	int r;

	ranges_init(&set);
	r = choose_canary(run, &set);
	if (r < 0)
		(void)error_set(&why, r, "out of memory");
	else
		describe_canary(run, &set);
	ranges_done(&set);
	if (r == 0 && run->resume->n_ranges == 0)
		r = error_set(&why, -ENODATA, "the last run had not got far");
	if (r == 0)
		r = send_canary(run, &why);
	if (r < 0)
		refuse(run, &why);
}

/*
 * The store is silent, and the run begins without its answer.  If it comes
 * after all, what was to be loaded is removed right after that.
 */
static void
go_without(struct run *run)
{
	struct resume *r = run->resume;
	bool is_loading = r->call != NULL;

	run->awaits_removal = false;
	if (is_loading)
		store_call_forget(STEAL(r->call));
	end_resume(run);
	if (is_loading && !run->is_cancelled) {
		(void)error_set(&run->result.not_resumed, -ETIMEDOUT,
		    "the store has not answered within %" PRIu64 " ms",
		    run->store_ms);
		break_promise(run);
		run->keeper.is_stale = true;
		(void)checkpoint_remove(run);
	}
	run_begin(run);
}

void
run_on_store_silent(void *arg)
{
	struct run *run = arg;

	on_worker_entry();
	if (run->is_keeping)
		checkpoint_go_without(run);
	else
		go_without(run);
}

/* What is looked at is not needed any more, if it is. */
void
resume_stop(struct run *run)
{
	struct resume *r = run->resume;

	if (r == NULL)
		return;
	copy_ledger_stop(&r->ledger);
	if (r->call != NULL || run->awaits_removal)
		net_timer_start(&run->store_timer, 0);
}

static void
on_loaded(struct store_call *call)
{
	struct run *run = call->arg;
	struct error why;

	on_worker_entry();
	run->resume->call = NULL;
	net_timer_stop(&run->store_timer);
	if (run->is_cancelled) {
		end_resume(run);
		run_begin(run);
		return;
	}
	if (call->error.code != 0) {
		refuse(run, &call->error);
		return;
	}
	run->resume->checkpoint = call->checkpoint;
	call->checkpoint = NULL;
	if (run->resume->checkpoint == NULL) {
		end_resume(run);
		run_begin(run);
		return;
	}
	run->keeper.generation = run->resume->checkpoint->generation;
	if (run->keeper.is_full)
		(void)error_set(&why, -ESTALE, "%s",
		    run->keeper.full_because);
	else if (checkpoint_check(run, run->resume->checkpoint, &why) == 0) {
		look_closer(run);
		return;
	}
	refuse(run, &why);
}

bool
resume_begin(struct run *run)
{
	struct store_call *call;

	if (run->keeper.store == NULL)
		return false;
	call = store_call_new(worker_mailbox(run->home), on_loaded, run);
	run->resume = calloc(1, sizeof *run->resume);
	if (call == NULL || run->resume == NULL) {
		store_call_free(call);
		resume_free(run);
		run->keeper.is_stale = true;
		return false;
	}
	run->resume->call = call;
	net_timer_start(&run->store_timer, run->store_ms);
	store_load_checkpoint(run->keeper.store, call, run->keeper.job);
	return true;
}
