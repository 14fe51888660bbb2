/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a run of this process has ended: sentences on standard error, data
 * (differences, the digest, JSON) on standard output, and the exit code.
 */
#include "cli/copy-result.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"
#include "transfer/bad-ranges.h"
#include "transfer/report.h"

struct telling {
	const struct copy_engine_options *options;
	struct bar *bar;
	bool is_interrupted;
};

static void
tell_gave_up(const struct telling *t, const struct run_result *result)
{
	if (t->options->quiet)
		return;
	for (size_t i = 0; i < result->n_gave_up; i++)
		message(t->options->command, "warning: %s",
		    result->gave_up[i]);
}

static int
tell_failure(const struct telling *t, const struct run_result *result)
{
	message(t->options->command, "%s", result->failure.error.text);
	if (t->options->spec->require_all)
		message(t->options->command,
		    "all destinations are required");
	/* An interrupted run may fail on the way out. */
	return t->is_interrupted ? CLI_INTERRUPTED : CLI_RUN_FAILED;
}

/* ", to 'nbd://host'" */
static const char *
name_destination(const struct telling *t, unsigned destination,
    const char *before, char *text, size_t size)
{
	const char *label =
	    t->options->spec->destinations[destination]->name;
	char name[128];

	(void)snprintf(text, size, "%s'%s'", before,
	    escape_text(label, strlen(label), name, sizeof name));
	return text;
}

static void
tell_not_copied(const struct telling *t, const struct run_result *result)
{
	const struct run_spec *spec = t->options->spec;
	bool compares = spec->mode == RUN_VERIFY;
	const struct run_gap *g;
	char name[160];

	for (size_t i = 0; i < result->n_not_copied; i++) {
		g = &result->not_copied[i];
		name[0] = '\0';
		if (spec->n_destinations > 1)
			(void)name_destination(t, g->destination,
			    compares ? ", with " : ", to ", name,
			    sizeof name);
		message(t->options->command,
		    "not %s: %" PRIu64 " bytes at offset %" PRIu64
		    " of the %s%s: %s",
		    compares ? "compared" : "copied", g->length, g->offset,
		    g->side, name, g->reason);
	}
}

/* Data, for standard output; JSON has them in the result. */
static int
tell_differences(const struct telling *t, const struct run_result *result)
{
	const struct run_difference *d;

	for (size_t i = 0; !t->options->json && i < result->n_differences;
	     i++) {
		d = &result->differences[i];
		if (t->options->spec->n_destinations > 1)
			(void)printf("disk %u: ", d->destination + 2);
		(void)printf("%" PRIu64 " bytes at offset %" PRIu64
		    " differ\n", d->length, d->offset);
	}
	if (result->differences_are_cut && !t->options->quiet)
		message(t->options->command,
		    "warning: there are more differences than are listed");
	return CLI_DIFFERENT;
}

static void
finish_bar(const struct telling *t, const struct run_result *result)
{
	bar_finish(t->bar, "", t->options->spec->mode, &result->progress);
}

static int
tell_repaired(const struct telling *t, const struct run_result *result)
{
	(void)tell_differences(t, result);
	if (!t->options->quiet)
		message(t->options->command,
		    "repaired: %" PRIu64 " bytes were written, and compared "
		    "again",
		    result->repaired_bytes);
	return CLI_OK;
}

/* Whatever else there is to be told; returns how many. */
static unsigned
tell_failed_destinations(const struct telling *t,
    const struct run_result *result)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++) {
		if (result->destination_failures[i] == NULL)
			continue;
		message(t->options->command, "%s",
		    result->destination_failures[i]);
		n++;
	}
	return n;
}

static int
tell_partial(const struct telling *t, const struct run_result *result)
{
	if (result->repaired_bytes > 0)
		(void)tell_repaired(t, result);
	finish_bar(t, result);
	return CLI_WARNINGS;
}

#define MAX_BAD_RANGES_TOLD 20

