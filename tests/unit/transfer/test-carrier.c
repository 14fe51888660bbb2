/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/carrier.h"

#include <string.h>
#include <unistd.h>

#include "unit.h"

enum {
	USUAL = 2,
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
	struct carrier *c = carriers_take(&cs, false);

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
	ck_assert_ptr_null(carriers_take(&cs, false));
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
	c = carriers_take(&cs, true);
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
	return unit_main(suite);
}
