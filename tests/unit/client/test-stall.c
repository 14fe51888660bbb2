/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When a connection counts as stalled; on a clock of the test's own.
 */
#include "client/stall.h"
#include "unit.h"

enum {
	TIMEOUT_MS = 8000,
	REQUEST_MS = 80000,
};

static struct stall st;
static uint64_t now;
static uint64_t n_moved;

static void
set_up(void)
{
	now = 1000;
	n_moved = 0;
	stall_init(&st, TIMEOUT_MS, REQUEST_MS);
}

static enum stall_verdict
tick(void)
{
	now += st.tick_ms;
	return stall_tick(&st, now, n_moved);
}

START_TEST(the_tick_is_an_eighth_and_not_too_short)
{
	ck_assert_uint_eq(st.tick_ms, 1000);
	stall_init(&st, REQUEST_MS, TIMEOUT_MS);
	ck_assert_uint_eq(st.tick_ms, 1000);
	stall_init(&st, 100, 1000);
	ck_assert_uint_eq(st.tick_ms, 50);
	stall_init(&st, 1, 1);
	ck_assert_uint_eq(st.tick_ms, 50);
	ck_assert_uint_lt(st.max_age, STALL_EPOCHS);
}
END_TEST

/* With not more than a tenth on top, or two ticks. */
static void
expect_fit(uint64_t ms, uint64_t request_ms)
{
	uint64_t age_ms;

	stall_init(&st, ms, request_ms);
	age_ms = st.max_age * st.epoch_ticks * st.tick_ms;
	ck_assert_uint_lt(st.max_age, STALL_EPOCHS);
	ck_assert_uint_ge(age_ms - st.epoch_ticks * st.tick_ms, request_ms);
	ck_assert_uint_le(age_ms, request_ms + request_ms / 10 +
	    2 * st.tick_ms);
}

START_TEST(every_timeout_fits_the_ring)
{
	uint64_t ms;

	for (ms = 1; ms < 20000; ms++) {
		expect_fit(ms, ms * 10);
		expect_fit(ms, 13000);
		expect_fit(1000, ms);
		expect_fit(ms, 366ULL * 24 * 3600 * 1000);
		expect_fit(366ULL * 24 * 3600 * 1000, ms);
	}
}
END_TEST

START_TEST(an_idle_connection_never_stalls)
{
	int i;

	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(tick(), STALL_NONE);
}
END_TEST

START_TEST(no_byte_for_the_timeout_is_a_stall)
{
	int i;

	stall_start(&st, now);
	(void)stall_submitted(&st);
	for (i = 0; i < 7; i++)
		ck_assert_int_eq(tick(), STALL_NONE);
	ck_assert_int_eq(tick(), STALL_NO_PROGRESS);
}
END_TEST

START_TEST(any_byte_starts_the_clock_again)
{
	int i;

	stall_start(&st, now);
	(void)stall_submitted(&st);
	for (i = 0; i < 7; i++)
		ck_assert_int_eq(tick(), STALL_NONE);
	n_moved++;
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(tick(), STALL_NONE);
	ck_assert_int_eq(tick(), STALL_NO_PROGRESS);
}
END_TEST

START_TEST(a_long_idle_time_does_not_count)
{
	now += 1000 * TIMEOUT_MS;
	stall_start(&st, now);
	(void)stall_submitted(&st);
	ck_assert_int_eq(tick(), STALL_NONE);
}
END_TEST

/* Bytes move all the time, but one request is never answered. */
START_TEST(a_request_that_is_too_old_is_a_stall)
{
	static const uint64_t timeouts[] = { REQUEST_MS, 1000, 10000,
		3600 * 1000 };
	enum stall_verdict verdict = STALL_NONE;
	uint32_t epoch;
	uint64_t before;

	stall_init(&st, TIMEOUT_MS, timeouts[_i]);
	before = now;
	stall_start(&st, now);
	(void)stall_submitted(&st);
	while (verdict == STALL_NONE) {
		epoch = stall_submitted(&st);
		n_moved++;
		verdict = tick();
		stall_completed(&st, epoch);
	}
	ck_assert_int_eq(verdict, STALL_REQUEST_TOO_OLD);
	ck_assert_uint_ge(now - before, timeouts[_i]);
	ck_assert_uint_le(now - before, timeouts[_i] +
	    st.epoch_ticks * st.tick_ms);
}
END_TEST

START_TEST(requests_that_are_answered_in_time_never_stall)
{
	uint32_t epochs[8];
	int i;

	stall_start(&st, now);
	for (i = 0; i < 8; i++)
		epochs[i] = stall_submitted(&st);
	for (i = 0; i < 100000; i++) {
		n_moved++;
		ck_assert_int_eq(tick(), STALL_NONE);
		stall_completed(&st, epochs[i % 8]);
		epochs[i % 8] = stall_submitted(&st);
	}
	for (i = 0; i < 8; i++)
		stall_completed(&st, epochs[i]);
	ck_assert_uint_eq(st.n_in_flight, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/stall");
	TCase *tc = tcase_create("stall");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, the_tick_is_an_eighth_and_not_too_short);
	tcase_add_test(tc, every_timeout_fits_the_ring);
	tcase_add_test(tc, an_idle_connection_never_stalls);
	tcase_add_test(tc, no_byte_for_the_timeout_is_a_stall);
	tcase_add_test(tc, any_byte_starts_the_clock_again);
	tcase_add_test(tc, a_long_idle_time_does_not_count);
	tcase_add_loop_test(tc, a_request_that_is_too_old_is_a_stall, 0, 4);
	tcase_add_test(tc, requests_that_are_answered_in_time_never_stall);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
