/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map of a run, piece by piece of its plan: what its keeper knows to be
 * durable, what its lanes have claimed, what was skipped.
 */

#include <string.h>

#include "base/cleanup.h"
#include "transfer/run-map.h"
#include "transfer/run-private.h"

/* What is known at one moment. */
struct picture {
	const struct run *run;
	struct ranges durable[COPY_MAX_TARGETS];
	uint32_t targets;		/* bit i: destination i counts */
	struct ranges bad;		/* bytes on the source */
	uint64_t claimed;		/* up to there, on the line */
	uint64_t undone;		/* bytes that are done, and are not
					   shown yet */
	struct run_map *map;
};

static void
picture_done(struct picture *p)
{
	for (unsigned t = 0; t < COPY_MAX_TARGETS; t++)
		ranges_done(&p->durable[t]);
	ranges_done(&p->bad);
}

/* A destination that has failed does not count, unless all have. */
static uint32_t
count_targets(const struct run *run)
{
	uint32_t targets = 0;

	for (unsigned t = 0; t < run->n_destinations; t++)
		if (copy_ledger_is_live(&run->ledger, t))
			targets |= UINT32_C(1) << t;
	return targets != 0 ? targets :
	    (uint32_t)((UINT64_C(1) << run->n_destinations) - 1);
}

static int
take_durable(struct picture *p)
{
	/* Its lock is what there is to change. */
	struct keeper *k = (struct keeper *)(uintptr_t)&p->run->keeper;
	int r = 0;

	(void)pthread_mutex_lock(&k->lock);
	for (unsigned t = 0; r == 0 && t < p->run->n_destinations; t++)
		r = ranges_add_all(&p->durable[t], &k->durable[t]);
	(void)pthread_mutex_unlock(&k->lock);
	return r;
}

static int
take_bad(struct picture *p, const struct run_result *result)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < result->n_bad_ranges; i++)
		r = ranges_add(&p->bad, result->bad_ranges[i].offset,
		    result->bad_ranges[i].length);
	return r;
}

/* Of the *len bytes of the piece from at on, how many are all the same? */
static enum run_cell
look_at(const struct picture *p, const struct copy_piece *piece, uint64_t at,
    uint64_t *len)
{
	uint32_t targets = p->targets & piece->targets;
	bool is_durable = targets != 0;
	bool is_bad = false, is_in;

	if (!piece->is_rest)
		*len = ranges_run_at(&p->bad, piece->from + at, *len, &is_bad);
	for (unsigned t = 0; t < p->run->n_destinations; t++) {
		if ((targets >> t & 1) == 0)
			continue;
		*len = ranges_run_at(&p->durable[t], piece->to + at, *len,
		    &is_in);
		is_durable = is_durable && is_in;
	}
	if (is_bad)
		return RUN_CELL_ERROR;
	if (is_durable)
		return RUN_CELL_DURABLE;
	if (piece->position + at >= p->claimed)
		return RUN_CELL_TODO;
	if (*len > p->claimed - piece->position - at)
		*len = p->claimed - piece->position - at;
	if (p->undone == 0)
		return RUN_CELL_CLAIMED;
	if (*len > p->undone)
		*len = p->undone;
	return RUN_CELL_DONE;
}

static int
add_piece(struct picture *p, const struct copy_piece *piece)
{
	uint64_t len;
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < piece->length; at += len) {
		struct run_map_stretch s = { .offset = piece->from + at,
			.is_rest = piece->is_rest };

		len = piece->length - at;
		s.cell = look_at(p, piece, at, &len);
		if (s.cell == RUN_CELL_DURABLE && zeroes_look(
		    &p->run->zeroes, piece->to + at, &len,
		    (unsigned)__builtin_popcount(p->targets &
		    piece->targets)))
			s.cell = RUN_CELL_ZERO;
		s.length = len;
		if (s.cell == RUN_CELL_DONE)
			p->undone -= len;
		r = run_map_add(p->map, &s);
	}
	return r;
}

int
run_get_map(const struct run *run, bool is_over, struct run_map *ret_map)
{
	CLEANUP(picture_done) struct picture p = { .run = run };
	struct run_map map = { .v = NULL };
	struct run_progress progress;
	int r;

	*ret_map = map;
	/* Before that there is no plan, and after it nobody changes it. */
	if (!atomic_load(&run->is_tuned))
		return 0;
	run_get_progress(run, &progress);
	if (progress.done_bytes > progress.durable_bytes)
		p.undone = progress.done_bytes - progress.durable_bytes;
	p.claimed = atomic_load_explicit(&run->cursor.next,
	    memory_order_relaxed);
	p.targets = count_targets(run);
	p.map = &map;
	r = take_durable(&p);
	if (r == 0 && is_over)
		r = take_bad(&p, run_result(run));
	for (size_t i = 0; r == 0 && i < run->plan.n_pieces; i++)
		r = add_piece(&p, &run->plan.pieces[i]);
	if (r < 0)
		run_map_done(&map);
	*ret_map = map;
	return r;
}
