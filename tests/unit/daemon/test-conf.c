/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations: what is read from a good file, and what is said of a bad
 * one.
 */
#include "conf/conf.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf-text.h"
#include "unit.h"

#define ENDPOINTS \
	"endpoints = (\n" \
	"  { name = \"a\"; uri = \"nbd+unix:///?socket=/run/a\"; },\n" \
	"  { name = \"b\"; path = \"/dev/null\"; }\n" \
	");\n"

/* The job begins in line 5. */
#define JOB(more) \
	ENDPOINTS \
	"jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\";\n" \
	more "\n } );\n"

START_TEST(empty_file_is_a_configuration_of_defaults)
{
	struct conf *conf = conf_text_good("");

	ck_assert_uint_eq(conf->daemon.workers, 0);
	ck_assert_uint_eq(conf->daemon.shutdown_grace_ms, 60000);
	ck_assert_str_eq(conf->control.socket, "/run/nbdsync/control.sock");
	ck_assert_uint_eq(conf->control.viewers.n, 0);
	ck_assert_uint_eq(conf->control.operators.n, 0);
	ck_assert_uint_eq(conf->control.admins.n, 0);
	ck_assert_int_eq((int)conf->logs.v[0].level, LOG_LEVEL_INFO);
	ck_assert_uint_eq(conf->n_endpoints, 0);
	ck_assert_uint_eq(conf->n_jobs, 0);
	conf_free(conf);
}
END_TEST

START_TEST(job_with_nothing_optional_has_the_defaults)
{
	struct conf *conf = conf_text_good(JOB(""));
	const struct conf_job *job = conf_find_job(conf, "j");

	ck_assert_ptr_nonnull(job);
	ck_assert_str_eq(job->source, "a");
	ck_assert_str_eq(job->destination, "b");
	ck_assert_uint_eq(job->ranges.n, 0);
	ck_assert_uint_eq(job->connections, 0);
	ck_assert_uint_eq(job->queue_depth, 0);
	ck_assert_uint_eq(job->request_size, 0);
	ck_assert_uint_eq(job->connect_timeout_ms, RUN_CONNECT_TIMEOUT_MS);
	ck_assert_uint_eq(job->io_timeout_ms, RUN_IO_TIMEOUT_MS);
	ck_assert(!job->allow_no_flush);
	conf_free(conf);
}
END_TEST

START_TEST(every_option_is_read)
{
	struct conf *conf = conf_text_good(
	    "daemon = { workers = 3; shutdown_grace = \"5s\"; };\n"
	    "control = { socket = \"/tmp/s\"; viewers = [ \"@root\" ];\n"
	    "  operators = ( \"root\" ); admins = [ ]; };\n"
	    "log = { level = \"debug\"; };\n"
	    JOB("connections = 2; queue_depth = 8; request_size = \"64KiB\";"
	    "connect_timeout = \"3s\"; io_timeout = \"4m\";"
	    "allow_no_flush = true;"
	    "ranges = ( { from = \"2048s\"; length = \"1MiB\"; to = \"0\"; },"
	    " { to = \"4MiB\"; } );"));
	const struct conf_job *job = conf_find_job(conf, "j");

	ck_assert_uint_eq(conf->daemon.workers, 3);
	ck_assert_uint_eq(conf->daemon.shutdown_grace_ms, 5000);
	ck_assert_str_eq(conf->control.socket, "/tmp/s");
	ck_assert_uint_eq(conf->control.viewers.n, 1);
	ck_assert(conf->control.viewers.v[0].is_group);
	ck_assert_uint_eq(conf->control.viewers.v[0].id, 0);
	ck_assert_uint_eq(conf->control.operators.n, 1);
	ck_assert(!conf->control.operators.v[0].is_group);
	ck_assert_int_eq((int)conf->logs.v[0].level, LOG_LEVEL_DEBUG);
	ck_assert_uint_eq(job->connections, 2);
	ck_assert_uint_eq(job->queue_depth, 8);
	ck_assert_uint_eq(job->request_size, 65536);
	ck_assert_uint_eq(job->connect_timeout_ms, 3000);
	ck_assert_uint_eq(job->io_timeout_ms, 240000);
	ck_assert(job->allow_no_flush);
	ck_assert_uint_eq(job->ranges.n, 2);
	ck_assert_uint_eq(job->ranges.v[0].from, 1024 * 1024);
	ck_assert_uint_eq(job->ranges.v[0].length, 1024 * 1024);
	ck_assert_uint_eq(job->ranges.v[1].from, 0);
	ck_assert_uint_eq(job->ranges.v[1].length, RUN_LENGTH_ALL);
	ck_assert_uint_eq(job->ranges.v[1].to, 4 * 1024 * 1024);
	conf_free(conf);
}
END_TEST

