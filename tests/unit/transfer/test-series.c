/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A series on real worker threads: it ends once, whenever it is cancelled.
 */

#include "transfer/series.h"

#include "unit.h"

static struct net_loop *loop;
static struct mailbox *box;
static struct worker_pool *pool;
static struct endpoint_spec *source;
static struct endpoint_spec *destination;
static struct series *series;
static struct net_timer later;
static int n_finished;

static void
on_later(void *arg)
{
	(void)arg;
	net_loop_stop(loop);
}

static void
on_finished(struct series *finished, void *arg)
{
	ck_assert_ptr_eq(finished, series);
	ck_assert_ptr_eq(arg, &n_finished);
	n_finished++;
	net_loop_stop(loop);
}

static void
setup(void)
{
	const char *const argv[] = { "nbdkit", "pattern", "1M" };
	struct error e;

	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(net_timer_init(&later, loop, on_later, NULL), 0);
	ck_assert_int_eq(mailbox_new(loop, &box), 0);
	ck_assert_int_eq(worker_pool_start(1, &pool), 0);
	ck_assert_int_eq(endpoint_spec_from_text(NULL, "null:", &destination,
			     &e),
	    0);
	ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, 3, &source,
			     &e),
	    0);
	n_finished = 0;
}

static void
teardown(void)
{
	series_free(series);
	endpoint_spec_free(source);
	endpoint_spec_free(destination);
	worker_pool_stop(pool);
	mailbox_free(box);
	net_timer_done(&later);
	net_loop_free(loop);
}

static void
run_to_its_end(enum run_mode mode)
{
	struct run_spec spec = {
		.mode = mode,
		.source = source,
		.destinations =
		    (const struct endpoint_spec *const *)&destination,
		.n_destinations = 1,
		.connections = 1,
		.io_timeout_ms = 5000,
		.interval_ms = 3600 * 1000,
	};
	struct run_progress p;
	struct error e;

	ck_assert_int_eq(series_new(&spec, pool, box, loop, on_finished,
			     &n_finished, &series, &e),
	    0);
	series_start(series);
	while (mode == RUN_MIRROR) {
		net_timer_start(&later, 1);
		ck_assert_int_eq(net_loop_run(loop), 0);
		series_get_progress(series, &p);
		if (p.mirror.next_pass_at_ms == 0)
			continue;
		series_cancel(series);
		break;
	}
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_finished, 1);
}

/* What a cancellation would have set off has happened after this. */
static void
let_pass(void)
{
	net_timer_start(&later, 20);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_finished, 1);
}

START_TEST(cancelled_after_its_end_it_does_not_end_again)
{
	const enum run_mode modes[] = { RUN_COPY, RUN_MIRROR };

	run_to_its_end(modes[_i]);
	ck_assert_int_eq(series_result(series)->outcome,
	    modes[_i] == RUN_COPY ? RUN_SUCCEEDED : RUN_STOPPED);
	ck_assert_int_eq(series_result(series)->progress.phase, RUN_FINISHED);
	series_cancel(series);
	let_pass();
	ck_assert_int_eq(series_result(series)->outcome,
	    modes[_i] == RUN_COPY ? RUN_SUCCEEDED : RUN_STOPPED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/series");
	TCase *t = tcase_create("series");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t,
	    cancelled_after_its_end_it_does_not_end_again, 0, 2);
	suite_add_tcase(s, t);
	return unit_main(s);
}
