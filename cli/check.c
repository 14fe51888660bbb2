/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync check: one line and an exit status, as Nagios and its kin want
 * them.  Here, and here only, the status is 0, 1, 2 or 3.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/output.h"

enum check_state {
	CHECK_OK,
	CHECK_WARNING,
	CHECK_CRITICAL,
	CHECK_UNKNOWN,
};

const struct option_row options_check[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print what was found as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct finding {
	enum check_state state;
	unsigned counts[CHECK_UNKNOWN + 1];	/* jobs by state */
	unsigned n_running;
	const json_t *rpo;		/* of the job that was seen last */
	char worst[384];		/* a job, and why */
};

static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

/* A job that never ran is no reason to worry, unless its RPO says so. */
static enum check_state
state_of(const char *health)
{
	if (strcmp(health, "ok") == 0 || strcmp(health, "unknown") == 0)
		return CHECK_OK;
	if (strcmp(health, "warn") == 0)
		return CHECK_WARNING;
	return strcmp(health, "crit") == 0 ? CHECK_CRITICAL : CHECK_UNKNOWN;
}

/* NULL: none, or the job has nothing to do with it. */
static const char *
failure_of_mirror(const json_t *job)
{
	return json_string_value(json_object_get(json_object_get(
	    json_object_get(json_object_get(job, "run"), "progress"),
	    "mirror"), "failure"));
}

/* In the words of the worst there is. */
static void
tell_why(const json_t *job, const json_t *rpo, char *buf, size_t size)
{
	const char *result =
	    answer_text(json_object_get(job, "last_run"), "result");
	const char *failure = failure_of_mirror(job);

	if (json_is_true(json_object_get(rpo, "violated")))
		(void)snprintf(buf, size, "RPO violated");
	else if (failure != NULL)
		(void)snprintf(buf, size, "passes fail: %s", failure);
	else
		(void)snprintf(buf, size, "%s", result[0] != '\0' ? result :
		    answer_text(job, "state"));
}

static void
add_job(struct finding *f, const json_t *job)
{
	enum check_state state = state_of(answer_text(job, "health"));
	char why[256];

	f->counts[state]++;
	f->rpo = json_object_get(job, "rpo");
	if (json_is_object(json_object_get(job, "run")))
		f->n_running++;
	if (state <= f->state)
		return;
	f->state = state;
	tell_why(job, f->rpo, why, sizeof why);
	(void)snprintf(f->worst, sizeof f->worst, "%s: %s",
	    answer_text(job, "job"), why);
	output_make_printable(f->worst);
}

static void
print_line(const struct finding *f)
{
	(void)printf("NBDSYNC %s - ", words[f->state]);
	if (f->worst[0] != '\0')
		(void)printf("%s; ", f->worst);
	(void)printf("%u ok, %u warning, %u critical, %u running | ok=%u "
	    "warning=%u critical=%u running=%u", f->counts[CHECK_OK],
	    f->counts[CHECK_WARNING], f->counts[CHECK_CRITICAL], f->n_running,
	    f->counts[CHECK_OK], f->counts[CHECK_WARNING],
	    f->counts[CHECK_CRITICAL], f->n_running);
}

/* Of one job: "rpo_age=84715s;93600;180000", as plugins have it. */
static void
print_rpo(const struct finding *f)
{
	const json_t *warn = json_object_get(f->rpo, "warn_s");
	const json_t *crit = json_object_get(f->rpo, "crit_s");

	if (!json_is_object(f->rpo))
		return;
	(void)printf(" rpo_age=%" JSON_INTEGER_FORMAT "s;",
	    json_integer_value(json_object_get(f->rpo, "age_s")));
	if (json_is_integer(warn))
		(void)printf("%" JSON_INTEGER_FORMAT,
		    json_integer_value(warn));
	(void)putchar(';');
	if (json_is_integer(crit))
		(void)printf("%" JSON_INTEGER_FORMAT,
		    json_integer_value(crit));
}

static int
tell_unknown(bool as_json, const char *why)
{
	if (as_json)
		(void)output_json(json_pack("{s:s, s:s}", "state", "UNKNOWN",
		    "worst", why));
	else
		(void)printf("NBDSYNC UNKNOWN - %s\n", why);
	return CHECK_UNKNOWN;
}

int
command_check(const struct command *command, int argc, char **argv)
{
	struct finding f = { .state = CHECK_OK };
	struct control control;
	json_t *json = NULL;
	const json_t *job;
	struct options o;
	int exit_code;
	size_t i;

	if (control_open(&control, command, &o, argc, argv, NULL, NULL) < 0)
		return o.exit_code == CLI_OK ? CLI_OK : CHECK_UNKNOWN;
	exit_code = o.argc == 1 ?
	    control_ask_job(&control, "GET", o.argv[0], "", 0, &json) :
	    control_ask(&control, "GET", "/v1/jobs", 0, &json);
	if (exit_code != CLI_OK)
		return tell_unknown(control.json, exit_code == CLI_NO_JOB ?
		    "there is no such job" : "the daemon cannot be asked");
	if (o.argc == 1)
		add_job(&f, json);
	json_array_foreach(json_object_get(json, "jobs"), i, job)
		add_job(&f, job);
	if (!control.json) {
		print_line(&f);
		if (o.argc == 1)
			print_rpo(&f);
		(void)putchar('\n');
	} else {
		(void)output_json(json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}",
		    "state", words[f.state], "worst", f.worst, "ok",
		    (int)f.counts[CHECK_OK], "warning",
		    (int)f.counts[CHECK_WARNING], "critical",
		    (int)f.counts[CHECK_CRITICAL], "running",
		    (int)f.n_running));
	}
	json_decref(json);
	return (int)f.state;
}
