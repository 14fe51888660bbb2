/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/job-status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/progress.h"
#include "unit.h"

static json_t *
json_of(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json);
	return json;
}

START_TEST(a_running_job_is_read_whole)
{
	json_t *json = json_of("{\"job\":\"vm1\",\"rev\":481,"
	    "\"state\":\"copying\",\"source\":{\"endpoint\":\"a\"},"
	    "\"destination\":{\"endpoint\":\"b\"},\"last_run\":null,"
	    "\"run\":{\"id\":\"r1\",\"trigger\":\"control\","
	    "\"started_at\":\"2026-11-23T02:13:05.120Z\",\"progress\":{"
	    "\"phase\":\"copying\",\"total_bytes\":100,\"done_bytes\":40,"
	    "\"zeroed_bytes\":30,\"written_bytes\":10,\"durable_bytes\":5,"
	    "\"rate_bytes_per_s\":12,\"elapsed_ms\":77,"
	    "\"limited_by\":\"window\"}}}");
	struct job_status s;

	ck_assert_int_eq(job_status_read(json, &s), 0);
	ck_assert_str_eq(s.name, "vm1");
	ck_assert_str_eq(s.state, "copying");
	ck_assert_str_eq(s.source, "a");
	ck_assert_str_eq(s.destination, "b");
	ck_assert_uint_eq(s.rev, 481);
	ck_assert(s.is_running);
	ck_assert(!s.has_last_run);
	ck_assert_str_eq(s.run.id, "r1");
	ck_assert_int_eq(s.run.progress.phase, RUN_COPYING);
	ck_assert_uint_eq(s.run.progress.total_bytes, 100);
	ck_assert_uint_eq(s.run.progress.done_bytes, 40);
	ck_assert_uint_eq(s.run.progress.zeroed_bytes, 30);
	ck_assert_uint_eq(s.run.progress.durable_bytes, 5);
	ck_assert_uint_eq(s.run.progress.elapsed_ms, 77);
	ck_assert_uint_eq(s.run.rate, 12);
	ck_assert_str_eq(s.run.progress.limited_by, "window");
	json_decref(json);
}
END_TEST

START_TEST(what_is_read_back_is_shown_as_such)
{
	json_t *json = json_of("{\"job\":\"vm1\",\"rev\":1,"
	    "\"state\":\"verifying\",\"run\":{\"id\":\"r1\","
	    "\"progress\":{\"phase\":\"verifying\",\"total_bytes\":2048,"
	    "\"done_bytes\":2048,\"verified_bytes\":1024,"
	    "\"destinations\":[{},{}]}}}");
	const struct progress_style style = { 80, false };
	char line[PROGRESS_LINE_SIZE];
	struct job_status s;
	struct progress p;

	ck_assert_int_eq(job_status_read(json, &s), 0);
	progress_init(&p);
	progress_update(&p, &s.run.progress, 1);
	ck_assert_ptr_nonnull(strstr(progress_line(&p, &style, line),
	    "1.0 KiB/4.0 KiB"));
	json_decref(json);
}
END_TEST

START_TEST(a_failed_run_comes_with_its_sentence)
{
	json_t *json = json_of("{\"job\":\"vm1\",\"state\":\"idle\","
	    "\"run\":null,\"last_run\":{\"id\":\"r0\",\"result\":\"failed\","
	    "\"failure\":{\"message\":\"source: read: I/O error\"},"
	    "\"progress\":{\"phase\":\"finished\"}}}");
	struct job_status s;

	ck_assert_int_eq(job_status_read(json, &s), 0);
	ck_assert(!s.is_running);
	ck_assert(s.has_last_run);
	ck_assert_str_eq(s.last_run.result, "failed");
	ck_assert_str_eq(s.last_run.failure, "source: read: I/O error");
	ck_assert_int_eq(s.last_run.progress.phase, RUN_FINISHED);
	json_decref(json);
}
END_TEST

