/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_TCP_H
#define CONTROL_TCP_H

#include <stdbool.h>

#include "base/annotate.h"
#include "base/error.h"

/*
 * The part of the API that may be had over TCP: nothing but looking.  Nobody
 * can be told apart there, so an address that is not loopback is for figures
 * only.
 */

struct ctl_connections;
struct ctl_server;
struct ctl_tcp;
struct ctl_route;
struct evhttp_request;

enum tcp_kind {
	TCP_METRICS,			/* /metrics */
	TCP_WEB,			/* the status page, and what it asks */
};

#define TCP_KINDS (TCP_WEB + 1)

/*
 * listen: "9188", "127.0.0.1:9188", "[::1]:9188".  Failures come with a
 * sentence.
 */
int tcp_open(struct ctl_server *server, enum tcp_kind kind,
    const char *listen, struct ctl_tcp **ret_tcp, struct error *e) ON_MAIN;
/* As ctl_server_accept(); also of NULL. */
void tcp_accept(struct ctl_tcp *tcp) ON_MAIN;
void tcp_free(struct ctl_tcp *tcp) ON_MAIN;

struct ctl_connections *tcp_connections(struct ctl_tcp *tcp) ON_MAIN;

/* May this be answered to whoever is there? */
bool tcp_has_route(const struct ctl_tcp *tcp, const struct ctl_route *route);

/*
 * Was the request meant for us?  A page from elsewhere whose name was made to
 * point here sends its own name as Host, or itself as Origin.
 */
bool tcp_is_for_us(const char *host, const char *origin);

#endif
