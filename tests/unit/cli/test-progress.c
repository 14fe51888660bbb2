/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/progress.h"

#include <locale.h>
#include <string.h>

#include "cli/output.h"
#include "unit.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static struct run_progress
copying(uint64_t done, uint64_t total)
{
	struct run_progress p = {
		.phase = RUN_COPYING,
		.done_bytes = done,
		.total_bytes = total,
	};

	return p;
}

/* From 0 s to seconds, a snapshot each 250 ms, rate bytes a second. */
static void
feed(struct progress *p, uint64_t total, uint64_t rate, unsigned seconds)
{
	struct run_progress s;

	progress_init(p);
	for (uint64_t ms = 0; ms <= seconds * UINT64_C(1000); ms += 250) {
		s = copying(rate * ms / 1000, total);
		progress_update(p, &s, ms);
	}
}

START_TEST(percent_is_100_only_when_the_run_has_finished)
{
	struct run_progress s = copying(GIB, GIB);

	ck_assert_uint_eq(progress_percent(&s), 99);
	s.phase = RUN_FLUSHING;
	ck_assert_uint_eq(progress_percent(&s), 99);
	s.phase = RUN_FINISHED;
	ck_assert_uint_eq(progress_percent(&s), 100);
}
END_TEST

START_TEST(percent_stays_between_0_and_100_whatever_is_told)
{
	struct run_progress s = copying(5 * GIB, GIB);

	ck_assert_uint_eq(progress_percent(&s), 99);
	s = copying(5, 0);
	ck_assert_uint_eq(progress_percent(&s), 0);
	s = copying(UINT64_MAX - 1, UINT64_MAX);
	ck_assert_uint_le(progress_percent(&s), 100);
	s = copying(GIB / 2 - 1, GIB);
	ck_assert_uint_eq(progress_percent(&s), 49);
}
END_TEST

START_TEST(a_finished_run_that_lacks_bytes_is_not_at_100)
{
	struct run_progress s = copying(GIB / 2, GIB);

	s.phase = RUN_FINISHED;
	ck_assert_uint_eq(progress_percent(&s), 50);
}
END_TEST

START_TEST(what_was_given_up_counts_as_seen_to_and_is_told_apart)
{
	struct progress_style style = { .columns = 79 };
	char line[PROGRESS_LINE_SIZE];
	struct run_progress s = copying(3 * GIB, 4 * GIB);
	struct progress p;

	s.failed_bytes = GIB;
	s.durable_bytes = 2 * GIB;
	ck_assert_uint_eq(progress_percent(&s), 99);
	progress_init(&p);
	progress_update(&p, &s, 0);
	progress_line(&p, &style, line);
	ck_assert_msg(strstr(line, "3.0 GiB/4.0 GiB, 1.0 GiB bad") != NULL,
	    "%s", line);
	ck_assert_msg(strstr(line, "####=") != NULL, "%s", line);
	ck_assert_msg(strstr(line, "==xx") != NULL, "%s", line);
	s.phase = RUN_FINISHED;
	ck_assert_uint_eq(progress_percent(&s), 100);
	progress_summary(RUN_COPY, &s, line);
	ck_assert_msg(strstr(line, "3.0 GiB copied") != NULL, "%s", line);
	ck_assert_msg(strstr(line, ", 1.0 GiB bad") != NULL, "%s", line);
}
END_TEST

START_TEST(what_is_given_up_leaves_less_to_wait_for)
{
	struct progress p;
	struct run_progress s;
	uint64_t left;

	progress_init(&p);
	for (uint64_t i = 0; i <= 60; i++) {
		s = copying(i * MIB, 120 * MIB);
		s.failed_bytes = i * MIB / 2;
		progress_update(&p, &s, i * 1000);
	}
	ck_assert(progress_time_left(&p, &left));
	ck_assert_uint_eq(left, 20000);
}
END_TEST

