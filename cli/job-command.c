/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/job-command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/copy-words.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/wait.h"

#define PROGRESS_EVERY_MS 60000

/* value, stolen, becomes part of the request; what is wrong, it says. */
static int
put(struct options *o, struct job_command *jc, const char *key, json_t *value)
{
	if (jc->body == NULL)
		jc->body = json_object();
	/* There is no value of text that is no UTF-8. */
	if (json_object_set_new(jc->body, key, value) < 0)
		return options_fail(o, "%s: this is no text in UTF-8", key);
	return 0;
}

/* Bytes of the source only: where they go, the job says. */
static int
put_range(struct options *o, struct job_command *jc, const char *value)
{
	json_t *list = json_object_get(jc->body, "ranges");
	struct run_range range;
	json_t *range_json;
	struct error e;

	if (copy_range_parse(value, &range, &e) < 0)
		return options_fail(o, "--range: %s", e.text);
	if (range.to != range.from)
		return options_fail(o, "--range: '%s': where it is at the "
		    "destination, the job says", value);
	range_json = json_pack("{s:I}", "from", (json_int_t)range.from);
	if (range.length != RUN_LENGTH_ALL)
		(void)json_object_set_new(range_json, "length",
		    json_integer((json_int_t)range.length));
	if (list == NULL)
		return put(o, jc, "ranges", json_pack("[o]", range_json));
	(void)json_array_append_new(list, range_json);
	return 0;
}

static int
check_wait_for(struct options *o, const char *value)
{
	if (strcmp(value, "done") == 0 || strcmp(value, "idle") == 0 ||
	    strcmp(value, "in-sync") == 0)
		return 0;
	return options_fail(o, "--for: '%s' is none of done, idle and in-sync",
	    value);
}

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct job_command *jc = arg;

	switch (id) {
	case JOB_COMMAND_FULL:
		return put(o, jc, "full", json_true());
	case JOB_COMMAND_FORCE:
		return put(o, jc, "force", json_true());
	case JOB_COMMAND_REPAIR:
		return put(o, jc, "repair", json_true());
	case JOB_COMMAND_STORED:
		return put(o, jc, "stored", json_true());
	case JOB_COMMAND_VERIFY:
		return put(o, jc, "verify", json_true());
	case JOB_COMMAND_FOR:
		jc->wait_for = value;
		return check_wait_for(o, value);
	case JOB_COMMAND_MODE:
		return put(o, jc, "mode", json_string(value));
	case JOB_COMMAND_RATE:
		return put(o, jc, "rate", json_string(value));
	case JOB_COMMAND_REASON:
		return put(o, jc, "reason", json_string(value));
	case JOB_COMMAND_SAMPLE:
		return put(o, jc, "sample", json_string(value));
	case JOB_COMMAND_RANGE:
		return put_range(o, jc, value);
	case OPTION_WAIT:
		jc->wait = true;
		return 0;
	case JOB_COMMAND_PROGRESS:
		jc->progress_ms = PROGRESS_EVERY_MS;
		return value == NULL ? 0 : options_time(o, "progress", value,
		    &jc->progress_ms);
	default:
		return options_time(o, "timeout", value, &jc->timeout_ms);
	}
}

/* OPTIONS_STOP: the command ends with *ret_exit_code. */
static int
open_command(struct job_command *jc, const struct command *command, int argc,
    char **argv, int *ret_exit_code)
{
	struct options o;
	int r;

	r = control_open(&jc->control, command, &o, argc, argv, set_option,
	    jc);
	if (r == OPTIONS_END && jc->timeout_ms > 0 && !jc->wait)
		r = options_fail(&o, "--timeout is of use with --wait only");
	if (r == OPTIONS_END && jc->progress_ms > 0 && !jc->wait)
		r = options_fail(&o, "--progress is of use with --wait only");
	if (r == OPTIONS_END)
		jc->job = o.argv[0];
	*ret_exit_code = o.exit_code;
	return r;
}

static bool
waits_for(const struct job_command *jc, const char *what)
{
	return jc->wait_for != NULL && strcmp(jc->wait_for, what) == 0;
}

