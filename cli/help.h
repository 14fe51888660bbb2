/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/commands.h"

/* On standard output, made from the tables. */
void help_print_all(void);
void help_print_command(const struct command *command);

/* Tell that there is no such command.  Returns CLI_USAGE. */
int help_unknown_command(const struct command *context, const char *name);

#endif
