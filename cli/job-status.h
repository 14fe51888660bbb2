/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_JOB_STATUS_H
#define CLI_JOB_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "transfer/run.h"

/*
 * A job as the control API shows it.  Texts belong to the JSON they were read
 * from, and are "" where it has none; they are not yet fit for a terminal.
 */

/* What is told of a run that goes on, or of one that has ended. */
struct job_run {
	const char *id;
	const char *trigger;
	enum run_mode mode;
	const char *started_at;
	const char *finished_at;	/* ended */
	const char *result;		/* ended: "succeeded", ... */
	const char *failure;		/* ended, failed: the sentence */
	struct run_progress progress;
	bool lacks_destinations;	/* some have failed, or lack a tail */
	uint64_t resumed_bytes;		/* that an earlier run had done */
	uint64_t rate;			/* bytes a second: now, or the mean
					   of one that has ended */
	bool has_time_left;
	uint64_t time_left_s;
};

struct job_status {
	const char *name;
	const char *state;
	const char *source;
	char destination[1024];		/* their names, with commas */
	uint64_t rev;
	const char *health;
	bool is_paused;
	const char *pause_reason;
	const char *pause_until;
	bool has_rest;			/* a run is to go on later */
	bool has_rpo;
	uint64_t rpo_age_s;		/* of the last success */
	const char *rpo_level;		/* "ok", "warn", "crit" */
	const char *next_run_at;
	uint64_t rate_limit;		/* bytes a second; 0: none */
	bool is_running;
	struct job_run run;
	bool has_last_run;
	struct job_run last_run;
	const char *last_started_at;	/* of any run, also before a restart
					   of the daemon */
	const char *last_success_at;	/* likewise */
	bool is_past_known;		/* else the daemon has not read yet
					   what there was before it started */
};

#define JOB_LAST_SIZE 96

/*
 * How it ran last: "failed 2026-11-23 02:41:10", or, where only an earlier
 * daemon knows the rest, "ran 2026-11-23 02:00:00"; "never ran".
 */
const char *job_status_last(const struct job_status *status,
    char buf[JOB_LAST_SIZE]);

/* It mirrors, and the last pass has failed. */
bool job_status_has_failing_passes(const struct job_status *status);

/* A run as the daemon tells it, or the report of one; of NULL all is empty. */
void job_run_read(const json_t *json, struct job_run *ret_run);

/* 0, or -EPROTO: that is no job. */
int job_status_read(const json_t *json, struct job_status *ret_status);

#endif
