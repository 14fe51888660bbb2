/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_RUN_H
#define TRANSFER_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "digest/digest.h"
#include "endpoint/spec.h"
#include "runtime/mailbox.h"
#include "runtime/worker.h"

/*
 * One run from start to verdict: open both ends, plan the lanes, drive them
 * on the workers, flush, say how it ended.  Used by the daemon and by
 * `nbdsync copy` alike.
 */

struct run;
struct store;
struct budget;
struct stats_counts;

#define RUN_LENGTH_ALL UINT64_MAX

/* Bytes.  length RUN_LENGTH_ALL: to the end of the source. */
struct run_range {
	uint64_t from;
	uint64_t length;
	uint64_t to;
};

enum run_mode {
	RUN_COPY,		/* "copy": write everything */
	RUN_SYNC,		/* "sync": compare, and write what differs */
	RUN_VERIFY,		/* "verify": compare, and write nothing */
	RUN_MIRROR,		/* "mirror": of series.h only */
};

const char *run_mode_name(enum run_mode mode);
/* -EINVAL: there is no such word. */
int run_mode_parse(const char *word, enum run_mode *ret_mode);

#define RUN_MAX_DESTINATIONS 8

/* What becomes of a read or write that failed. */
enum run_on_error {
	RUN_STOP,		/* "stop": the run fails with it */
	RUN_RETRY,		/* "retry": it is tried again, in smaller pieces
				   and after pauses, then the run fails */
	RUN_SKIP,		/* "skip": the same, then it is listed */
};

/* NULL: there is no such word. */
const char *run_on_error_name(enum run_on_error policy);

/* What a destination gets where the source could not be read. */
enum run_fill {
	RUN_FILL_LEAVE,		/* "leave": nothing */
	RUN_FILL_ZEROES,	/* "zeroes" */
	RUN_FILL_PATTERN,	/* "pattern": lines of text that say so */
};

/* -EINVAL: there is no such word. */
int run_fill_parse(const char *word, enum run_fill *ret_fill);

struct run_line;

struct run_spec {
	enum run_mode mode;
	const struct endpoint_spec *source;	/* copied by run_new() */
	const struct endpoint_spec *const *destinations;	/* likewise */
	unsigned n_destinations;
	const struct run_range *ranges;			/* none: whole disk */
	size_t n_ranges;
	uint32_t sample_ppm;		/* RUN_VERIFY: of all that only so many
					   millionths, at random; 0: all */
	uint64_t sample_seed;
	unsigned connections;		/* per side; 0: chosen */
	unsigned queue_depth;		/* requests in flight on each
					   connection; 0: chosen */
	uint32_t request_size;		/* bytes; 0: chosen */
	uint64_t connect_timeout_ms;	/* 0: RUN_CONNECT_TIMEOUT_MS */
	uint64_t io_timeout_ms;		/* 0: RUN_IO_TIMEOUT_MS */
	uint64_t reconnect_ms;		/* how long a connection that was lost
					   while copying is tried again; 0:
					   not at all */
	uint64_t straggler_ms;		/* the same of one destination, where
					   all others have got all; 0: no less
					   than reconnect_ms */
	enum run_on_error on_read_error;
	enum run_on_error on_write_error;
	unsigned retries;		/* of the smallest pieces, and of what
					   may be over soon */
	bool wait_for_space;		/* a full destination is waited for */
	uint64_t max_bad_bytes;		/* that may be skipped; 0: any number */
	uint64_t max_bad_ranges;	/* likewise; 0: RUN_MAX_BAD_RANGES */
	uint64_t max_retry_ms;		/* then nothing more is tried again; 0:
					   no limit */
	bool allow_no_flush;		/* accept a destination that cannot
					   flush: nothing is durable then */
	bool destination_is_zero;	/* zeroes need not be written */
	uint32_t distrusted;		/* bit i: destination i has refused a
					   flush, and may not have on its disk
					   what it reads: RUN_SYNC writes all */
	bool allocated;			/* zeroes are written as data */
	bool trim;			/* holes that are not known to be zero
					   are not copied, but trimmed;
					   RUN_COPY without a digest only */
	bool require_all;		/* destinations: without one of them
					   the run has failed; it is begun with
					   all only */
	uint32_t sparse_size;		/* bytes: how fine zeroes among data
					   are looked for, a power of two; 0:
					   chosen, RUN_SPARSE_OFF: not */
	bool may_be_empty;		/* a range without a length may begin
					   where the source ends */
	bool zero_rest;			/* of larger destinations; not with
					   ranges */
	uint64_t rate;			/* bytes/s; 0: no limit */
	uint64_t memory_max;		/* bytes, without a budget of others;
					   0: no limit */
	struct store *store;		/* keeps the place to go on from, and
					   outlives the run.  NULL: a run is
					   begun anew each time */
	const char *store_job;		/* as which job */
	uint64_t checkpoint_ms;		/* flush, and save it, that often; 0:
					   RUN_CHECKPOINT_MS */
	uint64_t resume_max_age_ms;	/* of the place to go on from; 0: any */
	int64_t resume_after_ms;	/* real time: what was kept before is
					   out of date; 0: it is not */
	bool full;			/* do not go on from it */
	const char *full_because;	/* static; NULL: it was asked for */
	uint64_t store_ms;		/* so long the beginning and the end
					   wait for an answer of the store; 0:
					   RUN_STORE_MS */
	struct endpoint_words words;	/* of servers that are started; arg
					   outlives the run */
	struct budget *budget;		/* shared with others; outlives the
					   run.  NULL: one of its own */
	struct stats_counts *counts;	/* of its requests; outlives the run,
					   or NULL */
	enum digest_algorithm digest;	/* of all that is read from the source:
					   one connection only; DIGEST_NONE:
					   do without */
	bool block_digests;		/* and of each RUN_BLOCK_SIZE bytes, by
					   DIGEST_XXH3 */
	bool is_readback;		/* the source is a destination, and what
					   is read is that which a run has
					   written, whose plan had this: */
	uint32_t align;
	/* Of series.h only: */
	bool verify_after;		/* RUN_COPY, RUN_SYNC: read it back */
	const struct run_line *line;	/* RUN_VERIFY: compare destinations with
					   this, and not with the source, which
					   is not read; copied */
	enum run_fill fill;		/* what is skipped, RUN_VERIFY apart */
	uint64_t interval_ms;		/* RUN_MIRROR: between two passes */
	bool syncs_first;		/* and the first one is a sync, too */
	uint64_t recheck_ms;		/* RUN_VERIFY: differences count that
					   are there after so long; 0: all */
	bool repair;			/* and are written then */
	uint64_t max_lag;		/* bytes that a slow destination may be
					   behind the others in memory; 0:
					   chosen */
};

