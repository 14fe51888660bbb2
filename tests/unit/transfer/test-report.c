/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static double
ratio_of(const struct run_progress *p)
{
	json_t *o = report_progress(p);
	double ratio;

	ck_assert_ptr_nonnull(o);
	ratio = json_real_value(json_object_get(o, "ratio"));
	json_decref(o);
	return ratio;
}

START_TEST(the_ratio_is_1_only_when_all_is_over)
{
	struct run_progress p = {
		.limited_by = "none",
		.phase = RUN_FLUSHING,
		.lanes = 1,
		.total_bytes = 1000,
		.done_bytes = 1000,
	};

	ck_assert(ratio_of(&p) < 1.0);
	p.phase = RUN_FINISHED;
	ck_assert(ratio_of(&p) >= 1.0);
	p.done_bytes = 500;
	ck_assert(ratio_of(&p) < 0.51);
	/* Given up is no longer to be done. */
	p.failed_bytes = 500;
	ck_assert(ratio_of(&p) >= 1.0);
}
END_TEST

START_TEST(a_run_that_never_began_has_done_nothing)
{
	const struct run_progress p = { .limited_by = "none",
		.phase = RUN_FINISHED };

	ck_assert(ratio_of(&p) <= 0.0);
}
END_TEST

START_TEST(times_are_utc_with_milliseconds)
{
	json_t *o = report_time(1795420805120LL);

	ck_assert_str_eq(json_string_value(o), "2026-11-23T08:00:05.120Z");
	json_decref(o);
}
END_TEST

START_TEST(lists_that_were_kept_make_the_same_report)
{
	const struct run_difference differences[] = {
		{ .offset = 512, .length = 1024 },
		{ .offset = 4096, .length = 512, .is_zero_at_source = true },
	};
	const struct run_bad_range bad[] = { { .side = "source",
	    .offset = 7, .length = 3, .errnum = -EIO } };
	const struct run_block_digest blocks[] = { { .is_known = true } };
	const struct run_result r = {
		.progress.limited_by = "none",
		.differences = differences,
		.n_differences = 2,
		.bad_ranges = bad,
		.n_bad_ranges = 1,
		.block_digests = blocks,
		.n_block_digests = 1,
	};
	struct report_lists *lists = report_keep_lists(&r);
	json_t *cut = report_result_cut(&r, 1);
	json_t *all = report_result_in_full(&r), *o;
	char *text;

	ck_assert_uint_eq(json_array_size(json_object_get(cut,
	    "differences")), 1);
	ck_assert(json_is_true(json_object_get(cut, "lists_are_cut")));
	(void)json_object_del(cut, "lists_are_cut");
	text = report_text_with_lists(cut, lists);
	o = json_loads(text, 0, NULL);
	ck_assert(json_equal(o, all));
	free(text);
	json_decref(o);
	json_decref(cut);
	json_decref(all);
	report_lists_free(lists);
}
END_TEST

START_TEST(digests_of_blocks_are_told_in_full_only)
{
	const struct run_block_digest blocks[] = {
		{ .value = { 0xab, [15] = 0x01 }, .is_known = true },
		{ .is_known = false },
	};
	struct run_result r = {
		.progress.limited_by = "none",
		.block_digests = blocks,
		.n_block_digests = 2,
	};
	json_t *o = report_result(&r);
	json_t *values;

	ck_assert_ptr_nonnull(o);
	ck_assert_ptr_null(json_object_get(o, "block_digests"));
	json_decref(o);
	o = report_result_in_full(&r);
	values = json_object_get(json_object_get(o, "block_digests"),
	    "values");
	ck_assert_uint_eq(json_array_size(values), 2);
	ck_assert_str_eq(json_string_value(json_array_get(values, 0)),
	    "ab000000000000000000000000000001");
	ck_assert(json_is_null(json_array_get(values, 1)));
	json_decref(o);
	r.n_block_digests = REPORT_MAX_BLOCKS + 1;
	o = report_result_in_full(&r);
	ck_assert_ptr_null(json_object_get(o, "block_digests"));
	json_decref(o);
}
END_TEST

