/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdint.h>
#include <time.h>

struct command;

/*
 * The options of a command, as a table from which both the parser and the
 * help are made.
 */
struct option_row {
	const char *name;		/* without the dashes; NULL ends */
	int id;				/* positive; a letter is the short
					   option, too */
	const char *value;		/* what the help calls the value;
					   NULL: none; "[X]": optional */
	const char *help;
};

#define OPTIONS_MAX 64			/* rows of one command */

/* The ids of what several commands have; others follow OPTION_OWN. */
enum {
	OPTION_HELP = 'h',
	OPTION_QUIET = 'q',
	OPTION_JSON = 256,
	OPTION_SOCKET,
	OPTION_WAIT,
	OPTION_TIMEOUT,
	OPTION_OWN,
};

enum {
	OPTIONS_END = 0,
	OPTIONS_STOP = -1,
};

/* One pass over the arguments of a command. */
struct options {
	const struct command *command;
	int argc;
	char **argv;
	int exit_code;			/* after OPTIONS_STOP */
};

/*
 * argv[0] is the command's name; argv is reordered.  One pass at a time: it
 * is getopt_long(3) inside.
 */
void options_init(struct options *o, const struct command *command, int argc,
    char **argv);

/*
 * The id of the next option, its value in *ret_value (NULL: none).
 * OPTIONS_END: all are read, the number of operands is right, and o->argc and
 * o->argv are the operands.  OPTIONS_STOP: the command is to end with
 * o->exit_code; help was shown, or a usage error told.
 */
int options_next(struct options *o, const char **ret_value);

/* Tell a usage error and stop: returns OPTIONS_STOP. */
int options_fail(struct options *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The value of --name as a whole number from 1 to max.  0; OPTIONS_STOP: a
 * usage error was told.
 */
int options_number(struct options *o, const char *name, const char *value,
    unsigned max, unsigned *ret_number);

/*
 * The same for a time that has passed: how long ago, as "2h", or a time here,
 * as "2026-11-23" or "2026-11-23 06:00".
 */
int options_past(struct options *o, const char *name, const char *value,
    time_t *ret_at);

/* The same for a time above 0, in milliseconds. */
int options_time(struct options *o, const char *name, const char *value,
    uint64_t *ret_ms);

#endif
