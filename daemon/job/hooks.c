/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks run one at a time, without a shell, in an environment made from
 * nothing.  Before the run the first that fails ends the row; after it a
 * failure is a line in the log, and the next one has its turn.
 */

#include "job/hooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "log/messages.h"
#include "conf/read.h"
#include "net/command.h"
#include "transfer/report.h"

#define GRACE_MS    5000
#define LINES_MAX   200
#define HOOK_PATH   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:" \
	"/sbin:/bin"
#define N_VARIABLES 16

static const char *const kind_names[HOOK_KINDS] = {
	[HOOK_PRE] = "pre",
	[HOOK_POST] = "post",
	[HOOK_FAILURE] = "on_failure",
	[HOOK_RPO] = "on_rpo",
	[HOOK_STALLED] = "on_stalled",
	[HOOK_MIRROR_FAILING] = "on_mirror_failing",
};

struct step {
	enum hook_kind kind;
	char endpoint[CONF_NAME_SIZE];	/* "": it is the job's */
	char **argv;
};

struct hooks {
	struct net_loop *loop;
	struct hooks_events events;
	char job[CONF_NAME_SIZE];
	struct step *steps;		/* in the order of their running */
	size_t n_steps;
	size_t at;			/* the next one */
	enum hook_kind last;		/* of those that are to run now */
	bool is_stopped;
	uint64_t timeout_ms;
	json_t *run;
	struct net_command *command;	/* NULL: none runs */
	struct net_task next;
	unsigned n_lines;
	enum hooks_verdict verdict;
	struct error why;
};

