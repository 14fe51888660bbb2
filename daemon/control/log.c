/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon has logged.
 *
 *	GET /v1/log		the last messages, of ?job=, up to ?level=
 *	GET /v1/runs/{run}/log	those of one run
 *	PUT /v1/log/level	how much is logged, for a while or until then
 *
 * With ?follow=1 the first becomes a stream, a JSON object a line.  Any thread
 * may log, so who follows is not told at once: new messages are looked for
 * four times a second, while somebody listens.
 */

#include "log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "control/routes.h"
#include "control/tail.h"
#include "transfer/report.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX     DAEMON_LOG_KEPT
#define LOOK_MS	      250

struct ctl_tails {
	struct net_loop *loop;
	struct list all;		/* of struct tail */
	struct net_timer timer;
};

struct tail {
	struct list node;
	struct ctl_stream *stream;
	char job[CONF_NAME_SIZE];	/* "": all */
	char run[CTL_NAME_SIZE];	/* likewise */
	struct daemon_log_filter filter;
};

static void
tail_free(struct tail *tail)
{
	list_remove(&tail->node);
	free(tail);
}

static void
tail_on_gone(void *arg)
{
	on_main_entry();
	tail_free(arg);
}

/* false: it was too slow, and is gone. */
static bool
put_line(struct tail *tail, const json_t *o) ON_MAIN
{
	CLEANUP(cleanup_free) char *text = report_text(o);

	if (text == NULL ||
	    (ctl_stream_write(tail->stream, text, strlen(text)) == 0 &&
	    ctl_stream_write(tail->stream, "\n", 1) == 0))
		return true;
	ctl_stream_cut(tail->stream);
	tail_free(tail);
	return false;
}

/* false: it is gone. */
static bool
look(struct tail *tail) ON_MAIN
{
	json_t *list = daemon_log_recent(&tail->filter, &tail->filter.since);
	const json_t *o;
	bool goes_on = true;
	size_t i;

	/* It was for what there had been; all that is new is told. */
	tail->filter.limit = LIMIT_MAX;
	json_array_foreach(list, i, o) {
		goes_on = put_line(tail, o);
		if (!goes_on)
			break;
	}
	json_decref(list);
	return goes_on;
}

static void
tails_on_timer(void *arg)
{
	struct ctl_tails *tails = arg;
	struct list *node, *next;

	on_main_entry();
	for (node = tails->all.next; node != &tails->all; node = next) {
		next = node->next;
		(void)look(list_entry(node, struct tail, node));
	}
	if (!list_is_empty(&tails->all))
		net_timer_start(&tails->timer, LOOK_MS);
}

int
tails_new(struct net_loop *loop, struct ctl_tails **ret_tails)
{
	struct ctl_tails *tails = calloc(1, sizeof *tails);

	if (tails == NULL)
		return -ENOMEM;
	list_init(&tails->all);
	tails->loop = loop;
	if (net_timer_init(&tails->timer, loop, tails_on_timer, tails) < 0) {
		free(tails);
		return -ENOMEM;
	}
	*ret_tails = tails;
	return 0;
}

void
tails_close(struct ctl_tails *tails)
{
	while (!list_is_empty(&tails->all)) {
		struct tail *tail = list_entry(tails->all.next, struct tail,
		    node);

		ctl_stream_end(tail->stream);
		tail_free(tail);
	}
}

void
tails_free(struct ctl_tails *tails)
{
	if (tails == NULL)
		return;
	tails_close(tails);
	net_timer_done(&tails->timer);
	free(tails);
}

static void
follow(struct ctl_request *req, const struct daemon_log_filter *filter) ON_MAIN
{
	struct ctl_tails *tails = req->tails;
	struct tail *tail = calloc(1, sizeof *tail);

	if (tail == NULL) {
		ctl_reply(req, 500, NULL);
		return;
	}
	list_init(&tail->node);
	tail->filter = *filter;
	if (filter->job != NULL) {
		memcpy(tail->job, filter->job, strnlen(filter->job,
		    sizeof tail->job - 1));
		tail->filter.job = tail->job;
	}
	if (filter->run != NULL) {
		memcpy(tail->run, filter->run, strnlen(filter->run,
		    sizeof tail->run - 1));
		tail->filter.run = tail->run;
	}
	tail->stream = ctl_stream_start(req, "application/x-ndjson",
	    tail_on_gone, tail);
	if (tail->stream == NULL) {
		free(tail);
		return;
	}
	if (list_is_empty(&tails->all))
		net_timer_start(&tails->timer, LOOK_MS);
	list_append(&tails->all, &tail->node);
	if (look(tail))
		ctl_stream_begun(tail->stream);
}

