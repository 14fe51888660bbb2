/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The canary: what a checkpoint calls durable is read here and there on both
 * sides, by a comparison of its own on lane 0.  64 pieces are chosen at
 * random, some more of each of several destinations, and those that were
 * written last, where it is the most likely that something is lost.
 */

#include "transfer/canary.h"

#include <errno.h>
#include <stdlib.h>

#include "transfer/run-private.h"

#define PLACE_BYTES (64U * 1024)

/*
 * In whole sectors, if all of these are durable and lie in one piece of the
 * source.
 */
static void
add_place(const struct run *run, struct ranges *set,
    const struct ranges *durable, uint64_t to, uint64_t length)
{
	const struct copy_piece *p = copy_plan_piece_to(&run->plan, UINT32_MAX,
	    to);
	uint32_t align = run->plan.sector;

	to &= ~(uint64_t)(align - 1);
	if (p->is_rest || to < p->to || to - p->to >= p->length)
		return;
	length = (length + align - 1) & ~(uint64_t)(align - 1);
	if (length > p->to + p->length - to)
		length = p->to + p->length - to;
	/* A tail that not all destinations have is no whole sector of them. */
	if (length % align != 0 && p->from + (to - p->to) + length !=
	    atomic_load(&run->source_size))
		return;
	/* What cannot be added is not looked at. */
	if (ranges_cover(durable, to, length))
		(void)ranges_add(set, to, length);
}

/* A place in the set, all being as likely. */
static uint64_t
random_place(const struct ranges *set, uint64_t total)
{
	uint64_t n = ((uint64_t)arc4random() << 32 | arc4random()) % total;
	size_t i = 0;

	while (n >= set->v[i].len)
		n -= set->v[i++].len;
	return set->v[i].offset + n;
}

/* What all destinations have, but for those that have failed. */
static int
common_durable(const struct run *run, const struct store_checkpoint *cp,
    struct ranges *ret)
{
	uint64_t end = UINT64_MAX / 2;
	uint64_t at = 0;
	uint64_t length;
	unsigned t;
	bool is_in;
	bool all;
	int r = 0;

	while (r == 0 && at < end) {
		length = end - at;
		all = true;
		for (t = 0; t < run->n_destinations; t++) {
			if (!copy_ledger_is_live(&run->ledger, t))
				continue;
			length = ranges_run_at(&cp->destinations[t].durable,
			    at, length, &is_in);
			all &= is_in;
		}
		if (all)
			r = ranges_add(ret, at, length);
		at += length;
	}
	return r;
}

static void
add_random(const struct run *run, struct ranges *set,
    const struct ranges *durable, unsigned n)
{
	uint64_t total = ranges_total(durable);

	while (total > 0 && n-- > 0)
		add_place(run, set, durable, random_place(durable, total),
		    PLACE_BYTES);
}

/* One may have got further than the others: there it is looked at as well. */
static void
add_own(const struct run *run, const struct store_checkpoint *cp,
    struct ranges *set, unsigned target)
{
	const struct ranges *durable = &cp->destinations[target].durable;

	if (!copy_ledger_is_live(&run->ledger, target))
		return;
	if (run->n_destinations > 1)
		add_random(run, set, durable, CANARY_OWN);
	for (size_t i = 0; i < cp->n_recent; i++)
		add_place(run, set, durable, cp->recent[i].offset,
		    cp->recent[i].len);
}

static int
choose(const struct run *run, const struct store_checkpoint *cp,
    struct ranges *set)
{
	struct ranges common;
	int r;

	ranges_init(&common);
	r = common_durable(run, cp, &common);
	if (r == 0)
		add_random(run, set, &common, CANARY_RANDOM);
	for (unsigned t = 0; r == 0 && t < run->n_destinations; t++)
		add_own(run, cp, set, t);
	ranges_done(&common);
	return r;
}

static void
describe(struct canary *c, const struct run *run, const struct ranges *set)
{
	const struct copy_piece *p;
	size_t i;

	for (i = 0; i < set->n && i < CANARY_MAX; i++) {
		p = copy_plan_piece_to(&run->plan, UINT32_MAX,
		    set->v[i].offset);
		/* Neighbours in the set may lie in two pieces: one will do. */
		c->ranges[i] = (struct copy_range){
			.from = p->from + (set->v[i].offset - p->to),
			.to = set->v[i].offset,
			.length = set->v[i].len <
				p->to + p->length - set->v[i].offset ?
			    set->v[i].len :
			    p->to + p->length - set->v[i].offset,
		};
		c->n_ranges = i + 1;
	}
}

