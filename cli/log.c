/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync log: what the daemon has logged last, and logs now.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/signals.h"

#define LIMIT_MAX 4096

enum {
	OPTION_FOLLOW = 'f',
	OPTION_LIMIT = OPTION_OWN,
	OPTION_LEVEL,
};

const struct option_row options_log[] = {
	{ "follow", OPTION_FOLLOW, NULL, "go on with what is logged now" },
	{ "level", OPTION_LEVEL, "LEVEL",
	    "up to error, warning, info or debug" },
	{ "limit", OPTION_LIMIT, "N", "show at most N old messages (1000)" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print JSON, with --follow a line each" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct request {
	struct control control;
	const char *level;
	unsigned limit;			/* 0: as the daemon has it */
	bool is_followed;
};

/* "2026-11-23 02:13:05  warning  job 'vm1': ..." */
static void
print_message(const json_t *o)
{
	char at[OUTPUT_TIME_SIZE];
	char line[4096];

	(void)snprintf(line, sizeof line, "%s  %-7s  %s",
	    output_local_time(answer_text(o, "at"), at),
	    answer_text(o, "level"), answer_text(o, "message"));
	output_make_printable(line);
	(void)puts(line);
}

static int
on_line(void *arg, char *line)
{
	const struct request *r = arg;
	json_t *o;

	if (r->control.json) {
		(void)puts(line);
	} else {
		o = json_loads(line, 0, NULL);
		print_message(o);
		json_decref(o);
	}
	/* Nobody reads any more: that is the end, and no error. */
	return fflush(stdout) == 0 ? 0 : 1;
}

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct request *r = arg;

	switch (id) {
	case OPTION_FOLLOW:
		r->is_followed = true;
		return 0;
	case OPTION_LEVEL:
		r->level = value;
		return 0;
	default:
		return options_number(o, "limit", value, LIMIT_MAX,
		    &r->limit);
	}
}

/* "20261123T021305120-7", as the daemon names runs. */
static bool
is_run(const char *name)
{
	static const char form[] = "ddddddddTddddddddd-d";
	size_t i;

	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)name[i]) :
		    name[i] != form[i])
			return false;
	return true;
}

/* Of all, of a job, or of a run.  An exit code. */
static int
make_target(const struct request *r, const char *name, char *buf, size_t size)
{
	char encoded[128];
	size_t used;

	if (name != NULL && http_encode_segment(name, encoded,
	    sizeof encoded) < 0) {
		message(r->control.command, "there is no job '%s'", name);
		return CLI_NO_JOB;
	}
	if (name == NULL)
		used = (size_t)snprintf(buf, size, "/v1/log?");
	else if (is_run(name))
		used = (size_t)snprintf(buf, size, "/v1/runs/%s/log?",
		    encoded);
	else
		used = (size_t)snprintf(buf, size, "/v1/log?job=%s&", encoded);
	if (r->level != NULL && http_encode_segment(r->level, encoded,
	    sizeof encoded) == 0)
		used += (size_t)snprintf(buf + used, size - used,
		    "level=%s&", encoded);
	if (r->limit > 0)
		used += (size_t)snprintf(buf + used, size - used,
		    "limit=%u&", r->limit);
	if (r->is_followed)
		(void)snprintf(buf + used, size - used, "follow=1");
	else
		buf[used - 1] = '\0';
	return CLI_OK;
}

static int
follow(struct request *r, const char *target)
{
	int exit_code;

	if (signals_open(&r->control.interrupt_fd) < 0)
		r->control.interrupt_fd = -1;
	/* There may be nothing to say for days. */
	exit_code = control_follow(&r->control, target, 0, on_line, r);
	if (r->control.interrupt_fd >= 0)
		(void)close(r->control.interrupt_fd);
	return exit_code;
}

static int
show(const struct request *r, const char *target)
{
	json_t *answer = NULL;
	const json_t *o;
	int exit_code;
	size_t i;

	exit_code = control_ask(&r->control, "GET", target, 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (r->control.json)
		return output_json(answer);
	json_array_foreach(json_object_get(answer, "messages"), i, o)
		print_message(o);
	json_decref(answer);
	return CLI_OK;
}

int
command_log(const struct command *command, int argc, char **argv)
{
	struct request r = { .level = NULL };
	char target[512];
	struct options o;
	int exit_code;

	if (control_open(&r.control, command, &o, argc, argv, set_option,
	    &r) < 0)
		return o.exit_code;
	exit_code = make_target(&r, o.argc == 1 ? o.argv[0] : NULL, target,
	    sizeof target);
	if (exit_code != CLI_OK)
		return exit_code;
	return r.is_followed ? follow(&r, target) : show(&r, target);
}
