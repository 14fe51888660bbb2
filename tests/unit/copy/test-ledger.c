/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/ledger.h"

#include <errno.h>

#include "unit.h"

static struct copy_ledger ledger;

static void
setup(void)
{
	copy_ledger_init(&ledger);
}

START_TEST(without_a_plan_there_is_no_success)
{
	ck_assert(!copy_ledger_is_success(&ledger, false));
}
END_TEST

START_TEST(everything_written_and_flushed_is_a_success)
{
	copy_ledger_plan(&ledger, 100);
	copy_ledger_add(&ledger.written_bytes, 60);
	copy_ledger_add(&ledger.zeroed_bytes, 40);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 100);
	ck_assert(!copy_ledger_is_success(&ledger, true));
	ck_assert_uint_eq(copy_ledger_get(&ledger.durable_bytes), 0);
	copy_ledger_flushed(&ledger);
	ck_assert(copy_ledger_is_success(&ledger, true));
	ck_assert_uint_eq(copy_ledger_get(&ledger.durable_bytes), 100);
}
END_TEST

START_TEST(a_missing_byte_is_no_success)
{
	copy_ledger_plan(&ledger, 100);
	copy_ledger_add(&ledger.written_bytes, 99);
	copy_ledger_flushed(&ledger);
	ck_assert(!copy_ledger_is_success(&ledger, true));
}
END_TEST

START_TEST(a_failure_stops_the_lanes_and_stays_a_failure)
{
	const struct copy_failure first = { .error = -EIO, .offset = 1 };
	const struct copy_failure second = { .error = -ENOSPC, .offset = 2 };

	copy_ledger_plan(&ledger, 10);
	copy_ledger_add(&ledger.written_bytes, 10);
	ck_assert(!copy_ledger_is_stopped(&ledger));
	copy_ledger_fail(&ledger, &first, 1);
	copy_ledger_fail(&ledger, &second, 2);
	copy_ledger_flushed(&ledger);
	ck_assert(copy_ledger_is_stopped(&ledger));
	ck_assert_uint_eq(ledger.n_failures, 3);
	ck_assert_int_eq(ledger.first_failure.error, -EIO);
	ck_assert(!copy_ledger_is_success(&ledger, true));
}
END_TEST

START_TEST(each_operation_has_a_name_and_a_side)
{
	ck_assert_str_eq(copy_op_name(COPY_ZERO), "write-zeroes");
	ck_assert_int_eq(copy_op_side(COPY_STATUS), COPY_SOURCE);
	ck_assert_int_eq(copy_op_side(COPY_READ), COPY_SOURCE);
	ck_assert_int_eq(copy_op_side(COPY_WRITE), COPY_DESTINATION);
	ck_assert_int_eq(copy_op_side(COPY_ZERO), COPY_DESTINATION);
	ck_assert_int_eq(copy_op_side(COPY_FLUSH), COPY_DESTINATION);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy/ledger");
	TCase *t = tcase_create("ledger");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, without_a_plan_there_is_no_success);
	tcase_add_test(t, everything_written_and_flushed_is_a_success);
	tcase_add_test(t, a_missing_byte_is_no_success);
	tcase_add_test(t, a_failure_stops_the_lanes_and_stays_a_failure);
	tcase_add_test(t, each_operation_has_a_name_and_a_side);
	suite_add_tcase(s, t);
	return unit_main(s);
}
