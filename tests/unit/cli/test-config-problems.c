/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/config-problems.h"

#include "unit.h"

static void
expect(const char *said, const char *wanted)
{
	json_t *got = config_problems_to_json("a.conf", said);
	json_t *json = json_loads(wanted, 0, NULL);

	ck_assert_ptr_nonnull(got);
	ck_assert_ptr_nonnull(json);
	ck_assert_int_eq(json_equal(got, json), 1);
	json_decref(got);
	json_decref(json);
}

START_TEST(each_line_is_a_problem_with_its_place)
{
	expect("a.conf:7: syntax error\na.conf:12:3: no such endpoint\n",
	    "[{\"line\":7,\"column\":null,\"message\":\"syntax error\"},"
	    "{\"line\":12,\"column\":3,\"message\":\"no such endpoint\"}]");
}
END_TEST

START_TEST(a_problem_of_the_whole_file_has_no_line_number)
{
	expect("a.conf: No such file or directory",
	    "[{\"line\":null,\"column\":null,"
	    "\"message\":\"No such file or directory\"}]");
	expect("anything else\n\n",
	    "[{\"line\":null,\"column\":null,\"message\":\"anything else\"}]");
	expect("a.conf:\n", "[{\"line\":null,\"column\":null,"
	    "\"message\":\"a.conf:\"}]");
	expect("a.conf:0: zero\n",
	    "[{\"line\":null,\"column\":null,\"message\":\"zero\"}]");
}
END_TEST

START_TEST(no_words_are_no_problems)
{
	expect("", "[]");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_made_printable)
{
	expect("a.conf:3: bad \xff\n",
	    "[{\"line\":3,\"column\":null,\"message\":\"bad \\\\xFF\"}]");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/config-problems");
	TCase *tc = tcase_create("problems");

	tcase_add_test(tc, each_line_is_a_problem_with_its_place);
	tcase_add_test(tc, a_problem_of_the_whole_file_has_no_line_number);
	tcase_add_test(tc, no_words_are_no_problems);
	tcase_add_test(tc, bytes_that_are_no_text_are_made_printable);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