/* Nobody waits for those that have failed already. */
static void
leave_failed_out(struct run *run, struct copy_ledger *canary)
{
	unsigned t;

	for (t = 0; t < run->n_destinations; t++)
		if (!copy_ledger_is_live(&run->ledger, t))
			copy_ledger_fail(canary,
			    &run->ledger.targets[t].first_failure, 1);
}

static int
copy_canary(struct canary *c, struct run *run, struct error *why)
{
	const struct disk_shape *shapes[RUN_MAX_DESTINATIONS];
	struct copy_wish wish = {
		.mode = COPY_MODE_VERIFY,
		.ranges = c->ranges,
		.n_ranges = c->n_ranges,
		.connections = 1,
		.reconnects = run->wish.reconnects,
		/* What they hold may differ. */
		.skips_holes = run->wish.skips_holes,
	};
	unsigned target;
	int r;

	run_get_shapes(run, shapes);
	r = copy_plan_make(&c->plan, lane_shape(run->lanes[0].lane,
	    COPY_SOURCE, 0), shapes, run->n_destinations, &wish, &target,
	    why);
	if (r < 0)
		return r;
	copy_cursor_init(&c->cursor, c->plan.line_length);
	copy_tuning_init(&c->tuning, &c->plan, run_clock_ms());
	copy_ledger_init(&c->ledger, run->n_destinations);
	copy_ledger_plan(&c->ledger, c->plan.total_bytes);
	for (unsigned t = 0; t < run->n_destinations; t++)
		copy_ledger_plan_target(&c->ledger, t,
		    c->plan.targets[t].total_bytes);
	leave_failed_out(run, &c->ledger);
	run->lanes[0].is_busy = true;
	lane_copy(run->lanes[0].lane, &c->plan, &c->cursor, &c->ledger,
	    &c->tuning);
	return 0;
}

int
canary_send(struct canary *c, struct run *run,
    const struct store_checkpoint *cp, struct error *why)
{
	struct ranges set;
	int r;

	ranges_init(&set);
	r = choose(run, cp, &set);
	if (r < 0)
		(void)error_set(why, r, "out of memory");
	else
		describe(c, run, &set);
	ranges_done(&set);
	if (r == 0 && c->n_ranges == 0)
		r = error_set(why, -ENODATA, "the last run had not got far");
	if (r == 0)
		r = copy_canary(c, run, why);
	return r;
}

/* Is any of this in the set? */
static bool
touches(const struct ranges *set, uint64_t offset, uint64_t length)
{
	bool is_in;

	return ranges_run_at(set, offset, length, &is_in) < length || is_in;
}

/* Does this difference lie where the destination is said to be right? */
static bool
counts(const struct canary *c, const struct ranges *durable,
    const struct copy_difference *d)
{
	for (size_t i = 0; i < c->n_ranges; i++) {
		const struct copy_range *r = &c->ranges[i];
		uint64_t from = d->offset > r->from ? d->offset : r->from;
		uint64_t end = d->offset + d->length;

		if (end > r->from + r->length)
			end = r->from + r->length;
		if (from < end && touches(durable, r->to + (from - r->from),
		    end - from))
			return true;
	}
	return false;
}

static bool
was_looked_at(const struct canary *c, const struct ranges *durable)
{
	for (size_t i = 0; i < c->n_ranges; i++)
		if (touches(durable, c->ranges[i].to, c->ranges[i].length))
			return true;
	return false;
}

bool
canary_sings(const struct canary *c, const struct run *run,
    const struct store_checkpoint *cp, unsigned target)
{
	const struct ranges *durable = &cp->destinations[target].durable;
	const struct copy_ledger *l = &c->ledger;
	const struct copy_difference *v;
	bool is_cut;
	size_t n;

	if (durable->n == 0)
		return true;
	if (!was_looked_at(c, durable) ||
	    !copy_ledger_is_success(l, target, false))
		return false;
	if (copy_ledger_get(&l->targets[target].differing_bytes) == 0)
		return true;
	v = lane_differences(run->lanes[0].lane, &n, &is_cut);
	for (size_t i = 0; i < n && !is_cut; i++)
		is_cut = v[i].target == target && counts(c, durable, &v[i]);
	return !is_cut;
}

void
canary_stop(struct canary *c)
{
	copy_ledger_stop(&c->ledger);
}

void
canary_done(struct canary *c)
{
	copy_plan_done(&c->plan);
}
