/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/options.h"

/*
 * The commands of `nbdsync`: one row each.  The row makes the help, the
 * parsing of options and the check of the number of operands.
 */
struct command {
	const char *name;
	const char *synopsis;		/* what follows the name */
	const char *summary;		/* one line */
	const char *description;	/* paragraphs, for --help */
	const struct option_row *options;
	int min_operands;
	int max_operands;
	/* argv[0] is the command's name.  Returns an exit code. */
	int (*run)(const struct command *command, int argc, char **argv);
};

/* All commands, ended by a row without a name. */
extern const struct command commands[];

/* Also by another name of it.  NULL: there is none. */
const struct command *commands_find(const char *name);

/* The command that name is a slip of the finger for; NULL: none is near. */
const struct command *commands_find_nearest(const char *name);

/* The same among the options of a command; NULL: none is near. */
const char *commands_find_nearest_option(const struct command *command,
    const char *name);

/* The functions of the rows, one file each. */
int command_copy(const struct command *command, int argc, char **argv);
int command_compare(const struct command *command, int argc, char **argv);
int command_mirror(const struct command *command, int argc, char **argv);
int command_list(const struct command *command, int argc, char **argv);
int command_info(const struct command *command, int argc, char **argv);
int command_status(const struct command *command, int argc, char **argv);
int command_start(const struct command *command, int argc, char **argv);
int command_verify(const struct command *command, int argc, char **argv);
int command_reload(const struct command *command, int argc, char **argv);
int command_cancel(const struct command *command, int argc, char **argv);
int command_wait(const struct command *command, int argc, char **argv);
int command_pause(const struct command *command, int argc, char **argv);
int command_rate(const struct command *command, int argc, char **argv);
int command_limits(const struct command *command, int argc, char **argv);
int command_loglevel(const struct command *command, int argc, char **argv);
int command_resume(const struct command *command, int argc, char **argv);
int command_events(const struct command *command, int argc, char **argv);
int command_map(const struct command *command, int argc, char **argv);
int command_check(const struct command *command, int argc, char **argv);
int command_completion(const struct command *command, int argc, char **argv);
int command_history(const struct command *command, int argc, char **argv);
int command_log(const struct command *command, int argc, char **argv);
int command_endpoints(const struct command *command, int argc, char **argv);
int command_probe(const struct command *command, int argc, char **argv);
int command_checkpoint(const struct command *command, int argc, char **argv);
int command_report(const struct command *command, int argc, char **argv);
int command_diff(const struct command *command, int argc, char **argv);
int command_reset(const struct command *command, int argc, char **argv);
int command_configcheck(const struct command *command, int argc, char **argv);
int command_help(const struct command *command, int argc, char **argv);

extern const struct option_row options_copy[];
extern const struct option_row options_compare[];
extern const struct option_row options_mirror[];
extern const struct option_row options_list[];
extern const struct option_row options_info[];
extern const struct option_row options_status[];
extern const struct option_row options_start[];
extern const struct option_row options_verify[];
extern const struct option_row options_reload[];
extern const struct option_row options_cancel[];
extern const struct option_row options_wait[];
extern const struct option_row options_pause[];
extern const struct option_row options_rate[];
extern const struct option_row options_limits[];
extern const struct option_row options_loglevel[];
extern const struct option_row options_resume[];
extern const struct option_row options_events[];
extern const struct option_row options_map[];
extern const struct option_row options_check[];
extern const struct option_row options_completion[];
extern const struct option_row options_history[];
extern const struct option_row options_log[];
extern const struct option_row options_endpoints[];
extern const struct option_row options_probe[];
extern const struct option_row options_checkpoint[];
extern const struct option_row options_report[];
extern const struct option_row options_diff[];
extern const struct option_row options_reset[];
extern const struct option_row options_configcheck[];
extern const struct option_row options_help[];

#endif
