/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync events: what happens in the daemon, while it happens.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
	{ "since", OPTION_SINCE, "SEQ",
	    "begin behind this event, not with what is" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print the daemon's lines, JSON each" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct listening {
	struct control control;
	const char *job;
	unsigned since;
	bool has_since;
	bool json;
};

static const char *
text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "";
}

/* "2026-11-23 02:13:05  vm1  run.started  idle -> connecting" */
static void
print_event(const json_t *o)
{
	const char *event = text_of(o, "event");
	const char *state =
	    text_of(json_object_get(o, "status"), "state");
	char at[OUTPUT_TIME_SIZE] = "now";
	char line[512];

	if (strcmp(event, "heartbeat") == 0 || strcmp(event, "live") == 0)
		return;
	if (text_of(o, "at")[0] != '\0')
		(void)output_local_time(text_of(o, "at"), at);
	if (strcmp(event, "snapshot") == 0)
		(void)snprintf(line, sizeof line, "%-19s  %s  %s", at,
		    text_of(o, "job"), state);
	else if (text_of(o, "job")[0] == '\0')
		(void)snprintf(line, sizeof line, "%-19s  %s", at, event);
	else
		(void)snprintf(line, sizeof line, "%-19s  %s  %s  %s -> %s",
		    at, text_of(o, "job"), event, text_of(o, "old"),
		    text_of(o, "new"));
	output_make_printable(line);
	(void)puts(line);
}

static int
on_line(void *arg, char *line)
{
	const struct listening *l = arg;
	json_t *o;

	if (l->json) {
		(void)puts(line);
	} else {
		o = json_loads(line, 0, NULL);
		print_event(o);
		json_decref(o);
	}
	/* Nobody reads any more: that is the end, and no error. */
	return fflush(stdout) == 0 ? 0 : 1;
}

static int
read_options(struct options *o, struct listening *l)
{
	const char *value = NULL;
	int id;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		if (id == OPTION_JOB) {
			l->job = value;
		} else if (id == OPTION_SINCE) {
			if (options_number(o, "since", value, 1U << 31,
			    &l->since) < 0)
				return OPTIONS_STOP;
			l->has_since = true;
		} else if (id == OPTION_JSON) {
			l->json = true;
		} else {
			l->control.socket_path = value;
		}
	}
	return id;
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

	control_init(&l.control, command);
	options_init(&o, command, argc, argv);
	if (read_options(&o, &l) < 0)
		return o.exit_code;
	used = strlen(target);
	if (l.has_since)
		used += (size_t)snprintf(target + used, sizeof target - used,
		    "since=%u&", l.since);
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
