/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls: what they carry, and what each of them does.  Posting one is filling
 * it in here and handing it to the queue, which is store.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/annotate.h"
#include "store/store-private.h"
#include "store/tables.h"

struct store_run *
store_run_new(void)
{
	return calloc(1, sizeof(struct store_run));
}

void
store_run_free(struct store_run *run)
{
	if (run == NULL)
		return;
	free(run->id);
	free(run->job);
	free(run->trigger);
	free(run->result);
	free(run->digest);
	free(run->report);
	free(run->map);
	if (run->free_arg != NULL)
		run->free_arg(run->arg);
	free(run);
}

struct store_call *
store_call_new(struct mailbox *reply_to,
    void (*on_done)(struct store_call *call), void *arg)
{
	struct store_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return NULL;
	list_init(&call->node);
	call->reply_to = reply_to;
	call->on_done = on_done;
	call->arg = arg;
	return call;
}

/* What a call carried back is not what it carried there. */
static void
drop_answers(struct store_call *call)
{
	for (size_t i = 0; i < call->n_runs; i++)
		store_run_free(call->runs[i]);
	free(call->runs);
	store_checkpoint_free(call->checkpoint);
	free(call->jobs);
	if (call->made != NULL)
		call->free_made(call->made);
	call->made = NULL;
	call->runs = NULL;
	call->n_runs = 0;
	call->checkpoint = NULL;
	call->jobs = NULL;
	call->n_jobs = 0;
}

void
store_call_free(struct store_call *call)
{
	if (call == NULL)
		return;
	drop_answers(call);
	free(call);
}

/* The store looks at neither; the mail is delivered on this thread. */
void
store_call_forget(struct store_call *call)
{
	call->on_done = NULL;
	call->arg = NULL;
}

/* The one job that a call is about, or will answer with. */
static int
make_job(struct db *db, struct store_call *call)
{
	call->jobs = calloc(1, sizeof call->jobs[0]);
	if (call->jobs == NULL)
		return table_no_memory(db);
	call->n_jobs = 1;
	return 0;
}

/* The same for one run. */
static int
make_run(struct db *db, struct store_call *call)
{
	call->runs = calloc(1, sizeof call->runs[0]);
	return call->runs == NULL ? table_no_memory(db) : 0;
}

static int
run_get_job(struct store_call *call, struct db *db, unsigned unused UNUSED)
{
	int r;

	drop_answers(call);
	r = make_job(db, call);
	if (r == 0)
		r = table_get_job(db, call->job, call->jobs);
	if (r == 0)
		r = make_run(db, call);
	if (r == 0)
		r = table_get_last_run(db, call->job, &call->runs[0]);
	if (r == 0 && call->runs[0] != NULL)
		call->n_runs = 1;
	return r;
}

static int
run_put_job(struct store_call *call, struct db *db, unsigned unused UNUSED)
{
	int r = table_put_job(db, call->jobs);

	return r < 0 ? r : table_get_job(db, call->job, call->jobs);
}

static int
run_save(struct store_call *call, struct db *db, unsigned unused UNUSED)
{
	return table_save_checkpoint(db, call->checkpoint);
}

static int
run_load(struct store_call *call, struct db *db, unsigned unused UNUSED)
{
	drop_answers(call);
	return table_load_checkpoint(db, call->job, &call->checkpoint);
}

static int
run_discard(struct store_call *call, struct db *db, unsigned unused UNUSED)
{
	return table_discard_checkpoint(db, call->job);
}

static void
make_report(struct store_run *run)
{
	run->report = run->make_report(run->arg);
	run->make_report = NULL;
	if (run->free_arg != NULL)
		run->free_arg(run->arg);
	run->free_arg = NULL;
	run->arg_bytes = 0;
}

static int
run_add_run(struct store_call *call, struct db *db, unsigned runs_per_job)
{
	if (call->runs[0]->make_report != NULL)
		make_report(call->runs[0]);
	return table_add_run(db, call->runs[0], runs_per_job);
}