START_TEST(endpoints_of_all_kinds_get_their_spec)
{
	struct conf *conf = conf_text_good(
	    "endpoints = ( { name = \"u\"; uri = \"nbd://localhost/x\"; },\n"
	    " { name = \"n\"; uri = \"null:\"; },\n"
	    " { name = \"p\"; path = \"/dev/vda\"; },\n"
	    " { name = \"c\"; command = [ \"nbdkit\", \"null\" ]; } );\n");

	ck_assert_int_eq(conf->endpoints[0].spec->type, ENDPOINT_NBD);
	ck_assert_int_eq(conf->endpoints[1].spec->type, ENDPOINT_NULL);
	ck_assert_int_eq(conf->endpoints[2].spec->type, ENDPOINT_PATH);
	ck_assert_int_eq(conf->endpoints[3].spec->type, ENDPOINT_COMMAND);
	ck_assert_str_eq(conf->endpoints[3].spec->argv[1], "null");
	ck_assert_ptr_null(conf->endpoints[3].spec->argv[2]);
	ck_assert_str_eq(conf->endpoints[0].spec->name, "u");
	conf_free(conf);
}
END_TEST

START_TEST(five_errors_are_five_lines_in_the_files_order)
{
	static const char text[] =
	    "daemon = { workers = 65; };\n"
	    ENDPOINTS				/* lines 2 to 5 */
	    "jobs = (\n"
	    "  { name = \"x\"; source = \"a\"; destination = \"bb\"; },\n"
	    "  { name = \"y\"; source = \"a\";\n"
	    "    destination = \"b\";\n"
	    "    conections = 4; },\n"
	    "  { name = \"z\"; source = \"a\"; destination = \"b\";\n"
	    "    io_timeout = 10; request_size = \"64Mib\"; }\n"
	    ");\n";
	static const char *const wanted[] = {
		"f:1:12: daemon: \"workers\" is 65, but must be from 0 to 64",
		"f:7:31: job \"x\": \"destination\" names endpoint \"bb\", "
		"which does not exist (did you mean \"b\"?)",
		"f:10:5: job \"y\": unknown key \"conections\" (did you mean "
		"\"connections\"?)",
		"f:12:5: job \"z\": \"io_timeout\" must be a string with a "
		"unit, such as \"10s\"",
		"f:12:22: job \"z\": \"request_size\" is \"64Mib\", but must "
		"be a string with a unit, such as \"64MiB\"",
	};
	struct conf *conf = NULL;
	struct conf_problems problems;

	ck_assert_int_eq(conf_text_load(text, strlen(text), &conf, &problems),
	    -EINVAL);
	ck_assert_ptr_null(conf);
	for (size_t i = 0; i < problems.n && i < 5; i++)
		ck_assert_str_eq(problems.v[i].text, wanted[i]);
	ck_assert_uint_eq(problems.n, 5);
	conf_problems_done(&problems);
}
END_TEST

