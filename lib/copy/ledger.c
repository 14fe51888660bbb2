/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/ledger.h"

#include <string.h>

static const struct {
	const char *name;
	enum copy_side side;
} ops[] = {
	[COPY_STATUS] = { "block status", COPY_SOURCE },
	[COPY_READ] = { "read", COPY_SOURCE },
	[COPY_WRITE] = { "write", COPY_DESTINATION },
	[COPY_ZERO] = { "write-zeroes", COPY_DESTINATION },
	[COPY_FLUSH] = { "flush", COPY_DESTINATION },
};

const char *
copy_op_name(enum copy_op op)
{
	return ops[op].name;
}

enum copy_side
copy_op_side(enum copy_op op)
{
	return ops[op].side;
}

void
copy_ledger_init(struct copy_ledger *l)
{
	memset(l, 0, sizeof *l);
}

void
copy_ledger_plan(struct copy_ledger *l, uint64_t total_bytes)
{
	atomic_store_explicit(&l->total_bytes, total_bytes,
	    memory_order_relaxed);
	l->is_planned = true;
}

void
copy_ledger_stop(struct copy_ledger *l)
{
	atomic_store_explicit(&l->stop, true, memory_order_relaxed);
}

bool
copy_ledger_is_stopped(const struct copy_ledger *l)
{
	return atomic_load_explicit(&l->stop, memory_order_relaxed);
}

uint64_t
copy_ledger_done_bytes(const struct copy_ledger *l)
{
	return copy_ledger_get(&l->written_bytes) +
	    copy_ledger_get(&l->zeroed_bytes);
}

void
copy_ledger_fail(struct copy_ledger *l, const struct copy_failure *failure,
    uint64_t n)
{
	if (l->n_failures == 0)
		l->first_failure = *failure;
	l->n_failures += n;
	copy_ledger_stop(l);
}

void
copy_ledger_flushed(struct copy_ledger *l)
{
	l->is_flushed = true;
	atomic_store_explicit(&l->durable_bytes, copy_ledger_done_bytes(l),
	    memory_order_relaxed);
}

bool
copy_ledger_is_success(const struct copy_ledger *l, bool need_flush)
{
	return l->is_planned && l->n_failures == 0 &&
	    (l->is_flushed || !need_flush) &&
	    copy_ledger_done_bytes(l) == copy_ledger_get(&l->total_bytes);
}
