/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations of templates, TLS sets and several files; who may write to
 * them; and files that are cut and mutated.
 */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf-text.h"
#include "conf/show.h"
#include "endpoint/spec.h"
#include "manual.h"
#include "unit.h"

#define ENDPOINTS \
	"endpoints = ( { name = \"a\"; path = \"/a\"; },\n" \
	" { name = \"b\"; path = \"/b\"; } );\n"

const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the string it was in the middle of. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
}

static char dir[] = "/tmp/test-conf-XXXXXX";
static char path[64];

static void
make_dir(void)
{
	char sub[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(sub, sizeof sub, "%s/d", dir);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
}

static void
remove_dir(void)
{
	char command[64];

	(void)snprintf(command, sizeof command, "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
	memcpy(strchr(dir, '-') + 6, "XXXXXX", 6);
}

/* Write a file below dir. */
static const char *
put(const char *name, mode_t mode, const char *text)
{
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

/* The main file, which includes the directory d. */
static const char *
put_main(const char *text)
{
	char whole[4096];

	(void)snprintf(whole, sizeof whole, "include_dir = \"%s/d\";\n%s", dir,
	    text);
	return put("main", 0600, whole);
}

static struct conf *
load_good(const char *file)
{
	struct conf_problems problems;
	struct conf *conf = NULL;
	int r;

	conf_problems_init(&problems, "f");
	r = conf_load(file, &conf, &problems);
	ck_assert_msg(r == 0, "%s", problems.n > 0 ? problems.v[0].text :
	    strerror(-r));
	conf_problems_done(&problems);
	return conf;
}

/* The nth problem; in it, DIR stands for our directory. */
static void
load_bad(const char *file, const char *const *wanted, size_t n)
{
	struct conf_problems problems;
	struct conf *conf = NULL;
	char text[CONF_TEXT_SIZE];

	conf_problems_init(&problems, "f");
	ck_assert_int_eq(conf_load(file, &conf, &problems), -EINVAL);
	ck_assert_ptr_null(conf);
	for (size_t i = 0; i < n && i < problems.n; i++) {
		const char *got = conf_text_without_column(
		    problems.v[i].text, text);

		if (strncmp(got, dir, strlen(dir)) == 0)
			got += strlen(dir);
		ck_assert_msg(strncmp(got, wanted[i], strlen(wanted[i])) == 0,
		    "got:    %s\nwanted: %s", got, wanted[i]);
	}
	ck_assert_uint_eq(problems.n, n);
	ck_assert_str_eq(problems.file, "f");
	conf_problems_done(&problems);
}

static void
load_bad_one(const char *file, const char *wanted)
{
	load_bad(file, &wanted, 1);
}

/* Templates */

static const char family[] = ENDPOINTS
    "templates = (\n"
    " { name = \"child\"; inherit = \"parent\"; queue_depth = 2;\n"
    "   destination = \"b\"; },\n"
    " { name = \"parent\"; queue_depth = 1; connections = 3;\n"
    "   io_timeout = \"5s\"; ranges = ( { to = \"0\"; } ); },\n"
    " { name = \"default\"; connections = 7; source = \"a\"; } );\n"
    "jobs = ( { name = \"j\"; template = \"child\"; source = \"a\";\n"
    "   io_timeout = \"6s\";\n"
    "   ranges = ( { to = \"1M\"; }, { from = \"2M\"; to = \"3M\"; } ); },\n"
    " { name = \"k\"; destination = \"b\"; } );\n";

START_TEST(job_takes_what_its_templates_say_the_nearest_first)
{
	struct conf *conf = conf_text_good(family);
	const struct conf_job *job = conf_find_job(conf, "j");

	ck_assert_uint_eq(job->connections, 3);
	ck_assert_uint_eq(job->queue_depth, 2);
	ck_assert_uint_eq(job->io_timeout_ms, 6000);
	ck_assert_uint_eq(job->connect_timeout_ms, RUN_CONNECT_TIMEOUT_MS);
	ck_assert_str_eq(job->destination, "b");
	ck_assert_uint_eq(job->ranges.n, 2);
	conf_free(conf);
}
END_TEST

START_TEST(template_called_default_is_that_of_jobs_that_name_none)
{
	struct conf *conf = conf_text_good(family);
	const struct conf_job *job = conf_find_job(conf, "k");

	ck_assert_uint_eq(job->connections, 7);
	ck_assert_str_eq(job->source, "a");
	conf_free(conf);
}
END_TEST

START_TEST(job_that_moves_to_a_template_is_the_same)
{
	struct conf *a = conf_text_good(ENDPOINTS "jobs = ( { name = \"j\";"
	    " source = \"a\"; destination = \"b\"; queue_depth = 2; } );");
	struct conf *b = conf_text_good(ENDPOINTS "templates = ("
	    "{ name = \"t\"; queue_depth = 2; source = \"a\"; } );"
	    "jobs = ( { name = \"j\"; template = \"t\";"
	    " destination = \"b\"; } );");

	ck_assert(conf_job_is_same(a, b, "j"));
	conf_free(a);
	conf_free(b);
}
END_TEST

START_TEST(show_tells_each_value_and_where_it_is_from)
{
	struct conf *conf = conf_text_good(family);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(conf_show_job(conf, "none", out), -ENOENT);
	ck_assert_int_eq(conf_show_job(conf, "j", out), 0);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text, "name = \"j\"  (f:9)\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nconnections = 3  (template \"parent\", f:6)\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nqueue_depth = 2  (template \"child\", f:4)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nio_timeout = \"6s\"  (f:10)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nranges = ( { to = \"1M\"; }, "
	    "{ from = \"2M\"; to = \"3M\"; } )  (f:11)\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nallow_no_flush = false  (default)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ndestinations = none  (default)"));
	free(text);
	conf_free(conf);
}
END_TEST

#define JOB_OF(template) ENDPOINTS "jobs = ( { name = \"j\"; source = \"a\";" \
	" destination = \"b\"; template = \"" template "\"; } );\n"

/* One problem each. */
static const struct {
	const char *text;
	const char *problem;
} mistakes[] = {
	{ "templates = ( { name = \"t\"; conections = 1; } );", "f:1: template "
	  "\"t\": unknown key \"conections\" (did you mean \"connections\"?)" },
	{ "templates = ( { name = \"t\"; template = \"t\"; } );",
	  "f:1: template \"t\": unknown key \"template\"" },
	{ "templates = ( { connections = 1; } );",
	  "f:1: template 1: \"name\" is missing" },
	{ "templates = ( 3 );", "f:1: template 1: must be a group" },
	{ "templates = ( { name = \"t\"; inherit = \"t\"; } );",
	  "f:1: template \"t\": it inherits from itself" },
	{ "templates = ( { name = \"t\"; inherit = \"old\"; },\n"
	  "{ name = \"odl\"; } );", "f:1: template \"t\": \"inherit\" names "
	  "template \"old\", which does not exist (did you mean \"odl\"?)" },
	{ "templates = ( { name = \"1\"; inherit = \"2\"; },"
	  "{ name = \"2\"; inherit = \"3\"; },"
	  "{ name = \"3\"; inherit = \"4\"; },"
	  "{ name = \"4\"; inherit = \"5\"; }, { name = \"5\"; } );",
	  "f:1: template \"1\": it inherits from more than 3 templates" },
	{ "templates = ( { name = \"t\"; },\n { name = \"t\"; } );",
	  "f:2: template \"t\": there is one of this name in line 1" },
	/* Said once, not again for each job of it. */
	{ "templates = ( { name = \"t\"; queue_depth = -1; } );\n"
	  JOB_OF("t"), "f:1: template \"t\": \"queue_depth\" is -1, but must" },
	{ JOB_OF("x"), "f:3: job \"j\": \"template\" names template \"x\", "
	  "which does not exist" },
	/* TLS */
	{ "tls = ( { name = \"t\"; crl = \"credential:../x\"; }"
	  " );", "f:1: tls \"t\": \"crl\" is \"credential:../x\", but must be "
	  "a string with an absolute path, or \"credential:NAME\"" },
	{ "tls = ( { name = \"t\"; key = \"/k\"; } );", "f:1: tls \"t\": "
	  "\"cert\" and \"key\" need each other" },
	{ "tls = ( { name = \"t\"; psk_file = \"/k\"; } );", "f:1: tls \"t\": "
	  "\"psk_file\" and \"psk_user\" need each other" },
	{ "tls = ( { name = \"t\"; psk_file = \"/k\"; psk_user = \"u\"; "
	  "ca = \"/ca\"; } );", "f:1: tls \"t\": certificates and a "
	  "pre-shared key exclude each other" },
	{ "tls = ( { name = \"t\"; },\n { name = \"t\"; } );",
	  "f:2: tls \"t\": there is one of this name in line 1" },
	{ "tls = ( { name = \"corp\"; } ); endpoints = ( { name = \"a\";\n"
	  "uri = \"nbds://h\"; tls = \"crop\"; } );", "f:2: endpoint \"a\": "
	  "\"tls\" names \"crop\", which does not exist (did you mean "
	  "\"corp\"?)" },
	{ "tls = ( { name = \"t\"; } ); endpoints = ( { name = \"a\";\n"
	  "uri = \"nbd://localhost\"; tls = \"t\"; } );", "f:2: endpoint "
	  "\"a\": \"tls\" is for URIs that begin with nbds" },
	{ "endpoints = ( { name = \"a\"; uri = \"nbds://u:secret@h\"; } );",
	  "f:1: endpoint \"a\": bad NBD URI 'nbds://u:...@h': the user "
	  "name is empty, or has a ':' in it" },
	/* Roles */
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; "
	  "role = \"target\"; } );",
	  "f:1: endpoint \"a\": \"role\" is \"target\", but must be "
	  "\"source\", \"destination\" or \"any\"" },
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; },\n"
	  "{ name = \"b\"; path = \"/b\"; role = \"source\"; } );\njobs = ( {\n"
	  " name = \"j\"; source = \"a\"; destination = \"b\"; } );",
	  "f:4: job \"j\": \"destination\" names endpoint \"b\", whose role is "
	  "\"source\"" },
	{ "endpoints = ( { name = \"b\"; path = \"/b\"; },\n"
	  "{ name = \"a\"; path = \"/a\"; role = \"destination\"; } );\n"
	  "jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; } );",
	  "f:3: job \"j\": \"source\" names endpoint \"a\", whose role is "
	  "\"destination\"" },
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; },\n"
	  "{ name = \"b\"; path = \"/b\"; } );\njobs = ( { name = \"j\"; "
	  "source = \"a\"; destination = \"b\"; trim = true; "
	  "mode = \"sync\"; } );",
	  "f:3: job \"j\": \"trim\" is for \"mode\" copy: the others look "
	  "at what the destination holds in holes" },
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; },\n"
	  "{ name = \"b\"; path = \"/b\"; } );\njobs = ( { name = \"j\"; "
	  "source = \"a\"; destination = \"b\"; trim = true; "
	  "digest = \"xxh3\"; } );",
	  "f:3: job \"j\": \"trim\" and \"digest\" exclude each other: a "
	  "digest is of what holes hold, too" },
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; },\n"
	  "{ name = \"b\"; path = \"/b\"; } );\njobs = ( { name = \"j\"; "
	  "source = \"a\"; destination = \"b\"; trim = true; "
	  "verify = \"after\"; } );",
	  "f:3: job \"j\": \"trim\" and \"verify\" exclude each other: what "
	  "holes hold would be read back, too" },
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; },\n"
	  "{ name = \"b\"; path = \"/b\"; } );\njobs = ( { name = \"j\"; "
	  "source = \"a\"; destination = \"b\"; trim = true; "
	  "allocated = true; } );",
	  "f:3: job \"j\": \"trim\" and \"allocated\" exclude each other" },
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; },\n"
	  "{ name = \"b\"; path = \"/b\"; } );\njobs = ( { name = \"j\"; "
	  "source = \"a\"; destination = \"b\"; fill = \"zeroes\"; } );",
	  "f:3: job \"j\": \"fill\" is for \"on_read_error\" skip: nothing "
	  "is left out otherwise" },
	{ "endpoints = ( { name = \"a\"; path = \"/a\"; },\n"
	  "{ name = \"b\"; path = \"/b\"; } );\njobs = ( { name = \"j\"; "
	  "source = \"a\"; destination = \"b\"; mode = \"verify\"; "
	  "on_read_error = \"skip\"; fill = \"zeroes\"; } );",
	  "f:3: job \"j\": \"fill\" is not for \"mode\" verify, which "
	  "writes nothing" },
	{ "config_version = 2;", "f:1: \"config_version\" is 2, but must be "
	  "from 1 to 1" },
	{ "include_dir = \"conf.d\";", "f:1: \"include_dir\" is \"conf.d\", "
	  "but must be a string with an absolute path" },
	{ "\ninclude_dir = \"/nonexistent/d\";", "f:2: \"include_dir\": "
	  "/nonexistent/d cannot be read: No such file or directory" },
	{ "include-dir = \"/x\";", "f:1: unknown group \"include-dir\" (did "
	  "you mean \"include_dir\"?)" },
};