/* Where progress is shown. */
static enum bar_mode
bar_mode_of(const struct job_command *jc)
{
	if (jc->control.quiet)
		return BAR_OFF;
	if (bar_has_terminal())
		return BAR_TERMINAL;
	return jc->progress_ms > 0 ? BAR_LINES : BAR_OFF;
}

static int
wait_for_end(struct job_command *jc)
{
	struct wait wait = {
		.control = &jc->control,
		.job = jc->job,
		.run_id = waits_for(jc, "in-sync") ? NULL :
		    job_command_run_id(jc),
		.timeout_ms = jc->timeout_ms,
		.bar_mode = bar_mode_of(jc),
		.bar_every_ms = jc->progress_ms,
	};
	int exit_code;
	int r;

	r = signals_open(&jc->control.interrupt_fd);
	if (r < 0) {
		message(jc->control.command, "cannot watch for signals: %s",
		    strerror(-r));
		return CLI_ERROR;
	}
	exit_code = wait.run_id != NULL ? wait_for_run(&wait, &jc->end) :
	    wait_for_sync(&wait, &jc->end);
	if (exit_code == CLI_OK)
		/* It has been read before. */
		(void)job_status_read(jc->end, &jc->status);
	return exit_code;
}

static int
ask(struct job_command *jc, const char *suffix)
{
	CLEANUP(cleanup_free) char *text = NULL;
	int exit_code;

	if (jc->body != NULL) {
		text = json_dumps(jc->body, JSON_COMPACT);
		if (text == NULL) {
			message(jc->control.command, "out of memory, or an "
			    "option is no UTF-8");
			return CLI_USAGE;
		}
	}
	jc->control.body = text;
	exit_code = control_ask_job(&jc->control, "POST", jc->job, suffix, 0,
	    &jc->answer);
	jc->control.body = NULL;
	return exit_code;
}

int
job_command_run(struct job_command *jc, const struct command *command,
    int argc, char **argv, const char *suffix, bool *ret_is_over)
{
	int exit_code;

	memset(jc, 0, sizeof *jc);
	*ret_is_over = true;
	if (open_command(jc, command, argc, argv, &exit_code) < 0)
		return exit_code;
	exit_code = ask(jc, suffix);
	/* One without a name has ended with another daemon. */
	if (exit_code == CLI_OK && jc->wait &&
	    job_command_run_id(jc)[0] != '\0')
		exit_code = wait_for_end(jc);
	*ret_is_over = exit_code != CLI_OK;
	return exit_code;
}

/* How long the daemon may take to read what it knew before it started. */
#define PAST_WAIT_S 5

/* How the job is, and how its last run has ended, if none is under way. */
static int
ask_how_it_is(struct job_command *jc)
{
	uint64_t until_ms = UINT64_MAX;
	char suffix[64] = "";
	uint64_t now_ms;
	int exit_code;

	/* An answer may come early, for another change of the job. */
	do {
		json_decref(jc->answer);
		jc->answer = NULL;
		exit_code = control_ask_job(&jc->control, "GET", jc->job,
		    suffix, PAST_WAIT_S, &jc->answer);
		if (exit_code != CLI_OK ||
		    job_status_read(jc->answer, &jc->status) < 0 ||
		    jc->status.is_running || jc->status.has_last_run ||
		    jc->status.is_past_known || waits_for(jc, "idle"))
			return exit_code;
		now_ms = bar_now_ms();
		if (until_ms == UINT64_MAX)
			until_ms = now_ms + PAST_WAIT_S * UINT64_C(1000);
		(void)snprintf(suffix, sizeof suffix, "?wait=%d&since=%"
		    PRIu64, PAST_WAIT_S, jc->status.rev);
	} while (now_ms < until_ms);
	message(jc->control.command, "how job '%s' ended before the daemon "
	    "started is not known yet: its state directory is slow, or "
	    "cannot be used", jc->job);
	return CLI_TRANSIENT;
}

