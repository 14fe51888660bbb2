/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From what the disks of lane 0 are to the plan of the run: what is refused
 * before anything is written, and what has to fit.
 */

#include <errno.h>
#include <string.h>

#include "transfer/run-private.h"

/*
 * A disk that is written while it is read as another one: never.  *ret_target
 * is the one that is.
 */
static int
check_identities(struct run *run, unsigned *ret_target, struct error *e)
{
	const struct lane *lane = run->lanes[0].lane;
	const char *source = lane_identity(lane, COPY_SOURCE, 0);
	const char *name;
	unsigned i;

	if (run->wish.mode == COPY_MODE_VERIFY)
		return 0;
	for (*ret_target = 0; *ret_target < run->n_destinations;
	     (*ret_target)++) {
		if (!copy_ledger_is_live(&run->ledger, *ret_target))
			continue;
		name = lane_identity(lane, COPY_DESTINATION, *ret_target);
		if (name[0] == '\0')
			continue;
		if (strcmp(source, name) == 0)
			return error_set(e, -EINVAL, "is the same export as "
			    "the source; nothing was written");
		for (i = 0; i < *ret_target; i++)
			if (copy_ledger_is_live(&run->ledger, i) &&
			    strcmp(name, lane_identity(lane, COPY_DESTINATION,
				i)) == 0)
				return error_set(e, -EINVAL, "is the same "
				    "export as another destination; nothing "
				    "was written");
	}
	return 0;
}

/*
 * A destination that failed before it had a shape is given nothing; for the
 * plan it looks like one of the others.
 */
void
run_get_shapes(const struct run *run, const struct disk_shape *shapes[])
{
	const struct lane *lane = run->lanes[0].lane;
	const struct disk_shape *any = NULL;
	unsigned i;

	for (i = 0; i < run->n_destinations; i++)
		if (copy_ledger_is_live(&run->ledger, i))
			any = lane_shape(lane, COPY_DESTINATION, i);
	for (i = 0; i < run->n_destinations; i++)
		shapes[i] = copy_ledger_is_live(&run->ledger, i) ?
		    lane_shape(lane, COPY_DESTINATION, i) :
		    any;
}

/* What was started for the run is started again from now on, if it ends. */
static void
keep_servers(struct run *run)
{
	unsigned i;

	if (!run->plan.reconnects)
		return;
	endpoint_keep(run->source);
	for (i = 0; i < run->n_destinations; i++)
		if (run->destinations[i] != NULL)
			endpoint_keep(run->destinations[i]);
}

/* Where nobody says how large requests are to be, one fits the memory. */
static void
fit_requests(struct run *run)
{
	uint64_t max = budget_memory_max(run->share.budget);

	if (max == 0 || run->wish.request_size != 0)
		return;
	while (throttle_lane_bytes(&run->plan) > max &&
	    copy_plan_halve_requests(&run->plan))
		;
}

void
run_make_plan(struct run *run)
{
	const struct lane *lane = run->lanes[0].lane;
	const struct disk_shape *shapes[RUN_MAX_DESTINATIONS];
	unsigned target = 0;
	struct error e;
	int r;

	run_get_shapes(run, shapes);
	r = check_identities(run, &target, &e);
	if (r == 0)
		r = copy_plan_make(&run->plan,
		    lane_shape(lane, COPY_SOURCE, 0), shapes,
		    run->n_destinations, &run->wish, &target, &e);
	if (r < 0) {
		run_fail(run,
		    strncmp(e.text, "source", 6) == 0 ? COPY_SOURCE :
							COPY_DESTINATION,
		    target, r, e.text);
		copy_ledger_stop(&run->ledger);
		run_refuse(run);
		return;
	}
	fit_requests(run);
	keep_servers(run);
	if (!resume_begin(run))
		run_begin(run);
}
