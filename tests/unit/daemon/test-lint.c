/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The traps of libconfig: each with what a configuration file gets to hear
 * instead, and with the innocent text beside it that must pass.
 */
#include "conf/lint.h"

#include <libconfig.h>
#include <stdio.h>
#include <string.h>

#include "conf-text.h"
#include "unit.h"

static const struct {
	const char *text;
	const char *problem;
} traps[] = {
	/* libconfig would end the process if it is a directory */
	{ "@include \"/etc\"\n", "f:1: @include is not supported" },
	{ "daemon = { };\n \t @include \"x\"\n", "f:2: @include is not "
	  "supported" },
	/* ... would lose the rest of the file */
	{ "log = { };\n/* and so on\n\n", "f:2: this comment is never "
	  "closed" },
	{ "log = { level = \"info; };\n\n", "f:1: this string is never "
	  "closed" },
	{ "log = { level = \"info\\\n\\\"", "f:1: this string is never "
	  "closed" },
	/* ... would make one string of two */
	{ "x-a = ( \"one\"\n \"two\" );\n", "f:2: two strings with nothing "
	  "between them" },
	/* ... would end the string there */
	{ "x-a = \"vm1\\x00-old\";\n", "f:1: a string cannot have a NUL in "
	  "it: \"\\x00\"" },
	{ "x-a = \"\n\\X00\";\n", "f:2: a string cannot have a NUL" },
	/* ... would wrap */
	{ "x-a = 4294967298;\n", "f:1: 4294967298 is too large for an "
	  "integer" },
	{ "x-a = 0x1ffffffff;\n", "f:1: 0x1ffffffff is too large" },
	{ "x-a = 99999999999999999999L;\n", "f:1: 99999999999999999999L is "
	  "too large" },
	/* ... would only say "syntax error" */
	{ "daemon = { shutdown_grace = 10s; };\n", "f:1: 10s is not a number; "
	  "a value with a unit is a string and stands in quotes: \"10s\"" },
	{ "x-a = 1.5GiB;\n", "f:1: 1.5GiB is not a number" },
	{ "x-a = 1\n;\nx-b = [ 1, \n2, ];\n", "f:4: syntax error (" },
	{ "log = { level = info; };\n", "f:1: syntax error (" },
	{ "log = { }; log = { };\n", "f:1: duplicate setting name (" },
	{ "x-a = [ 1, \"a\" ];\n", "f:1: mismatched element type in array (" },
};

START_TEST(trap_is_reported_in_words)
{
	conf_text_bad(traps[_i].text, traps[_i].problem);
}
END_TEST

static const char *const innocent[] = {
	"# @include \"x\"\n",
	"x-a = \"\n@include \\\"x\\\"\n\";\n",
	"/* @include */ x-a = 1;\n",
	"x-a = \"/* no comment\"; // */\n",
	"x-a = ( \"one\", \"two\" ); x-b = \"three\";\n",
	"x-a = \"one\"; # \"two\"\nx-b = \"three\";\n",
	"x-a = 2147483647; x-b = -2147483647; x-c = 4294967298L;\n",
	"x-a = 1.5; x-b = 1e10; x-c = 0x7f; x-d = -1.5e-3;\n",
	"x-10s = 1;\n",
	"x-a = 1\nx-b : 2\r\n",
	"x-a = \"\\x01 \\\\x00 x00\";\n",
	("\xef\xbb\xbf" "log = { };\n"),
	"log = { }; # the last line has no end",
	"log = { }; // the last line has no end",
};

START_TEST(innocent_text_passes)
{
	conf_free(conf_text_good(innocent[_i]));
}
END_TEST

START_TEST(nul_byte_is_refused)
{
	static const char text[] = "log = { };\n\0 jobs = 3;\n";
	struct conf *conf = NULL;
	struct conf_problems problems;

	ck_assert_int_lt(conf_text_load(text, sizeof text - 1, &conf,
	    &problems), 0);
	ck_assert_uint_eq(problems.n, 1);
	ck_assert_str_eq(problems.v[0].text,
	    "f: has NUL bytes: no text file");
	conf_problems_done(&problems);
}
END_TEST

START_TEST(group_of_more_than_a_thousand_settings_does_not_reach_libconfig)
{
	static char text[1002 * 12];
	struct conf_spots spots = { .n = 0 };
	struct conf_problems problems;
	int len = 0;

	for (int i = 0; i < 1000; i++)
		len += sprintf(text + len, "x-%d = 1;\n", i);
	conf_problems_init(&problems, "f");
	ck_assert(lint_text(text, (size_t)len, &spots,
	    &problems));
	ck_assert_uint_eq(problems.n, 0);
	len += sprintf(text + len, "x-a = 1;\n");
	ck_assert(!lint_text(text, (size_t)len, &spots,
	    &problems));
	ck_assert_str_eq(problems.v[0].text,
	    "f:1001:1: more than 1000 settings in one group");
	conf_problems_done(&problems);
	conf_spots_done(&spots);
}
END_TEST