#define RUN_BLOCK_SIZE	       (64U * 1024 * 1024)
#define RUN_BLOCK_DIGEST_SIZE  16
#define RUN_CONNECT_TIMEOUT_MS 10000
#define RUN_CHECKPOINT_MS      10000
#define RUN_STORE_MS	       10000
#define RUN_IO_TIMEOUT_MS      60000
#define RUN_MAX_BAD_RANGES     100000
#define RUN_MAX_RETRIES	       1000
#define RUN_RETRIES	       3	/* a good choice for retries */
#define RUN_INTERVAL_MS	       60000	/* and for interval_ms */
#define RUN_RECONNECT_MS       60000	/* a good choice for reconnect_ms */
#define RUN_MAX_CONNECTIONS    64
#define RUN_MAX_QUEUE_DEPTH    1024
#define RUN_SPARSE_OFF	       UINT32_MAX
#define RUN_MIN_SPARSE_SIZE    512
#define RUN_MAX_REQUEST_SIZE   (32U * 1024 * 1024)

/* What a run does now; the words are run_phase_name()'s. */
enum run_phase {
	RUN_CONNECTING,		/* "connecting" */
	RUN_COPYING,		/* "copying" */
	RUN_RECONNECTING,	/* "reconnecting": nothing is done before a
				   lost connection is back */
	RUN_STALLED,		/* "stalled": nothing was done for a while */
	RUN_FLUSHING,		/* "flushing" */
	RUN_VERIFYING,		/* "verifying": what is written is read back */
	RUN_MIRRORING,		/* "mirroring": after the first pass */
	RUN_WAITING,		/* "waiting": to look again at what differs */
	RUN_STOPPING,		/* "stopping" */
	RUN_FINISHED,		/* "finished" */
};

enum run_outcome {
	RUN_SUCCEEDED,		/* "succeeded" */
	RUN_PARTIAL,		/* "succeeded-with-warnings": some of several
				   destinations failed, or something could
				   not be copied */
	RUN_DIFFERENT,		/* "differences-found": RUN_VERIFY; and some
				   ranges may have been skipped, too */
	RUN_BAD_RANGES,		/* "finished-with-bad-ranges": all but what was
				   skipped is done */
	RUN_FAILED,		/* "failed" */
	RUN_CANCELLED,		/* "cancelled" */
	RUN_STOPPED,		/* "stopped": RUN_MIRROR, after a pass that was
				   complete */
	RUN_REPAIRED,		/* "repaired": RUN_VERIFY, what differed is
				   equal now */
};

