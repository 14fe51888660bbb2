/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of jobs: what a configuration puts in and takes out, and what
 * concerns all of them, such as stopping.
 */

#include "job/job-private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define TICK_MS	      500
/* How long stopping waits for what the store has not been told yet. */
#define STORE_WAIT_MS 5000

static void
jobs_run_stopped(void *arg)
{
	struct jobs *jobs = arg;

	jobs->on_stopped(jobs->on_stopped_arg);
}

/*
 * Start from the clock: a client that waits for "a rev above N" over a
 * restart of the daemon must not wait for a counter to catch up.
 */
static uint64_t
first_rev(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000;
}

static void
jobs_on_store_late(void *arg)
{
	struct jobs *jobs = arg;

	on_main_entry();
	jobs->is_store_late = true;
	jobs_look_at_stopping(jobs);
}

static void
jobs_on_tick(void *arg)
{
	struct jobs *jobs = arg;
	struct job *job = NULL;
	bool again = false;

	on_main_entry();
	if (jobs->conf->daemon.rate_table.n > 0)
		jobs_apply_rate(jobs, jobs->conf);
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_tick(job);
		again = again || job_needs_tick(job);
	}
	keep_post(jobs);
	again = again || keep_needs_tick(jobs);
	jobs->is_ticking = again;
	if (again)
		net_timer_start(&jobs->tick, TICK_MS);
}

int
jobs_new(struct net_loop *loop, struct worker_pool *pool,
    struct jobs **ret_jobs)
{
	CLEANUP(cleanup_free) struct jobs *jobs = calloc(1, sizeof *jobs);
	int r;

	if (jobs == NULL)
		return -ENOMEM;
	list_init(&jobs->all);
	list_init(&jobs->watches);
	keep_init(&jobs->keep);
	jobs->loop = loop;
	jobs->pool = pool;
	jobs->rev = first_rev();
	r = net_task_init(&jobs->stopped_task, loop, jobs_run_stopped, jobs);
	if (r < 0)
		return r;
	r = net_timer_init(&jobs->tick, loop, jobs_on_tick, jobs);
	if (r == 0)
		r = trim_init(jobs);
	if (r == 0)
		r = budget_new(&jobs->budget);
	if (r == 0)
		r = net_timer_init(&jobs->schedule_timer, loop,
		    jobs_on_schedule_timer, jobs);
	if (r == 0)
		r = net_timer_init(&jobs->store_timer, loop,
		    jobs_on_store_late, jobs);
	if (r == 0)
		r = mailbox_new(loop, &jobs->mailbox);
	if (r < 0) {
		budget_free(jobs->budget);
		net_timer_done(&jobs->store_timer);
		net_timer_done(&jobs->trim_timer);
		net_timer_done(&jobs->tick);
		net_timer_done(&jobs->schedule_timer);
		net_task_done(&jobs->stopped_task);
		return r;
	}
	*ret_jobs = STEAL(jobs);
	return 0;
}

void
jobs_free(struct jobs *jobs)
{
	struct job *job;

	if (jobs == NULL)
		return;
	assert(jobs->n_running == 0);
	while ((job = jobs_next(jobs, NULL)) != NULL)
		job_free(job);
	keep_done(&jobs->keep);
	mailbox_free(jobs->mailbox);
	budget_free(jobs->budget);
	net_task_done(&jobs->stopped_task);
	net_timer_done(&jobs->tick);
	net_timer_done(&jobs->schedule_timer);
	net_timer_done(&jobs->store_timer);
	net_timer_done(&jobs->trim_timer);
	free(jobs);
}

struct job *
jobs_next(const struct jobs *jobs, const struct job *job)
{
	struct list *next = job == NULL ? jobs->all.next : job->node.next;

	return next == &jobs->all ? NULL : list_entry(next, struct job, node);
}

struct job *
jobs_find(const struct jobs *jobs, const char *name)
{
	struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL)
		if (strcmp(job->name, name) == 0)
			return job;
	return NULL;
}

struct job *
jobs_find_run(const struct jobs *jobs, const char *id)
{
	struct job *job = NULL;

	while ((job = jobs_next(jobs, job)) != NULL)
		if (job->run != NULL && strcmp(job->run_id, id) == 0)
			return job;
	return NULL;
}