static bool
is_of_source(const struct run_bad_range *b)
{
	return strcmp(b->side, "source") == 0;
}

/*
 * The result has what the source could not be read for once for each
 * destination; people read it once.  NULL: no memory.  The caller frees it.
 */
static struct run_bad_range *
join_bad_ranges(const struct run_result *result, size_t *ret_n)
{
	struct run_bad_range *v = calloc(result->n_bad_ranges + 1, sizeof *v);

	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < result->n_bad_ranges; i++) {
		v[i] = result->bad_ranges[i];
		if (is_of_source(&v[i]))
			v[i].destination = 0;
	}
	*ret_n = bad_ranges_sort(v, result->n_bad_ranges);
	return v;
}

static void
tell_bad_range(const struct telling *t, const struct run_bad_range *b)
{
	char name[160] = "";

	if (!is_of_source(b) && t->options->spec->n_destinations > 1)
		(void)name_destination(t, b->destination, " ", name,
		    sizeof name);
	message(t->options->command,
	    "skipped: %" PRIu64 " bytes at offset %" PRIu64 ": %s%s: %s",
	    b->length, b->offset, b->side, name, strerror(-b->errnum));
}

/* The first of them.  Returns how many bytes all are. */
static uint64_t
list_bad_ranges(const struct telling *t, const struct run_result *result,
    size_t *ret_n)
{
	CLEANUP(cleanup_free) void *joined = NULL;
	const struct run_bad_range *v = result->bad_ranges;
	size_t n = result->n_bad_ranges;
	uint64_t bytes = 0;
	size_t i;

	joined = join_bad_ranges(result, &n);
	if (joined != NULL)
		v = joined;
	for (i = 0; i < n; i++) {
		bytes += v[i].length;
		if (i < MAX_BAD_RANGES_TOLD)
			tell_bad_range(t, &v[i]);
	}
	if (n > MAX_BAD_RANGES_TOLD)
		message(t->options->command, "and %zu more ranges; --json "
		    "lists them all", n - MAX_BAD_RANGES_TOLD);
	*ret_n = n;
	return bytes;
}

static void
tell_filled(const struct telling *t, const struct run_result *result)
{
	if (result->filled_bytes == 0)
		return;
	if (t->options->spec->n_destinations > 1)
		message(t->options->command, "filled: %" PRIu64
		    " bytes, all destinations together",
		    result->filled_bytes);
	else
		message(t->options->command, "filled: %" PRIu64
		    " of these bytes", result->filled_bytes);
}

/*
 * A destination that has failed, or a tail that was left out, is more than
 * these ranges.
 */
static int
tell_bad_ranges(const struct telling *t, const struct run_result *result,
    unsigned n_failed)
{
	const struct command *command = t->options->command;
	size_t n;
	uint64_t bytes = list_bad_ranges(t, result, &n);

	if (result->repaired_bytes > 0)
		(void)tell_differences(t, result);
	finish_bar(t, result);
	message(command, "finished, but for %" PRIu64 " bad bytes in %zu "
	    "ranges", bytes, n);
	tell_filled(t, result);
	if (result->repaired_bytes > 0)
		message(command, "repaired: %" PRIu64 " other bytes",
		    result->repaired_bytes);
	return n_failed > 0 || result->n_not_copied > 0 ? CLI_WARNINGS :
							  CLI_BAD_RANGES;
}

/* "2026-11-22T02:41:10Z" */
static const char *
format_time(int64_t at_ms, char text[32])
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	return text;
}

static int
tell_stopped(const struct telling *t, const struct run_result *result)
{
	const struct run_mirror *m = &result->progress.mirror;
	char text[32];

	if (!t->options->quiet)
		message(t->options->command,
		    "stopped after %" PRIu64 " complete passes; what the "
		    "source had at %s is at the destination",
		    m->n_complete, format_time(m->consistent_at_ms, text));
	return CLI_OK;
}

