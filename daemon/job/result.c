/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What has become of a run: in sentences for the log, and as JSON, for the
 * status, the history and hooks.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "job/job-private.h"
#include "transfer/report.h"

#define AMOUNT_SIZE (4 * UNITS_TEXT_SIZE + 32)

/* "64.0 MiB in 2.1 s (30.5 MiB/s, 1.0 MiB of it zeroes)" */
static const char *
describe_amount(const struct run_progress *p, char buf[AMOUNT_SIZE])
{
	char done[UNITS_TEXT_SIZE], took[UNITS_TEXT_SIZE];
	char rate[UNITS_TEXT_SIZE], zeroed[UNITS_TEXT_SIZE];
	uint64_t ms = p->elapsed_ms == 0 ? 1 : p->elapsed_ms;

	(void)snprintf(buf, AMOUNT_SIZE, "%s in %s (%s/s, %s of it zeroes)",
	    units_format_size(p->done_bytes, done),
	    units_format_time_ms(p->elapsed_ms, took),
	    units_format_size((uint64_t)((double)p->done_bytes * 1000.0 /
	    (double)ms), rate), units_format_size(p->zeroed_bytes, zeroed));
	return buf;
}

static void
log_success(struct job *job, const struct run_progress *p) ON_MAIN
{
	char amount[AMOUNT_SIZE];

	job_say(job, MSG_RUN_SUCCEEDED, LOG_LEVEL_INFO, "succeeded: %s",
	    describe_amount(p, amount));
}

static void
log_not_copied(struct job *job, const struct run_result *result) ON_MAIN
{
	for (size_t i = 0; i < result->n_not_copied; i++) {
		const struct run_gap *g = &result->not_copied[i];

		job_say(job, MSG_RUN_WARNING, LOG_LEVEL_ERROR,
		    "not copied to '%s': %" PRIu64
		    " bytes at offset %" PRIu64 " of the %s: %s",
		    job->destinations[g->destination], g->length, g->offset,
		    g->side, g->reason);
	}
}

/* What has failed has been said; here is which, in the line of the end. */
static void
log_partial(struct job *job, const struct run_result *result) ON_MAIN
{
	char failed[sizeof job->destination_names + 32] = "";
	char gaps[64] = "", amount[AMOUNT_SIZE];
	uint64_t bytes = 0;
	size_t used = 0;

	for (unsigned i = 0; i < job->n_destinations; i++)
		if (result->destination_failures[i] != NULL)
			used += (size_t)snprintf(failed + used,
			    sizeof failed - used, "%s'%s'", used == 0 ?
			    "; failed: " : ", ", job->destinations[i]);
	for (size_t i = 0; i < result->n_not_copied; i++)
		bytes += result->not_copied[i].length;
	if (bytes > 0)
		(void)snprintf(gaps, sizeof gaps, "; not copied: %" PRIu64
		    " bytes", bytes);
	job_say(job, MSG_RUN_WARNING, LOG_LEVEL_WARNING,
	    "succeeded with warnings: %s%s%s",
	    describe_amount(&result->progress, amount), failed, gaps);
}

/* Once each, however many destinations lack it; or what was filled of it. */
static uint64_t
count_bad(const struct run_result *result, bool filled, size_t *ret_n)
{
	CLEANUP(ranges_done) struct ranges bad = { .v = NULL };

	for (size_t i = 0; i < result->n_bad_ranges; i++) {
		const struct run_bad_range *b = &result->bad_ranges[i];

		if (!filled || b->is_filled)
			(void)ranges_add(&bad, b->offset, b->length);
	}
	*ret_n = bad.n;
	return ranges_total(&bad);
}

/* The first of them; the status has them all. */
static void
log_bad_ranges(struct job *job, const struct run_result *result) ON_MAIN
{
	size_t n;
	uint64_t bytes = count_bad(result, false, &n);
	char ranges[UNITS_TEXT_SIZE];

	if (result->n_bad_ranges == 0) {
		job_say(job, MSG_RUN_WARNING, LOG_LEVEL_ERROR, "finished, but "
		    "for ranges for the list of which there was no memory");
		return;
	}
	job_say(job, MSG_RUN_WARNING, LOG_LEVEL_ERROR,
	    "finished, but for %" PRIu64 " bad bytes in %s, the first at "
	    "offset %" PRIu64 ": %s: %s",
	    bytes, units_format_count(n, "range", ranges),
	    result->bad_ranges[0].offset, result->bad_ranges[0].side,
	    strerror(-result->bad_ranges[0].errnum));
	bytes = count_bad(result, true, &n);
	if (bytes > 0)
		job_say(job, MSG_RUN_WARNING, LOG_LEVEL_WARNING, "filled %"
		    PRIu64 " of these bytes", bytes);
}

