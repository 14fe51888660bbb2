/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs, digests and the history.
 */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "unit.h"

static void
set_up(void)
{
	struct store_options options = { .runs_per_job = 3 };

	ask_setup();
	ask_open(options);
}

START_TEST(a_job_gets_a_uuid_that_stays)
{
	struct store_options options = { 0 };
	char uuid[37];

	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_uint_eq(ask_answer.n_jobs, 1);
	strcpy(uuid, ask_answer.jobs->uuid);
	ck_assert_uint_eq(strlen(uuid), 36);
	ck_assert_int_eq(uuid[14], '4');
	ask_close();
	ask_open(options);
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_str_eq(ask_answer.jobs->uuid, uuid);
	store_get_job(ask_store, ask_call(), "b");
	ask_expect(0);
	ck_assert_str_ne(ask_answer.jobs->uuid, uuid);
}
END_TEST

START_TEST(all_of_a_job_is_kept_but_its_uuid)
{
	struct store_options options = { 0 };
	struct store_job job = {
		.name = "a",
		.uuid = "mine",
		.is_paused = true,
		.paused_until_ms = 1,
		.paused_by = "uid 7",
		.paused_reason = "it's \"maintenance\"",
		.last_fire_ms = 2,
		.last_attempt_ms = 3,
		.last_success_ms = INT64_MAX,
		.counters = "{\"runs\":1}",
	};

	store_put_job(ask_store, ask_call(), &job);
	ask_expect(0);
	ask_close();
	ask_open(options);
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_uint_eq(ask_answer.n_jobs, 1);
	ck_assert_str_ne(ask_answer.jobs->uuid, "mine");
	strcpy(job.uuid, ask_answer.jobs->uuid);
	ck_assert_mem_eq(ask_answer.jobs, &job, sizeof job);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
	char name[STORE_NAME_SIZE + 1];

	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	store_get_job(ask_store, ask_call(), name);
	ask_expect(-EINVAL);
	store_get_job(ask_store, ask_call(), "");
	ask_expect(-EINVAL);
	name[STORE_NAME_SIZE - 1] = '\0';
	store_get_job(ask_store, ask_call(), name);
	ask_expect(0);
	ck_assert_str_eq(ask_answer.jobs->name, name);
}
END_TEST

START_TEST(a_checkpoint_is_discarded_for_one_job)
{
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("b", 1));
	store_discard_checkpoint(ask_store, ask_call(), "a");
	ask_wait(3);
	ck_assert_int_eq(ask_answer.error.code, 0);
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_ptr_null(ask_answer.checkpoint);
	ask_expect_checkpoint("b", 1);
}
END_TEST

static void
add_run(const char *id, const char *job)
{
	store_add_run(ask_store, ask_call(), ask_run(id, job));
	ask_expect(0);
}

/* The ids of the answer, each with a blank. */
static const char *
ids(void)
{
	static char text[256];

	text[0] = '\0';
	for (size_t i = 0; i < ask_answer.n_runs; i++) {
		strcat(text, ask_answer.runs[i]->id);
		strcat(text, " ");
	}
	return text;
}

START_TEST(runs_are_listed_newest_first)
{
	add_run("1", "a");
	add_run("2", "b");
	add_run("3", "a");
	store_list_runs(ask_store, ask_call(), NULL, 10, NULL);
	ask_expect(0);
	ck_assert_str_eq(ids(), "3 2 1 ");
	ck_assert_ptr_null(ask_answer.runs[0]->report);
	store_list_runs(ask_store, ask_call(), NULL, 2, NULL);
	ask_expect(0);
	ck_assert_str_eq(ids(), "3 2 ");
	store_list_runs(ask_store, ask_call(), "a", 10, NULL);
	ask_expect(0);
	ck_assert_str_eq(ids(), "3 1 ");
	store_list_runs(ask_store, ask_call(), NULL, 10, "3");
	ask_expect(0);
	ck_assert_str_eq(ids(), "2 1 ");
	store_list_runs(ask_store, ask_call(), "b", 10, "2");
	ask_expect(0);
	ck_assert_str_eq(ids(), "");
	store_list_runs(ask_store, ask_call(), NULL, 10, "x");
	ask_expect(-ENOENT);
}
END_TEST

START_TEST(a_run_is_read_as_it_was_written)
{
	const struct store_run *run;

	add_run("1", "a");
	store_get_run(ask_store, ask_call(), "1");
	ask_expect(0);
	run = ask_answer.runs[0];
	ck_assert_str_eq(run->id, "1");
	ck_assert_str_eq(run->job, "a");
	ck_assert_str_eq(run->trigger, "control");
	ck_assert_str_eq(run->result, "succeeded");
	ck_assert_str_eq(run->digest, "sha256:00");
	ck_assert_str_eq(run->report, "{\"result\":\"succeeded\"}");
	ck_assert_int_eq(run->started_at_ms, 1000);
	ck_assert_int_eq(run->finished_at_ms, 2000);
	ck_assert_uint_eq(run->bytes, 1ULL << 40);
	store_get_run(ask_store, ask_call(), "2");
	ask_expect(-ENOENT);
}
END_TEST

START_TEST(a_job_comes_with_its_last_run)
{
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_uint_eq(ask_answer.n_runs, 0);
	add_run("1", "a");
	add_run("2", "a");
	add_run("3", "b");
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_uint_eq(ask_answer.n_jobs, 1);
	ck_assert_str_eq(ids(), "2 ");
	ck_assert_str_eq(ask_answer.runs[0]->report,
	    "{\"result\":\"succeeded\"}");
}
END_TEST

START_TEST(there_is_one_run_of_an_id)
{
	add_run("1", "a");
	store_add_run(ask_store, ask_call(), ask_run("1", "a"));
	ask_expect(-EEXIST);
}
END_TEST

START_TEST(the_oldest_of_too_many_runs_of_a_job_go)
{
	add_run("b", "b");
	for (unsigned i = 1; i <= 5; i++) {
		char id[8];

		(void)snprintf(id, sizeof id, "%u", i);
		add_run(id, "a");
	}
	store_list_runs(ask_store, ask_call(), NULL, 10, NULL);
	ask_expect(0);
	ck_assert_str_eq(ids(), "5 4 3 b ");
}
END_TEST

START_TEST(another_program_reads_it)
{
	char text[256];

	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 7));
	ask_expect(0);
	ask_sqlite("SELECT name, generation, mode FROM checkpoints"
	    " JOIN jobs ON jobs.id = job_id", text, sizeof text);
	ck_assert_str_eq(text, "a|7|sync-7\n");
	ask_sqlite("PRAGMA journal_mode; PRAGMA user_version;"
	    "PRAGMA integrity_check", text, sizeof text);
	ck_assert_str_eq(text, "wal\n2\nok\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tables");
	TCase *tc = tcase_create("tables");

	tcase_add_checked_fixture(tc, set_up, ask_teardown);
	tcase_add_test(tc, a_job_gets_a_uuid_that_stays);
	tcase_add_test(tc, all_of_a_job_is_kept_but_its_uuid);
	tcase_add_test(tc, names_that_are_none_are_refused);
	tcase_add_test(tc, a_checkpoint_is_discarded_for_one_job);
	tcase_add_test(tc, runs_are_listed_newest_first);
	tcase_add_test(tc, a_run_is_read_as_it_was_written);
	tcase_add_test(tc, a_job_comes_with_its_last_run);
	tcase_add_test(tc, there_is_one_run_of_an_id);
	tcase_add_test(tc, the_oldest_of_too_many_runs_of_a_job_go);
	tcase_add_test(tc, another_program_reads_it);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
