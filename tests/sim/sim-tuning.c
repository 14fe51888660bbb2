/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How the engine tunes itself, on disks that have nothing but a distance and
 * a bandwidth, and a fake clock.
 *
 * Real lanes keep as much in flight as the tuning says; the answer to a
 * request comes when it has been there and back and the line has had time for
 * its bytes, one request after the other.  A seed decides the distance, the
 * bandwidth, whether there may be several connections, and in what way the
 * line changes in the middle of the run.  Held against it:
 *
 *	- what is set stays within the plan
 *	- a distant disk is used to a good part of what its line, or all that
 *	  may be in flight, allows; so is one that has moved away
 *	- where a line becomes narrow, so that answers take longer and nothing
 *	  is gained, what was added is taken back, and not added again
 *	- where it stays as it is, what brings nothing is not added
 *	- without several connections there is one
 *
 *	sim-tuning [--seeds N] [--seed S] [--trace]
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy/lane.h"
#include "copy/tuning.h"
#include "seeds.h"

#define MAX_LANES   16
#define MAX_PENDING 4096
#define DISK_SIZE   (1ULL << 44)
#define LOOK_US	    200000
#define PART_US	    30000000	/* of the run: before the change, and after */
#define LAST_US	    5000000		/* what counts of it, */
#define FLIGHT_US   20000000	/* and of what is in flight */

enum change {
	CHANGE_NONE,
	CHANGE_AWAY,		/* near, then distant */
	CHANGE_NARROW,		/* distant, then narrow, too */
	N_CHANGES,
};

struct line {
	uint64_t latency_us;	/* there and back */
	double bytes_per_us;
	double free_us;		/* it is busy until then */
};

struct pending {
	struct copy_request *req;	/* NULL: free */
	unsigned lane;
	uint64_t sent_us;
	uint64_t due_us;
};

struct sim {
	uint64_t random;
	bool trace;
	const char *broken;
	enum change change;
	bool can_multi_conn;
	struct line lines[2];	/* by side */
	struct copy_plan plan;
	struct copy_cursor cursor;
	struct copy_ledger ledger;
	struct copy_tuning tuning;
	struct copy_lane *lanes[MAX_LANES];
	unsigned n_lanes;
	struct pending pending[MAX_PENDING];
	uint64_t now_us;
	double in_flight;	/* may be, on average of FLIGHT_US, */
	double least_in_flight;	/* and at the least */
};

static uint64_t
rnd(struct sim *sim, uint64_t n)
{
	uint64_t x = sim->random += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) % n;
}

static void
promise(struct sim *sim, bool kept, const char *what)
{
	if (!kept && sim->broken == NULL)
		sim->broken = what;
}

/* Requests. */

static void
send_request(struct sim *sim, unsigned lane, struct copy_request *req)
{
	struct line *line = &sim->lines[req->side];
	double half_us = (double)line->latency_us / 2 +
	    (double)rnd(sim, line->latency_us / 8 + 1);
	double there = (double)sim->now_us + half_us;
	unsigned i;

	for (i = 0; i < MAX_PENDING; i++)
		if (sim->pending[i].req == NULL)
			break;
	if (i == MAX_PENDING)
		abort();
	if (line->free_us < there)
		line->free_us = there;
	if (req->op == COPY_READ || req->op == COPY_WRITE)
		line->free_us += req->length / line->bytes_per_us;
	sim->pending[i] = (struct pending){
		.req = req,
		.lane = lane,
		.sent_us = sim->now_us,
		.due_us = (uint64_t)(line->free_us + half_us),
	};
}

static void
pump(struct sim *sim)
{
	struct copy_request *req;
	unsigned i;

	for (i = 0; i < sim->n_lanes; i++)
		while ((req = copy_lane_next(sim->lanes[i])) != NULL)
			send_request(sim, i, req);
}

