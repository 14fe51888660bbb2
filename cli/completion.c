/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync completion bash: what a shell needs to complete commands and
 * options, from the same table as all the rest; names of jobs it asks the
 * daemon for.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"

const struct option_row options_completion[] = {
	{ "json", OPTION_JSON, NULL, "print the script as a JSON string" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static const char head[] =
    "# bash completion for nbdsync: eval \"$(nbdsync completion bash)\"\n"
    "_nbdsync()\n"
    "{\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words= jobs=\n"
    "\tCOMPREPLY=()\n"
    "\tcase $COMP_CWORD:${COMP_WORDS[1]} in\n";

static const char tail[] =
    "\tesac\n"
    "\tif [ -n \"$jobs\" ] && [ \"${cur#-}\" = \"$cur\" ]; then\n"
    "\t\twords=$(nbdsync status 2>/dev/null | awk 'NR > 1 { print $1 }')\n"
    "\tfi\n"
    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "}\n"
    "complete -o default -F _nbdsync nbdsync\n";

static void
print_case(FILE *f, const struct command *c)
{
	const struct option_row *row;

	(void)fprintf(f, "\t*:%s) words='", c->name);
	for (row = c->options; row->name != NULL; row++)
		(void)fprintf(f, "%s--%s", row == c->options ? "" : " ",
		    row->name);
	(void)fprintf(f, "'%s ;;\n",
	    strstr(c->synopsis, "JOB") != NULL ? " jobs=1" : "");
}

static void
print_script(FILE *f)
{
	const struct command *c;

	(void)fputs(head, f);
	(void)fputs("\t1:*) words='", f);
	for (c = commands; c->name != NULL; c++)
		(void)fprintf(f, "%s%s", c == commands ? "" : " ", c->name);
	(void)fputs("' ;;\n", f);
	for (c = commands; c->name != NULL; c++)
		print_case(f, c);
	(void)fputs(tail, f);
}

int
command_completion(const struct command *command, int argc, char **argv)
{
	const char *value = NULL;
	bool as_json = false;
	struct options o;
	char *text = NULL;
	size_t len = 0;
	int exit_code;
	FILE *f;
	int id;

	options_init(&o, command, argc, argv);
	while ((id = options_next(&o, &value)) > OPTIONS_END)
		as_json = true;
	if (id == OPTIONS_STOP)
		return o.exit_code;
	if (strcmp(o.argv[0], "bash") != 0)
		return message_usage(command, "there is completion for bash "
		    "only, not for '%s'", o.argv[0]);
	if (!as_json) {
		print_script(stdout);
		return CLI_OK;
	}
	f = open_memstream(&text, &len);
	if (f == NULL) {
		message(command, "out of memory");
		return CLI_ERROR;
	}
	print_script(f);
	(void)fclose(f);
	exit_code = output_json(json_pack("{s:s}", "bash", text));
	free(text);
	return exit_code;
}
