/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_LANE_PRIVATE_H
#define TRANSFER_LANE_PRIVATE_H

#include "transfer/carrier.h"
#include "transfer/connections.h"
#include "transfer/lane.h"
#include "transfer/marks.h"
#include "transfer/zeroes.h"

/*
 * The inside of a lane: lane.c is what its run calls, lane-commands.c what
 * follows from that, with the lane's disks; flow.c has the requests and bytes
 * between the engine and the disks.
 */

#define LANE_MAX_DISKS (1 + COPY_MAX_TARGETS)

enum lane_command {
	LANE_NONE,
	LANE_CONNECT,
	LANE_PROBE,
	LANE_COPY,
	LANE_CLOSE,
};

struct lane_request {
	struct nbd_request nbd;
	struct iovec iov;
	struct copy_request *engine;
	struct nbd_extents extents;	/* of a block status */
	uint64_t sent_us;		/* when it was submitted */
	bool is_on_way;			/* and it is not answered yet */
	struct carrier *carrier;	/* a READ's, from the arrival of its
					   bytes until they are not needed */
	struct mark mark;		/* a WRITE's */
};

struct recognition;

struct lane_disk {
	struct lane *lane;
	enum copy_side side;
	unsigned target;
	const struct endpoint *endpoint;
	struct disk *disk;	/* NULL: not connected, or closed */
	struct disk_shape shape;	/* as it was first connected */
	char *identity;		/* likewise; NULL: not yet */
	bool is_wanted;		/* LANE_CONNECT waits for it */
	bool is_starving;	/* it waits for a carrier */
	struct error lost;	/* code not 0: the disk has failed or is away */
	bool is_away;		/* lost while copying; may come back */
	bool is_connecting;	/* and is being tried */
	unsigned n_tries;
	uint64_t away_since_ms;
	unsigned n_losses;		/* in a row, with nothing more done */
	uint64_t losses_since_ms;
	uint64_t most_done;		/* bytes, by then */
	struct net_timer retry_timer;
	struct net_timer pause_timer;	/* before what failed is tried again */
	bool is_pausing;
	uint64_t network_us;	/* of disk_load(), as told to the tuning */
	uint64_t tls_us;
	struct copy_failure failure;
	uint64_t n_failures;
	struct recognition *recognition;	/* the last; NULL: none */
	uint64_t n_reads;
	struct mark written;	/* acknowledged last, since the last flush */
	struct mark flushing;	/* covered by that, if it succeeds */
};

struct lane {
	struct lane_setup setup;

	/* Mails to the lane's worker, and the answer. */
	struct mail command_mail;
	struct mail stop_mail;
	struct mail abort_mail;
	struct mail answer_mail;

	/* The run's worker; read by the lane's when the mail is delivered. */
	bool stop_is_posted;
	bool abort_is_posted;
	bool close_is_posted;
	enum lane_command next_command;
	const struct endpoint *next_endpoints[LANE_MAX_DISKS];
	unsigned n_disks;	/* the source, and those of the first connect */
	const struct copy_plan *plan;
	struct copy_cursor *cursor;
	struct copy_ledger *ledger;
	struct copy_tuning *tuning;
	uint64_t probe_seed;

	/* The lane's worker only, from here on. */
	enum lane_command command;	/* under way */
	enum lane_command answered;
	bool is_stopped;
	struct lane_disk disks[LANE_MAX_DISKS];	/* the source first */
	struct net_timer drain_timer;
	bool is_draining;
	struct net_timer epoch_timer;	/* to the next flush */
	struct net_timer hold_timer;	/* throttle.c's */
	bool is_held;			/* and it runs */
	unsigned n_more_pieces;		/* with memory, beyond the first */
	bool is_short;			/* of memory for another */
	struct copy_lane *engine;
	struct lane_request *requests;
	struct carriers carriers;
	bool can_pipe;			/* from the source to the destination */
	unsigned char *zeroes;		/* a request's worth, when needed */
	unsigned n_closing;		/* disks, also before LANE_CLOSE */
	struct probe *probe;		/* NULL: there was none */
	unsigned n_probing;		/* reads of it, on their way */
};