START_TEST(mistake_is_named_with_its_line)
{
	conf_text_bad(mistakes[_i].text, mistakes[_i].problem);
}
END_TEST

START_TEST(cycle_of_two_templates_is_said_of_both)
{
	static const char *const wanted[] = {
		"f:2: template \"a\": it inherits from itself",
		"f:3: template \"b\": it inherits from itself",
	};

	load_bad(put_main("templates = ( { name = \"a\"; inherit = \"b\"; },\n"
	    "{ name = \"b\"; inherit = \"a\"; } );"), wanted, 2);
}
END_TEST

START_TEST(tls_set_comes_to_the_endpoint_with_its_files)
{
	struct conf *conf;
	const struct tls_settings *tls;

	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", "/run/creds", 1), 0);
	conf = conf_text_good("tls = ( { name = \"t\"; ca = \"/ca\"; "
	    "cert = \"/cert\"; key = \"credential:tls-key\"; "
	    "hostname = \"h\"; verify = false; } );\n"
	    "endpoints = ( { name = \"a\"; uri = \"nbds://x\"; tls = \"t\"; },"
	    " { name = \"b\"; uri = \"nbds://x\"; } );");
	tls = conf->endpoints[0].spec->tls;
	ck_assert_ptr_nonnull(tls);
	ck_assert_str_eq(tls->ca_file, "/ca");
	ck_assert_str_eq(tls->cert_file, "/cert");
	ck_assert_str_eq(tls->key_file, "/run/creds/tls-key");
	ck_assert_str_eq(tls->name, "h");
	ck_assert(tls->no_verify);
	ck_assert_ptr_null(tls->psk_file);
	ck_assert_ptr_null(conf->endpoints[1].spec->tls);
	conf_free(conf);
}
END_TEST

