/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_CANARY_H
#define TRANSFER_CANARY_H

#include <stdbool.h>
#include <stddef.h>

#include "copy/cursor.h"
#include "copy/ledger.h"
#include "copy/plan.h"
#include "copy/tuning.h"
#include "store/checkpoint.h"

/*
 * Is what a checkpoint calls durable at the destinations?  Looked at in some
 * places, before a run goes on from it.  On the run's worker.
 */

struct run;

#define CANARY_RANDOM 64		/* pieces that all destinations have */
#define CANARY_OWN    16		/* more of each of several */
#define CANARY_MAX    (CANARY_RANDOM + CANARY_OWN * COPY_MAX_TARGETS + \
	STORE_MAX_RECENT)

/* Born 0. */
struct canary {
	struct copy_range ranges[CANARY_MAX];
	size_t n_ranges;
	struct copy_plan plan;
	struct copy_cursor cursor;
	struct copy_ledger ledger;
	struct copy_tuning tuning;
};

/*
 * Have lane 0 compare: resume_copied() comes.  -ENODATA: there is nothing that
 * could be looked at; -ENOMEM; or what the plan is refused for.
 */
int canary_send(struct canary *c, struct run *run,
    const struct store_checkpoint *cp, struct error *why);

/* Then: has the destination what is called durable, where it was looked at? */
bool canary_sings(const struct canary *c, const struct run *run,
    const struct store_checkpoint *cp, unsigned target);

/* What is looked at is not needed any more, if it is. */
void canary_stop(struct canary *c);
/* Not before the lane is done with it. */
void canary_done(struct canary *c);

#endif
