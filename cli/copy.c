/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync copy: a disk to one or several others.
 */
#include "cli/commands.h"
#include "cli/copy-request.h"

const struct option_row options_copy[] = {
	{ "sync", OPT_SYNC, NULL,
	    "read the destination too, and write only what differs" },
	{ "verify", OPT_VERIFY, NULL,
	    "read back what was written, and compare it" },
	{ "range", OPT_RANGE, "RANGE",
	    "copy FROM:LENGTH[:TO] only; may be repeated" },
	{ "dirty", OPT_DIRTY, "BITMAP",
	    "copy only what this dirty bitmap of QEMU says has changed" },
	{ "mapfile", OPT_MAPFILE, "FILE",
	    "copy only what this file of ddrescue lacks, and note it there" },
	{ "destination-is-zero", OPT_DESTINATION_IS_ZERO, NULL,
	    "the destination reads as zeroes: do not write any" },
	{ "sparse", OPT_SPARSE, "SIZE",
	    "look for zeroes among data in such pieces; 0: do not" },
	{ "require-all", OPT_REQUIRE_ALL, NULL,
	    "fail if one of several destinations does" },
	{ "zero-rest", OPT_ZERO_REST, NULL,
	    "zero what a larger destination has behind the copy" },
	{ "allocated", OPT_ALLOCATED, NULL, "write zeroes as data" },
	{ "trim", OPT_TRIM, NULL,
	    "trim holes that are not zero, as what they hold does not matter" },
	{ "rate", OPT_RATE, "RATE", "no more than RATE, such as 200MB/s" },
	{ "digest", OPT_DIGEST, "NAME",
	    "tell the digest of the source: sha256 or xxh3" },
	{ "connections", OPT_CONNECTIONS, "N", "connections to each side" },
	{ "queue-depth", OPT_QUEUE_DEPTH, "N",
	    "requests in flight on each connection" },
	{ "request-size", OPT_REQUEST_SIZE, "SIZE",
	    "bytes of each request" },
	{ "max-lag", OPT_MAX_LAG, "SIZE",
	    "memory for slow ones of several destinations (32MiB)" },
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
	{ "fill", OPT_FILL, "WHAT",
	    "where the source is skipped: leave (default), zeroes or "
	    "pattern" },
	{ "checkpoint", OPT_CHECKPOINT, "FILE",
	    "keep in FILE how far it got, and go on from there" },
	{ "checkpoint-interval", OPT_CHECKPOINT_INTERVAL, "TIME",
	    "flush, and note it there, that often (10s)" },
	{ "full", OPT_FULL, NULL,
	    "with --checkpoint: begin anew all the same" },
	{ "wait-for-space", OPT_WAIT_FOR_SPACE, NULL,
	    "a destination that is full: wait until it is not" },
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
command_copy(const struct command *command, int argc, char **argv)
{
	return copy_request_run(command, RUN_COPY, argc, argv);
}