size_t
jobs_count(const struct jobs *jobs)
{
	struct job *job = NULL;
	size_t n = 0;

	while ((job = jobs_next(jobs, job)) != NULL)
		n++;
	return n;
}

const struct budget *
jobs_budget(const struct jobs *jobs)
{
	return jobs->budget;
}

size_t
jobs_count_running(const struct jobs *jobs)
{
	return jobs->n_running;
}

void
jobs_add_watch(struct jobs *jobs, struct jobs_watch *watch)
{
	list_append(&jobs->watches, &watch->node);
}

void
jobs_remove_watch(struct jobs_watch *watch)
{
	list_remove(&watch->node);
}

void
jobs_tell_watches(const struct jobs *jobs)
{
	for (struct list *node = jobs->watches.next; node != &jobs->watches;
	    node = node->next) {
		struct jobs_watch *watch =
		    list_entry(node, struct jobs_watch, node);

		watch->on_change(watch->arg);
	}
}

static void
tell_watches_of(const struct jobs *jobs, const struct job *job,
    const char *old_state) ON_MAIN
{
	for (struct list *node = jobs->watches.next; node != &jobs->watches;
	    node = node->next) {
		struct jobs_watch *watch =
		    list_entry(node, struct jobs_watch, node);

		if (watch->on_job != NULL)
			watch->on_job(watch->arg, job, old_state,
			    job->told_state);
	}
}

void
jobs_tell_event(struct jobs *jobs, const struct job *job, const char *event)
{
	for (struct list *node = jobs->watches.next; node != &jobs->watches;
	    node = node->next) {
		struct jobs_watch *watch =
		    list_entry(node, struct jobs_watch, node);

		if (watch->on_event != NULL)
			watch->on_event(watch->arg, job, event);
	}
}

void
jobs_start_tick(struct jobs *jobs)
{
	if (jobs->is_ticking)
		return;
	jobs->is_ticking = true;
	net_timer_start(&jobs->tick, TICK_MS);
}

void
jobs_changed(struct jobs *jobs, struct job *job)
{
	const char *old_state = job->told_state;

	job->rev = ++jobs->rev;
	job_remember_state(job);
	tell_watches_of(jobs, job, old_state);
	if (job_needs_tick(job))
		jobs_start_tick(jobs);
	jobs_tell_watches(jobs);
}

void
jobs_on_job_idle(struct jobs *jobs, struct job *job)
{
	if (--jobs->n_running == 0)
		trim_later(jobs);
	job_refresh(job, jobs->conf);
	/* First tell, then forget: who waits for the result gets it. */
	jobs_changed(jobs, job);
	job_keep_on(job);
	job_look_at_rpo(job);
	job_start_again(job);
	if (!job->is_configured) {
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO,
		    "is no longer configured and now gone");
		job_leave_distrust(job);
		job_free(job);
		jobs_tell_watches(jobs);
	}
	jobs_look_at_stopping(jobs);
}

/* Most often conf has the jobs in the order of the last one. */
static struct job *
find_after(const struct jobs *jobs, const struct job *last, const char *name)
    ON_MAIN
{
	struct job *next = jobs_next(jobs, last);

	if (next != NULL && strcmp(next->name, name) == 0)
		return next;
	return jobs_find(jobs, name);
}

/* Make the jobs that conf has and we have not, on a list of their own. */
static int
make_missing(struct jobs *jobs, const struct conf *conf,
    struct list *made) ON_MAIN
{
	struct job *last = NULL;

	for (size_t i = 0; i < conf->n_jobs; i++) {
		const char *name = conf->jobs[i].name;
		struct job *job = find_after(jobs, last, name);

		if (job != NULL) {
			last = job;
			continue;
		}
		job = job_new(jobs, name);
		if (job == NULL)
			return -ENOMEM;
		list_append(made, &job->node);
	}
	return 0;
}

static void
free_list(struct list *l) ON_MAIN
{
	while (!list_is_empty(l))
		job_free(list_entry(l->next, struct job, node));
}

static void
move_all(struct list *from, struct list *to)
{
	struct list *node;

	while ((node = list_take_first(from)) != NULL)
		list_append(to, node);
}

