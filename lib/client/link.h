/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <stdbool.h>

#include "base/error.h"
#include "client/conn.h"
#include "client/nbdclient.h"

/*
 * A connection with a loop of its own, for calls that block: the loop runs
 * while a call waits, and only then.
 */
struct link {
	struct net_loop *loop;
	struct conn *conn;
	bool is_ready;
	bool has_failed;
	bool is_closing;
	bool is_closed;
	struct error error;		/* once has_failed */
	int client_code;		/* likewise: enum nbdclient_code */
	void (*on_completions)(void *arg);
	void *arg;
};

/*
 * Connect and negotiate; all of options->uri is as conn_open() has it.
 * 0, or an enum nbdclient_code with the sentence in l->error; link_close()
 * is wanted in any case.
 */
int link_open(struct link *l, const struct conn_options *options);

/*
 * Run the loop until something calls link_wake(), or the connection fails.
 */
void link_wait(struct link *l);
void link_wake(struct link *l);

/* The enum nbdclient_code of a connection that failed with this errno. */
int link_failure_code(const struct conn *c, int error);

/* Say goodbye, wait for its end, give all back. */
void link_close(struct link *l);

#endif
