/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever is wrong with the file: what the store says, and that it comes
 * back.  Disks that are full or fail are in test-crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "store/store.h"
#include "unit.h"

static struct store_options options;

static struct store_health
health(void)
{
	struct store_health h;

	store_get_health(ask_store, &h);
	return h;
}

static void
set_up(void)
{
	ask_setup();
	options = (struct store_options){ .retry_ms = 1, .busy_ms = 50 };
}

/* With a checkpoint of job a, generation 1, and closed. */
static void
make_database(void)
{
	ask_open(options);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	ask_expect(0);
	ask_close();
}

static void
change(const char *sql)
{
	char text[64];

	ask_sqlite(sql, text, sizeof text);
}

static void
expect_unavailable(int code, const char *words)
{
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(code);
	ck_assert_msg(strstr(ask_answer.error.text, words) != NULL, "%s",
	    ask_answer.error.text);
	ck_assert_int_eq(health().state, STORE_UNAVAILABLE);
	ck_assert_int_eq(health().error.code, code);
	ck_assert_ptr_nonnull(strstr(health().error.text, ask_path));
}

static size_t
n_set_aside(void)
{
	char pattern[96];
	glob_t found;
	size_t n;

	(void)snprintf(pattern, sizeof pattern, "%s.damaged-*", ask_path);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

static void
write_garbage(off_t offset, size_t len)
{
	char garbage[8192];
	int fd = open(ask_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	memset(garbage, 0x5a, sizeof garbage);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, garbage, len, offset), (ssize_t)len);
	(void)close(fd);
}

START_TEST(a_store_that_works_is_ok)
{
	ask_open(options);
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_int_eq(health().state, STORE_OK);
	ck_assert_int_eq(health().error.code, 0);
	ck_assert_str_eq(health().set_aside, "");
	ck_assert_str_eq(store_state_name(STORE_OK), "ok");
}
END_TEST

START_TEST(a_directory_that_is_missing_is_made)
{
	(void)snprintf(ask_path, sizeof ask_path, "%s/sub/state.db", ask_dir);
	make_database();
	ask_open(options);
	ask_expect_checkpoint("a", 1);
}
END_TEST

START_TEST(but_not_more_than_one_and_it_may_come_later)
{
	char dir[96];

	(void)snprintf(ask_path, sizeof ask_path, "%s/x/y/state.db", ask_dir);
	ask_open(options);
	expect_unavailable(-ENXIO, "No such file or directory");
	(void)snprintf(dir, sizeof dir, "%s/x", ask_dir);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	do {
		(void)usleep(1000);
		store_save_checkpoint(ask_store, ask_call(),
		    ask_checkpoint("a", 1));
		ask_wait(1);
	} while (ask_answer.error.code == -ENXIO);
	ck_assert_int_eq(ask_answer.error.code, 0);
	ck_assert_int_eq(health().state, STORE_OK);
}
END_TEST

START_TEST(what_must_exist_is_not_made)
{
	options.must_exist = true;
	ask_open(options);
	expect_unavailable(-ENXIO, "No such file");
	ck_assert_int_lt(access(ask_path, F_OK), 0);
}
END_TEST

START_TEST(a_lock_of_another_process_is_waited_for_and_then_told)
{
	sqlite3 *other = NULL;

	make_database();
	ask_open(options);
	ask_expect_checkpoint("a", 1);
	ck_assert_int_eq(sqlite3_open(ask_path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 2));
	ask_expect(-EBUSY);
	ck_assert_ptr_nonnull(strstr(ask_answer.error.text, "locked"));
	ck_assert_int_eq(health().state, STORE_STALE);
	/* What was there can be read meanwhile. */
	ask_expect_checkpoint("a", 1);
	ck_assert_int_eq(health().state, STORE_STALE);
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 2));
	ask_expect(0);
	ck_assert_int_eq(health().state, STORE_OK);
}
END_TEST

START_TEST(an_exclusive_store_keeps_others_out)
{
	struct store *first;

	make_database();
	options.is_exclusive = true;
	ask_open(options);
	ask_expect_checkpoint("a", 1);
	first = ask_store;
	ask_open(options);
	expect_unavailable(-EBUSY, "locked");
	ask_close();
	ask_store = first;
	ask_expect_checkpoint("a", 1);
}
END_TEST

