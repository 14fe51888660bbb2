/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/marks.h"

#include <string.h>

#include "unit.h"

static struct marks marks;
static struct mark mark;
static unsigned char bytes[8192];

static void
set_up(void)
{
	memset(bytes, 0, sizeof bytes);
	marks_init(&marks);
}

static void
tear_down(void)
{
	marks_done(&marks);
}

START_TEST(the_first_bytes_that_are_not_zero_are_taken)
{
	bytes[100] = 1;
	bytes[131] = 2;
	bytes[132] = 3;
	mark_take(&mark, 4096, bytes, sizeof bytes);
	ck_assert_uint_eq(mark.offset, 4196);
	ck_assert_uint_eq(mark.n, 32);
	ck_assert_int_eq(mark.bytes[0], 1);
	ck_assert_int_eq(mark.bytes[31], 2);
}
END_TEST

START_TEST(no_more_than_there_is)
{
	bytes[9] = 7;
	mark_take(&mark, 0, bytes, 10);
	ck_assert_uint_eq(mark.offset, 9);
	ck_assert_uint_eq(mark.n, 1);
	ck_assert_int_eq(mark.bytes[0], 7);
}
END_TEST

START_TEST(zeroes_are_no_mark)
{
	struct mark v[MAX_MARKS];

	mark_take(&mark, 0, bytes, 0);
	ck_assert_uint_eq(mark.n, 0);
	bytes[sizeof bytes - 1] = 1;
	mark_take(&mark, 0, bytes, sizeof bytes);
	ck_assert_uint_eq(mark.n, 0);
	marks_add(&marks, 0, &mark);
	ck_assert_uint_eq(marks_get(&marks, 0, v), 0);
}
END_TEST

START_TEST(each_disk_has_its_last_marks)
{
	struct mark v[MAX_MARKS];
	uint64_t sum = 0;

	bytes[0] = 1;
	for (uint64_t i = 0; i < MAX_MARKS + 2; i++) {
		mark_take(&mark, i, bytes, 1);
		marks_add(&marks, 1, &mark);
	}
	mark_take(&mark, 77, bytes, 1);
	marks_add(&marks, 0, &mark);
	ck_assert_uint_eq(marks_get(&marks, 0, v), 1);
	ck_assert_uint_eq(v[0].offset, 77);
	ck_assert_uint_eq(marks_get(&marks, 1, v), MAX_MARKS);
	for (size_t i = 0; i < MAX_MARKS; i++)
		sum += v[i].offset;
	ck_assert_uint_eq(sum, MAX_MARKS * (MAX_MARKS + 3) / 2);
	marks_clear(&marks);
	ck_assert_uint_eq(marks_get(&marks, 1, v), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/marks");
	TCase *t = tcase_create("marks");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, the_first_bytes_that_are_not_zero_are_taken);
	tcase_add_test(t, no_more_than_there_is);
	tcase_add_test(t, zeroes_are_no_mark);
	tcase_add_test(t, each_disk_has_its_last_marks);
	suite_add_tcase(s, t);
	return unit_main(s);
}