#define RUN_OUTCOMES (RUN_REPAIRED + 1)

const char *run_phase_name(enum run_phase phase);
const char *run_outcome_name(enum run_outcome outcome);
/* All that may limit a run, from 0 on; NULL: no more. */
const char *run_limit_name(unsigned i);

/* Of a mirror, see series.h. */
struct run_mirror {
	bool is_mirror;
	unsigned pass;			/* from 1; also of other series */
	uint64_t n_complete;		/* passes */
	uint64_t n_failed;		/* since the last complete one */
	bool is_in_sync;		/* the last pass was complete */
	int64_t consistent_at_ms;	/* real time: what the source had then
					   is at all destinations; 0: never */
	uint64_t consistent_age_ms;
	unsigned n_destinations;
	/* The same of each: it may have got all when another one has not. */
	int64_t consistent_at_each_ms[RUN_MAX_DESTINATIONS];
	uint64_t shrunk_from;		/* bytes the source has had in an
					   earlier complete pass, and has not
					   now; 0: it has */
	int64_t next_pass_at_ms;	/* 0: one is under way */
	char failure[ERROR_TEXT_SIZE];	/* of the last pass; "": none */
};

/* What has been moved and looked at, by one or several passes. */
struct run_bytes {
	uint64_t read;
	uint64_t written;
	uint64_t zeroed;
	uint64_t equal;
	uint64_t differing;
	uint64_t trimmed;
	uint64_t resumed;		/* the last two of all destinations */
	uint64_t failed;
};

/* Of one destination. */
struct run_destination_progress {
	bool is_failed;			/* nothing more goes there */
	uint64_t size;			/* bytes; 0 until known */
	uint64_t total_bytes;		/* likewise */
	uint64_t done_bytes;
	uint64_t written_bytes;		/* as payload */
	uint64_t zeroed_bytes;		/* by write-zeroes or as real zeroes */
	uint64_t trimmed_bytes;		/* holes */
	uint64_t untouched_bytes;	/* holes that could not be trimmed */
	uint64_t equal_bytes;		/* compared: nothing to write */
	uint64_t differing_bytes;	/* compared, and left so */
	uint64_t resumed_bytes;		/* done by an earlier run */
	uint64_t failed_bytes;		/* skipped */
	uint64_t filled_bytes;		/* of these, after the copy */
	uint64_t behind_bytes;		/* to be caught up with at the end */
	uint64_t durable_bytes;
	uint64_t n_flushes;		/* that made something durable */
};

/*
 * Figures of a run, counted on completion.  done is what needs no more
 * attention than a flush; it reaches total with the last acknowledged write,
 * and falls only when a connection is lost, by what no flush had covered.
 * durable is what flushes have covered.  What was read, written, zeroed,
 * trimmed, left and compared never falls, and counts twice what was done
 * twice.  Those of the destination that is least far, of those that have not
 * failed, stand for the run.
 */
struct run_progress {
	enum run_phase phase;
	uint64_t total_bytes;		/* 0 until known */
	uint64_t done_bytes;
	uint64_t read_bytes;		/* from the source, as payload */
	uint64_t written_bytes;
	uint64_t zeroed_bytes;
	uint64_t trimmed_bytes;
	uint64_t untouched_bytes;
	uint64_t equal_bytes;
	uint64_t differing_bytes;
	uint64_t failed_bytes;		/* skipped: not done, and not left */
	uint64_t durable_bytes;
	uint64_t source_size;		/* bytes; 0 until known */
	uint64_t destination_size;
	struct run_destination_progress destinations[RUN_MAX_DESTINATIONS];
	unsigned n_destinations;
	unsigned lanes;
	unsigned queue_depth;
	uint32_t request_size;
	uint64_t n_retries;		/* times that what failed was tried
					   again */
	uint64_t n_reconnects;		/* connections that came back */
	uint64_t checkpoint_age_ms;	/* of the place to go on from, or
					   since the start; 0: none is kept */
	uint64_t n_checkpoint_failures;	/* times that it could not be saved */
	char trying_again[88];		/* for what, "destination: No space left
					   on device", by name if it is one of
					   several; "": nothing is */
	unsigned n_away;		/* that are lost now, and may */
	uint64_t stalled_ms;		/* since something was last read or
					   done; 0: not copying */
	uint64_t rate_limit;		/* bytes/s, of this run; 0: none */
	uint64_t memory;		/* bytes, for what is on its way */
	uint64_t memory_peak;		/* and at most */
	const char *limited_by;		/* one of run_limit_name() */
	uint64_t verified_bytes;	/* read back, and right so far; of all
					   destinations */
	uint32_t distrusted;		/* bit i: as of a result, so far, */
	uint32_t refused;		/* and so is this */
	uint64_t elapsed_ms;		/* since run_start(), until the end */
	struct run_mirror mirror;
	struct run_bytes earlier;	/* passes, whose bytes are not in the
					   above */
};