START_TEST(what_is_no_database_is_set_aside)
{
	write_garbage(0, 5000);
	ask_open(options);
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_ptr_null(ask_answer.checkpoint);
	ck_assert_int_eq(health().state, STORE_OK);
	ck_assert_ptr_nonnull(strstr(health().set_aside, "damaged"));
	ck_assert_ptr_nonnull(strstr(health().set_aside, "not a database"));
	ck_assert_uint_eq(n_set_aside(), 1);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	ask_expect(0);
}
END_TEST

START_TEST(nothing_that_was_set_aside_is_overwritten)
{
	for (unsigned i = 1; i <= 3; i++) {
		write_garbage(0, 5000);
		ask_open(options);
		store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
		ask_expect(0);
		ask_close();
		ck_assert_uint_eq(n_set_aside(), i);
	}
}
END_TEST

/* Every name that it could get in the next seconds is taken. */
static void
take_all_names(time_t from, unsigned n_seconds)
{
	for (unsigned i = 0; i < n_seconds * 100; i++) {
		time_t at = from + i / 100;
		char date[24], path[128], again[8] = "";
		struct tm tm;
		int fd;

		ck_assert_ptr_nonnull(gmtime_r(&at, &tm));
		(void)strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", &tm);
		if (i % 100 > 0)
			(void)snprintf(again, sizeof again, ".%u", i % 100);
		(void)snprintf(path, sizeof path, "%s.damaged-%s%s", ask_path,
		    date, again);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
		(void)close(fd);
	}
}

START_TEST(a_store_that_cannot_begin_afresh_is_not_well)
{
	make_database();
	ask_open(options);
	store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
	ask_expect(0);
	change("UPDATE jobs SET last_fire_ms = 1;"
	    "PRAGMA wal_checkpoint(TRUNCATE)");
	for (off_t at = 4096; at < 12 * 4096; at += 4096)
		write_garbage(at, 4096);
	take_all_names(time(NULL), 15);
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("b", 1));
	ask_expect(-EEXIST);
	ck_assert_ptr_nonnull(strstr(ask_answer.error.text, "set aside"));
	ck_assert_int_eq(health().state, STORE_UNAVAILABLE);
}
END_TEST

/* The page of a table or index: what the check at opening finds. */
START_TEST(a_damaged_page_is_found_at_opening)
{
	make_database();
	write_garbage(2 * 4096, 4096);
	ask_open(options);
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_ptr_null(ask_answer.checkpoint);
	ck_assert_uint_eq(n_set_aside(), 1);
}
END_TEST

START_TEST(a_page_that_is_damaged_while_open_is_found_by_a_call)
{
	make_database();
	ask_open(options);
	store_list_runs(ask_store, ask_call(), NULL, 1, NULL);
	ask_expect(0);
	/* What the store remembers of the file is void then. */
	change("UPDATE jobs SET last_fire_ms = 1;"
	    "PRAGMA wal_checkpoint(TRUNCATE)");
	for (off_t at = 4096; at < 12 * 4096; at += 4096)
		write_garbage(at, 4096);
	store_load_checkpoint(ask_store, ask_call(), "b");
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("b", 1));
	ask_wait(2);
	ck_assert_int_eq(ask_answer.error.code, 0);
	ck_assert_uint_eq(n_set_aside(), 1);
	ask_expect_checkpoint("b", 1);
}
END_TEST

