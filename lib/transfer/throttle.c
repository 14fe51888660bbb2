/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lane that is not to go as fast as it could, or has no room for more.  The
 * engine asks before it begins a piece; when the run's share is used up the
 * lane waits on a timer, and only then.  It looks again every MAX_WAIT_MS at
 * least: the rate may have been changed.
 *
 * The run has taken the memory for one piece before the lane begins.  When
 * copying, carriers ask for more themselves; what is compared stays in memory
 * until all sides are read, so that pieces are begun only where there is room
 * for all of them.  Whatever a lane has begun it has the memory for, which is
 * why no lane waits for ever.
 */

#include "transfer/lane-private.h"

#define MAX_WAIT_MS 100

/* Beside its pieces: slots, requests, what connections receive into. */
#define LANE_BYTES  (128U * 1024)

/* The memory of one piece, at most: on both sides, or as bytes and a pipe. */
static uint64_t
piece_bytes(const struct copy_plan *plan)
{
	unsigned n = plan->mode != COPY_MODE_COPY ? 1 + plan->n_targets :
	    plan->n_targets == 1		  ? 2 :
						    1;

	return (uint64_t)n * plan->max_request_size;
}

uint64_t
throttle_lane_bytes(const struct copy_plan *plan)
{
	return LANE_BYTES + piece_bytes(plan);
}

/*
 * Who compares, or makes a digest, keeps what has been read until it has all
 * that belongs to it: pieces are counted then, and not carriers.
 */
static bool
counts_pieces(const struct copy_plan *plan)
{
	return plan->mode != COPY_MODE_COPY || copy_plan_digests(plan);
}

/* While another run cannot begin, what no piece is in is given back. */
static void
give_back_spare(struct lane *lane)
{
	unsigned n_loaded = copy_lane_n_loaded(lane->engine);
	/* The first has been paid for with the lane. */
	unsigned n_used = n_loaded > 0 ? n_loaded - 1 : 0;

	if (lane->n_more_pieces <= n_used ||
	    !budget_is_wanted(lane->setup.share))
		return;
	budget_give_back(lane->setup.share, (lane->n_more_pieces - n_used) *
	    piece_bytes(lane->plan));
	lane->n_more_pieces = n_used;
}

/* Is there room for one more piece? */
static bool
has_room(struct lane *lane)
{
	uint64_t bytes = piece_bytes(lane->plan);

	lane->is_short = false;
	if (!counts_pieces(lane->plan))
		return true;
	give_back_spare(lane);
	if (copy_lane_n_loaded(lane->engine) <= lane->n_more_pieces)
		return true;
	lane->is_short = !budget_take(lane->setup.share, bytes);
	if (lane->is_short)
		return false;
	lane->n_more_pieces++;
	return true;
}

static void
release(struct lane *lane)
{
	if (!lane->is_held)
		return;
	lane->is_held = false;
	net_timer_stop(&lane->hold_timer);
	budget_release(lane->setup.share);
}

static void
hold(struct lane *lane, uint64_t wait_us)
{
	uint64_t wait_ms = wait_us / 1000 + 1;

	if (lane->is_held)
		return;
	lane->is_held = true;
	budget_hold(lane->setup.share);
	net_timer_start(&lane->hold_timer,
	    wait_ms < MAX_WAIT_MS ? wait_ms : MAX_WAIT_MS);
}

static uint32_t
throttle_room(void *arg)
{
	struct lane *lane = arg;
	uint64_t wait_us;
	uint32_t size;

	/* What it has begun will end, and then it asks again. */
	if (!has_room(lane))
		return 0;
	wait_us = budget_wait_us(lane->setup.share, &size);
	if (wait_us == 0)
		return size;
	hold(lane, wait_us);
	return 0;
}

static void
throttle_pass(void *arg, uint64_t bytes)
{
	struct lane *lane = arg;

	budget_pass(lane->setup.share, bytes);
}

static void
hold_on_timeout(void *arg)
{
	struct lane *lane = arg;

	on_worker_entry();
	release(lane);
	if (lane->command == LANE_COPY)
		lane_pump(lane);
}

int
throttle_init(struct lane *lane)
{
	const struct copy_gate gate = {
		.room = throttle_room,
		.pass = throttle_pass,
		.arg = lane,
	};
	int r;

	if (lane->setup.share == NULL)
		return 0;
	r = net_timer_init(&lane->hold_timer,
	    worker_loop(lane->setup.worker), hold_on_timeout, lane);
	if (r < 0)
		return r;
	copy_lane_set_gate(lane->engine, &gate);
	if (!counts_pieces(lane->plan))
		carriers_count(&lane->carriers, lane->setup.share,
		    piece_bytes(lane->plan), lane->plan->n_targets == 1);
	return 0;
}

void
throttle_done(struct lane *lane)
{
	release(lane);
	net_timer_done(&lane->hold_timer);
	carriers_done(&lane->carriers);
	if (lane->n_more_pieces > 0)
		budget_give_back(lane->setup.share, lane->n_more_pieces *
		    piece_bytes(lane->plan));
	lane->n_more_pieces = 0;
}
