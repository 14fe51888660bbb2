/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsyncd: the command line.
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "conf/schema.h"
#include "daemon.h"

#define DEFAULT_CONF SYSCONFDIR "/nbdsync/nbdsync.conf"

static const char usage[] =
"Usage: nbdsyncd [--config FILE]\n"
"       nbdsyncd --check FILE [--strict] [--show JOB]\n"
"Copies block devices over NBD, as a configuration file says.\n"
"\n"
"  -c, --config FILE  read FILE instead of\n"
"                     " DEFAULT_CONF "\n"
"      --check FILE   say what is wrong with FILE, and do nothing else\n"
"      --show JOB     with --check: show all values of JOB and their origin\n"
"      --strict       with --check: also say what is unused, without effect,\n"
"                     or a risk\n"
"      --schema       print all options of the file as JSON\n"
"      --help         show this text\n"
"      --version      show the version\n"
"\n"
"It stays in the foreground and logs to standard error.  SIGHUP re-reads the\n"
"configuration; SIGTERM cancels all runs and ends it.\n"
"Exit status: 0 fine, 1 failed, 2 bad usage, 3 gave up runs, 78 bad conf.\n"
"See nbdsyncd(8), nbdsync.conf(5) and nbdsync(1).\n";

enum {
	OPT_CHECK = 256,
	OPT_SHOW,
	OPT_STRICT,
	OPT_SCHEMA,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", required_argument, NULL, OPT_CHECK },
	{ "show", required_argument, NULL, OPT_SHOW },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "schema", no_argument, NULL, OPT_SCHEMA },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static enum daemon_exit
show(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) < 0 || ferror(stdout))
		return DAEMON_EXIT_FAILURE;
	return DAEMON_EXIT_OK;
}

static enum daemon_exit
show_schema(void)
{
	conf_print_schema(stdout);
	return show("");
}

int
main(int argc, char **argv)
{
	const char *conf_path = DEFAULT_CONF;
	const char *checked = NULL;
	const char *shown_job = NULL;
	bool is_strict = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:", long_options,
	    NULL)) != -1) {
		switch (option) {
		case 'c':
			conf_path = optarg;
			break;
		case OPT_CHECK:
			checked = optarg;
			break;
		case OPT_SHOW:
			shown_job = optarg;
			break;
		case OPT_STRICT:
			is_strict = true;
			break;
		case OPT_SCHEMA:
			return (int)show_schema();
		case OPT_HELP:
			return (int)show(usage);
		case OPT_VERSION:
			return (int)show("nbdsyncd " PACKAGE_VERSION "\n");
		default:
			(void)fputs("Try 'nbdsyncd --help'.\n", stderr);
			return DAEMON_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "nbdsyncd: unexpected argument '%s'\n"
		    "Try 'nbdsyncd --help'.\n", argv[optind]);
		return DAEMON_EXIT_USAGE;
	}
	if (checked != NULL)
		return (int)daemon_check_conf(checked, shown_job,
		    is_strict);
	if (shown_job != NULL || is_strict) {
		(void)fprintf(stderr, "nbdsyncd: %s needs --check\n"
		    "Try 'nbdsyncd --help'.\n",
		    is_strict ? "--strict" : "--show");
		return DAEMON_EXIT_USAGE;
	}
	return (int)daemon_run(conf_path);
}
