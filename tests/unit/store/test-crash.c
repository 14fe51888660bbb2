/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Power cuts and failing disks under the database.  Whenever the power fails,
 * what is read then is the checkpoint that was acknowledged last, or one that
 * was posted after it: as it was posted, never a mixture.
 *
 * With NBDSYNC_LONG=N in the environment there are N times as many seeds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/cleanup.h"
#include "crash-vfs.h"
#include "store/tables.h"
#include "unit.h"

#define N_GENERATIONS 14
#define N_SEEDS	      2

static const struct db_options options = {
	.path = "/state.db",
	.vfs = CRASH_VFS,
	.busy_ms = 1,
};

static struct db db;
/* Changes of the disk when a generation was posted, and acknowledged. */
static size_t posted_at[N_GENERATIONS + 1], acked_at[N_GENERATIONS + 1];

static unsigned
n_seeds(void)
{
	const char *text = getenv("NBDSYNC_LONG");
	unsigned factor = text == NULL ? 1 : (unsigned)strtoul(text, NULL, 10);

	return N_SEEDS * (factor > 0 ? factor : 1);
}

/* Large enough, now and then, for the log to be written back. */
static struct store_checkpoint *
make(uint64_t generation)
{
	struct store_checkpoint *c = ask_checkpoint("copy", generation);
	struct ranges *set = &c->destinations[0].durable;

	for (uint64_t i = 0; i < generation % 5 * 300; i++)
		ck_assert_int_eq(ranges_add(set, (64ULL << 20) + i * 3 *
		    (1ULL << 16), (1ULL << 16) + generation), 0);
	return c;
}

static int
save(uint64_t generation)
{
	struct store_checkpoint *c = make(generation);
	int r = table_save_checkpoint(&db, c);

	store_checkpoint_free(c);
	return r;
}

static void
record(void)
{
	crash_reset();
	ck_assert_int_eq(db_open(&db, &options), 0);
	ck_assert_int_eq(sqlite3_wal_autocheckpoint(db.sql, 8), SQLITE_OK);
	for (uint64_t i = 1; i <= N_GENERATIONS; i++) {
		posted_at[i] = crash_n_changes();
		ck_assert_int_eq(save(i), 0);
		acked_at[i] = crash_n_changes();
		ck_assert_uint_gt(acked_at[i], posted_at[i]);
	}
	ck_assert_int_eq(db_close(&db), 0);
	crash_stop_logging();
}

/* Opening, then reading; *ret_generation 0: there is none. */
static int
read_back(uint64_t *ret_generation)
{
	struct store_checkpoint *c = NULL;
	int r = db_open(&db, &options);

	*ret_generation = 0;
	if (r == 0)
		r = table_load_checkpoint(&db, "copy", &c);
	if (r == 0 && c != NULL) {
		struct store_checkpoint *wanted = make(c->generation);

		*ret_generation = c->generation;
		ask_same(c, wanted);
		store_checkpoint_free(wanted);
	}
	store_checkpoint_free(c);
	(void)db_close(&db);
	return r;
}

static void
cut_and_read(size_t n, enum crash_kind kind, uint64_t seed)
{
	uint64_t least = 0, most = 0, generation;
	int r;

	for (uint64_t i = 1; i <= N_GENERATIONS; i++) {
		if (acked_at[i] <= n)
			least = i;
		if (posted_at[i] < n)
			most = i;
	}
	crash_cut(n, kind, seed);
	r = read_back(&generation);
	if (kind == CRASH_LYING) {
		/* Anything but what was never posted. */
		ck_assert_uint_le(generation, most);
		return;
	}
	ck_assert_msg(r == 0 && generation >= least && generation <= most,
	    "cut after %zu, %s, seed %llu: %d (%s), generation %llu of %llu "
	    "to %llu", n, crash_kind_name(kind), (unsigned long long)seed, r,
	    db.error.text, (unsigned long long)generation,
	    (unsigned long long)least, (unsigned long long)most);
}

START_TEST(a_power_cut_leaves_an_acknowledged_checkpoint)
{
	enum crash_kind kind = (enum crash_kind)_i;
	unsigned n = kind == CRASH_RANDOM || kind == CRASH_LYING ? n_seeds() :
	    1;

	record();
	(void)printf("# %s: %zu points, seeds 1 to %u\n",
	    crash_kind_name(kind), crash_n_changes() + 1, n);
	for (uint64_t seed = 1; seed <= n; seed++)
		for (size_t at = 0; at <= crash_n_changes(); at++)
			cut_and_read(at, kind, seed);
	crash_reset();
}
END_TEST