START_TEST(a_steady_rate_is_shown_as_it_is)
{
	struct progress p;

	feed(&p, 100 * GIB, 100 * MIB, 3);
	ck_assert_uint_ge(progress_rate(&p), 100 * MIB - MIB);
	ck_assert_uint_le(progress_rate(&p), 100 * MIB + MIB);
}
END_TEST

START_TEST(the_shown_rate_follows_within_seconds_and_the_slow_one_lags)
{
	struct progress p;
	struct run_progress s;
	uint64_t done;
	uint64_t left;

	feed(&p, 100 * GIB, 100 * MIB, 60);
	done = p.last.done_bytes;
	for (unsigned i = 1; i <= 60; i++) {
		done += 10 * MIB / 4;
		s = copying(done, 100 * GIB);
		progress_update(&p, &s, 60000 + i * 250);
	}
	/* 15 s later: three time constants for one, a quarter for the other. */
	ck_assert_uint_le(progress_rate(&p), 20 * MIB);
	ck_assert(progress_time_left(&p, &left));
	ck_assert_uint_le(left, (100 * GIB - done) / (60 * MIB) * 1000);
}
END_TEST

START_TEST(rates_weigh_time_and_not_the_number_of_snapshots)
{
	struct progress often;
	struct progress seldom;
	struct run_progress s;

	feed(&often, 100 * GIB, 100 * MIB, 20);
	progress_init(&seldom);
	for (uint64_t ms = 0; ms <= 20000; ms += 2000) {
		s = copying(100 * MIB * ms / 1000, 100 * GIB);
		progress_update(&seldom, &s, ms);
	}
	ck_assert_uint_eq(progress_rate(&often) / MIB,
	    progress_rate(&seldom) / MIB);
}
END_TEST

START_TEST(no_time_left_is_told_in_the_first_10_seconds)
{
	struct progress p;
	uint64_t left;

	feed(&p, 10 * GIB, 100 * MIB, 9);
	ck_assert(!progress_time_left(&p, &left));
	feed(&p, 10 * GIB, 100 * MIB, 11);
	ck_assert(progress_time_left(&p, &left));
}
END_TEST

START_TEST(no_time_left_is_told_in_the_first_percent)
{
	struct progress p;
	uint64_t left;

	feed(&p, 1000 * GIB, 100 * MIB, 60);
	ck_assert(!progress_time_left(&p, &left));
}
END_TEST

START_TEST(time_left_of_a_steady_run_is_right)
{
	struct progress p;
	uint64_t left;

	feed(&p, 8000 * MIB, 100 * MIB, 20);
	ck_assert(progress_time_left(&p, &left));
	ck_assert_uint_ge(left, 59000);
	ck_assert_uint_le(left, 61000);
}
END_TEST

START_TEST(time_left_comes_in_steps_that_suit_its_length)
{
	struct progress p;
	uint64_t left;

	/* 20 s of 1 MiB/s done, then about 20 minutes and 2 hours left. */
	feed(&p, 1222 * MIB, MIB, 20);
	ck_assert(progress_time_left(&p, &left));
	ck_assert_uint_eq(left, 20 * 60000);
	feed(&p, 7361 * MIB, MIB, 100);
	ck_assert(progress_time_left(&p, &left));
	ck_assert_uint_eq(left % 300000, 0);
	ck_assert_uint_eq(left, 2 * 3600000);
}
END_TEST

START_TEST(what_waits_for_a_server_slows_down_and_has_no_time_left)
{
	struct progress p;
	struct run_progress s;
	uint64_t left;
	uint64_t before;

	feed(&p, 8000 * MIB, 100 * MIB, 20);
	before = progress_rate(&p);
	s = p.last;
	s.phase = RUN_RECONNECTING;
	progress_update(&p, &s, 30000);
	ck_assert_uint_lt(progress_rate(&p), before / 2);
	ck_assert(!progress_time_left(&p, &left));
	s.phase = RUN_COPYING;
	s.done_bytes += 100 * MIB;
	progress_update(&p, &s, 31000);
	ck_assert(progress_time_left(&p, &left));
}
END_TEST

