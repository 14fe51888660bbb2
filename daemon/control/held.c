/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests whose answer has to wait.  One sits on a list with a timer, and
 * watches for its client to hang up: evhttp does not read while an answer is
 * pending, so it would not notice.  Its handler is called again when a job has
 * changed, and once more in the end.  Others wait for the store.
 */

#include "control/request-private.h"

#include <errno.h>
#include <poll.h>

/* Less than the command waits for an answer. */
#define PAST_WAIT_MS 5000

bool
ctl_is_last_call(const struct ctl_request *req)
{
	return request_of(req)->is_last_call;
}

/*
 * The store has not said yet what an earlier daemon knew of the job: paused,
 * it would be started all the same.
 */
static void
wait_for_past(struct request *r) ON_MAIN
{
	r->waits_for_past = true;
	if (!r->is_last_call)
		ctl_hold(&r->base, PAST_WAIT_MS);
	else if (r->server->is_closing)
		ctl_problem(&r->base, CTL_STOPPING, NULL, "the daemon is "
		    "stopping");
	else
		ctl_problem(&r->base, CTL_NO_STATE, "try again", "whether job "
		    "'%s' is paused is not known yet, and nothing was done: "
		    "the state directory is slow", r->base.job);
}

/* As on_hangup() will be told, though others may be called before it. */
static bool
has_gone(const struct request *r)
{
	struct pollfd at = { .fd = request_peer_fd(r), .events = POLLRDHUP };

	return poll(&at, 1, 0) == 1;
}

void
request_handle(struct request *r)
{
	const struct job *job = r->route->needs_past ?
	    jobs_find(r->server->jobs, r->base.job) : NULL;

	/* Its client has gone, or we are: it may not be what is wanted. */
	if (r->waits_for_past && !r->is_last_call && has_gone(r))
		r->is_last_call = true;
	if (job != NULL && ((r->waits_for_past && r->is_last_call) ||
	    job_is_unknown(job)))
		wait_for_past(r);
	else
		r->route->handle(&r->base);
}

static void
resume(struct request *r, bool is_last_call) ON_MAIN
{
	list_remove(&r->node);
	if (is_last_call)
		r->is_last_call = true;
	request_handle(r);
}

static void
on_wait_over(void *arg)
{
	on_main_entry();
	resume(arg, true);
}

/* The answer will not arrive, but evhttp wants one. */
static void
on_hangup(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	on_main_entry();
	resume(arg, true);
}

/* Once, with the first ctl_hold(). */
static int
prepare_hold(struct request *r, uint64_t wait_ms)
{
	if (net_timer_init(&r->timer, r->server->loop, on_wait_over, r) < 0)
		return -ENOMEM;
	r->hangup = event_new(net_loop_base(r->server->loop),
	    request_peer_fd(r), EV_CLOSED, on_hangup, r);
	if (r->hangup == NULL || event_add(r->hangup, NULL) < 0)
		return -ENOMEM;
	net_timer_start(&r->timer, wait_ms);
	r->was_held = true;
	return 0;
}

void
ctl_hold(struct ctl_request *req, uint64_t wait_ms)
{
	struct request *r = request_of(req);

	if (!r->was_held && (r->server->is_closing ||
	    prepare_hold(r, wait_ms) < 0))
		resume(r, true);
	else
		list_append(&r->server->held, &r->node);
}

void
request_resume_held(struct ctl_server *server, bool is_last_call)
{
	struct list waiting;
	struct list *node;

	/* A request that is held again goes to the server's list, not here. */
	list_init(&waiting);
	while ((node = list_take_first(&server->held)) != NULL)
		list_append(&waiting, node);
	while ((node = list_take_first(&waiting)) != NULL)
		resume(list_entry(node, struct request, node), is_last_call);
}

struct store_call *
ctl_store_call(struct ctl_request *req,
    void (*on_done)(struct store_call *call))
{
	struct store_call *call = NULL;

	/* Its last answers come before the server is closed. */
	if (jobs_is_stopping(req->jobs) || jobs_store(req->jobs) == NULL)
		ctl_problem(req, CTL_STOPPING, NULL, "the daemon is "
		    "stopping");
	else if ((call = store_call_new(jobs_mailbox(req->jobs), on_done,
	    req)) == NULL)
		ctl_problem(req, CTL_NO_STATE, NULL, "out of memory");
	return call;
}
