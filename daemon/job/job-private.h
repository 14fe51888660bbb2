/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_JOB_PRIVATE_H
#define JOB_JOB_PRIVATE_H

#include "base/log.h"
#include "base/ranges.h"
#include "job/hooks.h"
#include "job/job.h"
#include "log/messages.h"
#include "runtime/mailbox.h"
#include "schedule/schedule.h"
#include "store/store.h"
#include "transfer/budget.h"
#include "transfer/series.h"
#include "transfer/stats.h"
#include "transfer/progress.h"

/*
 * The inside of a job, and of the table of them: jobs.c has the table, job.c
 * starts runs and ends them, and each of the other files, named below, has one
 * thing that jobs do.
 */

enum job_counter {
	JOB_COUNT_RUNS,
	JOB_COUNT_SUCCEEDED,
	JOB_COUNT_FAILED,		/* also in parts */
	JOB_COUNT_CANCELLED,
	JOB_COUNT_BYTES,
	JOB_COUNTERS,
};

/* What waits for the store. */
struct keep {
	struct list jobs;		/* by keep_node */
	struct list runs;		/* of the history, oldest first */
	size_t run_bytes;
	bool is_adding;			/* one of them is under way */
	unsigned n_posted;		/* calls without an answer yet */
	int error;			/* of the last answer */
	uint64_t again_at_ms;		/* then; of the loop's clock */
};

struct jobs {
	struct net_loop *loop;
	struct worker_pool *pool;
	struct budget *budget;		/* of all runs */
	struct store *store;		/* NULL: nothing is remembered */
	unsigned n_asking;		/* jobs that wait for its answer */
	int64_t answered_at_ms;		/* when the last of them got one */
	struct keep keep;
	struct net_timer store_timer;	/* how long stopping waits for it */
	bool is_storing_last;
	bool is_store_late;
	bool has_stopped;
	struct mailbox *mailbox;	/* where runs report their end */
	const struct conf *conf;
	struct list all;		/* of struct job */
	struct list watches;
	size_t n_running;
	uint64_t rev;			/* the highest one given out */
	unsigned n_runs;		/* started since we are up */
	bool is_stopping;
	struct net_timer schedule_timer;
	struct net_timer tick;
	bool is_ticking;
	struct net_timer trim_timer;	/* memory that nobody needs now */
	struct net_task stopped_task;
	void (*on_stopped)(void *arg);
	void *on_stopped_arg;
};

/* Hooks that tell of something that lasts, see alarm.c; born 0. */
struct job_alarm {
	struct job *job;
	const struct job_alarm_kind *kind;
	struct hooks *hooks;		/* NULL: none runs */
	int told;			/* the level that the last was for */
};

struct job_alarm_kind {
	enum hook_kind hook;
	bool is_of_run;			/* over with the run */
	int (*level)(const struct job *job);	/* now */
	json_t *(*describe)(const struct job *job);	/* on the main thread */
};

/* What of a disk a job reads or writes: some of what is in between. */
struct job_disk {
	uint64_t id;			/* 0: it is none to speak of */
	uint64_t from;
	uint64_t end;
};

struct job_disks {
	uint64_t parts;			/* which are read, and where to they
					   are written */
	struct job_disk source;
	struct job_disk destinations[RUN_MAX_DESTINATIONS];
};

#define JOB_DISKS_SIZE 20		/* of a name for them */

struct job {
	struct list node;
	struct jobs *jobs;
	char name[CONF_NAME_SIZE];
	char source[CONF_NAME_SIZE];
	char destinations[RUN_MAX_DESTINATIONS][CONF_NAME_SIZE];
	unsigned n_destinations;
	char destination_names[RUN_MAX_DESTINATIONS * (CONF_NAME_SIZE + 2)];
	char destinations_id[20];	/* of what these names stand for */
	struct job_disks disks;
	bool is_other_copy;		/* what is at the destination is not
					   what the last success has left */
	uint64_t rev;
	bool is_configured;		/* else it goes when its run ends */

