/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/carrier.h"

#include <string.h>
#include <unistd.h>

#include "unit.h"

enum {
	USUAL = 2,
	LENGTH = 1000,
	N_LANES = 5,
	MAX_TAKEN = 8,
	N_PIECES = 2000,
};

static struct carriers cs;

static void
setup(void)
{
	carriers_init(&cs, USUAL);
}

static void
teardown(void)
{
	carriers_done(&cs);
}

static struct carrier *
take(void)
{
	struct carrier *c = carriers_take(&cs, LENGTH, CARRIERS_MIXED);

	ck_assert_ptr_nonnull(c);
	return c;
}

START_TEST(the_one_given_back_last_is_taken_first)
{
	struct carrier *a = take();
	struct carrier *b = take();

	carriers_give_back(&cs, b);
	carriers_give_back(&cs, a);
	ck_assert_ptr_eq(take(), a);
	ck_assert_ptr_eq(take(), b);
	carriers_give_back(&cs, a);
	carriers_give_back(&cs, b);
}
END_TEST

START_TEST(while_some_are_leaving_there_are_not_more_than_usual)
{
	struct carrier *a = take();
	struct carrier *b = take();

	carriers_leave(&cs, a);
	ck_assert_ptr_null(carriers_take(&cs, LENGTH, CARRIERS_MIXED));
	carriers_give_back(&cs, a);
	ck_assert_ptr_eq(take(), a);
	carriers_give_back(&cs, a);
	carriers_give_back(&cs, b);
}
END_TEST

/* Else reads that come in mixed pieces would wait for each other. */
START_TEST(where_none_is_leaving_there_are_as_many_as_needed)
{
	struct carrier *all[5];

	for (int i = 0; i < 5; i++)
		all[i] = take();
	for (int i = 0; i < 5; i++)
		carriers_give_back(&cs, all[i]);
	ck_assert_uint_eq(cs.n, 5);
}
END_TEST

START_TEST(an_urgent_one_does_not_wait)
{
	struct carrier *a = take();
	struct carrier *b = take();
	struct carrier *c;

	carriers_leave(&cs, a);
	carriers_leave(&cs, b);
	c = carriers_take(&cs, LENGTH, CARRIERS_URGENT);
	ck_assert_ptr_nonnull(c);
	carriers_give_back(&cs, a);
	carriers_give_back(&cs, b);
	carriers_give_back(&cs, c);
}
END_TEST

START_TEST(a_buffer_grows_and_begins_as_zeroes)
{
	struct carrier *c = take();
	unsigned char *p = carrier_buffer(c, 100);

	ck_assert_uint_eq(p[99], 0);
	memset(p, 1, 100);
	ck_assert_ptr_eq(carrier_buffer(c, 50), p);
	p = carrier_buffer(c, 100000);
	for (int i = 0; i < 100000; i++)
		ck_assert_uint_eq(p[i], 0);
	carriers_give_back(&cs, c);
}
END_TEST

START_TEST(what_is_left_in_a_pipe_is_not_given_to_the_next)
{
	struct carrier *c = take();
	char byte = 1;

	ck_assert(carrier_pipe(&cs, c, 4096));
	ck_assert_int_eq(write(c->pipe.write_fd, &byte, 1), 1);
	c->pipe.n_bytes = 1;
	carriers_give_back(&cs, c);
	c = take();
	ck_assert(carrier_pipe(&cs, c, 4096));
	ck_assert_uint_eq(c->pipe.n_bytes, 0);
	ck_assert_int_eq(read(c->pipe.read_fd, &byte, 1), -1);
	carriers_give_back(&cs, c);
}
END_TEST

START_TEST(a_pipe_that_the_system_does_not_give_is_not_asked_for_again)
{
	struct carrier *c = take();

	ck_assert(!carrier_pipe(&cs, c, (size_t)1 << 40));
	ck_assert(cs.has_no_pipes);
	ck_assert(!carrier_pipe(&cs, c, 4096));
	carriers_give_back(&cs, c);
}
END_TEST

/* Memory. */

static struct budget *budget;
static struct budget_share share;

static void
setup_budget(void)
{
	ck_assert_int_eq(budget_new(&budget), 0);
	budget_join(budget, &share, 0);
}

