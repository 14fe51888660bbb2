/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_SERIES_PRIVATE_H
#define TRANSFER_SERIES_PRIVATE_H

#include "transfer/series.h"

/*
 * The inside of a series: series.c has its passes one after the other,
 * mirror.c, recheck.c and readback.c say which is the next,
 * and fill.c has some after those that have skipped something.
 */

struct readback;
struct fill;

/* What is to be done after a pass. */
enum series_step {
	SERIES_END,		/* nothing: the result stands */
	SERIES_PASS,		/* another pass, after delay_ms */
};

struct series_kind {
	/*
	 * A pass has ended; s->result is what it says, and may be changed.
	 * For another, describe it in s->spec and s->delay_ms.
	 */
	enum series_step (*after)(struct series *s);
	/* It was cancelled while it waited for the next pass. */
	void (*on_stopped)(struct series *s);
};

/* What has happened in a pass, whatever it was for. */
struct series_counts {
	uint64_t n_reconnects;
	uint64_t n_retries;
	uint64_t n_checkpoint_failures;
};

struct series {
	struct run_spec spec;		/* of the next pass; of our own: */
	struct endpoint_spec *source;
	struct endpoint_spec *destinations[RUN_MAX_DESTINATIONS];
	struct run_range *all_ranges;	/* those of the whole series */
	size_t n_all_ranges;
	uint32_t sample_ppm;		/* of them */
	const struct series_kind *kind;
	struct worker_pool *pool;
	struct mailbox *owner;
	void (*on_finished)(struct series *series, void *arg);
	void *arg;

	struct run *run;		/* the pass, running or the last */
	bool is_running;
	bool is_cancelled;
	bool is_over;			/* on_finished has been called */
	struct net_timer timer;		/* for the next pass */
	uint64_t delay_ms;
	int64_t started_at_ms;
	unsigned n_passes;		/* begun */
	uint32_t distrusted;		/* as of a spec, now */
	uint32_t refused;		/* those of them that have been so by
					   this series */
	bool leaves_outdated;		/* one of them */
	bool has_begun;			/* likewise */
	struct run_result result;	/* what it points to is the run's, or
					   ours: */
	struct run_range *ranges;	/* of a pass */
	struct run_difference *differences;

	struct run_mirror mirror;
	uint64_t largest_size;		/* bytes: of a mirror's source */
	struct run_bytes earlier;	/* passes than that of run */
	struct series_counts counts;	/* of them */
	uint64_t retry_ms;		/* the last pause after a failure */
	enum run_mode asked;		/* what the series is for */
	struct run_digest digest;	/* of the first pass */

	/* Of a verify, recheck.c's. */
	unsigned stage;
	size_t n_differences;
	bool was_cut;
	uint64_t repaired_bytes;
	struct run_gap *gaps;		/* not compared by the first pass */
	size_t n_gaps;
	struct run_bad_range *bad;	/* skipped by passes whose ranges the
					   later ones do not look at */
	size_t n_bad;
	char *failures[RUN_MAX_DESTINATIONS];

	struct readback *readback;	/* NULL: nothing is read back */
	struct fill *fill;		/* NULL: nothing is filled */
};

extern const struct series_kind series_mirror;	/* mirror.c */
extern const struct series_kind series_verify;	/* recheck.c */
extern const struct series_kind series_readback;	/* readback.c */

/* The pass of s->run has ended, and another takes its place. */
void series_count_pass(struct series *s);

/*
 * A pass has failed for one destination of what was asked: that is none of
 * success.  The error is kept where the result may point to it.
 */
void series_fail_destination(const struct run_spec *asked,
    struct run_result *result, unsigned target,
    const struct run_failure *failure, struct error *ret_error);

/* readback.c */
/* -EINVAL with a sentence: there is nothing to read back; -ENOMEM. */
int readback_init(struct series *s, struct error *e);
void readback_free(struct series *s);
/* The copy whose bytes are being read back; NULL: none is. */
const struct run *readback_copied(const struct series *s);
/* Is something read back, of that or of what a stored run has left? */
bool readback_is_reading(const struct series *s);
/* From a disk of the pass to that of the series; false: it is none of it. */
bool readback_place(const struct series *s, bool *is_destination,
    unsigned *destination);
/* How far that is, beside the copy's own figures. */
void readback_add_progress(const struct series *s, struct run_progress *ret);
void readback_set_rate(struct series *s, uint64_t rate);

/* fill.c */
/* -EINVAL with a sentence: nothing is ever skipped; -ENOMEM. */
int fill_init(struct series *s, struct error *e);
void fill_free(struct series *s);
/*
 * A pass has ended, one of the series or one that has filled.  True: the next
 * one fills, and is described in s->spec.  False: s->run, s->spec and
 * s->result are those of the series.
 */
bool fill_next(struct series *s);
/* There will be no such pass: it was cancelled, or cannot be begun. */
void fill_stop(struct series *s);
/* The copy whose bad ranges are being filled; NULL: none are. */
const struct run *fill_copied(const struct series *s);
/* As readback_place(). */
bool fill_place(const struct series *s, bool *is_destination,
    unsigned *destination);
void fill_add_progress(const struct series *s, struct run_progress *ret);
void fill_set_rate(struct series *s, uint64_t rate);

#endif