START_TEST(fields_that_are_missing_or_odd_are_empty)
{
	json_t *json = json_of("{\"job\":\"vm1\",\"state\":\"idle\","
	    "\"rev\":-4,\"source\":7,\"run\":{\"progress\":{"
	    "\"total_bytes\":\"many\",\"phase\":\"dreaming\"}}}");
	struct job_status s;

	ck_assert_int_eq(job_status_read(json, &s), 0);
	ck_assert_uint_eq(s.rev, 0);
	ck_assert_str_eq(s.source, "");
	ck_assert_str_eq(s.run.id, "");
	ck_assert_uint_eq(s.run.progress.total_bytes, 0);
	ck_assert_int_eq(s.run.progress.phase, RUN_CONNECTING);
	json_decref(json);
}
END_TEST

static const char *const no_jobs[] = { "{}", "[]", "{\"job\":\"vm1\"}",
	"{\"state\":\"idle\"}", "{\"job\":1,\"state\":\"idle\"}" };

START_TEST(what_is_no_job_is_refused)
{
	json_t *json = json_of(no_jobs[_i]);
	struct job_status s;

	ck_assert_int_eq(job_status_read(json, &s), -EPROTO);
	json_decref(json);
}
END_TEST

/* Of a daemon that was started since, what stands for it. */
static const struct {
	const char *more;
	const char *text;
} lasts[] = {
	{ "\"run\":null", "never ran" },
	{ "\"last_started_at\":\"2026-11-23T02:00:00.000Z\"",
	    "ran 2026-11-23 02:00:00" },
	{ "\"run\":{\"id\":\"r\"},"
	  "\"last_started_at\":\"2026-11-23T02:00:00.000Z\"", "never ran" },
	{ "\"last_started_at\":\"2026-11-23T02:00:00.000Z\","
	  "\"last_success\":{\"finished_at\":\"2026-11-23T02:41:10.000Z\"}",
	    "succeeded 2026-11-23 02:41:10" },
	{ "\"last_started_at\":\"2026-11-24T02:00:00.000Z\","
	  "\"last_success\":{\"finished_at\":\"2026-11-23T02:41:10.000Z\"}",
	    "ran 2026-11-24 02:00:00" },
	{ "\"run\":{\"id\":\"r\"},"
	  "\"last_started_at\":\"2026-11-24T02:00:00.000Z\","
	  "\"last_success\":{\"finished_at\":\"2026-11-23T02:41:10.000Z\"}",
	    "succeeded 2026-11-23 02:41:10" },
	{ "\"last_run\":{\"result\":\"failed\","
	  "\"finished_at\":\"2026-11-23T02:00:10.000Z\"},"
	  "\"last_started_at\":\"2026-11-23T02:00:00.000Z\"",
	    "failed 2026-11-23 02:00:10" },
};

START_TEST(how_it_ran_last_is_true_also_after_a_restart)
{
	char text[512], last[JOB_LAST_SIZE];
	struct job_status s;
	json_t *json;

	(void)setenv("TZ", "UTC", 1);
	(void)snprintf(text, sizeof text, "{\"job\":\"a\","
	    "\"state\":\"idle\",%s}", lasts[_i].more);
	json = json_of(text);
	ck_assert_int_eq(job_status_read(json, &s), 0);
	ck_assert_str_eq(job_status_last(&s, last), lasts[_i].text);
	json_decref(json);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/job-status");
	TCase *tc = tcase_create("jobs");

	tcase_add_test(tc, a_running_job_is_read_whole);
	tcase_add_test(tc, what_is_read_back_is_shown_as_such);
	tcase_add_test(tc, a_failed_run_comes_with_its_sentence);
	tcase_add_test(tc, fields_that_are_missing_or_odd_are_empty);
	tcase_add_loop_test(tc, what_is_no_job_is_refused, 0,
	    (int)(sizeof no_jobs / sizeof no_jobs[0]));
	tcase_add_loop_test(tc, how_it_ran_last_is_true_also_after_a_restart, 0,
	    (int)(sizeof lasts / sizeof lasts[0]));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