/* Which request failed, when a request did. */
struct run_failure {
	bool is_request;		/* offset and the rest are filled in */
	char side[16];			/* "source", "destination", or "" */
	unsigned destination;		/* which */
	char operation[24];		/* "read", "write", "write-zeroes",
					   "trim", "flush" */
	uint64_t offset;		/* bytes, on that side */
	uint64_t length;
	int errnum;			/* negative errno */
	struct error error;		/* the whole sentence */
};

/* A range that differs, RUN_VERIFY. */
struct run_difference {
	unsigned destination;
	uint64_t offset;		/* bytes, on the source */
	uint64_t length;
	bool is_zero_at_source;		/* all of it; as far as it is known */
	bool is_zero_at_destination;
};

/*
 * What could not be copied, since a server takes whole blocks only and the
 * disk ends inside one.
 */
struct run_gap {
	unsigned destination;
	const char *side;		/* "source" or "destination": whose
					   offset it is */
	uint64_t offset;		/* bytes */
	uint64_t length;
	char reason[160];		/* a sentence, without the numbers */
};

/* A range that was skipped. */
struct run_bad_range {
	const char *side;		/* that failed: "source" or
					   "destination" */
	unsigned destination;		/* that lacks it */
	uint64_t offset;		/* bytes, on the source */
	uint64_t to;			/* on the destination */
	uint64_t length;
	bool is_filled;			/* it got something else instead */
	int errnum;			/* negative errno */
};

/*
 * A digest of the source's bytes as they were read: of the ranges one after
 * the other, in the order in which they were given; zeroes that were not read
 * are in it as zeroes.  What was read more than once is in it as one of
 * those times had it; what could not be read leaves no digest.
 */
struct run_digest {
	enum digest_algorithm algorithm;
	unsigned char value[DIGEST_MAX_SIZE];
	uint64_t bytes;			/* that are in it */
	bool is_known;			/* and those are all */
};

/*
 * Of RUN_BLOCK_SIZE bytes of the same, those from that times its index on;
 * the last is shorter.
 */
struct run_block_digest {
	unsigned char value[RUN_BLOCK_DIGEST_SIZE];
	bool is_known;
	uint32_t unlike;		/* bit i: destination i was sent bytes
					   of another read of the source */
};

/*
 * What such blocks are made of: pieces of the source, one after the other,
 * each at the same place of all its destinations.
 */
struct run_piece {
	uint64_t from;			/* bytes on the source */
	uint64_t to;			/* and on the destinations */
	uint64_t length;
	uint32_t targets;		/* bit i: destination i */
};

/* What a run has written, by digests. */
struct run_line {
	struct run_piece *pieces;
	size_t n_pieces;
	uint32_t align;			/* of requests */
	struct run_block_digest *blocks;	/* in order */
	size_t n_blocks;
	uint32_t failed;		/* bit i: destination i has nothing */
};

struct run_result {
	enum run_outcome outcome;
	struct run_failure failure;	/* RUN_FAILED: the first one */
	uint64_t n_failed_requests;
	const char *destination_failures[RUN_MAX_DESTINATIONS];
					/* sentences, the run's; NULL: that
					   one is a success */
	const struct run_difference *differences;	/* by destination and
					   offset; the run's */
	size_t n_differences;
	bool differences_are_cut;	/* there are more */
	bool is_resumed;		/* it went on from an earlier run */
	struct error not_resumed;	/* code not 0: why it did not */
	bool has_begun;			/* it came as far as that: another run
					   may go on from what it has done */
	uint32_t distrusted;		/* bit i: as of a spec, for the next
					   one */
	uint32_t refused;		/* those of them that have refused a
					   flush to this one itself */
	bool leaves_outdated;		/* the store may have what no run is to
					   go on from, and did not remove it */
	const struct run_bad_range *bad_ranges;	/* likewise */
	size_t n_bad_ranges;
	const struct run_gap *not_copied;	/* the run's */
	size_t n_not_copied;
	uint64_t filled_bytes;		/* of bad ranges, of all destinations */
	uint64_t repaired_bytes;	/* RUN_REPAIRED, or tried */
	struct run_digest digest;
	const struct run_block_digest *block_digests;	/* in order; the
							   run's */
	size_t n_block_digests;
	const struct run_piece *pieces;	/* that they are of; likewise */
	size_t n_pieces;
	uint32_t align;
	struct run_progress progress;	/* at the end */
	int64_t started_at_ms;		/* real time since the epoch */
	int64_t finished_at_ms;
	const char *const *gave_up;	/* what the servers lack and what was
					   done instead, sentences; the run's */
	size_t n_gave_up;
};

