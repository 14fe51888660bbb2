/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "base/annotate.h"
#include "cli/commands.h"

/*
 * What `nbdsync` says on standard error: one line each, beginning with
 * "nbdsync: COMMAND: ".  Control characters are printed as '?'.
 */

/* command NULL: it is about no command. */
void message(const struct command *command, const char *fmt, ...) PRINTF(2, 3);

/* The same, and a pointer to the help.  Returns CLI_USAGE. */
int message_usage(const struct command *command, const char *fmt, ...)
    PRINTF(2, 3);

#endif
