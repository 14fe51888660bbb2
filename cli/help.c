/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Help, made from the tables of commands and options, so that it cannot
 * differ from what is accepted.
 */
#include "cli/help.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"

const struct option_row options_help[] = {
	{ "json", OPTION_JSON, NULL, "the commands and options as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

#define NAME_WIDTH 26

void
help_print_all(void)
{
	const struct command *c;

	(void)puts("Usage: nbdsync COMMAND [OPTIONS] ...\n"
		   "\n"
		   "Copies and mirrors block devices over NBD.\n"
		   "\n"
		   "Commands:");
	for (c = commands; c->name != NULL; c++)
		(void)printf("  %-12s %s\n", c->name, c->summary);
	(void)puts("\n"
		   "Options:\n"
		   "  -h, --help     show this help\n"
		   "  -V, --version  show the version\n"
		   "\n"
		   "'nbdsync COMMAND --help' tells more about a command, "
		   "nbdsync(1) all.");
}

/* "-q, --quiet", "    --range RANGE", "    --progress[=TIME]" */
static void
print_option(const struct option_row *row)
{
	char name[64];
	char letter[8] = "    ";

	if (row->id < OPTION_JSON)
		(void)snprintf(letter, sizeof letter, "-%c, ", row->id);
	if (row->value == NULL)
		(void)snprintf(name, sizeof name, "%s--%s", letter, row->name);
	else
		(void)snprintf(name, sizeof name, "%s--%s%s%s", letter,
		    row->name, row->value[0] == '[' ? "" : " ", row->value);
	(void)printf("  %-*s %s\n", NAME_WIDTH, name, row->help);
}

void
help_print_command(const struct command *command)
{
	const struct option_row *row;

	(void)printf("Usage: nbdsync %s %s\n\n%s\n\nOptions:\n", command->name,
	    command->synopsis, command->description);
	for (row = command->options; row->name != NULL; row++)
		print_option(row);
}

int
help_unknown_command(const struct command *context, const char *name)
{
	const struct command *near = commands_find_nearest(name);

	if (near == NULL)
		return message_usage(context, "there is no command '%s'", name);
	return message_usage(context,
	    "there is no command '%s'; did you mean '%s'?", name, near->name);
}

static json_t *
options_to_json(const struct option_row *row)
{
	json_t *list = json_array();

	for (; row->name != NULL; row++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:s}", "name", row->name, "value",
		    row->value, "help", row->help));
	return list;
}

static json_t *
command_to_json(const struct command *c)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "name", c->name, "synopsis",
	    c->synopsis, "summary", c->summary, "options",
	    options_to_json(c->options));
}

static int
print_json(const struct command *only)
{
	json_t *list = json_array();
	const struct command *c;

	for (c = commands; c->name != NULL; c++)
		if (only == NULL || c == only)
			(void)json_array_append_new(list, command_to_json(c));
	return output_json(json_pack("{s:o}", "commands", list));
}

int
command_help(const struct command *command, int argc, char **argv)
{
	const struct command *topic = NULL;
	struct options o;
	const char *value;
	bool json = false;
	int id;

	options_init(&o, command, argc, argv);
	while ((id = options_next(&o, &value)) > OPTIONS_END)
		json = json || id == OPTION_JSON;
	if (id == OPTIONS_STOP)
		return o.exit_code;
	if (o.argc == 1) {
		topic = commands_find(o.argv[0]);
		if (topic == NULL)
			return help_unknown_command(command, o.argv[0]);
	}
	if (json)
		return print_json(topic);
	if (topic == NULL)
		help_print_all();
	else
		help_print_command(topic);
	return CLI_OK;
}
