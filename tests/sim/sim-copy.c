/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whole runs of the real engine on fake disks and a fake clock.
 *
 * A seed decides everything: the mode, how many destinations, sizes, block
 * sizes, ranges, what the disks hold and how they answer block status, how
 * long each request takes (and so in which order they end), what servers
 * refuse, and which fault happens, if any.  The bytes of the source follow
 * from the seed and the offset, so that every wrong byte at a destination is
 * seen.
 *
 * Held against each run, at every request and at its end:
 *
 *	- requests obey all disks' block sizes and stay within the ranges
 *	- no two requests in flight touch one range of a disk
 *	- what the source called zero is not read
 *	- what it called a hole, where that does not matter, is neither read nor
 *	  written; nothing else is trimmed, and a trimmed byte may be anything
 *	- a success means that the destination's stable bytes are right in
 *	  every range, and untouched outside; what is told to be equal is
 *	- nothing is written where nothing is to be, or needs to be
 *	- a destination that met a fault is never a success; without one it
 *	  always is, whatever happens to the others
 *	- an error that is over at the next try is none, where it is tried; an
 *	  area of a disk that stays bad is listed to the sector, where it may be
 *	  skipped, and all else is right
 *	- what is called durable is right on stable storage; a run that did not
 *	  succeed, for whatever reason, and all its servers with it, is followed
 *	  by one that goes on from there, writes nothing of that, and succeeds
 *	- while one destination is full, or never answers what is tried again,
 *	  the others get all that is theirs
 *	- where lost connections come back, with servers that have forgotten
 *	  what was not flushed and late writes of the old connections, it is a
 *	  success all the same
 *	- what is told meanwhile is true: figures only grow, no more is durable
 *	  than done, nor done than there is, and all is durable last of all
 *	- where a digest is wanted, and the source was read to its end, it is
 *	  that of the ranges' bytes, and so is that of each block
 *
 *	- where there is a rate, bytes move no faster, and in small pieces
 *
 *	sim-copy [--seeds N] [--seed S] [--trace]
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/annotate.h"
#include "copy/digest.h"
#include "copy/lane.h"
#include "copy/pace.h"
#include "seeds.h"

#define MAX_DISK    (1536U * 1024)
#define MAX_LANES   4
#define MAX_RANGES  4
#define MAX_TARGETS 3
#define MAX_PENDING 1024
#define CELL	    2048U	/* the source's content changes by cells */
#define MAX_GHOSTS  256
#define MAX_PAUSES  10000
#define SLOW_ZEROES 2000	/* longer than others wait for them */
#define OLD_BYTE    0xEE	/* what the destination held before */

enum fault {
	FAULT_NONE,
	FAULT_ERROR,		/* one request fails */
	FAULT_DISCONNECT,	/* one disk of one lane goes away */
	FAULT_RESTART,		/* a server does, with what is not stable */
	FAULT_FLUSH,		/* of one destination */
	FAULT_BAD_AREA,		/* of one disk; it stays so */
	FAULT_RARE,		/* an area of one disk fails now and then, so
				   many times */
	FAULT_FULL,		/* a destination is, for a while */
	FAULT_ALONE,		/* or fails otherwise, until the others have
				   got all */
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
	struct copy_request *req;	/* NULL: free */
	unsigned lane;
	uint64_t sent;
	uint64_t due;
	uint64_t serial;
	uint32_t n_acknowledged;	/* when a flush was sent */
};

/* Whose connections are gone: any flush covers what they had written. */
#define EARLIER_RUN UINT8_MAX

/* When a byte was acknowledged last, and to which lane. */
struct trail {
	uint32_t serial;	/* 0: it is stable */
	uint8_t lane;
};

/* A write of a connection that is lost, which may still be carried out. */
struct ghost {
	unsigned lane;
	unsigned target;
	uint64_t offset;
	uint32_t length;	/* 0: free */
};

/* A destination. */
struct target {
	struct disk_shape shape;
	enum status_style style;
	unsigned slowness;	/* a factor */
	uint32_t refused_size;	/* payload above it is refused; 0: none */
	uint32_t refused_zeroes;	/* likewise */
	bool refuses_zeroes;	/* all */
	bool refuses_fast_zeroes;
	bool zeroes_slowly;	/* what was to be fast */
	uint32_t refused_trims;	/* above this size; 0: none */
	bool refuses_trims;	/* all */
	bool met_fault;
	unsigned char *before;	/* what it held at first */
	unsigned char *stable;	/* what a power cut leaves */
	unsigned char *written;	/* and as it reads now */
	struct trail *trails;	/* of each byte */
	struct ranges durable;	/* of the run before */
};

struct sim {
	uint64_t seed;
	uint64_t random;
	bool trace;
	const char *broken;	/* the first promise that was broken */

	enum copy_mode mode;
	struct disk_shape source;
	struct target targets[MAX_TARGETS];
	unsigned n_targets;
	struct copy_range ranges[MAX_RANGES];
	size_t n_ranges;
	bool is_whole;		/* it is one range, which nobody asked for */
	bool zero_rest;
	bool skips_holes;
	enum status_style style;
	uint32_t refused_size;	/* by the source */
	enum fault fault;
	uint64_t fault_at;	/* the n-th event */
	bool fault_met;
	bool source_met_fault;
	unsigned max_latency;
	uint64_t rate;		/* bytes/s; 0: none */
	bool is_short;		/* of memory: for a piece of each lane, and
				   n_spare more */
	unsigned n_spare;
	unsigned n_more[MAX_LANES];	/* pieces, beyond the first */
	bool met_shortage;

	struct copy_plan plan;
	struct copy_cursor cursor;
	struct copy_ledger ledger;
	struct copy_digests digests;
	struct copy_tuning tuning;
	struct copy_lane *lanes[MAX_LANES];
	struct copy_pace_pool pool;
	struct copy_pace pace;
	uint64_t passed;	/* bytes that the gate has let through */
	uint64_t asked_to_read;	/* bytes, of the source */
	uint64_t held_until;	/* lanes wait at the gate; 0: none does */
	uint64_t n_held;
	unsigned char *buffers[MAX_LANES];	/* a request's worth each */
	bool disconnected[MAX_LANES][1 + MAX_TARGETS];
	uint64_t back_at[MAX_LANES][1 + MAX_TARGETS];	/* 0: it is here, or
							   gone for good */
	struct ghost ghosts[MAX_GHOSTS];
	uint64_t paused_until[MAX_LANES][1 + MAX_TARGETS];	/* 0: not */
	uint64_t bad_from;	/* of the bad area */
	uint64_t bad_to;
	unsigned bad_disk;	/* 0: the source; n: destination n - 1 */
	unsigned n_rare_left;	/* failures of FAULT_RARE */
	uint64_t full_until;
	int alone_error;
	uint64_t alone_from;	/* what failed first, and hangs then */
	uint64_t alone_to;
	bool alone_is_over;
	uint64_t n_pauses;
	unsigned n_losses_left;
	bool came_back;
	struct pending pending[MAX_PENDING];
	uint64_t clock;
	uint64_t n_events;
	uint64_t n_requests;
	uint64_t n_fast_zeroes;
	bool left_zeroing;
	uint64_t n_trims;
	uint32_t n_acknowledged;
	bool was_behind;	/* some destination, for a while */
	bool met_refusal;
	bool cancelled;
	bool is_resumed;
	uint64_t told[MAX_TARGETS][8];	/* figures, at the last event */
	bool read_again_for_digest;
	bool has_holed_digests;	/* some blocks have one, and others do not, in
				   which something was skipped */
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

/* Or a hole that may read as anything? */
static bool
cell_is_told_hole(const struct sim *sim, uint64_t offset)
{
	uint64_t cell = offset / CELL;

	return mix(sim->seed * 11 ^ (cell / 96)) % 4 == 0 &&
	    mix(sim->seed * 13 ^ cell) % 64 != 0;
}

/* And at a destination, where a cell may be anything. */
static bool
target_is_told_zero(const struct target *t, uint64_t offset)
{
	uint64_t end = (offset / CELL + 1) * CELL;

	if (end > t->shape.size)
		end = t->shape.size;
	for (offset = offset / CELL * CELL; offset < end; offset++)
		if (t->written[offset] != 0)
			return false;
	return true;
}

static enum copy_kind
source_kind(const struct sim *sim, uint64_t offset)
{
	if (cell_is_told_hole(sim, offset))
		return COPY_HOLE;
	return cell_is_told_zero(sim, offset) ? COPY_ZEROES : COPY_DATA;
}

static enum copy_kind
told_kind(const struct sim *sim, const struct copy_request *req,
    uint64_t offset)
{
	if (req->side == COPY_SOURCE)
		return source_kind(sim, offset);
	return target_is_told_zero(&sim->targets[req->target], offset) ?
	    COPY_ZEROES :
	    COPY_DATA;
}

/* Answer a block status request, in the disk's style. */
static void
answer_status(struct sim *sim, unsigned lane, struct copy_request *req)
{
	enum status_style style = req->side == COPY_SOURCE ?
	    sim->style :
	    sim->targets[req->target].style;
	uint64_t pos = req->offset;
	uint64_t end = req->offset + req->length;
	enum copy_kind kind;
	uint64_t stop;

	while (pos < end) {
		kind = told_kind(sim, req, pos);
		stop = (pos / CELL + 1) * CELL;
		while (stop < end && told_kind(sim, req, stop) == kind)
			stop += CELL;
		if (stop > end && style != STATUS_OVERLONG)
			stop = end;
		if (style == STATUS_RAGGED)
			stop = pos + 1 + rnd(sim, stop - pos);
		if (style == STATUS_TINY && stop > pos + CELL)
			stop = pos + 1 + rnd(sim, CELL);
		copy_lane_add_extent(sim->lanes[lane], req, stop - pos, kind);
		pos = stop;
		if (style == STATUS_SHORT || style == STATUS_TINY)
			return;
	}
}

/* Requests. */

/* How much of a range whole blocks of both disks cover. */
static uint64_t
copied_length(const struct sim *sim, const struct copy_range *r,
    const struct disk_shape *disk)
{
	uint32_t block = sim->source.block_minimum;

	if (disk->block_minimum > block)
		block = disk->block_minimum;
	return r->length / block * block;
}

static const struct disk_shape *
shape_of(const struct sim *sim, const struct copy_request *req)
{
	return req->side == COPY_SOURCE ? &sim->source :
					  &sim->targets[req->target].shape;
}

/* Is it behind the copy, where zeroes were asked for? */
static bool
is_rest(const struct sim *sim, const struct disk_shape *disk, uint64_t offset)
{
	uint64_t block = disk->block_minimum;
	uint64_t from = (sim->source.size + block - 1) / block * block;

	return sim->zero_rest && offset >= from &&
	    offset < disk->size / block * block;
}

static bool
is_in_ranges(const struct sim *sim, const struct copy_request *req)
{
	const struct disk_shape *disk = shape_of(sim, req);
	uint64_t start;
	uint64_t end;
	size_t i;

	if (req->side == COPY_DESTINATION &&
	    is_rest(sim, disk, req->offset) &&
	    is_rest(sim, disk, req->offset + req->length - 1))
		return true;
	for (i = 0; i < sim->n_ranges; i++) {
		start = req->side == COPY_SOURCE ? sim->ranges[i].from :
						   sim->ranges[i].to;
		end = start + copied_length(sim, &sim->ranges[i], disk);
		/* What is zeroed behind the copy may go on from there. */
		if (req->side == COPY_DESTINATION && is_rest(sim, disk, end) &&
		    is_rest(sim, disk, req->offset + req->length - 1))
			end = req->offset + req->length;
		if (req->offset >= start && req->offset + req->length <= end)
			return true;
	}
	return false;
}

/* Which part of the source belongs there; false: none. */
static bool
find_source(const struct sim *sim, const struct copy_request *req,
    uint64_t *ret_from)
{
	const struct copy_range *r;
	size_t i;

	*ret_from = req->offset;
	if (req->side == COPY_SOURCE)
		return true;
	for (i = 0; i < sim->n_ranges; i++) {
		r = &sim->ranges[i];
		if (req->offset < r->to || req->offset - r->to >=
		    copied_length(sim, r, shape_of(sim, req)))
			continue;
		*ret_from = r->from + (req->offset - r->to);
		return true;
	}
	return false;
}

/* Is it about a whole grain that the source calls that? */
static bool
holds_grain(const struct sim *sim, const struct copy_request *req,
    enum copy_kind kind)
{
	uint64_t grain = sim->plan.grain;
	uint64_t from;
	uint64_t pos;
	uint64_t i;

