/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/server.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "cli/exit-codes.h"
#include "cli/message.h"

static int
read_options(struct options *o, struct server *server,
    struct nbdclient_options *limits)
{
	const char *value = NULL;
	int id;
	int r;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		if (id == OPTION_JSON) {
			server->json = true;
			continue;
		}
		r = options_time(o, "timeout", value,
		    &limits->connect_timeout_ms);
		if (r < 0)
			return r;
	}
	return id;
}

/* A URI, or the mark of what was in brackets. */
static int
connect_to(struct server *server, const char *operand,
    const struct nbdclient_options *limits, struct nbdclient_error *err)
{
	const struct copy_brackets *b = &server->brackets;

	if (b->n > 0 && b->v[0].mark == operand)
		return nbdclient_connect_command(b->v[0].argv, limits,
		    &server->channel, err);
	return nbdclient_connect(operand, limits, &server->channel, err);
}

int
server_open(struct server *server, const struct command *command, int argc,
    char **argv)
{
	struct nbdclient_options limits = { 0 };
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
	if (read_options(&o, server, &limits) < 0) {
		server->exit_code = o.exit_code;
		return -EINVAL;
	}
	if (connect_to(server, o.argv[0], &limits, &err) < 0) {
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
