/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs without disks and threads.
 */
#include "fake-run.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define N_RUNS 16

struct run {
	struct fake_run fake;
	enum run_phase phase;
	struct run_result result;
	struct run_loss *loss;
	void (*on_finished)(struct run *run, void *arg);
	void *arg;
};

static struct run runs[N_RUNS];
static unsigned n_runs;
static const char *refusal;

const struct fake_run *
fake_run_get(unsigned i)
{
	return i < n_runs ? &runs[i].fake : NULL;
}

void
fake_run_set_phase(unsigned i, enum run_phase phase)
{
	runs[i].phase = phase;
}

void
fake_run_set_result(unsigned i, const struct run_result *result)
{
	runs[i].result = *result;
}

void
fake_run_finish(unsigned i, enum run_outcome outcome, const char *why)
{
	struct run *run = &runs[i];

	run->result.has_begun = run->phase != RUN_CONNECTING;
	run->phase = RUN_FINISHED;
	run->result.outcome = outcome;
	run->result.progress.limited_by = "none";
	if (outcome == RUN_FAILED)
		(void)error_set(&run->result.failure.error, -EIO, "%s", why);
	run->on_finished(run, run->arg);
}

void
fake_run_refuse_next(const char *why)
{
	refusal = why;
}

int
run_new(const struct run_spec *spec, struct worker_pool *pool UNUSED,
    struct mailbox *owner UNUSED,
    void (*on_finished)(struct run *run, void *arg), void *arg,
    struct run **ret_run, struct error *e)
{
	struct run *run = &runs[n_runs];
	const char *why = refusal;

	assert(n_runs < N_RUNS);
	if (why != NULL) {
		refusal = NULL;
		return error_set(e, -EINVAL, "%s", why);
	}
	memset(run, 0, sizeof *run);
	run->fake.spec = *spec;
	(void)snprintf(run->fake.source, sizeof run->fake.source, "%s",
	    spec->source->name);
	(void)snprintf(run->fake.destination, sizeof run->fake.destination,
	    "%s", spec->destinations[0]->name);
	run->fake.rate = spec->rate;
	run->on_finished = on_finished;
	run->arg = arg;
	n_runs++;
	*ret_run = run;
	return 0;
}

void
run_start(struct run *run)
{
	run->fake.is_started = true;
}

void
run_cancel(struct run *run)
{
	run->fake.is_cancelled = true;
}

void
run_abort(struct run *run)
{
	run->fake.is_aborted = true;
}

void
run_set_rate(struct run *run, uint64_t rate)
{
	run->fake.rate = rate;
}

struct run_loss *
run_take_loss(struct run *run)
{
	struct run_loss *loss = run->loss;

	run->loss = NULL;
	return loss;
}

size_t
run_get_connections(const struct run *run UNUSED,
    struct run_connection *ret UNUSED, size_t room UNUSED)
{
	return 0;
}

void
run_disturb(struct run *run UNUSED)
{
}

void
run_outdate(struct run *run, int64_t resume_after_ms)
{
	run->fake.spec.resume_after_ms = resume_after_ms;
}

void
run_get_progress(const struct run *run, struct run_progress *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->phase = run->phase;
	ret->limited_by = "none";
}

int
run_get_map(const struct run *run UNUSED, bool is_over UNUSED,
    struct run_map *ret_map)
{
	*ret_map = (struct run_map){ .v = NULL };
	return 0;
}

const struct run_result *
run_result(const struct run *run)
{
	return &run->result;
}

int64_t
run_wall_clock_ms(void)
{
	return 1;
}

void
run_free(struct run *run)
{
	run->fake.is_freed = true;
}
