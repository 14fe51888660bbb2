/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs whose store does not answer: its thread is held inside a call, as a
 * disk that is dead would hold it.  They begin and end all the same, and what
 * they have asked for is done in its order when the store goes on.
 */

#include "transfer/run.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/cleanup.h"
#include "store/store-private.h"
#include "unit.h"

#define MIB  (1024 * 1024)
#define SLOW MIB			/* bytes a second: 16 s for all */
#define PART (256 * 1024)
#define JOB "job"

static char dir[] = "/tmp/silent-store-XXXXXX";
static char path[64];
static char image[64];
static struct net_loop *loop;
static struct mailbox *box;
static struct worker_pool *pool;
static struct endpoint_spec *source;
static struct endpoint_spec *destination;
static struct store *store;
static struct run *run;
static struct net_timer later;
static struct store_checkpoint *loaded;
static sem_t is_held, may_go_on;

static void
on_later(void *arg UNUSED)
{
	net_loop_stop(loop);
}

static void
setup(void)
{
	const struct store_options options = { .path = path };
	struct error e;

	memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/state.db", dir);
	(void)snprintf(image, sizeof image, "%s/image", dir);
	ck_assert_int_eq(sem_init(&is_held, 0, 0), 0);
	ck_assert_int_eq(sem_init(&may_go_on, 0, 0), 0);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(net_timer_init(&later, loop, on_later, NULL), 0);
	ck_assert_int_eq(mailbox_new(loop, &box), 0);
	ck_assert_int_eq(worker_pool_start(1, &pool), 0);
	ck_assert_int_eq(store_open(&options, &store), 0);
	ck_assert_int_eq(endpoint_spec_from_text(NULL, image, &destination,
			     &e),
	    0);
}

static void
on_closed(struct store_call *call UNUSED)
{
	net_loop_stop(loop);
}

static void
teardown(void)
{
	char command[96];

	store_close(store, store_call_new(box, on_closed, NULL), 20000);
	ck_assert_int_eq(net_loop_run(loop), 0);
	store_free(store);
	endpoint_spec_free(source);
	endpoint_spec_free(destination);
	worker_pool_stop(pool);
	mailbox_free(box);
	net_timer_done(&later);
	net_loop_free(loop);
	store_checkpoint_free(STEAL(loaded));
	(void)snprintf(command, sizeof command, "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

/* The store. */

static int
hold(struct store_call *call UNUSED, struct db *db UNUSED,
    unsigned runs_per_job UNUSED)
{
	ck_assert_int_eq(sem_post(&is_held), 0);
	while (sem_wait(&may_go_on) < 0)
		ck_assert_int_eq(errno, EINTR);
	return 0;
}

static const struct store_op hold_op = { hold, false, false };

/* All that is asked for from now on waits for let_go(). */
static void
hold_store(void)
{
	struct store_call *call = store_call_new(NULL, NULL, NULL);

	ck_assert_ptr_nonnull(call);
	call->op = &hold_op;
	(void)snprintf(call->job, sizeof call->job, "another");
	store_post(store, call);
	while (sem_wait(&is_held) < 0)
		ck_assert_int_eq(errno, EINTR);
}

static void
let_go(void)
{
	ck_assert_int_eq(sem_post(&may_go_on), 0);
}

static void
on_loaded(struct store_call *call)
{
	ck_assert_int_eq(call->error.code, 0);
	loaded = STEAL(call->checkpoint);
	net_loop_stop(loop);
}

/* What the store has, when all that was asked for is done. */
static const struct store_checkpoint *
kept(void)
{
	store_checkpoint_free(STEAL(loaded));
	store_load_checkpoint(store, store_call_new(box, on_loaded, NULL),
	    JOB);
	ck_assert_int_eq(net_loop_run(loop), 0);
	return loaded;
}

/* Runs. */

static void
on_finished(struct run *finished, void *arg UNUSED)
{
	ck_assert_ptr_eq(finished, run);
	net_loop_stop(loop);
}

/* Of 16 MiB, at rate bytes a second; 0: as fast as can be. */
static void
start_run(uint64_t rate, uint64_t store_ms)
{
	static const char *const argv[] = { "nbdkit", "pattern", "16M" };
	struct run_spec spec = {
		.connections = 1,
		.request_size = 64 * 1024,
		.queue_depth = 1,
		.io_timeout_ms = 30000,
		.store = store,
		.store_job = JOB,
		.store_ms = store_ms,
		.checkpoint_ms = 20,
		.rate = rate,
	};
	struct error e;

	if (source == NULL)
		ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, 3,
				     &source, &e),
		    0);
	spec.source = source;
	spec.destinations = (const struct endpoint_spec *const *)&destination;
	spec.n_destinations = 1;
	ck_assert_int_eq(run_new(&spec, pool, box, on_finished, NULL, &run,
			     &e),
	    0);
	run_start(run);
}

