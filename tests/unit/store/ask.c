/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See ask.h.
 */
#include "ask.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define LIMIT_MS 20000

char ask_path[64];
char ask_dir[48];
struct store *ask_store;
struct mailbox *ask_box;
struct store_call ask_answer;

static struct net_loop *loop;
static struct net_timer limit;
static struct store_call answers[64];
static unsigned n_answers;
static unsigned n_read;
static unsigned n_wanted;
static bool is_closed;

static void
on_limit(void *arg)
{
	(void)arg;
	ck_abort_msg("no answer");
}

void
ask_setup(void)
{
	(void)snprintf(ask_dir, sizeof ask_dir, "/tmp/nbdsync-store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(ask_dir));
	(void)snprintf(ask_path, sizeof ask_path, "%s/state.db", ask_dir);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(mailbox_new(loop, &ask_box), 0);
	ck_assert_int_eq(net_timer_init(&limit, loop, on_limit, NULL), 0);
	n_answers = 0;
	n_read = 0;
}

void
ask_forget(void)
{
	for (unsigned i = 0; i < n_answers; i++) {
		struct store_call *call = store_call_new(NULL, NULL, NULL);

		ck_assert_ptr_nonnull(call);
		*call = answers[i];
		store_call_free(call);
	}
	n_answers = 0;
	n_read = 0;
}

void
ask_teardown(void)
{
	char command[96];

	if (ask_store != NULL)
		ask_close();
	ask_forget();
	net_timer_done(&limit);
	mailbox_free(ask_box);
	net_loop_free(loop);
	(void)snprintf(command, sizeof command, "rm -rf %s", ask_dir);
	ck_assert_int_eq(system(command), 0);
}

void
ask_open(struct store_options options)
{
	if (options.path == NULL)
		options.path = ask_path;
	options.owner = ask_box;
	ck_assert_int_eq(store_open(&options, &ask_store), 0);
}

static void
on_done(struct store_call *call)
{
	ck_assert_uint_lt(n_answers, sizeof answers / sizeof answers[0]);
	answers[n_answers++] = *call;
	call->checkpoint = NULL;
	call->jobs = NULL;
	call->runs = NULL;
	call->n_runs = 0;
	if (n_answers == n_wanted)
		net_loop_stop(loop);
}

struct store_call *
ask_call(void)
{
	struct store_call *call = store_call_new(ask_box, on_done, NULL);

	ck_assert_ptr_nonnull(call);
	return call;
}

static void
run_loop(void)
{
	net_timer_start(&limit, LIMIT_MS);
	ck_assert_int_eq(net_loop_run(loop), 0);
	net_timer_stop(&limit);
}

void
ask_wait(unsigned n)
{
	n_wanted = n_read + n;
	if (n_answers < n_wanted)
		run_loop();
	n_read = n_wanted;
	ask_answer = answers[n_read - 1];
}

void
ask_expect(int code)
{
	ask_wait(1);
	ck_assert_msg(ask_answer.error.code == code, "%d (%s), not %d",
	    ask_answer.error.code, ask_answer.error.text, code);
}

static void
on_closed(struct store_call *call)
{
	ck_assert_int_eq(call->error.code, 0);
	is_closed = true;
	net_loop_stop(loop);
}

void
ask_close(void)
{
	is_closed = false;
	n_wanted = UINT_MAX;
	store_close(ask_store, store_call_new(ask_box, on_closed, NULL),
	    LIMIT_MS);
	while (!is_closed)
		run_loop();
	store_free(STEAL(ask_store));
}

static char *
text(const char *prefix, uint64_t number)
{
	char *s = NULL;

	ck_assert_int_gt(asprintf(&s, "%s-%llu", prefix,
	    (unsigned long long)number), 0);
	return s;
}

static void
fill_side(struct store_side *side, uint64_t number)
{
	*side = (struct store_side){
		.size = number << 30,
		.min_block = 512,
		.preferred_block = 4096,
		.max_block = 32U << 20,
		.flags = 0x1ff,
		.is_read_only = number % 2 == 0,
		.identity = text("nbd://host/disk", number),
	};
}

static void
fill_lists(struct store_checkpoint *c)
{
	c->n_ranges = 2;
	c->ranges = calloc(2, sizeof c->ranges[0]);
	ck_assert_ptr_nonnull(c->ranges);
	c->ranges[0].length = c->generation << 20;
	c->ranges[1] = (struct store_extent){ 1ULL << 40, 512, UINT64_MAX };
	c->n_recent = STORE_MAX_RECENT;
	for (size_t i = 0; i < c->n_recent; i++)
		c->recent[i] = (struct range){ i * c->generation, i + 1 };
}

struct store_checkpoint *
ask_checkpoint(const char *job, uint64_t generation)
{
	struct store_checkpoint *c = store_checkpoint_new();

	ck_assert_ptr_nonnull(c);
	c->job = strdup(job);
	c->generation = generation;
	c->mode = text("sync", generation);
	c->settings = text("settings", generation);
	c->saved_at_ms = 1764151872000 + (int64_t)generation;
	fill_lists(c);
	fill_side(&c->source, generation);
	c->n_destinations = 2;
	for (unsigned i = 0; i < c->n_destinations; i++) {
		struct store_destination *d = &c->destinations[i];

		fill_side(&d->side, generation + i);
		for (uint64_t k = 0; k < 20 + generation % 7; k++)
			ck_assert_int_eq(ranges_add(&d->durable, i +
			    k * (2ULL << 20), (1ULL << 20) + generation), 0);
	}
	return c;
}

void
ask_same(const struct store_checkpoint *a, const struct store_checkpoint *b)
{
	CLEANUP(cleanup_free) uint8_t *a_bytes = NULL, *b_bytes = NULL;
	size_t a_len = 0, b_len = 0;

	ck_assert_int_eq(store_checkpoint_encode(a, &a_bytes, &a_len), 0);
	ck_assert_int_eq(store_checkpoint_encode(b, &b_bytes, &b_len), 0);
	ck_assert_uint_eq(a_len, b_len);
	ck_assert_mem_eq(a_bytes, b_bytes, a_len);
}

void
ask_expect_checkpoint(const char *job, uint64_t generation)
{
	struct store_checkpoint *wanted = ask_checkpoint(job, generation);

	store_load_checkpoint(ask_store, ask_call(), job);
	ask_expect(0);
	ck_assert_ptr_nonnull(ask_answer.checkpoint);
	ck_assert_uint_eq(ask_answer.checkpoint->generation, generation);
	ask_same(ask_answer.checkpoint, wanted);
	store_checkpoint_free(wanted);
}

struct store_run *
ask_run(const char *id, const char *job)
{
	struct store_run *run = store_run_new();

	ck_assert_ptr_nonnull(run);
	run->id = strdup(id);
	run->job = strdup(job);
	run->trigger = strdup("control");
	run->result = strdup("succeeded");
	run->digest = strdup("sha256:00");
	run->report = strdup("{\"result\":\"succeeded\"}");
	run->started_at_ms = 1000;
	run->finished_at_ms = 2000;
	run->bytes = 1ULL << 40;
	return run;
}

void
ask_sqlite(const char *sql, char *ret_text, size_t size)
{
	char command[512];
	size_t n;
	FILE *f;

	(void)snprintf(command, sizeof command, "sqlite3 %s \"%s\"", ask_path,
	    sql);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(ret_text, 1, size - 1, f);
	ret_text[n] = '\0';
	ck_assert_int_eq(pclose(f), 0);
}
