/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connections of the run that goes on, each as it is now.
 */

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"
#include "transfer/report.h"

/* Of microseconds, as "0.35"; null: it is not known. */
static json_t *
latency_to_json(uint64_t us)
{
	return us == 0 ? json_null() : json_real((double)us / 1000.0);
}

static json_t *
to_json(const struct job *job, const struct run_connection *c) ON_MAIN
{
	return json_pack("{s:s, s:s, s:i, s:s, s:o, s:I, s:o, s:o, s:s?, s:s?, "
	    "s:I, s:o, s:s?}",
	    "side", c->is_destination ? "destination" : "source",
	    "endpoint", c->is_destination &&
	    c->destination < job->n_destinations ?
	    job->destinations[c->destination] : job->source,
	    "id", (int)c->number,
	    "state", run_connection_state_name(c->state),
	    "since", report_time(job_now_ms() - (int64_t)c->since_ms),
	    "in_flight", (json_int_t)c->in_flight,
	    "latency_ms", latency_to_json(c->latency_us),
	    "latency_p99_ms", latency_to_json(c->latency_p99_us),
	    "tls", c->tls_version, "tls_cipher", c->tls_cipher,
	    "reconnects", (json_int_t)c->n_reconnects,
	    "next_try_s", !c->waits ? json_null() :
	    json_integer((json_int_t)(c->next_try_ms + 999) / 1000),
	    "error", c->error == 0 ? NULL : strerror(-c->error));
}

/* Those to one disk one after the other, the source first. */
static int
compare(const void *left, const void *right)
{
	const struct run_connection *a = left, *b = right;

	if (a->is_destination != b->is_destination)
		return a->is_destination - b->is_destination;
	if (a->destination != b->destination)
		return a->destination < b->destination ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

json_t *
job_connections_to_json(const struct job *job)
{
	CLEANUP(cleanup_free) struct run_connection *v =
	    calloc(RUN_CONNECTIONS, sizeof *v);
	json_t *list = v == NULL ? NULL : json_array();
	size_t n = 0;

	if (list != NULL && job->run != NULL && !job->is_preparing)
		n = series_get_connections(job->run, v, RUN_CONNECTIONS);
	if (n > 0)
		qsort(v, n, sizeof *v, compare);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, to_json(job, &v[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}
