/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The words for what runs do, and how they end: of configurations, commands,
 * reports and the control API.
 */

#include <errno.h>
#include <string.h>

#include "copy/tuning.h"
#include "transfer/run.h"

static const char *const phase_names[] = {
	[RUN_CONNECTING] = "connecting",
	[RUN_COPYING] = "copying",
	[RUN_RECONNECTING] = "reconnecting",
	[RUN_STALLED] = "stalled",
	[RUN_FLUSHING] = "flushing",
	[RUN_VERIFYING] = "verifying",
	[RUN_MIRRORING] = "mirroring",
	[RUN_WAITING] = "waiting",
	[RUN_STOPPING] = "stopping",
	[RUN_FINISHED] = "finished",
};

static const char *const outcome_names[] = {
	[RUN_SUCCEEDED] = "succeeded",
	[RUN_PARTIAL] = "succeeded-with-warnings",
	[RUN_DIFFERENT] = "differences-found",
	[RUN_BAD_RANGES] = "finished-with-bad-ranges",
	[RUN_FAILED] = "failed",
	[RUN_CANCELLED] = "cancelled",
	[RUN_STOPPED] = "stopped",
	[RUN_REPAIRED] = "repaired",
};

static const char *const mode_names[] = {
	[RUN_COPY] = "copy",
	[RUN_SYNC] = "sync",
	[RUN_VERIFY] = "verify",
	[RUN_MIRROR] = "mirror",
};

static const char *const on_error_names[] = {
	[RUN_STOP] = "stop",
	[RUN_RETRY] = "retry",
	[RUN_SKIP] = "skip",
};

static const char *const fill_names[] = {
	[RUN_FILL_LEAVE] = "leave",
	[RUN_FILL_ZEROES] = "zeroes",
	[RUN_FILL_PATTERN] = "pattern",
};

const char *
run_mode_name(enum run_mode mode)
{
	return mode_names[mode];
}

int
run_mode_parse(const char *word, enum run_mode *ret_mode)
{
	for (int mode = RUN_COPY; mode <= RUN_MIRROR; mode++)
		if (strcmp(word, mode_names[mode]) == 0) {
			*ret_mode = (enum run_mode)mode;
			return 0;
		}
	return -EINVAL;
}

const char *
run_on_error_name(enum run_on_error policy)
{
	return policy <= RUN_SKIP ? on_error_names[policy] : NULL;
}

int
run_fill_parse(const char *word, enum run_fill *ret_fill)
{
	for (int fill = RUN_FILL_LEAVE; fill <= RUN_FILL_PATTERN; fill++)
		if (strcmp(word, fill_names[fill]) == 0) {
			*ret_fill = (enum run_fill)fill;
			return 0;
		}
	return -EINVAL;
}

const char *
run_phase_name(enum run_phase phase)
{
	return phase_names[phase];
}

const char *
run_limit_name(unsigned i)
{
	return i < COPY_LIMITS ? copy_limit_name((enum copy_limit)i) : NULL;
}

const char *
run_outcome_name(enum run_outcome outcome)
{
	return outcome_names[outcome];
}
