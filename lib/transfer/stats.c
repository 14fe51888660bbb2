/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/stats.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static const struct {
	uint64_t us;
	const char *text;
} limits[STATS_BUCKETS] = {
	{ 100, "0.0001" }, { 300, "0.0003" }, { 1000, "0.001" },
	{ 3000, "0.003" }, { 10000, "0.01" }, { 30000, "0.03" },
	{ 100000, "0.1" }, { 300000, "0.3" }, { 1000000, "1" },
	{ 3000000, "3" }, { 10000000, "10" },
};

#define N_OPS (COPY_FLUSH + 1)

_Static_assert(STATS_ROWS == 2 * N_OPS, "a row for each side and kind");

/* Each on cache lines of its own: workers do not get in each other's way. */
static struct counters {
	_Alignas(64) _Atomic uint64_t errors[STATS_ERRORS];
	_Atomic uint64_t buckets[STATS_BUCKETS + 1];
	_Atomic uint64_t sum_us;
} rows[STATS_ROWS];

const char *
stats_limit(unsigned i)
{
	return limits[i].text;
}

const char *
stats_error_name(enum stats_error error)
{
	static const char *const names[STATS_ERRORS] = {
		[STATS_IO] = "EIO",
		[STATS_NO_SPACE] = "ENOSPC",
		[STATS_NOT_PERMITTED] = "EPERM",
		[STATS_NOT_SUPPORTED] = "ENOTSUP",
		[STATS_LOST] = "ENOTCONN",
		[STATS_OTHER] = "other",
	};

	return names[error];
}

static enum stats_error
error_of(int error)
{
	switch (error) {
	case -EIO:
		return STATS_IO;
	case -ENOSPC:
		return STATS_NO_SPACE;
	case -EPERM:
		return STATS_NOT_PERMITTED;
	case -ENOTSUP:
		return STATS_NOT_SUPPORTED;
	case -ENOTCONN:
		return STATS_LOST;
	default:
		return STATS_OTHER;
	}
}

static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	(void)atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
stats_note_sent(struct stats_counts *counts, enum copy_side side)
{
	if (counts != NULL)
		(void)atomic_fetch_add_explicit(&counts->in_flight[side], 1,
		    memory_order_relaxed);
}

void
stats_note_lost(struct stats_counts *counts, enum copy_side side)
{
	if (counts != NULL)
		(void)atomic_fetch_sub_explicit(&counts->in_flight[side], 1,
		    memory_order_relaxed);
}

void
stats_note(struct stats_counts *counts, enum copy_side side, enum copy_op op,
    int error, uint64_t took_us)
{
	unsigned row = (side == COPY_SOURCE ? 0 : N_OPS) + op;
	struct counters *c = &rows[row];
	unsigned i = 0;

	while (i < STATS_BUCKETS && took_us > limits[i].us)
		i++;
	add(&c->buckets[i], 1);
	add(&c->sum_us, took_us);
	if (error < 0)
		add(&c->errors[error_of(error)], 1);
	if (counts != NULL)
		add(&counts->ended[row], 1);
	stats_note_lost(counts, side);
}

const char *
stats_side(unsigned row)
{
	return row < N_OPS ? "source" : "destination";
}

const char *
stats_command(unsigned row)
{
	return copy_op_name((enum copy_op)(row % N_OPS));
}

void
stats_get(unsigned row, struct stats *ret)
{
	const struct counters *c = &rows[row];

	ret->side = stats_side(row);
	ret->command = stats_command(row);
	for (unsigned i = 0; i < STATS_ERRORS; i++)
		ret->errors[i] = get(&c->errors[i]);
	for (unsigned i = 0; i <= STATS_BUCKETS; i++)
		ret->buckets[i] = get(&c->buckets[i]);
	ret->sum_us = get(&c->sum_us);
}