int
job_command_wait(struct job_command *jc, const struct command *command,
    int argc, char **argv, bool *ret_is_over)
{
	int exit_code;

	memset(jc, 0, sizeof *jc);
	jc->wait = true;
	*ret_is_over = true;
	if (open_command(jc, command, argc, argv, &exit_code) < 0)
		return exit_code;
	if (waits_for(jc, "in-sync")) {
		exit_code = wait_for_end(jc);
		*ret_is_over = exit_code != CLI_OK;
		return exit_code;
	}
	exit_code = ask_how_it_is(jc);
	if (exit_code == CLI_OK && jc->status.is_running) {
		jc->run_id = jc->status.run.id;
		exit_code = wait_for_end(jc);
	}
	*ret_is_over = exit_code != CLI_OK;
	return exit_code;
}

void
job_command_done(struct job_command *jc)
{
	json_decref(jc->body);
	json_decref(jc->answer);
	json_decref(jc->end);
	if (jc->control.interrupt_fd >= 0)
		(void)close(jc->control.interrupt_fd);
}

const char *
job_command_run_id(const struct job_command *jc)
{
	const char *id = json_string_value(json_object_get(jc->answer, "run"));

	if (jc->run_id != NULL)
		return jc->run_id;
	return id != NULL ? id : "";
}

int
job_command_fail(const struct job_command *jc)
{
	message(jc->control.command, "job '%s' failed: %s", jc->job,
	    jc->status.last_run.failure);
	return CLI_RUN_FAILED;
}

/*
 * "vm1 as of 2026-11-23 02:41:10: 10.0 GiB copied ...": what the source had
 * when the run began is there.
 */
static void
tell_success(const struct job_command *jc)
{
	const struct job_run *run = &jc->status.last_run;
	char at[OUTPUT_TIME_SIZE];
	char before[128];
	struct bar bar;

	(void)snprintf(before, sizeof before, "%s as of %s: ", jc->job,
	    output_local_time(run->started_at, at));
	output_make_printable(before);
	bar_init(&bar, bar_mode_of(jc), 0, 0);
	bar_finish(&bar, before, run->mode, &run->progress);
}

int
job_command_tell_result(const struct job_command *jc)
{
	const char *result = jc->status.last_run.result;
	bool lacks_some = jc->status.last_run.lacks_destinations;

	if (strcmp(result, run_outcome_name(RUN_SUCCEEDED)) == 0 ||
	    strcmp(result, run_outcome_name(RUN_STOPPED)) == 0 ||
	    strcmp(result, run_outcome_name(RUN_REPAIRED)) == 0) {
		tell_success(jc);
		return CLI_OK;
	}
	if (strcmp(result, run_outcome_name(RUN_PARTIAL)) == 0) {
		message(jc->control.command, "job '%s': some destinations "
		    "failed: see 'nbdsync report %s'", jc->job,
		    jc->status.last_run.id);
		return CLI_WARNINGS;
	}
	if (strcmp(result, run_outcome_name(RUN_BAD_RANGES)) == 0) {
		message(jc->control.command, "job '%s': some ranges could not "
		    "be copied%s: see 'nbdsync report %s'", jc->job,
		    lacks_some ? ", and some destinations failed" : "",
		    jc->status.last_run.id);
		return lacks_some ? CLI_WARNINGS : CLI_BAD_RANGES;
	}
	if (strcmp(result, run_outcome_name(RUN_DIFFERENT)) == 0) {
		message(jc->control.command, "job '%s': the disks differ: see "
		    "'nbdsync diff %s'", jc->job, jc->job);
		return CLI_DIFFERENT;
	}
	if (strcmp(result, run_outcome_name(RUN_CANCELLED)) == 0) {
		message(jc->control.command, "job '%s' was cancelled",
		    jc->job);
		return CLI_CANCELLED;
	}
	if (strcmp(result, "skipped") == 0) {
		message(jc->control.command, "job '%s': a hook had the run "
		    "skipped", jc->job);
		return CLI_OK;
	}
	return job_command_fail(jc);
}

int
job_command_print_json(struct job_command *jc, int exit_code)
{
	json_t *said = jc->end != NULL ? jc->end : jc->answer;

	if (jc->control.json && output_json(json_incref(said)) != CLI_OK &&
	    exit_code == CLI_OK)
		return CLI_ERROR;
	return exit_code;
}
