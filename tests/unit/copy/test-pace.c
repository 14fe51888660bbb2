/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/pace.h"

#include <stdbool.h>
#include <string.h>

#include "unit.h"

enum {
	KB = 1000,
	MB = 1000 * KB,
	SECOND = 1000 * 1000,
	MAX_MEMBERS = 100,
};

/* A run that wants so much, and what it got. */
struct member {
	struct copy_pace pace;
	bool is_idle;
	uint64_t due;
	uint64_t got;
};

struct world {
	struct copy_pace_pool pool;
	struct member v[MAX_MEMBERS];
	unsigned n;
	uint64_t now;
};

static void
world_init(struct world *w, uint64_t rate)
{
	memset(w, 0, sizeof *w);
	copy_pace_pool_init(&w->pool);
	copy_pace_pool_set_rate(&w->pool, rate, 0);
}

static struct member *
add(struct world *w, uint64_t rate)
{
	struct member *m = &w->v[w->n++];

	copy_pace_join(&m->pace, &w->pool, rate, w->now);
	m->due = w->now;
	return m;
}

/* Everybody takes what he may have, and asks again when told to. */
static void
pass(struct world *w, uint64_t span_us)
{
	uint64_t end = w->now + span_us;
	struct member *m;
	uint64_t wait;
	uint32_t size;
	unsigned i;

	for (; w->now < end; w->now += 1000)
		for (i = 0; i < w->n; i++) {
			m = &w->v[i];
			if (m->is_idle || m->due > w->now)
				continue;
			while ((wait = copy_pace_wait_us(&m->pace,
				w->now)) == 0) {
				size = copy_pace_size(&m->pace);
				copy_pace_take(&m->pace, size);
				m->got += size;
			}
			m->due = w->now + wait;
		}
}

static void
assert_about(uint64_t is, uint64_t wanted)
{
	ck_assert_uint_ge(is, wanted - wanted / 20);
	ck_assert_uint_le(is, wanted + wanted / 20);
}

static const uint64_t rates[] = { 20 * KB, 100 * KB, 1 * MB, 77 * MB,
	2000ULL * MB, 20000ULL * MB };

START_TEST(a_rate_of_its_own_is_kept)
{
	struct world w;
	struct member *m;

	world_init(&w, 0);
	m = add(&w, rates[_i]);
	pass(&w, 10 * SECOND);
	assert_about(m->got, rates[_i] * 10);
}
END_TEST

START_TEST(what_flows_in_a_tenth_of_a_second_is_never_much)
{
	struct world w;
	struct member *m;
	uint64_t before;
	int i;

	world_init(&w, 0);
	m = add(&w, rates[_i]);
	for (i = 0; i < 30; i++) {
		/* Nothing is asked for at times: it is not saved up. */
		m->is_idle = i % 10 < 3;
		before = m->got;
		pass(&w, SECOND / 10);
		ck_assert_uint_le(m->got - before, rates[_i] / 5 + 4096);
	}
	ck_assert_uint_gt(m->got, 0);
}
END_TEST

START_TEST(a_piece_is_smaller_than_what_flows_in_a_burst)
{
	struct world w;
	struct member *m;
	uint32_t size;

	world_init(&w, 0);
	m = add(&w, rates[_i]);
	size = copy_pace_size(&m->pace);
	ck_assert_uint_eq(size & (size - 1), 0);
	ck_assert_uint_ge(size, 4096);
	if (size > 4096)
		ck_assert_uint_le(size,
		    rates[_i] * COPY_PACE_BURST_MS / 1000);
}
END_TEST

START_TEST(without_a_rate_nothing_waits)
{
	struct world w;
	struct member *m;
	int i;

	world_init(&w, 0);
	m = add(&w, 0);
	for (i = 0; i < 1000; i++) {
		ck_assert_uint_eq(copy_pace_wait_us(&m->pace, 0), 0);
		copy_pace_take(&m->pace, 1U << 30);
	}
	ck_assert_uint_ge(copy_pace_size(&m->pace), 32U << 20);
}
END_TEST