/* It was not the database that got by: these do tear checkpoints. */
START_TEST(a_lying_disk_is_seen_to_lie)
{
	unsigned n_damaged = 0, n_older = 0;
	uint64_t generation;

	record();
	for (uint64_t seed = 1; seed <= 200; seed++) {
		crash_cut(crash_n_changes(), CRASH_LYING, seed);
		if (read_back(&generation) < 0)
			n_damaged++;
		else if (generation < N_GENERATIONS)
			n_older++;
	}
	ck_assert_uint_gt(n_damaged, 0);
	ck_assert_uint_gt(n_damaged + n_older, 100);
	crash_reset();
}
END_TEST

/* A store on that disk, some checkpoints, the end. */
static void
use_store(uint64_t *ret_acked)
{
	struct store_options o = {
		.path = options.path,
		.vfs = CRASH_VFS,
		.retry_ms = 1,
		.busy_ms = 1,
	};

	*ret_acked = 0;
	ask_open(o);
	for (uint64_t i = 1; i <= 4; i++) {
		store_save_checkpoint(ask_store, ask_call(), make(i));
		ask_wait(1);
		if (ask_answer.error.code == 0)
			*ret_acked = i;
		else
			ck_assert_str_ne(ask_answer.error.text, "");
	}
	ask_close();
}

/* The fault at the nth call.  Does it have one? */
static bool
fail_at(unsigned n, enum crash_fault fault, bool stays)
{
	uint64_t acked, generation;
	bool has_failed;
	int r;

	crash_reset();
	crash_stop_logging();
	crash_fail_at(n, fault, stays);
	use_store(&acked);
	has_failed = crash_has_failed();
	crash_fail_at(0, fault, false);
	r = read_back(&generation);
	ck_assert_msg(r == 0 && generation >= acked && generation <= 4,
	    "call %u, %s%s: %d (%s), generation %llu, acknowledged %llu", n,
	    fault == CRASH_EIO ? "EIO" : "ENOSPC", stays ? " for ever" : "",
	    r, db.error.text, (unsigned long long)generation,
	    (unsigned long long)acked);
	if (!has_failed)
		ck_assert_uint_eq(acked, 4);
	ask_forget();
	return has_failed;
}

START_TEST(a_call_that_fails_loses_nothing_acknowledged)
{
	enum crash_fault fault = _i % 2 == 0 ? CRASH_EIO : CRASH_ENOSPC;
	bool stays = _i >= 2;
	unsigned n = 1;

	ask_setup();
	while (fail_at(n, fault, stays))
		n++;
	ask_teardown();
	(void)printf("# %s%s: each of %u calls\n", fault == CRASH_EIO ?
	    "EIO" : "ENOSPC", stays ? " for ever" : "", n - 1);
	ck_assert_uint_gt(n, 20);
	crash_reset();
}
END_TEST

START_TEST(when_there_is_room_again_it_goes_on)
{
	struct store_options o = { .path = options.path, .vfs = CRASH_VFS };
	struct store_health health;

	ask_setup();
	crash_reset();
	ask_open(o);
	store_save_checkpoint(ask_store, ask_call(), make(1));
	ask_expect(0);
	crash_fail_at(1, CRASH_ENOSPC, true);
	store_save_checkpoint(ask_store, ask_call(), make(2));
	ask_expect(-ENOSPC);
	ck_assert(crash_has_failed());
	store_get_health(ask_store, &health);
	ck_assert_int_eq(health.state, STORE_STALE);
	ck_assert_int_eq(health.error.code, -ENOSPC);
	ck_assert_ptr_nonnull(strstr(health.error.text, "full"));
	ck_assert_int_gt(health.since_ms, 0);
	crash_fail_at(0, CRASH_ENOSPC, false);
	store_save_checkpoint(ask_store, ask_call(), make(3));
	ask_expect(0);
	store_get_health(ask_store, &health);
	ck_assert_int_eq(health.state, STORE_OK);
	ck_assert_str_eq(health.error.text, "");
	ask_teardown();
	crash_reset();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crash");
	TCase *tc = tcase_create("crash");

	tcase_set_timeout(tc, getenv("NBDSYNC_LONG") != NULL ? 7200 : 300);
	tcase_add_loop_test(tc,
	    a_power_cut_leaves_an_acknowledged_checkpoint, 0, CRASH_KINDS);
	tcase_add_test(tc, a_lying_disk_is_seen_to_lie);
	tcase_add_loop_test(tc, a_call_that_fails_loses_nothing_acknowledged,
	    0, 4);
	tcase_add_test(tc, when_there_is_room_again_it_goes_on);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
