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
#include "job/hooks.h"
#include "net/loop.h"
#include "runtime/mailbox.h"
#include "runtime/worker.h"
#include "store/store.h"
#include "transfer/budget.h"
#include "transfer/run-map.h"
#include "transfer/run.h"

/*
 * The jobs of the daemon: what is configured, which of it runs, how the last
 * run ended.  All of it belongs to the main thread, and no call waits.
 */

struct job;
struct jobs;
struct stats_counts;

#define JOB_RUN_ID_SIZE 40
#define JOB_UUID_SIZE	37
#define JOB_REASON_SIZE 128

/* The result of a run that a hook did not want. */
#define JOB_SKIPPED "skipped"

/* So many differences, bad ranges, and gaps the status tells of. */
#define JOB_LIST_MAX 100

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
 * Where to remember what has to outlive the daemon; jobs that come ask it
 * as well.  It lives until it is replaced by NULL, or jobs_free().
 */
void jobs_set_store(struct jobs *jobs, struct store *store) ON_MAIN;
/* The store has lost all it had: it gets what is known. */
void jobs_keep_afresh(struct jobs *jobs) ON_MAIN;
/* NULL: there is none. */
struct store *jobs_store(const struct jobs *jobs) ON_MAIN;
/* Of the main thread; for answers of the store. */
struct mailbox *jobs_mailbox(const struct jobs *jobs) ON_MAIN;

/*
 * Cancel all runs and start no more.  on_stopped comes once, from the loop,
 * when none is left.
 */
void jobs_stop(struct jobs *jobs, void (*on_stopped)(void *arg),
    void *arg) ON_MAIN;
bool jobs_is_stopping(const struct jobs *jobs) ON_MAIN;

/* Start, or skip, all runs that are due at this time; a timer does that. */
void jobs_look_at_schedules(struct jobs *jobs, int64_t now_s) ON_MAIN;

/* In the order of the configuration; job NULL: the first.  NULL: no more. */
struct job *jobs_next(const struct jobs *jobs, const struct job *job) ON_MAIN;
struct job *jobs_find(const struct jobs *jobs, const char *name) ON_MAIN;
/* The one that this run is under way of; NULL: none. */
struct job *jobs_find_run(const struct jobs *jobs, const char *id) ON_MAIN;
size_t jobs_count(const struct jobs *jobs) ON_MAIN;
/* What its runs share. */
const struct budget *jobs_budget(const struct jobs *jobs) ON_MAIN;
size_t jobs_count_running(const struct jobs *jobs) ON_MAIN;

/*
 * Be told of every change of state of any job.  Embedded by who watches.
 * The callback may start and cancel jobs, but not add or remove watches.
 */
struct jobs_watch {
	struct list node;
	void (*on_change)(void *arg);
	/* Before it, where a job has changed; both are constants.  Optional. */
	void (*on_job)(void *arg, const struct job *job, const char *old_state,
	    const char *new_state);
	/* Something that is no change of state; a constant.  Optional. */
	void (*on_event)(void *arg, const struct job *job, const char *event);
	void *arg;
};

void jobs_add_watch(struct jobs *jobs, struct jobs_watch *watch) ON_MAIN;
void jobs_tell_event(struct jobs *jobs, const struct job *job,
    const char *event) ON_MAIN;
void jobs_tell_watches(const struct jobs *jobs) ON_MAIN;
void jobs_remove_watch(struct jobs_watch *watch) ON_MAIN;

/* What one run is to be that is not as configured. */
struct job_wish {
	bool has_mode;
	enum run_mode mode;
	bool is_full;			/* go on from nothing that an earlier
					   run has done */
	bool has_rate;
	uint64_t rate;			/* until it ends, or another is set */
	char reason[JOB_REASON_SIZE];	/* for whoever looks, or "" */
	const struct run_range *ranges;	/* only these bytes of the source, as
					   far as the job has them; their "to"
					   does not count */
	size_t n_ranges;
	uint32_t sample_ppm;		/* of what is compared; 0: all */
	bool verify;			/* read back what is written */
	bool has_repair;
	bool repair;			/* of verify: write what differs */
	const struct run_line *line;	/* of verify: what a run has written,
					   instead of the source; or NULL */
};

/*
 * Has the store been asked just now what there is to know of it, and not
 * answered yet?  Then nothing is done by itself, and what is asked for waits:
 * it may be paused, or have run already.
 */
bool job_is_unknown(const struct job *job) ON_MAIN;
/* Is that so of one of them? */
bool jobs_have_unknown(const struct jobs *jobs) ON_MAIN;

/*
 * Start a run by the current configuration; trigger, a constant, says what
 * made it start; wish may be NULL.  -EBUSY: it is running; -ESHUTDOWN: the
 * daemon is stopping; -ECANCELED: it is paused; -ENOENT: it is no longer
 * configured; -ERANGE: the job has nothing of these ranges; -EINVAL, -ENOMEM.
 */
int job_start(struct job *job, const char *trigger,
    const struct job_wish *wish, struct error *e) ON_MAIN;

/*
 * Ask the run to end, for good: what a pause has ended, or the end of the
 * window, does not go on.  -ESRCH: there is nothing of that.
 */
int job_cancel(struct job *job) ON_MAIN;
/* The same, without waiting for what is in flight; also after it. */
int job_abort(struct job *job) ON_MAIN;

/*
 * No run starts until the job is resumed: now, or at until_ms (real time; 0:
 * not by itself).  A run that goes on is ended; resuming starts it again.
 * reason may be NULL.  Pausing again changes reason and time.
 */