static int
add_one(struct hooks *hooks, enum hook_kind kind, const char *endpoint,
    const struct conf_words *words)
{
	struct step *step = reallocarray(hooks->steps, hooks->n_steps + 1,
	    sizeof *step);

	if (step == NULL)
		return -ENOMEM;
	hooks->steps = step;
	step += hooks->n_steps;
	step->kind = kind;
	(void)snprintf(step->endpoint, sizeof step->endpoint, "%s", endpoint);
	step->argv = calloc(words->n + 1, sizeof *step->argv);
	if (step->argv == NULL)
		return -ENOMEM;
	hooks->n_steps++;
	for (size_t i = 0; i < words->n; i++) {
		step->argv[i] = strdup(words->v[i]);
		if (step->argv[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int
add(struct hooks *hooks, enum hook_kind kind, const char *endpoint,
    const struct conf_hooks *commands)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < commands->n; i++)
		r = add_one(hooks, kind, endpoint, &commands->v[i]);
	return r;
}

/* The job's endpoints, the source first. */
static unsigned
get_endpoints(const struct conf *conf, const struct conf_job *job,
    const struct conf_endpoint *v[1 + RUN_MAX_DESTINATIONS])
{
	const char *names[RUN_MAX_DESTINATIONS];
	unsigned n = conf_job_destinations(job, names);

	v[0] = conf_find_endpoint(conf, job->source);
	for (unsigned i = 0; i < n; i++)
		v[1 + i] = conf_find_endpoint(conf, names[i]);
	return 1 + n;
}

static int
add_all(struct hooks *hooks, const struct conf *conf,
    const struct conf_job *job)
{
	const struct conf_endpoint *v[1 + RUN_MAX_DESTINATIONS];
	unsigned n = get_endpoints(conf, job, v);
	int r = add(hooks, HOOK_PRE, "", &job->pre);

	for (unsigned i = 0; r == 0 && i < n; i++)
		r = add(hooks, HOOK_PRE, v[i]->name, &v[i]->pre);
	for (unsigned i = n; r == 0 && i-- > 0;)
		r = add(hooks, HOOK_POST, v[i]->name, &v[i]->post);
	if (r == 0)
		r = add(hooks, HOOK_POST, "", &job->post);
	if (r == 0)
		r = add(hooks, HOOK_FAILURE, "", &job->on_failure);
	return r;
}

/* Those of an alarm: of the job, and not of a run. */
static int
add_alarm(struct hooks *hooks, const struct conf_job *job,
    enum hook_kind kind)
{
	return add(hooks, kind, "", kind == HOOK_RPO ? &job->on_rpo :
	    kind == HOOK_STALLED ? &job->on_stalled :
				   &job->on_mirror_failing);
}

const char *
hook_kind_name(enum hook_kind kind)
{
	return kind_names[kind];
}

const char *
hook_result_name(enum hook_result result)
{
	static const char *const names[HOOK_RESULTS] = {
		[HOOK_SUCCEEDED] = "succeeded",
		[HOOK_SKIPPED] = "skipped",
		[HOOK_FAILED] = "failed",
	};

	return names[result];
}

static json_t *
describe(const struct hooks *hooks, const struct step *step)
{
	json_t *o = json_pack("{s:s, s:s?}", "hook", kind_names[step->kind],
	    "endpoint", step->endpoint[0] == '\0' ? NULL : step->endpoint);

	if (o != NULL && json_object_update(o, hooks->run) == 0)
		return o;
	json_decref(o);
	return NULL;
}

/* "NBDSYNC_KEY=value" of the object's text or number of that key, if any. */
static void
add_variable(char **envp, size_t *n, const json_t *o, const char *key)
{
	const json_t *value = json_object_get(o, key);
	char *variable;
	int r = -1;

	if (json_is_string(value))
		r = asprintf(&variable, "NBDSYNC_%s=%s", key,
		    json_string_value(value));
	else if (json_is_integer(value))
		r = asprintf(&variable, "NBDSYNC_%s=%" JSON_INTEGER_FORMAT,
		    key, json_integer_value(value));
	if (r < 0)
		return;
	for (char *c = variable; *c != '='; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	envp[(*n)++] = variable;
}

static void
make_environment(char *envp[N_VARIABLES], const json_t *o)
{
	static const char *const keys[] = { "hook", "job", "endpoint", "run",
		"run_uuid",
		"trigger", "source", "destination", "result", "error",
		"event", "state", "bytes" };
	size_t n = 0;
	char *path = strdup(HOOK_PATH);

	memset(envp, 0, N_VARIABLES * sizeof *envp);
	if (path != NULL)
		envp[n++] = path;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		add_variable(envp, &n, o, keys[i]);
}

static const char *
step_name(const struct step *step, char buf[2 * CONF_NAME_SIZE])
{
	if (step->endpoint[0] == '\0')
		return kind_names[step->kind];
	(void)snprintf(buf, 2 * CONF_NAME_SIZE, "%s of '%s'",
	    kind_names[step->kind], step->endpoint);
	return buf;
}

static void PRINTF(4, 5)
say(const struct hooks *hooks, enum message kind, enum log_level level,
    const char *fmt, ...)
{
	const struct log_about about = { LOG_HERE,
		.message = &messages[kind], .job = hooks->job,
		.run = json_string_value(json_object_get(hooks->run, "run")) };
	char text[2048];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	log_write(&about, level, "job '%s': %s", hooks->job, text);
}

static void
on_line(void *arg, bool is_error, const char *line)
{
	struct hooks *hooks = arg;
	const struct step *step = &hooks->steps[hooks->at];
	char name[2 * CONF_NAME_SIZE];
	char printable[NET_COMMAND_LINE_SIZE];

	if (hooks->n_lines++ >= LINES_MAX)
		return;
	escape_text(line, strlen(line), printable, sizeof printable);
	say(hooks, MSG_HOOK, is_error ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
	    "%s: %s", step_name(step, name), printable);
}

static enum hook_result
result_of(int status)
{
	return status == 0 ? HOOK_SUCCEEDED :
	    status == HOOKS_EXIT_SKIP ? HOOK_SKIPPED : HOOK_FAILED;
}

/* A hook has ended, or could not be started. */
static void
end_step(struct hooks *hooks, int status, const struct error *e) ON_MAIN
{
	const struct step *step = &hooks->steps[hooks->at];
	char name[2 * CONF_NAME_SIZE];

	hooks->at++;
	net_task_schedule(&hooks->next);
	if (hooks->is_stopped && step->kind == HOOK_PRE)
		return;
	hooks->events.counts[step->kind][result_of(status)]++;
	/* One that has nothing to do afterwards says so. */
	if (status == 0 ||
	    (status == HOOKS_EXIT_SKIP && step->kind != HOOK_PRE))
		return;
	step_name(step, name);
	if (step->kind != HOOK_PRE) {
		say(hooks, MSG_HOOK_FAILED, LOG_LEVEL_ERROR, "%s failed: %s",
		    step_name(step, name), e->text);
		return;
	}
	hooks->verdict = status == HOOKS_EXIT_SKIP ? HOOKS_SKIP : HOOKS_FAIL;
	(void)error_set(&hooks->why, -ECANCELED, "%s: %s",
	    step_name(step, name), e->text);
}

static void
on_end(void *arg, const struct net_command_end *end)
{
	struct hooks *hooks = arg;

	on_main_entry();
	hooks->command = NULL;
	if (hooks->n_lines > LINES_MAX)
		say(hooks, MSG_HOOK, LOG_LEVEL_WARNING, "%u more lines of a "
		    "hook are not shown", hooks->n_lines - LINES_MAX);
	end_step(hooks, end->status, &end->e);
}

static int
start_command(struct hooks *hooks, const struct step *step,
    struct error *e) ON_MAIN
{
	json_t *o = describe(hooks, step);
	CLEANUP(cleanup_free) char *text = report_text(o);
	CLEANUP(cleanup_free) char *real = NULL;
	char *envp[N_VARIABLES];
	int r;

	make_environment(envp, o);
	if (text == NULL)
		r = error_set(e, -ENOMEM, "out of memory");
	else
		r = read_check_program(step->argv[0], &real, e);
	if (r == 0) {
		const struct net_command_spec spec = {
			.path = real,
			.argv = (const char *const *)step->argv,
			.envp = (const char *const *)envp,
			.input = text,
			.input_len = strlen(text),
			.timeout_ms = hooks->timeout_ms,
			.grace_ms = GRACE_MS,
			.on_line = on_line,
			.on_end = on_end,
			.arg = hooks,
		};

		r = net_command_start(hooks->loop, &spec, &hooks->command, e);
	}
	for (size_t i = 0; envp[i] != NULL; i++)
		free(envp[i]);
	json_decref(o);
	return r;
}

static void
finish(struct hooks *hooks) ON_MAIN
{
	if (hooks->last != HOOK_PRE)
		hooks->events.on_after(hooks->events.arg);
	else
		hooks->events.on_before(hooks->events.arg,
		    hooks->is_stopped ? HOOKS_STOPPED : hooks->verdict,
		    &hooks->why);
}

static void
on_next(void *arg)
{
	struct hooks *hooks = arg;
	const struct step *step = &hooks->steps[hooks->at];
	struct error e;

	on_main_entry();
	if (hooks->at == hooks->n_steps || step->kind > hooks->last ||
	    (hooks->last == HOOK_PRE &&
	    (hooks->is_stopped || hooks->verdict != HOOKS_GO))) {
		finish(hooks);
		return;
	}
	hooks->n_lines = 0;
	if (start_command(hooks, step, &e) < 0)
		end_step(hooks, -1, &e);
}

/* kind: of an alarm, or HOOK_PRE for all of a run. */
static int
make(struct net_loop *loop, const struct conf *conf,
    const struct conf_job *job, const struct hooks_events *events,
    enum hook_kind kind, struct hooks **ret_hooks) ON_MAIN
{
	struct hooks *hooks = calloc(1, sizeof *hooks);
	int r;

	if (hooks == NULL)
		return -ENOMEM;
	r = net_task_init(&hooks->next, loop, on_next, hooks);
	if (r == 0)
		r = kind == HOOK_PRE ? add_all(hooks, conf, job) :
		    add_alarm(hooks, job, kind);
	if (r < 0 || hooks->n_steps == 0) {
		hooks_free(hooks);
		hooks = NULL;
	} else {
		hooks->loop = loop;
		hooks->events = *events;
		hooks->timeout_ms = job->hook_timeout_ms;
		(void)snprintf(hooks->job, sizeof hooks->job, "%s", job->name);
	}
	if (r == 0)
		*ret_hooks = hooks;
	return r;
}

int
hooks_new(struct net_loop *loop, const struct conf *conf,
    const struct conf_job *job, const struct hooks_events *events,
    struct hooks **ret_hooks)
{
	return make(loop, conf, job, events, HOOK_PRE, ret_hooks);
}

int
hooks_new_alarm(struct net_loop *loop, const struct conf *conf,
    const struct conf_job *job, enum hook_kind kind,
    const struct hooks_events *events, struct hooks **ret_hooks)
{
	return make(loop, conf, job, events, kind, ret_hooks);
}

void
hooks_free(struct hooks *hooks)
{
	if (hooks == NULL)
		return;
	net_command_kill(hooks->command);
	net_task_done(&hooks->next);
	for (size_t i = 0; i < hooks->n_steps; i++) {
		for (char **word = hooks->steps[i].argv; *word != NULL; word++)
			free(*word);
		free(hooks->steps[i].argv);
	}
	free(hooks->steps);
	json_decref(hooks->run);
	free(hooks);
}

static void
set_run(struct hooks *hooks, const json_t *run)
{
	json_decref(hooks->run);
	hooks->run = json_deep_copy(run);
}

void
hooks_before(struct hooks *hooks, const json_t *run)
{
	set_run(hooks, run);
	hooks->last = HOOK_PRE;
	net_task_schedule(&hooks->next);
}

void
hooks_after(struct hooks *hooks, const json_t *run, bool has_failed)
{
	set_run(hooks, run);
	hooks->last = has_failed ? HOOK_FAILURE : HOOK_POST;
	while (hooks->at < hooks->n_steps &&
	    hooks->steps[hooks->at].kind == HOOK_PRE)
		hooks->at++;
	net_task_schedule(&hooks->next);
}

void
hooks_alarm(struct hooks *hooks, const json_t *what)
{
	set_run(hooks, what);
	hooks->last = HOOK_KINDS - 1;
	net_task_schedule(&hooks->next);
}

void
hooks_stop(struct hooks *hooks)
{
	if (hooks->last != HOOK_PRE || hooks->is_stopped)
		return;
	hooks->is_stopped = true;
	if (hooks->command != NULL)
		net_command_stop(hooks->command);
}
