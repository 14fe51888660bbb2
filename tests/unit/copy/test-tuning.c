/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/tuning.h"

#include "unit.h"

enum {
	KIB = 1024,
	MIB = 1024 * KIB,
	LOOK_MS = 100,
};

static const struct copy_plan usual = {
	.request_size = 256 * KIB,
	.max_request_size = MIB,
	.queue_depth = 16,
	.min_queue_depth = 4,
	.max_queue_depth = 64,
	.lanes = 2,
	.max_lanes = 8,
};

static struct copy_tuning t;
static uint64_t now_ms;
static uint64_t done_bytes;
static unsigned lanes;

static void
begin(const struct copy_plan *plan)
{
	now_ms = 1000;
	done_bytes = 0;
	copy_tuning_init(&t, plan, now_ms);
}

static void
note(enum copy_side side, unsigned n, uint64_t took_ms)
{
	for (unsigned i = 0; i < n; i++)
		copy_tuning_note(&t, side, took_ms * 1000);
}

/* Requests that took so long have ended, and so many bytes are done. */
static void
look_after(uint64_t source_ms, uint64_t destination_ms, uint64_t moved)
{
	note(COPY_SOURCE, 20, source_ms);
	note(COPY_DESTINATION, 20, destination_ms);
	now_ms += LOOK_MS;
	done_bytes += moved;
	lanes = copy_tuning_look(&t, now_ms, done_bytes, COPY_LIMIT_NONE);
}

static void
is(unsigned want_lanes, unsigned depth, uint32_t request_size,
    const char *limit)
{
	ck_assert_uint_eq(lanes, want_lanes);
	ck_assert_uint_eq(atomic_load(&t.depth), depth);
	ck_assert_uint_eq(atomic_load(&t.request_size), request_size);
	ck_assert_str_eq(copy_limit_name((enum copy_limit)
	    atomic_load(&t.limit)), limit);
}

START_TEST(where_nothing_queues_more_is_in_flight_up_to_the_limits)
{
	begin(&usual);
	look_after(50, 50, 8 * MIB);
	is(2, 16, MIB, "window");
	look_after(50, 50, 32 * MIB);
	is(4, 16, MIB, "window");
	look_after(51, 52, 64 * MIB);
	is(8, 16, MIB, "window");
	look_after(50, 50, 128 * MIB);
	is(8, 32, MIB, "window");
	look_after(50, 50, 256 * MIB);
	look_after(50, 50, 512ULL * MIB);
	is(8, 64, MIB, "window");
}
END_TEST

/* What comes in a burst waits a moment at the near end. */
START_TEST(a_short_queue_at_the_near_end_of_a_long_way_is_nothing)
{
	begin(&usual);
	note(COPY_DESTINATION, 1, 1);
	look_after(100, 10, 8 * MIB);
	is(2, 16, MIB, "window");
}
END_TEST

/* A local server: its first answer is quick, the rest wait their turn. */
START_TEST(where_requests_queue_nothing_is_added)
{
	begin(&usual);
	note(COPY_SOURCE, 1, 1);
	note(COPY_DESTINATION, 1, 1);
	look_after(10, 1, 100 * MIB);
	is(2, 16, 256 * KIB, "source-latency");
	look_after(3, 20, 100 * MIB);
	is(2, 16, 256 * KIB, "destination-latency");
}
END_TEST

