/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/commands.h"
#include "cli/copy-words.h"
#include "client/nbdclient.h"
#include "nbd/protocol.h"

/*
 * What the commands that ask an NBD server have in common: their arguments,
 * and how they fail.
 */
struct server {
	const struct command *command;
	struct nbdclient_channel *channel;
	struct copy_brackets brackets;
	bool json;
	const char *map;		/* a context to be shown; NULL: none */
	bool totals;			/* its sums */
	int exit_code;			/* after a failed server_open() */
};

/* The ids of options; each command has rows of those that it takes. */
enum {
	SERVER_OPTION_MAP = OPTION_OWN,
	SERVER_OPTION_TOTALS,
};

/*
 * Read the options and make a channel of the URI, or to the command in
 * brackets, which is started.  It asks for the metadata context of --map, or
 * else for the n_contexts in contexts.  server must stay where it is.  0, or
 * negative: the command is to end with server->exit_code; all is told.
 */
int server_open(struct server *server, const struct command *command, int argc,
    char **argv, const char *const *contexts, size_t n_contexts);
void server_close(struct server *server);

/* Tell what the library says.  Returns the exit code. */
int server_fail(const struct server *server,
    const struct nbdclient_error *err);

/* A text of the protocol, whatever bytes it is made of. */
#define SERVER_TEXT_SIZE (4 * NBD_MAX_STRING + 8)

/* Text from a server, made harmless for a terminal.  Returns buf. */
const char *server_printable(const char *text, char buf[SERVER_TEXT_SIZE]);

/* The same as JSON, which has to be UTF-8. */
json_t *server_json_text(const char *text);

#endif
