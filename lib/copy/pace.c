/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/pace.h"

#include <string.h>

#define SECOND_US   1e6
#define BURST_S	    (COPY_PACE_BURST_MS / 1e3)
#define MIN_SIZE    4096U
#define MAX_SIZE    (1U << 30)

/* Nobody saves up for longer, however long he has not been asked. */
#define MAX_SPAN_US 1000000U

/* What is less than a byte is not worth another round. */
#define CRUMB	    1.0

static double
span_s(uint64_t from_us, uint64_t to_us)
{
	uint64_t span = to_us > from_us ? to_us - from_us : 0;

	return (double)(span < MAX_SPAN_US ? span : MAX_SPAN_US) / SECOND_US;
}

/* What a member can save up of the pool's rate: all together, one burst. */
static double
share_cap(const struct copy_pace_pool *pool)
{
	return pool->rate * BURST_S / pool->n_members;
}

/* Those that can take more. */
static unsigned
count_hungry(const struct copy_pace_pool *pool)
{
	double cap = share_cap(pool);
	struct list *l;
	unsigned n = 0;

	for (l = pool->members.next; l != &pool->members; l = l->next)
		if (list_entry(l, struct copy_pace, node)->share < cap)
			n++;
	return n;
}

/* Give every one that can take it the same; return what is left over. */
static double
deal(struct copy_pace_pool *pool, double amount, unsigned n_hungry)
{
	double cap = share_cap(pool);
	double part = amount / n_hungry;
	struct copy_pace *p;
	struct list *l;
	double taken;

	for (l = pool->members.next; l != &pool->members; l = l->next) {
		p = list_entry(l, struct copy_pace, node);
		if (p->share >= cap) {
			p->share = cap;
			continue;
		}
		taken = cap - p->share < part ? cap - p->share : part;
		p->share += taken;
		amount -= taken;
	}
	return amount;
}

static void
fill_shares(struct copy_pace_pool *pool, uint64_t now_us)
{
	double amount = pool->rate * span_s(pool->filled_us, now_us);
	unsigned n;

	if (now_us > pool->filled_us)
		pool->filled_us = now_us;
	/* Each round fills one at least, or leaves nothing. */
	while (amount >= CRUMB && (n = count_hungry(pool)) > 0)
		amount = deal(pool, amount, n);
}

static void
fill_own(struct copy_pace *p, uint64_t now_us)
{
	double cap = p->rate * BURST_S;

	p->own += p->rate * span_s(p->filled_us, now_us);
	if (p->own > cap)
		p->own = cap;
	if (now_us > p->filled_us)
		p->filled_us = now_us;
}

void
copy_pace_pool_init(struct copy_pace_pool *pool)
{
	memset(pool, 0, sizeof *pool);
	list_init(&pool->members);
}

void
copy_pace_pool_set_rate(struct copy_pace_pool *pool, uint64_t rate,
    uint64_t now_us)
{
	struct list *l;

	fill_shares(pool, now_us);
	if (pool->rate == 0 || rate == 0)
		for (l = pool->members.next; l != &pool->members; l = l->next)
			list_entry(l, struct copy_pace, node)->share = 0;
	pool->rate = (double)rate;
	pool->filled_us = now_us;
}

void
copy_pace_join(struct copy_pace *p, struct copy_pace_pool *pool, uint64_t rate,
    uint64_t now_us)
{
	fill_shares(pool, now_us);
	*p = (struct copy_pace){
		.pool = pool,
		.rate = (double)rate,
		.filled_us = now_us,
	};
	list_append(&pool->members, &p->node);
	pool->n_members++;
}

void
copy_pace_leave(struct copy_pace *p)
{
	list_remove(&p->node);
	p->pool->n_members--;
}

void
copy_pace_set_rate(struct copy_pace *p, uint64_t rate, uint64_t now_us)
{
	fill_own(p, now_us);
	if (p->rate == 0 || rate == 0)
		p->own = 0;
	p->rate = (double)rate;
	p->filled_us = now_us;
}

/* Until so many bytes that are missing have come. */
static uint64_t
time_for(double missing, double rate)
{
	double us = missing / rate * SECOND_US;

	return us < (double)MAX_SPAN_US ? (uint64_t)us + 1 : MAX_SPAN_US;
}

uint64_t
copy_pace_wait_us(struct copy_pace *p, uint64_t now_us)
{
	struct copy_pace_pool *pool = p->pool;
	uint64_t wait = 0;
	uint64_t by_pool;

	if (p->rate > 0) {
		fill_own(p, now_us);
		if (p->own <= 0)
			wait = time_for(-p->own, p->rate);
	}
	if (pool->rate > 0) {
		fill_shares(pool, now_us);
		by_pool = p->share > 0 ?
		    0 :
		    time_for(-p->share, pool->rate / count_hungry(pool));
		if (by_pool > wait)
			wait = by_pool;
	}
	return wait;
}

void
copy_pace_take(struct copy_pace *p, uint64_t bytes)
{
	if (p->rate > 0)
		p->own -= (double)bytes;
	if (p->pool->rate > 0)
		p->share -= (double)bytes;
}

uint32_t
copy_pace_size(const struct copy_pace *p)
{
	const struct copy_pace_pool *pool = p->pool;
	double most = MAX_SIZE;
	uint32_t size = MIN_SIZE;
	unsigned n;

	if (p->rate > 0 && p->rate * BURST_S / 2 < most)
		most = p->rate * BURST_S / 2;
	if (pool->rate > 0) {
		n = count_hungry(pool);
		if (pool->rate * BURST_S / 2 / (n ? n : 1) < most)
			most = pool->rate * BURST_S / 2 / (n ? n : 1);
	}
	while (size < MAX_SIZE && size * 2.0 <= most)
		size *= 2;
	return size;
}