/* Of the jobs: what each says is wrong, whoever says it. */
START_TEST(mistake_is_told_of_the_place_where_it_was_made)
{
	static const char text[] =
	    ENDPOINTS				/* lines 1 to 4 */
	    "templates = ( { name = \"t\"; trim = true;\n"
	    "\tdestinations = [ \"b\",\n"
	    "\t  \"c\" ]; } );\n"
	    "jobs = ( { name = \"x\"; template = \"t\"; source = \"a\";\n"
	    "  mode = \"sync\"; ranges = ( { to = \"0\"; },\n"
	    "    { to = \"0\"; length = \"0\"; } ); } );\n";
	static const char *const wanted[] = {
		"f:5:29: job \"x\": \"trim\" is for",
		"f:7:4: job \"x\": \"destinations\" names endpoint \"c\"",
		"f:10:5: job \"x\": range 2: the length is 0",
	};
	struct conf *conf = NULL;
	struct conf_problems problems;

	ck_assert_int_eq(conf_text_load(text, strlen(text), &conf, &problems),
	    -EINVAL);
	for (size_t i = 0; i < problems.n && i < 3; i++)
		ck_assert_msg(strncmp(problems.v[i].text, wanted[i],
		    strlen(wanted[i])) == 0, "%s", problems.v[i].text);
	ck_assert_uint_eq(problems.n, 3);
	conf_problems_done(&problems);
}
END_TEST

START_TEST(no_more_than_fifty_problems_are_kept)
{
	char text[60 * 16] = "";
	struct conf *conf = NULL;
	struct conf_problems problems;

	for (int i = 0; i < 60; i++) {
		strcat(text, "log = 1;\n");
		memcpy(text + strlen(text) - 9, (char[]){ 'k',
		    (char)('a' + i / 26), (char)('a' + i % 26) }, 3);
	}
	ck_assert_int_eq(conf_text_load(text, strlen(text), &conf, &problems),
	    -EINVAL);
	ck_assert_uint_eq(problems.n, CONF_PROBLEMS_MAX);
	ck_assert_uint_eq(problems.n_more, 60 - CONF_PROBLEMS_MAX);
	conf_problems_done(&problems);
}
END_TEST

START_TEST(names_that_begin_with_x_are_for_others)
{
	conf_free(conf_text_good(
	    "x-tool = \"y\"; daemon = { x-note = 1; };\n" JOB("x-a = 1;")));
}
END_TEST