START_TEST(job_changes_with_the_tls_set_of_its_endpoint)
{
	static const char text[] = "tls = ( { name = \"t\"; ca = \"%s\"; } );"
	    "endpoints = ( { name = \"a\"; uri = \"nbds://x\"; tls = \"t\"; },"
	    " { name = \"n\"; uri = \"null:\"; } );"
	    "jobs = ( { name = \"j\"; source = \"a\"; destination = \"n\"; }"
	    " );";
	char x[512], y[512];
	struct conf *a, *b;

	(void)snprintf(x, sizeof x, text, "/1");
	(void)snprintf(y, sizeof y, text, "/2");
	a = conf_text_good(x);
	b = conf_text_good(y);
	ck_assert(conf_job_is_same(a, a, "j"));
	ck_assert(!conf_job_is_same(a, b, "j"));
	conf_free(a);
	conf_free(b);
}
END_TEST

/* Several files */

START_TEST(files_of_the_directory_are_read_in_order)
{
	struct conf *conf;

	put("d/20.conf", 0600, "jobs = ( { name = \"two\"; template = \"t\"; }"
	    " );");
	put("d/10.conf", 0600, "jobs = ( { name = \"one\"; template = \"t\"; }"
	    " );");
	put("d/.hidden.conf", 0600, "nonsense");
	put("d/30.conf.bak", 0600, "nonsense");
	put("d/40.conf", 0600, ENDPOINTS "templates = ( { name = \"t\"; "
	    "source = \"a\"; destination = \"b\"; } );");
	conf = load_good(put_main("jobs = ( { name = \"zero\"; source = \"a\";"
	    " destination = \"b\"; } );"));
	ck_assert_uint_eq(conf->n_files, 4);
	ck_assert_uint_eq(conf->n_jobs, 3);
	ck_assert_str_eq(conf->jobs[0].name, "zero");
	ck_assert_str_eq(conf->jobs[1].name, "one");
	ck_assert_str_eq(conf->jobs[2].name, "two");
	ck_assert_str_eq(conf->jobs[2].source, "a");
	conf_free(conf);
}
END_TEST