/* With the place, for those who search the journal by it. */
static void
log_failure(struct job *job, const struct run_failure *f) ON_MAIN
{
	const char *endpoint = strcmp(f->side, "source") == 0 ? job->source :
	    f->is_request ? job->destinations[f->destination] : NULL;

	job_say_about(job, (struct log_about){ LOG_HERE,
	    .message = &messages[MSG_RUN_FAILED], .endpoint = endpoint,
	    .errnum = f->errnum < 0 ? -f->errnum : 0,
	    .offset = f->is_request ? f->offset : 0,
	    .length = f->is_request ? f->length : 0 }, LOG_LEVEL_ERROR,
	    "failed: %s", f->error.text);
}

/* Whatever became of the others. */
static void
log_failed_destinations(struct job *job, const struct run_result *result)
    ON_MAIN
{
	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++)
		if (result->destination_failures[i] != NULL)
			job_say(job, MSG_RUN_NOTE, LOG_LEVEL_ERROR, "%s",
			    result->destination_failures[i]);
}

void
job_log_result(struct job *job, const struct run_result *result)
{
	for (size_t i = 0; i < result->n_gave_up; i++)
		job_say(job, MSG_RUN_NOTE, LOG_LEVEL_WARNING,
		    "%s", result->gave_up[i]);
	if (result->outcome != RUN_FAILED)
		log_failed_destinations(job, result);
	switch (result->outcome) {
	case RUN_SUCCEEDED:
		log_success(job, &result->progress);
		break;
	case RUN_PARTIAL:
		log_not_copied(job, result);
		log_partial(job, result);
		break;
	case RUN_DIFFERENT:
		job_say(job, MSG_RUN_DIFFERENT, LOG_LEVEL_WARNING, "%s",
		    job->wish.line != NULL ?
			"the destination is not what that run has written" :
		    job->mode == RUN_VERIFY ?
			"source and destination differ" :
			"what was read back is not what was written");
		if (result->n_bad_ranges > 0)
			log_bad_ranges(job, result);
		break;
	case RUN_BAD_RANGES:
		log_bad_ranges(job, result);
		break;
	case RUN_FAILED:
		log_failure(job, &result->failure);
		break;
	case RUN_STOPPED:
		job_say(job, MSG_RUN_SUCCEEDED, LOG_LEVEL_INFO,
		    "stopped, after %" PRIu64 " passes",
		    result->progress.mirror.n_complete);
		break;
	case RUN_REPAIRED:
		job_say(job, MSG_RUN_REPAIRED, LOG_LEVEL_WARNING, "%" PRIu64
		    " bytes that differed were repaired",
		    result->repaired_bytes);
		break;
	case RUN_CANCELLED:
		job_say(job, MSG_RUN_CANCELLED, LOG_LEVEL_INFO, "cancelled");
		break;
	}
}

/* { "id", "trigger", and what report_result_cut() says } */
json_t *
job_result_to_json(const struct job *job, const struct run_result *result)
{
	json_t *report = report_result_cut(result, JOB_LIST_MAX);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "id",
	    job->run_id, "uuid", job->run_uuid, "trigger", job->trigger,
	    "mode", run_mode_name(job->mode), "partial", job_is_partial(job),
	    "reason", job->wish.reason);

	if (o == NULL || report == NULL || json_object_update(o, report) < 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(report);
	return o;
}

json_t *
job_describe_run(const struct job *job)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "job",
	    job->name, "run", job->run_id, "run_uuid", job->run_uuid,
	    "trigger", job->trigger, "source", job->source, "destination",
	    job->destination_names, "destinations");
	json_t *list = json_object_get(o, "destinations");

	for (unsigned i = 0; i < job->n_destinations; i++)
		(void)json_array_append_new(list,
		    json_string(job->destinations[i]));
	return o;
}

/* The same with the run's result, whose lists are whole. */
json_t *
job_describe_result(const struct job *job, const json_t *report,
    const struct run_result *result)
{
	json_t *o = job_describe_run(job);
	json_t *all = json_copy((json_t *)(uintptr_t)report);

	(void)json_object_del(all, "lists_are_cut");
	if (report_put_lists(all, result, SIZE_MAX) < 0) {
		json_decref(all);
		all = NULL;
	}

	(void)json_object_set_new(o, "state", json_string("stopping"));
	/* It may be one of an earlier daemon. */
	(void)json_object_set(o, "run", json_object_get(report, "id"));
	(void)json_object_set(o, "run_uuid", json_object_get(report, "uuid"));
	(void)json_object_set(o, "trigger", json_object_get(report,
	    "trigger"));
	(void)json_object_set(o, "bytes", json_object_get(json_object_get(
	    report, "progress"), "done_bytes"));
	(void)json_object_set(o, "result", json_object_get(report, "result"));
	(void)json_object_set(o, "error", json_object_get(json_object_get(
	    report, "failure"), "message"));
	(void)json_object_set_new(o, "last_run", all);
	return o;
}