START_TEST(a_failed_request_is_told_in_full)
{
	const char *gave_up[] = { "slower" };
	struct run_result r = {
		.outcome = RUN_FAILED,
		.progress.limited_by = "none",
		.n_failed_requests = 2,
		.gave_up = gave_up,
		.n_gave_up = 1,
	};
	json_t *failure;
	json_t *o;

	r.failure.is_request = true;
	r.failure.errnum = -ENOSPC;
	r.failure.offset = 4096;
	r.failure.length = 512;
	(void)snprintf(r.failure.side, sizeof r.failure.side, "destination");
	(void)snprintf(r.failure.operation, sizeof r.failure.operation,
	    "write");
	o = report_result(&r);
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_string_value(json_object_get(o, "result")),
	    "failed");
	failure = json_object_get(o, "failure");
	ck_assert_str_eq(json_string_value(json_object_get(failure, "side")),
	    "destination");
	ck_assert_int_eq(json_integer_value(json_object_get(failure,
			     "offset_bytes")),
	    4096);
	ck_assert_int_eq(json_integer_value(json_object_get(failure, "errno")),
	    ENOSPC);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "gave_up")), 1);
	json_decref(o);
}
END_TEST

START_TEST(a_success_has_no_failure)
{
	const struct run_result r = { .outcome = RUN_SUCCEEDED,
		.progress.limited_by = "none" };
	json_t *o = report_result(&r);

	ck_assert(json_is_null(json_object_get(o, "failure")));
	json_decref(o);
}
END_TEST

static int n_left;

/* The allocation that makes it 0 fails. */
static void *
starving_malloc(size_t size)
{
	return n_left > 0 && --n_left == 0 ? NULL : malloc(size);
}

/* As jansson's own functions do not: a key may be missing in what they make. */
START_TEST(without_memory_there_is_no_text_and_never_a_part_of_one)
{
	json_t *o = json_object();
	char *whole, *text;
	char key[16];
	int n = 0;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof key, "key %d", i);
		(void)json_object_set_new(o, key, json_pack("[{s:i}]", key,
		    i));
	}
	whole = report_text(o);
	ck_assert_ptr_nonnull(whole);
	json_set_alloc_funcs(starving_malloc, free);
	do {
		n_left = ++n;
		text = report_text(o);
		if (text != NULL)
			ck_assert_str_eq(text, whole);
		free(text);
	} while (n_left == 0);
	json_set_alloc_funcs(malloc, free);
	ck_assert_int_gt(n, 2);
	free(whole);
	json_decref(o);
}
END_TEST

START_TEST(an_object_lacks_no_member_that_was_put_into_it)
{
	json_t *o, *whole = NULL;
	int n = 0;

	json_set_alloc_funcs(starving_malloc, free);
	do {
		n_left = n++;
		o = json_object();
		report_put_number(&o, "number", 1);
		report_put(&o, "text", json_string("of any kind"));
		if (whole == NULL)
			whole = o;
		else if (o != NULL)
			ck_assert_int_eq(json_equal(o, whole), 1);
		if (o != whole)
			json_decref(o);
	} while (n == 1 || n_left == 0);
	json_set_alloc_funcs(malloc, free);
	ck_assert_uint_eq(json_object_size(whole), 2);
	ck_assert_int_gt(n, 4);
	json_decref(whole);
}
END_TEST

START_TEST(nothing_has_no_text)
{
	ck_assert_ptr_null(report_text(NULL));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/report");
	TCase *t = tcase_create("report");

	tcase_add_test(t, the_ratio_is_1_only_when_all_is_over);
	tcase_add_test(t, a_run_that_never_began_has_done_nothing);
	tcase_add_test(t, times_are_utc_with_milliseconds);
	tcase_add_test(t, lists_that_were_kept_make_the_same_report);
	tcase_add_test(t, digests_of_blocks_are_told_in_full_only);
	tcase_add_test(t, a_failed_request_is_told_in_full);
	tcase_add_test(t, a_success_has_no_failure);
	tcase_add_test(t,
	    without_memory_there_is_no_text_and_never_a_part_of_one);
	tcase_add_test(t, an_object_lacks_no_member_that_was_put_into_it);
	tcase_add_test(t, nothing_has_no_text);
	suite_add_tcase(s, t);
	return unit_main(s);
}
