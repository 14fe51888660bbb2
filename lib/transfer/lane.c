/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lane as its run sees it, on the run's worker: made, told what to do, asked
 * and freed.  Commands go to the lane's worker as mails (lane-commands.c), and
 * so come their answers.
 */

#include "transfer/lane.h"

#include <errno.h>
#include <stdlib.h>

#include "transfer/lane-private.h"

static struct lane *
lane_of_mail(struct mail *mail, size_t offset)
{
	return (struct lane *)(void *)((char *)mail - offset);
}

static void
command_deliver(struct mail *mail)
{
	on_worker_entry();
	lane_obey(lane_of_mail(mail, offsetof(struct lane, command_mail)));
}

static void
stop_deliver(struct mail *mail)
{
	on_worker_entry();
	lane_obey_stop(lane_of_mail(mail, offsetof(struct lane, stop_mail)));
}

static void
abort_deliver(struct mail *mail)
{
	on_worker_entry();
	lane_obey_abort(lane_of_mail(mail, offsetof(struct lane, abort_mail)));
}

static void
answer_deliver(struct mail *mail)
{
	struct lane *lane = lane_of_mail(mail,
	    offsetof(struct lane, answer_mail));
	const struct lane_events *events = lane->setup.events;
	void *arg = lane->setup.arg;

	on_worker_entry();
	switch (lane->answered) {
	case LANE_CONNECT:
		events->on_connected(arg, lane);
		break;
	case LANE_PROBE:
		events->on_probed(arg, lane);
		break;
	case LANE_COPY:
		events->on_copied(arg, lane);
		break;
	case LANE_CLOSE:
		events->on_closed(arg, lane);
		break;
	case LANE_NONE:
		break;
	}
}

int
lane_new(const struct lane_setup *setup, struct lane **ret_lane)
{
	struct lane *lane = calloc(1, sizeof *lane);
	unsigned i;

	if (lane == NULL)
		return -ENOMEM;
	lane->setup = *setup;
	lane->n_disks = 1;
	lane->command_mail.deliver = command_deliver;
	lane->stop_mail.deliver = stop_deliver;
	lane->abort_mail.deliver = abort_deliver;
	lane->answer_mail.deliver = answer_deliver;
	for (i = 0; i < LANE_MAX_DISKS; i++) {
		lane->disks[i].lane = lane;
		lane->disks[i].side = i == 0 ? COPY_SOURCE : COPY_DESTINATION;
		lane->disks[i].target = i == 0 ? 0 : i - 1;
	}
	*ret_lane = lane;
	return 0;
}

void
lane_free(struct lane *lane)
{
	unsigned i;

	if (lane == NULL)
		return;
	for (i = 0; i < LANE_MAX_DISKS; i++)
		free(lane->disks[i].identity);
	for (i = 0; i < LANE_MAX_DISKS; i++)
		recognize_done(&lane->disks[i]);
	if (lane->engine != NULL)
		flow_done(lane);
	probe_done(lane);
	free(lane);
}

static void
post_command(struct lane *lane, enum lane_command command)
{
	lane->next_command = command;
	worker_post(lane->setup.worker, &lane->command_mail);
}

void
lane_connect(struct lane *lane, const struct endpoint *source,
    struct endpoint *const destinations[], unsigned n)
{
	unsigned i;

	lane->next_endpoints[0] = source;
	for (i = 0; i < n; i++)
		lane->next_endpoints[1 + i] = destinations[i];
	if (n > 0)
		lane->n_disks = 1 + n;
	post_command(lane, LANE_CONNECT);
}

void
lane_probe(struct lane *lane, const struct copy_plan *plan,
    struct copy_ledger *ledger, uint64_t seed)
{
	lane->plan = plan;
	lane->ledger = ledger;
	lane->probe_seed = seed;
	post_command(lane, LANE_PROBE);
}

void
lane_copy(struct lane *lane, const struct copy_plan *plan,
    struct copy_cursor *cursor, struct copy_ledger *ledger,
    struct copy_tuning *tuning)
{
	lane->plan = plan;
	lane->cursor = cursor;
	lane->ledger = ledger;
	lane->tuning = tuning;
	post_command(lane, LANE_COPY);
}

void
lane_close(struct lane *lane)
{
	lane->close_is_posted = true;
	post_command(lane, LANE_CLOSE);
}

void
lane_stop(struct lane *lane)
{
	if (lane->stop_is_posted || lane->close_is_posted)
		return;
	lane->stop_is_posted = true;
	worker_post(lane->setup.worker, &lane->stop_mail);
}

void
lane_abort(struct lane *lane)
{
	if (lane->abort_is_posted || lane->close_is_posted)
		return;
	lane->abort_is_posted = true;
	worker_post(lane->setup.worker, &lane->abort_mail);
}

const struct disk_shape *
lane_shape(const struct lane *lane, enum copy_side side, unsigned target)
{
	return &lane->disks[side == COPY_SOURCE ? 0 : 1 + target].shape;
}

const char *
lane_identity(const struct lane *lane, enum copy_side side, unsigned target)
{
	return lane->disks[side == COPY_SOURCE ? 0 : 1 + target].identity;
}

const struct copy_failure *
lane_failure(const struct lane *lane, enum copy_side side, unsigned target,
    uint64_t *ret_n)
{
	const struct lane_disk *d =
	    &lane->disks[side == COPY_SOURCE ? 0 : 1 + target];

	*ret_n = d->n_failures;
	return &d->failure;
}

const struct copy_difference *
lane_differences(const struct lane *lane, size_t *ret_n, bool *ret_is_cut)
{
	*ret_n = 0;
	*ret_is_cut = false;
	if (lane->engine == NULL)
		return NULL;
	return copy_lane_differences(lane->engine, ret_n, ret_is_cut);
}

const struct copy_bad_range *
lane_skipped(const struct lane *lane, size_t *ret_n)
{
	*ret_n = 0;
	if (lane->engine == NULL)
		return NULL;
	return copy_lane_skipped(lane->engine, ret_n);
}
