/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of options against what people read: the manual and the example
 * have every row, with its default and its limits.
 */
#include "conf/options.h"

#include <libconfig.h>
#include <stdio.h>
#include <string.h>

#include "conf-text.h"
#include "manual.h"
#include "unit.h"

START_TEST(option_is_in_the_manual_with_its_default)
{
	const struct option *option = &options[_i];
	char *manual = manual_read("doc/nbdsync.conf.5");
	char *item = manual_has_item(manual, option_group_name(option->group),
	    option->key);
	char text[96];

	ck_assert_msg(item != NULL, "%s.%s", option_group_name(option->group),
	    option->key);
	if (option->fallback != NULL) {
		(void)snprintf(text, sizeof text, "\nDefault: %s%s%s.",
		    option->type == OPTION_INT || option->type == OPTION_BOOL ?
		    "" : "\\(dq", option->fallback,
		    option->type == OPTION_INT || option->type == OPTION_BOOL ?
		    "" : "\\(dq");
		ck_assert_msg(strstr(item, text) != NULL, "%s: no \"%s\"",
		    option->key, text);
	}
	if (option->min != NULL) {
		(void)snprintf(text, sizeof text, "\nFrom %s to %s.",
		    option->min, option->max);
		ck_assert_msg(strstr(item, text) != NULL, "%s: no \"%s\"",
		    option->key, text);
	}
	if (option->is_required)
		ck_assert_msg(strstr(item, "\nRequired.") != NULL, "%s",
		    option->key);
	free(manual);
}
END_TEST

/*
 * In the example a line of prose begins with "# " and a word; "#" with
 * nothing behind it, or with more blanks, comments out a setting.
 */
static char *
example(bool is_uncommented)
{
	char *text = manual_read("conf/nbdsync.conf");

	for (char *at = text; is_uncommented && *at != '\0'; at++) {
		bool is_first = at == text || at[-1] == '\n' ||
		    at[-1] == '\t';
		bool is_prose = at[1] == '\n' ||
		    (at[1] == ' ' && at[2] != ' ');

		if (is_first && *at == '#' && !is_prose)
			*at = ' ';
	}
	/* There may be such a directory here, with anything in it. */
	if (is_uncommented)
		memcpy(strstr(text, "include_dir = \"/etc"), "x-clude_dir", 11);
	return text;
}

START_TEST(example_as_it_is_sets_nothing)
{
	char *text = example(false);
	struct conf *conf = conf_text_good(text);

	ck_assert_uint_eq(conf->n_endpoints, 0);
	ck_assert_uint_eq(conf->n_jobs, 0);
	ck_assert_uint_eq(conf->daemon.workers, 0);
	conf_free(conf);
	free(text);
}
END_TEST

START_TEST(example_uncommented_is_right_and_has_jobs)
{
	char *text = example(true);
	struct conf *conf = conf_text_good(text);

	ck_assert_uint_gt(conf->n_endpoints, 1);
	ck_assert_uint_gt(conf->n_jobs, 0);
	conf_free(conf);
	free(text);
}
END_TEST

START_TEST(option_is_in_the_example_with_its_default)
{
	const struct option *option = &options[_i];
	char *text = example(true);
	const char *group = option->group == OPTION_GROUP_MAIN ? "" :
	    option_group_name(option->group);
	char *at = strstr(text, group);
	char setting[96];

	ck_assert_ptr_nonnull(at);
	if (strcmp(option->key, "include_dir") == 0)
		(void)snprintf(setting, sizeof setting, "x-clude_dir = ");
	else if (option->fallback == NULL ||
	    option->group == OPTION_GROUP_RANGES)
		(void)snprintf(setting, sizeof setting, "%s = ", option->key);
	else if (option->type == OPTION_INT || option->type == OPTION_BOOL)
		(void)snprintf(setting, sizeof setting, "%s = %s;",
		    option->key, option->fallback);
	else
		(void)snprintf(setting, sizeof setting, "%s = \"%s\";",
		    option->key, option->fallback);
	ck_assert_msg(strstr(at, setting) != NULL, "no %s", setting);
	free(text);
}
END_TEST

/* In the section of its group; group is the last one whose section began. */
static const char *
check_line(const char *line, int *group)
{
	char key[64];

	for (int g = 0; strncmp(line, ".Ss ", 4) == 0 && g < OPTION_GROUPS; g++)
		if (strncmp(line + 4, option_group_name(g),
		    strcspn(line + 4, "\n")) == 0)
			*group = g;
	if (strncmp(line, ".Sh ", 4) == 0)
		*group = -1;
	if (*group >= 0 && sscanf(line, ".It Cm %63s No =", key) == 1)
		ck_assert_msg(option_find(*group, key) != NULL,
		    "no option %s in %s", key, option_group_name(*group));
	return strchr(line, '\n');
}

START_TEST(manual_has_no_option_that_does_not_exist)
{
	char *manual = manual_read("doc/nbdsync.conf.5");
	const char *line = manual;
	int group = -1;

	while (line != NULL) {
		line = check_line(line, &group);
		line = line == NULL ? NULL : line + 1;
	}
	free(manual);
}
END_TEST

START_TEST(limits_of_the_table_are_those_of_a_run)
{
	char max[16];

	(void)snprintf(max, sizeof max, "%d", RUN_MAX_CONNECTIONS);
	ck_assert_str_eq(option_find(OPTION_GROUP_JOBS, "connections")->max,
	    max);
	(void)snprintf(max, sizeof max, "%d", RUN_MAX_QUEUE_DEPTH);
	ck_assert_str_eq(option_find(OPTION_GROUP_JOBS, "queue_depth")->max,
	    max);
	(void)snprintf(max, sizeof max, "%uMiB",
	    RUN_MAX_REQUEST_SIZE / (1024 * 1024));
	ck_assert_str_eq(option_find(OPTION_GROUP_JOBS, "request_size")->max,
	    max);
}
END_TEST

START_TEST(options_are_found_in_their_group_only)
{
	ck_assert_ptr_nonnull(option_find(OPTION_GROUP_JOBS, "source"));
	ck_assert_ptr_null(option_find(OPTION_GROUP_DAEMON, "source"));
	ck_assert_ptr_null(option_find(OPTION_GROUP_JOBS, "sourc"));
	ck_assert_ptr_ne(option_find(OPTION_GROUP_JOBS, "name"),
	    option_find(OPTION_GROUP_ENDPOINTS, "name"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/conf/options");
	TCase *tc = tcase_create("options");

	tcase_add_loop_test(tc, option_is_in_the_manual_with_its_default, 0,
	    (int)n_options);
	tcase_add_loop_test(tc, option_is_in_the_example_with_its_default, 0,
	    (int)n_options);
	tcase_add_test(tc, example_as_it_is_sets_nothing);
	tcase_add_test(tc, example_uncommented_is_right_and_has_jobs);
	tcase_add_test(tc, manual_has_no_option_that_does_not_exist);
	tcase_add_test(tc, limits_of_the_table_are_those_of_a_run);
	tcase_add_test(tc, options_are_found_in_their_group_only);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