/*
 * Make a run of spec.  on_finished comes exactly once after run_start(), on
 * the thread of owner's loop.  Until then the run must not be freed.
 * -EINVAL with a sentence; -ENOMEM.
 */
int run_new(const struct run_spec *spec, struct worker_pool *pool,
    struct mailbox *owner, void (*on_finished)(struct run *run, void *arg),
    void *arg, struct run **ret_run, struct error *e);

/* Owner's thread, once. */
void run_start(struct run *run);

/*
 * Ask the run to end: no new requests, those in flight are waited for, then
 * RUN_CANCELLED.  Any thread, any number of times, also after the end.
 */
void run_cancel(struct run *run);

/*
 * The same, but nothing is waited for: connections are closed with what is in
 * flight, which servers may still carry out, and nothing more is flushed.
 * Also after run_cancel().
 */
void run_abort(struct run *run);

/*
 * So many bytes a second, from now on; 0: no limit.  Counted is what is read
 * from the source; when comparing, from the disk that most is read from; and
 * zeroes that are written as bytes.  Any thread, any number of times.
 */
void run_set_rate(struct run *run, uint64_t rate);

/* Another resume_after_ms, if it has not begun yet.  Any thread. */
void run_outdate(struct run *run, int64_t resume_after_ms);

/*
 * Others write to its disks, too.  What it has done may not be there any more:
 * it keeps no place to go on from, and removes what it has kept.  Any thread.
 */
void run_disturb(struct run *run);

/* A connection that was lost while copying, and is tried again. */
struct run_loss {
	bool is_destination;		/* else it is the source's */
	unsigned destination;
	unsigned connection;		/* which of that side's, from 1 */
	uint64_t n_more;		/* others, which nobody has asked for */
	struct error error;		/* why; without the name of the disk */
};

/*
 * The last one since it was asked for, or NULL; the caller's, for free().
 * Any thread.
 */
struct run_loss *run_take_loss(struct run *run);

enum connection_state {
	CONNECTION_NONE,	/* there is none, or no longer */
	CONNECTION_CONNECTING,	/* "connecting", and so on */
	CONNECTION_READY,
	CONNECTION_RECONNECTING,	/* it was lost, and may come back */
	CONNECTION_FAILED,
};

const char *run_connection_state_name(enum connection_state state);

/* A connection of a run that goes on. */
struct run_connection {
	bool is_destination;		/* else it is the source's */
	unsigned destination;
	unsigned number;		/* of that side's, from 1 */
	enum connection_state state;
	int error;			/* negative errno: why it is lost, or
					   failed; else 0 */
	uint64_t since_ms;		/* so long it has been in that state */
	bool waits;			/* to be tried again, after: */
	uint64_t next_try_ms;
	const char *tls_version;	/* "TLSv1.3"; NULL: no TLS */
	const char *tls_cipher;		/* "TLS_AES_128_GCM_SHA256"; likewise */
	uint64_t in_flight;		/* requests */
	uint64_t latency_us;		/* from a read or write to its answer,
					   the mean of the last ones; 0:
					   there was none */
	uint64_t latency_p99_us;	/* what 99 of 100 took at most */
	uint64_t n_reconnects;
};

#define RUN_CONNECTIONS (RUN_MAX_CONNECTIONS * (1 + RUN_MAX_DESTINATIONS))

/*
 * All connections, at most RUN_CONNECTIONS, those of a lane together; how
 * many were put into ret.  Any thread, until run_free(); never waits.
 */
size_t run_get_connections(const struct run *run, struct run_connection *ret,
    size_t room);

/* Any thread, at any time; never waits. */
void run_get_progress(const struct run *run, struct run_progress *ret);

/* After on_finished.  The run's. */
const struct run_result *run_result(const struct run *run);

/* Before run_start() or after on_finished. */
void run_free(struct run *run);

struct run_line *run_line_copy(const struct run_line *line);
/* What a piece takes of the line. */
uint64_t run_line_length(const struct run_line *line,
    const struct run_piece *piece);
void run_line_free(struct run_line *line);
void run_line_freep(struct run_line **line);

/* Monotonic and real time, milliseconds. */
uint64_t run_clock_ms(void);
int64_t run_wall_clock_ms(void);

#endif
