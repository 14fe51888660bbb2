/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control server: evhttp on a listening Unix socket.  How many there may
 * be, and for how long, is the business of connections.c.
 */

#include "control/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/log.h"
#include "control/server-private.h"
#include "log/messages.h"

#define HEADERS_MAX	8192
#define BODY_MAX	65536
#define IO_TIMEOUT_S	30
#define CLOSE_WAIT_MS	1000

/*
 * evhttp puts an argument of its own into the listener, which then comes here
 * as well: so whose listener it is has to be remembered.
 */
static struct ctl_server *listening;

static void
on_accept_error(struct evconnlistener *listener UNUSED, void *arg UNUSED)
{
	struct ctl_server *server = listening;

	on_main_entry();

	log_message(&messages[MSG_ACCEPT], LOG_LEVEL_WARNING, "control: "
	    "cannot accept a connection: %s; trying again", strerror(errno));
	connections_pause(&server->connections);
}

static void
on_jobs_change(void *arg)
{
	on_main_entry();
	request_resume_held(arg, false);
}

static void
on_job(void *arg, const struct job *job, const char *old_state,
    const char *new_state)
{
	struct ctl_server *server = arg;

	on_main_entry();
	events_on_job(server->events, job, old_state, new_state);
}

static void
on_event(void *arg, const struct job *job, const char *event)
{
	struct ctl_server *server = arg;

	on_main_entry();
	events_on_event(server->events, job, event);
}

static void
fill_facts(struct ctl_facts *facts)
{
	uint64_t id = 0;
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	facts->started_at_ms = (int64_t)ts.tv_sec * 1000 +
	    ts.tv_nsec / 1000000;
	if (getrandom(&id, sizeof id, GRND_NONBLOCK) < 0)
		id = (uint64_t)facts->started_at_ms;
	(void)snprintf(facts->instance, sizeof facts->instance, "%016llx",
	    (unsigned long long)id);
}