START_TEST(a_run_without_progress_has_stalled_after_10_seconds)
{
	struct progress p;
	struct run_progress s;

	feed(&p, 10 * GIB, 100 * MIB, 20);
	s = p.last;
	progress_update(&p, &s, 29900);
	ck_assert_uint_eq(progress_stalled_ms(&p), 0);
	progress_update(&p, &s, 65000);
	ck_assert_uint_eq(progress_stalled_ms(&p), 45000);
	s.done_bytes += 1;
	progress_update(&p, &s, 65250);
	ck_assert_uint_eq(progress_stalled_ms(&p), 0);
}
END_TEST

START_TEST(reading_back_shows_how_far_that_is)
{
	const struct progress_style style = { 80, false };
	char line[PROGRESS_LINE_SIZE];
	struct progress p;
	struct run_progress s = copying(GIB, GIB);

	progress_init(&p);
	s.phase = RUN_VERIFYING;
	s.n_destinations = 2;
	s.verified_bytes = 512 * MIB;
	progress_update(&p, &s, 1000);
	(void)progress_line(&p, &style, line);
	ck_assert_ptr_nonnull(strstr(line, "512.0 MiB/2.0 GiB"));
	ck_assert_ptr_nonnull(strstr(line, "verifying"));
}
END_TEST

START_TEST(a_summary_says_whether_all_was_verified)
{
	struct run_progress s = copying(GIB, GIB);
	char line[PROGRESS_LINE_SIZE];

	ck_assert_ptr_null(strstr(progress_summary(RUN_COPY, &s, line),
	    "verified"));
	s.verified_bytes = GIB - 1;
	ck_assert_ptr_null(strstr(progress_summary(RUN_COPY, &s, line),
	    "verified"));
	s.verified_bytes = GIB;
	ck_assert_ptr_nonnull(strstr(progress_summary(RUN_COPY, &s, line),
	    ", verified"));
}
END_TEST

START_TEST(a_long_flush_has_not_stalled)
{
	struct progress p;
	struct run_progress s;

	feed(&p, GIB, 100 * MIB, 11);
	s = p.last;
	s.phase = RUN_FLUSHING;
	progress_update(&p, &s, 100000);
	ck_assert_uint_eq(progress_stalled_ms(&p), 0);
}
END_TEST

START_TEST(figures_that_fall_do_not_make_rates_wrap)
{
	struct progress p;
	struct run_progress s;

	feed(&p, 10 * GIB, 100 * MIB, 20);
	s = copying(0, 10 * GIB);
	progress_update(&p, &s, 20250);
	ck_assert_uint_le(progress_rate(&p), 101 * MIB);
	s = copying(25 * MIB, 10 * GIB);
	progress_update(&p, &s, 20250);
	ck_assert_uint_le(progress_rate(&p), 101 * MIB);
}
END_TEST

START_TEST(a_line_has_percent_bar_amount_rate_and_time_left)
{
	struct progress_style style = { 80, false };
	char buf[PROGRESS_LINE_SIZE];
	struct progress p;

	feed(&p, 4000 * MIB, 100 * MIB, 20);
	ck_assert_str_eq(progress_line(&p, &style, buf),
	    " 50%  ================.................  "
	    "1.9 GiB/3.9 GiB  100.0 MiB/s  ETA 20 s");
}
END_TEST

START_TEST(the_durable_part_of_the_bar_is_solid)
{
	struct progress_style style = { 60, false };
	char buf[PROGRESS_LINE_SIZE];
	struct progress p;
	struct run_progress s = copying(8 * MIB, 16 * MIB);

	progress_init(&p);
	s.durable_bytes = 4 * MIB;
	progress_update(&p, &s, 0);
	ck_assert_str_eq(progress_line(&p, &style, buf),
	    " 50%  ########=========..................  8.0 MiB/16.0 MiB");
}
END_TEST

