/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sqlite3.h>

#include "ask.h"
#include "base/cleanup.h"
#include "unit.h"

static const struct store_options defaults;

START_TEST(a_checkpoint_is_read_as_it_was_written)
{
	ask_open(defaults);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	ask_expect(0);
	ask_expect_checkpoint("a", 1);
}
END_TEST

START_TEST(it_is_there_after_closing_and_opening)
{
	ask_open(defaults);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("b", 7));
	ask_close();
	ask_open(defaults);
	ask_expect_checkpoint("a", 1);
	ask_expect_checkpoint("b", 7);
}
END_TEST

START_TEST(there_is_none_of_a_job_that_has_none)
{
	ask_open(defaults);
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_ptr_null(ask_answer.checkpoint);
}
END_TEST

START_TEST(a_discarded_one_is_gone)
{
	ask_open(defaults);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 5));
	ask_expect(0);
	store_discard_checkpoint(ask_store, ask_call(), "a");
	ask_expect(0);
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_ptr_null(ask_answer.checkpoint);
	/* And does not stand in the way of a new beginning. */
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	ask_expect(0);
	ask_expect_checkpoint("a", 1);
}
END_TEST

START_TEST(an_older_one_does_not_replace_a_newer)
{
	ask_open(defaults);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 5));
	ask_expect(0);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 5));
	ask_expect(-ESTALE);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 4));
	ask_expect(-ESTALE);
	ask_expect_checkpoint("a", 5);
}
END_TEST

START_TEST(what_could_not_be_read_again_is_not_written)
{
	struct store_checkpoint *c = ask_checkpoint("a", 1);

	ask_open(defaults);
	c->destinations[0].durable.v[1].offset = 0;
	store_save_checkpoint(ask_store, ask_call(), c);
	ask_expect(-EINVAL);
	c = ask_checkpoint("", 1);
	store_save_checkpoint(ask_store, ask_call(), c);
	ask_expect(-EINVAL);
}
END_TEST

/* Somebody else has the lock, so that calls wait in the queue. */
static sqlite3 *
hold_lock(void)
{
	sqlite3 *other = NULL;

	ck_assert_int_eq(sqlite3_open(ask_path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	return other;
}

static void
release_lock(sqlite3 *other)
{
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
}

/* Open, with the thread busy on a call of its own. */
static sqlite3 *
open_and_block(struct store_options options)
{
	sqlite3 *other;

	options.busy_ms = 60000;
	ask_open(options);
	store_get_job(ask_store, ask_call(), "blocker");
	ask_expect(0);
	other = hold_lock();
	store_put_job(ask_store, ask_call(), ask_answer.jobs);
	return other;
}

START_TEST(a_newer_one_takes_the_place_of_one_that_waits)
{
	sqlite3 *other = open_and_block(defaults);

	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("b", 1));
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 2));
	ask_expect(-ECANCELED);
	release_lock(other);
	ask_wait(3);
	ck_assert_int_eq(ask_answer.error.code, 0);
	ask_expect_checkpoint("a", 2);
	ask_expect_checkpoint("b", 1);
}
END_TEST

START_TEST(but_not_over_what_else_was_asked_of_this_job)
{
	sqlite3 *other = open_and_block(defaults);

	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 8));
	store_discard_checkpoint(ask_store, ask_call(), "a");
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 9));
	release_lock(other);
	ask_wait(4);
	ask_expect_checkpoint("a", 9);
}
END_TEST

START_TEST(an_older_one_does_not_take_the_place_of_a_newer)
{
	sqlite3 *other = open_and_block(defaults);

	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 2));
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	release_lock(other);
	ask_wait(3);
	ck_assert_int_eq(ask_answer.error.code, -ESTALE);
	ask_expect_checkpoint("a", 2);
}
END_TEST

START_TEST(the_queue_has_an_end)
{
	struct store_options options = { .queue_max = 2 };
	sqlite3 *other = open_and_block(options);
	bool is_full = false;

	/* The blocker may still be in the queue, or not. */
	for (unsigned i = 0; i < 3; i++)
		store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
	ask_wait(1);
	is_full = ask_answer.error.code == -EAGAIN;
	release_lock(other);
	ask_wait(3);
	ck_assert(is_full);
}
END_TEST

START_TEST(what_waits_at_the_end_is_written)
{
	ask_open(defaults);
	for (uint64_t i = 1; i <= 20; i++) {
		char job[8];

		(void)snprintf(job, sizeof job, "j%llu",
		    (unsigned long long)i);
		store_save_checkpoint(ask_store, ask_call(),
		    ask_checkpoint(job, i));
	}
	store_close(ask_store, ask_call(), 20000);
	store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
	ask_wait(22);
	store_free(STEAL(ask_store));
	ask_open(defaults);
	ask_expect_checkpoint("j1", 1);
	ask_expect_checkpoint("j20", 20);
}
END_TEST

START_TEST(but_for_no_longer_than_the_deadline)
{
	sqlite3 *other = open_and_block(defaults);

	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	store_close(ask_store, ask_call(), 0);
	release_lock(other);
	/* The blocker, the checkpoint, the end. */
	ask_wait(1);
	ask_expect(-ETIMEDOUT);
	ask_expect(0);
	store_free(STEAL(ask_store));
}
END_TEST

START_TEST(a_call_after_the_end_is_refused)
{
	ask_open(defaults);
	store_close(ask_store, ask_call(), 20000);
	ask_expect(0);
	store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
	ask_expect(-ESHUTDOWN);
	store_free(STEAL(ask_store));
}
END_TEST

START_TEST(freeing_drops_what_waits)
{
	sqlite3 *other = open_and_block(defaults);

	store_save_checkpoint(ask_store, store_call_new(NULL, NULL, NULL),
	    ask_checkpoint("a", 1));
	release_lock(other);
	ask_wait(1);
	/* Whether the thread was that far is not known; nothing leaks. */
	store_free(STEAL(ask_store));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("checkpoints");

	tcase_add_checked_fixture(tc, ask_setup, ask_teardown);
	tcase_add_test(tc, a_checkpoint_is_read_as_it_was_written);
	tcase_add_test(tc, it_is_there_after_closing_and_opening);
	tcase_add_test(tc, there_is_none_of_a_job_that_has_none);
	tcase_add_test(tc, a_discarded_one_is_gone);
	tcase_add_test(tc, an_older_one_does_not_replace_a_newer);
	tcase_add_test(tc, what_could_not_be_read_again_is_not_written);
	suite_add_tcase(suite, tc);
	tc = tcase_create("queue");
	tcase_add_checked_fixture(tc, ask_setup, ask_teardown);
	tcase_add_test(tc, a_newer_one_takes_the_place_of_one_that_waits);
	tcase_add_test(tc, but_not_over_what_else_was_asked_of_this_job);
	tcase_add_test(tc, an_older_one_does_not_take_the_place_of_a_newer);
	tcase_add_test(tc, the_queue_has_an_end);
	tcase_add_test(tc, what_waits_at_the_end_is_written);
	tcase_add_test(tc, but_for_no_longer_than_the_deadline);
	tcase_add_test(tc, a_call_after_the_end_is_refused);
	tcase_add_test(tc, freeing_drops_what_waits);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