	struct series *run;		/* NULL: idle */
	struct hooks *hooks;		/* of the run; NULL: none */
	struct hooks *late_hooks;	/* of one that an earlier daemon has
					   ended in; NULL: none run */
	bool is_preparing;		/* the hooks before it run */
	bool has_ended;			/* the hooks after it run */
	bool is_cancelled;
	struct job_wish wish;		/* of the run, or of one that goes on
					   after a pause */
	struct run_range *wish_ranges;	/* its ranges */
	struct run_line *wish_line;	/* and what else is ours in it */
	char run_id[JOB_RUN_ID_SIZE];
	char run_uuid[JOB_UUID_SIZE];	/* for others than us */
	const char *trigger;
	int64_t started_at_ms;
	enum run_mode mode;		/* of the run, or as configured */
	bool is_disturbed;		/* another job has written there while
					   the run wrote, or compared */
	bool is_mixed;			/* another one has written to its source
					   meanwhile */
	bool is_outdated;		/* another job has written to one of
					   its disks while it ran */
	int64_t written_at_ms;		/* when a run last began to write */
	int64_t ended_at_ms;		/* when the last run did: what it has
					   kept is not newer */
	bool repairs;			/* the run, if it compares */
	struct progress meter;		/* its rates */
	const char *told_state;		/* that rev stands for */

	struct schedule schedule;
	int64_t schedule_done;		/* seconds; what was due up to then has
					   been dealt with; 0: not yet known */
	int64_t schedule_next;		/* what follows from that */
	uint64_t n_skipped;		/* runs that were due and not started */
	int64_t skipped_at_ms;
	const char *skipped_why;	/* a constant */

	bool is_own;			/* the run was started by us */
	int64_t due_after;		/* then, schedule_done of before; 0:
					   another has started it */
	bool is_due_again;		/* what is due was begun by the daemon
					   before us, which has ended in it */
	bool waits_for_window;		/* its end has ended the run */

	uint64_t rpo_warn_ms;		/* 0: none */
	uint64_t rpo_crit_ms;
	uint64_t rpo_repeat_ms;		/* 0: it is told once */
	int64_t rpo_told_at_ms;
	enum job_health rpo_level;	/* that was told */
	struct job_alarm rpo_alarm;
	int64_t known_since_ms;

	bool has_lost;			/* connections, as the log says */
	uint64_t stalled_after_ms;
	bool is_stall_logged;		/* that the run stands still */
	bool is_stall_told;		/* to hooks, that it does for long */
	struct job_alarm stall_alarm;

	char pass_failure[ERROR_TEXT_SIZE];	/* of passes that fail, as the
						   log says; "": none does */
	uint64_t n_failed_passes;
	uint64_t shrunk_from;		/* of a mirror's source, likewise */
	struct job_alarm pass_alarm;

	bool is_paused;
	char pause_reason[JOB_REASON_SIZE];
	int64_t paused_at_ms;
	int64_t pause_until_ms;		/* 0: until it is resumed */
	uint64_t rate;			/* bytes/s, now; 0: no limit */
	bool has_own_rate;		/* not as configured */
	uint64_t own_rate;
	int64_t own_rate_until_ms;	/* 0: not by itself */
	unsigned own_connections;	/* 0: as configured */
	int64_t own_connections_until_ms;	/* 0: not by itself */
	bool resume_starts;		/* a run was ended by the pause */

	struct run_map last_map;	/* as the last run that has written
					   left it */
	bool is_map_gone;		/* the store's is of what is there no
					   more */
	struct ranges differing;	/* bytes of the source, as comparisons
					   have found */
	bool has_success;
	struct job_success success;
	int64_t verified_at_ms;		/* 0: never */
	struct job_totals totals;	/* of runs that have ended */
	struct job_limits limits;
	struct stats_counts counts;	/* of requests of all runs */
	uint64_t limited_at_ms;		/* of the run, when it was counted */
	bool has_last_run;		/* one that was not skipped */
	uint32_t distrusted;		/* as of a run's spec, */
	char *distrusted_for;		/* which had these destinations, each
					   with a newline; NULL: not known */
	uint32_t late_distrusted;	/* what the run's did not say of it */
	uint32_t others_distrusted;	/* what that said for other jobs */
	int64_t resume_after_ms;	/* as of a run's spec */
	enum run_outcome last_outcome;	/* of those that change what is to be
					   thought of the destination */
	enum run_outcome ended_with;	/* of the last of all */
	bool was_skipped;		/* that, by a hook */
	json_t *report;			/* of the run, while the hooks after it
					   run; NULL: out of memory */
	char *last_run_told;		/* JSON, of the last run, as the status
					   has it; it may be an earlier
					   daemon's.  NULL: none */
	char last_run_id[JOB_RUN_ID_SIZE];
	enum run_mode last_run_mode;

