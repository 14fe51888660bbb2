/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whole runs on real worker threads, from servers that are started for them:
 * what a run promises its owner about starting, cancelling and ending.
 */

#include "transfer/run.h"
#include "transfer/stats.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static struct net_loop *loop;
static struct mailbox *box;
static struct worker_pool *pool;
static struct endpoint_spec *source;
static struct endpoint_spec *destination;
static struct run *run;
static struct error err;
static int n_finished;

static void
setup(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(mailbox_new(loop, &box), 0);
	ck_assert_int_eq(worker_pool_start(3, &pool), 0);
	ck_assert_int_eq(endpoint_spec_from_text(NULL, "null:", &destination,
			     &err),
	    0);
	source = NULL;
	n_finished = 0;
}

static void
teardown(void)
{
	endpoint_spec_free(source);
	endpoint_spec_free(destination);
	worker_pool_stop(pool);
	mailbox_free(box);
	net_loop_free(loop);
}

static void
on_finished(struct run *finished, void *arg)
{
	ck_assert_ptr_eq(finished, run);
	ck_assert_ptr_eq(arg, &n_finished);
	n_finished++;
	net_loop_stop(loop);
}

static void
make_run(const char *const *argv, int argc)
{
	struct run_spec spec = {
		.connections = 3,
		.io_timeout_ms = 5000,
	};

	ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, argc, &source,
			     &err),
	    0);
	spec.source = source;
	spec.destinations = (const struct endpoint_spec *const *)&destination;
	spec.n_destinations = 1;
	ck_assert_int_eq(run_new(&spec, pool, box, on_finished, &n_finished,
			     &run, &err),
	    0);
}

static void
wait_for_end(void)
{
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_finished, 1);
}

START_TEST(a_run_copies_everything_over_all_its_lanes)
{
	const char *const argv[] = { "nbdkit", "pattern", "200M" };
	const struct run_result *r;

	make_run(argv, 3);
	run_start(run);
	wait_for_end();
	r = run_result(run);
	ck_assert_msg(r->outcome == RUN_SUCCEEDED, "%s",
	    r->failure.error.text);
	ck_assert_uint_eq(r->progress.total_bytes, 200 << 20);
	ck_assert_uint_eq(r->progress.done_bytes, 200 << 20);
	ck_assert_uint_eq(r->progress.durable_bytes, 200 << 20);
	ck_assert_uint_eq(r->progress.lanes, 3);
	ck_assert_int_eq(r->progress.phase, RUN_FINISHED);
	ck_assert_int_ge(r->finished_at_ms, r->started_at_ms);
	run_free(run);
}
END_TEST

START_TEST(a_cancelled_run_says_so_and_ends)
{
	const char *const argv[] = { "nbdkit", "--filter=delay", "pattern",
		"1G", "rdelay=50ms" };
	struct run_progress p;

	make_run(argv, 5);
	run_start(run);
	do
		run_get_progress(run, &p);
	while (p.phase != RUN_COPYING);
	run_cancel(run);
	run_cancel(run);
	wait_for_end();
	ck_assert_int_eq(run_result(run)->outcome, RUN_CANCELLED);
	ck_assert_uint_lt(run_result(run)->progress.done_bytes, 1 << 30);
	run_cancel(run);
	run_free(run);
}
END_TEST

START_TEST(a_run_cancelled_at_once_is_no_success)
{
	const char *const argv[] = { "nbdkit", "memory", "0" };

	make_run(argv, 3);
	run_start(run);
	run_cancel(run);
	wait_for_end();
	ck_assert_int_eq(run_result(run)->outcome, RUN_CANCELLED);
	ck_assert_uint_eq(run_result(run)->n_failed_requests, 0);
	run_free(run);
}
END_TEST

START_TEST(a_source_that_cannot_be_opened_fails_the_run)
{
	const char *const argv[] = { "/nonexistent/server" };

	make_run(argv, 1);
	run_start(run);
	wait_for_end();
	ck_assert_int_eq(run_result(run)->outcome, RUN_FAILED);
	ck_assert_str_eq(run_result(run)->failure.side, "source");
	ck_assert(!run_result(run)->failure.is_request);
	run_free(run);
}
END_TEST

/* Two runs at once, each with its own count of ends. */

static struct run *twins[2];
static int n_ends[2];

static void
twin_on_finished(struct run *finished, void *arg)
{
	ck_assert_ptr_eq(finished, twins[(int *)arg - n_ends]);
	++*(int *)arg;
	if (n_ends[0] + n_ends[1] == 2)
		net_loop_stop(loop);
}

START_TEST(two_runs_at_once_do_not_mix)
{
	const char *const argv[] = { "nbdkit", "pattern", "40M" };
	struct run_spec spec = {
		.destinations =
		    (const struct endpoint_spec *const *)&destination,
		.n_destinations = 1,
	};
	int i;

	ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, 3, &source,
			     &err),
	    0);
	spec.source = source;
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(run_new(&spec, pool, box, twin_on_finished,
				     &n_ends[i], &twins[i], &err),
		    0);
	run_start(twins[0]);
	run_start(twins[1]);
	ck_assert_int_eq(net_loop_run(loop), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(n_ends[i], 1);
		ck_assert_int_eq(run_result(twins[i])->outcome, RUN_SUCCEEDED);
		run_free(twins[i]);
	}
}
END_TEST