static int
start_http(struct ctl_server *server)
{
	struct event_base *base = net_loop_base(server->loop);

	server->http = evhttp_new(base);
	if (server->http == NULL)
		return -ENOMEM;
	evhttp_set_max_headers_size(server->http, HEADERS_MAX);
	evhttp_set_max_body_size(server->http, BODY_MAX);
	evhttp_set_timeout(server->http, IO_TIMEOUT_S);
	/* All of them: those we do not have get a proper 405 or 404. */
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET |
	    EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
	    EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
	    EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_bevcb(server->http, connections_on_accepted,
	    &server->connections);
	evhttp_set_gencb(server->http, request_on_arrival, server);
	server->listener = evconnlistener_new(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED,
	    0, server->socket.fd);
	if (server->listener == NULL)
		return -ENOMEM;
	server->socket.fd = -1;		/* the listener's now */
	listening = server;
	server->connections.listener = server->listener;
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	server->bound = evhttp_bind_listener(server->http, server->listener);
	if (server->bound == NULL) {
		evconnlistener_free(server->listener);
		server->connections.listener = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void
on_closed(void *arg)
{
	struct ctl_server *server = arg;

	/*
	 * The timer and the last answer may come in the same turn.  What
	 * probes have open must not outlive the loop.
	 */
	if (server->is_closed || server->probes.n > 0)
		return;
	server->is_closed = true;
	server->on_closed(server->on_closed_arg);
}

static void
on_no_probes(void *arg)
{
	struct ctl_server *server = arg;

	if (server->is_closing && server->on_closed != NULL)
		net_task_schedule(&server->closed_task);
}

static int
open_tcp(struct ctl_server *server, struct error *e) ON_MAIN
{
	const struct conf *conf = server->conf;
	int r = 0;

	if (conf->metrics.listen != NULL)
		r = tcp_open(server, TCP_METRICS, conf->metrics.listen,
		    &server->metrics, e);
	if (r == 0 && conf->web.listen != NULL)
		r = tcp_open(server, TCP_WEB, conf->web.listen, &server->web,
		    e);
	return r;
}

static int
start(struct ctl_server *server, struct error *e) ON_MAIN
{
	int r;

	if (connections_init(&server->connections, server->loop,
	    CTL_CONNECTIONS_MAX) < 0 ||
	    net_timer_init(&server->close_timer, server->loop, on_closed,
	    server) < 0 ||
	    net_task_init(&server->closed_task, server->loop, on_closed,
	    server) < 0 ||
	    events_new(server->loop, server->jobs, &server->events) < 0 ||
	    tails_new(server->loop, &server->tails) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	r = control_socket_open(&server->socket, server->conf->control.socket,
	    e);
	if (r < 0)
		return r;
	(void)evutil_make_socket_nonblocking(server->socket.fd);
	r = start_http(server);
	if (r < 0)
		return error_set(e, r, "cannot listen: %s", strerror(-r));
	r = open_tcp(server, e);
	if (r < 0)
		return r;
	server->watch.on_change = on_jobs_change;
	server->watch.on_job = on_job;
	server->watch.on_event = on_event;
	server->watch.arg = server;
	jobs_add_watch(server->jobs, &server->watch);
	return 0;
}

int
ctl_server_open(struct net_loop *loop, struct jobs *jobs,
    const struct conf *conf, struct ctl_server **ret_server, struct error *e)
{
	struct ctl_server *server = calloc(1, sizeof *server);
	int r;

	if (server == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	server->loop = loop;
	server->jobs = jobs;
	server->conf = conf;
	server->socket.fd = -1;
	list_init(&server->held);
	list_init(&server->probes.all);
	server->probes.loop = loop;
	server->probes.on_none = on_no_probes;
	server->probes.arg = server;
	list_init(&server->watch.node);
	fill_facts(&server->facts);
	counters_set_reload(&server->counters, true);
	r = start(server, e);
	if (r < 0) {
		ctl_server_free(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

void
ctl_server_accept(struct ctl_server *server)
{
	(void)evconnlistener_enable(server->listener);
	tcp_accept(server->metrics);
	tcp_accept(server->web);
}

void
ctl_server_set_conf(struct ctl_server *server, const struct conf *conf)
{
	server->conf = conf;
	events_add(server->events, "config.reloaded");
	counters_set_reload(&server->counters, true);
}

void
ctl_server_tell_rejected_conf(struct ctl_server *server)
{
	events_add(server->events, "config.rejected");
	counters_set_reload(&server->counters, false);
}

void
ctl_server_set_reload(struct ctl_server *server, struct reload *reload)
{
	server->reload = reload;
}

void
ctl_server_set_shutdown(struct ctl_server *server,
    void (*stop)(void *arg, uint64_t grace_ms), void *arg)
{
	server->shutdown = (struct ctl_shutdown_call){ stop, arg };
}

void
server_mark(struct ctl_server *server, const struct evhttp_request *http,
    bool asks)
{
	connections_mark(&server->connections, http, asks);
	if (server->metrics != NULL)
		connections_mark(tcp_connections(server->metrics), http,
		    asks);
	if (server->web != NULL)
		connections_mark(tcp_connections(server->web), http, asks);
}

void
server_on_sent(struct ctl_server *server)
{
	if (server->is_closing &&
	    !connections_have_unsent(&server->connections))
		net_task_schedule(&server->closed_task);
}

static void
stop_listening(struct ctl_server *server)
{
	if (server->bound == NULL)
		return;
	control_socket_unlink(&server->socket);
	evhttp_del_accept_socket(server->http, server->bound);
	server->bound = NULL;
	server->listener = NULL;
	server->connections.listener = NULL;
}

void
ctl_server_set_expiry(struct ctl_server *server,
    struct conf_expiry (*get)(void *arg, size_t i), void *arg)
{
	server->expiry = (struct ctl_expiry_call){ get, arg };
}

void
ctl_server_close(struct ctl_server *server, void (*on_closed_cb)(void *arg),
    void *arg)
{
	server->is_closing = true;
	server->on_closed = on_closed_cb;
	server->on_closed_arg = arg;
	stop_listening(server);
	events_add(server->events, "daemon.stopping");
	events_close(server->events);
	tails_close(server->tails);
	request_resume_held(server, true);
	probes_stop(&server->probes);
	if (connections_have_unsent(&server->connections))
		net_timer_start(&server->close_timer, CLOSE_WAIT_MS);
	else
		net_task_schedule(&server->closed_task);
}

void
ctl_server_free(struct ctl_server *server)
{
	if (server == NULL)
		return;
	jobs_remove_watch(&server->watch);
	server->is_closing = true;
	request_resume_held(server, true);
	stop_listening(server);
	/* Connections may hold streams: these first. */
	if (server->events != NULL)
		events_close(server->events);
	if (server->tails != NULL)
		tails_close(server->tails);
	tcp_free(server->metrics);
	tcp_free(server->web);
	events_free(server->events);
	tails_free(server->tails);
	if (server->http != NULL)
		evhttp_free(server->http);
	connections_done(&server->connections);
	net_timer_done(&server->close_timer);
	net_task_done(&server->closed_task);
	if (server->socket.fd >= 0)
		(void)close(server->socket.fd);
	free(server);
}

void
ctl_server_unlink(const struct ctl_server *server)
{
	control_socket_unlink(&server->socket);
}
