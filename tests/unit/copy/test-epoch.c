/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/epoch.h"

#include "unit.h"

static struct copy_epoch epoch;
static struct ranges undone[2];

static void
setup(void)
{
	copy_epoch_init(&epoch);
	ranges_init(&undone[0]);
	ranges_init(&undone[1]);
}

static void
teardown(void)
{
	copy_epoch_done(&epoch);
	ranges_done(&undone[0]);
	ranges_done(&undone[1]);
}

static void
again(void *arg, uint64_t to, uint64_t length, bool is_zero)
{
	ck_assert_ptr_eq(arg, &epoch);
	ck_assert_int_eq(ranges_add(&undone[is_zero], to, length), 0);
}

START_TEST(what_comes_after_the_flush_was_sent_is_not_covered_by_it)
{
	uint64_t bytes;

	ck_assert_int_eq(copy_epoch_add(&epoch, 0, 10, false), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_add(&epoch, 10, 5, false), 0);
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

	ck_assert_int_eq(copy_epoch_add(&epoch, 0, 10, false), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_flushed(&epoch, &bytes), 0);
	ck_assert_int_eq(copy_epoch_add(&epoch, 10, 10, false), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_add(&epoch, 20, 10, true), 0);
	copy_epoch_lose(&epoch, again, &epoch);
	ck_assert_uint_eq(ranges_total(&undone[false]), 10);
	ck_assert(ranges_cover(&undone[false], 10, 10));
	ck_assert_uint_eq(ranges_total(&undone[true]), 10);
	ck_assert(ranges_cover(&undone[true], 20, 10));
	ck_assert(copy_epoch_is_clean(&epoch));
	ck_assert_uint_eq(ranges_total(&epoch.durable), 10);
}
END_TEST

START_TEST(a_destination_that_failed_keeps_what_is_durable)
{
	uint64_t bytes;

	ck_assert_int_eq(copy_epoch_add(&epoch, 0, 10, true), 0);
	copy_epoch_flush(&epoch);
	ck_assert_int_eq(copy_epoch_flushed(&epoch, &bytes), 0);
	ck_assert_int_eq(copy_epoch_add(&epoch, 10, 10, true), 0);
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