static const struct {
	const char *text;
	const char *problem;
} mistakes[] = {
	/* names and groups */
	{ "job = ( );\n", "f:1: unknown group \"job\" (did you mean "
	  "\"jobs\"?)" },
	{ "zzz = 1;\n", "f:1: unknown group \"zzz\"" },
	{ "daemon = 3;\n", "f:1: daemon: must be a group" },
	{ "jobs = { };\n", "f:1: \"jobs\" must be a list" },
	{ "jobs = ( 1 );\n", "f:1: job 1: must be a group" },
	{ JOB("soundness = 1;"), "f:6: job \"j\": unknown key "
	  "\"soundness\"" },
	{ "endpoints = (\n { path = \"/x\"; } );\n",
	  "f:2: endpoint 1: \"name\" is missing" },
	{ ENDPOINTS "jobs = ( { name = \"j\"; source = \"a\"; } );\n",
	  "f:5: job \"j\": \"destination\" or \"destinations\" is "
	  "missing" },
	{ "endpoints = ( { name = \"a b\"; path = \"/x\"; } );\n",
	  "f:1: endpoint \"a b\": \"name\" is \"a b\", but must be a name" },
	{ "endpoints = ( { name = \"a\"; path = \"/x\"; },\n"
	  " { name = \"a\"; path = \"/y\"; } );\n",
	  "f:2: endpoint \"a\": there is one of this name in line 1" },
	{ ENDPOINTS
	  "jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; },\n"
	  " { name = \"j\"; source = \"b\"; destination = \"a\"; } );\n",
	  "f:6: job \"j\": there is one of this name in line 5" },
	/* values */
	{ "daemon = { workers = \"3\"; };", "f:1: daemon: \"workers\" must be "
	  "an integer" },
	{ "daemon = { workers = -1; };", "f:1: daemon: \"workers\" is -1, but "
	  "must be from 0 to 64" },
	{ "daemon = { workers = 99999999999L; };", "f:1: daemon: \"workers\" "
	  "is 99999999999, but must be from 0 to 64" },
	{ "daemon = { shutdown_grace = \"2h\"; };", "f:1: daemon: "
	  "\"shutdown_grace\" is 2h, but must be from 0 to 1h" },
	{ "log = { level = \"loud\"; };", "f:1: log: \"level\" is \"loud\", "
	  "but must be \"error\", \"warning\", \"info\" or \"debug\"" },
	{ "control = { socket = \"s\"; };", "f:1: control: \"socket\" is "
	  "\"s\", but must be a string with an absolute path" },
	{ "control = { socket = \"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaa\"; };", "f:1: control: \"socket\": the path is too "
	  "long" },
	{ "control = { viewers = \"root\"; };", "f:1: control: \"viewers\" "
	  "must be a list of strings" },
	{ "control = { viewers = [ \"no-such-user-here\" ]; };", "f:1: "
	  "control: \"viewers\": there is no user \"no-such-user-here\"" },
	{ "control = { viewers = [ \"@no-such-group-here\" ]; };", "f:1: "
	  "control: \"viewers\": there is no group \"@no-such-group-here\"" },
	{ "control = { viewers = [ 3 ]; };", "f:1: control: \"viewers\": item "
	  "1 must be a string" },
	{ JOB("allow_no_flush = \"yes\";"), "f:6: job \"j\": "
	  "\"allow_no_flush\" must be true or false" },
	{ JOB("request_size = \"1000\";"), "f:6: job \"j\": \"request_size\" "
	  "must be a multiple of 512 bytes" },
	{ JOB("request_size = 65536;"), "f:6: job \"j\": \"request_size\" "
	  "must be a string with a unit" },
	{ JOB("ranges = ( { from = \"1MiB\"; } );"), "f:6: job \"j\": range "
	  "1: \"to\" is missing" },
	{ JOB("ranges = ( { to = \"0\"; length = \"0\"; } );"), "f:6: job "
	  "\"j\": range 1: the length is 0" },
	{ JOB("ranges = ( { to = \"16383P\"; length = \"2P\"; } );"),
	  "f:6: job \"j\": range 1: the end is too large" },
	{ JOB("pre = [ \"true\" ];"), "f:6: job \"j\": \"pre\" must be a "
	  "list of strings, the first of them an absolute path" },
	{ JOB("pre = ( [ \"/bin/true\" ], \"/bin/true\" );"), "f:6: job "
	  "\"j\": \"pre\" must be a list of strings" },
	{ JOB("pre = ( [ \"/bin/true\" ], [ ] );"), "f:6: job \"j\": "
	  "\"pre\" must be a list of strings" },
	{ JOB("ranges = \"all\";"), "f:6: job \"j\": \"ranges\" must be a "
	  "list" },
	/* endpoints */
	{ "endpoints = ( { name = \"a\"; } );", "f:1: endpoint \"a\": must "
	  "have one of \"uri\", \"command\" and \"path\", but has none" },
	{ "endpoints = ( { name = \"a\"; path = \"/x\"; uri = \"nbd://h\"; }"
	  " );", "f:1: endpoint \"a\": must have one of \"uri\", \"command\" "
	  "and \"path\", but has more" },
	{ "endpoints = ( { name = \"a\"; uri = \"nbd://h\"; } );", "f:1: "
	    "endpoint \"a\": what goes to another machine without TLS can be "
	    "read and changed on its way; use nbds, or say allow_plaintext = "
	    "true" },
	{ "endpoints = ( { name = \"a\"; uri = \"nbd://127.evil.example\"; } "
	    ");", "f:1: endpoint \"a\": what goes to another machine without "
	    "TLS can be read and changed on its way; use nbds, or say "
	    "allow_plaintext = true" },
	{ "endpoints = ( { name = \"a\";\n"
	    "uri = \"nbds://u@h?tls-psk-file=/k\"; } );", "f:2: endpoint "
	    "\"a\": keys and certificates belong into a TLS set, and \"tls\" "
	    "names it; not into the URI" },
	{ "endpoints = ( { name = \"a\";\n"
	    "uri = \"nbds://h?tls-certificates=/k\"; } );", "f:2: endpoint "
	    "\"a\": keys and certificates belong into a TLS set, and \"tls\" "
	    "names it; not into the URI" },
	{ "endpoints = ( { name = \"a\"; uri = \"nbds://u:p@h\"; } );",
	    "f:1: endpoint \"a\": bad NBD URI 'nbds://u:...@h': the user name "
	    "is empty, or has a ':' in it" },
	{ "tls = ( { name = \"a\"; min_version = \"1.1\"; } );", "f:1: tls "
	    "\"a\": \"min_version\" is \"1.1\", but must be \"1.2\" or "
	    "\"1.3\"" },
	{ "log = ( { type = \"file\"; } );", "f:1: log 1: \"path\" is "
	    "missing: which file?" },
	{ "log = { path = \"/x\"; };", "f:1: log: \"path\" is of use with "
	    "another \"type\" only" },
	{ "jobs = ( { name = \"a\"; source = \"x\"; destination = \"y\";\n"
	    "rate_table = [ \"06:00 1MB/s\", \"24:00 0\" ]; } );\nendpoints "
	    "= ( { name = \"x\"; uri = \"null:\"; },\n{ name = \"y\"; "
	    "uri = \"null:\"; } );", "f:2: job \"a\": \"rate_table\": item 2 "
	    "is \"24:00 0\", but must be a time and a rate, such as \"06:00 "
	    "50MB/s\"" },
	{ "log = ( );", "f:1: \"log\" is an empty list" },
	{ "jobs = ( { name = \"a\"; source = \"x\"; destination = \"y\";\n"
	    "rpo_warn = \"2h\"; rpo_crit = \"1h\"; } );\nendpoints = ( "
	    "{ name = \"x\"; uri = \"null:\"; },\n{ name = \"y\"; "
	    "uri = \"null:\"; } );", "f:2: job \"a\": \"rpo_crit\" must be "
	    "longer than \"rpo_warn\"" },
	{ "endpoints = ( { name = \"a\"; uri = \"nbd://a b/\"; } );",
	  "f:1: endpoint \"a\": " },
	{ "endpoints = ( { name = \"a\"; uri = \"/dev/vda\"; } );",
	  "f:1: endpoint \"a\": \"uri\" is \"/dev/vda\", which is no NBD "
	  "URI" },
	{ "endpoints = ( { name = \"a\"; command = [ ]; } );",
	  "f:1: endpoint \"a\": \"command\" must be a list of strings" },
	{ "endpoints = ( { name = \"a\"; path = \"x\"; } );",
	  "f:1: endpoint \"a\": \"path\" is \"x\", but must be a string with "
	  "an absolute path" },
	{ ENDPOINTS
	  "jobs = ( { name = \"j\"; source = \"a\"; destination = \"a\"; } );",
	  "f:5: job \"j\": source and destination are the same endpoint "
	  "\"a\"" },
	/* said once, wherever it stands */
	{ "endpoints = ( { name = \"a\";\npath = \"x\"; } );",
	  "f:2: endpoint \"a\": \"path\" is \"x\", but must be" },
	{ ENDPOINTS "jobs = ( { name = \"j\"; source = \"a\";\n"
	  "destination = \"b c\"; } );", "f:6: job \"j\": \"destination\" is "
	  "\"b c\", but must be a name" },
	{ "tls = ( { name = \"t\"; cert = 3; key = \"/k\"; } );", "f:1: tls "
	  "\"t\": \"cert\" must be a string with an absolute path" },
	/* what a terminal must not see */
	{ "log = { level = \"\\x1b[31m\"; };", "f:1: log: \"level\" is "
	  "\"\\x1B[31m\", but" },
};

