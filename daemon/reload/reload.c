/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reload goes through three hands: a child reads the files and says what
 * is wrong with them; then we read them, as a configuration cannot be handed
 * over; then the daemon takes it.  Should the files change between the two
 * readings, ours counts, and it finds what is wrong as well.
 */

#include "reload/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "conf/options.h"
#include "log/messages.h"
#include "net/command.h"

#define CHECK_TIMEOUT_MS 10000
#define CHECK_GRACE_MS	 1000

/* What nbdsyncd exits with when the configuration is wrong. */
#define EXIT_CONFIG 78

/* Results are asked for at once; a few are enough. */
#define N_RESULTS 4

struct reload {
	struct net_loop *loop;
	const char *checker;
	const char *path;
	struct conf *conf;
	struct reload_events events;
	struct net_command *command;	/* NULL: none is under way */
	struct net_task next;
	uint64_t n_started;
	uint64_t n_done;
	/* The one under way, and those that wait: one of each kind. */
	uint64_t running;
	bool is_dry;
	uint64_t waiting[2];		/* [is_dry]; 0: none */
	json_t *said;			/* by the child */
	json_t *results[N_RESULTS];
};

static const struct conf_job *
nth_job(const struct conf *conf, size_t i)
{
	return &conf->jobs[i];
}

/* Where a job of next belongs, seen from now. */
static const char *
fate(const struct conf *now, const struct conf *next, const char *name)
{
	if (conf_find_job(now, name) == NULL)
		return "added";
	return conf_job_is_same(now, next, name) ? "unchanged" : "changed";
}

static json_t *
plan_to_json(const struct conf *now, const struct conf *next, bool is_dry)
{
	json_t *o = json_pack("{s:b, s:b, s:[], s:[], s:[], s:[], s:[]}",
	    "ok", 1, "dry_run", is_dry, "added", "removed", "changed",
	    "unchanged", "after_restart");
	const struct option *fixed[CONF_FIXED_MAX];
	unsigned n_fixed = conf_list_fixed(now, next, fixed);
	int r = 0;

	if (o == NULL)
		return NULL;
	for (size_t i = 0; i < next->n_jobs; i++) {
		const char *name = nth_job(next, i)->name;

		r |= json_array_append_new(json_object_get(o, fate(now, next,
		    name)), json_string(name));
	}
	for (size_t i = 0; i < now->n_jobs; i++)
		if (conf_find_job(next, nth_job(now, i)->name) == NULL)
			r |= json_array_append_new(json_object_get(o,
			    "removed"), json_string(nth_job(now, i)->name));
	for (unsigned i = 0; i < n_fixed; i++)
		r |= json_array_append_new(json_object_get(o,
		    "after_restart"), json_sprintf("%s.%s",
		    option_group_name(fixed[i]->group), fixed[i]->key));
	if (r == 0)
		return o;
	json_decref(o);
	return NULL;
}

static void
finish(struct reload *reload, json_t *result) ON_MAIN
{
	json_t **kept = &reload->results[reload->running % N_RESULTS];

	json_decref(*kept);
	*kept = result;
	reload->n_done = reload->running;
	reload->running = 0;
	json_decref(reload->said);
	reload->said = NULL;
	net_task_schedule(&reload->next);
	reload->events.on_done(reload->events.arg, reload->is_dry);
}

static void
fail(struct reload *reload, json_t *problems) ON_MAIN
{
	const json_t *problem;
	size_t i;

	json_array_foreach(problems, i, problem)
		log_message(&messages[MSG_CONF_REJECTED], LOG_LEVEL_ERROR,
		    "%s", json_string_value(problem));
	if (!reload->is_dry) {
		log_message(&messages[MSG_CONF_REJECTED], LOG_LEVEL_ERROR,
		    "%s: not taken over; all goes on as before", reload->path);
		reload->events.on_rejected(reload->events.arg);
	}
	finish(reload, json_pack("{s:b, s:b, s:o}", "ok", 0, "dry_run",
	    reload->is_dry, "problems", problems));
}

static json_t *
problems_to_json(const struct conf_problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->n; i++)
		(void)json_array_append_new(list,
		    json_string(problems->v[i].text));
	if (problems->n_more > 0)
		(void)json_array_append_new(list,
		    json_sprintf("%s: and %zu more problems", problems->file,
		    problems->n_more));
	return list;
}