static int
tell_cancelled(const struct telling *t, const struct run_result *result)
{
	const struct run_mirror *m = &result->progress.mirror;
	char text[32];

	if (m->consistent_at_ms != 0)
		message(t->options->command,
		    "cancelled in pass %u; the destination was last complete "
		    "with what the source had at %s",
		    m->pass, format_time(m->consistent_at_ms, text));
	else if (t->options->spec->mode != RUN_VERIFY)
		message(t->options->command,
		    "cancelled; the destination is incomplete");
	else
		message(t->options->command, "cancelled; not all was %s",
		    t->options->spec->repair ? "compared and repaired" :
					       "compared");
	return t->is_interrupted ? CLI_INTERRUPTED : CLI_CANCELLED;
}

/* Did it go on from an earlier run? */
static void
tell_resumed(const struct telling *t, const struct run_result *result)
{
	char size[UNITS_TEXT_SIZE];

	if (t->options->quiet)
		return;
	if (result->is_resumed)
		message(t->options->command, "went on from %s: %s were done "
		    "already", t->options->checkpoint,
		    units_format_size(
			result->progress.destinations[0].resumed_bytes, size));
	else if (result->not_resumed.code != 0)
		message(t->options->command, "did not go on from %s: %s",
		    t->options->checkpoint, result->not_resumed.text);
}

/* Data, as the differences are. */
static void
tell_digest(const struct telling *t, const struct run_result *result)
{
	const struct run_digest *d = &result->digest;
	char text[DIGEST_TEXT_SIZE];

	if (d->is_known && !t->options->json)
		(void)printf("%s %s\n", digest_name(d->algorithm),
		    digest_format(d->algorithm, d->value, text));
}

/*
 * What has not been done to the end, or not at all destinations, leaves the
 * file as it is; a tail that was left out is in it as that.
 */
static int
note_in_mapfile(const struct telling *t, const struct run_result *result,
    int exit_code)
{
	struct error e;

	if (t->options->mapfile == NULL ||
	    (result->outcome != RUN_SUCCEEDED &&
		result->outcome != RUN_PARTIAL &&
		result->outcome != RUN_BAD_RANGES) ||
	    mapfile_write(t->options->mapfile, result, &e) == 0)
		return exit_code;
	message(t->options->command, "%s", e.text);
	return CLI_ERROR;
}

static int
tell_outcome(const struct telling *t, const struct run_result *result,
    unsigned n_failed)
{
	size_t n_bad;

	switch (result->outcome) {
	case RUN_SUCCEEDED:
		finish_bar(t, result);
		return CLI_OK;
	case RUN_PARTIAL:
		return tell_partial(t, result);
	case RUN_DIFFERENT:
		(void)list_bad_ranges(t, result, &n_bad);
		return tell_differences(t, result);
	case RUN_BAD_RANGES:
		return tell_bad_ranges(t, result, n_failed);
	case RUN_FAILED:
		return tell_failure(t, result);
	case RUN_STOPPED:
		return tell_stopped(t, result);
	case RUN_REPAIRED:
		return tell_repaired(t, result);
	case RUN_CANCELLED:
		return tell_cancelled(t, result);
	}
	return CLI_ERROR;
}

int
copy_result_tell(const struct copy_engine_options *options,
    const struct run_result *result, struct bar *bar, bool is_interrupted)
{
	const struct telling t = { options, bar, is_interrupted };
	unsigned n_failed = 0;
	int exit_code;

	bar_clear(bar);
	tell_resumed(&t, result);
	tell_gave_up(&t, result);
	tell_not_copied(&t, result);
	if (result->outcome != RUN_FAILED)
		n_failed = tell_failed_destinations(&t, result);
	exit_code = tell_outcome(&t, result, n_failed);
	tell_digest(&t, result);
	if (n_failed == 0)
		exit_code = note_in_mapfile(&t, result, exit_code);
	if (options->json &&
	    output_json(report_result_in_full(result)) != CLI_OK &&
	    exit_code == CLI_OK)
		exit_code = CLI_ERROR;
	return exit_code;
}
