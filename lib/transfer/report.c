/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/report.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "transfer/progress.h"

json_t *
report_time(int64_t at_ms)
{
	time_t seconds = (time_t)(at_ms / 1000);
	char date[32];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return NULL;
	return json_sprintf("%s.%03dZ", date, (int)(at_ms % 1000));
}

json_t *
report_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return report_time((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

#define MAX_UNFLUSHED 0.999

/*
 * 0 while nothing is known, 1 only when all is over: what is written and not
 * flushed may still be lost.
 */
static double
progress_ratio(const struct run_progress *p)
{
	double ratio;

	if (p->total_bytes == 0)
		return p->phase == RUN_FINISHED && p->lanes > 0 ? 1.0 : 0.0;
	ratio = (double)progress_settled(p) / (double)p->total_bytes;
	return p->phase != RUN_FINISHED && ratio > MAX_UNFLUSHED ?
	    MAX_UNFLUSHED : ratio;
}

static json_int_t
mean_rate(const struct run_progress *p)
{
	if (p->elapsed_ms == 0)
		return 0;
	return (json_int_t)((double)p->done_bytes * 1000.0 /
	    (double)p->elapsed_ms);
}

static json_t *
report_destination(const struct run_destination_progress *d)
{
	return json_pack(
	    "{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
	    "s:I, s:I, s:I, s:I}",
	    "failed", d->is_failed,
	    "size_bytes", (json_int_t)d->size,
	    "total_bytes", (json_int_t)d->total_bytes,
	    "done_bytes", (json_int_t)d->done_bytes,
	    "written_bytes", (json_int_t)d->written_bytes,
	    "zeroed_bytes", (json_int_t)d->zeroed_bytes,
	    "trimmed_bytes", (json_int_t)d->trimmed_bytes,
	    "untouched_bytes", (json_int_t)d->untouched_bytes,
	    "equal_bytes", (json_int_t)d->equal_bytes,
	    "differing_bytes", (json_int_t)d->differing_bytes,
	    "resumed_bytes", (json_int_t)d->resumed_bytes,
	    "failed_bytes", (json_int_t)d->failed_bytes,
	    "filled_bytes", (json_int_t)d->filled_bytes,
	    "behind_bytes", (json_int_t)d->behind_bytes,
	    "durable_bytes", (json_int_t)d->durable_bytes,
	    "flushes", (json_int_t)d->n_flushes);
}

/* Each what the function makes of it; NULL: out of memory. */
static json_t *
report_destinations(const struct run_progress *p)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; list != NULL && i < p->n_destinations; i++)
		if (json_array_append_new(list,
			report_destination(&p->destinations[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* null: of no time that is known. */
static json_t *
time_or_null(int64_t at_ms)
{
	return at_ms == 0 ? json_null() : report_time(at_ms);
}

static json_t *
report_consistent_each(const struct run_mirror *m)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; list != NULL && i < m->n_destinations; i++)
		if (json_array_append_new(list,
			json_pack("{s:o}", "consistent_at",
			    time_or_null(m->consistent_at_each_ms[i]))) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
report_mirror(const struct run_mirror *m)
{
	return json_pack(
	    "{s:i, s:I, s:I, s:b, s:o, s:o, s:o, s:I, s:o, s:s?}", "pass",
	    (int)m->pass, "passes_complete", (json_int_t)m->n_complete,
	    "passes_failed", (json_int_t)m->n_failed, "in_sync",
	    m->is_in_sync, "consistent_at",
	    time_or_null(m->consistent_at_ms), "consistent_age_ms",
	    m->consistent_at_ms == 0 ?
		json_null() :
		json_integer((json_int_t)m->consistent_age_ms),
	    "destinations", report_consistent_each(m), "shrunk_from_bytes",
	    (json_int_t)m->shrunk_from, "next_pass_at",
	    time_or_null(m->next_pass_at_ms), "failure",
	    m->failure[0] != '\0' ? m->failure : NULL);
}

static json_t *
report_figures(const struct run_progress *p)
{
	return json_pack(
	    "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, "
	    "s:I, s:I, s:i, s:i, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:I, "
	    "s:i, s:I, s:s?, s:I, s:I, s:I, s:I}",
	    "phase", run_phase_name(p->phase),
	    "total_bytes", (json_int_t)p->total_bytes,
	    "done_bytes", (json_int_t)p->done_bytes,
	    "read_bytes", (json_int_t)p->read_bytes,
	    "written_bytes", (json_int_t)p->written_bytes,
	    "zeroed_bytes", (json_int_t)p->zeroed_bytes,
	    "trimmed_bytes", (json_int_t)p->trimmed_bytes,
	    "untouched_bytes", (json_int_t)p->untouched_bytes,
	    "durable_bytes", (json_int_t)p->durable_bytes,
	    "ratio", progress_ratio(p),
	    "rate_bytes_per_s", mean_rate(p),
	    "elapsed_ms", (json_int_t)p->elapsed_ms,
	    "source_size_bytes", (json_int_t)p->source_size,
	    "destination_size_bytes", (json_int_t)p->destination_size,
	    "connections", (int)p->lanes,
	    "queue_depth", (int)p->queue_depth,
	    "request_size_bytes", (int)p->request_size,
	    "limited_by", p->limited_by,
	    "rate_limit_bytes_per_s", (json_int_t)p->rate_limit,
	    "memory_bytes", (json_int_t)p->memory,
	    "memory_peak_bytes", (json_int_t)p->memory_peak,
	    "equal_bytes", (json_int_t)p->equal_bytes,
	    "differing_bytes", (json_int_t)p->differing_bytes,
	    "destinations", report_destinations(p),
	    "reconnects", (json_int_t)p->n_reconnects,
	    "connections_away", (int)p->n_away,
	    "stalled_ms", (json_int_t)p->stalled_ms, "trying_again",
	    p->trying_again[0] != '\0' ? p->trying_again : NULL,
	    "retries", (json_int_t)p->n_retries,
	    "checkpoint_age_ms", (json_int_t)p->checkpoint_age_ms,
	    "verified_bytes", (json_int_t)p->verified_bytes,
	    "failed_bytes", (json_int_t)p->failed_bytes);
}

json_t *
report_progress(const struct run_progress *p)
{
	json_t *o = report_figures(p);

	if (o != NULL && p->mirror.is_mirror &&
	    json_object_set_new(o, "mirror", report_mirror(&p->mirror)) < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* What a run has done that ended otherwise need not have been flushed. */
static json_t *
report_last_progress(const struct run_result *r)
{
	json_t *o = report_progress(&r->progress);
	double ratio = json_real_value(json_object_get(o, "ratio"));

	if ((r->outcome == RUN_FAILED || r->outcome == RUN_CANCELLED) &&
	    ratio > MAX_UNFLUSHED &&
	    json_object_set_new(o, "ratio", json_real(MAX_UNFLUSHED)) < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *
report_all_passes(const struct run_progress *p)
{
	const struct run_bytes *e = &p->earlier;

	return json_pack("{s:I, s:I, s:I, s:I}",
	    "read_bytes", (json_int_t)(e->read + p->read_bytes),
	    "written_bytes", (json_int_t)(e->written + p->written_bytes),
	    "zeroed_bytes", (json_int_t)(e->zeroed + p->zeroed_bytes),
	    "trimmed_bytes", (json_int_t)(e->trimmed + p->trimmed_bytes));
}

static json_t *
report_failure(const struct run_failure *f)
{
	json_t *o;

	o = json_pack("{s:s, s:s, s:s, s:i}", "message", f->error.text, "side",
	    f->side, "error", strerror(-f->errnum), "errno", -f->errnum);
	if (o != NULL && f->is_request &&
	    (json_object_set_new(o, "operation",
		 json_string(f->operation)) < 0 ||
		json_object_set_new(o, "offset_bytes",
		    json_integer((json_int_t)f->offset)) < 0 ||
		json_object_set_new(o, "length_bytes",
		    json_integer((json_int_t)f->length)) < 0)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *
report_gave_up(const struct run_result *r)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; list != NULL && i < r->n_gave_up; i++) {
		if (json_array_append_new(list,
			json_string(r->gave_up[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* A sentence for each destination that failed, null for the others. */
static json_t *
report_destination_failures(const struct run_result *r)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; list != NULL && i < r->progress.n_destinations; i++)
		if (json_array_append_new(list,
			r->destination_failures[i] == NULL ?
			    json_null() :
			    json_string(r->destination_failures[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* NULL: out of memory; null: none, or not of all. */
static json_t *
report_digest(const struct run_result *r)
{
	char text[DIGEST_TEXT_SIZE];

	if (!r->digest.is_known)
		return json_null();
	return json_pack("{s:s, s:s, s:I}", "algorithm",
	    digest_name(r->digest.algorithm), "value",
	    digest_format(r->digest.algorithm, r->digest.value, text),
	    "bytes", (json_int_t)r->digest.bytes);
}

/* With so many entries of each list; in their order. */
static json_t *
make_result(const struct run_result *r, size_t most)
{
	json_t *o = json_pack(
	    "{s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:[], s:b, s:[], s:[], s:b, "
	    "s:o, s:o, s:o, s:o, s:I, s:I}",
	    "result",
	    run_outcome_name(r->outcome), "started_at",
	    report_time(r->started_at_ms), "finished_at",
	    report_time(r->finished_at_ms), "failure",
	    r->outcome == RUN_FAILED ? report_failure(&r->failure) :
				       json_null(),
	    "failed_requests", (json_int_t)r->n_failed_requests, "gave_up",
	    report_gave_up(r), "destination_failures",
	    report_destination_failures(r), "differences",
	    "differences_are_cut", r->differences_are_cut, "not_copied",
	    "bad_ranges",
	    "resumed", r->is_resumed,
	    "not_resumed", r->not_resumed.code != 0 ?
		json_string(r->not_resumed.text) :
		json_null(),
	    "progress",
	    report_last_progress(r),
	    "all_passes", report_all_passes(&r->progress),
	    "digest", report_digest(r),
	    "filled_bytes", (json_int_t)r->filled_bytes,
	    "repaired_bytes", (json_int_t)r->repaired_bytes);

	if (report_put_lists(o, r, most) == 0)
		return o;
	json_decref(o);
	return NULL;
}

json_t *
report_result(const struct run_result *r)
{
	return make_result(r, SIZE_MAX);
}

json_t *
report_result_cut(const struct run_result *r, size_t most)
{
	json_t *o = make_result(r, most);

	report_put(&o, "lists_are_cut", json_boolean(r->n_differences > most ||
	    r->n_not_copied > most || r->n_bad_ranges > most));
	return o;
}

json_t *
report_result_in_full(const struct run_result *r)
{
	json_t *o = make_result(r, SIZE_MAX);

	if (o != NULL && report_put_block_digests(o, r) == 0)
		return o;
	json_decref(o);
	return NULL;
}