	/* What outlives the daemon. */
	bool is_state_known;		/* the store has answered */
	bool is_asking;
	bool asks_again;		/* the store had no room for it, or
					   could not answer */
	bool has_asked;			/* at least once, not just in line */
	int64_t asked_at_ms;		/* then, or when it came there */
	bool is_pause_known;		/* somebody has paused or resumed it
					   since we are up */
	struct store_job state;
	struct list keep_node;
	bool is_dirty;			/* the store is to get another state */
	bool is_putting;		/* one is on its way */
	bool has_stale;			/* the store is to remove a place to
					   go on from, if no run does */
	bool is_discarding;
	uint64_t counters[JOB_COUNTERS];
};

/* job.c */
/*
 * Log "job 'NAME': ..."; about, or what of it is known, is filled in from the
 * job.
 */
void job_say_about(struct job *job, struct log_about about,
    enum log_level level, const char *fmt, ...) PRINTF(4, 5) ON_MAIN;

#define job_say(job, kind, level, ...)                                        \
	job_say_about(job, (struct log_about){ LOG_HERE,                      \
	    .message = &messages[kind] }, level, __VA_ARGS__)

/* Log that a run could not be started; the sentence names the job. */
void job_say_refused(struct job *job, const struct error *e) ON_MAIN;

struct job *job_new(struct jobs *jobs, const char *name) ON_MAIN;
void job_free(struct job *job) ON_MAIN;

/* disks.c */
/* Show the endpoints that the configuration now has for it. */
void job_refresh(struct job *job, const struct conf *conf) ON_MAIN;

/* The same parts of the same disks? */
bool job_disks_are_same(const struct job_disks *a, const struct job_disks *b);
/* Another one for others. */
void job_name_disks(const struct job_disks *disks,
    char ret_name[JOB_DISKS_SIZE]);

/* shared.c */
/* Its run begins to write, perhaps to disks of other jobs. */
void job_tell_of_writing(struct job *job) ON_MAIN;
/* It has ended. */
void job_tell_of_written(struct job *job, const struct run_result *result)
    ON_MAIN;
/* Its run begins, perhaps while those of others write there. */
void job_look_for_writers(struct job *job) ON_MAIN;
/* Runs of other jobs write to its disks now. */
bool job_is_written_by_others(const struct job *job) ON_MAIN;
/* To its destinations. */
bool job_has_other_writer(const struct job *job);
/* When they last began to; 0: never.  INT64_MAX: that is not known yet. */
int64_t job_written_by_others_at_ms(const struct job *job) ON_MAIN;
/* Whether its runs write, as it is now. */
bool job_writes(const struct job *job);

/* wish.c */
/* Keep a wish.  -ENOMEM: the last one is kept. */
int job_take_wish(struct job *job, const struct job_wish *wish) ON_MAIN;
void job_forget_wish(struct job *job) ON_MAIN;
/* For the store; NULL: out of memory. */
json_t *job_wish_to_json(const struct job *job) ON_MAIN;
/* What that has made.  -EINVAL: nothing of ours, -ENOMEM. */
int job_take_stored_wish(struct job *job, const json_t *o) ON_MAIN;
/* The run is of a part only: its success says nothing of the whole. */
bool job_is_partial(const struct job *job);
/* The ranges of the wish, as far as the job has them; -ERANGE, -ENOMEM. */
int job_cut_ranges(const struct job_wish *wish, const struct conf_job *cj,
    struct run_range **ret_ranges, size_t *ret_n, struct error *e);

/* job.c */
/* As job_cancel(), but what is left may go on.  -ESRCH: there is no run. */
int job_end_run(struct job *job) ON_MAIN;
/* Start with the wish that is kept. */
int job_go_on(struct job *job, const char *trigger, struct error *e) ON_MAIN;

/* rate.c */
/* Go as fast as is wished, or set, or as the configuration now says. */
void job_apply_rate(struct job *job, const struct conf *conf) ON_MAIN;
/* The same for all jobs together, at this time of the day. */
void jobs_apply_rate(struct jobs *jobs, const struct conf *conf) ON_MAIN;
/* See whether another rate is over. */
void job_tick_rate(struct job *job) ON_MAIN;

/* memory.c */
/* Ask the store what it knows of this job; nothing without a store. */
void job_recall(struct job *job) ON_MAIN;
/* The same, if it could not answer. */
void job_ask_again(struct job *job) ON_MAIN;

/* last-run.c */
/* Tell this of the last run; NULL: out of memory. */
void job_tell_last_run(struct job *job, const json_t *report) ON_MAIN;
/* For the answer of store_get_job(). */
void job_recall_on_store(struct store_call *call);
/* What that has made, unless a run has ended since: run and map, or the map
 * alone. */
void job_take_last_run(struct job *job, const struct store_call *call) ON_MAIN;
void job_take_last_map(struct job *job, const struct store_call *call) ON_MAIN;

