/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages for people.  A line goes out with one write, so that the words of
 * a child server cannot come between.
 */
#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/bar.h"
#include "cli/exit-codes.h"
#include "cli/output.h"
#include "cli/terminal.h"

#define MESSAGE_SIZE 2048

static void
print_line(const struct command *command, const char *fmt, va_list ap)
    PRINTF(2, 0);

static void
print_line(const struct command *command, const char *fmt, va_list ap)
{
	char text[MESSAGE_SIZE];

	(void)vsnprintf(text, sizeof text, fmt, ap);
	output_make_printable(text);
	if (!terminal_wait(STDERR_FILENO))
		return;
	bar_make_way();
	if (command == NULL)
		(void)fprintf(stderr, "nbdsync: %s\n", text);
	else
		(void)fprintf(stderr, "nbdsync: %s: %s\n", command->name, text);
	(void)fflush(stderr);
}

void
message(const struct command *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(command, fmt, ap);
	va_end(ap);
}

static void
print_pointer(const struct command *command)
{
	if (command == NULL)
		(void)fputs("Try 'nbdsync --help'.\n", stderr);
	else
		(void)fprintf(stderr, "Try 'nbdsync %s --help'.\n",
		    command->name);
}

int
message_usage(const struct command *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(command, fmt, ap);
	va_end(ap);
	print_pointer(command);
	return CLI_USAGE;
}
