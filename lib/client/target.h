/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include "client/conn.h"
#include "net/dial.h"

/*
 * What a connection is for: a copy of the struct conn_options it was opened
 * with, which can be dialled, and negotiated, more than once.
 */
struct target {
	enum nbd_goal goal;
	bool wants_tls;
	struct nbd_uri uri;
	char **contexts;
	size_t n_contexts;
	uint64_t connect_timeout_ms;
	uint64_t tls_timeout_ms;
	uint64_t option_timeout_ms;
	uint64_t io_timeout_ms;
	uint64_t request_timeout_ms;
};

/* -ENOMEM.  target_done() is wanted also then. */
int target_init(struct target *t, const struct conn_options *options);
void target_done(struct target *t);

/* As nbd_session_new(). */
int target_new_session(const struct target *t, bool export_name_only,
    struct nbd_session **ret_s);

/* As transport_dial(). */
int target_dial(const struct target *t, struct net_loop *loop,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e);

#endif
