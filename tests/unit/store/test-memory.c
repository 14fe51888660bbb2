/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each allocation of the store fails in turn, its own and SQLite's: the call
 * says so, nothing that was acknowledged is lost, no file is taken for
 * damaged, and the next call goes on.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "failing-malloc.h"
#include "unit.h"

static const struct store_options options = { .retry_ms = 1 };

static bool
is_set_aside(void)
{
	char pattern[96];
	glob_t found;

	(void)snprintf(pattern, sizeof pattern, "%s.damaged-*", ask_path);
	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	globfree(&found);
	return true;
}

/* An answer: fine, or out of memory. */
static bool
succeeds(void)
{
	ask_wait(1);
	if (ask_answer.error.code == 0)
		return true;
	ck_assert_msg(ask_answer.error.code == -ENOMEM, "%d: %s",
	    ask_answer.error.code, ask_answer.error.text);
	ck_assert_str_ne(ask_answer.error.text, "");
	return false;
}

/* One of each call.  Returns the checkpoint that was acknowledged. */
static uint64_t
use_all(uint64_t generation, const char *run)
{
	struct store_job job = { .name = "a" };
	uint64_t acked = generation - 1;

	store_put_job(ask_store, ask_call(), &job);
	(void)succeeds();
	store_save_checkpoint(ask_store, ask_call(),
	    ask_checkpoint("a", generation));
	if (succeeds())
		acked = generation;
	store_load_checkpoint(ask_store, ask_call(), "a");
	if (succeeds() && acked > 0)
		ck_assert_ptr_nonnull(ask_answer.checkpoint);
	store_add_run(ask_store, ask_call(), ask_run(run, "a"));
	(void)succeeds();
	store_list_runs(ask_store, ask_call(), "a", 10, NULL);
	(void)succeeds();
	store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
	(void)succeeds();
	return acked;
}

/* The nth allocation of the store's thread.  Was there one? */
static bool
fail_at(unsigned n)
{
	struct store_health health;
	uint64_t acked;
	bool has_failed;

	(void)snprintf(ask_path, sizeof ask_path, "%s/%u.db", ask_dir, n);
	failing_malloc_at(n, FAIL_OTHER_THREADS);
	ask_open(options);
	acked = use_all(1, "1");
	has_failed = failing_malloc_has_failed();
	failing_malloc_at(0, FAIL_OTHER_THREADS);
	ck_assert(has_failed || acked == 1);
	do {
		(void)usleep(2000);
		store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
	} while (!succeeds());
	/* What was not acknowledged may have been written nevertheless. */
	ck_assert_uint_eq(use_all(2, "2"), 2);
	store_get_health(ask_store, &health);
	ck_assert_int_eq(health.state, STORE_OK);
	ask_expect_checkpoint("a", 2);
	ck_assert_msg(!is_set_aside(), "allocation %u", n);
	ask_close();
	ask_forget();
	return has_failed;
}

START_TEST(each_allocation_of_the_store_may_fail)
{
	const char *factor = getenv("NBDSYNC_LONG");
	/* Many are alike: a part of them is enough for every day. */
	unsigned step = factor != NULL ? 1 : 23, n = 1;

	ask_setup();
	while (fail_at(n))
		n += step;
	ask_teardown();
	(void)printf("# every %u of %u allocations\n", step, n);
	ck_assert_uint_gt(n, 200);
}
END_TEST

START_TEST(each_allocation_of_a_caller_may_fail)
{
	struct store_options o = options;
	struct store_job job = { .name = "a" };
	struct store *store = NULL;
	struct store_call *call;
	struct store_run *run;

	ask_setup();
	o.path = ask_path;
	failing_malloc_at(1, FAIL_MY_THREAD);
	ck_assert_int_eq(store_open(&o, &store), -ENOMEM);
	ck_assert_ptr_null(store);
	failing_malloc_at(1, FAIL_MY_THREAD);
	ck_assert_ptr_null(store_call_new(ask_box, NULL, NULL));
	failing_malloc_at(1, FAIL_MY_THREAD);
	ck_assert_ptr_null(store_checkpoint_new());
	failing_malloc_at(1, FAIL_MY_THREAD);
	ck_assert_ptr_null(store_run_new());
	ask_open(options);
	call = ask_call();
	failing_malloc_at(1, FAIL_MY_THREAD);
	store_put_job(ask_store, call, &job);
	ask_expect(-ENOMEM);
	call = ask_call();
	run = ask_run("1", "a");
	failing_malloc_at(1, FAIL_MY_THREAD);
	store_add_run(ask_store, call, run);
	ask_expect(-ENOMEM);
	ck_assert(failing_malloc_has_failed());
	ask_teardown();
}
END_TEST

START_TEST(each_allocation_of_reading_and_writing_bytes_may_fail)
{
	struct store_checkpoint *c = ask_checkpoint("a", 3), *again = NULL;
	uint8_t *bytes = NULL;
	size_t len = 0;
	unsigned n = 0;
	int r;

	do {
		failing_malloc_at(++n, FAIL_MY_THREAD);
		r = store_checkpoint_encode(c, &bytes, &len);
		ck_assert(r == 0 || r == -ENOMEM);
	} while (r < 0);
	ck_assert_uint_gt(n, 2);
	n = 0;
	do {
		failing_malloc_at(++n, FAIL_MY_THREAD);
		r = store_checkpoint_decode(bytes, len, &again);
		ck_assert(r == 0 || r == -ENOMEM);
	} while (r < 0);
	failing_malloc_at(0, FAIL_MY_THREAD);
	ck_assert_uint_gt(n, 10);
	ask_same(c, again);
	store_checkpoint_free(again);
	store_checkpoint_free(c);
	free(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tc = tcase_create("memory");

	failing_malloc_in_sqlite();
	tcase_set_timeout(tc, getenv("NBDSYNC_LONG") != NULL ? 7200 : 300);
	tcase_add_test(tc, each_allocation_of_the_store_may_fail);
	tcase_add_test(tc, each_allocation_of_a_caller_may_fail);
	tcase_add_test(tc,
	    each_allocation_of_reading_and_writing_bytes_may_fail);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
