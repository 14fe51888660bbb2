/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An answer that goes on: chunks, for as long as the client listens.
 *
 * evhttp does not read while it answers, so a client that hangs up is noticed
 * by an event of our own.  What the client does not take piles up in the
 * connection's buffer, up to a limit, which does not count what it begins
 * with: that is written at once, so nobody can have taken any of it.
 *
 * Who frees the request of a connection that breaks depends on how it broke:
 * evhttp either takes it along, or has cut it off before, and then wants to
 * hear of the end from us.
 */

#include <errno.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "control/server-private.h"

#define UNSENT_MAX	 ((size_t)1024 * 1024)
#define WRITE_TIMEOUT_S 30

struct ctl_stream {
	struct ctl_server *server;
	struct evhttp_request *http;
	struct evhttp_connection *connection;
	struct event *hangup;
	bool is_begun;
	size_t beginning;		/* of it was unsent then */
	void (*on_gone)(void *arg);
	void *arg;
};

static void
stream_free(struct ctl_stream *stream)
{
	if (stream->hangup != NULL)
		event_free(stream->hangup);
	stream->server->n_streams--;
	free(stream);
}

static void
on_closed(struct evhttp_connection *connection UNUSED, void *arg)
{
	struct ctl_stream *stream = arg;
	void (*on_gone)(void *arg) = stream->on_gone;
	void *gone_arg = stream->arg;

	on_main_entry();
	if (evhttp_request_get_connection(stream->http) == NULL)
		evhttp_send_reply_end(stream->http);
	stream_free(stream);
	if (on_gone != NULL)
		on_gone(gone_arg);
}

static void
on_hangup(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct ctl_stream *stream = arg;

	/* Calls on_closed(). */
	evhttp_connection_free(stream->connection);
}

struct ctl_stream *
stream_new(struct ctl_server *server, struct evhttp_request *http,
    void (*on_gone)(void *arg), void *arg)
{
	struct ctl_stream *stream = calloc(1, sizeof *stream);
	struct evhttp_connection *connection =
	    evhttp_request_get_connection(http);
	int fd = bufferevent_getfd(
	    evhttp_connection_get_bufferevent(connection));

	if (stream == NULL)
		return NULL;
	stream->server = server;
	server->n_streams++;
	stream->http = http;
	stream->connection = connection;
	stream->on_gone = on_gone;
	stream->arg = arg;
	stream->hangup = event_new(net_loop_base(server->loop), fd, EV_CLOSED,
	    on_hangup, stream);
	if (stream->hangup == NULL || event_add(stream->hangup, NULL) < 0) {
		stream_free(stream);
		return NULL;
	}
	/* It has nothing to say, and there may be nothing to tell. */
	(void)bufferevent_set_timeouts(
	    evhttp_connection_get_bufferevent(connection), NULL,
	    &(const struct timeval){ .tv_sec = WRITE_TIMEOUT_S });
	evhttp_connection_set_closecb(connection, on_closed, stream);
	return stream;
}

int
ctl_stream_write(struct ctl_stream *stream, const char *text, size_t len)
{
	struct evbuffer *unsent = bufferevent_get_output(
	    evhttp_connection_get_bufferevent(stream->connection));
	struct evbuffer *buf;

	if (stream->is_begun && evbuffer_get_length(unsent) + len >
	    UNSENT_MAX + stream->beginning)
		return -ENOBUFS;
	buf = evbuffer_new();
	if (buf == NULL || evbuffer_add(buf, text, len) < 0) {
		if (buf != NULL)
			evbuffer_free(buf);
		return -ENOBUFS;
	}
	evhttp_send_reply_chunk(stream->http, buf);
	evbuffer_free(buf);
	return 0;
}

void
ctl_stream_begun(struct ctl_stream *stream)
{
	stream->is_begun = true;
	stream->beginning = evbuffer_get_length(bufferevent_get_output(
	    evhttp_connection_get_bufferevent(stream->connection)));
}

void
ctl_stream_end(struct ctl_stream *stream)
{
	evhttp_connection_set_closecb(stream->connection, NULL, NULL);
	evhttp_send_reply_end(stream->http);
	stream_free(stream);
}

void
ctl_stream_cut(struct ctl_stream *stream)
{
	stream->on_gone = NULL;
	/* Calls on_closed(). */
	evhttp_connection_free(stream->connection);
}