/* kept-map.c */
/* The map of a job over a restart. */
struct job_kept_map {
	struct run_map map;
	struct ranges differing;
	char disks[JOB_DISKS_SIZE];
};

/* NULL: out of memory. */
char *job_map_to_text(const struct job *job) ON_MAIN;
/* kept is all 0.  What that has not made, and NULL, is no map. */
void job_kept_map_read(struct job_kept_map *kept, const char *text);
void job_kept_map_done(struct job_kept_map *kept);
void job_take_kept_map(struct job *job, struct job_kept_map *kept) ON_MAIN;

/* memory.c */
/* A run has ended, as job->report says. */
void job_remember(struct job *job, const struct run_result *result) ON_MAIN;
/* What was due up to then has been dealt with. */
void job_keep_fire(struct job *job, int64_t done_s) ON_MAIN;
/* It has been paused or resumed. */
void job_keep_pause(struct job *job) ON_MAIN;
/* Add the UUID and counters to what job_to_json() makes, and return it. */
json_t *job_add_memory(const struct job *job, json_t *o) ON_MAIN;

/* begun.c */
/* For its notes, the run that is under way. */
json_t *job_begun_to_json(const struct job *job) ON_MAIN;
/*
 * true: the last run is the one that its notes tell of as under way, and not
 * the newest in the history, which call has.  Its hooks run, then: the job is
 * stopping until they have ended.
 */
bool job_take_begun(struct job *job, const struct store_call *call) ON_MAIN;

/* memory.c */
/* Put what the job is now into state; -ENOMEM: it is as it was. */
int job_write_notes(struct job *job) ON_MAIN;

/* keep.c */
/* What the store is to have, however often it has to be asked. */
void keep_init(struct keep *keep) ON_MAIN;
void keep_done(struct keep *keep) ON_MAIN;
/* Something of it has changed. */
void job_keep_state(struct job *job) ON_MAIN;
/* The same of what somebody has asked for: before what others wait with. */
void job_keep_state_first(struct job *job) ON_MAIN;
/* The same of what decides whether the store is to have it. */
void job_keep_on(struct job *job) ON_MAIN;
/* run is taken over. */
void jobs_keep_run(struct jobs *jobs, struct store_run *run) ON_MAIN;
/* Post what waits, as far as there is room. */
void keep_post(struct jobs *jobs) ON_MAIN;
/* Is this the time for one call more, of max? */
bool keep_has_room(const struct jobs *jobs, unsigned max) ON_MAIN;
/* The store has refused another call. */
void keep_note_failure(struct jobs *jobs, int error) ON_MAIN;
void keep_note_success(struct jobs *jobs) ON_MAIN;
bool keep_needs_tick(const struct jobs *jobs) ON_MAIN;
/* There is something that the store may still take. */
bool keep_waits(const struct jobs *jobs) ON_MAIN;
/* Now is the time, and not in a second. */
void keep_hurry(struct jobs *jobs) ON_MAIN;

/* trim.c */
/* Give memory back when nothing runs for a while. */
int trim_init(struct jobs *jobs) ON_MAIN;
void trim_later(struct jobs *jobs) ON_MAIN;

/* jobs.c */
/* Look at all jobs twice a second, while one of them needs it. */
void jobs_start_tick(struct jobs *jobs) ON_MAIN;
/* Give the job a new rev and tell the watches. */
void jobs_changed(struct jobs *jobs, struct job *job) ON_MAIN;

/* schedule.c */
/* The configuration has this job. */
void job_set_schedule(struct job *job, const struct conf_job *cj) ON_MAIN;
void jobs_on_schedule_timer(void *jobs);
/* The store has said up to when an earlier daemon has dealt with it. */
void job_take_fire(struct job *job, int64_t done_s, uint64_t schedule_id)
    ON_MAIN;
/* The run ends since the daemon does, or has: it is due again.  done: its
 * due_after. */
void job_make_due_again(struct job *job, int64_t done) ON_MAIN;
/* What is to go on has to wait for that: it is seen to.  false: it may. */
bool job_hold_for_window(struct job *job) ON_MAIN;
/* See whether its window has closed, or opened. */
void job_look_at_window(struct job *job) ON_MAIN;
/* Seconds; -1: it runs when it is told to. */
int64_t job_next_run(const struct job *job) ON_MAIN;

/* result.c */
/* Log how the run has ended. */
void job_log_result(struct job *job, const struct run_result *result) ON_MAIN;
/*
 * The same as report_result_cut(), with the run's names.  NULL: out of memory.
 */
json_t *job_result_to_json(const struct job *job,
    const struct run_result *result);