	if (!find_source(sim, req, &from))
		return false;
	pos = (from + grain - 1) / grain * grain;
	for (; pos + grain <= from + req->length; pos += grain) {
		for (i = 0; i < grain; i += CELL)
			if (source_kind(sim, pos + i) != kind)
				break;
		if (i >= grain)
			return true;
	}
	return false;
}

/* Nothing but holes, to the byte. */
static bool
is_all_hole(const struct sim *sim, const struct copy_request *req)
{
	uint64_t from;
	uint64_t i;

	if (!find_source(sim, req, &from))
		return false;
	for (i = 0; i < req->length; i++)
		if (source_kind(sim, from + i) != COPY_HOLE)
			return false;
	return true;
}

static bool
is_same_disk(const struct copy_request *a, const struct copy_request *b)
{
	return a->side == b->side &&
	    (a->side == COPY_SOURCE || a->target == b->target);
}

static bool
is_zeroing(const struct copy_request *req)
{
	return req->op == COPY_ZERO || req->op == COPY_FAST_ZERO;
}

static bool
changes(const struct copy_request *req)
{
	return req->op == COPY_WRITE || is_zeroing(req) ||
	    req->op == COPY_TRIM;
}

static void
check_overlap(struct sim *sim, const struct copy_request *req)
{
	const struct copy_request *other;
	unsigned i;

	if (req->op == COPY_STATUS)
		return;
	for (i = 0; i < MAX_PENDING; i++) {
		other = sim->pending[i].req;
		if (other == NULL || other == req ||
		    other->op == COPY_STATUS || other->op == COPY_FLUSH ||
		    !is_same_disk(other, req))
			continue;
		/* What slow destinations missed is read again. */
		if (req->side == COPY_SOURCE &&
		    (sim->n_targets > 1 || copy_plan_digests(&sim->plan)))
			continue;
		promise(sim,
		    other->offset + other->length <= req->offset ||
			req->offset + req->length <= other->offset,
		    "no two requests in flight on one range");
	}
}

static void
check_flush(struct sim *sim, unsigned lane, const struct copy_request *req)
{
	unsigned i;

	promise(sim, sim->mode != COPY_MODE_VERIFY, "who verifies needs no "
	    "flush");
	promise(sim, shape_of(sim, req)->can_flush,
	    "flush only where offered");
	for (i = 0; i < MAX_PENDING; i++)
		promise(sim, sim->pending[i].req != req ||
			sim->pending[i].lane != lane,
		    "one flush at a time");
}

static bool
touches(const struct ranges *set, const struct copy_request *req)
{
	bool is_in;

	return ranges_run_at(set, req->offset, req->length, &is_in) <
		req->length || is_in;
}

/* What the source has told decides what is done. */
static void
check_kinds(struct sim *sim, const struct copy_request *req)
{
	promise(sim, req->op != COPY_TRIM ||
		(sim->skips_holes && shape_of(sim, req)->can_trim),
	    "trim only on request, and where offered");
	promise(sim, req->op != COPY_TRIM || is_all_hole(sim, req),
	    "nothing but holes is trimmed");
	if (!sim->source.can_status || sim->style == STATUS_FAILS ||
	    sim->style == STATUS_TINY)
		return;
	if (req->side == COPY_SOURCE && req->op == COPY_READ)
		promise(sim, !holds_grain(sim, req, COPY_ZEROES),
		    "what the source calls zero is not read");
	if (sim->skips_holes && (req->op == COPY_READ ||
	    req->op == COPY_WRITE || is_zeroing(req)))
		promise(sim, !holds_grain(sim, req, COPY_HOLE),
		    "holes that do not matter are neither read nor written");
}

static void
check_request(struct sim *sim, const struct copy_request *req)
{
	const struct disk_shape *disk = shape_of(sim, req);

	promise(sim, req->length > 0, "no request is empty");
	promise(sim, is_in_ranges(sim, req), "requests stay in the ranges");
	promise(sim,
	    req->offset % disk->block_minimum == 0 &&
		req->length % disk->block_minimum == 0,
	    "requests are made of whole blocks");
	if (req->op == COPY_READ || req->op == COPY_WRITE)
		promise(sim, req->length <= disk->block_maximum,
		    "no payload is over the maximum");
	promise(sim, !is_zeroing(req) || disk->can_zero,
	    "write-zeroes only where offered");
	promise(sim, req->op != COPY_FAST_ZERO || disk->can_fast_zero,
	    "fast write-zeroes only where offered");
	promise(sim, req->op != COPY_STATUS || disk->can_status,
	    "block status only where offered");
	promise(sim, sim->mode != COPY_MODE_VERIFY || !changes(req),
	    "who verifies writes nothing");
	promise(sim, !changes(req) ||
		!touches(&sim->plan.targets[req->target].done, req),
	    "what is done is not written again");
	promise(sim, sim->mode != COPY_MODE_COPY ||
		req->side == COPY_SOURCE ||
		(req->op != COPY_READ && req->op != COPY_STATUS),
	    "who copies does not read the destination");
	check_overlap(sim, req);
	check_kinds(sim, req);
}

/* Where a request's bytes are, also if the engine does not see them. */
static unsigned char *
memory_of(const struct sim *sim, unsigned lane, const struct copy_request *req)
{
	return sim->buffers[lane] +
	    (size_t)req->index * sim->plan.max_request_size;
}

static uint64_t
latency_of(struct sim *sim, const struct copy_request *req)
{
	uint64_t latency = 1 + rnd(sim, sim->max_latency);

	if (req->side == COPY_DESTINATION)
		latency *= sim->targets[req->target].slowness;
	if (req->op == COPY_FAST_ZERO &&
	    sim->targets[req->target].zeroes_slowly)
		latency += SLOW_ZEROES;
	return latency;
}

static unsigned
disk_index(const struct copy_request *req)
{
	return req->side == COPY_SOURCE ? 0 : 1 + req->target;
}

/* Tried again, it gets no answer until the others have got all. */
static bool
hangs(const struct sim *sim, const struct copy_request *req)
{
	return sim->fault == FAULT_ALONE && !sim->alone_is_over &&
	    disk_index(req) == sim->bad_disk &&
	    req->offset < sim->alone_to &&
	    req->offset + req->length > sim->alone_from;
}

static void
send_request(struct sim *sim, unsigned lane, struct copy_request *req)
{
	unsigned i;

	trace(sim, "lane %u %s %u %s %" PRIu64 "+%" PRIu32, lane,
	    req->side == COPY_SOURCE ? "source" : "destination", req->target,
	    copy_op_name(req->op), req->offset, req->length);
	if (req->op == COPY_FLUSH)
		check_flush(sim, lane, req);
	else
		check_request(sim, req);
	sim->n_requests++;
	sim->n_fast_zeroes += req->op == COPY_FAST_ZERO;
	sim->n_trims += req->op == COPY_TRIM;
	if (req->op == COPY_READ && req->side == COPY_SOURCE)
		sim->asked_to_read += req->length;
	for (i = 0; i < MAX_PENDING; i++)
		if (sim->pending[i].req == NULL)
			break;
	if (i == MAX_PENDING) {
		promise(sim, false, "requests in flight are bounded");
		copy_lane_done(sim->lanes[lane], req, -EIO, NULL);
		return;
	}
	sim->pending[i] = (struct pending){
		.req = req,
		.lane = lane,
		.sent = sim->clock,
		.due = hangs(sim, req) ? UINT64_MAX :
		    sim->clock + latency_of(sim, req),
		.serial = sim->n_requests,
		.n_acknowledged = sim->n_acknowledged,
	};
	/* A buffer that is being read into holds nothing that is right. */
	if (req->op == COPY_READ)
		memset(memory_of(sim, lane, req), 0xA5, req->length);
}

/* What is tried again later is, disk by disk. */
static void
note_pauses(struct sim *sim, unsigned lane)
{
	uint64_t pause_ms;
	unsigned i;

	for (i = 0; i <= sim->n_targets; i++) {
		pause_ms = copy_lane_pause_ms(sim->lanes[lane],
		    i == 0 ? COPY_SOURCE : COPY_DESTINATION,
		    i == 0 ? 0 : i - 1);
		if (pause_ms != 0 && sim->paused_until[lane][i] == 0)
			sim->paused_until[lane][i] = sim->clock + pause_ms;
	}
}

/* Bytes that are not needed any more give way to others. */
static void
drop_bytes(struct sim *sim, unsigned lane, struct copy_request *of)
{
	struct copy_request *siblings[COPY_MAX_SIBLINGS];
	unsigned n = copy_request_siblings(sim->lanes[lane], of, siblings);
	unsigned i;

	for (i = 0; i < n; i++)
		if (siblings[i]->op == COPY_READ &&
		    !copy_request_is_needed(sim->lanes[lane], siblings[i]))
			memset(memory_of(sim, lane, siblings[i]), 0xDB,
			    siblings[i]->length);
}

/* False: the digest has taken nothing. */
static bool
drop_digested(struct sim *sim, unsigned lane)
{
	struct copy_request *read;
	bool any = false;

	while ((read = copy_lane_take_digested(sim->lanes[lane])) != NULL) {
		drop_bytes(sim, lane, read);
		any = true;
	}
	return any;
}

static void
pump_lane(struct sim *sim, unsigned lane)
{
	struct copy_request *req;

	while ((req = copy_lane_next(sim->lanes[lane])) != NULL) {
		if (sim->disconnected[lane][disk_index(req)])
			copy_lane_done(sim->lanes[lane], req, -ENOTCONN, NULL);
		else
			send_request(sim, lane, req);
	}
}

static void
pump(struct sim *sim)
{
	unsigned lane;
	unsigned i;

	for (i = 0; i < sim->plan.lanes; i++) {
		lane = (unsigned)((i + sim->clock) % sim->plan.lanes);
		do
			pump_lane(sim, lane);
		while (drop_digested(sim, lane));
		note_pauses(sim, lane);
	}
}

static void
carry_out_read(struct sim *sim, struct pending *p)
{
	struct copy_request *req = p->req;
	unsigned char *memory = memory_of(sim, p->lane, req);
	bool may_be_piped = sim->mode == COPY_MODE_COPY &&
	    sim->n_targets == 1 && !copy_plan_digests(&sim->plan);
	uint64_t i;

	if (req->side == COPY_SOURCE)
		for (i = 0; i < req->length; i++)
			memory[i] = source_byte(sim, req->offset + i);
	else
		memcpy(memory,
		    sim->targets[req->target].written + req->offset,
		    req->length);
	req->buffer = memory[0] == 0 || !may_be_piped || rnd(sim, 2) ? memory :
								       NULL;
}

/* What a lost connection had on its way may still come, with any bytes. */
static void
make_ghost(struct sim *sim, const struct pending *p)
{
	const struct copy_request *req = p->req;
	unsigned i;

	for (i = 0; i < MAX_GHOSTS; i++) {
		if (sim->ghosts[i].length != 0)
			continue;
		sim->ghosts[i] = (struct ghost){ .lane = p->lane,
			.target = req->target,
			.offset = req->offset,
			.length = req->length };
		return;
	}
}

static void
haunt(struct sim *sim)
{
	struct ghost *g = &sim->ghosts[rnd(sim, MAX_GHOSTS)];

	if (g->length == 0)
		return;
	memset(sim->targets[g->target].written + g->offset, 0x67, g->length);
	g->length = 0;
}

/* A flush on the new connection: the old one is over by then. */
static void
forget_ghosts(struct sim *sim, unsigned lane, unsigned target)
{
	unsigned i;

	for (i = 0; i < MAX_GHOSTS; i++)
		if (sim->ghosts[i].lane == lane &&
		    sim->ghosts[i].target == target)
			sim->ghosts[i].length = 0;
}

/*
 * A flush covers what its connection had acknowledged when it was sent, and
 * not a byte more.
 */
static void
carry_out_flush(struct sim *sim, struct pending *p)
{
	struct target *t = &sim->targets[p->req->target];
	struct trail *trail;
	uint64_t i;

	forget_ghosts(sim, p->lane, p->req->target);
	for (i = 0; i < t->shape.size; i++) {
		trail = &t->trails[i];
		if (trail->serial == 0 || (trail->lane != EARLIER_RUN &&
			(trail->lane != p->lane ||
			    trail->serial > p->n_acknowledged)))
			continue;
		trail->serial = 0;
		t->stable[i] = t->written[i];
	}
}

/* Some of it is dropped, some reads as zeroes then, some is still there. */
static void
trim(struct sim *sim, unsigned char *p, uint32_t length)
{
	uint32_t i;
	uint64_t how = 0;

	for (i = 0; i < length; i++) {
		if (i % 512 == 0)
			how = rnd(sim, 3);
		if (how < 2)
			p[i] = how == 0 ? 0 : 0x74;
	}
}

static void
carry_out_write(struct sim *sim, struct pending *p)
{
	const struct copy_request *req = p->req;
	unsigned char *to = sim->targets[req->target].written + req->offset;
	struct trail *trails = sim->targets[req->target].trails + req->offset;
	uint32_t i;

	sim->n_acknowledged++;
	for (i = 0; i < req->length; i++)
		trails[i] = (struct trail){ .serial = sim->n_acknowledged,
			.lane = (uint8_t)p->lane };
	if (req->op == COPY_TRIM) {
		trim(sim, to, req->length);
		return;
	}
	if (is_zeroing(req) || req->bytes == NULL) {
		memset(to, 0, req->length);
		return;
	}
	promise(sim, copy_request_is_needed(sim->lanes[p->lane], req->bytes),
	    "bytes are there until they are written");
	memcpy(to, memory_of(sim, p->lane, req->bytes) + req->skip,
	    req->length);
}

static void
carry_out(struct sim *sim, struct pending *p)
{
	switch (p->req->op) {
	case COPY_STATUS:
		answer_status(sim, p->lane, p->req);
		break;
	case COPY_READ:
		carry_out_read(sim, p);
		break;
	case COPY_WRITE:
	case COPY_ZERO:
	case COPY_FAST_ZERO:
	case COPY_TRIM:
		carry_out_write(sim, p);
		break;
	case COPY_FLUSH:
		carry_out_flush(sim, p);
		break;
	}
}

static int refusal_of(const struct sim *sim, const struct copy_request *req);

/*
 * What of a failed write reached the disk is anybody's guess; but a fast zero
 * or a trim that is refused changes nothing.
 */
static void
carry_out_half(struct sim *sim, const struct pending *p)
{
	const struct copy_request *req = p->req;

	if ((req->op == COPY_FAST_ZERO || req->op == COPY_TRIM) &&
	    refusal_of(sim, req) < 0)
		return;
	if (changes(req))
		memset(sim->targets[req->target].written + req->offset, 0x66,
		    req->length / 2);
	if (req->op == COPY_READ)
		memset(memory_of(sim, p->lane, req), 0x5A, req->length);
}

/* What a server says of a request that it does not like.  0: it does. */
static int
refusal_of(const struct sim *sim, const struct copy_request *req)
{
	const struct target *t = &sim->targets[req->target];
	uint32_t refused = req->side == COPY_SOURCE ? sim->refused_size :
						      t->refused_size;

	if (req->op == COPY_ZERO && t->refuses_zeroes)
		return -EOPNOTSUPP;
	if (req->op == COPY_FAST_ZERO && t->refuses_fast_zeroes)
		return -EOPNOTSUPP;
	if (is_zeroing(req) && t->refused_zeroes != 0 &&
	    req->length > t->refused_zeroes)
		return -EINVAL;
	if (req->op == COPY_TRIM && t->refuses_trims)
		return -EOPNOTSUPP;
	if (req->op == COPY_TRIM && t->refused_trims != 0 &&
	    req->length > t->refused_trims)
		return -EINVAL;
	if ((req->op == COPY_READ || req->op == COPY_WRITE) && refused != 0 &&
	    req->length > refused)
		return -EOVERFLOW;
	return 0;
}

static bool
moves_bytes(const struct copy_request *req)
{
	return req->op == COPY_READ || req->op == COPY_WRITE ||
	    req->op == COPY_ZERO || req->op == COPY_TRIM;
}

/* Have all destinations but the bad one got all? */
static void
look_at_others(struct sim *sim)
{
	unsigned i;

	for (i = 0; i < sim->n_targets; i++)
		if (1 + i != sim->bad_disk &&
		    copy_ledger_target_left(&sim->ledger, i) > 0)
			return;
	sim->alone_is_over = true;
	for (i = 0; i < MAX_PENDING; i++)
		if (sim->pending[i].req != NULL &&
		    sim->pending[i].due == UINT64_MAX)
			sim->pending[i].due = sim->clock;
}

/* A full disk takes nothing; of an error, only the first try ends at all. */
static int
alone_fault_of(struct sim *sim, const struct copy_request *req)
{
	if (sim->alone_is_over || disk_index(req) != sim->bad_disk ||
	    (sim->alone_error == -ENOSPC && req->op == COPY_READ) ||
	    (sim->alone_error == -EIO && sim->alone_to != 0))
		return 0;
	if (sim->alone_error == -EIO) {
		sim->alone_from = req->offset;
		sim->alone_to = req->offset + req->length;
	}
	sim->fault_met = true;
	return sim->alone_error;
}

/* What the fault makes of it.  0: nothing. */
static int
fault_of(struct sim *sim, const struct copy_request *req)
{
	bool now = sim->n_events >= sim->fault_at;

	if (!moves_bytes(req))
		return 0;
	/* What is refused does not come to the disk; holes are left then. */
	if (req->op == COPY_TRIM && refusal_of(sim, req) < 0)
		return 0;
	if (sim->fault == FAULT_BAD_AREA &&
	    disk_index(req) == sim->bad_disk && req->offset < sim->bad_to &&
	    req->offset + req->length > sim->bad_from) {
		sim->fault_met = true;
		return -EIO;
	}
	if (sim->fault == FAULT_ALONE && now)
		return alone_fault_of(sim, req);
	if (sim->fault == FAULT_RARE && sim->n_rare_left > 0 &&
	    disk_index(req) == sim->bad_disk && req->offset < sim->bad_to &&
	    req->offset + req->length > sim->bad_from && rnd(sim, 4) != 0) {
		sim->n_rare_left--;
		sim->fault_met = true;
		return -EIO;
	}
	if (sim->fault == FAULT_FULL && now && req->op != COPY_READ &&
	    disk_index(req) == sim->bad_disk) {
		if (sim->full_until == 0)
			sim->full_until = sim->clock + rnd(sim, 20000);
		if (sim->clock < sim->full_until) {
			/* What is cleared in vain is written all the same. */
			sim->fault_met |= req->op != COPY_FAST_ZERO;
			return -ENOSPC;
		}
	}
	return 0;
}

static bool
status_fails(struct sim *sim, const struct copy_request *req)
{
	enum status_style style = req->side == COPY_SOURCE ?
	    sim->style :
	    sim->targets[req->target].style;

	return req->op == COPY_STATUS && style == STATUS_FAILS &&
	    rnd(sim, 2) == 0;
}

static void
drop_all_bytes(struct sim *sim, unsigned lane, struct copy_request *of)
{
	if (!copy_plan_digests(&sim->plan))
		return;
	drop_bytes(sim, lane, of);
	(void)drop_digested(sim, lane);
}

static void
complete(struct sim *sim, struct pending *p, int error)
{
	struct copy_request *req = p->req;

	if (error == 0)
		error = fault_of(sim, req);
	if (error == 0)
		error = refusal_of(sim, req);
	sim->met_refusal |= error == -EOVERFLOW || error == -EINVAL ||
	    error == -EOPNOTSUPP;
	if (error == 0 && status_fails(sim, req))
		error = -EINVAL;
	trace(sim, "lane %u %s %u %s %" PRIu64 " done: %d", p->lane,
	    req->side == COPY_SOURCE ? "source" : "destination", req->target,
	    copy_op_name(req->op), req->offset, error);
	if (error == 0 && (req->op == COPY_READ || req->op == COPY_WRITE))
		copy_tuning_note(&sim->tuning, req->side,
		    sim->clock - p->sent);
	if (error == 0)
		carry_out(sim, p);
	else
		carry_out_half(sim, p);
	p->req = NULL;
	if (req->op == COPY_WRITE)
		copy_request_sent(req);
	copy_lane_done(sim->lanes[p->lane], req, error,
	    error ? "made up" : NULL);
	sim->read_again_for_digest |= copy_plan_digests(&sim->plan) &&
	    req->side == COPY_SOURCE && req->op == COPY_READ && error != 0;
	drop_all_bytes(sim, p->lane, req);
}

static void
meet_fault(struct sim *sim, const struct copy_request *req)
{
	sim->fault_met = true;
	if (req->side == COPY_SOURCE)
		sim->source_met_fault = true;
	else
		sim->targets[req->target].met_fault = true;
}

/* All that a lane has on its way to a disk ends. */
static void
lose_requests(struct sim *sim, unsigned lane, const struct copy_request *of)
{
	struct pending *p;
	unsigned i;

	for (i = 0; i < MAX_PENDING; i++) {
		p = &sim->pending[i];
		if (p->req == NULL || p->lane != lane ||
		    !is_same_disk(p->req, of))
			continue;
		if (changes(p->req))
			make_ghost(sim, p);
		/* Of what it might still zero nobody knows. */
		if (p->req->op == COPY_FAST_ZERO)
			meet_fault(sim, p->req);
		complete(sim, p, -ENOTCONN);
	}
}

/* The disk goes away with all that the lane had there, perhaps for good. */
static void
lose_disk(struct sim *sim, unsigned lane, const struct copy_request *of)
{
	bool comes_back = sim->plan.reconnects;

	trace(sim, "lane %u loses its %s %u", lane,
	    of->side == COPY_SOURCE ? "source" : "destination", of->target);
	if (sim->disconnected[lane][disk_index(of)])
		return;
	sim->disconnected[lane][disk_index(of)] = true;
	lose_requests(sim, lane, of);
	if (comes_back) {
		copy_lane_lost(sim->lanes[lane], of->side, of->target);
		sim->back_at[lane][disk_index(of)] = sim->clock + 1 +
		    rnd(sim, 20ULL * sim->max_latency);
	} else {
		meet_fault(sim, of);
		copy_lane_gone(sim->lanes[lane], of->side, of->target,
		    -ECONNRESET, "gone");
	}
}

/* A power cut: of what is not stable, anything may be left. */
static void
forget_unflushed(struct sim *sim, struct target *t)
{
	uint64_t i;

	for (i = 0; i < t->shape.size; i++) {
		if (t->trails[i].serial == 0)
			continue;
		if (mix(sim->clock + i / 512) % 2 == 0)
			t->written[i] = t->stable[i];
		t->stable[i] = t->written[i];
		t->trails[i].serial = 0;
	}
}

/* The fault: a connection, or a whole server with all its connections. */
static void
disconnect(struct sim *sim, const struct pending *which)
{
	const struct copy_request req = *which->req;
	unsigned i;

	if (sim->n_losses_left-- == 1)
		sim->fault_met = true;
	if (sim->fault == FAULT_DISCONNECT) {
		lose_disk(sim, which->lane, &req);
		return;
	}
	for (i = 0; i < sim->plan.lanes; i++)
		lose_disk(sim, i, &req);
	if (req.side != COPY_DESTINATION)
		return;
	for (i = 0; i < sim->plan.lanes; i++)
		forget_ghosts(sim, i, req.target);
	forget_unflushed(sim, &sim->targets[req.target]);
}

static struct pending *
next_due(struct sim *sim)
{
	struct pending *best = NULL;
	struct pending *p;
	unsigned i;

	for (i = 0; i < MAX_PENDING; i++) {
		p = &sim->pending[i];
		if (p->req != NULL && p->due != UINT64_MAX &&
		    (best == NULL || p->due < best->due ||
			(p->due == best->due && p->serial < best->serial)))
			best = p;
	}
	return best;
}

/* The connection that comes back next, if that is before the request. */
static bool
next_back(struct sim *sim, const struct pending *p)
{
	uint64_t *best = NULL;
	unsigned lane;
	unsigned disk;
	uint64_t *at;

	for (lane = 0; lane < sim->plan.lanes; lane++)
		for (disk = 0; disk <= sim->n_targets; disk++) {
			at = &sim->back_at[lane][disk];
			if (*at != 0 && (best == NULL || *at < *best))
				best = at;
		}
	if (best == NULL || (p != NULL && p->due < *best))
		return false;
	lane = (unsigned)(best - &sim->back_at[0][0]) / (1 + MAX_TARGETS);
	disk = (unsigned)(best - &sim->back_at[0][0]) % (1 + MAX_TARGETS);
	trace(sim, "lane %u has disk %u back", lane, disk);
	if (sim->clock < *best)
		sim->clock = *best;
	sim->came_back = true;
	*best = 0;
	sim->disconnected[lane][disk] = false;
	copy_lane_back(sim->lanes[lane],
	    disk == 0 ? COPY_SOURCE : COPY_DESTINATION,
	    disk == 0 ? 0 : disk - 1);
	return true;
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
	    copy_ledger_done_bytes(&sim->ledger),
	    sim->held_until > 0 ? COPY_LIMIT_RATE : COPY_LIMIT_NONE);
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

/* There is no room for more bytes, for once. */
static void
relieve(struct sim *sim, unsigned lane)
{
	struct copy_request *given_up = copy_lane_relieve(sim->lanes[lane]);

	if (given_up == NULL)
		return;
	promise(sim, sim->n_targets > 1,
	    "nothing is taken from the only destination");
	promise(sim, copy_plan_digests(&sim->plan) ||
	    !copy_request_is_needed(sim->lanes[lane], given_up),
	    "what is given up is not needed");
}

static bool
is_source_failed(const struct sim *sim, unsigned lane)
{
	uint64_t n;

	(void)copy_lane_failure(sim->lanes[lane], COPY_SOURCE, 0, &n);
	return n > 0;
}

/* Is much being zeroed at once there? */
static bool
zeroes_much(const struct sim *sim, unsigned lane, unsigned target)
{
	const struct pending *p;
	unsigned i;

	for (i = 0; i < MAX_PENDING; i++) {
		p = &sim->pending[i];
		if (p->req != NULL && p->req->op == COPY_FAST_ZERO &&
		    p->lane == lane && p->req->target == target)
			return true;
	}
	return false;
}

static void
end_pause(struct sim *sim, unsigned lane, enum copy_side side,
    unsigned target)
{
	_Atomic uint64_t *behind = &sim->ledger.targets[target].behind_bytes;
	uint64_t before = copy_ledger_get(behind);

	copy_lane_paused(sim->lanes[lane], side, target);
	sim->left_zeroing |= side == COPY_DESTINATION &&
	    zeroes_much(sim, lane, target) && copy_ledger_get(behind) > before;
}

/* The pause that ends next, if that is before the request. */
static bool
next_pause(struct sim *sim, const struct pending *p)
{
	uint64_t *first = &sim->paused_until[0][0];
	uint64_t *best = NULL;
	unsigned disk;
	unsigned i;

	for (i = 0; i < MAX_LANES * (1 + MAX_TARGETS); i++)
		if (first[i] != 0 && (best == NULL || first[i] < *best))
			best = &first[i];
	if (best == NULL || (p != NULL && p->due < *best))
		return false;
	i = (unsigned)(best - first) / (1 + MAX_TARGETS);
	disk = (unsigned)(best - first) % (1 + MAX_TARGETS);
	trace(sim, "lane %u goes on after a pause of disk %u", i, disk);
	if (sim->clock < *best)
		sim->clock = *best;
	*best = 0;
	if (sim->fault == FAULT_ALONE && sim->n_pauses++ > MAX_PAUSES)
		sim->alone_is_over = true;
	promise(sim, sim->n_pauses <= MAX_PAUSES,
	    "others go on while one is full");
	end_pause(sim, i, disk == 0 ? COPY_SOURCE : COPY_DESTINATION,
	    disk == 0 ? 0 : disk - 1);
	return true;
}

/* Progress as the run would tell it now. */
static void
check_progress(struct sim *sim, unsigned target)
{
	const struct copy_target_books *b = &sim->ledger.targets[target];
	const uint64_t now[] = {
		copy_ledger_get(&b->written_bytes),
		copy_ledger_get(&b->zeroed_bytes),
		copy_ledger_get(&b->equal_bytes),
		copy_ledger_get(&b->differing_bytes),
		copy_ledger_get(&b->trimmed_bytes),
		copy_ledger_get(&b->untouched_bytes),
		copy_ledger_get(&b->durable_bytes),
		copy_ledger_get(&b->done_bytes),
	};
	uint64_t durable = now[6];
	uint64_t done = now[7];
	uint64_t *last = sim->told[target];
	unsigned i;

	for (i = 0; i < 7; i++)
		promise(sim, now[i] >= last[i], "figures never fall");
	promise(sim, done >= last[7] || sim->fault == FAULT_DISCONNECT ||
	    sim->fault == FAULT_RESTART || b->is_failed,
	    "what is done falls only when something is lost");
	promise(sim, done <= sim->plan.targets[target].total_bytes,
	    "no more is done than there is");
	promise(sim, durable <= done, "no more is durable than is done");
	promise(sim, done <= now[0] + now[1] + now[2] + now[3] + now[4] +
	    now[5] + copy_ledger_get(&b->resumed_bytes),
	    "what is done was written, zeroed, compared, trimmed or left");
	memcpy(last, now, sizeof now);
}

/* Does a failure of it count?  Else it is tried again. */
static bool
is_last_try(const struct sim *sim, const struct copy_request *req)
{
	return sim->plan.on_error[req->side] == COPY_STOP ||
	    (sim->plan.retries == 0 && req->length <= sim->plan.sector &&
		sim->plan.request_size <= sim->plan.sector);
}

/* The event that is next, and the fault if it is its turn. */
static void
step(struct sim *sim, struct pending *p)
{
	bool now = sim->n_events++ >= sim->fault_at && !sim->fault_met;
	unsigned lane = p->lane;
	unsigned i;

	sim->clock = p->due;
	for (i = 0; i < sim->n_targets; i++)
		sim->was_behind |= copy_ledger_get(
		    &sim->ledger.targets[i].behind_bytes) > 0;
	if (rnd(sim, 16) == 0)
		retune(sim);
	if (rnd(sim, 64) == 0)
		relieve(sim, lane);
	if (rnd(sim, 64) == 0)
		copy_lane_end_epoch(sim->lanes[lane]);
	haunt(sim);
	if (now && sim->fault == FAULT_CANCEL) {
		sim->fault_met = true;
		sim->cancelled = true;
		copy_ledger_stop(&sim->ledger);
	}
	if (now && (sim->fault == FAULT_DISCONNECT ||
	    sim->fault == FAULT_RESTART)) {
		disconnect(sim, p);
	} else if (now && ((sim->fault == FAULT_ERROR &&
	    p->req->op != COPY_STATUS && p->req->op != COPY_FLUSH) ||
	    (sim->fault == FAULT_FLUSH && p->req->op == COPY_FLUSH)) &&
	    (p->req->side == COPY_SOURCE ||
		copy_ledger_is_live(&sim->ledger, p->req->target))) {
		sim->fault_met = true;
		if (p->req->op == COPY_FLUSH || is_last_try(sim, p->req))
			meet_fault(sim, p->req);
		complete(sim, p, -EIO);
	} else {
		complete(sim, p, 0);
	}
	if (is_source_failed(sim, lane))
		copy_ledger_stop(&sim->ledger);
	for (i = 0; i < sim->n_targets; i++)
		check_progress(sim, i);
}

/* What a lane says of a disk goes to the books. */
static void
take_failure(struct sim *sim, unsigned lane, enum copy_side side,
    unsigned target)
{
	const struct copy_failure *f;
	uint64_t n;

	f = copy_lane_failure(sim->lanes[lane], side, target, &n);
	if (n > 0)
		copy_ledger_fail(&sim->ledger, f, n);
}

/* As the run does it, once every lane is finished. */
static void
conclude(struct sim *sim)
{
	unsigned i;
	unsigned k;

	for (i = 0; i < sim->plan.lanes; i++) {
		promise(sim, copy_lane_is_finished(sim->lanes[i]),
		    "a lane with nothing in flight is finished");
		take_failure(sim, i, COPY_SOURCE, 0);
		for (k = 0; k < sim->n_targets; k++)
			take_failure(sim, i, COPY_DESTINATION, k);
	}
}

/* Making a world. */

/* Often whole blocks, but for a few bytes. */
static uint64_t
random_size(struct sim *sim, uint32_t align)
{
	uint64_t size = rnd(sim, 8) == 0 ? rnd(sim, 5) * align :
					   rnd(sim, MAX_DISK - 65536);

	if (rnd(sim, 4) == 0)
		return size;
	return size / align * align;
}

static void
make_target(struct sim *sim, struct target *t)
{
	static const uint32_t minimums[] = { 1, 1, 512, 4096 };
	static const uint32_t maximums[] = { 65536, 131072, 32U << 20 };

	t->shape.block_minimum = minimums[rnd(sim, 4)];
	t->shape.block_maximum = maximums[rnd(sim, 3)];
	t->shape.block_preferred = rnd(sim, 2) ? 4096 : 65536;
	t->shape.can_multi_conn = true;
	t->shape.can_zero = rnd(sim, 4) != 0;
	t->shape.can_fast_zero = t->shape.can_zero && rnd(sim, 4) != 0;
	t->shape.can_trim = rnd(sim, 4) != 0;
	t->shape.can_flush = true;
	t->shape.can_status = rnd(sim, 4) != 0;
	t->style = (enum status_style)rnd(sim, N_STATUS_STYLES);
	t->slowness = rnd(sim, 3) ? 1 : 1 + (unsigned)rnd(sim, 200);
	t->refused_size = rnd(sim, 8) ? 0 : 16384;
	t->refused_zeroes = rnd(sim, 8) ? 0 : 65536;
	t->refuses_zeroes = rnd(sim, 16) == 0;
	t->refuses_fast_zeroes = rnd(sim, 8) == 0;
	t->zeroes_slowly = rnd(sim, 4) == 0;
	t->refused_trims = rnd(sim, 8) ? 0 : 65536;
	t->refuses_trims = rnd(sim, 8) == 0;
}

static void
make_disks(struct sim *sim)
{
	static const uint32_t minimums[] = { 1, 1, 512, 4096 };
	static const uint32_t maximums[] = { 65536, 131072, 32U << 20 };
	uint32_t align;
	unsigned i;

	sim->source.block_minimum = minimums[rnd(sim, 4)];
	sim->source.block_maximum = maximums[rnd(sim, 3)];
	sim->source.block_preferred = 4096;
	sim->source.can_status = rnd(sim, 8) != 0;
	sim->source.can_multi_conn = true;
	sim->refused_size = rnd(sim, 8) ? 0 : 8192;
	align = sim->source.block_minimum;
	for (i = 0; i < sim->n_targets; i++) {
		make_target(sim, &sim->targets[i]);
		if (sim->targets[i].shape.block_minimum > align)
			align = sim->targets[i].shape.block_minimum;
	}
	sim->source.size = random_size(sim, align);
	for (i = 0; i < sim->n_targets; i++)
		sim->targets[i].shape.size = sim->source.size +
		    (rnd(sim, 3) == 0 ? rnd(sim, 8) * 4096 :
			    rnd(sim, 3) == 0 ? rnd(sim, 4096) : 0);
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
	sim->zero_rest = sim->n_ranges == 0 && rnd(sim, 3) == 0;
	for (i = 0; sim->n_ranges > 0 && i < sim->n_targets; i++)
		if (sim->targets[i].shape.size < to * sector)
			sim->targets[i].shape.size = to * sector;
}

static int
resume_plan(struct sim *sim)
{
	struct ranges durable[MAX_TARGETS];
	uint64_t left;
	unsigned i;
	int r;

	for (i = 0; i < sim->n_targets; i++)
		durable[i] = sim->targets[i].durable;
	r = copy_plan_resume(&sim->plan, durable);
	for (i = 0; i < sim->n_targets; i++) {
		left = ranges_total(&durable[i]) -
		    sim->plan.targets[i].done_bytes;
		promise(sim, left <= 2 * sim->plan.align * durable[i].n,
		    "all whole blocks that are durable are taken over");
		copy_ledger_resume(&sim->ledger, i,
		    sim->plan.targets[i].done_bytes);
	}
	return r;
}

static void
plan_books(struct sim *sim)
{
	unsigned i;

	copy_ledger_init(&sim->ledger, sim->n_targets);
	copy_ledger_plan(&sim->ledger, sim->plan.total_bytes);
	for (i = 0; i < sim->n_targets; i++)
		copy_ledger_plan_target(&sim->ledger, i,
		    sim->plan.targets[i].total_bytes);
	if (copy_digests_init(&sim->digests, &sim->plan) < 0)
		abort();
	sim->ledger.digests = &sim->digests;
}

/* What fails for a while is not given up for that. */
static void
wish_alone(const struct sim *sim, struct copy_wish *wish)
{
	if (sim->fault != FAULT_ALONE)
		return;
	wish->waits_for_space = true;
	wish->retries++;
	if (wish->on_error[COPY_DESTINATION] == COPY_STOP)
		wish->on_error[COPY_DESTINATION] = COPY_RETRY;
}

/* What may read as anything has no digest. */
static void
wish_holes(const struct sim *sim, struct copy_wish *wish)
{
	if (!sim->skips_holes)
		return;
	wish->skips_holes = true;
	wish->digest = DIGEST_NONE;
	wish->digests_blocks = false;
}

static int
make_plan(struct sim *sim, struct error *e)
{
	static const uint32_t sparse_grains[] = { 0, 0, COPY_SPARSE_OFF, 512,
		8192 };
	const struct disk_shape *shapes[MAX_TARGETS];
	struct copy_wish wish = {
		.mode = sim->mode,
		.ranges = sim->ranges,
		.n_ranges = sim->is_whole ? 0 : sim->n_ranges,
		.connections = 1 + (unsigned)rnd(sim, MAX_LANES),
		.queue_depth = 1 + (unsigned)rnd(sim, 16),
		.request_size = (uint32_t)(1 + rnd(sim, 32)) * 4096,
		.reconnects = rnd(sim, 4) != 0,
		.keeps = rnd(sim, 2),
		.zero_rest = sim->zero_rest,
		.sparse_grain = sparse_grains[rnd(sim, 5)],
		.on_error = { (enum copy_on_error)rnd(sim, 3),
			(enum copy_on_error)rnd(sim, 3) },
		.retries = (unsigned)rnd(sim, 4),
		.waits_for_space = rnd(sim, 2),
		.max_bad_bytes = UINT64_MAX,
		.max_bad_ranges = UINT64_MAX,
		.digest = rnd(sim, 4) ? DIGEST_NONE : DIGEST_XXH3,
		.digests_blocks = rnd(sim, 4) == 0,
	};
	unsigned lanes = wish.connections;
	unsigned target;
	unsigned i;
	int r;

	wish_alone(sim, &wish);
	wish_holes(sim, &wish);
	for (i = 0; i < sim->n_targets; i++)
		shapes[i] = &sim->targets[i].shape;
	r = copy_plan_make(&sim->plan, &sim->source, shapes, sim->n_targets,
	    &wish, &target, e);
	if (r < 0)
		return r;
	/* Small, so that a small disk has many of each. */
	sim->plan.block_size = (1 + rnd(sim, 4)) * 65536;
	sim->plan.claim_size = (1 + rnd(sim, 16)) * 65536;
	if (wish.digests_blocks)
		sim->plan.claim_size = (1 + rnd(sim, 4)) *
		    sim->plan.block_size;
	if (wish.digest != DIGEST_NONE)
		lanes = 1;
	sim->plan.epoch_bytes = (1 + rnd(sim, 16)) * 65536;
	sim->plan.min_holes = 1 + (unsigned)rnd(sim, 4);
	sim->plan.zero_size = (uint32_t)(1 + rnd(sim, 8)) * 65536;
	sim->plan.lanes = sim->plan.max_lanes = lanes;
	if (sim->n_targets > 1) {
		sim->plan.lag_slots = (unsigned)rnd(sim, 24);
		sim->plan.lag_bytes = rnd(sim, 24) * 65536;
	}
	sim->plan.max_request_size *= 4;
	if (sim->plan.max_request_size > 65536)
		sim->plan.max_request_size = sim->plan.request_size;
	copy_tuning_init(&sim->tuning, &sim->plan, 0);
	copy_cursor_init(&sim->cursor, sim->plan.line_length);
	plan_books(sim);
	return sim->is_resumed ? resume_plan(sim) : 0;
}

/* What a destination has to hold at offset after a success. */
static unsigned char
expected_byte(const struct sim *sim, const struct target *t, uint64_t offset)
{
	const struct copy_range *r;
	size_t i;

	for (i = 0; i < sim->n_ranges; i++) {
		r = &sim->ranges[i];
		if (offset >= r->to &&
		    offset - r->to < copied_length(sim, r, &t->shape))
			return source_byte(sim, r->from + (offset - r->to));
	}
	return is_rest(sim, &t->shape, offset) ? 0 : t->before[offset];
}

/* Is it anything that the byte may be, where the source has a hole? */
static bool
may_be_any(const struct sim *sim, const struct target *t, uint64_t offset)
{
	const struct copy_range *r;
	size_t i;

	for (i = 0; sim->skips_holes && i < sim->n_ranges; i++) {
		r = &sim->ranges[i];
		if (offset >= r->to &&
		    offset - r->to < copied_length(sim, r, &t->shape))
			return cell_is_told_hole(sim,
			    r->from + (offset - r->to));
	}
	return false;
}

static bool
is_right(const struct sim *sim, const struct target *t,
    const unsigned char *bytes, uint64_t offset)
{
	return bytes[offset] == expected_byte(sim, t, offset) ||
	    may_be_any(sim, t, offset);
}

static bool
is_range_byte(const struct sim *sim, const struct target *t, uint64_t offset)
{
	const struct copy_range *r;
	size_t i;

	for (i = 0; i < sim->n_ranges; i++) {
		r = &sim->ranges[i];
		if (offset >= r->to &&
		    offset - r->to < copied_length(sim, r, &t->shape))
			return true;
	}
	return is_rest(sim, &t->shape, offset);
}

/* An earlier run has written some of them, and ended before its flush. */
static void
leave_unflushed(struct sim *sim, struct target *t)
{
	uint64_t i;

	for (i = 0; i < t->shape.size; i++) {
		if (mix(sim->seed + i / 4096) % 2 != 0 ||
		    !is_range_byte(sim, t, i) ||
		    t->before[i] != expected_byte(sim, t, i))
			continue;
		t->stable[i] = OLD_BYTE;
		t->trails[i] = (struct trail){ 1, EARLIER_RUN };
	}
}

/* Some of the bytes are right before, if that makes a difference. */
static void
fill_target(struct sim *sim, struct target *t)
{
	uint64_t i;
	unsigned how = (unsigned)rnd(sim, 4);

	t->before = malloc(t->shape.size + 1);
	t->stable = malloc(t->shape.size + 1);
	t->written = malloc(t->shape.size + 1);
	t->trails = calloc(t->shape.size + 1, sizeof *t->trails);
	if (t->before == NULL || t->stable == NULL || t->written == NULL ||
	    t->trails == NULL)
		abort();
	memset(t->before, OLD_BYTE, t->shape.size);
	for (i = 0; sim->mode != COPY_MODE_COPY && i < t->shape.size; i++)
		if (mix(sim->seed + how + i / 4096) % 8 >= how)
			t->before[i] = expected_byte(sim, t, i);
		else if (mix(sim->seed + i / 8192) % 2 == 0)
			t->before[i] = 0;
	memcpy(t->stable, t->before, t->shape.size);
	memcpy(t->written, t->before, t->shape.size);
	if (sim->mode == COPY_MODE_SYNC)
		leave_unflushed(sim, t);
}

/* A destination is to fail while others do not. */
static void
make_alone(struct sim *sim)
{
	if (sim->fault == FAULT_ALONE && sim->n_targets == 1)
		sim->fault = FAULT_NONE;
	if (sim->fault != FAULT_ALONE)
		return;
	sim->alone_error = rnd(sim, 2) ? -ENOSPC : -EIO;
	sim->bad_disk = 1 + (unsigned)rnd(sim, sim->n_targets);
}

static void
make_world(struct sim *sim)
{
	static const enum copy_mode modes[] = { COPY_MODE_COPY,
		COPY_MODE_COPY, COPY_MODE_SYNC, COPY_MODE_VERIFY };
	unsigned i;

	sim->random = mix(sim->seed);
	sim->mode = modes[rnd(sim, 4)];
	sim->n_targets = rnd(sim, 2) ? 1 : 1 + (unsigned)rnd(sim, MAX_TARGETS);
	make_disks(sim);
	make_ranges(sim);
	sim->style = (enum status_style)rnd(sim, N_STATUS_STYLES);
	sim->skips_holes = sim->mode == COPY_MODE_COPY && rnd(sim, 2);
	sim->fault = (enum fault)rnd(sim, N_FAULTS);
	/* What a sync believes may be in a cache only. */
	if (sim->mode == COPY_MODE_SYNC && rnd(sim, 4) == 0)
		sim->fault = FAULT_RESTART;
	sim->fault_at = rnd(sim, rnd(sim, 2) ? 8 : 200);
	sim->n_losses_left = 1 + (unsigned)rnd(sim, 4);
	if (sim->fault == FAULT_FLUSH)
		sim->fault_at = rnd(sim, 8);
	sim->max_latency = (unsigned)(rnd(sim, 2) ? 1 + rnd(sim, 4) :
						    1 + rnd(sim, 1000));
	sim->bad_disk = sim->fault == FAULT_FULL ?
	    1 + (unsigned)rnd(sim, sim->n_targets) :
	    (unsigned)rnd(sim, 1 + sim->n_targets);
	sim->n_rare_left = 1 + (unsigned)rnd(sim, 1000);
	sim->bad_from = rnd(sim, sim->source.size + 1);
	sim->bad_to = sim->bad_from + 1 +
	    rnd(sim, sim->fault == FAULT_RARE ? 200000 : 30000);
	make_alone(sim);
	sim->is_short = sim->fault != FAULT_ALONE && rnd(sim, 4) == 0;
	sim->n_spare = (unsigned)rnd(sim, 4);
	if (rnd(sim, 4) == 0)
		sim->rate = (1 + rnd(sim, 256)) << (12 + rnd(sim, 12));
	if (sim->n_ranges == 0) {
		sim->is_whole = true;
		sim->ranges[0].length = sim->source.size;
		sim->n_ranges = 1;
	}
	for (i = 0; i < sim->n_targets; i++)
		fill_target(sim, &sim->targets[i]);
}

/* Do the ranges hold what the source does?  How many bytes do not? */
static uint64_t
count_wrong(const struct sim *sim, const struct target *t,
    const unsigned char *bytes)
{
	uint64_t n = 0;
	uint64_t i;

	for (i = 0; i < t->shape.size; i++)
		if (!is_right(sim, t, bytes, i) && n++ == 0)
			trace(sim, "wrong from byte %" PRIu64 " on", i);
	return n;
}

/* Was this byte of the destination listed as skipped? */
static bool
is_skipped(const struct sim *sim, unsigned target, uint64_t to)
{
	const struct copy_bad_range *v;
	unsigned lane;
	size_t n;
	size_t i;

	for (lane = 0; lane < sim->plan.lanes; lane++) {
		v = copy_lane_skipped(sim->lanes[lane], &n);
		for (i = 0; i < n; i++)
			if ((v[i].targets >> target & 1) != 0 &&
			    to >= v[i].to && to - v[i].to < v[i].length)
				return true;
	}
	return false;
}

/* What was skipped is listed to the sector, and the rest is right. */
static void
judge_skipped(struct sim *sim, unsigned target)
{
	const struct target *t = &sim->targets[target];
	uint64_t n_skipped = 0;
	uint64_t i;

	for (i = 0; i < t->shape.size; i++) {
		if (is_skipped(sim, target, i)) {
			n_skipped++;
			continue;
		}
		promise(sim, sim->mode == COPY_MODE_VERIFY ||
			is_right(sim, t, t->stable, i),
		    "what is not listed as skipped is right, flushed");
	}
	promise(sim, n_skipped == copy_ledger_get(
	    &sim->ledger.targets[target].failed_bytes),
	    "what is listed as skipped is what is counted");
	promise(sim, sim->fault != FAULT_BAD_AREA ||
		n_skipped <= sim->bad_to - sim->bad_from +
		2 * sim->plan.sector * sim->n_ranges,
	    "no more is skipped than the sectors that are bad");
}

/*
 * Does the policy let a run go on with the bad area?  It may lie where nothing
 * is read or written: then it was not met.
 */
static bool
may_skip(const struct sim *sim)
{
	return sim->plan.on_error[sim->bad_disk == 0 ? COPY_SOURCE :
						       COPY_DESTINATION] ==
	    COPY_SKIP;
}

static bool
met_bad_area(const struct sim *sim, unsigned target)
{
	if (!sim->fault_met)
		return false;
	if (sim->fault == FAULT_FULL)
		return sim->bad_disk == 1 + target &&
		    !sim->plan.waits_for_space;
	return sim->fault == FAULT_BAD_AREA &&
	    (sim->bad_disk == 0 || sim->bad_disk == 1 + target);
}

static void
judge_verify(struct sim *sim, unsigned target)
{
	const struct target *t = &sim->targets[target];
	uint64_t wrong = count_wrong(sim, t, t->before);
	uint64_t told = copy_ledger_get(
	    &sim->ledger.targets[target].differing_bytes);

	promise(sim, told >= wrong, "every differing byte is told");
	promise(sim, wrong > 0 || told == 0, "equal disks are told so");
}

static void
judge_target(struct sim *sim, unsigned target)
{
	const struct target *t = &sim->targets[target];
	bool success = copy_ledger_is_success(&sim->ledger, target,
	    sim->plan.targets[target].use_flush);
	bool met_fault = t->met_fault || sim->source_met_fault ||
	    met_bad_area(sim, target);
	bool complete = copy_ledger_is_complete(&sim->ledger, target,
	    sim->plan.targets[target].use_flush);
	const struct copy_target_books *b = &sim->ledger.targets[target];
	uint64_t i;

	trace(sim, "destination %u: %" PRIu64 " of %" PRIu64 ": written %"
	    PRIu64 ", zeroed %" PRIu64 ", equal %" PRIu64 ", differing %"
	    PRIu64 ", behind %" PRIu64 "; %s, mode %d, error %d", target,
	    copy_ledger_target_done(&sim->ledger, target),
	    copy_ledger_get(&sim->ledger.total_bytes),
	    copy_ledger_get(&b->written_bytes),
	    copy_ledger_get(&b->zeroed_bytes),
	    copy_ledger_get(&b->equal_bytes),
	    copy_ledger_get(&b->differing_bytes),
	    copy_ledger_get(&b->behind_bytes),
	    success ? "success" : "no success", (int)sim->mode,
	    b->first_failure.error);
	promise(sim, !(success && met_fault),
	    "a destination that met a fault is no success");
	promise(sim, success || met_fault || sim->cancelled ||
		(sim->fault == FAULT_RARE && sim->fault_met),
	    "one that met no fault is a success");
	promise(sim, copy_ledger_get(
	    &sim->ledger.targets[target].behind_bytes) == 0 || !success,
	    "after a success nothing is behind");
	if (sim->fault == FAULT_BAD_AREA && met_fault && may_skip(sim))
		promise(sim, complete || sim->cancelled,
		    "all but what is skipped is done");
	if (complete && !success)
		judge_skipped(sim, target);
	if (success && sim->mode == COPY_MODE_VERIFY)
		judge_verify(sim, target);
	else if (success)
		promise(sim, count_wrong(sim, t, t->stable) == 0,
		    "a success has the right bytes, flushed");
	for (i = 0; i < t->shape.size; i++)
		if (sim->mode == COPY_MODE_VERIFY || !is_range_byte(sim, t, i))
			promise(sim, t->written[i] == t->before[i],
			    "bytes outside the ranges are untouched");
}

/* The digest of what is in [from, to) of the line. */
static void
digest_line(const struct sim *sim, uint64_t from, uint64_t to,
    unsigned char value[DIGEST_MAX_SIZE])
{
	unsigned char *bytes = malloc(to - from + 1);
	struct digest *d;
	size_t n = 0;
	size_t i;

	if (bytes == NULL || digest_new(DIGEST_XXH3, &d) < 0)
		abort();
	for (; from < to; from++) {
		const struct copy_piece *p = copy_plan_piece_at(&sim->plan,
		    from);

		i = from - p->position;
		if (i < p->length && !p->is_rest)
			bytes[n++] = source_byte(sim, p->from + i);
	}
	digest_add(d, bytes, n);
	free(bytes);
	if (digest_end(d, value) < 0)
		abort();
	digest_free(d);
}

static void
judge_blocks(struct sim *sim, bool is_complete)
{
	const struct copy_block_digest *b = sim->digests.blocks;
	/* Those are not waited for in which something has failed. */
	bool are_all_awaited = sim->plan.on_error[COPY_SOURCE] != COPY_SKIP ||
	    copy_ledger_get(&sim->ledger.n_retries) == 0;
	bool is_holed = copy_ledger_get(&sim->ledger.skipped.bytes) > 0 &&
	    sim->n_targets == 1 && copy_ledger_is_complete(&sim->ledger, 0,
	    sim->plan.targets[0].use_flush);
	uint64_t size = sim->plan.block_size;
	uint64_t end = sim->plan.line_length;
	unsigned char right[DIGEST_MAX_SIZE];
	uint64_t i;

	for (i = 0; b != NULL && i < sim->digests.n_blocks; i++) {
		promise(sim, b[i].is_known || !is_complete ||
		    !are_all_awaited, "all blocks have a digest");
		if (!b[i].is_known)
			continue;
		sim->has_holed_digests |= is_holed;
		digest_line(sim, i * size,
		    (i + 1) * size < end ? (i + 1) * size : end, right);
		promise(sim, memcmp(b[i].value, right, sizeof b[i].value) ==
		    0, "a block's digest is right");
	}
}

static void
judge_digests(struct sim *sim)
{
	unsigned char value[DIGEST_MAX_SIZE];
	unsigned char right[DIGEST_MAX_SIZE];
	bool is_complete = false;
	uint64_t total;
	unsigned i;

	for (i = 0; i < sim->n_targets; i++)
		is_complete |= copy_ledger_is_success(&sim->ledger, i,
		    sim->plan.targets[i].use_flush);
	/*
	 * What is given up for the digest's sake fails nobody; nor does a
	 * cancel that comes when it is all that is left.
	 */
	is_complete &= !sim->cancelled &&
	    copy_ledger_get(&sim->ledger.skipped.bytes) == 0;
	judge_blocks(sim, is_complete);
	if (sim->digests.whole == NULL)
		return;
	total = copy_plan_bytes_in(&sim->plan, 0, sim->plan.line_length);
	promise(sim, sim->digests.whole_bytes <= total,
	    "no byte is digested twice");
	promise(sim, !is_complete ||
	    sim->digests.whole_bytes == total,
	    "after a success all is digested");
	if (sim->digests.whole_bytes != total)
		return;
	if (digest_end(sim->digests.whole, value) < 0)
		abort();
	digest_line(sim, 0, sim->plan.line_length, right);
	promise(sim, memcmp(value, right, digest_size(DIGEST_XXH3)) == 0,
	    "the digest is right");
}

static void
judge(struct sim *sim)
{
	unsigned i;

	/* What was refused, or got lost, is read again. */
	if (!sim->met_refusal && !sim->fault_met)
		promise(sim, sim->asked_to_read <= sim->passed,
		    "nothing is read that the gate has not let through");
	judge_digests(sim);

	for (i = 0; i < sim->n_targets; i++)
		judge_target(sim, i);
}

/* Is there memory for one more piece of the lane?  Once had, it is kept. */
static bool
has_memory(struct sim *sim, unsigned lane)
{
	if (!sim->is_short ||
	    copy_lane_n_loaded(sim->lanes[lane]) <= sim->n_more[lane])
		return true;
	sim->met_shortage |= sim->n_spare == 0;
	if (sim->n_spare == 0)
		return false;
	sim->n_spare--;
	sim->n_more[lane]++;
	return true;
}

/* The gate. */

struct gate {
	struct sim *sim;
	unsigned lane;
};

static uint32_t
gate_room(void *arg)
{
	const struct gate *gate = arg;
	struct sim *sim = gate->sim;
	uint64_t wait = copy_pace_wait_us(&sim->pace, sim->clock);

	if (!has_memory(sim, gate->lane))
		return 0;
	if (wait == 0)
		return copy_pace_size(&sim->pace);
	sim->n_held++;
	sim->held_until = sim->clock + wait;
	return 0;
}

static void
gate_pass(void *arg, uint64_t bytes)
{
	const struct gate *gate = arg;
	struct sim *sim = gate->sim;
	uint32_t size = copy_pace_size(&sim->pace);

	promise(sim, sim->rate == 0 || (double)sim->passed <=
		(double)sim->rate * (double)sim->clock / 1e6 + 1,
	    "bytes move no faster than the rate");
	promise(sim, bytes <= size || bytes <= sim->plan.align,
	    "what has a rate moves in small pieces");
	copy_pace_take(&sim->pace, bytes);
	sim->passed += bytes;
}

/* The gate opens, unless something else is earlier. */
static bool
next_opening(struct sim *sim, const struct pending *p)
{
	if (sim->held_until == 0 ||
	    (p != NULL && p->due < sim->held_until))
		return false;
	if (sim->clock < sim->held_until)
		sim->clock = sim->held_until;
	sim->held_until = 0;
	return true;
}

static void
set_gate(struct gate *g, struct sim *sim, unsigned lane)
{
	const struct copy_gate gate = {
		.room = gate_room,
		.pass = gate_pass,
		.arg = g,
	};

	*g = (struct gate){ sim, lane };
	copy_lane_set_gate(sim->lanes[lane], &gate);
}

/* What a checkpoint would say; and is it true? */
static void
take_durable(struct sim *sim)
{
	struct target *t;
	unsigned lane;
	unsigned i;
	uint64_t k;

	for (i = 0; i < sim->n_targets; i++) {
		t = &sim->targets[i];
		for (lane = 0; lane < sim->plan.lanes; lane++)
			if (copy_lane_take_durable(sim->lanes[lane], i,
				&t->durable) < 0)
				abort();
		for (k = 0; k < t->shape.size; k++)
			promise(sim, !ranges_cover(&t->durable, k, 1) ||
				is_right(sim, t, t->stable, k),
			    "what is called durable is right, and stable");
	}
}

static bool
has_succeeded(const struct sim *sim)
{
	unsigned i;

	for (i = 0; i < sim->n_targets; i++)
		if (!copy_ledger_is_success(&sim->ledger, i,
			sim->plan.targets[i].use_flush))
			return false;
	return true;
}

/* All servers lose what is not stable; and then all goes well. */
static void
begin_again(struct sim *sim)
{
	unsigned i;

	copy_digests_done(&sim->digests);
	copy_plan_done(&sim->plan);
	memset(sim->told, 0, sizeof sim->told);
	for (i = 0; i < sim->n_targets; i++) {
		forget_unflushed(sim, &sim->targets[i]);
		sim->targets[i].met_fault = false;
	}
	memset(sim->pending, 0, sizeof sim->pending);
	memset(sim->disconnected, 0, sizeof sim->disconnected);
	memset(sim->back_at, 0, sizeof sim->back_at);
	memset(sim->paused_until, 0, sizeof sim->paused_until);
	memset(sim->ghosts, 0, sizeof sim->ghosts);
	sim->asked_to_read = sim->passed = 0;
	sim->rate = 0;
	sim->fault = FAULT_NONE;
	sim->fault_met = sim->source_met_fault = sim->cancelled = false;
	sim->is_resumed = true;
}

static void
run_lanes(struct sim *sim)
{
	struct gate gates[MAX_LANES];
	struct pending *p;
	unsigned i;

	copy_pace_pool_init(&sim->pool);
	copy_pace_join(&sim->pace, &sim->pool, sim->rate, 0);

	for (i = 0; i < sim->plan.lanes; i++) {
		if (copy_lane_new(&sim->plan, &sim->cursor, &sim->ledger,
			&sim->tuning, &sim->lanes[i]) < 0)
			abort();
		set_gate(&gates[i], sim, i);
		sim->buffers[i] = calloc(copy_lane_n_requests(sim->lanes[i]),
		    sim->plan.max_request_size);
		if (sim->buffers[i] == NULL)
			abort();
	}
	pump(sim);
	for (;;) {
		if (sim->fault == FAULT_ALONE && !sim->alone_is_over)
			look_at_others(sim);
		p = next_due(sim);
		if (!next_pause(sim, p) && !next_opening(sim, p) &&
		    !next_back(sim, p)) {
			if (p == NULL)
				break;
			step(sim, p);
		}
		/* Sometimes several have ended before anybody looks. */
		if (rnd(sim, 3) != 0)
			pump(sim);
		if (next_due(sim) == NULL)
			pump(sim);
	}
	promise(sim, sim->fault != FAULT_ALONE || sim->alone_is_over,
	    "others go on while one is tried again");
	conclude(sim);
	judge(sim);
	take_durable(sim);
	for (i = 0; i < sim->plan.lanes; i++) {
		copy_lane_free(sim->lanes[i]);
		free(sim->buffers[i]);
	}
}

/* What was met, over all seeds. */
struct counts {
	uint64_t faults[N_FAULTS];
	uint64_t behind;
	uint64_t refusals;
	uint64_t came_back;
	uint64_t resumed;
	uint64_t gaps;
	uint64_t rests;
	uint64_t fast_zeroes;
	uint64_t no_fast_zeroes;
	uint64_t left_zeroing;
	uint64_t held;
	uint64_t shortages;
	uint64_t digested_again;
	uint64_t holed_digests;
	uint64_t trims;
	uint64_t no_trims;
	uint64_t smaller_trims;
	uint64_t untouched;
};

static void
count_trims(const struct sim *sim, struct counts *counts)
{
	const struct copy_target_books *b;
	unsigned i;

	counts->trims += sim->n_trims;
	for (i = 0; i < sim->n_targets; i++) {
		b = &sim->ledger.targets[i];
		counts->no_trims += atomic_load(&b->trim.is_total);
		counts->smaller_trims += atomic_load(&b->trim.limit) > 0;
		counts->untouched += copy_ledger_get(&b->untouched_bytes) > 0;
	}
}

/* Run one seed.  Returns the promise that was broken, or NULL. */
static const char *
simulate(uint64_t seed, bool with_trace, void *arg)
{
	struct counts *counts = arg;
	struct sim *sim = calloc(1, sizeof *sim);
	const char *broken;
	struct error e;
	unsigned i;

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
	}
	if (sim->fault_met)
		counts->faults[sim->fault]++;
	if (sim->broken == NULL && sim->mode != COPY_MODE_VERIFY &&
	    !has_succeeded(sim)) {
		begin_again(sim);
		if (make_plan(sim, &e) == 0)
			run_lanes(sim);
		promise(sim, has_succeeded(sim),
		    "a run that is resumed succeeds");
		counts->resumed++;
	}
	counts->behind += sim->was_behind;
	counts->refusals += sim->met_refusal;
	counts->came_back += sim->came_back;
	counts->fast_zeroes += sim->n_fast_zeroes;
	counts->left_zeroing += sim->left_zeroing;
	for (i = 0; i < sim->n_targets; i++)
		counts->no_fast_zeroes += atomic_load(
		    &sim->ledger.targets[i].has_no_fast_zero);
	counts->gaps += sim->plan.n_gaps > 0;
	for (i = 0; i < sim->plan.n_pieces; i++)
		counts->rests += sim->plan.pieces[i].is_rest;
	counts->held += sim->n_held > 0;
	counts->shortages += sim->met_shortage;
	counts->digested_again += sim->read_again_for_digest;
	counts->holed_digests += sim->has_holed_digests;
	count_trims(sim, counts);
	broken = sim->broken;
	copy_digests_done(&sim->digests);
	copy_plan_done(&sim->plan);
	for (i = 0; i < MAX_TARGETS; i++) {
		free(sim->targets[i].before);
		free(sim->targets[i].stable);
		free(sim->targets[i].written);
		free(sim->targets[i].trails);
		ranges_done(&sim->targets[i].durable);
	}
	free(sim);
	return broken;
}

