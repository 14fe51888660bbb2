/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync mirror: a disk to others, again and again.
 */
#include "cli/commands.h"
#include "cli/copy-request.h"

const struct option_row options_mirror[] = {
	{ "interval", OPT_INTERVAL, "TIME",
	    "from the end of a pass to the next one (60s); 0: at once" },
	{ "sync", OPT_SYNC_FIRST, NULL,
	    "let the first pass, too, write only what differs" },
	{ "range", OPT_RANGE, "RANGE",
	    "mirror FROM:LENGTH[:TO] only; may be repeated" },
	{ "digest", OPT_DIGEST, "NAME",
	    "tell the digest of the source: sha256 or xxh3" },
	{ "connections", OPT_CONNECTIONS, "N", "connections to each side" },
	{ "queue-depth", OPT_QUEUE_DEPTH, "N",
	    "requests in flight on each connection" },
	{ "request-size", OPT_REQUEST_SIZE, "SIZE",
	    "bytes of each request" },
	{ "max-lag", OPT_MAX_LAG, "SIZE",
	    "memory for slow ones of several destinations (32MiB)" },
	{ "connect-timeout", OPT_CONNECT_TIMEOUT, "TIME",
	    "limit for connecting (10s)" },
	{ "io-timeout", OPT_IO_TIMEOUT, "TIME",
	    "limit for a request that does not move (60s)" },
	{ "reconnect", OPT_RECONNECT, "TIME",
	    "try lost connections again for so long (60s); 0: do not" },
	{ "allow-no-flush", OPT_ALLOW_NO_FLUSH, NULL,
	    "accept a destination that cannot flush" },
	{ "progress", OPT_PROGRESS, "[=TIME]",
	    "without a terminal: a line every TIME (60s)" },
	{ "no-progress", OPT_NO_PROGRESS, NULL, "show no progress" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print the result as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

int
command_mirror(const struct command *command, int argc, char **argv)
{
	return copy_request_run(command, RUN_MIRROR, argc, argv);
}
