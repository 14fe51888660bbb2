/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/copy-request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/copy-engine.h"
#include "cli/copy-words.h"
#include "cli/dirty.h"
#include "cli/exit-codes.h"
#include "cli/message.h"

struct request {
	struct run_spec spec;
	struct run_range *ranges;
	struct endpoint_spec *source;
	struct endpoint_spec *destinations[RUN_MAX_DESTINATIONS];
	uint64_t progress_every_ms;	/* 0: not asked for */
	const char *checkpoint;
	const char *dirty;		/* the name of a bitmap */
	struct mapfile mapfile;		/* path NULL: none */
	bool no_progress;
	bool quiet;
	bool json;
};

#define PROGRESS_EVERY_MS 60000
#define MEMORY_MAX	  (UINT64_C(256) << 20)

static void
request_done(struct request *req)
{
	free(req->ranges);
	mapfile_done(&req->mapfile);
	endpoint_spec_free(req->source);
	for (unsigned i = 0; i < req->spec.n_destinations; i++)
		endpoint_spec_free(req->destinations[i]);
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
set_sparse(struct options *o, struct request *req, const char *value)
{
	uint64_t size;

	if (units_parse_size(value, 512, &size) < 0 ||
	    size > RUN_MAX_REQUEST_SIZE)
		return options_fail(o,
		    "--sparse: '%s' is not a size up to 32MiB, such as '4KiB', "
		    "or 0", value);
	req->spec.sparse_size = size == 0 ? RUN_SPARSE_OFF : (uint32_t)size;
	return 0;
}

static int
set_max_lag(struct options *o, struct request *req, const char *value)
{
	if (units_parse_size(value, 512, &req->spec.max_lag) < 0 ||
	    req->spec.max_lag == 0)
		return options_fail(o,
		    "--max-lag: '%s' is not a size such as '64MiB'", value);
	return 0;
}

static int
set_digest(struct options *o, struct request *req, const char *value)
{
	if (digest_find(value, &req->spec.digest) < 0)
		return options_fail(o,
		    "--digest: '%s' is neither 'sha256' nor 'xxh3'", value);
	return 0;
}

/* A time that may be 0. */
static int
set_time(struct options *o, const char *name, const char *value,
    uint64_t *ret_ms)
{
	if (units_parse_time_ms(value, ret_ms) < 0)
		return options_fail(o,
		    "--%s: '%s' is not a time such as '60s', nor 0", name,
		    value);
	return 0;
}

static int
set_policy(struct options *o, const char *name, const char *value,
    enum run_on_error *ret)
{
	const char *word;
	int i;

	for (i = 0; (word = run_on_error_name((enum run_on_error)i)) != NULL;
	     i++) {
		if (strcmp(value, word) == 0) {
			*ret = (enum run_on_error)i;
			return 0;
		}
	}
	return options_fail(o, "--%s: '%s' is not stop, retry or skip", name,
	    value);
}

static int
set_max_bad(struct options *o, struct request *req, const char *value)
{
	if (units_parse_size(value, 512, &req->spec.max_bad_bytes) < 0 ||
	    req->spec.max_bad_bytes == 0)
		return options_fail(o,
		    "--max-bad: '%s' is not a size such as '1MiB'", value);
	return 0;
}

static int
set_max_bad_ranges(struct options *o, struct request *req, const char *value)
{
	unsigned n = 0;
	int r = options_number(o, "max-bad-ranges", value, RUN_MAX_BAD_RANGES,
	    &n);

	req->spec.max_bad_ranges = n;
	return r;
}

static int
set_fill(struct options *o, struct request *req, const char *value)
{
	if (run_fill_parse(value, &req->spec.fill) < 0)
		return options_fail(o, "--fill: '%s' is not leave, zeroes or "
		    "pattern", value);
	return 0;
}

static int
set_rate(struct options *o, struct request *req, const char *value)
{
	if (units_parse_rate(value, &req->spec.rate) < 0)
		return options_fail(o,
		    "--rate: '%s' is not a rate such as '200MB/s'", value);
	return 0;
}

static int
set_retries(struct options *o, struct request *req, const char *value)
{
	if (strcmp(value, "0") == 0) {
		req->spec.retries = 0;
		return 0;
	}
	if (strspn(value, "0123456789") != strlen(value))
		return options_fail(o, "--retries: '%s' is not a whole number "
		    "from 0 to %u", value, (unsigned)RUN_MAX_RETRIES);
	return options_number(o, "retries", value, RUN_MAX_RETRIES,
	    &req->spec.retries);
}

/* What becomes of what fails. */
static int
set_trouble(struct options *o, struct request *req, int id, const char *value)
{
	switch (id) {
	case OPT_RECONNECT:
		return set_time(o, "reconnect", value,
		    &req->spec.reconnect_ms);
	case OPT_ON_READ_ERROR:
		return set_policy(o, "on-read-error", value,
		    &req->spec.on_read_error);
	case OPT_ON_WRITE_ERROR:
		return set_policy(o, "on-write-error", value,
		    &req->spec.on_write_error);
	case OPT_MAX_BAD_RANGES:
		return set_max_bad_ranges(o, req, value);
	case OPT_FILL:
		return set_fill(o, req, value);
	case OPT_CHECKPOINT:
		req->checkpoint = value;
		return 0;
	case OPT_CHECKPOINT_INTERVAL:
		return options_time(o, "checkpoint-interval", value,
		    &req->spec.checkpoint_ms);
	case OPT_RETRIES:
		return set_retries(o, req, value);
	case OPT_RETRY_TIME:
		return options_time(o, "retry-time", value,
		    &req->spec.max_retry_ms);
	default:
		return set_max_bad(o, req, value);
	}
}

static int
set_memory_max(struct options *o, struct request *req, const char *value)
{
	if (units_parse_size(value, 512, &req->spec.memory_max) < 0)
		return options_fail(o,
		    "--memory-max: '%s' is not a size such as '64MiB'", value);
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
	case OPT_DIRTY:
		req->dirty = value;
		return 0;
	case OPT_MAPFILE:
		req->mapfile.path = value;
		return 0;
	case OPT_CONNECTIONS:
		return options_number(o, "connections", value,
		    RUN_MAX_CONNECTIONS, &req->spec.connections);
	case OPT_QUEUE_DEPTH:
		return options_number(o, "queue-depth", value,
		    RUN_MAX_QUEUE_DEPTH, &req->spec.queue_depth);
	case OPT_REQUEST_SIZE:
		return set_request_size(o, req, value);
	case OPT_SPARSE:
		return set_sparse(o, req, value);
	case OPT_MAX_LAG:
		return set_max_lag(o, req, value);
	case OPT_MEMORY_MAX:
		return set_memory_max(o, req, value);
	case OPT_RATE:
		return set_rate(o, req, value);
	case OPT_CONNECT_TIMEOUT:
		return options_time(o, "connect-timeout", value,
		    &req->spec.connect_timeout_ms);
	case OPT_IO_TIMEOUT:
		return options_time(o, "io-timeout", value,
		    &req->spec.io_timeout_ms);
	case OPT_INTERVAL:
		return set_time(o, "interval", value,
		    &req->spec.interval_ms);
	case OPT_RECHECK:
		return set_time(o, "recheck", value,
		    &req->spec.recheck_ms);
	case OPT_DIGEST:
		return set_digest(o, req, value);
	case OPT_PROGRESS:
		return set_progress(o, req, value);
	default:
		return set_trouble(o, req, id, value);
	}
}

