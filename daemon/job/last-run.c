/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of the last run of a job: its report, but for the rest of lists
 * that may have a hundred thousand entries, while whoever asks for the status
 * does it often.  All of it is in the history.
 *
 * It is kept as text: as values of jansson's it would take six times the room
 * in each of a thousand jobs, and be made text again for each answer.  What an
 * earlier daemon has left is read, and cut, on the store's thread.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"
#include "transfer/report.h"

/* What is in the report of a run, and not told with its job. */
static const char *const report_only[] = { "destination", "destinations_id",
	"block_digests" };

/* What there is of a job in the store, as it is needed here. */
struct recalled {
	char *told;
	enum run_mode mode;
	struct job_kept_map map;
};

static void
recalled_free(void *arg)
{
	struct recalled *r = arg;

	free(r->told);
	job_kept_map_done(&r->map);
	free(r);
}

/* Any thread.  NULL: out of memory. */
static char *
shorten(const json_t *report)
{
	static const char *const lists[] = { "differences", "bad_ranges",
		"not_copied" };
	json_t *o = json_copy((json_t *)(uintptr_t)report);
	bool is_cut = false;
	char *text;

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		json_t *list = json_object_get(o, lists[i]);
		json_t *some;

		if (json_array_size(list) <= JOB_LIST_MAX)
			continue;
		some = json_array();
		for (size_t k = 0; k < JOB_LIST_MAX; k++)
			(void)json_array_append(some,
			    json_array_get(list, k));
		(void)json_object_set_new(o, lists[i], some);
		is_cut = true;
	}
	(void)json_object_set_new(o, "lists_are_cut", json_boolean(is_cut));
	text = report_text(o);
	json_decref(o);
	return text;
}

static enum run_mode
mode_of(const json_t *report)
{
	const char *word = json_string_value(json_object_get(report, "mode"));
	enum run_mode mode = RUN_COPY;

	if (word != NULL)
		(void)run_mode_parse(word, &mode);
	return mode;
}

static void
take(struct job *job, char *told, const char *id, enum run_mode mode) ON_MAIN
{
	job->last_run_mode = mode;
	free(job->last_run_told);
	job->last_run_told = told;
	(void)snprintf(job->last_run_id, sizeof job->last_run_id, "%s", id);
}

void
job_tell_last_run(struct job *job, const json_t *report)
{
	const char *id = json_string_value(json_object_get(report, "id"));

	take(job, report_text(report), id == NULL ? "" : id, mode_of(report));
}

void
job_recall_on_store(struct store_call *call)
{
	struct recalled *r;
	struct store_run *run;
	json_t *o;

	if (call->n_runs == 0 || call->runs[0]->report == NULL)
		return;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return;
	run = call->runs[0];
	o = json_loads(run->report, 0, NULL);
	for (size_t i = 0; i < sizeof report_only / sizeof report_only[0]; i++)
		(void)json_object_del(o, report_only[i]);
	r->told = o == NULL ? NULL : shorten(o);
	r->mode = mode_of(o);
	json_decref(o);
	job_kept_map_read(&r->map, run->map);
	call->made = r;
	call->free_made = recalled_free;
}

void
job_take_last_run(struct job *job, const struct store_call *call)
{
	struct recalled *r = call->made;

	if (job->last_run_told != NULL || r == NULL)
		return;
	take(job, STEAL(r->told), call->runs[0]->id, r->mode);
	job_take_kept_map(job, &r->map);
}

void
job_take_last_map(struct job *job, const struct store_call *call)
{
	struct recalled *r = call->made;

	if (r != NULL)
		job_take_kept_map(job, &r->map);
}
