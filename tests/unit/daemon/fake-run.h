/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAKE_RUN_H
#define FAKE_RUN_H

#include "transfer/run-map.h"
#include "transfer/run.h"

/*
 * Stands in for lib/transfer/run.c: runs that do nothing and end when the
 * test says so.  The test links this, so the linker does not take the real
 * one from the library.
 */

struct fake_run {
	struct run_spec spec;		/* as run_new() got it */
	char source[64];		/* the names of its endpoints */
	char destination[64];
	bool is_started;
	bool is_cancelled;
	bool is_aborted;
	bool is_freed;
	uint64_t rate;			/* as it is now */
};

/* The nth run made since the test began, from 0; NULL: not made. */
const struct fake_run *fake_run_get(unsigned i);

/* What run_get_progress() shows. */
void fake_run_set_phase(unsigned i, enum run_phase phase);

/* What it ends with, but for what follows; its lists are the caller's. */
void fake_run_set_result(unsigned i, const struct run_result *result);

/* The run ends: on_finished is called. */
void fake_run_finish(unsigned i, enum run_outcome outcome, const char *why);

/* The next run_new() fails with -EINVAL and this sentence. */
void fake_run_refuse_next(const char *why);

#endif