/* conf has this job.  Say what is new, except when everything is. */
static void
keep(struct jobs *jobs, const struct conf *conf, struct job *job) ON_MAIN
{
	bool is_new = !job->is_configured;

	if (!is_new && conf_job_is_same(jobs->conf, conf, job->name))
		return;
	job->is_configured = true;
	job->rev = ++jobs->rev;
	if (jobs->conf == NULL)
		return;
	/* Nobody has told it of what others have written meanwhile. */
	if (is_new && job->run == NULL)
		job->resume_after_ms = job_now_ms();
	if (is_new)
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO, "configured");
	else
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO,
		    "changed%s", job->run == NULL ?
		    "" : "; it counts from the next run");
}

/* conf does not have this job. */
static void
drop(struct job *job) ON_MAIN
{
	if (job->run == NULL && job->late_hooks == NULL) {
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO,
		    "no longer configured");
		job_leave_distrust(job);
		job_free(job);
	} else if (job->is_configured) {
		job_say(job, MSG_JOB_CHANGED, LOG_LEVEL_INFO,
		    "no longer configured; it goes when its "
		    "run ends");
		job->is_configured = false;
	}
}

/* Bring the table into the order of conf, what it lacks at the end. */
static void
reorder(struct jobs *jobs, const struct conf *conf) ON_MAIN
{
	struct list sorted;

	list_init(&sorted);
	for (size_t i = 0; i < conf->n_jobs; i++) {
		struct job *job = jobs_find(jobs, conf->jobs[i].name);

		/* make_missing() was here. */
		assert(job != NULL);
		list_remove(&job->node);
		list_append(&sorted, &job->node);
	}
	move_all(&jobs->all, &sorted);
	move_all(&sorted, &jobs->all);
}

int
jobs_apply(struct jobs *jobs, const struct conf *conf)
{
	struct list made;
	struct job *job, *next;
	const struct conf_job *cj;
	int r;

	list_init(&made);
	r = make_missing(jobs, conf, &made);
	if (r < 0) {
		free_list(&made);
		return r;
	}
	move_all(&made, &jobs->all);
	reorder(jobs, conf);
	for (job = jobs_next(jobs, NULL); job != NULL; job = next) {
		next = jobs_next(jobs, job);
		job_refresh(job, conf);
		job_apply_rate(job, conf);
		job_recall(job);
		cj = conf_find_job(conf, job->name);
		if (cj != NULL) {
			keep(jobs, conf, job);
			job_set_schedule(job, cj);
			job_set_rpo(job, cj);
			job_set_stalled(job, cj);
		} else {
			drop(job);
		}
	}
	jobs_apply_rate(jobs, conf);
	budget_set_memory(jobs->budget, conf->daemon.memory_max);
	jobs->conf = conf;
	/* Soon, from the loop. */
	net_timer_start(&jobs->schedule_timer, 0);
	trim_later(jobs);
	jobs_tell_watches(jobs);
	return 0;
}

bool
jobs_is_stopping(const struct jobs *jobs)
{
	return jobs->is_stopping;
}

void
jobs_stop(struct jobs *jobs, void (*on_stopped)(void *arg), void *arg)
{
	struct job *job = NULL;

	jobs->is_stopping = true;
	jobs->on_stopped = on_stopped;
	jobs->on_stopped_arg = arg;
	while ((job = jobs_next(jobs, job)) != NULL)
		(void)job_end_run(job);
	jobs_look_at_stopping(jobs);
}

void
jobs_look_at_stopping(struct jobs *jobs)
{
	if (!jobs->is_stopping || jobs->has_stopped || jobs->n_running > 0)
		return;
	/* What the last run has left is to be stored yet. */
	if (!jobs->is_storing_last) {
		jobs->is_storing_last = true;
		net_timer_start(&jobs->store_timer, STORE_WAIT_MS);
		keep_hurry(jobs);
		return;
	}
	if (!jobs->is_store_late && keep_waits(jobs))
		return;
	jobs->has_stopped = true;
	net_timer_stop(&jobs->store_timer);
	net_task_schedule(&jobs->stopped_task);
}