/* The run, as hooks are told of it. */
json_t *job_describe_run(const struct job *job) ON_MAIN;
/*
 * The same of one that has ended, with its report, and all that its lists were
 * cut of; NULL: out of memory.
 */
json_t *job_describe_result(const struct job *job, const json_t *report,
    const struct run_result *result) ON_MAIN;

/* lost.c */
/* See whether connections were lost, or are back. */
void job_look_at_losses(struct job *job, const struct run_progress *p) ON_MAIN;

/* alarm.c */
/* The level has changed, or is told once more. */
void job_alarm(struct job *job, struct job_alarm *alarm,
    const struct job_alarm_kind *kind) ON_MAIN;

/* stalled.c */
void job_set_stalled(struct job *job, const struct conf_job *cj) ON_MAIN;
/* Another run begins. */
void job_reset_stall(struct job *job) ON_MAIN;
/* See whether the run stands still, or no longer. */
void job_look_at_stall(struct job *job, const struct run_progress *p) ON_MAIN;

/* passes.c */
/* Another run begins. */
void job_reset_passes(struct job *job) ON_MAIN;
/* See whether passes of a mirror fail, or no longer. */
void job_look_at_passes(struct job *job, const struct run_progress *p)
    ON_MAIN;
/* The last one has, and the run goes on. */
bool job_has_failing_passes(const struct job *job);

/* spec.c */
/* Of the next run; what it points to lives with the job and configuration. */
void job_make_spec(struct job *job, const struct conf_job *cj,
    struct run_spec *ret_spec) ON_MAIN;

/* distrust.c */
/* A run has ended. */
void job_note_distrust(struct job *job, const struct run_result *result)
    ON_MAIN;
/* It goes: those that it does not trust are for others to write anew. */
void job_leave_distrust(struct job *job) ON_MAIN;
/*
 * For a run with these destinations: those that this job or others do not
 * trust, as of a spec.  -ENOMEM.
 */
int job_get_distrusted(struct job *job, const char *const names[], unsigned n,
    uint32_t *ret_distrusted) ON_MAIN;
/* What the store knows, and of which destinations: as distrusted_for. */
void job_take_distrusted(struct job *job, uint32_t distrusted,
    const char *list) ON_MAIN;
/* See whether one has refused a flush while the run goes on. */
void job_look_at_distrust(struct job *job, const struct run_progress *p)
    ON_MAIN;

/* differing.c */
/* A run has ended: what it says of what differs. */
void job_note_differing(struct job *job, const struct run_result *result)
    ON_MAIN;
/* *ret_map, which is empty, becomes map with that marked.  -ENOMEM. */
int job_mark_differing(const struct job *job, const struct run_map *map,
    struct run_map *ret_map);

/* success.c */
bool job_is_success(enum run_outcome outcome);
/* The run has ended. */
void job_note_success(struct job *job, const struct run_result *result)
    ON_MAIN;
/* See whether another pass of a mirror is complete. */
void job_look_at_mirror(struct job *job, const struct run_progress *p) ON_MAIN;

/* rpo.c */
void job_set_rpo(struct job *job, const struct conf_job *cj) ON_MAIN;
/* See whether it is violated, or no longer. */
void job_look_at_rpo(struct job *job) ON_MAIN;
uint64_t job_rpo_age_ms(const struct job *job);
uint64_t job_rpo_next_ms(const struct job *job);
/* null: there is none. */
json_t *job_rpo_to_json(const struct job *job) ON_MAIN;

/* schedule.c */
/* null: it runs when it is told to. */
json_t *job_schedule_to_json(const struct job *job) ON_MAIN;

/* status.c */
/* Look at it: rates, a state that has changed, the end of a pause. */
void job_tick(struct job *job) ON_MAIN;
/* What others are told now. */
void job_remember_state(struct job *job) ON_MAIN;

/* pause.c */
/* A pause has ended its run, the pause is over, and it is idle: start it. */
void job_start_again(struct job *job) ON_MAIN;

/* status.c */
/* There is something to look at twice a second. */
bool job_needs_tick(const struct job *job);

/* A run has ended with this. */
void job_count(struct job *job, const struct run_result *result) ON_MAIN;

/* jobs.c */
/* Something has come to rest: if we are stopping, has everything? */
void jobs_look_at_stopping(struct jobs *jobs) ON_MAIN;

/* A run of job has ended and is gone, or the hooks after one that an earlier
 * daemon has ended in have; the job may go, too. */
void jobs_on_job_idle(struct jobs *jobs, struct job *job) ON_MAIN;

#endif
