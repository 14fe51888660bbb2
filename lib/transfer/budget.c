/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/budget.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct budget {
	pthread_mutex_t mutex;		/* guards pool, and all its members */
	struct copy_pace_pool pool;
	_Atomic uint64_t rate;		/* the pool's, to look at without */
	_Atomic uint64_t memory_max;	/* 0: no limit */
	_Atomic uint64_t memory;
	_Atomic uint64_t memory_peak;
	_Atomic unsigned n_waiting;	/* runs that cannot begin */
};

static uint64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int
budget_new(struct budget **ret_budget)
{
	struct budget *b = calloc(1, sizeof *b);
	int r;

	if (b == NULL)
		return -ENOMEM;
	r = -pthread_mutex_init(&b->mutex, NULL);
	if (r < 0) {
		free(b);
		return r;
	}
	copy_pace_pool_init(&b->pool);
	*ret_budget = b;
	return 0;
}

void
budget_free(struct budget *b)
{
	if (b == NULL)
		return;
	(void)pthread_mutex_destroy(&b->mutex);
	free(b);
}

void
budget_set_rate(struct budget *b, uint64_t rate)
{
	(void)pthread_mutex_lock(&b->mutex);
	copy_pace_pool_set_rate(&b->pool, rate, now_us());
	atomic_store(&b->rate, rate);
	(void)pthread_mutex_unlock(&b->mutex);
}

void
budget_join(struct budget *b, struct budget_share *s, uint64_t rate)
{
	s->budget = b;
	atomic_init(&s->rate, rate);
	atomic_init(&s->was_held, false);
	atomic_init(&s->n_held, 0);
	atomic_init(&s->memory, 0);
	atomic_init(&s->memory_peak, 0);
	atomic_init(&s->was_short, false);
	s->is_waiting = false;
	(void)pthread_mutex_lock(&b->mutex);
	copy_pace_join(&s->pace, &b->pool, rate, now_us());
	(void)pthread_mutex_unlock(&b->mutex);
}

void
budget_leave(struct budget_share *s)
{
	struct budget *b = s->budget;

	if (b == NULL)
		return;
	(void)pthread_mutex_lock(&b->mutex);
	copy_pace_leave(&s->pace);
	(void)pthread_mutex_unlock(&b->mutex);
	s->budget = NULL;
}

void
budget_share_set_rate(struct budget_share *s, uint64_t rate)
{
	struct budget *b = s->budget;

	(void)pthread_mutex_lock(&b->mutex);
	copy_pace_set_rate(&s->pace, rate, now_us());
	atomic_store(&s->rate, rate);
	(void)pthread_mutex_unlock(&b->mutex);
}

static bool
is_limited(const struct budget_share *s)
{
	return atomic_load_explicit(&s->rate, memory_order_relaxed) != 0 ||
	    atomic_load_explicit(&s->budget->rate, memory_order_relaxed) != 0;
}

uint64_t
budget_wait_us(struct budget_share *s, uint32_t *ret_size)
{
	struct budget *b = s->budget;
	uint64_t wait;

	*ret_size = UINT32_MAX;
	if (!is_limited(s))
		return 0;
	(void)pthread_mutex_lock(&b->mutex);
	wait = copy_pace_wait_us(&s->pace, now_us());
	*ret_size = copy_pace_size(&s->pace);
	(void)pthread_mutex_unlock(&b->mutex);
	return wait;
}

void
budget_pass(struct budget_share *s, uint64_t bytes)
{
	struct budget *b = s->budget;

	if (!is_limited(s))
		return;
	(void)pthread_mutex_lock(&b->mutex);
	copy_pace_take(&s->pace, bytes);
	(void)pthread_mutex_unlock(&b->mutex);
}

void
budget_hold(struct budget_share *s)
{
	atomic_fetch_add_explicit(&s->n_held, 1, memory_order_relaxed);
	atomic_store_explicit(&s->was_held, true, memory_order_relaxed);
}

void
budget_release(struct budget_share *s)
{
	atomic_fetch_sub_explicit(&s->n_held, 1, memory_order_relaxed);
}

bool
budget_was_held(struct budget_share *s)
{
	bool was = atomic_exchange_explicit(&s->was_held, false,
	    memory_order_relaxed);

	return was || atomic_load_explicit(&s->n_held, memory_order_relaxed);
}

/* Memory. */

void
budget_set_memory(struct budget *b, uint64_t bytes)
{
	atomic_store(&b->memory_max, bytes);
}

uint64_t
budget_memory_max(const struct budget *b)
{
	return atomic_load(&b->memory_max);
}

uint64_t
budget_memory_used(const struct budget *b)
{
	return atomic_load(&b->memory);
}

uint64_t
budget_memory_peak(const struct budget *b)
{
	return atomic_load(&b->memory_peak);
}

static void
raise_to(_Atomic uint64_t *peak, uint64_t now)
{
	uint64_t was = atomic_load_explicit(peak, memory_order_relaxed);

	while (was < now &&
	    !atomic_compare_exchange_weak_explicit(peak, &was, now,
		memory_order_relaxed, memory_order_relaxed))
		continue;
}

static void
count_taken(struct budget_share *s, uint64_t bytes, uint64_t now)
{
	uint64_t own = atomic_fetch_add_explicit(&s->memory, bytes,
	    memory_order_relaxed) + bytes;

	raise_to(&s->budget->memory_peak, now);
	raise_to(&s->memory_peak, own);
}

static bool
take(struct budget_share *s, uint64_t bytes)
{
	struct budget *b = s->budget;
	uint64_t max = atomic_load_explicit(&b->memory_max,
	    memory_order_relaxed);
	uint64_t now = atomic_load_explicit(&b->memory, memory_order_relaxed);

	do {
		if (max != 0 && (now >= max || max - now < bytes)) {
			atomic_store_explicit(&s->was_short, true,
			    memory_order_relaxed);
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(&b->memory, &now,
	    now + bytes, memory_order_relaxed, memory_order_relaxed));
	count_taken(s, bytes, now + bytes);
	return true;
}

bool
budget_is_wanted(const struct budget_share *s)
{
	return atomic_load_explicit(&s->budget->n_waiting,
	    memory_order_relaxed) > 0;
}

bool
budget_take(struct budget_share *s, uint64_t bytes)
{
	if (!budget_is_wanted(s))
		return take(s, bytes);
	atomic_store_explicit(&s->was_short, true, memory_order_relaxed);
	return false;
}

void
budget_stop_waiting(struct budget_share *s)
{
	if (s->is_waiting)
		atomic_fetch_sub(&s->budget->n_waiting, 1);
	s->is_waiting = false;
}

bool
budget_take_first(struct budget_share *s, uint64_t bytes)
{
	if (take(s, bytes)) {
		budget_stop_waiting(s);
		return true;
	}
	if (!s->is_waiting)
		atomic_fetch_add(&s->budget->n_waiting, 1);
	s->is_waiting = true;
	return false;
}

void
budget_force(struct budget_share *s, uint64_t bytes)
{
	uint64_t now = atomic_fetch_add_explicit(&s->budget->memory, bytes,
	    memory_order_relaxed) + bytes;

	count_taken(s, bytes, now);
}

void
budget_give_back(struct budget_share *s, uint64_t bytes)
{
	atomic_fetch_sub_explicit(&s->budget->memory, bytes,
	    memory_order_relaxed);
	atomic_fetch_sub_explicit(&s->memory, bytes, memory_order_relaxed);
}

bool
budget_was_short(struct budget_share *s)
{
	return atomic_exchange_explicit(&s->was_short, false,
	    memory_order_relaxed);
}