static void
complete(struct sim *sim, struct pending *p)
{
	struct copy_request *req = p->req;

	p->req = NULL;
	if (req->op == COPY_READ || req->op == COPY_WRITE)
		copy_tuning_note(&sim->tuning, req->side,
		    sim->now_us - p->sent_us);
	if (req->op == COPY_WRITE)
		copy_request_sent(req);
	copy_lane_done(sim->lanes[p->lane], req, 0, NULL);
}

static struct pending *
next_due(struct sim *sim)
{
	struct pending *best = NULL;
	unsigned i;

	for (i = 0; i < MAX_PENDING; i++)
		if (sim->pending[i].req != NULL && (best == NULL ||
		    sim->pending[i].due_us < best->due_us))
			best = &sim->pending[i];
	return best;
}

/* Lanes, and how much they have in flight. */

static void
add_lanes(struct sim *sim, unsigned n)
{
	for (; sim->n_lanes < n && sim->n_lanes < MAX_LANES; sim->n_lanes++)
		if (copy_lane_new(&sim->plan, &sim->cursor, &sim->ledger,
			&sim->tuning, &sim->lanes[sim->n_lanes]) < 0)
			abort();
}

static void
look(struct sim *sim)
{
	unsigned lanes = copy_tuning_look(&sim->tuning, sim->now_us / 1000,
	    copy_ledger_done_bytes(&sim->ledger), COPY_LIMIT_NONE);
	unsigned depth = atomic_load(&sim->tuning.depth);
	uint32_t size = atomic_load(&sim->tuning.request_size);

	promise(sim, lanes >= 1 && lanes <= sim->plan.max_lanes &&
		depth >= sim->plan.min_queue_depth &&
		depth <= sim->plan.max_queue_depth &&
		size <= sim->plan.max_request_size,
	    "what is set stays within the plan");
	promise(sim, sim->can_multi_conn || lanes == 1,
	    "without several connections there is one");
	if (sim->trace)
		printf("# %6" PRIu64 " ms: %u lanes, %u deep, %" PRIu32
		       " bytes; %s\n", sim->now_us / 1000, lanes, depth, size,
		    copy_limit_name((enum copy_limit)atomic_load(
			&sim->tuning.limit)));
	add_lanes(sim, lanes);
}

static void
note_flight(struct sim *sim, bool is_first)
{
	double n = (double)sim->tuning.lanes * sim->tuning.depth *
	    sim->tuning.request_size;

	if (is_first)
		sim->in_flight = 0;
	if (is_first || n < sim->least_in_flight)
		sim->least_in_flight = n;
	sim->in_flight += n * LOOK_US / FLIGHT_US;
}

/* Until then.  Returns the bytes/us of the last LAST_US of it. */
static double
run_until(struct sim *sim, uint64_t end_us)
{
	uint64_t look_us = sim->now_us + LOOK_US;
	uint64_t last = 0;
	struct pending *p;

	pump(sim);
	while (sim->now_us < end_us) {
		p = next_due(sim);
		if (p == NULL || p->due_us >= look_us) {
			sim->now_us = look_us;
			look_us += LOOK_US;
			look(sim);
			if (sim->now_us <= end_us - LAST_US)
				last = copy_ledger_done_bytes(&sim->ledger);
			note_flight(sim, sim->now_us <= end_us - FLIGHT_US);
		} else {
			sim->now_us = p->due_us;
			complete(sim, p);
		}
		pump(sim);
	}
	return (double)(copy_ledger_done_bytes(&sim->ledger) - last) / LAST_US;
}

/* The world. */

static void
make_plan(struct sim *sim)
{
	const struct disk_shape shape = {
		.size = DISK_SIZE,
		.block_minimum = 1,
		.block_preferred = 4096,
		.block_maximum = 32U << 20,
		.can_flush = true,
		.can_multi_conn = sim->can_multi_conn,
	};
	const struct disk_shape *shapes[] = { &shape };
	const struct copy_wish wish = { .mode = COPY_MODE_COPY };
	unsigned target;
	struct error e;

	if (copy_plan_make(&sim->plan, &shape, shapes, 1, &wish, &target,
		&e) < 0)
		abort();
	copy_tuning_init(&sim->tuning, &sim->plan, 0);
	copy_cursor_init(&sim->cursor, sim->plan.line_length);
	copy_ledger_init(&sim->ledger, 1);
	copy_ledger_plan(&sim->ledger, sim->plan.total_bytes);
	copy_ledger_plan_target(&sim->ledger, 0,
	    sim->plan.targets[0].total_bytes);
	add_lanes(sim, sim->plan.lanes);
}

