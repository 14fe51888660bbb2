/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_LATENCY_H
#define TRANSFER_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * How long the last requests of a connection took: their mean, and how long
 * nearly all of them took at most.  One thread notes them, any may look, and
 * may see two figures of two moments.
 */

/* Eight to each power of two, up to two minutes. */
#define LATENCY_BUCKETS 200

/* Born 0. */
struct latency {
	_Atomic uint64_t mean_us;
	_Atomic uint16_t buckets[LATENCY_BUCKETS];
	unsigned n_since;		/* they were last halved */
};

/* The thread that has it. */
void latency_note(struct latency *l, uint64_t took_us);
void latency_forget(struct latency *l);

/* Any thread, in microseconds; 0: nothing was noted. */
uint64_t latency_mean(const struct latency *l);
/*
 * What so many of a hundred took at most, no more than an eighth above: of
 * the last 500 to 1,000, and the older, the less of them.
 */
uint64_t latency_percentile(const struct latency *l, unsigned percent);

#endif
