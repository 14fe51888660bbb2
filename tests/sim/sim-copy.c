/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whole runs of the real engine on two fake disks and a fake clock.
 *
 * A seed decides everything: sizes, block sizes, ranges, what the source
 * holds and how it answers block status, how long each request takes (and so
 * in which order they end), and which fault happens, if any.  The bytes of
 * the source follow from the seed and the offset, so that every wrong byte
 * at the destination is seen.
 *
 * Held against each run, at every request and at its end:
 *
 *	- requests obey both disks' block sizes and stay within the ranges
 *	- no two requests in flight touch one range of a disk
 *	- what the source called zero is not read
 *	- a success means that the destination's stable bytes are right in
 *	  every range, and untouched outside
 *	- a fault that was met is never a success; without one it always is
 *
 *	sim-copy [--seeds N] [--seed S] [--trace]
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/annotate.h"
#include "copy/lane.h"

#define MAX_DISK    (1536U * 1024)
#define MAX_LANES   4
#define MAX_RANGES  4
#define MAX_PENDING 256
#define CELL	    2048U	/* the source's content changes by cells */
#define OLD_BYTE    0xEE	/* what the destination held before */

enum fault {
	FAULT_NONE,
	FAULT_ERROR,		/* one request fails */
	FAULT_DISCONNECT,	/* one side of one lane goes away */
	FAULT_FLUSH,
	FAULT_CANCEL,
	N_FAULTS,
};

enum status_style {
	STATUS_WHOLE,		/* all that was asked for */
	STATUS_SHORT,		/* one extent at a time */
	STATUS_OVERLONG,	/* the last extent reaches past the request */
	STATUS_RAGGED,		/* extents cut at any byte */
	STATUS_TINY,		/* a few bytes at a time, one extent */
	STATUS_FAILS,		/* sooner or later */
	N_STATUS_STYLES,
};

struct pending {
	struct copy_slot *slot;	/* NULL: free */
	unsigned lane;
	uint64_t sent;
	uint64_t due;
	uint64_t serial;
};

struct sim {
	uint64_t seed;
	uint64_t random;
	bool trace;
	const char *broken;	/* the first promise that was broken */

	struct disk_shape source;
	struct disk_shape destination;
	struct copy_range ranges[MAX_RANGES];
	size_t n_ranges;
	enum status_style style;
	enum fault fault;
	uint64_t fault_at;	/* the n-th event */
	bool fault_met;
	unsigned max_latency;

	unsigned char *stable;	/* the destination, flushed */
	unsigned char *written;	/* and as it reads now */

	struct copy_plan plan;
	struct copy_cursor cursor;
	struct copy_ledger ledger;
	struct copy_tuning tuning;
	struct copy_lane *lanes[MAX_LANES];
	unsigned char *buffers[MAX_LANES];	/* a request's worth a slot */
	bool disconnected[MAX_LANES][2];
	struct pending pending[MAX_PENDING];
	uint64_t clock;
	uint64_t n_events;
	uint64_t n_requests;
	bool cancelled;
};

/* Randomness: splitmix64. */

static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t
rnd(struct sim *sim, uint64_t n)
{
	sim->random = mix(sim->random);
	return sim->random % n;
}

