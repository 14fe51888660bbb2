/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/events: what happens, a JSON object a line, while it happens.
 *
 * A client first gets a snapshot of all jobs, then {"event":"live"}, then
 * every change; with ?since=SEQ, or a time, instead of the snapshot, what has
 * happened after that.  If some of it is no longer kept, {"event":"gap"} says
 * so.  A line every ten seconds tells a quiet daemon from a dead one.
 */

#include "control/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "control/routes.h"
#include "transfer/report.h"

#define HEARTBEAT_MS 10000

struct event {
	char *text;			/* a line */
	char job[CONF_NAME_SIZE];	/* or "" */
	int64_t at_ms;
};

struct ctl_events {
	struct jobs *jobs;
	struct list listeners;
	size_t n_listeners;
	struct net_timer heartbeat;
	struct net_loop *loop;
	uint64_t n_dropped;
	uint64_t seq;			/* of the next one; from 1 */
	struct event kept[EVENTS_KEPT];	/* by seq */
};

struct listener {
	struct list node;
	struct ctl_events *events;
	struct ctl_stream *stream;
	char job[CONF_NAME_SIZE];	/* "": all */
};

static void
listener_free(struct listener *l) ON_MAIN
{
	list_remove(&l->node);
	l->events->n_listeners--;
	free(l);
}

static void
listener_on_gone(void *arg)
{
	on_main_entry();
	listener_free(arg);
}

/* false: it was too slow, and is gone. */
static bool
tell(struct listener *l, const char *text) ON_MAIN
{
	if (ctl_stream_write(l->stream, text, strlen(text)) == 0)
		return true;
	log_warning("control: a client of /v1/events takes too little; "
	    "disconnecting it");
	l->events->n_dropped++;
	ctl_stream_cut(l->stream);
	listener_free(l);
	return false;
}

static bool
wants(const struct listener *l, const struct event *event)
{
	return l->job[0] == '\0' || event->job[0] == '\0' ||
	    strcmp(l->job, event->job) == 0;
}

