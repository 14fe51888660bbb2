/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync info: what a server tells of an export.
 *
 * Its metadata contexts are listed over a connection of their own, which not
 * every server takes: qemu-nbd ends with its first client, unless it is told
 * not to.  So the export is opened before, and asked for the contexts whose
 * names are fixed; a list that fails loses nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/info-map.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/server.h"
#include "client/nbdclient.h"
#include "nbd/protocol.h"

const struct option_row options_info[] = {
	{ "map", SERVER_OPTION_MAP, "[=CONTEXT]",
	    "show the extents of a context (base:allocation)" },
	{ "totals", SERVER_OPTION_TOTALS, NULL,
	    "with --map: sum the extents of each kind" },
	{ "timeout", OPTION_TIMEOUT, "TIME", "limit for connecting (10s)" },
	{ "json", OPTION_JSON, NULL, "print JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

/* Transmission flags, by the names that other NBD tools have for them. */
static const struct {
	unsigned bit;
	const char *name;
} flag_names[] = {
	{ NBD_FLAG_READ_ONLY, "read-only" },
	{ NBD_FLAG_SEND_FLUSH, "flush" },
	{ NBD_FLAG_SEND_FUA, "fua" },
	{ NBD_FLAG_ROTATIONAL, "rotational" },
	{ NBD_FLAG_SEND_TRIM, "trim" },
	{ NBD_FLAG_SEND_WRITE_ZEROES, "write-zeroes" },
	{ NBD_FLAG_SEND_DF, "df" },
	{ NBD_FLAG_CAN_MULTI_CONN, "multi-conn" },
	{ NBD_FLAG_SEND_RESIZE, "resize" },
	{ NBD_FLAG_SEND_CACHE, "cache" },
	{ NBD_FLAG_SEND_FAST_ZERO, "fast-zero" },
};

#define N_FLAGS (sizeof flag_names / sizeof flag_names[0])

static const char *const asked_for[] = {
	"base:allocation",
	"qemu:allocation-depth",
};

#define N_ASKED (sizeof asked_for / sizeof asked_for[0])

struct contexts {
	bool has[N_ASKED];		/* of those asked for */
	bool is_listed;			/* the list is there */
	struct nbdclient_listing *listing;
	size_t n_listing;
};

static json_t *
flags_to_json(const struct nbdclient_info *info)
{
	json_t *flags = json_array();

	for (size_t i = 0; i < N_FLAGS; i++) {
		if ((info->flags & flag_names[i].bit) != 0)
			(void)json_array_append_new(flags,
			    json_string(flag_names[i].name));
	}
	return flags;
}

static json_t *
block_sizes_to_json(const struct nbdclient_info *info)
{
	if (!info->block_size_told)
		return json_null();
	return json_pack("{s:I, s:I, s:I}", "minimum_bytes",
	    (json_int_t)info->block_minimum, "preferred_bytes",
	    (json_int_t)info->block_preferred, "maximum_bytes",
	    (json_int_t)info->block_maximum);
}

/* Many servers say "" where they have nothing to say. */
static const char *
if_told(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static json_t *
tls_to_json(const struct nbdclient_info *info)
{
	if (info->tls_version == NULL)
		return json_null();
	return json_pack("{s:s, s:s}", "version", info->tls_version, "cipher",
	    info->tls_cipher);
}

static json_t *
info_to_json(const struct nbdclient_info *info)
{
	return json_pack(
	    "{s:I, s:b, s:I, s:I, s:o, s:o, s:b, s:b, s:b, s:s?, s:s?, s:o}",
	    "size_bytes", (json_int_t)info->size, "read_only",
	    !info->read_write, "sector_size_bytes",
	    (json_int_t)info->sector_size, "sectors",
	    (json_int_t)info->n_sectors, "flags", flags_to_json(info),
	    "block_size", block_sizes_to_json(info), "structured_replies",
	    info->structured_replies, "extended_headers",
	    info->extended_headers, "base_allocation",
	    info->base_allocation, "description",
	    if_told(info->description), "canonical_name",
	    if_told(info->canonical_name), "tls", tls_to_json(info));
}

#define ROW "%-19s "

static void
print_flags(const struct nbdclient_info *info)
{
	bool any = false;

	(void)printf(ROW, "flags:");
	for (size_t i = 0; i < N_FLAGS; i++) {
		if ((info->flags & flag_names[i].bit) == 0)
			continue;
		(void)printf("%s%s", any ? ", " : "", flag_names[i].name);
		any = true;
	}
	(void)puts(any ? "" : "none");
}

static void
print_block_sizes(const struct nbdclient_info *info)
{
	char minimum[UNITS_TEXT_SIZE];
	char preferred[UNITS_TEXT_SIZE];
	char maximum[UNITS_TEXT_SIZE];

	if (!info->block_size_told) {
		(void)printf(ROW "not told\n", "block size:");
		return;
	}
	(void)printf(ROW "minimum %s, preferred %s, maximum %s\n",
	    "block size:", units_format_size(info->block_minimum, minimum),
	    units_format_size(info->block_preferred, preferred),
	    units_format_size(info->block_maximum, maximum));
}

static void
print_yes_or_no(const char *what, bool is)
{
	(void)printf(ROW "%s\n", what, is ? "yes" : "no");
}

static void
print_info(const struct nbdclient_info *info)
{
	char size[UNITS_TEXT_SIZE];

	(void)printf(ROW "%" PRIu64 " bytes (%s)\n", "size:", info->size,
	    units_format_size(info->size, size));
	(void)printf(ROW "%" PRIu64 " of %" PRIu32 " bytes\n", "sectors:",
	    info->n_sectors, info->sector_size);
	print_yes_or_no("read-only:", !info->read_write);
	print_flags(info);
	print_block_sizes(info);
	print_yes_or_no("structured replies:", info->structured_replies);
	print_yes_or_no("extended headers:", info->extended_headers);
	if (info->tls_version != NULL)
		(void)printf(ROW "%s, %s\n", "TLS:", info->tls_version,
		    info->tls_cipher);
	else
		(void)printf(ROW "no\n", "TLS:");
	if (if_told(info->canonical_name) != NULL)
		(void)printf(ROW "%s\n", "canonical name:",
		    info->canonical_name);
	if (if_told(info->description) != NULL)
		(void)printf(ROW "%s\n", "description:", info->description);
}

/* fn is called once for each of them. */
static void
contexts_each(const struct contexts *c, void (*fn)(void *arg, const char *name),
    void *arg)
{
	for (size_t i = 0; i < N_ASKED; i++) {
		if (c->has[i])
			fn(arg, asked_for[i]);
	}
	for (size_t i = 0; i < c->n_listing; i++) {
		const char *name = c->listing[i].name;
		bool is_told = false;

		for (size_t k = 0; k < N_ASKED; k++) {
			if (c->has[k] && strcmp(name, asked_for[k]) == 0)
				is_told = true;
		}
		if (!is_told)
			fn(arg, name);
	}
}

static void
add_context(void *arg, const char *name)
{
	(void)json_array_append_new(arg, server_json_text(name));
}

static int
output_as_json(json_t *json, const struct contexts *c)
{
	json_t *names = json_array();

	contexts_each(c, add_context, names);
	(void)json_object_set_new(json, "contexts", names);
	(void)json_object_set_new(json, "contexts_listed",
	    json_boolean(c->is_listed));
	return output_json(json);
}

/* The first has the heading; arg counts. */
static void
print_context(void *arg, const char *name)
{
	char printable[SERVER_TEXT_SIZE];
	size_t *n = arg;

	(void)printf(ROW "%s\n", *n == 0 ? "contexts:" : "",
	    server_printable(name, printable));
	(*n)++;
}

static void
print_contexts(const struct contexts *c)
{
	size_t n = 0;

	contexts_each(c, print_context, &n);
	if (n == 0)
		(void)printf(ROW "none\n", "contexts:");
}

/* A server that does not list them is none to be told about. */
static bool
is_refusal(int code)
{
	return code == NBDCLIENT_TOO_OLD || code == NBDCLIENT_REFUSED ||
	    code == NBDCLIENT_POLICY;
}

/* The disk is given up: some servers take one connection at a time. */
static void
list_contexts(const struct server *server, struct contexts *c)
{
	struct nbdclient_error err;
	int code;

	code = nbdclient_list_contexts(server->channel, NULL, NULL, 0,
	    &c->listing, &c->n_listing, &err);
	c->is_listed = code == 0;
	if (code != 0 && !is_refusal(code))
		message(server->command, "there is no list of contexts: %s",
		    err.text);
}

static int
show_info(const struct server *server, struct nbdclient_disk *disk)
{
	struct contexts contexts = { .listing = NULL };
	struct nbdclient_info info;
	json_t *json = NULL;
	bool may_have_contexts;
	int exit_code = CLI_OK;

	nbdclient_get_info(disk, &info);
	for (size_t i = 0; i < N_ASKED; i++)
		contexts.has[i] = info.contexts[i] != NULL;
	may_have_contexts = info.structured_replies;
	if (server->json)
		json = info_to_json(&info);
	else
		print_info(&info);
	nbdclient_disconnect(disk);
	if (may_have_contexts)
		list_contexts(server, &contexts);
	if (server->json)
		exit_code = output_as_json(json, &contexts);
	else
		print_contexts(&contexts);
	nbdclient_listing_free(contexts.listing, contexts.n_listing);
	return exit_code;
}

int
command_info(const struct command *command, int argc, char **argv)
{
	CLEANUP(server_close) struct server server = { 0 };
	struct nbdclient_disk *disk = NULL;
	struct nbdclient_error err;
	int exit_code;

	if (server_open(&server, command, argc, argv, asked_for, N_ASKED) < 0)
		return server.exit_code;
	if (nbdclient_negotiate(server.channel, NULL, &disk, &err) < 0)
		return server_fail(&server, &err);
	if (server.map == NULL)
		return show_info(&server, disk);
	exit_code = info_map(&server, disk);
	nbdclient_disconnect(disk);
	return exit_code;
}
