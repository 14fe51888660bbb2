/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a run has done without, since a server lacks it, or was asked to do
 * without: a sentence each, said once in the result.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "transfer/run-private.h"

void
run_add_gave_up(struct run *run, const char *sentence)
{
	char **list;
	size_t i;

	/* Once, however many it is true of. */
	for (i = 0; i < run->n_gave_up; i++)
		if (strcmp(run->gave_up[i], sentence) == 0)
			return;
	list = realloc(run->gave_up, (run->n_gave_up + 1) * sizeof *list);
	if (list == NULL)
		return;
	run->gave_up = list;
	list[run->n_gave_up] = strdup(sentence);
	if (list[run->n_gave_up] != NULL)
		run->n_gave_up++;
}

void
run_tell_gave_up(struct run *run, uint32_t targets, const char *sentence)
{
	char named[ERROR_TEXT_SIZE];
	char name[128];
	const char *label;
	unsigned i;

	if (run->n_destinations == 1 || targets == 0) {
		run_add_gave_up(run, sentence);
		return;
	}
	for (i = 0; i < run->n_destinations; i++) {
		if ((targets & (1U << i)) == 0)
			continue;
		label = run->destination_specs[i]->name;
		(void)snprintf(named, sizeof named, "destination '%s'%s",
		    escape_text(label, strlen(label), name, sizeof name),
		    sentence + strlen("destination"));
		run_add_gave_up(run, named);
	}
}

/* Of one destination. */
static void
tell_refusals_of(struct run *run, unsigned target)
{
	const struct copy_target_books *b = &run->ledger.targets[target];
	uint32_t bit = 1U << target;

	if (atomic_load(&b->status_failed))
		run_tell_gave_up(run, bit, "destination failed to answer block "
		    "status: what it did not tell was read");
	if (atomic_load(&b->lacks_fast_zero))
		run_tell_gave_up(run, bit, "destination does not offer fast "
		    "write-zeroes: each stretch of zeroes was zeroed by "
		    "itself");
	if (atomic_load(&b->has_no_fast_zero))
		run_tell_gave_up(run, bit, "destination refused fast "
		    "write-zeroes: each stretch of zeroes was zeroed by "
		    "itself");
	if (atomic_load(&b->zero.limit) != 0 &&
	    !atomic_load(&b->zero.is_total))
		run_tell_gave_up(run, bit, "destination refused write-zeroes "
		    "for their size: smaller ones");
	if (atomic_load(&b->zero.is_total))
		run_tell_gave_up(run, bit, "destination refused write-zeroes: "
		    "zeroes were written as data");
	if (atomic_load(&b->trim.limit) != 0 &&
	    !atomic_load(&b->trim.is_total))
		run_tell_gave_up(run, bit, "destination refused to trim for "
		    "the size: smaller ones");
	if (atomic_load(&b->trim.is_total))
		run_tell_gave_up(run, bit, "destination refused to trim: holes "
		    "that need not be copied were left as they were");
}

/* What servers refused, and what was done then. */
static void
tell_refusals(struct run *run)
{
	const struct copy_ledger *l = &run->ledger;
	unsigned i;

	if (atomic_load(&l->status_failed))
		run_add_gave_up(run, "source failed to answer block status: "
		    "what it did not tell was read");
	if (atomic_load(&l->size_limit) != 0)
		run_add_gave_up(run, "a server refused requests for their "
		    "size: smaller requests");
	for (i = 0; i < run->n_destinations; i++)
		tell_refusals_of(run, i);
}

/* What a comparison has left out on purpose. */
static void
tell_holes(struct run *run)
{
	char sentence[ERROR_TEXT_SIZE];
	uint64_t bytes;

	for (unsigned i = 0; i < run->n_destinations; i++) {
		bytes = copy_ledger_get(
		    &run->ledger.targets[i].untouched_bytes);
		if (run->plan.mode != COPY_MODE_VERIFY || bytes == 0)
			continue;
		(void)snprintf(sentence, sizeof sentence, "%" PRIu64
		    " bytes were not compared: holes, of which it does not "
		    "matter what they hold", bytes);
		run_add_gave_up(run, sentence);
	}
}

void
run_note_gave_up(struct run *run)
{
	tell_refusals(run);
	tell_holes(run);
}