static void
set_lines(struct sim *sim, uint64_t latency_us, double bytes_per_us)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		sim->lines[i].latency_us = latency_us;
		sim->lines[i].bytes_per_us = bytes_per_us;
	}
}

/* A good part of what can be had. */
static void
judge_speed(struct sim *sim, double speed, const struct line *line)
{
	const struct copy_plan *plan = &sim->plan;
	double window = (double)plan->max_lanes * plan->max_queue_depth *
	    plan->max_request_size / (2.5 * (double)line->latency_us);
	double most = window < line->bytes_per_us ? window :
						    line->bytes_per_us;

	if (sim->trace)
		printf("# %.1f of %.1f MB/s\n", speed, most);
	promise(sim, speed >= most / 4,
	    "a distant disk is used to a good part of what can be had");
}

static const char *
simulate(uint64_t seed, bool with_trace, void *arg)
{
	uint64_t *counts = arg;
	struct sim *sim = calloc(1, sizeof *sim);
	uint64_t far_us;
	double fast;
	double speed;
	const char *broken;
	double in_flight;
	unsigned i;

	if (sim == NULL)
		abort();
	sim->random = seed * 0x9e3779b97f4a7c15ULL;
	sim->trace = with_trace;
	sim->change = (enum change)rnd(sim, N_CHANGES);
	sim->can_multi_conn = rnd(sim, 4) != 0;
	far_us = 20000 + rnd(sim, 80000);
	fast = 100 + (double)rnd(sim, 400);
	make_plan(sim);
	set_lines(sim, sim->change == CHANGE_AWAY ? 200 : far_us, fast);
	speed = run_until(sim, PART_US);
	if (sim->change != CHANGE_AWAY)
		judge_speed(sim, speed, &sim->lines[0]);
	in_flight = sim->in_flight;
	if (sim->change == CHANGE_NARROW)
		set_lines(sim, far_us, 4);
	else
		set_lines(sim, far_us, fast);
	speed = run_until(sim, 2ULL * PART_US);
	if (with_trace)
		printf("# %.1f MB in flight, then %.1f MB\n", in_flight / 1e6,
		    sim->in_flight / 1e6);
	if (sim->change == CHANGE_NARROW)
		promise(sim, sim->least_in_flight <= in_flight * 2 / 3 &&
			sim->in_flight <= in_flight,
		    "less is in flight on a line that has become narrow");
	if (sim->change == CHANGE_NONE)
		promise(sim, sim->in_flight <= in_flight * 2,
		    "on a line that stays as it is nothing grows for nothing");
	if (sim->change != CHANGE_NARROW)
		judge_speed(sim, speed, &sim->lines[0]);
	counts[sim->change]++;
	copy_ledger_stop(&sim->ledger);
	broken = sim->broken;
	for (i = 0; i < sim->n_lanes; i++)
		copy_lane_free(sim->lanes[i]);
	copy_plan_done(&sim->plan);
	free(sim);
	return broken;
}

int
main(int argc, char **argv)
{
	uint64_t counts[N_CHANGES] = { 0 };
	struct seeds seeds;
	uint64_t n_broken;

	if (seeds_parse(argc, argv, 10, &seeds) < 0)
		return 2;
	n_broken = seeds_run(&seeds, "sim-tuning", simulate, counts);
	printf("1..2\n%s 1 - every run keeps every promise\n",
	    n_broken == 0 ? "ok" : "not ok");
	printf("%s 2 - lines changed in every way\n", seeds.n < 10 ||
	    (counts[0] > 0 && counts[1] > 0 && counts[2] > 0) ? "ok" :
								"not ok");
	return 0;
}