START_TEST(what_fills_the_time_of_lanes_or_workers_is_told)
{
	begin(&usual);
	t.n_workers = 1;
	note(COPY_SOURCE, 1, 1);
	note(COPY_DESTINATION, 1, 1);
	/* Of two connections, most of the time. */
	copy_tuning_note_load(&t, 1, 2 * 90000, 0);
	look_after(3, 20, 100 * MIB);
	is(2, 16, 256 * KIB, "network");
	/* Or half of the time, each to another disk. */
	copy_tuning_note_load(&t, 0, 100000, 0);
	copy_tuning_note_load(&t, 1, 100000, 0);
	look_after(3, 20, 100 * MIB);
	is(2, 16, 256 * KIB, "destination-latency");
	copy_tuning_note_load(&t, 1, 2 * 90000, 60000);
	look_after(3, 20, 100 * MIB);
	is(2, 16, 256 * KIB, "cpu-tls");
	t.n_workers = 2;
	copy_tuning_note_load(&t, 1, 0, 60000);
	look_after(3, 20, 100 * MIB);
	is(2, 16, 256 * KIB, "destination-latency");
	/* What was noted before is over, also where nobody asked for it. */
	copy_tuning_note_load(&t, 1, 2 * 90000, 0);
	now_ms += LOOK_MS;
	lanes = copy_tuning_look(&t, now_ms, done_bytes, COPY_LIMIT_RATE);
	is(2, 16, 256 * KIB, "rate-limit");
	look_after(3, 20, 100 * MIB);
	is(2, 16, 256 * KIB, "destination-latency");
}
END_TEST

START_TEST(few_ends_of_requests_say_nothing)
{
	begin(&usual);
	note(COPY_SOURCE, 7, 50);
	lanes = copy_tuning_look(&t, now_ms + 20, 0, COPY_LIMIT_NONE);
	is(2, 16, 256 * KIB, "none");
	note(COPY_SOURCE, 1, 50);
	lanes = copy_tuning_look(&t, now_ms + 40, 0, COPY_LIMIT_NONE);
	is(2, 16, MIB, "window");
}
END_TEST

/* 100 MB/s is what the line gives, in flight or not. */
START_TEST(more_that_brought_nothing_is_taken_back_and_not_tried_at_once)
{
	begin(&usual);
	look_after(50, 50, 10 * MIB);
	look_after(50, 50, 10 * MIB);
	look_after(50, 50, 10 * MIB);
	is(8, 16, MIB, "window");
	look_after(400, 90, 10 * MIB);
	is(8, 8, MIB, "source-latency");
	/* Not before the answers of what is in flight now have come. */
	for (int i = 0; i < 9; i++)
		look_after(400, 90, 10 * MIB);
	is(8, 8, MIB, "source-latency");
	look_after(400, 90, 10 * MIB);
	is(8, 4, MIB, "source-latency");
	for (int i = 0; i < 10; i++)
		look_after(400, 90, 10 * MIB);
	is(8, 4, 256 * KIB, "source-latency");
	for (int i = 0; i < 20; i++)
		look_after(400, 90, 10 * MIB);
	is(8, 4, 256 * KIB, "source-latency");
	look_after(50, 50, 10 * MIB);
	is(8, 4, 256 * KIB, "none");
}
END_TEST

START_TEST(what_queues_and_goes_faster_stays)
{
	begin(&usual);
	look_after(50, 50, 10 * MIB);
	look_after(50, 50, 10 * MIB);
	look_after(50, 50, 10 * MIB);
	look_after(400, 90, 100 * MIB);
	is(8, 16, MIB, "source-latency");
}
END_TEST

/* Until something is set anew; returns how many milliseconds that took. */
static unsigned
look_until_change(uint64_t moved)
{
	const unsigned old_depth = atomic_load(&t.depth);
	const uint32_t old_size = atomic_load(&t.request_size);
	const unsigned old_lanes = lanes;
	unsigned n = 0;

	do {
		look_after(50, 50, moved);
		n++;
		ck_assert_uint_lt(n, 10000);
	} while (lanes == old_lanes && atomic_load(&t.depth) == old_depth &&
	    atomic_load(&t.request_size) == old_size);
	return n * LOOK_MS;
}

