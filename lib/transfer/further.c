/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Further connections: whether they are to the same disks as the first ones.
 */

#include <errno.h>
#include <stdio.h>

#include "transfer/run-private.h"

/*
 * Is a further connection to the same disk, as the first one saw it?
 */
static bool
is_same_disk(const struct run *run, const struct lane *lane,
    enum copy_side side, unsigned target)
{
	const struct lane *first = run->lanes[0].lane;

	return disk_shape_is_same(lane_shape(first, side, target),
	    lane_shape(lane, side, target));
}

/* Why a further connection to this disk is not used: "" if it is. */
static void
judge_connection(const struct run *run, const struct lane *lane,
    enum copy_side side, unsigned target, char *sentence, size_t size)
{
	const struct copy_failure *f;
	uint64_t n;

	sentence[0] = '\0';
	if (side == COPY_DESTINATION &&
	    !copy_ledger_is_live(&run->ledger, target))
		return;
	f = lane_failure(lane, side, target, &n);
	if (n > 0)
		(void)snprintf(sentence, size,
		    "%s refused a further connection (%s): fewer connections",
		    run_side_name(side),
		    f->error == -ECANCELED ? "no answer" : f->message);
}

/* The same, for what has been connected. */
static void
judge_disk(const struct run *run, const struct lane *lane,
    enum copy_side side, unsigned target, char *sentence, size_t size)
{
	if (side == COPY_DESTINATION &&
	    !copy_ledger_is_live(&run->ledger, target))
		return;
	if (sentence[0] == '\0' && endpoint_n_starts(side == COPY_SOURCE ?
	    run->source : run->destinations[target]) > 1)
		(void)snprintf(sentence, size,
		    "%s was started again: no further connections to it",
		    run_side_name(side));
	if (sentence[0] == '\0' && !is_same_disk(run, lane, side, target))
		(void)snprintf(sentence, size,
		    "%s is another disk on a further connection: fewer "
		    "connections",
		    run_side_name(side));
}

bool
run_may_use_lane(const struct run *run, const struct lane *lane,
    char *sentence, size_t size)
{
	unsigned i;

	judge_connection(run, lane, COPY_SOURCE, 0, sentence, size);
	for (i = 0; sentence[0] == '\0' && i < run->n_destinations; i++)
		judge_connection(run, lane, COPY_DESTINATION, i, sentence,
		    size);
	if (sentence[0] == '\0')
		judge_disk(run, lane, COPY_SOURCE, 0, sentence, size);
	for (i = 0; sentence[0] == '\0' && i < run->n_destinations; i++)
		judge_disk(run, lane, COPY_DESTINATION, i, sentence, size);
	return sentence[0] == '\0';
}

bool
run_is_over_soon(const struct run *run, const struct lane *lane)
{
	const struct copy_failure *f;
	uint64_t n;

	f = lane_failure(lane, COPY_SOURCE, 0, &n);
	return n > 0 && f->error == -ECANCELED &&
	    run_clock_ms() - atomic_load(&run->started_ms) < RUN_NO_ANSWER_MS;
}