static char *
to_line(json_t *o)
{
	char *text = report_text(o);
	char *line = NULL;

	json_decref(o);
	if (text != NULL && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

/* o, stolen, lacks only seq and at.  Without memory there is no event. */
static void
add(struct ctl_events *events, const char *job, json_t *o) ON_MAIN
{
	struct event *event = &events->kept[events->seq % EVENTS_KEPT];
	struct list *node, *next;
	char *line;

	if (o != NULL)
		(void)json_object_set_new(o, "seq",
		    json_integer((json_int_t)events->seq));
	line = to_line(o);
	if (line == NULL)
		return;
	events->seq++;
	free(event->text);
	event->text = line;
	event->at_ms = job_now_ms();
	memset(event->job, 0, sizeof event->job);
	memcpy(event->job, job, strnlen(job, sizeof event->job - 1));
	for (node = events->listeners.next; node != &events->listeners;
	    node = next) {
		struct listener *l = list_entry(node, struct listener, node);

		next = node->next;
		if (wants(l, event))
			(void)tell(l, line);
	}
}

static bool
is_rest(const char *state)
{
	return strcmp(state, "idle") == 0 || strcmp(state, "paused") == 0 ||
	    strcmp(state, "held") == 0;
}

static bool
is_trouble(const char *state)
{
	return strcmp(state, "stalled") == 0 ||
	    strcmp(state, "reconnecting") == 0;
}

static const char *
outcome_event(enum run_outcome outcome)
{
	static const char *const names[] = {
		[RUN_SUCCEEDED] = "run.succeeded",
		[RUN_PARTIAL] = "run.warning",
		[RUN_BAD_RANGES] = "run.warning",
		[RUN_DIFFERENT] = "verify.mismatch",
		[RUN_FAILED] = "run.failed",
		[RUN_CANCELLED] = "run.cancelled",
		[RUN_STOPPED] = "run.succeeded",
		[RUN_REPAIRED] = "verify.repaired",
	};

	return names[outcome];
}

/* The run that goes on, or has just ended; null where there is none. */
static json_t *
run_id(const struct job_view *view)
{
	const char *id = view->is_running ? view->run_id : view->last_run_id;

	return id[0] == '\0' ? json_null() : json_string(id);
}

/* Of that run. */
static json_t *
run_mode(const struct job_view *view)
{
	if (!view->is_running && view->last_run_id[0] == '\0')
		return json_null();
	return json_string(run_mode_name(view->is_running ? view->mode :
	    view->last_run_mode));
}

/* What every event of a job has. */
static void
add_of_job(struct ctl_events *events, const struct job_view *view,
    const char *what, const char *old, const char *new) ON_MAIN
{
	add(events, view->name, json_pack(
	    "{s:s, s:o, s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:b}",
	    "event", what, "at", report_now(), "job", view->name,
	    "old", old, "new", new, "rev", (json_int_t)view->rev, "health",
	    job_health_name(view->health), "run", run_id(view), "mode",
	    run_mode(view), "paused", view->is_paused));
}

static const char *
event_name(const struct job_view *view, const char *old, const char *new)
{
	if (is_rest(old) && !is_rest(new))
		return "run.started";
	if (!is_rest(old) && is_rest(new))
		return view->was_skipped ? "run.skipped" :
		    outcome_event(view->ended_with);
	if (is_rest(old) && strcmp(old, new) != 0)
		return strcmp(new, "paused") == 0 ? "job.paused" :
		    strcmp(old, "paused") == 0 ? "job.resumed" : "job.changed";
	if (is_trouble(new) && !is_trouble(old))
		return "job.stalled";
	if (is_trouble(old) && !is_trouble(new))
		return "job.recovered";
	return "job.changed";
}

void
events_on_job(struct ctl_events *events, const struct job *job,
    const char *old_state, const char *new_state)
{
	struct job_view view;

	job_get_view(job, &view);
	add_of_job(events, &view, event_name(&view, old_state, new_state),
	    old_state, new_state);
}

void
events_on_event(struct ctl_events *events, const struct job *job,
    const char *what)
{
	struct job_view view;

	job_get_view(job, &view);
	add_of_job(events, &view, what, view.state, view.state);
}

void
events_add(struct ctl_events *events, const char *what)
{
	add(events, "", json_pack("{s:s, s:o}", "event", what, "at",
	    report_now()));
}

static void
events_on_heartbeat(void *arg)
{
	struct ctl_events *events = arg;
	CLEANUP(cleanup_free) char *line = NULL;
	struct list *node, *next;

	on_main_entry();
	line = to_line(json_pack("{s:s, s:o, s:I}", "event", "heartbeat",
	    "at", report_now(), "seq", (json_int_t)events->seq - 1));
	for (node = events->listeners.next;
	    line != NULL && node != &events->listeners; node = next) {
		next = node->next;
		(void)tell(list_entry(node, struct listener, node), line);
	}
	if (!list_is_empty(&events->listeners))
		net_timer_start(&events->heartbeat, HEARTBEAT_MS);
}

int
events_new(struct net_loop *loop, struct jobs *jobs,
    struct ctl_events **ret_events)
{
	struct ctl_events *events = calloc(1, sizeof *events);

	if (events == NULL)
		return -ENOMEM;
	list_init(&events->listeners);
	events->jobs = jobs;
	events->seq = 1;
	if (net_timer_init(&events->heartbeat, loop, events_on_heartbeat,
	    events) < 0) {
		free(events);
		return -ENOMEM;
	}
	*ret_events = events;
	return 0;
}

void
events_close(struct ctl_events *events)
{
	struct list *node;

	while ((node = list_take_first(&events->listeners)) != NULL) {
		struct listener *l = list_entry(node, struct listener, node);

		ctl_stream_end(l->stream);
		listener_free(l);
	}
}

void
events_free(struct ctl_events *events)
{
	if (events == NULL)
		return;
	events_close(events);
	net_timer_done(&events->heartbeat);
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		free(events->kept[i].text);
	free(events);
}

size_t
events_count_streams(const struct ctl_events *events)
{
	return events->n_listeners;
}

uint64_t
events_count_dropped(const struct ctl_events *events)
{
	return events->n_dropped;
}

static uint64_t
oldest(const struct ctl_events *events)
{
	return events->seq > EVENTS_KEPT ? events->seq - EVENTS_KEPT : 1;
}

/* false: the client is gone. */
static bool
tell_json(struct listener *l, json_t *o) ON_MAIN
{
	CLEANUP(cleanup_free) char *line = to_line(o);

	return line == NULL || tell(l, line);
}

/* false: the client is gone. */
static bool
tell_status(struct listener *l, const struct job *job) ON_MAIN
{
	CLEANUP(cleanup_free) char *status = job_to_text(job, NULL);
	CLEANUP(cleanup_free) char *line = NULL;
	struct job_view view;

	job_get_view(job, &view);
	if (status == NULL || asprintf(&line, "{\"event\":\"snapshot\","
	    "\"seq\":%" PRIu64 ",\"job\":\"%s\",\"status\":%s}\n",
	    l->events->seq - 1, view.name, status) < 0)
		return true;
	return tell(l, line);
}

static bool
tell_snapshot(struct listener *l) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;
	bool goes_on = true;

	while (goes_on && (job = jobs_next(l->events->jobs, job)) != NULL) {
		job_get_view(job, &view);
		if (l->job[0] != '\0' && strcmp(l->job, view.name) != 0)
			continue;
		goes_on = tell_status(l, job);
	}
	return goes_on;
}

static bool
tell_since(struct listener *l, uint64_t since) ON_MAIN
{
	const struct ctl_events *events = l->events;
	uint64_t first = since + 1;
	bool goes_on = true;

	if (first < oldest(events)) {
		goes_on = tell_json(l, json_pack("{s:s, s:I, s:I}", "event",
		    "gap", "from", (json_int_t)first, "to",
		    (json_int_t)oldest(events) - 1));
		first = oldest(events);
	}
	for (uint64_t seq = first; goes_on && seq < events->seq; seq++) {
		const struct event *event = &events->kept[seq % EVENTS_KEPT];

		if (wants(l, event))
			goes_on = tell(l, event->text);
	}
	return goes_on;
}

static void
begin(struct listener *l, const char *instance, bool has_since,
    uint64_t since) ON_MAIN
{
	struct ctl_events *events = l->events;
	bool goes_on;

	if (list_is_empty(&events->listeners))
		net_timer_start(&events->heartbeat, HEARTBEAT_MS);
	list_append(&events->listeners, &l->node);
	events->n_listeners++;
	/* A number that was not given out yet is of another instance. */
	goes_on = has_since && since < events->seq ? tell_since(l, since) :
	    tell_snapshot(l);
	if (goes_on)
		goes_on = tell_json(l, json_pack("{s:s, s:I, s:s}", "event",
		    "live", "seq", (json_int_t)events->seq - 1, "instance",
		    instance));
	if (goes_on)
		ctl_stream_begun(l->stream);
}

/* -EINVAL: that is no time as "2026-11-24T06:00:00Z". */
static int
read_time(const char *text, int64_t *ret_ms)
{
	struct tm tm = { .tm_sec = 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (rest == NULL || rest[0] != 'Z' || rest[1] != '\0')
		return -EINVAL;
	*ret_ms = (int64_t)timegm(&tm) * 1000;
	return 0;
}

/* The last event before a time; if that is not kept, one that is not, too. */
static uint64_t
find_before(const struct ctl_events *events, int64_t at_ms)
{
	uint64_t seq = oldest(events);

	if (seq > 1 && events->kept[seq % EVENTS_KEPT].at_ms >= at_ms)
		return seq - 2;
	while (seq < events->seq &&
	    events->kept[seq % EVENTS_KEPT].at_ms < at_ms)
		seq++;
	return seq - 1;
}

/* The number of an event, or a time. */
static int
read_since(struct ctl_request *req, uint64_t *ret_since) ON_MAIN
{
	const char *text = ctl_query(req, "since");
	int64_t at_ms;

	if (text == NULL || read_time(text, &at_ms) < 0)
		return ctl_query_number(req, "since", ret_since);
	*ret_since = find_before(req->events, at_ms);
	return 0;
}

void
ctl_events(struct ctl_request *req)
{
	const char *job = ctl_query(req, "job");
	const char *instance = req->facts->instance;
	bool has_since = ctl_query(req, "since") != NULL;
	struct ctl_events *events = req->events;
	struct listener *l;
	uint64_t since = 0;

	if (read_since(req, &since) < 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"since\" must be "
		    "the \"seq\" of an earlier event, or a time, such as "
		    "2026-11-24T06:00:00Z");
		return;
	}
	if (ctl_find_job(req, job) < 0)
		return;
	l = calloc(1, sizeof *l);
	if (l == NULL) {
		ctl_reply(req, 500, NULL);
		return;
	}
	list_init(&l->node);
	l->events = events;
	if (job != NULL)
		memcpy(l->job, job, strnlen(job, sizeof l->job - 1));
	l->stream = ctl_stream_start(req, "application/x-ndjson",
	    listener_on_gone, l);
	if (l->stream == NULL)
		free(l);
	else
		begin(l, instance, has_since, since);
}
