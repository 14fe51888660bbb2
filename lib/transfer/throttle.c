/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lane that is not to go as fast as it could.  The engine asks before it
 * begins a piece; when the run's share is used up the lane waits on a timer,
 * and only then.  It looks again every MAX_WAIT_MS at least: the rate may have
 * been changed.
 */

#include "transfer/lane-private.h"

#define MAX_WAIT_MS 100

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
	if (r == 0)
		copy_lane_set_gate(lane->engine, &gate);
	return r;
}

void
throttle_done(struct lane *lane)
{
	release(lane);
	net_timer_done(&lane->hold_timer);
}