START_TEST(a_line_never_reaches_the_last_column)
{
	char buf[PROGRESS_LINE_SIZE];
	struct progress p;

	feed(&p, 4000 * MIB, 100 * MIB, 20);
	for (size_t columns = 1; columns < 200; columns++) {
		struct progress_style style = { columns, false };

		progress_line(&p, &style, buf);
		ck_assert_uint_lt(strlen(buf), columns);
		style.utf8 = true;
		progress_line(&p, &style, buf);
		ck_assert_uint_lt(output_width(buf), columns);
	}
}
END_TEST

START_TEST(a_narrow_terminal_keeps_percent_and_time_left_longest)
{
	struct progress_style style = { 16, false };
	char buf[PROGRESS_LINE_SIZE];
	struct progress p;

	feed(&p, 4000 * MIB, 100 * MIB, 20);
	ck_assert_str_eq(progress_line(&p, &style, buf), " 50%  ETA 20 s");
	style.columns = 10;
	ck_assert_str_eq(progress_line(&p, &style, buf), " 50%");
	style.columns = 1;
	ck_assert_str_eq(progress_line(&p, &style, buf), "");
}
END_TEST

START_TEST(without_a_terminal_there_is_no_bar_in_the_line)
{
	struct progress_style style = { 0, false };
	char buf[PROGRESS_LINE_SIZE];
	struct progress p;

	feed(&p, 4000 * MIB, 100 * MIB, 20);
	ck_assert_str_eq(progress_line(&p, &style, buf),
	    " 50%  1.9 GiB/3.9 GiB  100.0 MiB/s  ETA 20 s");
}
END_TEST

START_TEST(a_run_that_connects_shows_no_numbers)
{
	struct progress_style style = { 80, false };
	char buf[PROGRESS_LINE_SIZE];
	struct run_progress s = { .phase = RUN_CONNECTING };
	struct progress p;

	progress_init(&p);
	progress_update(&p, &s, 0);
	ck_assert_str_eq(progress_line(&p, &style, buf), "connecting");
}
END_TEST

START_TEST(a_stalled_run_says_for_how_long)
{
	struct progress_style style = { 0, false };
	char buf[PROGRESS_LINE_SIZE];
	struct progress p;
	struct run_progress s;

	feed(&p, 4000 * MIB, 100 * MIB, 20);
	s = p.last;
	progress_update(&p, &s, 65000);
	ck_assert_ptr_nonnull(strstr(progress_line(&p, &style, buf),
	    "stalled 45 s"));
	progress_update(&p, &s, 145000);
	ck_assert_ptr_nonnull(strstr(progress_line(&p, &style, buf),
	    "stalled 2m05s"));
}
END_TEST

START_TEST(a_stalled_run_says_what_it_tries_again_for)
{
	struct progress_style style = { 80, false };
	char buf[PROGRESS_LINE_SIZE];
	struct progress p;
	struct run_progress s;

	feed(&p, 4000 * MIB, 100 * MIB, 20);
	s = p.last;
	(void)snprintf(s.trying_again, sizeof s.trying_again,
	    "destination: No space left on device");
	progress_update(&p, &s, 145000);
	ck_assert_ptr_nonnull(strstr(progress_line(&p, &style, buf),
	    "stalled 2m05s, destination: No space left on device"));
	ck_assert_uint_lt(strlen(buf), 80);
}
END_TEST

