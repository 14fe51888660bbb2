/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listening on TCP.
 */

#include "control/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/log.h"
#include "control/server-private.h"

#define CONNECTIONS_MAX 32
#define HEADERS_MAX	8192
#define IO_TIMEOUT_S	30
#define ADDRESS_SIZE	80

struct ctl_tcp {
	struct ctl_server *server;
	enum tcp_kind kind;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct ctl_connections connections;
};

struct ctl_connections *
tcp_connections(struct ctl_tcp *tcp)
{
	return &tcp->connections;
}

/* By kind; see server.c: the argument is evhttp's. */
static struct ctl_tcp *listening[TCP_KINDS];

static void
tcp_on_accept_error(struct evconnlistener *listener, void *arg UNUSED)
{
	on_main_entry();
	for (int kind = 0; kind < TCP_KINDS; kind++)
		if (listening[kind] != NULL &&
		    listening[kind]->listener == listener)
			connections_pause(&listening[kind]->connections);
}

static void
tcp_on_arrival(struct evhttp_request *http, void *arg)
{
	struct ctl_tcp *tcp = arg;

	on_main_entry();
	request_take(tcp->server, tcp, http);
}

bool
tcp_has_route(const struct ctl_tcp *tcp, const struct ctl_route *route)
{
	if (route->method != CTL_GET || route->role > CTL_VIEWER)
		return false;
	return tcp->kind == TCP_WEB || route->handle == ctl_metrics;
}

static bool
is_address(const char *text, size_t len)
{
	unsigned char address[sizeof(struct in6_addr)];
	char host[ADDRESS_SIZE];

	if (len >= sizeof host)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (strcmp(host, "localhost") == 0)
		return true;
	if (host[0] == '[' && len > 2 && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, address) == 1;
	}
	return inet_pton(AF_INET, host, address) == 1;
}

/* Only names can be made to point elsewhere: an address is what it is. */
bool
tcp_is_for_us(const char *host, const char *origin)
{
	static const char scheme[] = "http://";
	const char *end;

	if (host == NULL)
		return false;
	end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	if (end == NULL)
		end = host + strlen(host);
	else if (*end == ']')
		end++;
	if (!is_address(host, (size_t)(end - host)))
		return false;
	return origin == NULL || (strncmp(origin, scheme,
	    strlen(scheme)) == 0 && strcmp(origin + strlen(scheme),
	    host) == 0);
}

static bool
is_loopback(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	if (ss->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return ss->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int
read_address(enum tcp_kind kind, const char *listen,
    struct sockaddr_storage *ret_address, int *ret_len, struct error *e)
{
	char text[ADDRESS_SIZE];
	bool is_port = listen[strspn(listen, "0123456789")] == '\0';

	*ret_len = sizeof *ret_address;
	(void)snprintf(text, sizeof text, "%s%s", is_port ? "127.0.0.1:" : "",
	    listen);
	if (strlen(listen) > ADDRESS_SIZE - 16 ||
	    evutil_parse_sockaddr_port(text, (struct sockaddr *)ret_address,
	    ret_len) < 0 || strchr(text, ':') == NULL)
		return error_set(e, -EINVAL, "'%s' is no address to listen "
		    "on, such as 127.0.0.1:9188", listen);
	if (kind == TCP_WEB && !is_loopback(ret_address))
		return error_set(e, -EINVAL, "web.listen: '%s' is no loopback "
		    "address: whoever reaches it sees all jobs", listen);
	return 0;
}

static int
start_http(struct ctl_tcp *tcp, const struct sockaddr_storage *address,
    int len)
{
	struct event_base *base = net_loop_base(tcp->server->loop);

	tcp->http = evhttp_new(base);
	if (tcp->http == NULL)
		return -ENOMEM;
	evhttp_set_max_headers_size(tcp->http, HEADERS_MAX);
	evhttp_set_max_body_size(tcp->http, 0);
	evhttp_set_timeout(tcp->http, IO_TIMEOUT_S);
	evhttp_set_allowed_methods(tcp->http, EVHTTP_REQ_GET);
	evhttp_set_bevcb(tcp->http, connections_on_accepted,
	    &tcp->connections);
	evhttp_set_gencb(tcp->http, tcp_on_arrival, tcp);
	errno = 0;
	tcp->listener = evconnlistener_new_bind(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
	    LEV_OPT_REUSEABLE | LEV_OPT_DISABLED, 64,
	    (const struct sockaddr *)address, len);
	if (tcp->listener == NULL)
		return errno == 0 ? -ENOMEM : -errno;
	listening[tcp->kind] = tcp;
	tcp->connections.listener = tcp->listener;
	evconnlistener_set_error_cb(tcp->listener, tcp_on_accept_error);
	if (evhttp_bind_listener(tcp->http, tcp->listener) == NULL) {
		evconnlistener_free(tcp->listener);
		tcp->listener = NULL;
		tcp->connections.listener = NULL;
		return -ENOMEM;
	}
	return 0;
}

int
tcp_open(struct ctl_server *server, enum tcp_kind kind, const char *listen,
    struct ctl_tcp **ret_tcp, struct error *e)
{
	struct sockaddr_storage address;
	struct ctl_tcp *tcp;
	int len;
	int r;

	r = read_address(kind, listen, &address, &len, e);
	if (r < 0)
		return r;
	tcp = calloc(1, sizeof *tcp);
	if (tcp == NULL || connections_init(&tcp->connections, server->loop,
	    CONNECTIONS_MAX) < 0) {
		free(tcp);
		return error_set(e, -ENOMEM, "out of memory");
	}
	tcp->server = server;
	tcp->kind = kind;
	r = start_http(tcp, &address, len);
	if (r < 0) {
		tcp_free(tcp);
		return error_set(e, r, "cannot listen on '%s': %s", listen,
		    strerror(-r));
	}
	log_info("%s on '%s'", kind == TCP_WEB ? "status page" : "metrics",
	    listen);
	*ret_tcp = tcp;
	return 0;
}

void
tcp_accept(struct ctl_tcp *tcp)
{
	if (tcp != NULL)
		(void)evconnlistener_enable(tcp->listener);
}

void
tcp_free(struct ctl_tcp *tcp)
{
	if (tcp == NULL)
		return;
	if (listening[tcp->kind] == tcp)
		listening[tcp->kind] = NULL;
	if (tcp->http != NULL)
		evhttp_free(tcp->http);
	connections_done(&tcp->connections);
	free(tcp);
}