START_TEST(thousands_of_brackets_do_not_reach_libconfig)
{
	static char text[20000] = "x-a = ";
	struct conf_spots spots = { .n = 0 };
	struct conf_problems problems;

	memset(text + 6, '(', sizeof text - 7);
	conf_problems_init(&problems, "f");
	ck_assert(!lint_text(text, strlen(text), &spots, &problems));
	ck_assert_str_eq(problems.v[0].text,
	    "f:1:39: nested more than 32 levels deep");
	conf_problems_done(&problems);
	conf_spots_done(&spots);
}
END_TEST

START_TEST(what_lint_finds_does_not_hide_what_comes_later)
{
	static const char text[] = "x-a = 4294967298;\n"
	    "daemon = { wokers = 1; };\n";
	struct conf *conf = NULL;
	struct conf_problems problems;

	ck_assert_int_lt(conf_text_load(text, sizeof text - 1, &conf,
	    &problems), 0);
	ck_assert_uint_eq(problems.n, 2);
	ck_assert_str_eq(problems.v[0].text, "f:1:7: 4294967298 is too large "
	    "for an integer; a size is a string with a unit, such as "
	    "\"64MiB\"");
	ck_assert_str_eq(problems.v[1].text, "f:2:12: daemon: unknown key "
	    "\"wokers\" (did you mean \"workers\"?)");
	conf_problems_done(&problems);
}
END_TEST

/* Every setting of it, and every item of a list, by its value. */
static void
check_spots(const config_setting_t *setting, const char *text)
{
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member =
		    config_setting_get_elem(setting, (unsigned)i);
		struct conf_spot spot = conf_spot_of(member);
		const char *name = config_setting_name(member);
		const char *at = text;

		for (unsigned line = 1; line < spot.line; line++)
			at = strchr(at, '\n') + 1;
		ck_assert_uint_gt(spot.column, 0);
		at += spot.column - 1;
		if (name != NULL) {
			ck_assert_msg(strncmp(at, name, strlen(name)) == 0,
			    "%s is not at %u:%u", name, spot.line,
			    spot.column);
			ck_assert_uint_eq(spot.line,
			    config_setting_source_line(member));
		} else if (config_setting_type(member) == CONFIG_TYPE_STRING) {
			ck_assert_int_eq(*at, '"');
		} else {
			ck_assert_msg(strchr("{([0123456789t", *at) != NULL,
			    "%.9s", at);
		}
		check_spots(member, text);
	}
}

START_TEST(every_setting_is_found_where_it_stands)
{
	static const char text[] = "a=1;b = \"x = 1\"; # c = 2\n"
	    "\td : ( { e = ( 1, 2 ); f = [ ]; }, /* = , */ { }\n"
	    ", ( ), \"x,\"\n \"y\", [ \"]\" , \"z\" ], 3, true );\n"
	    "g = { h\n= { }; i-j\n: 1e3 k = \"\\\"(,\" };\n";
	struct conf_spots spots = { .n = 0 };
	struct conf_problems problems;
	config_t tree;

	conf_problems_init(&problems, "f");
	ck_assert(lint_text(text, strlen(text), &spots, &problems));
	config_init(&tree);
	ck_assert_int_eq(config_read_string(&tree, text), CONFIG_TRUE);
	conf_spots_attach(&spots, &tree);
	check_spots(config_root_setting(&tree), text);
	/* Where they do not fit, the line is left. */
	spots.n--;
	config_destroy(&tree);
	config_init(&tree);
	ck_assert_int_eq(config_read_string(&tree, text), CONFIG_TRUE);
	conf_spots_attach(&spots, &tree);
	ck_assert_uint_eq(conf_spot_of(config_lookup(&tree, "d")).line, 2);
	ck_assert_uint_eq(conf_spot_of(config_lookup(&tree, "d")).column, 0);
	ck_assert_uint_eq(conf_spot_of(config_lookup(&tree, "no")).line, 0);
	config_destroy(&tree);
	conf_problems_done(&problems);
	conf_spots_done(&spots);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/conf/lint");
	TCase *tc = tcase_create("lint");

	tcase_add_loop_test(tc, trap_is_reported_in_words, 0,
	    (int)(sizeof traps / sizeof traps[0]));
	tcase_add_loop_test(tc, innocent_text_passes, 0,
	    (int)(sizeof innocent / sizeof innocent[0]));
	tcase_add_test(tc, nul_byte_is_refused);
	tcase_add_test(tc,
	    group_of_more_than_a_thousand_settings_does_not_reach_libconfig);
	tcase_add_test(tc, thousands_of_brackets_do_not_reach_libconfig);
	tcase_add_test(tc, what_lint_finds_does_not_hide_what_comes_later);
	tcase_add_test(tc, every_setting_is_found_where_it_stands);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