START_TEST(a_checkpoint_that_is_not_what_was_written_is_dropped)
{
	make_database();
	change("UPDATE checkpoints SET generation = 99,"
	    " body = replace(body, 'sync', 'copy')");
	ask_open(options);
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(-EBADMSG);
	ck_assert_ptr_null(ask_answer.checkpoint);
	ck_assert_ptr_nonnull(strstr(ask_answer.error.text, "damaged"));
	store_load_checkpoint(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_ptr_null(ask_answer.checkpoint);
	/* Its generation is gone as well. */
	store_save_checkpoint(ask_store, ask_call(), ask_checkpoint("a", 1));
	ask_expect(0);
}
END_TEST

START_TEST(what_a_user_named_by_mistake_is_left_alone)
{
	struct stat before, after;

	write_garbage(0, 5000);
	ck_assert_int_eq(stat(ask_path, &before), 0);
	options.keep_damaged = true;
	ask_open(options);
	expect_unavailable(-EUCLEAN, "not a database");
	ck_assert_int_eq(stat(ask_path, &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_int_eq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	ck_assert_uint_eq(n_set_aside(), 0);
}
END_TEST

START_TEST(a_database_of_another_program_is_left_alone)
{
	char text[64];

	change("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
	ask_open(options);
	expect_unavailable(-EMEDIUMTYPE, "another program");
	ask_sqlite("SELECT * FROM theirs; PRAGMA journal_mode", text,
	    sizeof text);
	ck_assert_str_eq(text, "1\ndelete\n");
	ck_assert_uint_eq(n_set_aside(), 0);
}
END_TEST

START_TEST(one_of_a_newer_version_is_left_alone)
{
	char text[64];

	make_database();
	change("PRAGMA user_version = 99");
	ask_open(options);
	expect_unavailable(-ENOTSUP, "a newer nbdsync has made it");
	ask_sqlite("PRAGMA user_version; SELECT count(*) FROM checkpoints",
	    text, sizeof text);
	ck_assert_str_eq(text, "99\n1\n");
}
END_TEST

/* Root may write everywhere: another user has to try. */
static void
forbid_writing(void)
{
	char path[96];

	(void)snprintf(path, sizeof path, "%s-wal", ask_path);
	(void)chmod(path, 0444);
	(void)snprintf(path, sizeof path, "%s-shm", ask_path);
	(void)chmod(path, 0444);
	ck_assert_int_eq(chmod(ask_path, 0444), 0);
	ck_assert_int_eq(chmod(ask_dir, 0555), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
}

static void
allow_writing(void)
{
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(ask_dir, 0755), 0);
	ck_assert_int_eq(chmod(ask_path, 0644), 0);
}

START_TEST(what_may_only_be_read_is_told)
{
	ck_assert_int_eq(chmod(ask_dir, 0755), 0);
	make_database();
	forbid_writing();
	ask_open(options);
	expect_unavailable(-EROFS, "it, or its disk, is read-only");
	ask_close();
	allow_writing();
	ask_open(options);
	ask_expect_checkpoint("a", 1);
}
END_TEST

static void
pause_job(const char *reason)
{
	struct store_job job = { .name = "a", .is_paused = true };

	(void)snprintf(job.paused_reason, sizeof job.paused_reason, "%s",
	    reason);
	store_put_job(ask_store, ask_call(), &job);
}

static void
expect_paused(const char *reason)
{
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_uint_eq(ask_answer.n_jobs, 1);
	ck_assert(ask_answer.jobs[0].is_paused);
	ck_assert_str_eq(ask_answer.jobs[0].paused_reason, reason);
}

/* A job that was paused is not to run because its state cannot be written. */
START_TEST(what_may_only_be_read_tells_of_jobs_and_runs)
{
	ck_assert_int_eq(chmod(ask_dir, 0755), 0);
	/* Such names could be taken for parts of a URI. */
	(void)snprintf(ask_path, sizeof ask_path, "%s/s%%41?a#b.db", ask_dir);
	make_database();
	ask_open(options);
	pause_job("works");
	store_add_run(ask_store, ask_call(), ask_run("one", "a"));
	ask_wait(2);
	ask_close();
	forbid_writing();
	ask_open(options);
	expect_paused("works");
	store_list_runs(ask_store, ask_call(), "a", 10, NULL);
	ask_expect(0);
	ck_assert_uint_eq(ask_answer.n_runs, 1);
	store_get_run(ask_store, ask_call(), "one");
	ask_expect(0);
	/* One that it does not know would have to be made. */
	store_get_job(ask_store, ask_call(), "b");
	ask_expect(-EROFS);
	pause_job("more works");
	ask_expect(-EROFS);
	expect_paused("works");
	expect_unavailable(-EROFS, "it, or its disk, is read-only");
	allow_writing();
	do {
		(void)usleep(1000);
		pause_job("more works");
		ask_wait(1);
		ck_assert(ask_answer.error.code == 0 ||
		    ask_answer.error.code == -EROFS);
	} while (ask_answer.error.code != 0);
	expect_paused("more works");
	ask_expect_checkpoint("a", 1);
	ck_assert_int_eq(health().state, STORE_OK);
}
END_TEST

/* What a daemon leaves that is killed. */
static void
make_killed_database(void)
{
	char command[256];

	make_database();
	ask_open(options);
	pause_job("works");
	ask_expect(0);
	(void)snprintf(command, sizeof command, "mkdir '%s/killed' && "
	    "cp '%s'* '%s/killed'", ask_dir, ask_path, ask_dir);
	ck_assert_int_eq(system(command), 0);
	ask_close();
	(void)snprintf(command, sizeof command, "rm '%s'* && mv '%s'/killed/* "
	    "'%s' && rmdir '%s/killed'", ask_path, ask_dir, ask_dir, ask_dir);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(what_was_written_last_before_a_crash_is_read_too)
{
	ck_assert_int_eq(chmod(ask_dir, 0755), 0);
	make_killed_database();
	forbid_writing();
	ask_open(options);
	expect_paused("works");
	ask_close();
	allow_writing();
}
END_TEST

/* Without its index SQLite does not read the log: what is older is not told. */
START_TEST(or_nothing_is)
{
	char path[96];

	ck_assert_int_eq(chmod(ask_dir, 0755), 0);
	make_killed_database();
	(void)snprintf(path, sizeof path, "%s-shm", ask_path);
	ck_assert_int_eq(unlink(path), 0);
	forbid_writing();
	ask_open(options);
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(-EROFS);
	ask_close();
	allow_writing();
}
END_TEST

START_TEST(what_is_damaged_and_may_only_be_read_is_not_read)
{
	ck_assert_int_eq(chmod(ask_dir, 0755), 0);
	make_database();
	write_garbage(2 * 4096, 4096);
	forbid_writing();
	ask_open(options);
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(-EROFS);
	ask_close();
	allow_writing();
	ck_assert_uint_eq(n_set_aside(), 0);
}
END_TEST

static unsigned n_told;

static void
on_health(void *arg)
{
	(void)arg;
	n_told++;
}

START_TEST(the_owner_is_told_when_it_changes)
{
	options.on_health = on_health;
	n_told = 0;
	ask_open(options);
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_uint_eq(n_told, 1);
	store_get_job(ask_store, ask_call(), "a");
	ask_expect(0);
	ck_assert_uint_eq(n_told, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("health");
	TCase *tc = tcase_create("health");

	tcase_add_checked_fixture(tc, set_up, ask_teardown);
	tcase_add_test(tc, a_store_that_works_is_ok);
	tcase_add_test(tc, a_directory_that_is_missing_is_made);
	tcase_add_test(tc, but_not_more_than_one_and_it_may_come_later);
	tcase_add_test(tc, what_must_exist_is_not_made);
	tcase_add_test(tc,
	    a_lock_of_another_process_is_waited_for_and_then_told);
	tcase_add_test(tc, an_exclusive_store_keeps_others_out);
	tcase_add_test(tc, what_is_no_database_is_set_aside);
	tcase_add_test(tc, nothing_that_was_set_aside_is_overwritten);
	tcase_add_test(tc, a_store_that_cannot_begin_afresh_is_not_well);
	tcase_add_test(tc, a_damaged_page_is_found_at_opening);
	tcase_add_test(tc,
	    a_page_that_is_damaged_while_open_is_found_by_a_call);
	tcase_add_test(tc,
	    a_checkpoint_that_is_not_what_was_written_is_dropped);
	tcase_add_test(tc, what_a_user_named_by_mistake_is_left_alone);
	tcase_add_test(tc, a_database_of_another_program_is_left_alone);
	tcase_add_test(tc, one_of_a_newer_version_is_left_alone);
	tcase_add_test(tc, what_may_only_be_read_is_told);
	tcase_add_test(tc, what_may_only_be_read_tells_of_jobs_and_runs);
	tcase_add_test(tc, what_was_written_last_before_a_crash_is_read_too);
	tcase_add_test(tc, or_nothing_is);
	tcase_add_test(tc, what_is_damaged_and_may_only_be_read_is_not_read);
	tcase_add_test(tc, the_owner_is_told_when_it_changes);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
