/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Going on from where another run has ended:
 *
 *	load the checkpoint, which has to fit the disks and the settings
 *	read what it calls durable here and there on both sides (canary.c)
 *	leave out what it calls durable
 *
 * Whatever is wrong with it, all is copied, and the result says why; and so
 * it is where the store does not answer in time.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "transfer/canary.h"
#include "transfer/run-private.h"

struct resume {
	struct store_call *call;	/* to load it; NULL: not awaited */
	struct store_checkpoint *checkpoint;
	struct canary canary;
	bool is_over;			/* kept, since the lane refers to it */
};

void
resume_free(struct run *run)
{
	struct resume *r = run->resume;

	if (r == NULL)
		return;
	store_checkpoint_free(r->checkpoint);
	canary_done(&r->canary);
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
		if (!copy_ledger_is_live(&run->ledger, t) ||
		    canary_sings(&r->canary, run, r->checkpoint, t))
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
	canary_stop(&r->canary);
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
	else if (checkpoint_check(run, run->resume->checkpoint, &why) == 0 &&
	    canary_send(&run->resume->canary, run, run->resume->checkpoint,
		&why) == 0)
		return;
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
