/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync list: the exports of a server.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/output.h"
#include "cli/server.h"
#include "client/nbdclient.h"

const struct option_row options_list[] = {
	{ "timeout", OPTION_TIMEOUT, "TIME",
	    "limit for connecting and asking (10s)" },
	{ "json", OPTION_JSON, NULL, "print JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static json_t *
listing_to_json(const struct nbdclient_listing *listing, size_t n)
{
	json_t *exports = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(exports,
		    json_pack("{s:o, s:o}", "name",
			server_json_text(listing[i].name), "description",
			server_json_text(listing[i].description)));
	return json_pack("{s:o}", "exports", exports);
}

/* A name a line; with its description, if it has one, behind a tab. */
static void
print_row(const struct nbdclient_listing *row)
{
	char name[SERVER_TEXT_SIZE];
	char description[SERVER_TEXT_SIZE];

	(void)server_printable(row->name, name);
	(void)server_printable(row->description, description);
	/* The default export has no name: an empty line would tell nobody. */
	(void)printf("%s%s%s\n", name[0] == '\0' ? "''" : name,
	    description[0] == '\0' ? "" : "\t", description);
}

int
command_list(const struct command *command, int argc, char **argv)
{
	CLEANUP(server_close) struct server server = { 0 };
	struct nbdclient_listing *listing = NULL;
	struct nbdclient_error err;
	int exit_code = CLI_OK;
	size_t n = 0;

	if (server_open(&server, command, argc, argv, NULL, 0) < 0)
		return server.exit_code;
	if (nbdclient_list(server.channel, &listing, &n, &err) < 0)
		return server_fail(&server, &err);
	if (server.json)
		exit_code = output_json(listing_to_json(listing, n));
	else
		for (size_t i = 0; i < n; i++)
			print_row(&listing[i]);
	nbdclient_listing_free(listing, n);
	return exit_code;
}