/* The child has found nothing wrong. */
static void
take(struct reload *reload) ON_MAIN
{
	CLEANUP(conf_problems_done) struct conf_problems problems;
	CLEANUP(conf_freep) struct conf *conf = NULL;
	json_t *plan;
	int r;

	conf_problems_init(&problems, reload->path);
	r = conf_load(reload->path, &conf, &problems);
	if (r == -EINVAL) {
		fail(reload, problems_to_json(&problems));
		return;
	}
	plan = r < 0 ? NULL : plan_to_json(reload->conf, conf,
	    reload->is_dry);
	if (plan != NULL && !reload->is_dry)
		r = reload->events.take(reload->events.arg, conf);
	if (plan == NULL || r < 0) {
		json_decref(plan);
		fail(reload, json_pack("[o]", json_sprintf("%s: %s",
		    reload->path, strerror(r < 0 ? -r : ENOMEM))));
		return;
	}
	if (!reload->is_dry) {
		struct conf *before = reload->conf;

		reload->conf = STEAL(conf);
		conf_free(before);
	}
	finish(reload, plan);
}

static void
on_line(void *arg, bool is_error, const char *line)
{
	struct reload *reload = arg;

	if (is_error)
		(void)json_array_append_new(reload->said, json_string(line));
}

static void
on_end(void *arg, const struct net_command_end *end)
{
	struct reload *reload = arg;

	on_main_entry();
	reload->command = NULL;
	if (end->status == 0) {
		take(reload);
		return;
	}
	if (end->status != EXIT_CONFIG || json_array_size(reload->said) == 0)
		(void)json_array_append_new(reload->said, json_sprintf(
		    "%s: cannot be checked: %s", reload->path, end->e.text));
	fail(reload, json_incref(reload->said));
}

static void
start_check(struct reload *reload) ON_MAIN
{
	const char *argv[] = { reload->checker, "--check", reload->path,
		NULL };
	const struct net_command_spec spec = {
		.argv = argv,
		.timeout_ms = CHECK_TIMEOUT_MS,
		.grace_ms = CHECK_GRACE_MS,
		.on_line = on_line,
		.on_end = on_end,
		.arg = reload,
	};
	struct error e;

	reload->said = json_array();
	reload->events.on_start(reload->events.arg, reload->is_dry);
	if (net_command_start(reload->loop, &spec, &reload->command, &e) < 0)
		fail(reload, json_pack("[o]", json_sprintf("%s: cannot be "
		    "checked: %s", reload->path, e.text)));
}

/* Start what waits, unless something is under way. */
static void
on_next(void *arg)
{
	struct reload *reload = arg;
	uint64_t *wet = &reload->waiting[0], *dry = &reload->waiting[1];

	on_main_entry();
	if (reload->running != 0 || (*wet == 0 && *dry == 0))
		return;
	reload->is_dry = *wet == 0 || (*dry != 0 && *dry < *wet);
	reload->running = reload->is_dry ? *dry : *wet;
	reload->waiting[reload->is_dry] = 0;
	start_check(reload);
}

uint64_t
reload_start(struct reload *reload, bool is_dry)
{
	uint64_t *number = &reload->waiting[is_dry];

	if (*number == 0)
		*number = ++reload->n_started;
	net_task_schedule(&reload->next);
	return *number;
}

bool
reload_is_done(const struct reload *reload, uint64_t number)
{
	return number <= reload->n_done;
}

const json_t *
reload_result(const struct reload *reload, uint64_t number)
{
	if (number > reload->n_done || number + N_RESULTS <= reload->n_done)
		return NULL;
	return reload->results[number % N_RESULTS];
}

int
reload_new(struct net_loop *loop, const char *checker, const char *path,
    struct conf *conf, const struct reload_events *events,
    struct reload **ret_reload)
{
	struct reload *reload = calloc(1, sizeof *reload);
	int r;

	if (reload == NULL)
		return -ENOMEM;
	r = net_task_init(&reload->next, loop, on_next, reload);
	if (r < 0) {
		free(reload);
		return r;
	}
	reload->loop = loop;
	reload->checker = checker;
	reload->path = path;
	reload->conf = conf;
	reload->events = *events;
	*ret_reload = reload;
	return 0;
}

void
reload_free(struct reload *reload)
{
	if (reload == NULL)
		return;
	net_command_kill(reload->command);
	net_task_done(&reload->next);
	for (size_t i = 0; i < N_RESULTS; i++)
		json_decref(reload->results[i]);
	json_decref(reload->said);
	conf_free(reload->conf);
	free(reload);
}