static int
run_list_runs(struct store_call *call, struct db *db, unsigned unused UNUSED)
{
	drop_answers(call);
	return table_list_runs(db, call->job, call->count, call->id,
	    &call->runs, &call->n_runs);
}

static int
run_get_run(struct store_call *call, struct db *db, unsigned unused UNUSED)
{
	int r;

	drop_answers(call);
	r = make_run(db, call);
	if (r < 0)
		return r;
	r = table_get_run(db, call->id, &call->runs[0]);
	call->n_runs = r == 0 ? 1 : 0;
	return r;
}

/* clang-format off */
static const struct store_op
	get_job = { run_get_job, false, true },
	put_job = { run_put_job, true, false },
	load = { run_load, false, false },
	discard = { run_discard, true, false },
	add_run = { run_add_run, true, false },
	list_runs = { run_list_runs, false, true },
	get_run = { run_get_run, false, true };
const struct store_op store_op_save = { run_save, true, false };
/* clang-format on */

/* A name into a call; what does not fit would be another name. */
static void
set_text(struct store_call *call, char *ret, size_t size, const char *text)
{
	if (text != NULL && text[0] != '\0' && strlen(text) < size)
		memcpy(ret, text, strlen(text) + 1);
	else
		(void)error_set(&call->error, -EINVAL, "a name is %s", text ==
		    NULL || text[0] == '\0' ? "missing" : "too long");
}

static void
post(struct store *store, struct store_call *call, const struct store_op *op,
    const char *job)
{
	set_text(call, call->job, sizeof call->job, job);
	call->op = op;
	store_post(store, call);
}

void
store_get_job(struct store *store, struct store_call *call, const char *job)
{
	post(store, call, &get_job, job);
}

void
store_put_job(struct store *store, struct store_call *call,
    const struct store_job *job)
{
	call->jobs = malloc(sizeof *job);
	if (call->jobs == NULL) {
		(void)error_set(&call->error, -ENOMEM, "out of memory");
	} else {
		*call->jobs = *job;
		call->n_jobs = 1;
	}
	post(store, call, &put_job, job->name);
}

void
store_save_checkpoint(struct store *store, struct store_call *call,
    struct store_checkpoint *checkpoint)
{
	call->checkpoint = checkpoint;
	post(store, call, &store_op_save, checkpoint->job);
}

void
store_load_checkpoint(struct store *store, struct store_call *call,
    const char *job)
{
	post(store, call, &load, job);
}

void
store_discard_checkpoint(struct store *store, struct store_call *call,
    const char *job)
{
	post(store, call, &discard, job);
}

void
store_add_run(struct store *store, struct store_call *call,
    struct store_run *run)
{
	const char *job = run->job;

	if (run->id == NULL || run->trigger == NULL || run->result == NULL ||
	    run->bytes > INT64_MAX)
		(void)error_set(&call->error, -EINVAL, "the run lacks what "
		    "every run has");
	call->runs = malloc(sizeof call->runs[0]);
	if (call->runs != NULL) {
		call->runs[0] = run;
		call->n_runs = 1;
		post(store, call, &add_run, job);
		return;
	}
	(void)error_set(&call->error, -ENOMEM, "out of memory");
	post(store, call, &add_run, job);
	store_run_free(run);
}

void
store_list_runs(struct store *store, struct store_call *call,
    const char *job, size_t limit, const char *before)
{
	if (before != NULL)
		set_text(call, call->id, sizeof call->id, before);
	if (job != NULL)
		set_text(call, call->job, sizeof call->job, job);
	call->count = limit;
	call->op = &list_runs;
	store_post(store, call);
}

void
store_get_run(struct store *store, struct store_call *call, const char *id)
{
	set_text(call, call->id, sizeof call->id, id);
	call->op = &get_run;
	store_post(store, call);
}