static void
report(unsigned *n, bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++*n, what);
}

/* What few seeds may miss, many do not. */
static void
report_counts(unsigned *n, const struct counts *counts)
{
	report(n, counts->faults[FAULT_ERROR] > 0, "failing requests were met");
	report(n, counts->faults[FAULT_DISCONNECT] > 0, "lost disks were met");
	report(n, counts->faults[FAULT_FLUSH] > 0, "failing flushes were met");
	report(n, counts->faults[FAULT_CANCEL] > 0,
	    "cancels were met");
	report(n, counts->behind > 0,
	    "slow destinations were left behind");
	report(n, counts->refusals > 0, "refusals were met");
	report(n, counts->faults[FAULT_BAD_AREA] > 0, "bad areas were met");
	report(n, counts->faults[FAULT_RARE] > 0, "and such as are rarely bad");
	report(n, counts->faults[FAULT_FULL] > 0, "full disks were met");
	report(n, counts->faults[FAULT_ALONE] > 0,
	    "one destination failed, and others did not");
	report(n, counts->faults[FAULT_RESTART] > 0,
	    "servers were restarted");
	report(n, counts->came_back > 0,
	    "lost connections came back");
	report(n, counts->resumed > 0, "runs were resumed");
	report(n, counts->fast_zeroes > counts->no_fast_zeroes,
	    "much was zeroed at once");
	report(n, counts->no_fast_zeroes > 0,
	    "or was refused to be");
	report(n, counts->left_zeroing > 0,
	    "or took one so long that others went on without it");
	report(n, counts->gaps > 0, "tails were not copied");
	report(n, counts->rests > 0, "rests were zeroed");
	report(n, counts->held > 0, "lanes waited for their rate");
	report(n, counts->shortages > 0, "memory was short");
	report(n, counts->digested_again > 0,
	    "reads for a digest were done again");
	report(n, counts->holed_digests > 0,
	    "blocks had a digest beside others that were skipped");
	report(n, counts->trims > 0, "holes were trimmed");
	report(n, counts->no_trims > 0 && counts->smaller_trims > 0,
	    "or were refused to be, or so much at once");
	report(n, counts->untouched > 0, "and some were left as they were");
}

int
main(int argc, char **argv)
{
	struct counts counts = { .behind = 0 };
	struct seeds seeds;
	uint64_t n_broken;
	unsigned n = 0;

	if (seeds_parse(argc, argv, 400, &seeds) < 0)
		return 2;
	n_broken = seeds_run(&seeds, "sim-copy", simulate, &counts);
	printf("# %" PRIu64 " seeds\n", seeds.n);
	report(&n, n_broken == 0, "every run keeps every promise");
	if (seeds.n > 100)
		report_counts(&n, &counts);
	printf("1..%u\n", n);
	return 0;
}
