/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the history has of a run, and what the status tells of it, where that
 * is much: with a real store, and runs that end when the test says so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf-text.h"
#include "fake-run.h"
#include "job/job.h"
#include "store/store.h"
#include "unit.h"

#define SOON_MS 20

static const char text[] =
    "endpoints = ( { name = \"a\"; path = \"/a\"; },"
    " { name = \"b\"; path = \"/b\"; } );\n"
    "jobs = ( { name = \"one\"; source = \"a\"; destination = \"b\"; } );";

static char dir[32];
static char path[64];
static struct net_loop *loop;
static struct net_timer timer;
static struct jobs *jobs;
static struct conf *conf;
static struct store *store;
static char *report;

static void
stop(void *arg UNUSED)
{
	net_loop_stop(loop);
}

static void
on_tick(void *arg UNUSED)
{
	on_main_entry();
	if (jobs_have_unknown(jobs))
		net_timer_start(&timer, SOON_MS);
	else
		net_loop_stop(loop);
}

static void
set_up(void)
{
	struct store_options options = { .path = path };

	on_main_entry();
	log_set_level(LOG_LEVEL_ERROR);
	(void)strcpy(dir, "/tmp/nbdsync-history.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/state.db", dir);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(net_timer_init(&timer, loop, on_tick, NULL), 0);
	ck_assert_int_eq(jobs_new(loop, NULL, &jobs), 0);
	conf = conf_text_good(text);
	ck_assert_int_eq(jobs_apply(jobs, conf), 0);
	ck_assert_int_eq(store_open(&options, &store), 0);
	jobs_set_store(jobs, store);
	net_timer_start(&timer, 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
}

static void
tear_down(void)
{
	char command[64];

	on_main_entry();
	free(report);
	report = NULL;
	store_free(store);
	jobs_free(jobs);
	conf_free(conf);
	net_timer_done(&timer);
	net_loop_free(loop);
	(void)snprintf(command, sizeof command, "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

/* A run with this result, and all is kept that is to be. */
static void
run_with(const struct run_result *result)
{
	struct error e;

	on_main_entry();
	ck_assert_int_eq(job_start(jobs_find(jobs, "one"), "control", NULL,
	    &e), 0);
	fake_run_set_result(0, result);
	fake_run_finish(0, result->outcome, NULL);
}

static void
on_run(struct store_call *call)
{
	ck_assert_int_eq(call->error.code, 0);
	report = strdup(call->runs[0]->report);
	net_loop_stop(loop);
}

/* How many entries of this list the history has; the daemon has stopped. */
static size_t
kept(const char *list)
{
	struct job_view view;
	struct store_call *call;
	json_t *o;
	size_t n;

	on_main_entry();
	job_get_view(jobs_find(jobs, "one"), &view);
	jobs_stop(jobs, stop, NULL);
	ck_assert_int_eq(net_loop_run(loop), 0);
	call = store_call_new(jobs_mailbox(jobs), on_run, NULL);
	ck_assert_ptr_nonnull(call);
	store_get_run(store, call, view.last_run_id);
	ck_assert_int_eq(net_loop_run(loop), 0);
	o = json_loads(report, 0, NULL);
	n = json_array_size(json_object_get(o, list));
	ck_assert_ptr_null(json_object_get(o, "lists_are_cut"));
	json_decref(o);
	return n;
}

/* And how many the status. */
static size_t
told(const char *list, bool *ret_is_cut)
{
	char *status;
	json_t *o, *run;
	size_t n;

	on_main_entry();
	status = job_to_text(jobs_find(jobs, "one"), NULL);
	o = json_loads(status, 0, NULL);
	free(status);
	run = json_object_get(o, "last_run");
	n = json_array_size(json_object_get(run, list));
	*ret_is_cut = json_is_true(json_object_get(run, "lists_are_cut"));
	json_decref(o);
	return n;
}

/* The second is more than all that may wait. */
static const unsigned many[] = { 100000, 200000 };

START_TEST(the_history_has_all_bad_ranges_and_the_status_the_first)
{
	unsigned n = many[_i];
	struct run_bad_range *v = calloc(n, sizeof *v);
	struct run_result result = { .outcome = RUN_BAD_RANGES,
		.bad_ranges = v, .n_bad_ranges = n };
	bool is_cut;

	ck_assert_ptr_nonnull(v);
	for (unsigned i = 0; i < n; i++)
		v[i] = (struct run_bad_range){ .side = "source",
			.offset = i * 8192ULL, .length = 4096,
			.errnum = -EIO };
	run_with(&result);
	/* The run is gone before the store has written it. */
	free(v);
	ck_assert_uint_eq(told("bad_ranges", &is_cut), JOB_LIST_MAX);
	ck_assert(is_cut);
	ck_assert_uint_eq(kept("bad_ranges"), n);
}
END_TEST

START_TEST(a_short_list_is_told_whole)
{
	const struct run_bad_range v[] = { { .side = "source", .length = 512,
	    .errnum = -EIO } };
	struct run_result result = { .outcome = RUN_BAD_RANGES,
		.bad_ranges = v, .n_bad_ranges = 1 };
	bool is_cut;

	run_with(&result);
	ck_assert_uint_eq(told("bad_ranges", &is_cut), 1);
	ck_assert(!is_cut);
	ck_assert_uint_eq(kept("bad_ranges"), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/history");
	TCase *t = tcase_create("history");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t,
	    the_history_has_all_bad_ranges_and_the_status_the_first, 0,
	    sizeof many / sizeof many[0]);
	tcase_add_test(t, a_short_list_is_told_whole);
	suite_add_tcase(s, t);
	return unit_main(s);
}
