/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_STATUS_CONNECTIONS_H
#define CLI_STATUS_CONNECTIONS_H

#include <stdbool.h>

#include <jansson.h>

struct command;

#define CONNECTIONS_TEXT_SIZE 256

/* Connections of a job to one disk, together. */
struct connections {
	bool is_destination;
	const char *endpoint;
	unsigned n;
	unsigned n_ready;
	const char *tls;		/* "": no TLS */
	json_int_t in_flight;		/* requests, on all */
	double p99_ms;			/* what 99 of 100 requests took at
					   most, of the slowest; 0: not
					   known */
	json_int_t n_reconnects;
	const json_t *lost;		/* one that is; NULL: none */
	unsigned n_lost;
};

/*
 * Of the connections of a job those that follow the first *i, which are one
 * disk's; *i follows.  0, or -ENOENT: there are no more.
 */
int connections_next(const json_t *list, size_t *i, struct connections *ret);

/* "vm1: 3 of 4 ready, 37 in flight, p99 0.4 ms". */
const char *connections_state(const struct connections *c,
    char buf[CONNECTIONS_TEXT_SIZE]);
/* The same and ", TLSv1.3, 1 reconnect". */
const char *connections_text(const struct connections *c,
    char buf[CONNECTIONS_TEXT_SIZE]);
/* "#2 reconnecting: Connection reset by peer; next try in 4 s"; "": none is. */
const char *connections_trouble(const struct connections *c,
    char buf[CONNECTIONS_TEXT_SIZE]);

/* Print all of them as a table; an exit code. */
int connections_print(const struct command *command, const json_t *list);

#endif
