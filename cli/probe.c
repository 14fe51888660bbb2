/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync probe: what the server of a disk says of it.
 *
 * An endpoint is asked by the daemon, with the rights and the keys that a run
 * would have.  A URI is asked from here: the daemon takes none.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/server.h"
#include "client/nbdclient.h"
#include "nbd/protocol.h"

#define WAIT_S 20
#define ROW    "%-16s "

const struct option_row options_probe[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

static void
print_answer(const json_t *o)
{
	static const char *const flags[] = { "read_only", "flush",
		"write_zeroes", "fast_zero", "multi_conn", "base_allocation" };
	static const char *const names[] = { "read-only:", "flush:",
		"write zeroes:", "fast zero:", "multi-conn:",
		"base:allocation:" };
	const json_t *sizes = json_object_get(o, "block_size");
	json_int_t size = json_integer_value(json_object_get(o, "size_bytes"));
	char text[UNITS_TEXT_SIZE];
	char tls[OUTPUT_CELL_SIZE], cipher[OUTPUT_CELL_SIZE];

	(void)printf(ROW "%" JSON_INTEGER_FORMAT " bytes (%s)\n", "size:",
	    size, units_format_size(size < 0 ? 0 : (uint64_t)size, text));
	for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++)
		(void)printf(ROW "%s\n", names[i], json_is_true(
		    json_object_get(o, flags[i])) ? "yes" : "no");
	(void)printf(ROW "minimum %" JSON_INTEGER_FORMAT ", preferred %"
	    JSON_INTEGER_FORMAT ", maximum %" JSON_INTEGER_FORMAT "\n",
	    "block size:",
	    json_integer_value(json_object_get(sizes, "minimum_bytes")),
	    json_integer_value(json_object_get(sizes, "preferred_bytes")),
	    json_integer_value(json_object_get(sizes, "maximum_bytes")));
	output_cell(o, "tls", tls);
	output_cell(o, "tls_cipher", cipher);
	output_make_printable(tls);
	output_make_printable(cipher);
	if (strcmp(tls, "-") == 0)
		(void)printf(ROW "no\n", "TLS:");
	else
		(void)printf(ROW "%s, %s\n", "TLS:", tls, cipher);
}

static int
ask_daemon(const struct control *control, const char *endpoint,
    json_t **ret_answer)
{
	char target[256], name[128];

	if (http_encode_segment(endpoint, name, sizeof name) < 0) {
		message(control->command, "there is no endpoint '%s'",
		    endpoint);
		return CLI_NO_JOB;
	}
	(void)snprintf(target, sizeof target, "/v1/endpoints/%s/probe", name);
	return control_ask(control, "POST", target, WAIT_S, ret_answer);
}

/* As the daemon would say it. */
static json_t *
info_to_json(const struct nbdclient_info *info)
{
	return json_pack("{s:I, s:b, s:b, s:b, s:b, s:b, s:b, "
	    "s:{s:I, s:I, s:I}, s:s?, s:s?}", "size_bytes",
	    (json_int_t)info->size,
	    "read_only", !info->read_write, "flush",
	    (info->flags & NBD_FLAG_SEND_FLUSH) != 0, "write_zeroes",
	    (info->flags & NBD_FLAG_SEND_WRITE_ZEROES) != 0, "fast_zero",
	    (info->flags & NBD_FLAG_SEND_FAST_ZERO) != 0, "multi_conn",
	    (info->flags & NBD_FLAG_CAN_MULTI_CONN) != 0, "base_allocation",
	    info->base_allocation, "block_size", "minimum_bytes",
	    (json_int_t)info->block_minimum, "preferred_bytes",
	    (json_int_t)info->block_preferred, "maximum_bytes",
	    (json_int_t)info->block_maximum, "tls", info->tls_version,
	    "tls_cipher", info->tls_cipher);
}

static int
ask_server(const struct command *command, const char *uri,
    json_t **ret_answer)
{
	static const char *const contexts[] = { "base:allocation" };
	const struct nbdclient_options options = { .contexts = contexts,
		.n_contexts = 1 };
	struct server server = { .command = command };
	struct nbdclient_disk *disk = NULL;
	struct nbdclient_error err;
	struct nbdclient_info info;
	int exit_code = CLI_OK;

	if (nbdclient_connect(uri, &options, &server.channel, &err) < 0 ||
	    nbdclient_negotiate(server.channel, NULL, &disk, &err) < 0) {
		exit_code = server_fail(&server, &err);
	} else {
		nbdclient_get_info(disk, &info);
		*ret_answer = info_to_json(&info);
		nbdclient_disconnect(disk);
	}
	nbdclient_channel_free(server.channel);
	return exit_code;
}

int
command_probe(const struct command *command, int argc, char **argv)
{
	struct control control;
	json_t *answer = NULL;
	struct options o;
	int exit_code;

	if (control_open(&control, command, &o, argc, argv, NULL, NULL) < 0)
		return o.exit_code;
	exit_code = strstr(o.argv[0], "://") != NULL ?
	    ask_server(command, o.argv[0], &answer) :
	    ask_daemon(&control, o.argv[0], &answer);
	if (exit_code != CLI_OK)
		return exit_code;
	if (control.json)
		return output_json(answer);
	print_answer(answer);
	json_decref(answer);
	return CLI_OK;
}
