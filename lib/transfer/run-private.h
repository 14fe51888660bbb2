/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_RUN_PRIVATE_H
#define TRANSFER_RUN_PRIVATE_H

#include <stdatomic.h>

#include "copy/cursor.h"
#include "copy/digest.h"
#include "copy/ledger.h"
#include "copy/plan.h"
#include "copy/tuning.h"
#include "endpoint/endpoint.h"
#include "transfer/budget.h"
#include "transfer/connections.h"
#include "transfer/keeper.h"
#include "transfer/lane.h"
#include "transfer/marks.h"
#include "transfer/run.h"
#include "transfer/zeroes.h"

/*
 * The inside of a run, shared by run.c (making, asking, freeing), drive.c (the
 * steps from start to the end of copying) and the others that are named below.
 */

/* What one of the run's lanes is doing, as the run's worker knows it. */
struct run_lane {
	struct lane *lane;
	bool is_busy;		/* an answer is awaited */
	bool is_connecting;	/* and it is a further lane's to connect */
};

struct run {
	/* Fixed by run_new(). */
	struct endpoint_spec *source_spec;
	struct endpoint_spec *destination_specs[RUN_MAX_DESTINATIONS];
	unsigned n_destinations;
	struct copy_range *ranges;
	struct copy_wish wish;
	bool requires_all;
	struct endpoint_limits limits;
	uint64_t reconnect_ms;
	uint64_t straggler_ms;
	uint64_t max_retry_ms;
	uint64_t store_ms;
	enum run_mode mode;
	bool is_readback;		/* its source is a destination */
	bool is_to_be_filled;		/* bad ranges are, by another run */
	struct keeper keeper;
	uint32_t distrusted;		/* as of the spec */
	struct marks marks;
	struct worker_pool *pool;
	struct budget *own_budget;	/* NULL: somebody else's is used */
	struct mailbox *owner;
	void (*on_finished)(struct run *run, void *arg);
	void *arg;
	unsigned home_index;
	struct worker *home;
	int64_t started_at_ms;		/* set by run_start() */

	/* Any thread. */
	atomic_bool cancel_is_posted;
	atomic_bool abort_is_posted;
	_Atomic int phase;		/* enum run_phase */
	_Atomic uint64_t source_size;
	_Atomic uint64_t destination_sizes[RUN_MAX_DESTINATIONS];
	_Atomic uint64_t started_ms;	/* monotonic */
	_Atomic uint64_t ended_ms;
	_Atomic uint64_t progressed_ms;	/* when something was last done */
	_Atomic unsigned lanes_shown;
	atomic_bool is_tuned;		/* tuning may be looked at */
	struct run_loss *_Atomic loss;	/* whoever takes it out owns it */
	struct connection_books *_Atomic books[RUN_MAX_CONNECTIONS];
					/* of each lane, the source first; once
					   there they stay */
	struct copy_ledger ledger;	/* its atomics */
	struct zeroes zeroes;
	struct budget_share share;
	struct stats_counts *counts;	/* or NULL */
	struct endpoint_words words;

	/* Mails. */
	struct mail start_mail;
	struct mail cancel_mail;
	struct mail abort_mail;
	struct mail finished_mail;

	/* The run's worker, from run_start() until on_finished. */
	bool is_cancelled;		/* one of the next two */
	bool has_cancel_mail;		/* it has arrived */
	bool has_abort_mail;
	bool has_begun;			/* what it copies may be kept */
	bool is_keeping;		/* all is closed, but for the store */
	bool is_last_removed;
	bool is_last_saved;
	bool awaits_removal;		/* to begin */
	struct resume *resume;		/* NULL: not going on from anything */
	unsigned n_mails_to_come;	/* all is over but for these */
	struct endpoint *source;
	struct endpoint *destinations[RUN_MAX_DESTINATIONS];
	bool are_destinations_open;	/* but for those that failed */
	struct copy_plan plan;
	struct copy_cursor cursor;
	struct copy_digests digests;
	struct copy_tuning tuning;	/* its atomics: any thread */
	struct net_timer pulse_timer;
	struct net_timer room_timer;	/* memory is waited for */
	uint64_t lane_bytes;		/* of the budget, for each lane */
	unsigned n_paid_lanes;
	uint64_t activity;		/* bytes read, written and compared, at
					   progressed_ms */
	bool is_short_of_lanes;		/* one was refused: ask for no more */
	unsigned n_refused;		/* of n_lanes */
	struct run_lane *lanes;		/* room for all there may be */
	unsigned n_lanes;
	unsigned n_open;		/* lanes, then endpoints, to close */
	struct net_timer store_timer;	/* an answer of it is waited for */
	struct net_timer exit_timer;
	unsigned n_exit_ticks;
	char **gave_up;
	size_t n_gave_up;