static void
teardown_budget(void)
{
	ck_assert_uint_eq(budget_memory_used(budget), 0);
	budget_leave(&share);
	budget_free(budget);
}

START_TEST(what_is_granted_is_enough_for_one_of_any_size)
{
	struct carrier *a;
	struct carrier *b;

	budget_set_memory(budget, LENGTH);
	ck_assert(budget_take(&share, LENGTH));
	carriers_init(&cs, USUAL);
	carriers_count(&cs, &share, LENGTH, false);
	a = carriers_take(&cs, LENGTH / 2, CARRIERS_CERTAIN);
	b = carriers_take(&cs, LENGTH / 2, CARRIERS_CERTAIN);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	carriers_give_back(&cs, b);
	/* The one that is free is given up, and that is not enough. */
	ck_assert_ptr_null(carriers_take(&cs, LENGTH, CARRIERS_CERTAIN));
	ck_assert(budget_was_short(&share));
	carriers_give_back(&cs, a);
	a = carriers_take(&cs, LENGTH, CARRIERS_CERTAIN);
	ck_assert_ptr_nonnull(a);
	carriers_give_back(&cs, a);
	carriers_done(&cs);
	ck_assert_uint_eq(budget_memory_peak(budget), LENGTH);
	budget_give_back(&share, LENGTH);
}
END_TEST

START_TEST(what_is_taken_beyond_that_is_given_back)
{
	struct carrier *a;
	struct carrier *b;

	budget_set_memory(budget, 10 * LENGTH);
	ck_assert(budget_take(&share, 2 * LENGTH));
	carriers_init(&cs, USUAL);
	carriers_count(&cs, &share, 2 * LENGTH, true);
	a = carriers_take(&cs, LENGTH, CARRIERS_CERTAIN);
	b = carriers_take(&cs, LENGTH, CARRIERS_CERTAIN);
	ck_assert_uint_eq(budget_memory_used(budget), 4 * LENGTH);
	carriers_give_back(&cs, a);
	carriers_give_back(&cs, b);
	carriers_done(&cs);
	ck_assert_uint_eq(budget_memory_used(budget), 2 * LENGTH);
	budget_give_back(&share, 2 * LENGTH);
	ck_assert(!budget_was_short(&share));
}
END_TEST

/* All of them could be waiting for each other: there is no other way. */
START_TEST(where_bytes_come_mixed_nobody_waits)
{
	struct carrier *a;
	struct carrier *b;

	budget_set_memory(budget, LENGTH);
	ck_assert(budget_take(&share, LENGTH));
	carriers_init(&cs, USUAL);
	carriers_count(&cs, &share, LENGTH, false);
	a = carriers_take(&cs, LENGTH, CARRIERS_MIXED);
	b = carriers_take(&cs, LENGTH, CARRIERS_MIXED);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(budget_memory_used(budget), 2 * LENGTH);
	/* Now one of them will come back. */
	carriers_leave(&cs, a);
	ck_assert_ptr_null(carriers_take(&cs, LENGTH, CARRIERS_MIXED));
	carriers_give_back(&cs, a);
	carriers_give_back(&cs, b);
	carriers_done(&cs);
	budget_give_back(&share, LENGTH);
}
END_TEST

START_TEST(what_another_run_cannot_begin_without_is_given_back)
{
	struct budget_share other;
	struct carrier *a;
	struct carrier *b;

	budget_join(budget, &other, 0);
	budget_set_memory(budget, 3 * LENGTH);
	ck_assert(budget_take(&share, LENGTH));
	carriers_init(&cs, USUAL);
	carriers_count(&cs, &share, LENGTH, false);
	a = carriers_take(&cs, LENGTH, CARRIERS_CERTAIN);
	b = carriers_take(&cs, LENGTH, CARRIERS_CERTAIN);
	ck_assert_ptr_nonnull(b);
	ck_assert(!budget_take_first(&other, 2 * LENGTH));
	/* Nor is there anything for others now. */
	ck_assert_ptr_null(carriers_take(&cs, LENGTH, CARRIERS_CERTAIN));
	carriers_give_back(&cs, b);
	ck_assert(budget_take_first(&other, 2 * LENGTH));
	ck_assert(!budget_is_wanted(&share));
	carriers_give_back(&cs, a);
	carriers_done(&cs);
	budget_give_back(&share, LENGTH);
	budget_give_back(&other, 2 * LENGTH);
	/* One that gives up waiting leaves the rest to the others. */
	budget_set_memory(budget, 1);
	ck_assert(!budget_take_first(&other, 2));
	ck_assert(!budget_take(&share, 1));
	budget_stop_waiting(&other);
	ck_assert(budget_take(&share, 1));
	budget_give_back(&share, 1);
	budget_leave(&other);
}
END_TEST

