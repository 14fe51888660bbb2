/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include "base/annotate.h"
#include "base/error.h"
#include "conf/conf.h"
#include "job/job.h"
#include "net/loop.h"

/*
 * The control API: HTTP and JSON on a Unix socket, on the main thread's loop.
 */

struct ctl_server;

#define CTL_CONNECTIONS_MAX 256
/* Those that listen leave room for others. */
#define CTL_STREAMS_MAX (CTL_CONNECTIONS_MAX / 2)

/*
 * Listen as conf says, or on the socket that systemd passed; who connects waits
 * for ctl_server_accept().  jobs must live until ctl_server_free().  Failures
 * come with a sentence.
 */
int ctl_server_open(struct net_loop *loop, struct jobs *jobs,
    const struct conf *conf, struct ctl_server **ret_server,
    struct error *e) ON_MAIN;

/* Answer from now on. */
void ctl_server_accept(struct ctl_server *server) ON_MAIN;

/*
 * Use the rights of another configuration, which lives until the next one or
 * ctl_server_free().
 */
void ctl_server_set_conf(struct ctl_server *server,
    const struct conf *conf) ON_MAIN;

/* A new configuration was not taken over. */
void ctl_server_tell_rejected_conf(struct ctl_server *server) ON_MAIN;

/* Who reads the configuration again; before the first request. */
struct reload;
void ctl_server_set_reload(struct ctl_server *server,
    struct reload *reload) ON_MAIN;

/* Who ends the daemon when told to; before the first request. */
void ctl_server_set_shutdown(struct ctl_server *server,
    void (*stop)(void *arg, uint64_t grace_ms), void *arg) ON_MAIN;

/* Who looks at certificates; before the first request. */
void ctl_server_set_expiry(struct ctl_server *server,
    struct conf_expiry (*get)(void *arg, size_t i), void *arg) ON_MAIN;

/*
 * Stop listening, answer whoever waits, then on_closed, once, from the loop:
 * when all answers are sent, or after a second.
 */
void ctl_server_close(struct ctl_server *server,
    void (*on_closed)(void *arg), void *arg) ON_MAIN;

/* Cuts what connections there still are.  Also removes the socket. */
void ctl_server_free(struct ctl_server *server) ON_MAIN;

/* Only remove the socket, before the process ends in a hurry. */
void ctl_server_unlink(const struct ctl_server *server) ON_MAIN;

#endif
