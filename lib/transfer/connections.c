/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The books of connections.  Each figure is right by itself; two of them may
 * be of two moments.
 */

#include "transfer/connections.h"

#include "endpoint/disk.h"

static const char *const state_names[] = {
	[CONNECTION_NONE] = "none",
	[CONNECTION_CONNECTING] = "connecting",
	[CONNECTION_READY] = "ready",
	[CONNECTION_RECONNECTING] = "reconnecting",
	[CONNECTION_FAILED] = "failed",
};

const char *
run_connection_state_name(enum connection_state state)
{
	return state_names[state];
}

void
connection_is(struct connection_books *b, enum connection_state state,
    int error)
{
	atomic_store(&b->error, error);
	atomic_store(&b->next_try_ms, 0);
	if (atomic_exchange(&b->state, (int)state) != (int)state)
		atomic_store(&b->since_ms, run_clock_ms());
}

/* One that is lost is still that while it is tried again. */
void
connection_begins(struct connection_books *b)
{
	if (atomic_load(&b->state) != CONNECTION_RECONNECTING)
		connection_is(b, CONNECTION_CONNECTING, 0);
}

void
connection_is_ready(struct connection_books *b, const struct disk *disk)
{
	const char *version = NULL, *cipher = NULL;

	(void)disk_tls(disk, &version, &cipher);
	atomic_store(&b->tls_version, version);
	atomic_store(&b->tls_cipher, cipher);
	connection_is(b, CONNECTION_READY, 0);
}

void
connection_is_back(struct connection_books *b, const struct disk *disk)
{
	(void)atomic_fetch_add(&b->n_reconnects, 1);
	latency_forget(&b->latency);
	connection_is_ready(b, disk);
}

void
connection_waits(struct connection_books *b, int error, uint64_t delay_ms)
{
	connection_is(b, CONNECTION_RECONNECTING, error);
	atomic_store(&b->next_try_ms, run_clock_ms() + delay_ms);
}

void
connection_tries(struct connection_books *b)
{
	atomic_store(&b->next_try_ms, 0);
}

void
connection_sent(struct connection_books *b)
{
	copy_ledger_add(&b->in_flight, 1);
}

void
connection_answered(struct connection_books *b, uint64_t took_us)
{
	(void)atomic_fetch_sub_explicit(&b->in_flight, 1,
	    memory_order_relaxed);
	if (took_us > 0)
		latency_note(&b->latency, took_us);
}

static void
look(struct connection_books *b, struct run_connection *ret)
{
	uint64_t now = run_clock_ms();
	uint64_t since = atomic_load(&b->since_ms);
	uint64_t next = atomic_load(&b->next_try_ms);

	ret->state = (enum connection_state)atomic_load(&b->state);
	ret->error = atomic_load(&b->error);
	ret->since_ms = now > since ? now - since : 0;
	ret->waits = next != 0;
	ret->next_try_ms = next > now ? next - now : 0;
	ret->tls_version = atomic_load(&b->tls_version);
	ret->tls_cipher = atomic_load(&b->tls_cipher);
	ret->in_flight = copy_ledger_get(&b->in_flight);
	ret->latency_us = latency_mean(&b->latency);
	ret->latency_p99_us = latency_percentile(&b->latency, 99);
	ret->n_reconnects = copy_ledger_get(&b->n_reconnects);
}

size_t
connection_list(struct connection_books *books, unsigned n_destinations,
    unsigned number, struct run_connection *ret, size_t room)
{
	size_t n = 0;

	for (unsigned i = 0; i <= n_destinations && n < room; i++) {
		look(&books[i], &ret[n]);
		if (ret[n].state == CONNECTION_NONE)
			continue;
		ret[n].number = number;
		ret[n].is_destination = i > 0;
		ret[n].destination = i > 0 ? i - 1 : 0;
		n++;
	}
	return n;
}
