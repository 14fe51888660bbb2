/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of GET /metrics: requests to servers, by job, and by side and kind.
 */

#include "control/metrics.h"

#include <inttypes.h>

#include "transfer/stats.h"

/* "block status" is one word here. */
static const char *
command_label(unsigned row, char buf[32])
{
	(void)snprintf(buf, 32, "%s", stats_command(row));
	for (char *c = buf; *c != '\0'; c++)
		if (*c == ' ')
			*c = '-';
	return buf;
}

static void
put_durations(FILE *f, unsigned i_row, const struct stats *row)
{
	static const char name[] = "nbdsync_request_duration_seconds";
	char command[32];
	char labels[96];
	uint64_t n = 0;

	(void)snprintf(labels, sizeof labels, "side=\"%s\",command=\"%s\"",
	    row->side, command_label(i_row, command));
	for (unsigned i = 0; i <= STATS_BUCKETS; i++) {
		n += row->buckets[i];
		(void)fprintf(f, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n",
		    name, labels, i == STATS_BUCKETS ? "+Inf" :
		    stats_limit(i), n);
	}
	(void)fprintf(f, "%s_sum{%s} %.15g\n%s_count{%s} %" PRIu64 "\n", name,
	    labels, (double)row->sum_us / 1e6, name, labels, n);
}

/* Errors and times are by kind alone: by job there would be too many. */
void
metrics_put_kinds(FILE *f)
{
	struct stats rows[STATS_ROWS];
	char command[32];

	for (unsigned i = 0; i < STATS_ROWS; i++)
		stats_get(i, &rows[i]);
	metrics_head(f, "nbdsync_request_errors_total", "counter",
	    "requests to servers that have failed");
	for (unsigned i = 0; i < STATS_ROWS * STATS_ERRORS; i++)
		(void)fprintf(f, "nbdsync_request_errors_total{side=\"%s\","
		    "command=\"%s\",errno=\"%s\"} %" PRIu64 "\n",
		    rows[i / STATS_ERRORS].side,
		    command_label(i / STATS_ERRORS, command),
		    stats_error_name(i % STATS_ERRORS),
		    rows[i / STATS_ERRORS].errors[i % STATS_ERRORS]);
	metrics_head(f, "nbdsync_request_duration_seconds", "histogram",
	    "how long requests have taken");
	for (unsigned i = 0; i < STATS_ROWS; i++)
		put_durations(f, i, &rows[i]);
}

static void
put_ended(FILE *f, const struct jobs *jobs) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;
	char command[32];

	metrics_head(f, "nbdsync_requests_total", "counter",
	    "requests to servers that have ended");
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		for (unsigned i = 0; i < STATS_ROWS; i++)
			(void)fprintf(f, "nbdsync_requests_total{job=\"%s\","
			    "side=\"%s\",command=\"%s\"} %" PRIu64 "\n",
			    view.name, stats_side(i), command_label(i,
			    command), view.counts->ended[i]);
	}
}

static void
put_in_flight(FILE *f, const struct jobs *jobs, enum copy_side side,
    const char *name) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;

	while ((job = jobs_next(jobs, job)) != NULL) {
		int64_t n;

		job_get_view(job, &view);
		n = view.counts->in_flight[side];
		/* A request may end before its start has been noted. */
		(void)fprintf(f, "nbdsync_inflight_requests{job=\"%s\","
		    "side=\"%s\"} %" PRId64 "\n", view.name, name,
		    view.is_running && n > 0 ? n : 0);
	}
}

void
metrics_put_requests(FILE *f, const struct jobs *jobs)
{
	put_ended(f, jobs);
	metrics_head(f, "nbdsync_inflight_requests", "gauge",
	    "requests that have not been answered yet");
	put_in_flight(f, jobs, COPY_SOURCE, "source");
	put_in_flight(f, jobs, COPY_DESTINATION, "destination");
}
