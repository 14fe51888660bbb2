/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "Did you mean": slips of the finger are found, other words are not.
 */
#include "conf/nearest.h"

#include <string.h>

#include "unit.h"

static const char *
nearest_of(const char *word, const char *a, const char *b)
{
	struct nearest nearest;

	nearest_init(&nearest, word);
	nearest_offer(&nearest, a);
	nearest_offer(&nearest, b);
	return nearest.best;
}

START_TEST(slips_are_found)
{
	ck_assert_str_eq(nearest_of("chekpoint", "checkpoint", "name"),
	    "checkpoint");
	ck_assert_str_eq(nearest_of("soruce", "source", "name"), "source");
	ck_assert_str_eq(nearest_of("connectionss", "queue_depth",
	    "connections"), "connections");
	ck_assert_str_eq(nearest_of("vm11", "vm2", "vm1"), "vm1");
	ck_assert_str_eq(nearest_of("b", "aa", "bb"), "bb");
}
END_TEST

START_TEST(nearer_of_two_wins)
{
	ck_assert_str_eq(nearest_of("workerss", "workers", "workerse"),
	    "workers");
	ck_assert_str_eq(nearest_of("abcdef", "abcxyf", "abcdxf"), "abcdxf");
}
END_TEST

START_TEST(other_words_are_not_offered)
{
	ck_assert_ptr_null(nearest_of("verify", "source", "name"));
	ck_assert_ptr_null(nearest_of("", "source", "name"));
	ck_assert_ptr_null(nearest_of("vm1", "database", "mail"));
}
END_TEST

START_TEST(words_too_long_to_compare_are_passed_over)
{
	char word[200];

	memset(word, 'a', sizeof word);
	word[sizeof word - 1] = '\0';
	ck_assert_ptr_null(nearest_of(word, word, "a"));
	word[63] = '\0';
	ck_assert_str_eq(nearest_of(word, "b", word), word);
}
END_TEST

START_TEST(hint_is_empty_when_nothing_is_near)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	nearest_init(&nearest, "nam");
	ck_assert_str_eq(nearest_hint(&nearest, hint), "");
	nearest_offer(&nearest, "name");
	ck_assert_str_eq(nearest_hint(&nearest, hint),
	    " (did you mean \"name\"?)");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/conf/nearest");
	TCase *tc = tcase_create("nearest");

	tcase_add_test(tc, slips_are_found);
	tcase_add_test(tc, nearer_of_two_wins);
	tcase_add_test(tc, other_words_are_not_offered);
	tcase_add_test(tc, words_too_long_to_compare_are_passed_over);
	tcase_add_test(tc, hint_is_empty_when_nothing_is_near);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
