/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/ledger.h"

#include <string.h>

static const char *const op_names[] = {
	[COPY_STATUS] = "block status",
	[COPY_READ] = "read",
	[COPY_WRITE] = "write",
	[COPY_ZERO] = "write-zeroes",
	[COPY_FAST_ZERO] = "fast write-zeroes",
	[COPY_TRIM] = "trim",
	[COPY_FLUSH] = "flush",
};

const char *
copy_op_name(enum copy_op op)
{
	return op_names[op];
}

void
copy_ledger_init(struct copy_ledger *l, unsigned n_targets)
{
	memset(l, 0, sizeof *l);
	l->n_targets = n_targets;
}

void
copy_ledger_plan(struct copy_ledger *l, uint64_t total_bytes)
{
	unsigned i;

	atomic_store_explicit(&l->total_bytes, total_bytes,
	    memory_order_relaxed);
	for (i = 0; i < l->n_targets; i++)
		copy_ledger_plan_target(l, i, total_bytes);
	l->is_planned = true;
}

void
copy_ledger_plan_target(struct copy_ledger *l, unsigned target,
    uint64_t total_bytes)
{
	atomic_store_explicit(&l->targets[target].total_bytes, total_bytes,
	    memory_order_relaxed);
}

void
copy_ledger_resume(struct copy_ledger *l, unsigned target, uint64_t bytes)
{
	struct copy_target_books *b = &l->targets[target];

	copy_ledger_add(&b->resumed_bytes, bytes);
	copy_ledger_add(&b->done_bytes, bytes);
	copy_ledger_add(&b->durable_bytes, bytes);
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

bool
copy_ledger_is_live(const struct copy_ledger *l, unsigned target)
{
	return !atomic_load_explicit(&l->targets[target].is_failed,
	    memory_order_relaxed);
}

bool
copy_ledger_all_failed(const struct copy_ledger *l)
{
	unsigned i;

	for (i = 0; i < l->n_targets; i++)
		if (copy_ledger_is_live(l, i))
			return false;
	return true;
}

uint64_t
copy_ledger_target_done(const struct copy_ledger *l, unsigned target)
{
	return copy_ledger_get(&l->targets[target].done_bytes);
}

uint64_t
copy_ledger_target_left(const struct copy_ledger *l, unsigned target)
{
	const struct copy_target_books *b = &l->targets[target];

	return copy_ledger_get(&b->total_bytes) -
	    copy_ledger_get(&b->done_bytes) -
	    copy_ledger_get(&b->failed_bytes);
}

uint64_t
copy_ledger_done_bytes(const struct copy_ledger *l)
{
	bool any = !copy_ledger_all_failed(l);
	uint64_t most_left = 0;
	uint64_t left;
	unsigned i;

	for (i = 0; i < l->n_targets; i++) {
		if (any && !copy_ledger_is_live(l, i))
			continue;
		left = copy_ledger_target_left(l, i);
		if (left > most_left)
			most_left = left;
	}
	return copy_ledger_get(&l->total_bytes) - most_left;
}

void
copy_ledger_fail(struct copy_ledger *l, const struct copy_failure *failure,
    uint64_t n)
{
	struct copy_target_books *b = &l->targets[failure->target];

	if (failure->side == COPY_DESTINATION) {
		if (b->n_failures == 0)
			b->first_failure = *failure;
		b->n_failures += n;
		atomic_store_explicit(&b->is_failed, true,
		    memory_order_relaxed);
	} else {
		if (l->n_failures == 0)
			l->first_failure = *failure;
		l->n_failures += n;
	}
	if (l->n_failures > 0 || copy_ledger_all_failed(l))
		copy_ledger_stop(l);
}

bool
copy_ledger_is_complete(const struct copy_ledger *l, unsigned target,
    bool need_flush)
{
	const struct copy_target_books *b = &l->targets[target];
	uint64_t done = copy_ledger_get(&b->done_bytes);

	return l->is_planned && l->n_failures == 0 && b->n_failures == 0 &&
	    copy_ledger_is_live(l, target) &&
	    done + copy_ledger_get(&b->failed_bytes) ==
		copy_ledger_get(&b->total_bytes) &&
	    (!need_flush || copy_ledger_get(&b->durable_bytes) == done);
}

bool
copy_ledger_is_success(const struct copy_ledger *l, unsigned target,
    bool need_flush)
{
	return copy_ledger_is_complete(l, target, need_flush) &&
	    copy_ledger_get(&l->targets[target].failed_bytes) == 0;
}
