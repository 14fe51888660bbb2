/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was written twice, as zeroes of many holes and then as data, counts as
 * both, so both are counted: zeroes are where most was zeroed, and most was
 * not written.
 */

#include "transfer/zeroes.h"

/* So that a request is in a few of them. */
#define MIN_PART_SIZE (64U * 1024)

void
zeroes_begin(struct zeroes *z, uint64_t size)
{
	z->size = size;
	z->part_size = size / ZEROES_PARTS + 1;
	if (z->part_size < MIN_PART_SIZE)
		z->part_size = MIN_PART_SIZE;
}

/* How much of [offset, offset+length) is in the part of offset. */
static uint64_t
part_of(const struct zeroes *z, uint64_t offset, uint64_t length)
{
	uint64_t rest = z->part_size - offset % z->part_size;

	return length < rest ? length : rest;
}

void
zeroes_note(struct zeroes *z, uint64_t offset, uint64_t length, bool is_data)
{
	uint64_t n;

	for (; offset < z->size && length > 0; offset += n, length -= n) {
		uint64_t i = offset / z->part_size;

		n = part_of(z, offset, length);
		(void)atomic_fetch_add_explicit(is_data ? &z->data[i] :
		    &z->zero[i], n, memory_order_relaxed);
	}
}

bool
zeroes_look(const struct zeroes *z, uint64_t offset, uint64_t *len,
    unsigned n_destinations)
{
	uint64_t i, begin, half;

	if (offset >= z->size)
		return false;
	i = offset / z->part_size;
	begin = i * z->part_size;
	half = (z->size - begin < z->part_size ? z->size - begin :
	    z->part_size) / 2 * n_destinations;
	*len = part_of(z, offset, *len);
	return atomic_load_explicit(&z->zero[i], memory_order_relaxed) > half &&
	    atomic_load_explicit(&z->data[i], memory_order_relaxed) < half;
}
