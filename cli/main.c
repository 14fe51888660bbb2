/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync: looks its command up in the table and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/help.h"
#include "cli/message.h"
#include "cli/output.h"

/*
 * A socket must not become descriptor 1 because the caller had closed that:
 * what is printed would go to a server.  Opened for reading, so that printing
 * fails as it did before.
 */
static void
occupy_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

static bool
is_either(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int
run_command(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return message_usage(NULL, "a command is missing");
	if (is_either(argv[1], "--help", "-h")) {
		help_print_all();
		return CLI_OK;
	}
	if (is_either(argv[1], "--version", "-V")) {
		(void)puts("nbdsync " PACKAGE_VERSION);
		return CLI_OK;
	}
	if (argv[1][0] == '-')
		return message_usage(NULL, "there is no option '%s'", argv[1]);
	command = commands_find(argv[1]);
	if (command == NULL)
		return help_unknown_command(NULL, argv[1]);
	return command->run(command, argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
	occupy_standard_descriptors();
	(void)setlocale(LC_CTYPE, "");
	/* A reader that went away is an error of writing, told as one. */
	(void)signal(SIGPIPE, SIG_IGN);
	return output_close(run_command(argc, argv));
}