START_TEST(mistake_is_named_with_its_line)
{
	conf_text_bad(mistakes[_i].text, mistakes[_i].problem);
}
END_TEST

START_TEST(file_that_cannot_be_read_is_a_problem)
{
	struct conf *conf = NULL;
	struct conf_problems problems;

	conf_problems_init(&problems, "/nonexistent/x");
	ck_assert_int_eq(conf_load("/nonexistent/x", &conf, &problems),
	    -EINVAL);
	ck_assert_uint_eq(problems.n, 1);
	ck_assert_str_eq(problems.v[0].text,
	    "/nonexistent/x: cannot be read: No such file or directory");
	conf_problems_done(&problems);

	conf_problems_init(&problems, "/");
	ck_assert_int_eq(conf_load("/", &conf, &problems), -EINVAL);
	ck_assert_str_eq(problems.v[0].text, "/: is not a regular file");
	conf_problems_done(&problems);
}
END_TEST

/* Empty lines, so that nothing but the size is wrong. */
static int
load_of_size(size_t size, struct conf_problems *problems)
{
	char *text = malloc(size);
	struct conf *conf = NULL;
	int r;

	ck_assert_ptr_nonnull(text);
	memset(text, '\n', size);
	r = conf_text_load(text, size, &conf, problems);
	conf_free(conf);
	free(text);
	return r;
}