/* The fastest answer is forgotten: what comes later may have queued. */
static void
begin_trials(uint64_t moved)
{
	begin(&usual);
	note(COPY_SOURCE, 1, 1);
	note(COPY_DESTINATION, 1, 1);
	look_after(50, 50, moved);
	ck_assert_uint_gt(look_until_change(moved), 5000);
	is(2, 16, MIB, "window");
}

START_TEST(later_a_raise_is_kept_if_it_went_faster)
{
	begin_trials(MIB);
	ck_assert_uint_lt(look_until_change(2 * MIB), 2000);
	is(4, 16, MIB, "window");
	ck_assert_uint_lt(look_until_change(4 * MIB), 2000);
	is(8, 16, MIB, "window");
	(void)look_until_change(4 * MIB);
	is(8, 8, MIB, "none");
}
END_TEST

/* Then one of another kind is tried, after a pause that grows. */
START_TEST(later_a_raise_that_brought_nothing_is_taken_back)
{
	begin_trials(MIB);
	ck_assert_uint_lt(look_until_change(MIB), 2000);
	is(2, 16, 256 * KIB, "none");
	ck_assert_uint_ge(look_until_change(MIB), 5000);
	is(4, 16, 256 * KIB, "window");
	(void)look_until_change(MIB);
	is(4, 8, 256 * KIB, "none");
	ck_assert_uint_ge(look_until_change(MIB), 10000);
	is(4, 16, 256 * KIB, "window");
	(void)look_until_change(MIB);
	is(4, 8, 256 * KIB, "none");
	ck_assert_uint_ge(look_until_change(MIB), 20000);
	is(4, 8, MIB, "window");
	(void)look_until_change(MIB);
	ck_assert_uint_ge(look_until_change(MIB), 40000);
	/* Lanes cannot be taken back, and are not tried again. */
	is(4, 16, 256 * KIB, "window");
	for (int i = 0; i < 4; i++) {
		(void)look_until_change(MIB);
		ck_assert_uint_le(look_until_change(MIB), 90000);
		ck_assert_uint_eq(lanes, 4);
	}
}
END_TEST

START_TEST(a_server_that_has_moved_away_is_measured_anew)
{
	begin(&usual);
	look_after(1, 1, MIB);
	look_after(50, 50, MIB);
	ck_assert_uint_eq(lanes, 2);
	ck_assert_uint_le(look_until_change(MIB), 12000);
	is(4, 8, MIB, "window");
}
END_TEST

START_TEST(what_was_asked_for_is_not_changed)
{
	struct copy_plan fixed = usual;

	fixed.max_request_size = fixed.request_size;
	fixed.min_queue_depth = fixed.max_queue_depth = fixed.queue_depth;
	fixed.max_lanes = fixed.lanes;
	begin(&fixed);
	for (int i = 0; i < 10; i++)
		look_after(50, 50, MIB);
	is(2, 16, 256 * KIB, "window");
	for (int i = 0; i < 10; i++)
		look_after(500, 500, MIB);
	ck_assert_uint_eq(atomic_load(&t.depth), 16);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tuning");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc,
	    where_nothing_queues_more_is_in_flight_up_to_the_limits);
	tcase_add_test(tc, where_requests_queue_nothing_is_added);
	tcase_add_test(tc,
	    a_short_queue_at_the_near_end_of_a_long_way_is_nothing);
	tcase_add_test(tc,
	    what_fills_the_time_of_lanes_or_workers_is_told);
	tcase_add_test(tc, few_ends_of_requests_say_nothing);
	tcase_add_test(tc,
	    more_that_brought_nothing_is_taken_back_and_not_tried_at_once);
	tcase_add_test(tc, what_queues_and_goes_faster_stays);
	tcase_add_test(tc, later_a_raise_is_kept_if_it_went_faster);
	tcase_add_test(tc,
	    later_a_raise_that_brought_nothing_is_taken_back);
	tcase_add_test(tc, a_server_that_has_moved_away_is_measured_anew);
	tcase_add_test(tc, what_was_asked_for_is_not_changed);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