void job_pause(struct job *job, const char *reason, int64_t until_ms) ON_MAIN;
/* Does nothing to a job that is not paused. */
void job_resume(struct job *job) ON_MAIN;

/*
 * Go as fast as this from now on, until until_ms (real time; 0: not by
 * itself), and not as configured.
 */
void job_set_rate(struct job *job, uint64_t rate, int64_t until_ms) ON_MAIN;
/* As configured again. */
void job_reset_rate(struct job *job) ON_MAIN;

/*
 * Use so many connections to each side from the next run on, until until_ms
 * (as above); 0: as configured.
 */
void job_set_connections(struct job *job, unsigned n,
    int64_t until_ms) ON_MAIN;

/* Real time. */
int64_t job_now_ms(void);

/* The last run that succeeded. */
struct job_success {
	char run_id[JOB_RUN_ID_SIZE];
	int64_t finished_at_ms;
	uint64_t duration_ms;
	uint64_t copied_bytes;
};

#define JOB_LIMITS 16

/* For how long something has limited the runs. */
struct job_limits {
	struct {
		const char *name;	/* NULL: none of this place yet */
		uint64_t ms;
	} v[JOB_LIMITS];
};

/* Since the daemon started; they only grow. */
struct job_totals {
	uint64_t runs[RUN_OUTCOMES];	/* that ended so */
	uint64_t read_bytes;		/* from the source */
	uint64_t written_bytes;		/* to the destination, and so on */
	uint64_t zeroed_bytes;
	uint64_t trimmed_bytes;
	uint64_t equal_bytes;
	uint64_t differing_bytes;
	uint64_t repaired_bytes;
	uint64_t verified_bytes;	/* looked at, to compare them */
	uint64_t checkpoint_failures;
	uint64_t reconnects;
	uint64_t retries;
	uint64_t failed_bytes;		/* skipped */
	uint64_t resumed_bytes;		/* that an earlier run had done */
	uint64_t hooks[HOOK_KINDS][HOOK_RESULTS];
	uint64_t skipped_runs;
	uint64_t log_messages[LOG_LEVEL_DEBUG + 1];
};

/* Each is worse than those before it. */
enum job_health {
	JOB_UNKNOWN,			/* it never ran */
	JOB_OK,
	JOB_WARN,
	JOB_CRIT,
};

const char *job_health_name(enum job_health health);

/* All that the state of a view may be; NULL at the end. */
extern const char *const job_states[];

/* A job as others see it; what it points to is good until the next event. */
struct job_view {
	const char *name;
	const char *source;
	const char *destination;	/* "a", or "a, b" */
	const char *destinations_id;	/* another if they are others, though
					   of the same names */
	uint64_t rev;			/* rises with every change */
	bool is_running;
	const char *state;		/* "idle", "connecting", ... */
	const char *run_id;		/* of the last one; or "" */
	/* While running: */
	const char *run_uuid;
	const char *trigger;
	const char *reason;		/* or "" */
	bool is_partial;		/* not of all that the job has */
	int64_t started_at_ms;
	int64_t last_started_at_ms;	/* of any run; 0: none */
	int64_t verified_at_ms;		/* when all of it was last found to be
					   right; 0: never */
	struct run_progress progress;
	/* The last run that ended. */
	bool has_last_run;		/* one that was not skipped */
	enum run_outcome last_outcome;	/* of those that say something of all
					   of the destination */
	enum run_outcome ended_with;	/* of the last of all */
	bool was_skipped;		/* that, by a hook */
	const char *last_run;		/* JSON, perhaps an earlier daemon's;
					   NULL: none, or out of memory */
	const char *last_run_id;	/* or "" */
	enum run_mode last_run_mode;	/* if there is one */
	const struct job_success *success;	/* NULL: none is known */
	enum run_mode mode;
	enum job_health health;
	bool is_consistent;		/* the destination is what the source
					   was at some time */
	uint64_t rpo_age_ms;		/* of the last success */
	uint64_t rpo_warn_ms;		/* 0: no such limit */
	uint64_t rpo_crit_ms;
	int64_t next_run_at_s;		/* by itself; -1: not */
	bool is_paused;
	bool goes_on;			/* with a run, when that is over */
	const char *pause_reason;	/* or "" */
	int64_t paused_at_ms;
	int64_t pause_until_ms;		/* 0: not by itself */
	uint64_t rate;			/* bytes a second, now */
	uint64_t rate_limit;		/* the same, at most; 0: none */
	const char *uuid;		/* or "" */
	const struct job_limits *limits;	/* while it runs, what has
						   limited it */
	const struct stats_counts *counts;	/* of requests */
	bool has_time_left;
	uint64_t time_left_ms;
	bool is_time_left_good;		/* it has been measured for a while */
	uint64_t stalled_ms;		/* 0: it goes on */
	struct job_totals totals;	/* with those of the run */
};

/*
 * Notice what the run has come to by itself, and tell the watches: before a
 * view, so that rev stands for all that it shows.
 */
void job_look(struct job *job) ON_MAIN;

void job_get_view(const struct job *job, struct job_view *ret_view) ON_MAIN;

/*
 * Of the run, or of the last one that has written; size 0: nothing is known.
 * -ENOMEM.
 */
int job_get_map(const struct job *job, struct run_map *ret_map) ON_MAIN;

/*
 * The job as the control API shows it, one line of JSON with the members of
 * more, which may be NULL, and is taken.  NULL: out of memory.
 */
char *job_to_text(const struct job *job, json_t *more) ON_MAIN;
/* And the connections of its run, a list; likewise. */
json_t *job_connections_to_json(const struct job *job) ON_MAIN;

#endif