	struct run_result result;
	struct error destination_errors[RUN_MAX_DESTINATIONS];
	struct run_difference *differences;
	struct run_bad_range *bad_ranges;
	uint64_t retrying_at_ms;	/* something was; 0: nothing was, when
					   that was last looked at */
	uint64_t retried_ms;		/* in all, up to then */
	struct run_gap *gaps;
	struct run_block_digest *block_digests;
	struct run_piece *pieces;	/* of these */
};

/* gave-up.c */
/* Remember a sentence about something done without; lost if no memory. */
void run_add_gave_up(struct run *run, const char *sentence);
/*
 * Likewise; of several destinations with the names of those, bit i, that it is
 * true of: then it begins with "destination".
 */
void run_tell_gave_up(struct run *run, uint32_t targets, const char *sentence);
/* All is closed: what the books say of it. */
void run_note_gave_up(struct run *run);

/* verdict.c */
/* A lane is idle: take its differences, and what it has skipped. */
void run_take_differences(struct run *run, const struct lane *lane);
void run_take_bad_ranges(struct run *run, const struct lane *lane);
/* All is closed: fill in the result. */
void run_judge(struct run *run);
const char *run_side_name(enum copy_side side);

/* checkpoint.c */
/* All disks are connected: remember what they are.  -ENOMEM. */
int checkpoint_begin(struct run *run);
/* Copying: see whether it is time to save one. */
void checkpoint_tick(struct run *run, uint64_t now_ms);
/* All is closed and judged: the last one.  false: there is nothing to wait
   for; else run_is_kept() comes. */
bool checkpoint_conclude(struct run *run);
/* The store is silent: do without its answer. */
void checkpoint_go_without(struct run *run);
/* That was the last. */
void checkpoint_end(struct run *run);
/* Remove what is stale.  0: checkpoint_tick() and checkpoint_conclude() know
   that it is under way, and resume_removed() comes; -ENOMEM. */
int checkpoint_remove(struct run *run);
/* After it: is there what no run is to go on from? */
bool checkpoint_is_outdated(const struct run *run);
/* May a run go on from it?  -ESTALE with the reason. */
int checkpoint_check(const struct run *run,
    const struct store_checkpoint *cp, struct error *why);

/* resume.c */
/* Before anything is written: true, and run_begin() comes. */
bool resume_begin(struct run *run);
/* The store has answered to checkpoint_remove(): was that waited for? */
bool resume_removed(struct run *run);
/* Lane 0 has copied: was that the canary? */
bool resume_copied(struct run *run);
/* Of store_timer. */
void run_on_store_silent(void *arg);
/* The run is not going on: what is under way ends soon. */
void resume_stop(struct run *run);
void resume_free(struct run *run);

/* A server has not answered a further connection if it takes longer. */
#define RUN_NO_ANSWER_MS 1000

/* further.c */
/* May a further lane be used?  Else sentence says why not. */
bool run_may_use_lane(const struct run *run, const struct lane *lane,
    char *sentence, size_t size);
/*
 * All was copied before this lane was connected, and there was hardly time for
 * it: nothing worth a word.
 */
bool run_is_over_soon(const struct run *run, const struct lane *lane);

/* wind-up.c */
void run_set_phase(struct run *run, enum run_phase phase);
/* Something failed that is not a request: text is the whole reason. */
void run_fail(struct run *run, enum copy_side side, unsigned target, int error,
    const char *text);
/* All lanes are idle and the run is not going on. */
void run_wind_up(struct run *run);
/* The same, if servers have failed in nothing, but do not fit. */
void run_refuse(struct run *run);
/* The same, if it has not failed. */
void run_close_lanes(struct run *run);
void run_on_lane_closed(void *arg, struct lane *lane);
/* What is to be kept is: that was the last. */
void run_is_kept(struct run *run);

/* planning.c */
/* Those of destinations that have one; NULL: the others'. */
void run_get_shapes(const struct run *run, const struct disk_shape *shapes[]);
/* Lane 0 is connected: plan, or refuse; run_begin() comes next, if anything. */
void run_make_plan(struct run *run);

/* pulse.c */
/* -ENOMEM. */
int pulse_init(struct run *run);
/* It begins to copy; the pulse stops by itself. */
void pulse_start(struct run *run);

/* drive.c */
void run_begin(struct run *run);
/* Have n lanes, as far as that is possible. */
void run_add_lanes(struct run *run, unsigned n);
/* The mails of a run. */
void run_drive_start(struct mail *mail);
void run_drive_cancel(struct mail *mail);
void run_drive_abort(struct mail *mail);

#endif
