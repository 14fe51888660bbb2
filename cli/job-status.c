/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the daemon's JSON to a struct.  Fields that are missing are 0 or "":
 * a daemon of another version may know more, or less.
 */
#include "cli/job-status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/output.h"

static uint64_t
get_number(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static enum run_phase
get_phase(const json_t *json)
{
	const char *word = answer_text(json, "phase");

	for (int phase = RUN_CONNECTING; phase <= RUN_FINISHED; phase++) {
		if (strcmp(word, run_phase_name((enum run_phase)phase)) == 0)
			return (enum run_phase)phase;
	}
	return RUN_CONNECTING;
}

static void
read_mirror(const json_t *json, struct run_mirror *m)
{
	m->is_mirror = json_is_object(json);
	m->is_in_sync = json_is_true(json_object_get(json, "in_sync"));
	m->n_complete = get_number(json, "passes_complete");
	m->n_failed = get_number(json, "passes_failed");
	m->consistent_age_ms = get_number(json, "consistent_age_ms");
	m->shrunk_from = get_number(json, "shrunk_from_bytes");
	(void)snprintf(m->failure, sizeof m->failure, "%s", answer_text(json,
	    "failure"));
}

static void
read_progress(const json_t *json, struct run_progress *p)
{
	p->phase = get_phase(json);
	p->stalled_ms = get_number(json, "stalled_ms");
	(void)snprintf(p->trying_again, sizeof p->trying_again, "%s",
	    answer_text(json, "trying_again"));
	p->total_bytes = get_number(json, "total_bytes");
	p->done_bytes = get_number(json, "done_bytes");
	p->read_bytes = get_number(json, "read_bytes");
	p->written_bytes = get_number(json, "written_bytes");
	p->zeroed_bytes = get_number(json, "zeroed_bytes");
	p->trimmed_bytes = get_number(json, "trimmed_bytes");
	p->untouched_bytes = get_number(json, "untouched_bytes");
	p->durable_bytes = get_number(json, "durable_bytes");
	p->failed_bytes = get_number(json, "failed_bytes");
	p->source_size = get_number(json, "source_size_bytes");
	p->destination_size = get_number(json, "destination_size_bytes");
	p->lanes = (unsigned)get_number(json, "connections");
	p->queue_depth = (unsigned)get_number(json, "queue_depth");
	p->request_size = (uint32_t)get_number(json, "request_size_bytes");
	p->rate_limit = get_number(json, "rate_limit_bytes_per_s");
	p->limited_by = answer_text(json, "limited_by");
	p->elapsed_ms = get_number(json, "elapsed_ms");
	p->n_retries = get_number(json, "retries");
	p->n_reconnects = get_number(json, "reconnects");
	p->n_away = (unsigned)get_number(json, "connections_away");
	p->checkpoint_age_ms = get_number(json, "checkpoint_age_ms");
	p->verified_bytes = get_number(json, "verified_bytes");
	p->n_destinations = (unsigned)json_array_size(json_object_get(json,
	    "destinations"));
	if (p->n_destinations > RUN_MAX_DESTINATIONS)
		p->n_destinations = RUN_MAX_DESTINATIONS;
	read_mirror(json_object_get(json, "mirror"), &p->mirror);
}

/* Of the destination that it is most of. */
static uint64_t
read_resumed(const json_t *progress)
{
	uint64_t most = 0;
	const json_t *o;
	size_t i;

	json_array_foreach(json_object_get(progress, "destinations"), i, o) {
		uint64_t n = get_number(o, "resumed_bytes");

		if (n > most)
			most = n;
	}
	return most;
}

/* Is there a destination that has not got all, whatever became of others? */
static bool
lacks_destinations(const json_t *json)
{
	const json_t *failures = json_object_get(json, "destination_failures");
	const json_t *failure;
	size_t i;

	json_array_foreach(failures, i, failure)
		if (json_is_string(failure))
			return true;
	return json_array_size(json_object_get(json, "not_copied")) > 0;
}

void
job_run_read(const json_t *json, struct job_run *run)
{
	const json_t *progress = json_object_get(json, "progress");

	run->id = answer_text(json, "id");
	run->trigger = answer_text(json, "trigger");
	/* One that is not known does what copying does. */
	if (run_mode_parse(answer_text(json, "mode"), &run->mode) < 0)
		run->mode = RUN_COPY;
	run->started_at = answer_text(json, "started_at");
	run->finished_at = answer_text(json, "finished_at");
	run->result = answer_text(json, "result");
	run->failure = answer_text(json_object_get(json, "failure"), "message");
	run->lacks_destinations = lacks_destinations(json);
	run->has_time_left =
	    json_is_integer(json_object_get(progress, "eta_s"));
	run->time_left_s = get_number(progress, "eta_s");
	run->rate = get_number(progress, "rate_bytes_per_s");
	read_progress(progress, &run->progress);
	run->resumed_bytes = read_resumed(progress);
}

/* "a, b, c"; a name that finds no room is left out. */
static void
read_destinations(const json_t *json, struct job_status *status)
{
	const json_t *list = json_object_get(json, "destinations");
	char *to = status->destination;
	size_t used = 0;
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		(void)snprintf(to, sizeof status->destination, "%s",
		    answer_text(json_object_get(json, "destination"),
			"endpoint"));
	json_array_foreach(list, i, item) {
		int n = snprintf(to + used, sizeof status->destination - used,
		    "%s%s", i > 0 ? ", " : "", answer_text(item, "endpoint"));

		if (n < 0 || (size_t)n >= sizeof status->destination - used)
			break;
		used += (size_t)n;
	}
}

const char *
job_status_last(const struct job_status *status, char buf[JOB_LAST_SIZE])
{
	char at[OUTPUT_TIME_SIZE];

	if (status->has_last_run)
		(void)snprintf(buf, JOB_LAST_SIZE, "%s %s",
		    status->last_run.result,
		    output_local_time(status->last_run.finished_at, at));
	/* What was started last is the one that runs. */
	else if (status->last_success_at[0] != '\0' && (status->is_running ||
	    strcmp(status->last_success_at, status->last_started_at) >= 0))
		(void)snprintf(buf, JOB_LAST_SIZE, "succeeded %s",
		    output_local_time(status->last_success_at, at));
	else if (!status->is_running && status->last_started_at[0] != '\0')
		(void)snprintf(buf, JOB_LAST_SIZE, "ran %s",
		    output_local_time(status->last_started_at, at));
	else
		(void)snprintf(buf, JOB_LAST_SIZE, "never ran");
	return buf;
}

int
job_status_read(const json_t *json, struct job_status *ret_status)
{
	const json_t *run = json_object_get(json, "run");
	const json_t *last_run = json_object_get(json, "last_run");
	const json_t *rpo = json_object_get(json, "rpo");
	const json_t *pause = json_object_get(json, "pause");
	struct job_status status = { 0 };

	status.name = answer_text(json, "job");
	status.state = answer_text(json, "state");
	if (status.name[0] == '\0' || status.state[0] == '\0')
		return -EPROTO;
	status.source = answer_text(json_object_get(json, "source"),
	    "endpoint");
	read_destinations(json, &status);
	status.health = answer_text(json, "health");
	status.is_paused = json_is_true(json_object_get(json, "paused"));
	status.pause_reason = answer_text(pause, "reason");
	status.pause_until = answer_text(pause, "until");
	/* It runs no more, but something is left of what did. */
	status.has_rest = strcmp(status.state, "held") == 0 ||
	    json_is_true(json_object_get(pause, "run_goes_on"));
	status.rev = get_number(json, "rev");
	status.has_rpo = json_is_object(rpo);
	status.rpo_age_s = get_number(rpo, "age_s");
	status.rpo_level = answer_text(rpo, "level");
	status.last_started_at = answer_text(json, "last_started_at");
	status.last_success_at = answer_text(json_object_get(json,
	    "last_success"), "finished_at");
	status.next_run_at = answer_text(json, "next_run_at");
	status.rate_limit = get_number(json_object_get(json, "limits"),
	    "rate_bytes_per_s");
	status.is_running = json_is_object(run);
	job_run_read(run, &status.run);
	status.has_last_run = json_is_object(last_run);
	status.is_past_known = json_is_string(json_object_get(json, "uuid"));
	job_run_read(last_run, &status.last_run);
	*ret_status = status;
	return 0;
}

bool
job_status_has_failing_passes(const struct job_status *status)
{
	return status->is_running && status->run.progress.mirror.n_failed > 0;
}
