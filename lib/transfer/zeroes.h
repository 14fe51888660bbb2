/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_ZEROES_H
#define TRANSFER_ZEROES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Where destinations got zeroes and where data, roughly: for pictures.  The
 * disk is cut into parts, so that it takes the same room for any disk.
 */

#define ZEROES_PARTS 1024

/* Born 0. */
struct zeroes {
	uint64_t size;			/* bytes; 0: not known yet */
	uint64_t part_size;
	_Atomic uint64_t data[ZEROES_PARTS];	/* bytes, of all destinations */
	_Atomic uint64_t zero[ZEROES_PARTS];
};

/* Before the others: how long the longest destination is. */
void zeroes_begin(struct zeroes *z, uint64_t size);

/* Any thread, from here on.  It was written. */
void zeroes_note(struct zeroes *z, uint64_t offset, uint64_t length,
    bool is_data);

/*
 * Is what lies from offset on zeroes, for the most part?  *len, at least 1,
 * becomes less where that is not said of all of it.
 */
bool zeroes_look(const struct zeroes *z, uint64_t offset, uint64_t *len,
    unsigned n_destinations);

#endif
