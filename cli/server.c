/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/server.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "cli/exit-codes.h"
#include "cli/message.h"

static int
set_map(struct options *o, struct server *server, const char *value)
{
	server->map = value != NULL ? value : "base:allocation";
	if (server->map[0] == '\0')
		return options_fail(o,
		    "--map: '' is no name of a metadata context");
	return 0;
}

static int
set_option(struct options *o, struct server *server,
    struct nbdclient_options *settings, int id, const char *value)
{
	switch (id) {
	case OPTION_JSON:
		server->json = true;
		return 0;
	case SERVER_OPTION_MAP:
		return set_map(o, server, value);
	case SERVER_OPTION_TOTALS:
		server->totals = true;
		return 0;
	default:
		return options_time(o, "timeout", value,
		    &settings->connect_timeout_ms);
	}
}

static int
read_options(struct options *o, struct server *server,
    struct nbdclient_options *settings)
{
	const char *value = NULL;
	int id;
	int r;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		r = set_option(o, server, settings, id, value);
		if (r < 0)
			return r;
	}
	if (id == OPTIONS_END && server->totals && server->map == NULL)
		return options_fail(o, "--totals is of use with --map only");
	return id;
}

/* A URI, or the mark of what was in brackets. */
static int
connect_to(struct server *server, const char *operand,
    const struct nbdclient_options *settings, struct nbdclient_error *err)
{
	const struct copy_brackets *b = &server->brackets;

	if (b->n > 0 && b->v[0].mark == operand)
		return nbdclient_connect_command(b->v[0].argv, settings,
		    &server->channel, err);
	return nbdclient_connect(operand, settings, &server->channel, err);
}

int
server_open(struct server *server, const struct command *command, int argc,
    char **argv, const char *const *contexts, size_t n_contexts)
{
	struct nbdclient_options settings = {
		.contexts = contexts,
		.n_contexts = n_contexts,
	};
	struct nbdclient_error err;
	struct options o;
	struct error e;

	memset(server, 0, sizeof *server);
	server->command = command;
	if (copy_brackets_fold(&server->brackets, &argc, argv, &e) < 0) {
		server->exit_code = message_usage(command, "%s", e.text);
		return e.code;
	}
	options_init(&o, command, argc, argv);
	if (read_options(&o, server, &settings) < 0) {
		server->exit_code = o.exit_code;
		return -EINVAL;
	}
	if (server->map != NULL) {
		settings.contexts = &server->map;
		settings.n_contexts = 1;
	}
	if (connect_to(server, o.argv[0], &settings, &err) < 0) {
		server->exit_code = server_fail(server, &err);
		return -EINVAL;
	}
	return 0;
}

void
server_close(struct server *server)
{
	nbdclient_channel_free(server->channel);
	copy_brackets_done(&server->brackets);
}

int
server_fail(const struct server *server, const struct nbdclient_error *err)
{
	if (err->code == NBDCLIENT_INVALID)
		return message_usage(server->command, "%s", err->text);
	message(server->command, "%s", err->text);
	return err->code == NBDCLIENT_POLICY ? CLI_DENIED : CLI_ERROR;
}

const char *
server_printable(const char *text, char buf[SERVER_TEXT_SIZE])
{
	return escape_text(text, strlen(text), buf, SERVER_TEXT_SIZE);
}

json_t *
server_json_text(const char *text)
{
	json_t *value = json_string(text);
	char printable[SERVER_TEXT_SIZE];

	if (value != NULL)
		return value;
	return json_string(server_printable(text, printable));
}
