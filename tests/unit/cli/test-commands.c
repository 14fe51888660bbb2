/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/commands.h"

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "cli/exit-codes.h"
#include "cli/options.h"
#include "unit.h"

static const struct option_row *
find_option(const struct command *c, const char *name)
{
	const struct option_row *row;

	for (row = c->options; row->name != NULL; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

START_TEST(every_command_has_json_and_help)
{
	const struct command *c;

	for (c = commands; c->name != NULL; c++) {
		ck_assert_msg(find_option(c, "json") != NULL, "%s", c->name);
		ck_assert_msg(find_option(c, "help") != NULL, "%s", c->name);
	}
}
END_TEST

START_TEST(every_row_is_complete)
{
	const struct command *c;

	for (c = commands; c->name != NULL; c++) {
		ck_assert_msg(c->synopsis != NULL && c->summary != NULL &&
		    c->description != NULL && c->run != NULL, "%s", c->name);
		ck_assert_msg(c->min_operands <= c->max_operands, "%s",
		    c->name);
		ck_assert_ptr_eq(commands_find(c->name), c);
	}
}
END_TEST

START_TEST(every_option_has_a_help_and_an_id_of_its_own)
{
	const struct command *c;
	const struct option_row *row;
	const struct option_row *other;

	for (c = commands; c->name != NULL; c++) {
		for (row = c->options; row->name != NULL; row++) {
			ck_assert_msg(row->help != NULL && row->id > 0,
			    "%s --%s", c->name, row->name);
			for (other = c->options; other != row; other++)
				ck_assert_msg(other->id != row->id,
				    "%s --%s", c->name, row->name);
		}
		ck_assert_int_lt(row - c->options, OPTIONS_MAX);
	}
}
END_TEST

START_TEST(what_is_no_command_is_not_found)
{
	ck_assert_ptr_null(commands_find("cop"));
	ck_assert_ptr_null(commands_find(""));
}
END_TEST

START_TEST(stop_is_another_name_of_cancel)
{
	ck_assert_ptr_nonnull(commands_find("stop"));
	ck_assert_ptr_eq(commands_find("stop"), commands_find("cancel"));
}
END_TEST

/* They are published: scripts rely on them. */
START_TEST(exit_codes_are_what_they_have_always_been)
{
	ck_assert_int_eq(CLI_OK, 0);
	ck_assert_int_eq(CLI_ERROR, 1);
	ck_assert_int_eq(CLI_USAGE, 2);
	ck_assert_int_eq(CLI_WARNINGS, 3);
	ck_assert_int_eq(CLI_RUN_FAILED, 4);
	ck_assert_int_eq(CLI_CANCELLED, 5);
	ck_assert_int_eq(CLI_NO_JOB, 6);
	ck_assert_int_eq(CLI_CONFLICT, 7);
	ck_assert_int_eq(CLI_TIMED_OUT, 8);
	ck_assert_int_eq(CLI_DIFFERENT, 9);
	ck_assert_int_eq(CLI_UNREACHABLE, 10);
	ck_assert_int_eq(CLI_DENIED, 11);
	ck_assert_int_eq(CLI_TRANSIENT, 12);
	ck_assert_int_eq(CLI_BAD_RANGES, 13);
	ck_assert_int_eq(CLI_CONFIGURATION, 78);
	ck_assert_int_eq(CLI_INTERRUPTED, 130);
}
END_TEST

struct slip {
	const char *word;
	const char *meant;		/* NULL: none */
};

static const struct slip slips[] = {
	{ "cpy", "copy" },
	{ "statsu", "status" },
	{ "lst", "list" },
	{ "Start", "start" },
	{ "configchek", "configcheck" },
	{ "", NULL },
	{ "frobnicate", NULL },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

START_TEST(a_slip_of_the_finger_finds_the_nearest_command)
{
	const struct command *c = commands_find_nearest(slips[_i].word);

	if (slips[_i].meant == NULL)
		ck_assert_ptr_null(c);
	else
		ck_assert_str_eq(c->name, slips[_i].meant);
}
END_TEST

/* Options, on a command line of literals. */

#define WORDS_MAX 8

struct pass {
	char *argv[WORDS_MAX];
	struct options o;
};

static void
begin(struct pass *p, const char *const *texts)
{
	int argc = 0;

	for (; texts[argc] != NULL; argc++)
		p->argv[argc] = (char *)(uintptr_t)texts[argc];
	p->argv[argc] = NULL;
	options_init(&p->o, commands_find(texts[0]), argc, p->argv);
}

START_TEST(options_and_operands_may_come_in_any_order)
{
	static const char *const texts[] = { "start", "vm1", "--wait",
		"--timeout=5s", NULL };
	const char *value = NULL;
	uint64_t ms = 0;
	struct pass p;

	begin(&p, texts);
	ck_assert_int_eq(options_next(&p.o, &value), OPTION_WAIT);
	ck_assert_ptr_null(value);
	ck_assert_int_eq(options_next(&p.o, &value), OPTION_TIMEOUT);
	ck_assert_int_eq(options_time(&p.o, "timeout", value, &ms), 0);
	ck_assert_uint_eq(ms, 5000);
	ck_assert_int_eq(options_next(&p.o, &value), OPTIONS_END);
	ck_assert_int_eq(p.o.argc, 1);
	ck_assert_str_eq(p.o.argv[0], "vm1");
}
END_TEST

START_TEST(after_two_dashes_all_is_operands)
{
	static const char *const texts[] = { "start", "--", "--wait", NULL };
	const char *value = NULL;
	struct pass p;

	begin(&p, texts);
	ck_assert_int_eq(options_next(&p.o, &value), OPTIONS_END);
	ck_assert_str_eq(p.o.argv[0], "--wait");
}
END_TEST

static const char *const usage_errors[][5] = {
	{ "start", "--nonsense", "vm1", NULL },
	{ "start", "-Q", "vm1", NULL },
	{ "start", "vm1", "--timeout", NULL },
	{ "start", "--wait=yes", "vm1", NULL },
	{ "start", NULL },
	{ "start", "vm1", "vm2", NULL },
	{ "copy", "a", NULL },
	{ "status", "a", "b", NULL },
};

START_TEST(usage_errors_stop_with_exit_code_2)
{
	const char *value = NULL;
	struct pass p;
	int id;

	begin(&p, usage_errors[_i]);
	do
		id = options_next(&p.o, &value);
	while (id > OPTIONS_END);
	ck_assert_int_eq(id, OPTIONS_STOP);
	ck_assert_int_eq(p.o.exit_code, CLI_USAGE);
}
END_TEST

static const char *const bad_numbers[] = { "", "0", "65", "-1", "+1", "1x",
	" 1", "99999999999999999999" };

START_TEST(a_number_outside_its_range_is_a_usage_error)
{
	static const char *const texts[] = { "copy", NULL };
	unsigned number = 7;
	struct pass p;

	begin(&p, texts);
	ck_assert_int_eq(options_number(&p.o, "connections", bad_numbers[_i],
			     64, &number), OPTIONS_STOP);
	ck_assert_int_eq(p.o.exit_code, CLI_USAGE);
	ck_assert_uint_eq(number, 7);
	ck_assert_int_eq(
	    options_number(&p.o, "connections", "64", 64, &number), 0);
	ck_assert_uint_eq(number, 64);
}
END_TEST

START_TEST(a_time_of_nothing_is_a_usage_error)
{
	static const char *const texts[] = { "copy", NULL };
	uint64_t ms = 7;
	struct pass p;

	begin(&p, texts);
	ck_assert_int_eq(options_time(&p.o, "io-timeout", "0", &ms),
	    OPTIONS_STOP);
	ck_assert_int_eq(options_time(&p.o, "io-timeout", "10", &ms),
	    OPTIONS_STOP);
	ck_assert_uint_eq(ms, 7);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof(a)[0]))

int
main(void)
{
	Suite *s = suite_create("cli/commands");
	TCase *table = tcase_create("table");
	TCase *parser = tcase_create("options");

	tcase_add_test(table, every_command_has_json_and_help);
	tcase_add_test(table, every_row_is_complete);
	tcase_add_test(table, every_option_has_a_help_and_an_id_of_its_own);
	tcase_add_test(table, what_is_no_command_is_not_found);
	tcase_add_test(table, stop_is_another_name_of_cancel);
	tcase_add_test(table, exit_codes_are_what_they_have_always_been);
	tcase_add_loop_test(table,
	    a_slip_of_the_finger_finds_the_nearest_command, 0, N(slips));
	suite_add_tcase(s, table);
	tcase_add_test(parser, options_and_operands_may_come_in_any_order);
	tcase_add_test(parser, after_two_dashes_all_is_operands);
	tcase_add_loop_test(parser, usage_errors_stop_with_exit_code_2, 0,
	    N(usage_errors));
	tcase_add_loop_test(parser,
	    a_number_outside_its_range_is_a_usage_error, 0, N(bad_numbers));
	tcase_add_test(parser, a_time_of_nothing_is_a_usage_error);
	suite_add_tcase(s, parser);
	return unit_main(s);
}