static void PRINTF(2, 3)
trace(const struct sim *sim, const char *fmt, ...)
{
	va_list ap;

	if (!sim->trace)
		return;
	printf("# %8" PRIu64 " ", sim->clock);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static void
promise(struct sim *sim, bool kept, const char *what)
{
	if (!kept && sim->broken == NULL)
		sim->broken = what;
}

/* The source: data and zero cells, by seed. */

static bool
cell_is_zero(const struct sim *sim, uint64_t offset)
{
	/* Runs of cells, so that zero stretches are of all lengths. */
	uint64_t cell = offset / CELL;

	return mix(sim->seed ^ (cell / 16)) % 3 == 0 ||
	    mix(sim->seed * 31 ^ cell) % 4 == 0;
}

static unsigned char
source_byte(const struct sim *sim, uint64_t offset)
{
	if (cell_is_zero(sim, offset))
		return 0;
	return (unsigned char)(mix(sim->seed ^ (offset / 8)) >>
		   (offset % 8 * 8)) |
	    1;
}

/* Is it called zero?  Calling zeroes data is always allowed. */
static bool
cell_is_told_zero(const struct sim *sim, uint64_t offset)
{
	return cell_is_zero(sim, offset) &&
	    mix(sim->seed * 7 ^ (offset / CELL)) % 16 != 0;
}

/* Answer a block status request, in the seed's style. */
static void
answer_status(struct sim *sim, unsigned lane, const struct copy_slot *slot)
{
	uint64_t pos = slot->offset;
	uint64_t end = slot->offset + slot->length;
	uint64_t stop;
	bool zero;

	while (pos < end) {
		zero = cell_is_told_zero(sim, pos);
		stop = (pos / CELL + 1) * CELL;
		while (stop < end && cell_is_told_zero(sim, stop) == zero)
			stop += CELL;
		if (stop > end && sim->style != STATUS_OVERLONG)
			stop = end;
		if (sim->style == STATUS_RAGGED)
			stop = pos + 1 + rnd(sim, stop - pos);
		if (sim->style == STATUS_TINY && stop > pos + CELL)
			stop = pos + 1 + rnd(sim, CELL);
		copy_lane_add_extent(sim->lanes[lane], stop - pos, zero);
		pos = stop;
		if (sim->style == STATUS_SHORT || sim->style == STATUS_TINY)
			return;
	}
}

/* Requests. */

static bool
is_in_ranges(const struct sim *sim, const struct copy_slot *slot)
{
	bool source = copy_op_side(slot->op) == COPY_SOURCE;
	uint64_t start;
	size_t i;

	for (i = 0; i < sim->n_ranges; i++) {
		start = source ? sim->ranges[i].from : sim->ranges[i].to;
		if (slot->offset >= start &&
		    slot->offset + slot->length <=
			start + sim->ranges[i].length)
			return true;
	}
	return false;
}

/* Does it read a whole grain that the source calls zero? */
static bool
holds_zero_grain(const struct sim *sim, const struct copy_slot *slot)
{
	uint64_t grain = sim->plan.grain;
	uint64_t pos = (slot->offset + grain - 1) / grain * grain;
	uint64_t i;

	for (; pos + grain <= slot->offset + slot->length; pos += grain) {
		for (i = 0; i < grain; i += CELL)
			if (!cell_is_told_zero(sim, pos + i))
				break;
		if (i >= grain)
			return true;
	}
	return false;
}

static void
check_request(struct sim *sim, const struct copy_slot *slot)
{
	bool source = copy_op_side(slot->op) == COPY_SOURCE;
	const struct disk_shape *disk = source ? &sim->source :
						 &sim->destination;
	const struct copy_slot *other;
	uint64_t i;

	promise(sim, slot->length > 0, "no request is empty");
	promise(sim, is_in_ranges(sim, slot), "requests stay in the ranges");
	promise(sim,
	    slot->offset % disk->block_minimum == 0 &&
		slot->length % disk->block_minimum == 0,
	    "requests are made of whole blocks");
	if (slot->op == COPY_READ || slot->op == COPY_WRITE)
		promise(sim, slot->length <= disk->block_maximum,
		    "no payload is over the maximum");
	promise(sim, slot->op != COPY_ZERO || sim->destination.can_zero,
	    "write-zeroes only where offered");
	for (i = 0; i < MAX_PENDING; i++) {
		other = sim->pending[i].slot;
		if (other == NULL || other == slot ||
		    other->op == COPY_STATUS || slot->op == COPY_STATUS ||
		    copy_op_side(other->op) != copy_op_side(slot->op))
			continue;
		promise(sim,
		    other->offset + other->length <= slot->offset ||
			slot->offset + slot->length <= other->offset,
		    "no two requests in flight on one range");
	}
	if (slot->op == COPY_READ && sim->source.can_status &&
	    sim->style != STATUS_FAILS && sim->style != STATUS_TINY)
		promise(sim, !holds_zero_grain(sim, slot),
		    "what the source calls zero is not read");
}

/* Where a slot's bytes are, also if the engine does not see them. */
static unsigned char *
slot_memory(const struct sim *sim, unsigned lane, const struct copy_slot *slot)
{
	return sim->buffers[lane] +
	    (size_t)slot->index * sim->plan.max_request_size;
}

static void
send_request(struct sim *sim, unsigned lane, struct copy_slot *slot)
{
	unsigned i;

	trace(sim, "lane %u %s %" PRIu64 "+%" PRIu32, lane,
	    copy_op_name(slot->op), slot->offset, slot->length);
	check_request(sim, slot);
	sim->n_requests++;
	for (i = 0; i < MAX_PENDING; i++)
		if (sim->pending[i].slot == NULL)
			break;
	if (i == MAX_PENDING) {
		promise(sim, false, "requests in flight are bounded");
		copy_lane_done(sim->lanes[lane], slot, -EIO, NULL);
		return;
	}
	sim->pending[i] = (struct pending){
		.slot = slot,
		.lane = lane,
		.sent = sim->clock,
		.due = sim->clock + 1 + rnd(sim, sim->max_latency),
		.serial = sim->n_requests,
	};
	/* A buffer that is being read into holds nothing that is right. */
	if (slot->op == COPY_READ)
		memset(slot_memory(sim, lane, slot), 0xA5, slot->length);
}

static void
pump(struct sim *sim)
{
	struct copy_slot *slot;
	unsigned lane;
	unsigned i;

	for (i = 0; i < sim->plan.lanes; i++) {
		lane = (unsigned)((i + sim->clock) % sim->plan.lanes);
		while ((slot = copy_lane_next(sim->lanes[lane])) != NULL) {
			if (sim->disconnected[lane][copy_op_side(slot->op)])
				copy_lane_done(sim->lanes[lane], slot,
				    -ENOTCONN, NULL);
			else
				send_request(sim, lane, slot);
		}
	}
}

static void
carry_out(struct sim *sim, struct pending *p)
{
	struct copy_slot *slot = p->slot;
	unsigned char *memory = slot_memory(sim, p->lane, slot);
	uint64_t i;

	switch (slot->op) {
	case COPY_STATUS:
		answer_status(sim, p->lane, slot);
		break;
	case COPY_READ:
		for (i = 0; i < slot->length; i++)
			memory[i] = source_byte(sim, slot->offset + i);
		/* Some go through a pipe. */
		slot->buffer = memory[0] == 0 || rnd(sim, 2) ? memory : NULL;
		break;
	case COPY_WRITE:
		if (slot->is_real_zeroes)
			memset(memory, 0, slot->length);
		memcpy(sim->written + slot->offset, memory, slot->length);
		break;
	case COPY_ZERO:
		memset(sim->written + slot->offset, 0, slot->length);
		break;
	case COPY_FLUSH:
		break;
	}
}

/* What of a failed write reached the disk is anybody's guess. */
static void
carry_out_half(struct sim *sim, const struct pending *p)
{
	const struct copy_slot *slot = p->slot;

	if (slot->op == COPY_WRITE || slot->op == COPY_ZERO)
		memset(sim->written + slot->offset, 0x66,
		    slot->length / 2);
	if (slot->op == COPY_READ)
		memset(slot_memory(sim, p->lane, slot), 0x5A, slot->length);
}

static void
complete(struct sim *sim, struct pending *p, int error)
{
	struct copy_slot *slot = p->slot;

	trace(sim, "lane %u %s %" PRIu64 " done: %d", p->lane,
	    copy_op_name(slot->op), slot->offset, error);
	if (slot->op == COPY_STATUS && sim->style == STATUS_FAILS &&
	    error == 0 && rnd(sim, 2) == 0)
		error = -EINVAL;
	if (error == 0 && (slot->op == COPY_READ || slot->op == COPY_WRITE))
		copy_tuning_note(&sim->tuning, copy_op_side(slot->op),
		    sim->clock - p->sent);
	if (error == 0)
		carry_out(sim, p);
	else
		carry_out_half(sim, p);
	p->slot = NULL;
	copy_lane_done(sim->lanes[p->lane], slot, error,
	    error ? "made up" : NULL);
}

/* One side of a lane goes away with all that it had in flight. */
static void
disconnect(struct sim *sim, unsigned lane, enum copy_side side)
{
	unsigned i;

	trace(sim, "lane %u loses its %s", lane,
	    side == COPY_SOURCE ? "source" : "destination");
	sim->disconnected[lane][side] = true;
	for (i = 0; i < MAX_PENDING; i++)
		if (sim->pending[i].slot != NULL &&
		    sim->pending[i].lane == lane &&
		    copy_op_side(sim->pending[i].slot->op) == side)
			complete(sim, &sim->pending[i], -ENOTCONN);
	copy_lane_fail(sim->lanes[lane], side, -ECONNRESET, "gone");
}

static struct pending *
next_due(struct sim *sim)
{
	struct pending *best = NULL;
	struct pending *p;
	unsigned i;

	for (i = 0; i < MAX_PENDING; i++) {
		p = &sim->pending[i];
		if (p->slot != NULL &&
		    (best == NULL || p->due < best->due ||
			(p->due == best->due && p->serial < best->serial)))
			best = p;
	}
	return best;
}

/*
 * The run looks at the figures; then it is given any depth and size within
 * the plan's, which it may choose on other days.
 */
static void
retune(struct sim *sim)
{
	uint32_t align = sim->plan.align;
	uint32_t n = sim->plan.max_request_size / align;
	unsigned lanes;

	lanes = copy_tuning_look(&sim->tuning, sim->clock,
	    copy_ledger_done_bytes(&sim->ledger));
	promise(sim, lanes <= sim->plan.max_lanes &&
	    atomic_load(&sim->tuning.depth) <= sim->plan.max_queue_depth &&
	    atomic_load(&sim->tuning.request_size) <=
		sim->plan.max_request_size,
	    "tuning stays within the plan");
	atomic_store(&sim->tuning.depth,
	    1 + (unsigned)rnd(sim, sim->plan.max_queue_depth));
	atomic_store(&sim->tuning.request_size,
	    (1 + (uint32_t)rnd(sim, n)) * align);
}

/* The event that is next, and the fault if it is its turn. */
static void
step(struct sim *sim, struct pending *p)
{
	bool now = sim->n_events++ >= sim->fault_at && !sim->fault_met;
	unsigned lane = p->lane;
	uint64_t n;

	sim->clock = p->due;
	if (rnd(sim, 16) == 0)
		retune(sim);
	if (now && sim->fault == FAULT_CANCEL) {
		sim->fault_met = true;
		copy_ledger_stop(&sim->ledger);
	}
	if (now && sim->fault == FAULT_DISCONNECT) {
		sim->fault_met = true;
		disconnect(sim, lane, rnd(sim, 2) ? COPY_SOURCE :
						    COPY_DESTINATION);
	} else if (now && sim->fault == FAULT_ERROR &&
	    p->slot->op != COPY_STATUS) {
		sim->fault_met = true;
		complete(sim, p, -EIO);
	} else {
		complete(sim, p, 0);
	}
	(void)copy_lane_failure(sim->lanes[lane], &n);
	if (n > 0)
		copy_ledger_stop(&sim->ledger);
}

/* As the run does it: flush once every lane is finished. */
static void
conclude(struct sim *sim)
{
	const struct copy_failure *f;
	uint64_t n;
	unsigned i;

	for (i = 0; i < sim->plan.lanes; i++) {
		promise(sim, copy_lane_is_finished(sim->lanes[i]),
		    "a lane with nothing in flight is finished");
		f = copy_lane_failure(sim->lanes[i], &n);
		if (n > 0)
			copy_ledger_fail(&sim->ledger, f, n);
	}
	if (copy_ledger_is_stopped(&sim->ledger) || !sim->plan.use_flush)
		return;
	if (sim->fault == FAULT_FLUSH) {
		sim->fault_met = true;
		copy_ledger_fail(&sim->ledger,
		    &(struct copy_failure){ .error = -EIO, .op = COPY_FLUSH },
		    1);
		return;
	}
	memcpy(sim->stable, sim->written, sim->destination.size);
	copy_ledger_flushed(&sim->ledger);
}

/* Making a world. */

static uint64_t
random_size(struct sim *sim, uint32_t align)
{
	uint64_t size = rnd(sim, 8) == 0 ? rnd(sim, 5) * align :
					   rnd(sim, MAX_DISK - 65536);

	return size / align * align;
}

static void
make_disks(struct sim *sim)
{
	static const uint32_t minimums[] = { 1, 1, 512, 4096 };
	static const uint32_t maximums[] = { 65536, 131072, 32U << 20 };
	uint32_t align;

	sim->source.block_minimum = minimums[rnd(sim, 4)];
	sim->destination.block_minimum = minimums[rnd(sim, 4)];
	sim->source.block_maximum = maximums[rnd(sim, 3)];
	sim->destination.block_maximum = maximums[rnd(sim, 3)];
	sim->source.block_preferred = 4096;
	sim->destination.block_preferred = rnd(sim, 2) ? 4096 : 65536;
	sim->source.can_status = rnd(sim, 8) != 0;
	sim->source.can_multi_conn = true;
	sim->destination.can_multi_conn = true;
	sim->destination.can_zero = rnd(sim, 4) != 0;
	sim->destination.can_flush = true;
	align = sim->source.block_minimum > sim->destination.block_minimum ?
	    sim->source.block_minimum :
	    sim->destination.block_minimum;
	sim->source.size = random_size(sim, align);
	sim->destination.size = sim->source.size +
	    (rnd(sim, 3) == 0 ? rnd(sim, 8) * 4096 : 0);
}

/*
 * The whole disk, or some sectors of it, laid out anew on the destination
 * with gaps between them.
 */
static void
make_ranges(struct sim *sim)
{
	uint64_t sector = 4096;
	uint64_t room = sim->source.size / sector;
	uint64_t from = 0;
	uint64_t to = rnd(sim, 20);
	uint64_t len;
	size_t n = rnd(sim, MAX_RANGES + 1);
	size_t i;

	while (sim->n_ranges < n && from < room) {
		len = 1 + rnd(sim, room - from);
		i = sim->n_ranges++;
		sim->ranges[i].from = from * sector;
		sim->ranges[i].length = len * sector;
		from += len + 1 + rnd(sim, 16);
	}
	for (i = sim->n_ranges; i-- > 0;) {
		sim->ranges[i].to = to * sector;
		to += sim->ranges[i].length / sector + 1 + rnd(sim, 16);
	}
	if (sim->n_ranges > 0 && sim->destination.size < to * sector)
		sim->destination.size = to * sector;
}

static int
make_plan(struct sim *sim, struct error *e)
{
	struct copy_wish wish = {
		.ranges = sim->ranges,
		.n_ranges = sim->n_ranges,
		.connections = 1 + (unsigned)rnd(sim, MAX_LANES),
		.queue_depth = 1 + (unsigned)rnd(sim, 16),
		.request_size = (uint32_t)(1 + rnd(sim, 32)) * 4096,
	};
	unsigned lanes = wish.connections;
	int r;

	r = copy_plan_make(&sim->plan, &sim->source, &sim->destination, &wish,
	    e);
	if (r < 0)
		return r;
	if (sim->n_ranges == 0) {
		sim->ranges[0].length = sim->source.size;
		sim->n_ranges = 1;
	}
	/* Small, so that a small disk has many of each. */
	sim->plan.claim_size = (1 + rnd(sim, 16)) * 65536;
	sim->plan.zero_size = (uint32_t)(1 + rnd(sim, 8)) * 65536;
	sim->plan.lanes = sim->plan.max_lanes = lanes;
	sim->plan.max_request_size *= 4;
	if (sim->plan.max_request_size > 65536)
		sim->plan.max_request_size = sim->plan.request_size;
	copy_tuning_init(&sim->tuning, &sim->plan, 0);
	copy_cursor_init(&sim->cursor, sim->plan.line_length);
	copy_ledger_init(&sim->ledger);
	copy_ledger_plan(&sim->ledger, sim->plan.total_bytes);
	return 0;
}

static void
make_world(struct sim *sim)
{
	sim->random = mix(sim->seed);
	make_disks(sim);
	make_ranges(sim);
	sim->style = (enum status_style)rnd(sim, N_STATUS_STYLES);
	sim->fault = (enum fault)rnd(sim, N_FAULTS);
	sim->fault_at = rnd(sim, rnd(sim, 2) ? 8 : 200);
	sim->max_latency = (unsigned)(rnd(sim, 2) ? 1 + rnd(sim, 4) :
						    1 + rnd(sim, 1000));
	sim->stable = malloc(sim->destination.size + 1);
	sim->written = malloc(sim->destination.size + 1);
	if (sim->stable == NULL || sim->written == NULL)
		abort();
	memset(sim->stable, OLD_BYTE, sim->destination.size);
	memset(sim->written, OLD_BYTE, sim->destination.size);
}

/* What the destination has to hold at offset after a success. */
static unsigned char
expected_byte(const struct sim *sim, uint64_t offset)
{
	const struct copy_range *r;
	size_t i;

	for (i = 0; i < sim->n_ranges; i++) {
		r = &sim->ranges[i];
		if (offset >= r->to && offset - r->to < r->length)
			return source_byte(sim, r->from + (offset - r->to));
	}
	return OLD_BYTE;
}

static bool
is_range_byte(const struct sim *sim, uint64_t offset)
{
	size_t i;

	for (i = 0; i < sim->n_ranges; i++)
		if (offset >= sim->ranges[i].to &&
		    offset - sim->ranges[i].to < sim->ranges[i].length)
			return true;
	return false;
}

static void
judge(struct sim *sim)
{
	bool success = copy_ledger_is_success(&sim->ledger,
	    sim->plan.use_flush);
	uint64_t i;

	promise(sim, !(success && sim->fault_met && sim->fault != FAULT_CANCEL),
	    "a run that met a fault is no success");
	promise(sim, success || sim->fault_met,
	    "a run that met no fault is a success");
	for (i = 0; i < sim->destination.size; i++) {
		if (success)
			promise(sim,
			    sim->stable[i] == expected_byte(sim, i),
			    "a success has the right bytes, flushed");
		if (!is_range_byte(sim, i))
			promise(sim, sim->written[i] == OLD_BYTE,
			    "bytes outside the ranges are untouched");
	}
}

static void
run_lanes(struct sim *sim)
{
	struct pending *p;
	unsigned i;

	for (i = 0; i < sim->plan.lanes; i++) {
		if (copy_lane_new(&sim->plan, &sim->cursor, &sim->ledger,
			&sim->tuning, &sim->lanes[i]) < 0)
			abort();
		sim->buffers[i] = calloc(copy_lane_n_slots(sim->lanes[i]),
		    sim->plan.max_request_size);
		if (sim->buffers[i] == NULL)
			abort();
	}
	pump(sim);
	while ((p = next_due(sim)) != NULL) {
		step(sim, p);
		/* Sometimes several have ended before anybody looks. */
		if (rnd(sim, 3) != 0)
			pump(sim);
		if (next_due(sim) == NULL)
			pump(sim);
	}
	conclude(sim);
	for (i = 0; i < sim->plan.lanes; i++) {
		copy_lane_free(sim->lanes[i]);
		free(sim->buffers[i]);
	}
}

/* Run one seed.  Returns the promise that was broken, or NULL. */
static const char *
simulate(uint64_t seed, bool with_trace, uint64_t counts[N_FAULTS])
{
	struct sim *sim = calloc(1, sizeof *sim);
	const char *broken;
	struct error e;

	if (sim == NULL)
		abort();
	sim->seed = seed;
	sim->trace = with_trace;
	make_world(sim);
	if (make_plan(sim, &e) < 0) {
		printf("# %s\n", e.text);
		sim->broken = "a legal world can be planned";
	} else {
		run_lanes(sim);
		judge(sim);
	}
	if (sim->fault_met)
		counts[sim->fault]++;
	broken = sim->broken;
	copy_plan_done(&sim->plan);
	free(sim->stable);
	free(sim->written);
	free(sim);
	return broken;
}

static void
report(unsigned *n, bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++*n, what);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "trace", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t counts[N_FAULTS] = { 0 };
	uint64_t first = 1;
	uint64_t n_seeds = 400;
	uint64_t n_broken = 0;
	uint64_t seed;
	bool with_trace = false;
	const char *broken;
	unsigned n = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n') {
			n_seeds = strtoull(optarg, NULL, 0);
		} else if (c == 's') {
			first = strtoull(optarg, NULL, 0);
			n_seeds = 1;
		} else if (c == 't') {
			with_trace = true;
		} else {
			return 2;
		}
	}
	for (seed = first; seed < first + n_seeds; seed++) {
		broken = simulate(seed, with_trace, counts);
		if (broken == NULL)
			continue;
		n_broken++;
		printf("# seed %" PRIu64 ": broken: %s; see it with "
		       "sim-copy --seed %" PRIu64 " --trace\n",
		    seed, broken, seed);
	}
	printf("# %" PRIu64 " seeds\n", n_seeds);
	report(&n, n_broken == 0, "every run keeps every promise");
	if (n_seeds > 100) {
		report(&n, counts[FAULT_ERROR] > 0, "failing requests were met");
		report(&n, counts[FAULT_DISCONNECT] > 0, "lost disks were met");
		report(&n, counts[FAULT_FLUSH] > 0, "failing flushes were met");
		report(&n, counts[FAULT_CANCEL] > 0, "cancels were met");
	}
	printf("1..%u\n", n);
	return 0;
}