static inline struct connection_books *
lane_books(const struct lane_disk *d)
{
	return &d->lane->setup.books[d->side == COPY_SOURCE ? 0 :
	    1 + d->target];
}

static inline struct lane_disk *
lane_disk(struct lane *lane, enum copy_side side, unsigned target)
{
	return &lane->disks[side == COPY_SOURCE ? 0 : 1 + target];
}

/* lane-commands.c */
/* next_command is to be carried out. */
void lane_obey(struct lane *lane);
/* The run is over: what is under way ends soon; or at once. */
void lane_obey_stop(struct lane *lane);
void lane_obey_abort(struct lane *lane);
/* It has ended. */
void lane_answer(struct lane *lane);
void lane_note_failure(struct lane_disk *d, int error, const char *message);
/* The same, of a connection that is lost, or never came to be. */
void lane_note_lost(struct lane_disk *d, int error, const char *message);
/* See what is to be sent, or whether all is over. */
void lane_pump(struct lane *lane);
void lane_start_draining(struct lane *lane);
/* Connect; the reason is without the endpoint's name. */
int lane_connect_disk(struct lane_disk *d, struct error *e);
/* One of n_closing is closed. */
void lane_disk_closed(struct lane *lane);

/* reconnect.c */
/* Lost, or not connected again, while copying.  false: it is gone for good. */
bool reconnect_begin(struct lane_disk *d);
/* It is connected again. */
void reconnect_ready(struct lane_disk *d);
/* And is the disk that it was; code not 0: it is not. */
void reconnect_recognized(struct lane_disk *d, const struct error *e);
/* Whatever becomes of it: no more tries. */
void reconnect_stop(struct lane_disk *d);

/* recognize.c */
/* See whether it is: reconnect_recognized() follows, perhaps at once.
   -ENOMEM. */
int recognize_begin(struct lane_disk *d);
bool recognize_is_under_way(const struct lane_disk *d);
void recognize_request_done(struct lane_disk *d, struct nbd_request *nbd);
void recognize_done(struct lane_disk *d);
/* Is it written to, so that it has what was flushed, and nothing else? */
bool recognize_is_written(const struct lane_disk *d);
/* What it will be known by. */
void recognize_note_read(struct lane_disk *d, uint64_t offset,
    const struct iovec *bytes);
void recognize_note_written(struct lane_disk *d, const struct mark *mark);
void recognize_note_flush(struct lane_disk *d);
void recognize_note_flushed(struct lane_disk *d, bool is_durable);
void recognize_note_lost(struct lane_disk *d);

/* probe.c */
/* Look whether destinations are zero; ends in lane_answer(). */
void probe_begin(struct lane *lane);
void probe_request_done(struct lane_disk *d, struct nbd_request *nbd);
void probe_done(struct lane *lane);

/* throttle.c, on the lane's worker: to go no faster than the run may. */
int throttle_init(struct lane *lane);
void throttle_done(struct lane *lane);

/* flow.c */
/* Make the engine and what its requests need, anew.  -ENOMEM. */
int flow_init(struct lane *lane);
void flow_done(struct lane *lane);
/* Send all that the engine wants sent. */
void flow_pump(struct lane *lane);
/* A request of the engine has ended. */
void flow_request_done(struct lane *lane, struct lane_request *req);
/* Is a request of the engine's on its way there? */
bool flow_waits_for(const struct lane_disk *d);
/* All is over: what nobody will send any more makes room. */
void flow_drop_unneeded(struct lane *lane);
/* As those of disk_events; arg is a struct lane_disk. */
bool flow_find_place(void *arg, const struct nbd_arrival *arrival);
int flow_leave_pipe(void *arg, struct nbd_request *nbd);
void flow_on_sent(void *arg);
/* All of nbd but for its place on the disk. */
void flow_describe(struct nbd_request *nbd, enum copy_op op);

#endif
