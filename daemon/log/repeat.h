/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOG_REPEAT_H
#define LOG_REPEAT_H

#include <stdbool.h>

#include "base/log.h"

/*
 * Errors and warnings that come again and again: each text passes once a
 * second, and says how often it was held back before.
 */

#define REPEAT_MS    1000
#define REPEAT_TEXTS 32

struct repeat {
	struct {
		uint64_t text;		/* its hash */
		int64_t passed_at_ms;
		unsigned n_held;
	} v[REPEAT_TEXTS];
};

/* false: hold it back.  Else *ret_n_held were before it. */
bool repeat_pass(struct repeat *repeat, const struct log_record *record,
    unsigned *ret_n_held);

#endif
