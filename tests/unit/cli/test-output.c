/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/output.h"

#include <locale.h>
#include <stdlib.h>
#include <time.h>

#include "unit.h"

START_TEST(width_counts_columns_and_not_bytes)
{
	ck_assert_uint_eq(output_width(""), 0);
	ck_assert_uint_eq(output_width("vm1"), 3);
	ck_assert_uint_eq(output_width("\xc3\xa4\xe2\x96\x88"), 2);
	ck_assert_uint_eq(output_width("\xe7\xa3\x81"), 2);
	/* Bytes that are no text count one each, and do not stop it. */
	ck_assert_uint_eq(output_width("a\xff\xfe" "b"), 4);
}
END_TEST

START_TEST(times_are_shown_in_local_time)
{
	char buf[OUTPUT_TIME_SIZE];

	(void)setenv("TZ", "XYZ-2", 1);
	tzset();
	ck_assert_str_eq(output_local_time("2026-11-23T23:13:05.120Z", buf),
	    "2026-11-24 01:13:05");
	ck_assert_str_eq(output_local_time("2026-11-23T02:13:05Z", buf),
	    "2026-11-23 04:13:05");
}
END_TEST

START_TEST(what_is_no_time_is_shown_as_it_is)
{
	char buf[OUTPUT_TIME_SIZE];

	ck_assert_str_eq(output_local_time("soon", buf), "soon");
	ck_assert_str_eq(output_local_time("", buf), "");
	ck_assert_uint_lt(output_width(output_local_time(
	    "a text that is longer than the room there is for one", buf)),
	    OUTPUT_TIME_SIZE);
}
END_TEST

START_TEST(control_characters_are_made_visible_and_text_stays)
{
	char text[] = "a\x1b[2J\n\x7f" "b\xc2\x9b" "c \xc3\xa4 \\x0A";

	output_make_printable(text);
	ck_assert_str_eq(text, "a?[2J??b??c \xc3\xa4 \\x0A");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/output");
	TCase *tc = tcase_create("output");

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	tcase_add_test(tc, width_counts_columns_and_not_bytes);
	tcase_add_test(tc, times_are_shown_in_local_time);
	tcase_add_test(tc, what_is_no_time_is_shown_as_it_is);
	tcase_add_test(tc,
	    control_characters_are_made_visible_and_text_stays);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