START_TEST(a_pool_is_split_evenly)
{
	struct world w;
	int i;

	world_init(&w, 100 * MB);
	for (i = 0; i < MAX_MEMBERS; i++)
		(void)add(&w, 0);
	pass(&w, 10 * SECOND);
	for (i = 0; i < MAX_MEMBERS; i++)
		assert_about(w.v[i].got, 10 * MB);
}
END_TEST

START_TEST(what_one_leaves_goes_to_the_others)
{
	struct world w;
	struct member *slow;
	struct member *idle;
	struct member *a;
	struct member *b;

	world_init(&w, 100 * MB);
	slow = add(&w, 10 * MB);
	idle = add(&w, 0);
	a = add(&w, 0);
	b = add(&w, 0);
	idle->is_idle = true;
	pass(&w, 10 * SECOND);
	assert_about(slow->got, 100 * MB);
	assert_about(a->got, 450 * MB);
	assert_about(b->got, 450 * MB);
}
END_TEST

START_TEST(one_that_leaves_makes_room)
{
	struct world w;
	struct member *a;
	struct member *b;
	uint64_t before;

	world_init(&w, 100 * MB);
	a = add(&w, 0);
	b = add(&w, 0);
	pass(&w, SECOND);
	b->is_idle = true;
	copy_pace_leave(&b->pace);
	before = a->got;
	pass(&w, 10 * SECOND);
	assert_about(a->got - before, 1000 * MB);
}
END_TEST

START_TEST(a_rate_can_be_changed_on_the_way)
{
	struct world w;
	struct member *m;
	uint64_t before;

	world_init(&w, 0);
	m = add(&w, 1 * MB);
	pass(&w, SECOND);
	copy_pace_set_rate(&m->pace, 50 * MB, w.now);
	m->due = w.now;
	before = m->got;
	pass(&w, 10 * SECOND);
	assert_about(m->got - before, 500 * MB);
	copy_pace_set_rate(&m->pace, 0, w.now);
	copy_pace_pool_set_rate(&w.pool, 5 * MB, w.now);
	m->due = w.now;
	before = m->got;
	pass(&w, 10 * SECOND);
	assert_about(m->got - before, 50 * MB);
	copy_pace_pool_set_rate(&w.pool, 0, w.now);
	ck_assert_uint_eq(copy_pace_wait_us(&m->pace, w.now), 0);
}
END_TEST

START_TEST(a_large_piece_is_waited_for_afterwards)
{
	struct world w;
	struct member *m;

	world_init(&w, 0);
	m = add(&w, 1 * MB);
	ck_assert_uint_gt(copy_pace_wait_us(&m->pace, 0), 0);
	ck_assert_uint_eq(copy_pace_wait_us(&m->pace, 10), 0);
	copy_pace_take(&m->pace, 500 * KB);
	ck_assert_uint_ge(copy_pace_wait_us(&m->pace, 10), SECOND * 2 / 5);
	ck_assert_uint_gt(copy_pace_wait_us(&m->pace, SECOND * 2 / 5), 0);
	ck_assert_uint_eq(copy_pace_wait_us(&m->pace, SECOND), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tc = tcase_create("all");
	int n = sizeof rates / sizeof rates[0];

	tcase_add_loop_test(tc, a_rate_of_its_own_is_kept, 0, n);
	tcase_add_loop_test(tc,
	    what_flows_in_a_tenth_of_a_second_is_never_much, 0, n);
	tcase_add_loop_test(tc, a_piece_is_smaller_than_what_flows_in_a_burst,
	    0, n);
	tcase_add_test(tc, without_a_rate_nothing_waits);
	tcase_add_test(tc, a_pool_is_split_evenly);
	tcase_add_test(tc, what_one_leaves_goes_to_the_others);
	tcase_add_test(tc, one_that_leaves_makes_room);
	tcase_add_test(tc, a_rate_can_be_changed_on_the_way);
	tcase_add_test(tc, a_large_piece_is_waited_for_afterwards);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
