/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync compare: where do two disks differ?
 */
#include "cli/commands.h"
#include "cli/copy-request.h"

const struct option_row options_compare[] = {
	{ "range", OPT_RANGE, "RANGE",
	    "compare FROM:LENGTH[:TO] only; may be repeated" },
	{ "require-all", OPT_REQUIRE_ALL, NULL,
	    "fail if one of several disks does" },
	{ "zero-rest", OPT_ZERO_REST, NULL,
	    "larger disks are to be zero behind the first one's end" },
	{ "rate", OPT_RATE, "RATE", "no more than RATE, such as 200MB/s" },
	{ "digest", OPT_DIGEST, "NAME",
	    "tell the digest of the source: sha256 or xxh3" },
	{ "recheck", OPT_RECHECK, "TIME",
	    "read again after TIME what differs; tell what still does" },
	{ "repair", OPT_REPAIR, NULL,
	    "write what differs, and compare it once more" },
	{ "connections", OPT_CONNECTIONS, "N", "connections to each side" },
	{ "queue-depth", OPT_QUEUE_DEPTH, "N",
	    "requests in flight on each connection" },
	{ "request-size", OPT_REQUEST_SIZE, "SIZE",
	    "bytes of each request" },
	{ "memory-max", OPT_MEMORY_MAX, "SIZE",
	    "memory for what is on its way (256MiB)" },
	{ "connect-timeout", OPT_CONNECT_TIMEOUT, "TIME",
	    "limit for connecting (10s)" },
	{ "io-timeout", OPT_IO_TIMEOUT, "TIME",
	    "limit for a request that does not move (60s)" },
	{ "reconnect", OPT_RECONNECT, "TIME",
	    "try lost connections again for so long (60s); 0: do not" },
	{ "on-read-error", OPT_ON_READ_ERROR, "POLICY",
	    "stop, retry (default), or skip: go on, and list it" },
	{ "on-write-error", OPT_ON_WRITE_ERROR, "POLICY",
	    "the same for the destination" },
	{ "retries", OPT_RETRIES, "N",
	    "times that what fails is tried again (3)" },
	{ "retry-time", OPT_RETRY_TIME, "TIME",
	    "limit for trying again (none)" },
	{ "max-bad", OPT_MAX_BAD, "SIZE",
	    "bytes that may be skipped before the run fails (any)" },
	{ "progress", OPT_PROGRESS, "[=TIME]",
	    "without a terminal: a line every TIME (60s)" },
	{ "no-progress", OPT_NO_PROGRESS, NULL, "show no progress" },
	{ "quiet", OPTION_QUIET, NULL, "print errors only" },
	{ "json", OPTION_JSON, NULL, "print the result as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

int
command_compare(const struct command *command, int argc, char **argv)
{
	return copy_request_run(command, RUN_VERIFY, argc, argv);
}
