/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync pause and nbdsync resume: whether runs of a job may start.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/annotate.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/job-status.h"
#include "cli/message.h"
#include "cli/output.h"

enum {
	OPTION_ALL = OPTION_OWN,
	OPTION_UNTIL,
	OPTION_REASON,
};

const struct option_row options_pause[] = {
	{ "all", OPTION_ALL, NULL, "all jobs" },
	{ "until", OPTION_UNTIL, "TIME",
	    "resume by itself: at 06:00, or after 2h" },
	{ "reason", OPTION_REASON, "TEXT", "a few words for whoever looks" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print the jobs as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

const struct option_row options_resume[] = {
	{ "all", OPTION_ALL, NULL, "all jobs" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print the jobs as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct request {
	struct control control;
	const char *suffix;		/* "/pause" */
	const char *until;
	const char *reason;
	bool all;
};

/* "06:00" is the next time a clock here shows it. */
static int
read_clock(const char *text, time_t now, time_t *ret_at)
{
	struct tm tm = { .tm_sec = 0 };
	struct tm local;
	const char *rest = strptime(text, "%H:%M", &tm);

	if (rest == NULL || *rest != '\0' || localtime_r(&now, &local) == NULL)
		return -1;
	local.tm_hour = tm.tm_hour;
	local.tm_min = tm.tm_min;
	local.tm_sec = 0;
	local.tm_isdst = -1;
	*ret_at = mktime(&local);
	if (*ret_at <= now) {
		local.tm_mday++;
		local.tm_isdst = -1;
		*ret_at = mktime(&local);
	}
	return 0;
}

static int
read_until(const char *text, char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;
	uint64_t ms;
	time_t at;

	if (read_clock(text, now, &at) < 0) {
		if (units_parse_time_ms(text, &ms) < 0 || ms < 1000)
			return -1;
		at = now + (time_t)(ms / 1000);
	}
	if (gmtime_r(&at, &utc) == NULL)
		return -1;
	return strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0 ? 0 : -1;
}

static int
set_option(struct options *o UNUSED, void *arg, int id, const char *value)
{
	struct request *r = arg;

	if (id == OPTION_ALL)
		r->all = true;
	else if (id == OPTION_UNTIL)
		r->until = value;
	else
		r->reason = value;
	return 0;
}

/* The body of the request, the caller's; NULL: there is none. */
static int
make_body(struct options *o, const struct request *r, char **ret_body)
{
	char until[64];
	json_t *body;

	if (r->until != NULL &&
	    read_until(r->until, until, sizeof until) < 0)
		return options_fail(o, "--until: '%s' is neither a time of "
		    "day, as '06:00', nor how long, as '2h'", r->until);
	body = json_pack("{s:s*, s:s*}", "until",
	    r->until != NULL ? until : NULL, "reason", r->reason);
	if (body == NULL)
		return options_fail(o, "--reason: this is no text in UTF-8");
	*ret_body = json_object_size(body) > 0 ?
	    json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return OPTIONS_END;
}

static void
tell(const struct request *r, const json_t *job)
{
	struct job_status status;

	if (r->control.quiet || r->control.json ||
	    job_status_read(job, &status) < 0)
		return;
	(void)printf("job '%s' is %s\n", status.name,
	    strcmp(r->suffix, "/pause") == 0 ? "paused" : "resumed");
}

static int
ask_one(const struct request *r, const char *name, json_t *list)
{
	json_t *job = NULL;
	int exit_code;

	exit_code = control_ask_job(&r->control, "POST", name, r->suffix, 0,
	    &job);
	if (exit_code != CLI_OK)
		return exit_code;
	tell(r, job);
	(void)json_array_append_new(list, job);
	return CLI_OK;
}

/* All of them are asked; the first that fails makes the exit code. */
static int
ask_all(const struct request *r, json_t *list)
{
	struct control control = r->control;
	json_t *answer = NULL;
	const json_t *job;
	int exit_code;
	size_t i;

	control.body = NULL;
	exit_code = control_ask(&control, "GET", "/v1/jobs", 0, &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	json_array_foreach(json_object_get(answer, "jobs"), i, job) {
		const char *name =
		    json_string_value(json_object_get(job, "job"));
		int one = ask_one(r, name != NULL ? name : "", list);

		if (exit_code == CLI_OK)
			exit_code = one;
	}
	json_decref(answer);
	return exit_code;
}

static int
command_run(const struct command *command, int argc, char **argv,
    const char *suffix)
{
	CLEANUP(cleanup_free) char *body = NULL;
	struct request r = { .suffix = suffix };
	struct options o;
	json_t *list;
	int exit_code;

	if (control_open(&r.control, command, &o, argc, argv, set_option,
	    &r) < 0)
		return o.exit_code;
	if (r.all == (o.argc == 1)) {
		(void)options_fail(&o, "name a job, or --all");
		return o.exit_code;
	}
	if (make_body(&o, &r, &body) < 0)
		return o.exit_code;
	r.control.body = body;
	list = json_array();
	exit_code = r.all ? ask_all(&r, list) : ask_one(&r, o.argv[0], list);
	if (r.control.json &&
	    output_json(json_pack("{s:O}", "jobs", list)) != CLI_OK &&
	    exit_code == CLI_OK)
		exit_code = CLI_ERROR;
	json_decref(list);
	return exit_code;
}

int
command_pause(const struct command *command, int argc, char **argv)
{
	return command_run(command, argc, argv, "/pause");
}

int
command_resume(const struct command *command, int argc, char **argv)
{
	return command_run(command, argc, argv, "/resume");
}
