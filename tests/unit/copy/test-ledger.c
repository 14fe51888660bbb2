/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/ledger.h"

#include <errno.h>

#include "unit.h"

static struct copy_ledger ledger;

static void
setup(void)
{
	copy_ledger_init(&ledger, 1);
}

START_TEST(without_a_plan_there_is_no_success)
{
	ck_assert(!copy_ledger_is_success(&ledger, 0, false));
}
END_TEST

START_TEST(everything_written_and_flushed_is_a_success)
{
	copy_ledger_plan(&ledger, 100);
	copy_ledger_add(&ledger.targets[0].done_bytes, 100);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 100);
	ck_assert(!copy_ledger_is_success(&ledger, 0, true));
	copy_ledger_add(&ledger.targets[0].durable_bytes, 99);
	ck_assert(!copy_ledger_is_success(&ledger, 0, true));
	copy_ledger_add(&ledger.targets[0].durable_bytes, 1);
	ck_assert(copy_ledger_is_success(&ledger, 0, true));
}
END_TEST

START_TEST(a_missing_byte_is_no_success)
{
	copy_ledger_plan(&ledger, 100);
	copy_ledger_add(&ledger.targets[0].done_bytes, 99);
	copy_ledger_add(&ledger.targets[0].durable_bytes, 99);
	ck_assert(!copy_ledger_is_success(&ledger, 0, true));
}
END_TEST

START_TEST(a_failure_stops_the_lanes_and_stays_a_failure)
{
	const struct copy_failure first = { .error = -EIO, .offset = 1 };
	const struct copy_failure second = { .error = -ENOSPC, .offset = 2 };

	copy_ledger_plan(&ledger, 10);
	copy_ledger_add(&ledger.targets[0].done_bytes, 10);
	ck_assert(!copy_ledger_is_stopped(&ledger));
	copy_ledger_fail(&ledger, &first, 1);
	copy_ledger_fail(&ledger, &second, 2);
	copy_ledger_add(&ledger.targets[0].durable_bytes, 10);
	ck_assert(copy_ledger_is_stopped(&ledger));
	ck_assert_uint_eq(ledger.n_failures, 3);
	ck_assert_int_eq(ledger.first_failure.error, -EIO);
	ck_assert(!copy_ledger_is_success(&ledger, 0, true));
}
END_TEST

START_TEST(each_operation_has_a_name)
{
	ck_assert_str_eq(copy_op_name(COPY_ZERO), "write-zeroes");
	ck_assert_str_eq(copy_op_name(COPY_FLUSH), "flush");
}
END_TEST

START_TEST(one_destination_that_fails_leaves_the_others)
{
	const struct copy_failure lost = { .error = -EIO,
		.side = COPY_DESTINATION,
		.target = 1 };

	copy_ledger_init(&ledger, 3);
	copy_ledger_plan(&ledger, 10);
	copy_ledger_add(&ledger.targets[0].done_bytes, 10);
	copy_ledger_add(&ledger.targets[1].done_bytes, 2);
	copy_ledger_add(&ledger.targets[2].done_bytes, 7);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 2);
	copy_ledger_fail(&ledger, &lost, 1);
	ck_assert(!copy_ledger_is_stopped(&ledger));
	ck_assert(!copy_ledger_is_live(&ledger, 1));
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 7);
	copy_ledger_add(&ledger.targets[2].done_bytes, 3);
	copy_ledger_add(&ledger.targets[0].durable_bytes, 10);
	copy_ledger_add(&ledger.targets[1].durable_bytes, 10);
	ck_assert(copy_ledger_is_success(&ledger, 0, true));
	ck_assert(!copy_ledger_is_success(&ledger, 1, true));
	ck_assert(!copy_ledger_is_success(&ledger, 2, true));
	ck_assert(copy_ledger_is_success(&ledger, 2, false));
}
END_TEST

START_TEST(the_last_destination_that_fails_stops_the_lanes)
{
	struct copy_failure lost = { .error = -EIO,
		.side = COPY_DESTINATION };

	copy_ledger_init(&ledger, 2);
	copy_ledger_fail(&ledger, &lost, 1);
	ck_assert(!copy_ledger_is_stopped(&ledger));
	lost.target = 1;
	copy_ledger_fail(&ledger, &lost, 1);
	ck_assert(copy_ledger_is_stopped(&ledger));
	ck_assert(copy_ledger_all_failed(&ledger));
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
	tcase_add_test(t, each_operation_has_a_name);
	tcase_add_test(t, one_destination_that_fails_leaves_the_others);
	tcase_add_test(t, the_last_destination_that_fails_stops_the_lanes);
	suite_add_tcase(s, t);
	return unit_main(s);
}
