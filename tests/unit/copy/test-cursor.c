/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/cursor.h"

#include <pthread.h>

#include "unit.h"

START_TEST(claims_follow_each_other_and_end_at_the_end)
{
	struct copy_cursor c;
	uint64_t from;
	uint64_t to;

	copy_cursor_init(&c, 250);
	ck_assert(copy_cursor_claim(&c, 100, &from, &to));
	ck_assert(from == 0 && to == 100);
	ck_assert(copy_cursor_claim(&c, 100, &from, &to));
	ck_assert(from == 100 && to == 200);
	ck_assert(copy_cursor_claim(&c, 100, &from, &to));
	ck_assert(from == 200 && to == 250);
	ck_assert(!copy_cursor_claim(&c, 100, &from, &to));
}
END_TEST

START_TEST(a_claim_near_the_largest_number_does_not_wrap)
{
	struct copy_cursor c;
	uint64_t from;
	uint64_t to;

	copy_cursor_init(&c, UINT64_MAX);
	ck_assert(copy_cursor_claim(&c, UINT64_MAX - 1, &from, &to));
	ck_assert(copy_cursor_claim(&c, UINT64_MAX, &from, &to));
	ck_assert(from == UINT64_MAX - 1 && to == UINT64_MAX);
	ck_assert(!copy_cursor_claim(&c, 1, &from, &to));
}
END_TEST

#define LINE 100000

static struct copy_cursor shared;
static _Atomic unsigned char claimed[LINE];

static void *
claim_all(void *arg)
{
	uint64_t step = *(uint64_t *)arg;
	uint64_t from;
	uint64_t to;

	while (copy_cursor_claim(&shared, step, &from, &to))
		for (; from < to; from++)
			claimed[from]++;
	return NULL;
}

START_TEST(threads_claim_every_byte_exactly_once)
{
	uint64_t steps[] = { 1, 3, 7 };
	pthread_t threads[3];
	size_t i;

	copy_cursor_init(&shared, LINE);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, claim_all,
				     &steps[i]),
		    0);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (i = 0; i < LINE; i++)
		ck_assert_uint_eq(claimed[i], 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy/cursor");
	TCase *t = tcase_create("cursor");

	tcase_add_test(t, claims_follow_each_other_and_end_at_the_end);
	tcase_add_test(t, a_claim_near_the_largest_number_does_not_wrap);
	tcase_add_test(t, threads_claim_every_byte_exactly_once);
	suite_add_tcase(s, t);
	return unit_main(s);
}
