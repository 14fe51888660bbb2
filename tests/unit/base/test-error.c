/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

START_TEST(the_code_comes_back_and_the_sentence_is_kept)
{
	struct error e = { .code = 0 };

	ck_assert_int_eq(error_set(&e, -EIO, "read: %s", "broken"), -EIO);
	ck_assert_int_eq(e.code, -EIO);
	ck_assert_str_eq(e.text, "read: broken");
}
END_TEST

START_TEST(nobody_has_to_want_the_sentence)
{
	ck_assert_int_eq(error_set(NULL, -EIO, "read"), -EIO);
	(void)error_prefix(NULL, "job");
}
END_TEST

START_TEST(a_prefix_goes_before_the_sentence)
{
	struct error e;

	(void)error_set(&e, -EIO, "read");
	ck_assert_int_eq(error_prefix(&e, "job '%s'", "web"), -EIO);
	ck_assert_str_eq(e.text, "job 'web': read");
}
END_TEST

START_TEST(a_sentence_too_long_is_cut)
{
	struct error e;
	char longest[ERROR_TEXT_SIZE * 2];

	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	(void)error_set(&e, -EIO, "%s", longest);
	ck_assert_uint_eq(strlen(e.text), ERROR_TEXT_SIZE - 1);
	(void)error_prefix(&e, "%s", longest);
	ck_assert_uint_eq(strlen(e.text), ERROR_TEXT_SIZE - 1);
	ck_assert_int_eq(e.code, -EIO);
}
END_TEST

START_TEST(a_sentence_is_utf8_whatever_it_is_made_of)
{
	struct error e;
	char longest[ERROR_TEXT_SIZE * 2];

	(void)error_set(&e, -EIO, "disk '%s'",
	    "\xe9t\xc3\xa9 \xf0\x9f\x98\x80");
	ck_assert_str_eq(e.text, "disk '?t\xc3\xa9 \xf0\x9f\x98\x80'");
	for (size_t i = 0; i + 2 < sizeof longest; i += 2)
		memcpy(longest + i, "\xc3\xa9", 2);
	longest[sizeof longest - 2] = '\0';
	(void)error_set(&e, -EIO, "%s", longest);
	ck_assert_uint_eq(strlen(e.text), ERROR_TEXT_SIZE - 1);
	ck_assert_str_eq(e.text + ERROR_TEXT_SIZE - 4, "\xc3\xa9?");
	(void)error_set(&e, -EIO, "%s", longest + 1);
	(void)error_prefix(&e, "%s", longest);
	ck_assert_str_eq(e.text + ERROR_TEXT_SIZE - 4, "\xc3\xa9?");
}
END_TEST

START_TEST(a_sentence_may_be_made_of_the_old_one)
{
	struct error e;

	(void)error_set(&e, -EIO, "read");
	(void)error_set(&e, -EPIPE, "gave up: %s", e.text);
	ck_assert_str_eq(e.text, "gave up: read");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/error");
	TCase *tc = tcase_create("error");

	tcase_add_test(tc, the_code_comes_back_and_the_sentence_is_kept);
	tcase_add_test(tc, nobody_has_to_want_the_sentence);
	tcase_add_test(tc, a_prefix_goes_before_the_sentence);
	tcase_add_test(tc, a_sentence_too_long_is_cut);
	tcase_add_test(tc, a_sentence_is_utf8_whatever_it_is_made_of);
	tcase_add_test(tc, a_sentence_may_be_made_of_the_old_one);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
