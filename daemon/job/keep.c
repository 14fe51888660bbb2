/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is to outlive the daemon, until the store has it: the states of jobs,
 * runs that have ended, places to go on from that are out of date.
 *
 * The store may be locked, full or away for a while.  What it refuses stays
 * here and is posted again, one call a second, until one has succeeded; then
 * comes the rest, never more at once than leaves room in its queue.  A job
 * has one call under way at most, so the newest state is what goes next.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"

#define POSTED_MAX (STORE_QUEUE_MAX / 4)
#define AGAIN_MS   1000
/* What waits of the history; the oldest goes first. */
#define RUNS_BYTES (8U << 20)

struct entry {
	struct list node;
	struct store_run *run;
	size_t bytes;
};

static uint64_t
now_ms(const struct jobs *jobs)
{
	return net_loop_now_ms(jobs->loop);
}

static bool
wants(const struct job *job)
{
	return (job->is_dirty && job->is_state_known && !job->is_putting) ||
	    (job->has_stale && job->run == NULL && !job->is_discarding);
}

static void
note_wants(struct job *job) ON_MAIN
{
	list_remove(&job->keep_node);
	if (wants(job))
		list_append(&job->jobs->keep.jobs, &job->keep_node);
}

static void
log_unkept(const char *job, const char *what, const char *why)
{
	log_message(&messages[MSG_STATE], LOG_LEVEL_WARNING,
	    "job '%s': %s: %s", job, what, why);
}

/* Would the same call never be done? */
static bool
is_for_good(int error)
{
	return error == -EINVAL || error == -EEXIST || error == -E2BIG;
}

/* Does it pass by itself, and soon? */
static bool
is_passing(int error)
{
	return error == -EAGAIN || error == -EBUSY;
}

void
keep_note_failure(struct jobs *jobs, int error)
{
	jobs->keep.error = error;
	jobs->keep.again_at_ms = now_ms(jobs) + AGAIN_MS;
	jobs_start_tick(jobs);
}

void
keep_note_success(struct jobs *jobs)
{
	jobs->keep.error = 0;
}

bool
keep_has_room(const struct jobs *jobs, unsigned max)
{
	const struct keep *k = &jobs->keep;
	unsigned n = k->n_posted + jobs->n_asking;

	if (k->error != 0)
		return n == 0 && now_ms(jobs) >= k->again_at_ms;
	return n < max;
}

/* An answer: true, it is to be posted again. */
static bool
take_answer(struct jobs *jobs, const struct store_call *call,
    const char *what) ON_MAIN
{
	int error = call->error.code;

	jobs->keep.n_posted--;
	if (error == 0)
		jobs->keep.error = 0;
	/* Once, and not at each try. */
	if (error != 0 && (jobs->keep.error == 0 || is_for_good(error)))
		log_unkept(call->job, what, call->error.text);
	if (error == 0 || is_for_good(error))
		return false;
	keep_note_failure(jobs, error);
	return true;
}

static void
on_put(struct store_call *call)
{
	struct jobs *jobs = call->arg;
	struct job *job;
	bool again;

	on_main_entry();
	again = take_answer(jobs, call, "what it has counted is not stored");
	/* It may have gone meanwhile. */
	job = jobs_find(jobs, call->job);
	if (job != NULL) {
		job->is_putting = false;
		job->is_dirty = job->is_dirty || again;
		/* Another one, if all was begun afresh. */
		if (call->error.code == 0 && call->n_jobs == 1)
			memcpy(job->state.uuid, call->jobs[0].uuid,
			    sizeof job->state.uuid);
		note_wants(job);
	}
	keep_post(jobs);
}

static void
on_discarded(struct store_call *call)
{
	struct jobs *jobs = call->arg;
	struct job *job;
	bool again;

	on_main_entry();
	again = take_answer(jobs, call, "an old place to go on from is not "
	    "removed");
	job = jobs_find(jobs, call->job);
	if (job != NULL) {
		job->is_discarding = false;
		job->has_stale = job->has_stale && again;
		note_wants(job);
	}
	keep_post(jobs);
}

static int
post_state(struct job *job) ON_MAIN
{
	struct jobs *jobs = job->jobs;
	struct store_call *call = store_call_new(jobs->mailbox, on_put, jobs);

	if (call == NULL || job_write_notes(job) < 0) {
		store_call_free(call);
		return -ENOMEM;
	}
	job->is_dirty = false;
	job->is_putting = true;
	store_put_job(jobs->store, call, &job->state);
	return 0;
}

static int
post_discard(struct job *job) ON_MAIN
{
	struct jobs *jobs = job->jobs;
	struct store_call *call = store_call_new(jobs->mailbox, on_discarded,
	    jobs);

	if (call == NULL)
		return -ENOMEM;
	job->is_discarding = true;
	store_discard_checkpoint(jobs->store, call, job->name);
	return 0;
}

static int
post_job(struct job *job) ON_MAIN
{
	bool is_state = job->is_dirty && job->is_state_known &&
	    !job->is_putting;
	int r = is_state ? post_state(job) : post_discard(job);

	note_wants(job);
	return r;
}

/* The history. */