static void
wait_for_end(enum run_outcome outcome)
{
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(run_result(run)->outcome, outcome);
}

static struct run_progress
progress(void)
{
	struct run_progress p;

	net_timer_start(&later, 1);
	ck_assert_int_eq(net_loop_run(loop), 0);
	run_get_progress(run, &p);
	ck_assert_int_ne(p.phase, RUN_FINISHED);
	return p;
}

/* A part is copied, and that is kept. */
static void
copy_a_part(void)
{
	start_run(SLOW, 0);
	while (progress().durable_bytes < PART)
		;
	run_cancel(run);
	wait_for_end(RUN_CANCELLED);
	run_free(STEAL(run));
	ck_assert_ptr_nonnull(kept());
}

static bool
gave_up_keeping(void)
{
	const struct run_result *r = run_result(run);

	for (size_t i = 0; i < r->n_gave_up; i++)
		if (strstr(r->gave_up[i], "the store has not answered"))
			return true;
	return false;
}

START_TEST(a_run_begins_anew_without_what_the_store_does_not_tell)
{
	copy_a_part();
	hold_store();
	start_run(0, 50);
	wait_for_end(RUN_SUCCEEDED);
	ck_assert(!run_result(run)->is_resumed);
	ck_assert_int_eq(run_result(run)->not_resumed.code, -ETIMEDOUT);
	ck_assert_uint_eq(run_result(run)->progress.written_bytes, 16 * MIB);
	ck_assert(run_result(run)->leaves_outdated);
	run_free(STEAL(run));
	let_go();
	ck_assert_ptr_null(kept());
}
END_TEST

START_TEST(what_it_keeps_itself_comes_after_what_was_there)
{
	uint64_t done;

	copy_a_part();
	hold_store();
	start_run(SLOW, 50);
	while (progress().durable_bytes < PART)
		;
	let_go();
	/* Now it is removed, and then something else is kept. */
	while (kept() == NULL)
		(void)progress();
	run_cancel(run);
	wait_for_end(RUN_CANCELLED);
	ck_assert(!run_result(run)->leaves_outdated);
	done = run_result(run)->progress.durable_bytes;
	run_free(STEAL(run));
	ck_assert_uint_eq(ranges_total(&kept()->destinations[0].durable),
	    done);
}
END_TEST

START_TEST(a_run_ends_though_the_store_does_not_answer)
{
	copy_a_part();
	start_run(SLOW, 50);
	while (progress().phase == RUN_CONNECTING)
		;
	hold_store();
	run_set_rate(run, 0);
	wait_for_end(RUN_SUCCEEDED);
	ck_assert(run_result(run)->leaves_outdated);
	ck_assert(gave_up_keeping());
	run_free(STEAL(run));
	let_go();
	ck_assert_ptr_null(kept());
}
END_TEST

START_TEST(what_a_cancelled_one_has_done_is_kept_when_the_store_answers)
{
	uint64_t done;

	start_run(SLOW, 50);
	while (progress().durable_bytes < PART)
		;
	hold_store();
	run_cancel(run);
	wait_for_end(RUN_CANCELLED);
	ck_assert(gave_up_keeping());
	done = run_result(run)->progress.durable_bytes;
	run_free(STEAL(run));
	let_go();
	ck_assert_uint_eq(ranges_total(&kept()->destinations[0].durable),
	    done);
	start_run(0, 0);
	wait_for_end(RUN_SUCCEEDED);
	ck_assert(run_result(run)->is_resumed);
	run_free(STEAL(run));
}
END_TEST

START_TEST(one_that_waits_for_the_store_can_be_cancelled)
{
	copy_a_part();
	hold_store();
	/* It would wait longer than this test may take. */
	start_run(0, 3600 * 1000);
	while (progress().source_size == 0)
		;
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(progress().phase, RUN_CONNECTING);
	run_cancel(run);
	wait_for_end(RUN_CANCELLED);
	ck_assert(!run_result(run)->has_begun);
	ck_assert(!run_result(run)->leaves_outdated);
	run_free(STEAL(run));
	let_go();
	ck_assert_ptr_nonnull(kept());
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("transfer/silent-store");
	TCase *t = tcase_create("silent-store");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t,
	    a_run_begins_anew_without_what_the_store_does_not_tell);
	tcase_add_test(t, what_it_keeps_itself_comes_after_what_was_there);
	tcase_add_test(t, a_run_ends_though_the_store_does_not_answer);
	tcase_add_test(t,
	    what_a_cancelled_one_has_done_is_kept_when_the_store_answers);
	tcase_add_test(t, one_that_waits_for_the_store_can_be_cancelled);
	suite_add_tcase(s, t);
	return unit_main(s);
}
