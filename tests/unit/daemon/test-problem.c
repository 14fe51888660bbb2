/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Problems of the control API: every row of the table is whole, has a type
 * of its own, and is in the manual.
 */
#include "control/problem.h"

#include <string.h>

#include "manual.h"
#include "unit.h"

START_TEST(problem_is_whole_and_in_the_manual)
{
	enum ctl_problem problem = (enum ctl_problem)_i;
	char *manual = manual_read("doc/nbdsync-api.7");

	ck_assert_int_ge(problem_status(problem), 400);
	ck_assert_int_lt(problem_status(problem), 600);
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(problem_type((enum ctl_problem)i),
		    problem_type(problem));
	ck_assert_msg(manual_has_item(manual, NULL, problem_type(problem)) !=
	    NULL, "%s is not in the manual", problem_type(problem));
	free(manual);
}
END_TEST

START_TEST(problem_is_written_as_rfc_9457_wants_it)
{
	json_t *o = problem_to_json(CTL_NO_SUCH_JOB, "there is no job 'x'",
	    "x", NULL);

	ck_assert_str_eq(json_string_value(json_object_get(o, "type")),
	    "urn:nbdsync:no-such-job");
	ck_assert_str_eq(json_string_value(json_object_get(o, "title")),
	    "No such job");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "status")),
	    404);
	ck_assert_str_eq(json_string_value(json_object_get(o, "detail")),
	    "there is no job 'x'");
	ck_assert_str_eq(json_string_value(json_object_get(o, "job")), "x");
	ck_assert_ptr_null(json_object_get(o, "hint"));
	json_decref(o);
}
END_TEST

START_TEST(problem_of_memory_needs_none_and_is_as_the_table_says)
{
	json_t *o = json_loads(problem_no_memory(), 0, NULL);
	json_t *wanted = problem_to_json(CTL_NO_MEMORY, "the daemon has no "
	    "memory for the answer", NULL, NULL);

	ck_assert_int_eq(json_equal(o, wanted), 1);
	json_decref(o);
	json_decref(wanted);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/control/problem");
	TCase *tc = tcase_create("problem");

	tcase_add_loop_test(tc, problem_is_whole_and_in_the_manual, 0,
	    CTL_PROBLEMS);
	tcase_add_test(tc, problem_is_written_as_rfc_9457_wants_it);
	tcase_add_test(tc,
	    problem_of_memory_needs_none_and_is_as_the_table_says);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