START_TEST(mistakes_of_all_files_are_named_with_file_and_line)
{
	static const char *const wanted[] = {
		"f:3: daemon: \"workers\" is 99",
		"/d/1.conf:2: \"log\" belongs into the main file",
		"/d/1.conf:3: job \"j\": unknown key \"conections\"",
		"/d/2.conf:1: job \"j\": there is one of this name in ",
		"/d/2.conf:1: job \"j\": \"source\" names endpoint \"x\"",
		"/d/2.conf:2: \"include_dir\" belongs into the main file",
	};

	put("d/1.conf", 0600, "\nlog = { level = \"debug\"; };\n"
	    "jobs = ( { name = \"j\"; source = \"a\"; destination = \"b\"; "
	    "conections = 1; } );\n");
	put("d/2.conf", 0600, "jobs = ( { name = \"j\"; source = \"x\"; "
	    "destination = \"b\"; } );\ninclude_dir = \"/etc\";");
	load_bad(put_main("\ndaemon = { workers = 99; };\n" ENDPOINTS), wanted,
	    6);
}
END_TEST

START_TEST(broken_file_is_named_without_complaints_of_what_it_lacks)
{
	static const char *const wanted[] = {
		"/d/1.conf:2: syntax error",
		"/d/2.conf:1: this comment is never closed",
	};

	put("d/1.conf", 0600, "endpoints = (\n } );\n");
	put("d/2.conf", 0600, "/* endpoints = ( ); ");
	load_bad(put_main("jobs = ( { name = \"j\"; source = \"a\";"
	    " destination = \"b\"; } );\n"), wanted, 2);
}
END_TEST