/* -EINVAL: has been answered. */
static int
read_filter(struct ctl_request *req, struct daemon_log_filter *filter) ON_MAIN
{
	const char *level = ctl_query(req, "level");
	uint64_t limit = LIMIT_DEFAULT;

	if (level != NULL && log_level_parse(level, &filter->level) < 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"level\" must be "
		    "error, warning, info or debug");
		return -EINVAL;
	}
	if (ctl_query_number(req, "since", &filter->since) < 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"since\" must be "
		    "the \"seq\" of an earlier message");
		return -EINVAL;
	}
	if (ctl_query_number(req, "limit", &limit) < 0 || limit < 1 ||
	    limit > LIMIT_MAX) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"limit\" must be a "
		    "number from 1 to %d", LIMIT_MAX);
		return -EINVAL;
	}
	filter->limit = (size_t)limit;
	return 0;
}

static void
reply(struct ctl_request *req, const struct daemon_log_filter *filter) ON_MAIN
{
	uint64_t seq = 0;
	json_t *list = daemon_log_recent(filter, &seq);

	ctl_reply(req, 200, json_pack("{s:o, s:I}", "messages", list, "seq",
	    (json_int_t)seq));
}

static void
answer(struct ctl_request *req, struct daemon_log_filter *filter) ON_MAIN
{
	uint64_t is_followed = 0;

	if (ctl_query_number(req, "follow", &is_followed) < 0 ||
	    is_followed > 1)
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"follow\" must be 0 "
		    "or 1");
	else if (read_filter(req, filter) < 0)
		return;
	else if (is_followed != 0)
		follow(req, filter);
	else
		reply(req, filter);
}

void
ctl_log(struct ctl_request *req)
{
	struct daemon_log_filter filter = { .level = LOG_LEVEL_DEBUG,
		.job = ctl_query(req, "job") };

	if (ctl_find_job(req, filter.job) < 0)
		return;
	answer(req, &filter);
}

static void
answer_of_run(struct ctl_request *req) ON_MAIN
{
	struct daemon_log_filter filter = { .level = LOG_LEVEL_DEBUG,
		.run = req->name };

	answer(req, &filter);
}

/* Is there such a run, of which nothing is remembered? */
static void
on_run(struct store_call *call)
{
	struct ctl_request *req = call->arg;

	on_main_entry();
	if (call->error.code == -ENOENT)
		ctl_problem(req, CTL_NO_SUCH_RUN, NULL, "there is no run "
		    "'%s'", req->name);
	else
		answer_of_run(req);
}

static bool
is_remembered(const struct ctl_request *req) ON_MAIN
{
	const struct daemon_log_filter filter = { .level = LOG_LEVEL_DEBUG,
		.run = req->name, .limit = 1 };
	uint64_t seq = 0;
	json_t *list = daemon_log_recent(&filter, &seq);
	bool has_some = json_array_size(list) > 0;

	json_decref(list);
	return has_some || jobs_find_run(req->jobs, req->name) != NULL;
}

void
ctl_run_log(struct ctl_request *req)
{
	struct store_call *call;

	if (req->name[0] == '\0') {
		ctl_problem(req, CTL_NO_SUCH_RUN, NULL, "no run can have "
		    "that name");
		return;
	}
	if (is_remembered(req)) {
		answer_of_run(req);
		return;
	}
	call = ctl_store_call(req, on_run);
	if (call != NULL)
		store_get_run(jobs_store(req->jobs), call, req->name);
}

void
ctl_log_level(struct ctl_request *req)
{
	const char *word = ctl_body_text(req, "level");
	const char *job = ctl_body_text(req, "job");
	enum log_level level;
	uint64_t ttl_ms = 0;

	if (word == NULL) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL,
		    "\"level\" is missing");
		return;
	}
	if (strcmp(word, "default") != 0 && log_level_parse(word, &level) < 0) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"level\" must be "
		    "error, warning, info, debug or default");
		return;
	}
	if (ctl_find_job(req, job) < 0)
		return;
	if (ctl_body_ttl(req, &ttl_ms) < 0)
		return;
	if (strcmp(word, "default") == 0)
		daemon_log_reset_level();
	else
		daemon_log_set_level(level, job, ttl_ms == 0 ? 0 :
		    job_now_ms() + (int64_t)ttl_ms);
	ctl_reply(req, 200, daemon_log_level_to_json());
}
