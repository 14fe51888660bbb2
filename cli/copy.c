/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync copy: what was asked for, made into the specification of a run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/copy-engine.h"
#include "cli/copy-words.h"
#include "cli/exit-codes.h"
#include "cli/message.h"

enum {
	OPT_RANGE = OPTION_OWN,
	OPT_CONNECTIONS,
	OPT_QUEUE_DEPTH,
	OPT_REQUEST_SIZE,
	OPT_IO_TIMEOUT,
	OPT_CONNECT_TIMEOUT,
	OPT_ALLOW_NO_FLUSH,
	OPT_PROGRESS,
	OPT_NO_PROGRESS,
};

const struct option_row options_copy[] = {
	{ "range", OPT_RANGE, "RANGE",
	    "copy FROM:LENGTH[:TO] only; may be repeated" },
	{ "connections", OPT_CONNECTIONS, "N", "connections to each side" },
	{ "queue-depth", OPT_QUEUE_DEPTH, "N",
	    "requests in flight on each connection" },
	{ "request-size", OPT_REQUEST_SIZE, "SIZE",
	    "bytes of each request" },
	{ "connect-timeout", OPT_CONNECT_TIMEOUT, "TIME",
	    "limit for connecting (10s)" },
	{ "io-timeout", OPT_IO_TIMEOUT, "TIME",
	    "limit for a request that does not move (60s)" },
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

struct request {
	struct run_spec spec;
	struct run_range *ranges;
	struct endpoint_spec *source;
	struct endpoint_spec *destination;
	uint64_t progress_every_ms;	/* 0: not asked for */
	bool no_progress;
	bool quiet;
	bool json;
};

#define PROGRESS_EVERY_MS 60000

static void
request_done(struct request *req)
{
	free(req->ranges);
	endpoint_spec_free(req->source);
	endpoint_spec_free(req->destination);
}

static int
add_range(struct options *o, struct request *req, const char *value)
{
	size_t n = req->spec.n_ranges;
	struct run_range *ranges;
	struct error e;

	ranges = reallocarray(req->ranges, n + 1, sizeof *ranges);
	if (ranges == NULL)
		return options_fail(o, "out of memory");
	req->ranges = ranges;
	req->spec.ranges = ranges;
	if (copy_range_parse(value, &ranges[n], &e) < 0)
		return options_fail(o, "--range: %s", e.text);
	req->spec.n_ranges++;
	return 0;
}

static int
set_request_size(struct options *o, struct request *req, const char *value)
{
	uint64_t size;

	if (units_parse_size(value, 512, &size) < 0 || size == 0 ||
	    size > RUN_MAX_REQUEST_SIZE)
		return options_fail(o,
		    "--request-size: '%s' is not a size up to 32MiB, such as "
		    "'256KiB'",
		    value);
	req->spec.request_size = (uint32_t)size;
	return 0;
}

static int
set_progress(struct options *o, struct request *req, const char *value)
{
	req->progress_every_ms = PROGRESS_EVERY_MS;
	if (value == NULL)
		return 0;
	return options_time(o, "progress", value, &req->progress_every_ms);
}

/* The options with a value. */
static int
set_value(struct options *o, struct request *req, int id, const char *value)
{
	switch (id) {
	case OPT_RANGE:
		return add_range(o, req, value);
	case OPT_CONNECTIONS:
		return options_number(o, "connections", value,
		    RUN_MAX_CONNECTIONS, &req->spec.connections);
	case OPT_QUEUE_DEPTH:
		return options_number(o, "queue-depth", value,
		    RUN_MAX_QUEUE_DEPTH, &req->spec.queue_depth);
	case OPT_REQUEST_SIZE:
		return set_request_size(o, req, value);
	case OPT_CONNECT_TIMEOUT:
		return options_time(o, "connect-timeout", value,
		    &req->spec.connect_timeout_ms);
	case OPT_IO_TIMEOUT:
		return options_time(o, "io-timeout", value,
		    &req->spec.io_timeout_ms);
	default:
		return set_progress(o, req, value);
	}
}

static int
set_option(struct options *o, struct request *req, int id, const char *value)
{
	switch (id) {
	case OPT_ALLOW_NO_FLUSH:
		req->spec.allow_no_flush = true;
		return 0;
	case OPT_NO_PROGRESS:
		req->no_progress = true;
		return 0;
	case OPTION_QUIET:
		req->quiet = true;
		return 0;
	case OPTION_JSON:
		req->json = true;
		return 0;
	default:
		return set_value(o, req, id, value);
	}
}

static int
set_endpoint(struct options *o, const struct copy_brackets *brackets,
    const char *what, const char *operand, struct endpoint_spec **ret_spec)
{
	struct error e;

	if (copy_brackets_to_spec(brackets, operand, ret_spec, &e) < 0)
		return options_fail(o, "the %s: %s", what, e.text);
	return 0;
}

/* 0, or OPTIONS_STOP. */
static int
read_request(struct options *o, const struct copy_brackets *brackets,
    struct request *req)
{
	const char *value = NULL;
	int r = 0;
	int id;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		r = set_option(o, req, id, value);
		if (r < 0)
			return r;
	}
	if (id == OPTIONS_STOP)
		return id;
	r = set_endpoint(o, brackets, "source", o->argv[0], &req->source);
	if (r < 0)
		return r;
	r = set_endpoint(o, brackets, "destination", o->argv[1],
	    &req->destination);
	req->spec.source = req->source;
	req->spec.destination = req->destination;
	return r;
}

static enum bar_mode
choose_bar_mode(const struct request *req)
{
	if (req->quiet || req->no_progress)
		return BAR_OFF;
	if (bar_has_terminal())
		return BAR_TERMINAL;
	return req->progress_every_ms > 0 ? BAR_LINES : BAR_OFF;
}

static int
run_request(const struct command *command, const struct request *req)
{
	struct copy_engine_options options = {
		.command = command,
		.spec = &req->spec,
		.bar_mode = choose_bar_mode(req),
		.bar_every_ms = req->progress_every_ms,
		.json = req->json,
		.quiet = req->quiet,
	};

	return copy_engine_run(&options);
}

int
command_copy(const struct command *command, int argc, char **argv)
{
	CLEANUP(request_done) struct request req = { 0 };
	CLEANUP(copy_brackets_done) struct copy_brackets brackets = { 0 };
	struct options o;
	struct error e;

	if (copy_brackets_fold(&brackets, &argc, argv, &e) < 0)
		return message_usage(command, "%s", e.text);
	options_init(&o, command, argc, argv);
	if (read_request(&o, &brackets, &req) < 0)
		return o.exit_code;
	return run_request(command, &req);
}