START_TEST(the_summary_tells_amount_time_rate_zeroes_and_flush)
{
	char buf[PROGRESS_LINE_SIZE];
	struct run_progress s = {
		.phase = RUN_FINISHED,
		.total_bytes = 4 * GIB,
		.done_bytes = 4 * GIB,
		.durable_bytes = 4 * GIB,
		.zeroed_bytes = 3 * GIB,
		.elapsed_ms = 2000,
	};

	ck_assert_str_eq(progress_summary(RUN_COPY, &s, buf),
	    "4.0 GiB copied in 2.0 s (2.0 GiB/s), 3.0 GiB of it zeroes, "
	    "flushed");
	s.trimmed_bytes = GIB;
	s.untouched_bytes = 512;
	ck_assert_str_eq(progress_summary(RUN_COPY, &s, buf),
	    "4.0 GiB copied in 2.0 s (2.0 GiB/s), 3.0 GiB of it zeroes, "
	    "1.0 GiB of it trimmed, 512 B of it left as it was, flushed");
	s.zeroed_bytes = s.trimmed_bytes = s.untouched_bytes = 0;
	s.durable_bytes = 0;
	ck_assert_str_eq(progress_summary(RUN_COPY, &s, buf),
	    "4.0 GiB copied in 2.0 s (2.0 GiB/s), not flushed");
}
END_TEST

START_TEST(what_was_compared_is_not_said_to_be_copied)
{
	char buf[PROGRESS_LINE_SIZE];
	struct run_progress s = {
		.phase = RUN_FINISHED,
		.total_bytes = 4 * GIB,
		.done_bytes = 4 * GIB,
		.elapsed_ms = 2000,
	};

	ck_assert_str_eq(progress_summary(RUN_VERIFY, &s, buf),
	    "4.0 GiB compared in 2.0 s (2.0 GiB/s), equal");
	s.differing_bytes = 512;
	ck_assert_str_eq(progress_summary(RUN_VERIFY, &s, buf),
	    "4.0 GiB compared in 2.0 s (2.0 GiB/s)");
	s.durable_bytes = 4 * GIB;
	s.written_bytes = 3 * MIB;
	s.zeroed_bytes = MIB;
	ck_assert_str_eq(progress_summary(RUN_SYNC, &s, buf),
	    "4.0 GiB compared in 2.0 s (2.0 GiB/s), 4.0 MiB of it written, "
	    "flushed");
}
END_TEST

START_TEST(the_summary_of_an_empty_disk_divides_by_nothing)
{
	char buf[PROGRESS_LINE_SIZE];
	struct run_progress s = { .phase = RUN_FINISHED };

	ck_assert_str_eq(progress_summary(RUN_COPY, &s, buf),
	    "0 B copied in 0.0 s (0 B/s), flushed");
}
END_TEST

static struct run_progress
mirroring(unsigned pass, uint64_t done, int64_t next_pass_at_ms)
{
	struct run_progress s = copying(done, 100 * GIB);

	s.phase = RUN_MIRRORING;
	s.mirror.is_mirror = true;
	s.mirror.pass = pass;
	s.mirror.next_pass_at_ms = next_pass_at_ms;
	return s;
}

/* For so long at this rate, from the start of the pass. */
static void
feed_pass(struct progress *p, unsigned pass, uint64_t rate, unsigned seconds)
{
	struct run_progress s;

	for (uint64_t ms = 0; ms <= seconds * UINT64_C(1000); ms += 500) {
		s = mirroring(pass, rate * ms / 1000, 0);
		progress_update(p, &s, ms);
	}
}

START_TEST(the_rate_of_a_mirror_is_that_of_the_pass_that_runs)
{
	struct progress p;

	feed(&p, 100 * GIB, 500 * MIB, 60);
	p.last.mirror.is_mirror = true;
	p.last.mirror.pass = 1;
	feed_pass(&p, 2, MIB, 3);
	ck_assert_uint_ge(progress_rate(&p), MIB - MIB / 10);
	ck_assert_uint_le(progress_rate(&p), MIB + MIB / 10);
}
END_TEST

START_TEST(between_two_passes_a_mirror_has_no_rate_and_no_time_left)
{
	struct run_progress s = mirroring(2, 15 * GIB, 1);
	struct progress p;
	uint64_t left;

	progress_init(&p);
	feed_pass(&p, 2, GIB, 15);
	ck_assert(progress_time_left(&p, &left));
	ck_assert_uint_eq(left, 85000);
	progress_update(&p, &s, 15000);
	ck_assert_uint_eq(progress_rate(&p), 0);
	ck_assert(!progress_time_left(&p, &left));
}
END_TEST