static void
free_entry(struct keep *k, struct entry *entry) ON_MAIN
{
	k->run_bytes -= entry->bytes;
	list_remove(&entry->node);
	store_run_free(entry->run);
	free(entry);
}

/* Before what next is on the list; NULL: run is lost. */
static struct entry *
new_entry(struct keep *k, struct list *next, struct store_run *run) ON_MAIN
{
	struct entry *entry = calloc(1, sizeof *entry);

	if (entry == NULL) {
		log_unkept(run->job, "the run is not in the history",
		    "out of memory");
		store_run_free(run);
		return NULL;
	}
	entry->run = run;
	entry->bytes = sizeof *entry + sizeof *run + run->arg_bytes +
	    (run->report == NULL ? 0 : strlen(run->report));
	k->run_bytes += entry->bytes;
	list_append(next, &entry->node);
	return entry;
}

static void
on_added(struct store_call *call)
{
	struct jobs *jobs = call->arg;
	struct keep *k = &jobs->keep;

	on_main_entry();
	k->is_adding = false;
	/* First of all again; it is still the call's. */
	if (take_answer(jobs, call, "the run is not in the history") &&
	    call->n_runs == 1)
		(void)new_entry(k, k->runs.next, STEAL(call->runs[0]));
	keep_post(jobs);
}

static int
post_run(struct jobs *jobs) ON_MAIN
{
	struct keep *k = &jobs->keep;
	struct entry *entry = list_entry(k->runs.next, struct entry, node);
	struct store_call *call = store_call_new(jobs->mailbox, on_added,
	    jobs);

	if (call == NULL)
		return -ENOMEM;
	k->is_adding = true;
	store_add_run(jobs->store, call, STEAL(entry->run));
	free_entry(k, entry);
	return 0;
}

static int
post_next(struct jobs *jobs) ON_MAIN
{
	struct keep *k = &jobs->keep;

	/* In their order: one after the other. */
	if (!list_is_empty(&k->runs) && !k->is_adding)
		return post_run(jobs);
	if (list_is_empty(&k->jobs))
		return -ENOENT;
	return post_job(list_entry(k->jobs.next, struct job, keep_node));
}

void
keep_post(struct jobs *jobs)
{
	int r = 0;

	while (jobs->store != NULL && r == 0 &&
	    keep_has_room(jobs, POSTED_MAX)) {
		r = post_next(jobs);
		if (r == 0)
			jobs->keep.n_posted++;
	}
	if (r == -ENOMEM)
		keep_note_failure(jobs, r);
	jobs_look_at_stopping(jobs);
}

void
keep_init(struct keep *k)
{
	list_init(&k->jobs);
	list_init(&k->runs);
}

void
keep_done(struct keep *k)
{
	while (!list_is_empty(&k->runs))
		free_entry(k, list_entry(k->runs.next, struct entry, node));
}

static bool
is_empty(const struct keep *k)
{
	return list_is_empty(&k->jobs) && list_is_empty(&k->runs);
}

bool
keep_needs_tick(const struct jobs *jobs)
{
	return jobs->store != NULL && jobs->keep.error != 0 &&
	    !is_empty(&jobs->keep);
}

/* What is to be added to what the store has, which it has not told yet. */
static bool
has_unknown(const struct jobs *jobs) ON_MAIN
{
	const struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL)
		if (job->is_dirty && !job->is_state_known &&
		    (job->is_asking || job->asks_again))
			return true;
	return false;
}

bool
keep_waits(const struct jobs *jobs)
{
	const struct keep *k = &jobs->keep;

	if (jobs->store == NULL)
		return false;
	return k->n_posted > 0 || ((!is_empty(k) || has_unknown(jobs)) &&
	    (k->error == 0 || is_passing(k->error)));
}

void
keep_hurry(struct jobs *jobs)
{
	jobs->keep.again_at_ms = 0;
	jobs_start_tick(jobs);
	keep_post(jobs);
}

void
job_keep_state(struct job *job)
{
	job->is_dirty = true;
	job_keep_on(job);
}

void
job_keep_state_first(struct job *job)
{
	job->is_dirty = true;
	note_wants(job);
	if (wants(job)) {
		list_remove(&job->keep_node);
		/* Before the first, whichever that is. */
		list_append(job->jobs->keep.jobs.next, &job->keep_node);
	}
	keep_post(job->jobs);
}

void
job_keep_on(struct job *job)
{
	note_wants(job);
	keep_post(job->jobs);
}

void
jobs_keep_run(struct jobs *jobs, struct store_run *run)
{
	struct keep *k = &jobs->keep;

	if (new_entry(k, &k->runs, run) == NULL)
		return;
	/* One of its own may be as long as it is. */
	while (k->run_bytes > RUNS_BYTES && k->runs.next != k->runs.prev) {
		struct entry *oldest = list_entry(k->runs.next, struct entry,
		    node);

		log_unkept(oldest->run->job, "the run is not in the history",
		    "too many wait for the store");
		free_entry(k, oldest);
	}
	keep_post(jobs);
}

void
jobs_keep_afresh(struct jobs *jobs)
{
	struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL)
		if (job->is_state_known)
			job_keep_state(job);
}