static void
wait_until_read(const struct run *r)
{
	struct run_progress p;

	do
		run_get_progress(r, &p);
	while (p.read_bytes == 0);
}

/* What has been read is on its way to the destination, and stays there. */
START_TEST(an_aborted_run_does_not_wait_for_what_is_in_flight)
{
	const char *const argv[] = { "nbdkit", "pattern", "40M" };
	const char *const slow[] = { "nbdkit", "--filter=delay", "memory",
		"40M", "wdelay=600" };
	struct endpoint_spec *slow_spec = NULL;
	struct stats_counts counts = { 0 };
	struct run_spec spec = {
		.destinations =
		    (const struct endpoint_spec *const *)&slow_spec,
		.n_destinations = 1,
		.counts = &counts,
	};
	int i;

	ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, 3, &source,
			     &err), 0);
	ck_assert_int_eq(endpoint_spec_from_command(NULL, slow, 5, &slow_spec,
			     &err), 0);
	spec.source = source;
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(run_new(&spec, pool, box, twin_on_finished,
				     &n_ends[i], &twins[i], &err), 0);
		run_start(twins[i]);
		wait_until_read(twins[i]);
	}
	while (counts.in_flight[COPY_DESTINATION] < 2)
		;
	run_cancel(twins[0]);
	run_cancel(twins[1]);
	run_abort(twins[1]);
	run_abort(twins[1]);
	ck_assert_int_eq(net_loop_run(loop), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(n_ends[i], 1);
		ck_assert_int_eq(run_result(twins[i])->outcome, RUN_CANCELLED);
		ck_assert_uint_eq(run_result(twins[i])->progress.done_bytes,
		    0);
	}
	ck_assert_int_gt(run_result(twins[0])->finished_at_ms,
	    run_result(twins[1])->finished_at_ms);
	run_abort(twins[0]);
	for (i = 0; i < 2; i++)
		run_free(twins[i]);
	/* Nor does it count it for ever. */
	ck_assert_int_eq(counts.in_flight[COPY_SOURCE], 0);
	ck_assert_int_eq(counts.in_flight[COPY_DESTINATION], 0);
	endpoint_spec_free(slow_spec);
}
END_TEST

START_TEST(a_run_aborted_at_once_is_no_success)
{
	const char *const argv[] = { "nbdkit", "memory", "0" };

	make_run(argv, 3);
	run_start(run);
	run_abort(run);
	run_cancel(run);
	wait_for_end();
	ck_assert_int_eq(run_result(run)->outcome, RUN_CANCELLED);
	run_free(run);
}
END_TEST

START_TEST(a_run_that_was_never_started_can_be_freed)
{
	const char *const argv[] = { "nbdkit", "pattern", "20M" };
	struct run_progress p;

	make_run(argv, 3);
	run_get_progress(run, &p);
	ck_assert_uint_eq(p.elapsed_ms, 0);
	run_free(run);
}
END_TEST

START_TEST(sizes_and_counts_are_bounded)
{
	struct run_spec spec = {
		.source = destination,
		.destinations =
		    (const struct endpoint_spec *const *)&destination,
		.n_destinations = 1,
		.connections = RUN_MAX_CONNECTIONS + 1,
	};

	ck_assert_int_eq(run_new(&spec, pool, box, on_finished, NULL, &run,
			     &err),
	    -EINVAL);
	spec.connections = 1;
	spec.queue_depth = RUN_MAX_QUEUE_DEPTH + 1;
	ck_assert_int_eq(run_new(&spec, pool, box, on_finished, NULL, &run,
			     &err),
	    -EINVAL);
	spec.queue_depth = 1;
	spec.request_size = 1000;
	ck_assert_int_eq(run_new(&spec, pool, box, on_finished, NULL, &run,
			     &err),
	    -EINVAL);
	ck_assert(strstr(err.text, "multiple of 512") != NULL);
	spec.request_size = 0;
	spec.n_destinations = RUN_MAX_DESTINATIONS + 1;
	ck_assert_int_eq(run_new(&spec, pool, box, on_finished, NULL, &run,
			     &err),
	    -EINVAL);
	spec.n_destinations = 0;
	ck_assert_int_eq(run_new(&spec, pool, box, on_finished, NULL, &run,
			     &err),
	    -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/run");
	TCase *t = tcase_create("run");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_run_copies_everything_over_all_its_lanes);
	tcase_add_test(t, a_cancelled_run_says_so_and_ends);
	tcase_add_test(t, a_run_cancelled_at_once_is_no_success);
	tcase_add_test(t, a_run_aborted_at_once_is_no_success);
	tcase_add_test(t,
	    an_aborted_run_does_not_wait_for_what_is_in_flight);
	tcase_add_test(t, a_source_that_cannot_be_opened_fails_the_run);
	tcase_add_test(t, two_runs_at_once_do_not_mix);
	tcase_add_test(t, a_run_that_was_never_started_can_be_freed);
	tcase_add_test(t, sizes_and_counts_are_bounded);
	suite_add_tcase(s, t);
	return unit_main(s);
}
