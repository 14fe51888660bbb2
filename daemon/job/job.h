/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annotate.h"
#include "base/error.h"
#include "base/list.h"
#include "conf/conf.h"
#include "net/loop.h"
#include "runtime/worker.h"
#include "transfer/run.h"

/*
 * The jobs of the daemon: what is configured, which of it runs, how the last
 * run ended.  All of it belongs to the main thread, and no call waits.
 */

struct job;
struct jobs;

#define JOB_RUN_ID_SIZE 40

/* -ENOMEM, ... */
int jobs_new(struct net_loop *loop, struct worker_pool *pool,
    struct jobs **ret_jobs) ON_MAIN;

/* No job may be running. */
void jobs_free(struct jobs *jobs) ON_MAIN;

/*
 * Take over a configuration.  conf stays the caller's and must live until
 * the next jobs_apply() or jobs_free().  Running jobs go on as they were
 * started; one that is no longer configured ends and then vanishes.  What
 * changes is logged.  -ENOMEM: everything is as before.
 */
int jobs_apply(struct jobs *jobs, const struct conf *conf) ON_MAIN;

/*
 * Cancel all runs and start no more.  on_stopped comes once, from the loop,
 * when none is left.
 */
void jobs_stop(struct jobs *jobs, void (*on_stopped)(void *arg),
    void *arg) ON_MAIN;
bool jobs_is_stopping(const struct jobs *jobs) ON_MAIN;

/* In the order of the configuration; job NULL: the first.  NULL: no more. */
struct job *jobs_next(const struct jobs *jobs, const struct job *job) ON_MAIN;
struct job *jobs_find(const struct jobs *jobs, const char *name) ON_MAIN;
size_t jobs_count(const struct jobs *jobs) ON_MAIN;
size_t jobs_count_running(const struct jobs *jobs) ON_MAIN;

/*
 * Be told of every change of state of any job.  Embedded by who watches.
 * The callback may start and cancel jobs, but not add or remove watches.
 */
struct jobs_watch {
	struct list node;
	void (*on_change)(void *arg);
	void *arg;
};

void jobs_add_watch(struct jobs *jobs, struct jobs_watch *watch) ON_MAIN;
void jobs_remove_watch(struct jobs_watch *watch) ON_MAIN;

/*
 * Start a run by the current configuration; trigger, a constant, says what
 * made it start.  -EBUSY: it is running; -ESHUTDOWN: the daemon is stopping;
 * -ENOENT: it is no longer configured; -EINVAL, -ENOMEM.
 */
int job_start(struct job *job, const char *trigger, struct error *e) ON_MAIN;

/* Ask the run to end.  -ESRCH: none is running. */
int job_cancel(struct job *job) ON_MAIN;

/* A job as others see it; what it points to is good until the next event. */
struct job_view {
	const char *name;
	const char *source;
	const char *destination;	/* "a", or "a, b" */
	uint64_t rev;			/* rises with every change */
	bool is_running;
	const char *state;		/* "idle", "connecting", ... */
	/* While running: */
	const char *run_id;
	const char *trigger;
	int64_t started_at_ms;
	struct run_progress progress;
	/* The last run that ended. */
	bool has_last_run;
	enum run_outcome last_outcome;
	json_t *last_run;		/* may be NULL: out of memory */
};

void job_get_view(const struct job *job, struct job_view *ret_view) ON_MAIN;

/*
 * The job as the control API shows it.  A new reference; NULL: out of memory.
 */
json_t *job_to_json(const struct job *job) ON_MAIN;

#endif