START_TEST(file_of_one_mebibyte_is_read_and_a_larger_one_is_not)
{
	struct conf_problems problems;

	ck_assert_int_eq(load_of_size(CONF_FILE_MAX, &problems), 0);
	ck_assert_int_eq(load_of_size(CONF_FILE_MAX + 1, &problems), -EINVAL);
	ck_assert_str_eq(problems.v[0].text, "f: is larger than 1 MiB");
	conf_problems_done(&problems);
}
END_TEST

START_TEST(job_is_the_same_until_it_or_its_endpoint_changes)
{
	struct conf *a = conf_text_good(JOB(""));
	struct conf *b = conf_text_good("log = { level = \"debug\"; };\n"
	    JOB("connections = 0;"));
	struct conf *c = conf_text_good(JOB("connections = 1;"));
	struct conf *d = conf_text_good(JOB("ranges = ( { to = \"0\"; } );"));
	struct conf *e = conf_text_good(
	    "endpoints = ( { name = \"a\"; uri = \"nbds://other\"; },\n"
	    " { name = \"b\"; path = \"/dev/null\"; } );\n"
	    "jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; }"
	    " );\n");

	ck_assert(conf_job_is_same(a, b, "j"));
	ck_assert(!conf_job_is_same(a, c, "j"));
	ck_assert(!conf_job_is_same(a, d, "j"));
	ck_assert(!conf_job_is_same(a, e, "j"));
	conf_free(a);
	conf_free(b);
	conf_free(c);
	conf_free(d);
	conf_free(e);
}
END_TEST

START_TEST(names_are_letters_digits_and_a_few_marks)
{
	char longest[CONF_NAME_SIZE + 1];

	memset(longest, 'a', sizeof longest);
	longest[CONF_NAME_SIZE] = '\0';
	ck_assert(!conf_name_is_valid(longest));
	longest[CONF_NAME_SIZE - 1] = '\0';
	ck_assert(conf_name_is_valid(longest));
	ck_assert(conf_name_is_valid("vm-1.disk_0"));
	ck_assert(conf_name_is_valid("0"));
	ck_assert(!conf_name_is_valid(""));
	ck_assert(!conf_name_is_valid("-a"));
	ck_assert(!conf_name_is_valid(".."));
	ck_assert(!conf_name_is_valid("a/b"));
	ck_assert(!conf_name_is_valid("a b"));
	ck_assert(!conf_name_is_valid("\xc3\xa4"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/conf/conf");
	TCase *good = tcase_create("good");
	TCase *bad = tcase_create("bad");

	tcase_add_test(good, empty_file_is_a_configuration_of_defaults);
	tcase_add_test(good, job_with_nothing_optional_has_the_defaults);
	tcase_add_test(good, every_option_is_read);
	tcase_add_test(good, endpoints_of_all_kinds_get_their_spec);
	tcase_add_test(good, names_that_begin_with_x_are_for_others);
	tcase_add_test(good, job_is_the_same_until_it_or_its_endpoint_changes);
	tcase_add_test(good, names_are_letters_digits_and_a_few_marks);
	suite_add_tcase(s, good);
	tcase_add_test(bad, five_errors_are_five_lines_in_the_files_order);
	tcase_add_test(bad, mistake_is_told_of_the_place_where_it_was_made);
	tcase_add_test(bad, no_more_than_fifty_problems_are_kept);
	tcase_add_loop_test(bad, mistake_is_named_with_its_line, 0,
	    (int)(sizeof mistakes / sizeof mistakes[0]));
	tcase_add_test(bad, file_that_cannot_be_read_is_a_problem);
	tcase_add_test(bad,
	    file_of_one_mebibyte_is_read_and_a_larger_one_is_not);
	suite_add_tcase(s, bad);
	return unit_main(s);
}
