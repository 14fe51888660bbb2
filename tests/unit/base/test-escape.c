/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/escape.h"

#include <string.h>

#include "unit.h"

#define LONG_SIZE 256

struct sample {
	const char *raw;
	const char *shown;
};

static const struct sample samples[] = {
	{ "", "" },
	{ "No space left on device", "No space left on device" },
	{ "\033[2J", "\\x1B[2J" },
	{ "a\nb\tc\r", "a\\x0Ab\\x09c\\x0D" },
	{ "\x7f", "\\x7F" },
	{ "back\\slash", "back\\x5Cslash" },
	{ "\xc3\xa9", "\xc3\xa9" },
	{ "\xe2\x82\xac", "\xe2\x82\xac" },
	{ "\xf0\x9f\x92\xbe", "\xf0\x9f\x92\xbe" },
	/* an 8-bit control character (CSI) in valid UTF-8 */
	{ "\xc2\x9b" "2J", "\\xC2\\x9B" "2J" },
	/* a lone byte, a cut character, overlong, surrogate, too high */
	{ "\xff", "\\xFF" },
	{ "\xe2\x82", "\\xE2\\x82" },
	{ "\xc0\x80", "\\xC0\\x80" },
	{ "\xe0\x80\x80", "\\xE0\\x80\\x80" },
	{ "\xed\xa0\x80", "\\xED\\xA0\\x80" },
	{ "\xf0\x80\x80\x80", "\\xF0\\x80\\x80\\x80" },
	{ "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" },
	{ "\xe2(", "\\xE2(" },
};

START_TEST(only_what_a_terminal_may_see_is_left)
{
	char buf[LONG_SIZE];

	ck_assert_str_eq(escape_text(samples[_i].raw,
	    strlen(samples[_i].raw), buf, sizeof buf), samples[_i].shown);
}
END_TEST

START_TEST(a_byte_of_zero_does_not_end_the_text)
{
	char buf[LONG_SIZE];

	ck_assert_str_eq(escape_text("a\0b", 3, buf, sizeof buf),
	    "a\\x00b");
}
END_TEST

START_TEST(a_text_that_just_fits_is_whole)
{
	char buf[8];

	ck_assert_str_eq(escape_text("1234567", 7, buf, sizeof buf),
	    "1234567");
}
END_TEST

START_TEST(a_text_too_long_ends_in_dots)
{
	char buf[8];

	ck_assert_str_eq(escape_text("12345678", 8, buf, sizeof buf),
	    "1234...");
}
END_TEST

START_TEST(no_character_is_cut_in_the_middle)
{
	char buf[8];

	ck_assert_str_eq(escape_text("123\n5678", 8, buf, sizeof buf),
	    "123...");
	ck_assert_str_eq(escape_text("123\xe2\x82\xac" "4567", 10, buf,
	    sizeof buf), "123...");
	ck_assert_str_eq(escape_text("1\xe2\x82\xac" "4567", 8, buf,
	    sizeof buf), "1\xe2\x82\xac...");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/escape");
	TCase *tc = tcase_create("escape");

	tcase_add_loop_test(tc, only_what_a_terminal_may_see_is_left, 0,
	    (int)(sizeof samples / sizeof samples[0]));
	tcase_add_test(tc, a_byte_of_zero_does_not_end_the_text);
	tcase_add_test(tc, a_text_that_just_fits_is_whole);
	tcase_add_test(tc, a_text_too_long_ends_in_dots);
	tcase_add_test(tc, no_character_is_cut_in_the_middle);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
