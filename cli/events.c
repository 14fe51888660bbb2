/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync events: what happens in the daemon, while it happens.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/signals.h"

#define SILENCE_MS 30000		/* the daemon speaks every 10 s */

enum {
	OPTION_SINCE = OPTION_OWN,
	OPTION_JOB,
};

const struct option_row options_events[] = {
	{ "job", OPTION_JOB, "JOB", "of this job only" },
	{ "since", OPTION_SINCE, "SEQ|TIME",
	    "begin behind this event, or TIME, not with what is" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print the daemon's lines, JSON each" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct listening {
	struct control control;
	const char *job;
	char since[32];			/* as the daemon takes it, or "" */
};

/* What has happened in between is no longer known. */
static void
print_gap(const json_t *o)
{
	(void)printf("%-19s  events %" JSON_INTEGER_FORMAT " to %"
	    JSON_INTEGER_FORMAT " are no longer kept\n", "gap",
	    json_integer_value(json_object_get(o, "from")),
	    json_integer_value(json_object_get(o, "to")));
}

/* "2026-11-23 02:13:05  vm1  run.started  idle -> connecting" */
static void
print_event(const json_t *o)
{
	const char *event = answer_text(o, "event");
	const char *state =
	    answer_text(json_object_get(o, "status"), "state");
	char at[OUTPUT_TIME_SIZE] = "now";
	char line[512];

	if (strcmp(event, "heartbeat") == 0 || strcmp(event, "live") == 0)
		return;
	if (strcmp(event, "gap") == 0) {
		print_gap(o);
		return;
	}
	if (answer_text(o, "at")[0] != '\0')
		(void)output_local_time(answer_text(o, "at"), at);
	if (strcmp(event, "snapshot") == 0)
		(void)snprintf(line, sizeof line, "%-19s  %s  %s", at,
		    answer_text(o, "job"), state);
	else if (answer_text(o, "job")[0] == '\0')
		(void)snprintf(line, sizeof line, "%-19s  %s", at, event);
	else
		(void)snprintf(line, sizeof line, "%-19s  %s  %s  %s -> %s",
		    at, answer_text(o, "job"), event, answer_text(o, "old"),
		    answer_text(o, "new"));
	output_make_printable(line);
	(void)puts(line);
}

static int
on_line(void *arg, char *line)
{
	const struct listening *l = arg;
	json_t *o;

	if (l->control.json) {
		(void)puts(line);
	} else {
		o = json_loads(line, 0, NULL);
		print_event(o);
		json_decref(o);
	}
	/* Nobody reads any more: that is the end, and no error. */
	return fflush(stdout) == 0 ? 0 : 1;
}

/* The number of an event, or a time. */
static int
read_since(struct options *o, const char *value, char *buf, size_t size)
{
	unsigned number;
	struct tm tm;
	time_t at;

	if (value[strspn(value, "0123456789")] == '\0') {
		if (options_number(o, "since", value, 1U << 31, &number) < 0)
			return OPTIONS_STOP;
		(void)snprintf(buf, size, "%u", number);
		return 0;
	}
	if (options_past(o, "since", value, &at) < 0)
		return OPTIONS_STOP;
	if (gmtime_r(&at, &tm) == NULL ||
	    strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return options_fail(o, "--since: '%s' is no time", value);
	return 0;
}

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct listening *l = arg;

	if (id == OPTION_SINCE)
		return read_since(o, value, l->since, sizeof l->since);
	l->job = value;
	return 0;
}

int
command_events(const struct command *command, int argc, char **argv)
{
	struct listening l = { .job = NULL };
	char target[256] = "/v1/events?";
	char job[128];
	struct options o;
	size_t used;
	int exit_code;

	if (control_open(&l.control, command, &o, argc, argv, set_option,
	    &l) < 0)
		return o.exit_code;
	used = strlen(target);
	if (l.since[0] != '\0')
		used += (size_t)snprintf(target + used, sizeof target - used,
		    "since=%s&", l.since);
	if (l.job != NULL) {
		if (http_encode_segment(l.job, job, sizeof job) < 0) {
			message(command, "there is no job '%s'", l.job);
			return CLI_NO_JOB;
		}
		(void)snprintf(target + used, sizeof target - used, "job=%s",
		    job);
	}
	if (signals_open(&l.control.interrupt_fd) < 0)
		l.control.interrupt_fd = -1;
	exit_code = control_follow(&l.control, target, SILENCE_MS, on_line,
	    &l);
	if (l.control.interrupt_fd >= 0)
		(void)close(l.control.interrupt_fd);
	return exit_code;
}