struct fake_lane {
	struct carriers cs;
	struct carrier *taken[MAX_TAKEN];
	unsigned n_taken;
	unsigned n_done;
};

static unsigned
next_random(unsigned n)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(state >> 33) % n;
}

/* Something happens in a lane; false: nothing can. */
static bool
fake_lane_step(struct fake_lane *l)
{
	struct carrier *c = NULL;
	unsigned i;

	if (l->n_taken < MAX_TAKEN && next_random(2) == 0)
		c = carriers_take(&l->cs, 1 + next_random(LENGTH),
		    CARRIERS_CERTAIN);
	if (c != NULL) {
		l->taken[l->n_taken++] = c;
		return true;
	}
	if (l->n_taken == 0) {
		c = carriers_take(&l->cs, LENGTH, CARRIERS_CERTAIN);
		if (c == NULL)
			return false;
		carriers_give_back(&l->cs, c);
		l->n_done++;
		return true;
	}
	i = next_random(l->n_taken);
	if (next_random(2) == 0) {
		carriers_leave(&l->cs, l->taken[i]);
		return true;
	}
	carriers_give_back(&l->cs, l->taken[i]);
	l->taken[i] = l->taken[--l->n_taken];
	l->n_done++;
	return true;
}

START_TEST(no_lane_waits_for_ever_and_the_limit_holds)
{
	static struct fake_lane lanes[N_LANES];
	const uint64_t max = (N_LANES + 3) * LENGTH;
	bool was_short = false;
	unsigned n_done = 0;

	budget_set_memory(budget, max);
	for (int i = 0; i < N_LANES; i++) {
		ck_assert(budget_take(&share, LENGTH));
		carriers_init(&lanes[i].cs, USUAL * 2);
		carriers_count(&lanes[i].cs, &share, LENGTH, false);
	}
	while (n_done < N_PIECES) {
		struct fake_lane *l = &lanes[next_random(N_LANES)];

		n_done -= l->n_done;
		ck_assert_msg(fake_lane_step(l), "a lane cannot go on");
		n_done += l->n_done;
		was_short |= budget_was_short(&share);
		ck_assert_uint_le(budget_memory_used(budget), max);
	}
	ck_assert(was_short);
	ck_assert_uint_le(budget_memory_peak(budget), max);
	ck_assert_uint_gt(budget_memory_peak(budget), max - LENGTH);
	for (int i = 0; i < N_LANES; i++) {
		while (lanes[i].n_taken > 0)
			carriers_give_back(&lanes[i].cs,
			    lanes[i].taken[--lanes[i].n_taken]);
		carriers_done(&lanes[i].cs);
	}
	budget_give_back(&share, N_LANES * LENGTH);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("carrier");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_one_given_back_last_is_taken_first);
	tcase_add_test(tc,
	    while_some_are_leaving_there_are_not_more_than_usual);
	tcase_add_test(tc, where_none_is_leaving_there_are_as_many_as_needed);
	tcase_add_test(tc, an_urgent_one_does_not_wait);
	tcase_add_test(tc, a_buffer_grows_and_begins_as_zeroes);
	tcase_add_test(tc, what_is_left_in_a_pipe_is_not_given_to_the_next);
	tcase_add_test(tc,
	    a_pipe_that_the_system_does_not_give_is_not_asked_for_again);
	suite_add_tcase(suite, tc);
	tc = tcase_create("memory");
	tcase_add_checked_fixture(tc, setup_budget, teardown_budget);
	tcase_add_test(tc, what_is_granted_is_enough_for_one_of_any_size);
	tcase_add_test(tc, what_is_taken_beyond_that_is_given_back);
	tcase_add_test(tc, where_bytes_come_mixed_nobody_waits);
	tcase_add_test(tc,
	    what_another_run_cannot_begin_without_is_given_back);
	tcase_add_test(tc, no_lane_waits_for_ever_and_the_limit_holds);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