START_TEST(a_pass_that_connects_does_not_slow_its_rate_down)
{
	struct run_progress s = mirroring(2, 0, 0);
	struct progress p;

	progress_init(&p);
	s.total_bytes = 0;
	for (uint64_t ms = 0; ms <= 20000; ms += 500)
		progress_update(&p, &s, ms);
	s = mirroring(2, 0, 0);
	progress_update(&p, &s, 20500);
	s = mirroring(2, 50 * MIB, 0);
	progress_update(&p, &s, 21000);
	ck_assert_uint_ge(progress_rate(&p), 40 * MIB);
}
END_TEST

static void
add_figures(Suite *s)
{
	TCase *tc = tcase_create("figures");

	tcase_add_test(tc, percent_is_100_only_when_the_run_has_finished);
	tcase_add_test(tc,
	    what_was_given_up_counts_as_seen_to_and_is_told_apart);
	tcase_add_test(tc, what_is_given_up_leaves_less_to_wait_for);
	tcase_add_test(tc, percent_stays_between_0_and_100_whatever_is_told);
	tcase_add_test(tc, a_finished_run_that_lacks_bytes_is_not_at_100);
	tcase_add_test(tc, a_steady_rate_is_shown_as_it_is);
	tcase_add_test(tc,
	    the_shown_rate_follows_within_seconds_and_the_slow_one_lags);
	tcase_add_test(tc, rates_weigh_time_and_not_the_number_of_snapshots);
	tcase_add_test(tc, no_time_left_is_told_in_the_first_10_seconds);
	tcase_add_test(tc, no_time_left_is_told_in_the_first_percent);
	tcase_add_test(tc, time_left_of_a_steady_run_is_right);
	tcase_add_test(tc, time_left_comes_in_steps_that_suit_its_length);
	tcase_add_test(tc,
	    what_waits_for_a_server_slows_down_and_has_no_time_left);
	tcase_add_test(tc, a_run_without_progress_has_stalled_after_10_seconds);
	tcase_add_test(tc, reading_back_shows_how_far_that_is);
	tcase_add_test(tc, a_summary_says_whether_all_was_verified);
	tcase_add_test(tc, a_long_flush_has_not_stalled);
	tcase_add_test(tc, figures_that_fall_do_not_make_rates_wrap);
	tcase_add_test(tc,
	    the_rate_of_a_mirror_is_that_of_the_pass_that_runs);
	tcase_add_test(tc,
	    between_two_passes_a_mirror_has_no_rate_and_no_time_left);
	tcase_add_test(tc, a_pass_that_connects_does_not_slow_its_rate_down);
	suite_add_tcase(s, tc);
}

static void
add_lines(Suite *s)
{
	TCase *tc = tcase_create("lines");

	tcase_add_test(tc, a_line_has_percent_bar_amount_rate_and_time_left);
	tcase_add_test(tc, the_durable_part_of_the_bar_is_solid);
	tcase_add_test(tc, a_line_never_reaches_the_last_column);
	tcase_add_test(tc,
	    a_narrow_terminal_keeps_percent_and_time_left_longest);
	tcase_add_test(tc, without_a_terminal_there_is_no_bar_in_the_line);
	tcase_add_test(tc, a_run_that_connects_shows_no_numbers);
	tcase_add_test(tc, a_stalled_run_says_for_how_long);
	tcase_add_test(tc, a_stalled_run_says_what_it_tries_again_for);
	tcase_add_test(tc, the_summary_tells_amount_time_rate_zeroes_and_flush);
	tcase_add_test(tc, the_summary_of_an_empty_disk_divides_by_nothing);
	tcase_add_test(tc, what_was_compared_is_not_said_to_be_copied);
	suite_add_tcase(s, tc);
}

int
main(void)
{
	Suite *s = suite_create("cli/progress");

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	add_figures(s);
	add_lines(s);
	return unit_main(s);
}