static int
set_option(struct options *o, struct request *req, int id, const char *value)
{
	switch (id) {
	case OPT_ALLOW_NO_FLUSH:
		req->spec.allow_no_flush = true;
		return 0;
	case OPT_SYNC_FIRST:
		req->spec.syncs_first = true;
		return 0;
	case OPT_REPAIR:
		req->spec.repair = true;
		return 0;
	case OPT_VERIFY:
		req->spec.verify_after = true;
		return 0;
	case OPT_SYNC:
		req->spec.mode = RUN_SYNC;
		return 0;
	case OPT_DESTINATION_IS_ZERO:
		req->spec.destination_is_zero = true;
		return 0;
	case OPT_ALLOCATED:
		req->spec.allocated = true;
		return 0;
	case OPT_TRIM:
		req->spec.trim = true;
		return 0;
	case OPT_REQUIRE_ALL:
		req->spec.require_all = true;
		return 0;
	case OPT_ZERO_REST:
		req->spec.zero_rest = true;
		return 0;
	case OPT_FULL:
		req->spec.full = true;
		return 0;
	case OPT_WAIT_FOR_SPACE:
		req->spec.wait_for_space = true;
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

/* Those that would have no effect. */
static int
check_needs(struct options *o, const struct request *req)
{
	const struct run_spec *spec = &req->spec;
	bool skips = spec->on_read_error == RUN_SKIP ||
	    spec->on_write_error == RUN_SKIP;

	if (spec->fill != RUN_FILL_LEAVE && spec->on_read_error != RUN_SKIP)
		return options_fail(o, "--fill is for --on-read-error skip");
	if (spec->max_bad_bytes != 0 && !skips)
		return options_fail(o, "--max-bad is for --on-read-error skip "
		    "or --on-write-error skip");
	if (spec->max_bad_ranges != 0 && !skips)
		return options_fail(o, "--max-bad-ranges is for "
		    "--on-read-error skip or --on-write-error skip");
	if (spec->full && req->checkpoint == NULL)
		return options_fail(o, "--full is for --checkpoint");
	return 0;
}

/* Those that contradict each other, as in a daemon's configuration. */
static int
check_options(struct options *o, const struct request *req)
{
	const struct run_spec *spec = &req->spec;

	if ((req->dirty != NULL) + (req->mapfile.path != NULL) +
	    (spec->n_ranges > 0) > 1)
		return options_fail(o, "--dirty, --mapfile and --range "
		    "exclude each other");
	if (spec->destination_is_zero && spec->allocated)
		return options_fail(o, "--destination-is-zero and --allocated "
		    "exclude each other");
	if (spec->destination_is_zero && spec->mode != RUN_COPY)
		return options_fail(o, "--destination-is-zero is not for "
		    "--sync, which looks at the destination");
	return check_needs(o, req);
}

/* 0, or OPTIONS_STOP. */
static int
read_request(struct options *o, const struct copy_brackets *brackets,
    struct request *req)
{
	const char *value = NULL;
	int r = 0;
	int id;
	int i;

	while ((id = options_next(o, &value)) > OPTIONS_END) {
		r = set_option(o, req, id, value);
		if (r < 0)
			return r;
	}
	if (id == OPTIONS_STOP)
		return id;
	r = check_options(o, req);
	if (r < 0)
		return r;
	r = set_endpoint(o, brackets, "source", o->argv[0], &req->source);
	for (i = 1; r == 0 && i < o->argc; i++) {
		r = set_endpoint(o, brackets, "destination", o->argv[i],
		    &req->destinations[i - 1]);
		if (r == 0)
			req->spec.n_destinations++;
	}
	req->spec.source = req->source;
	req->spec.destinations =
	    (const struct endpoint_spec *const *)req->destinations;
	return r;
}

/* They are the request's from now on; nothing is one without a byte. */
static void
set_ranges(struct request *req, struct run_range *ranges, size_t n)
{
	static const struct run_range nothing;

	req->ranges = ranges;
	req->spec.ranges = n > 0 ? ranges : &nothing;
	req->spec.n_ranges = n > 0 ? n : 1;
}

/* What is not finished becomes the ranges; without a file, that is all. */
static int
find_unfinished(const struct command *command, struct request *req)
{
	struct run_range *ranges;
	struct error e;
	size_t n;

	if (mapfile_read(&req->mapfile, &e) < 0) {
		message(command, "%s", e.text);
		return CLI_ERROR;
	}
	if (req->mapfile.end == 0)
		return CLI_OK;
	if (mapfile_todo(&req->mapfile, &ranges, &n) < 0) {
		free(ranges);
		message(command, "out of memory");
		return CLI_ERROR;
	}
	set_ranges(req, ranges, n);
	/* The last one is of what the source has behind the map's end. */
	req->spec.may_be_empty = true;
	return CLI_OK;
}

/* What has changed becomes the ranges. */
static int
find_dirty(const struct command *command, struct request *req)
{
	struct dirty dirty = { 0 };
	int exit_code;

	exit_code = dirty_find(command, req->source, req->dirty,
	    req->spec.connect_timeout_ms, &dirty);
	set_ranges(req, dirty.v, dirty.n);
	return exit_code;
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
run_request(const struct command *command, struct request *req)
{
	struct copy_engine_options options = {
		.command = command,
		.spec = &req->spec,
		.bar_mode = choose_bar_mode(req),
		.bar_every_ms = req->progress_every_ms,
		.checkpoint = req->checkpoint,
		.mapfile = req->mapfile.path != NULL ? &req->mapfile : NULL,
		.json = req->json,
		.quiet = req->quiet,
	};

	return copy_engine_run(&options);
}

int
copy_request_run(const struct command *command, enum run_mode mode, int argc,
    char **argv)
{
	CLEANUP(request_done) struct request req = {
		.spec = {
			.mode = mode,
			.reconnect_ms = RUN_RECONNECT_MS,
			.on_read_error = RUN_RETRY,
			.on_write_error = RUN_RETRY,
			.retries = RUN_RETRIES,
			.memory_max = MEMORY_MAX,
			.interval_ms = RUN_INTERVAL_MS,
		},
	};
	CLEANUP(copy_brackets_done) struct copy_brackets brackets = { 0 };
	struct options o;
	struct error e;
	int exit_code;

	if (copy_brackets_fold(&brackets, &argc, argv, &e) < 0)
		return message_usage(command, "%s", e.text);
	options_init(&o, command, argc, argv);
	if (read_request(&o, &brackets, &req) < 0)
		return o.exit_code;
	exit_code = CLI_OK;
	if (req.dirty != NULL)
		exit_code = find_dirty(command, &req);
	else if (req.mapfile.path != NULL)
		exit_code = find_unfinished(command, &req);
	return exit_code != CLI_OK ? exit_code : run_request(command, &req);
}
