/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_CONNECTIONS_H
#define TRANSFER_CONNECTIONS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "copy/ledger.h"
#include "transfer/latency.h"
#include "transfer/run.h"

/*
 * Each connection of a run, while it goes on: the lane that has it keeps its
 * books, and anybody may look.
 */

struct disk;

/* One for the source and one for each destination of a lane; born 0. */
struct connection_books {
	_Atomic int state;		/* enum connection_state */
	_Atomic int error;		/* negative errno; 0: none */
	_Atomic uint64_t since_ms;	/* monotonic: of the state */
	_Atomic uint64_t next_try_ms;	/* likewise; 0: one is under way */
	const char *_Atomic tls_version;	/* NULL: no TLS; constants */
	const char *_Atomic tls_cipher;
	_Atomic uint64_t in_flight;
	struct latency latency;		/* of reads and writes */
	_Atomic uint64_t n_reconnects;
};

/* The lane's worker. */
void connection_begins(struct connection_books *b);
/* error: 0; or why it failed, for good. */
void connection_is(struct connection_books *b, enum connection_state state,
    int error);
void connection_is_ready(struct connection_books *b, const struct disk *disk);
void connection_is_back(struct connection_books *b, const struct disk *disk);
/* It is lost, and tried again in so long. */
void connection_waits(struct connection_books *b, int error,
    uint64_t delay_ms);
void connection_tries(struct connection_books *b);
void connection_sent(struct connection_books *b);
/* Of a request that has ended; took_us 0: it tells nothing. */
void connection_answered(struct connection_books *b, uint64_t took_us);

/* Any thread: those of a lane with so many destinations. */
size_t connection_list(struct connection_books *books,
    unsigned n_destinations, unsigned number, struct run_connection *ret,
    size_t room);

#endif
