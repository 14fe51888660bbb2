/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/epoch.h"

#include "unit.h"

static struct copy_epoch epoch;
static struct ranges undone[COPY_SOURCE_KINDS];

static void
setup(void)
{
	int i;

	copy_epoch_init(&epoch);
	for (i = 0; i < COPY_SOURCE_KINDS; i++)
		ranges_init(&undone[i]);
}

static void
teardown(void)
{
	int i;

	copy_epoch_done(&epoch);
	for (i = 0; i < COPY_SOURCE_KINDS; i++)
		ranges_done(&undone[i]);
}

static void
again(void *arg, uint64_t to, uint64_t length, enum copy_kind kind)
{
	ck_assert_ptr_eq(arg, &epoch);
	ck_assert_int_eq(ranges_add(&undone[kind], to, length), 0);
}

START_TEST(what_comes_after_the_flush_was_sent_is_not_covered_by_it)
{
	uint64_t bytes;

	ck_assert_int_eq(copy_epoch_add(&epoch, 0, 10, COPY_DATA), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_add(&epoch, 10, 5, COPY_DATA), 0);
	ck_assert_int_eq(copy_epoch_flushed(&epoch, &bytes), 0);
	ck_assert_uint_eq(bytes, 10);
	ck_assert(ranges_cover(&epoch.durable, 0, 10));
	ck_assert(!ranges_cover(&epoch.durable, 10, 1));
	ck_assert_uint_eq(epoch.open_bytes, 5);
	ck_assert(!copy_epoch_is_clean(&epoch));
}
END_TEST

START_TEST(what_no_flush_has_covered_is_lost_with_the_connection)
{
	uint64_t bytes;

	ck_assert_int_eq(copy_epoch_add(&epoch, 0, 10, COPY_DATA), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_flushed(&epoch, &bytes), 0);
	ck_assert_int_eq(copy_epoch_add(&epoch, 10, 10, COPY_DATA), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_add(&epoch, 20, 10, COPY_ZEROES), 0);
	ck_assert_int_eq(copy_epoch_add(&epoch, 30, 5, COPY_HOLE), 0);
	copy_epoch_lose(&epoch, again, &epoch);
	ck_assert_uint_eq(ranges_total(&undone[COPY_DATA]), 10);
	ck_assert(ranges_cover(&undone[COPY_DATA], 10, 10));
	ck_assert_uint_eq(ranges_total(&undone[COPY_ZEROES]), 10);
	ck_assert(ranges_cover(&undone[COPY_ZEROES], 20, 10));
	ck_assert_uint_eq(ranges_total(&undone[COPY_HOLE]), 5);
	ck_assert(ranges_cover(&undone[COPY_HOLE], 30, 5));
	ck_assert(copy_epoch_is_clean(&epoch));
	ck_assert_uint_eq(ranges_total(&epoch.durable), 10);
}
END_TEST

START_TEST(a_destination_that_failed_keeps_what_is_durable)
{
	uint64_t bytes;

	ck_assert_int_eq(copy_epoch_add(&epoch, 0, 10, COPY_ZEROES), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_flushed(&epoch, &bytes), 0);
	ck_assert_int_eq(copy_epoch_add(&epoch, 10, 10, COPY_ZEROES), 0);
	copy_epoch_forget(&epoch);
	ck_assert(copy_epoch_is_clean(&epoch));
	ck_assert(ranges_cover(&epoch.durable, 0, 10));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy/epoch");
	TCase *t = tcase_create("epoch");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t,
	    what_comes_after_the_flush_was_sent_is_not_covered_by_it);
	tcase_add_test(t,
	    what_no_flush_has_covered_is_lost_with_the_connection);
	tcase_add_test(t, a_destination_that_failed_keeps_what_is_durable);
	suite_add_tcase(s, t);
	return unit_main(s);
}