START_TEST(file_that_others_may_write_to_is_refused)
{
	static const mode_t modes[] = { 0602, 0666, 0777 };

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		load_bad_one(put("main", modes[i], ""), "f: can be written to "
		    "by everybody; only root");
	put("d/1.conf", 0606, "");
	load_bad_one(put_main(""), "/d/1.conf: can be written to by everybody");
}
END_TEST

START_TEST(directory_that_others_may_write_to_is_refused)
{
	char sub[64];

	(void)snprintf(sub, sizeof sub, "%s/d", dir);
	ck_assert_int_eq(chmod(sub, 0777), 0);
	load_bad_one(put_main(""), "f:1: \"include_dir\": /tmp/test-conf-");
}
END_TEST

START_TEST(file_of_another_user_is_refused)
{
	const char *file = put("main", 0600, "");

	if (geteuid() != 0 || chown(file, 12345, 0) < 0)
		return;
	load_bad_one(file, "f: belongs to another user; only root");
}
END_TEST

START_TEST(secret_that_everybody_can_read_is_refused)
{
	static const char text[] = "tls = ( { name = \"t\"; cert = \"/c\"; "
	    "key = \"/k\"; key_password = \"x\"; } );";

	conf_free(load_good(put("main", 0640, text)));
	load_bad_one(put("main", 0644, text), "f:1: \"key_password\" is a "
	    "secret, but everybody can read this file");
}
END_TEST

START_TEST(more_files_than_fit_are_refused)
{
	char name[32];

	for (int i = 0; i <= CONF_FILES_MAX; i++) {
		(void)snprintf(name, sizeof name, "d/%d.conf", i);
		put(name, 0600, "");
	}
	load_bad_one(put_main(""), "f:1: \"include_dir\": /tmp/test-conf-");
}
END_TEST

/* The example of the manual, with all of its settings. */
static char *
whole_example(void)
{
	char *text = manual_read("conf/nbdsync.conf");

	for (char *at = text; *at != '\0'; at++) {
		bool is_first = at == text || at[-1] == '\n' ||
		    at[-1] == '\t';
		bool is_prose = at[1] == '\n' ||
		    (at[1] == ' ' && at[2] != ' ');

		if (is_first && *at == '#' && !is_prose)
			*at = ' ';
	}
	/* There may be such a directory, and others may fill it. */
	memcpy(strstr(text, "include_dir"), "x-clude_dir", 11);
	return text;
}

