/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

/*
 * How long to wait before the next try, after n_tries in vain: twice as long
 * each time, up to a longest, and between half of that and half as much again,
 * as chance has it: so that all who have lost a server do not come back to it
 * at once.  random is any number.
 */
static inline uint64_t
backoff_ms(uint32_t min_ms, uint32_t max_ms, unsigned n_tries, uint32_t random)
{
	uint64_t delay = min_ms;

	while (n_tries-- > 0 && delay < max_ms)
		delay *= 2;
	if (delay > max_ms)
		delay = max_ms;
	return delay / 2 + random % delay;
}

#endif