/* Good or bad: never anything else. */
static bool
is_good(const char *text, size_t len)
{
	struct conf_problems problems;
	struct conf *conf = NULL;
	int r = conf_text_load(text, len, &conf, &problems);

	ck_assert((r == 0 && conf != NULL && problems.n == 0) ||
	    (r == -EINVAL && conf == NULL && problems.n > 0));
	conf_problems_done(&problems);
	conf_free(conf);
	return r == 0;
}

START_TEST(file_cut_anywhere_is_good_or_told_what_is_wrong)
{
	char *text = whole_example();
	size_t len = strlen(text);
	size_t n_bad = 0;

	ck_assert(is_good(text, len));
	for (size_t cut = 0; cut < len; cut++)
		n_bad += !is_good(text, cut);
	ck_assert_uint_gt(n_bad, len / 2);
	free(text);
}
END_TEST

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Replace, remove, double, or swap a few bytes. */
static size_t
mutate(char *text, size_t len, uint32_t *state)
{
	static const char bytes[] = "{}()[]\";:=,#/*\\ \n\t0x9Lae-.@\0\x80";
	unsigned n = 1 + next_random(state) % 4;

	while (n-- > 0) {
		size_t at = next_random(state) % (len - 40);
		size_t size = 1 + next_random(state) % 30;

		switch (next_random(state) % 4) {
		case 0:
			text[at] = bytes[next_random(state) %
			    (sizeof bytes - 1)];
			break;
		case 1:
			memmove(text + at, text + at + size, len - at - size);
			len -= size;
			break;
		case 2:
			memmove(text + at, text + next_random(state) %
			    (len - 40), size);
			break;
		default:
			text[at] = (char)next_random(state);
			break;
		}
	}
	return len;
}

START_TEST(mutated_file_is_good_or_told_what_is_wrong)
{
	char *text = whole_example();
	size_t len = strlen(text);
	char *mutant = malloc(len + 1);
	uint32_t state = 1 + (uint32_t)_i;
	size_t n_bad = 0;

	ck_assert_ptr_nonnull(mutant);
	for (int i = 0; i < 1000; i++) {
		memcpy(mutant, text, len + 1);
		n_bad += !is_good(mutant, mutate(mutant, len, &state));
	}
	ck_assert_uint_gt(n_bad, 100);
	free(mutant);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/conf/files");
	TCase *tc = tcase_create("templates");

	tcase_add_test(tc, job_takes_what_its_templates_say_the_nearest_first);
	tcase_add_test(tc,
	    template_called_default_is_that_of_jobs_that_name_none);
	tcase_add_test(tc, job_that_moves_to_a_template_is_the_same);
	tcase_add_test(tc, show_tells_each_value_and_where_it_is_from);
	tcase_add_loop_test(tc, mistake_is_named_with_its_line, 0,
	    (int)(sizeof mistakes / sizeof mistakes[0]));
	tcase_add_test(tc, tls_set_comes_to_the_endpoint_with_its_files);
	tcase_add_test(tc, job_changes_with_the_tls_set_of_its_endpoint);
	suite_add_tcase(s, tc);
	tc = tcase_create("files");
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, cycle_of_two_templates_is_said_of_both);
	tcase_add_test(tc, files_of_the_directory_are_read_in_order);
	tcase_add_test(tc, mistakes_of_all_files_are_named_with_file_and_line);
	tcase_add_test(tc,
	    broken_file_is_named_without_complaints_of_what_it_lacks);
	tcase_add_test(tc, file_that_others_may_write_to_is_refused);
	tcase_add_test(tc, directory_that_others_may_write_to_is_refused);
	tcase_add_test(tc, file_of_another_user_is_refused);
	tcase_add_test(tc, secret_that_everybody_can_read_is_refused);
	tcase_add_test(tc, more_files_than_fit_are_refused);
	suite_add_tcase(s, tc);
	tc = tcase_create("broken");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, file_cut_anywhere_is_good_or_told_what_is_wrong);
	tcase_add_loop_test(tc, mutated_file_is_good_or_told_what_is_wrong, 0,
	    10);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
