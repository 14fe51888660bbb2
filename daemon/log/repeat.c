/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log/repeat.h"

#include <string.h>

#include <xxhash.h>

bool
repeat_pass(struct repeat *repeat, const struct log_record *record,
    unsigned *ret_n_held)
{
	/* Of all of it: two texts may have a long beginning in common. */
	uint64_t text = XXH3_64bits(record->text, strlen(record->text));
	size_t oldest = 0;
	size_t i;

	*ret_n_held = 0;
	if (record->level > LOG_LEVEL_WARNING)
		return true;
	for (i = 0; i < REPEAT_TEXTS; i++) {
		if (repeat->v[i].text == text)
			break;
		if (repeat->v[i].passed_at_ms <
		    repeat->v[oldest].passed_at_ms)
			oldest = i;
	}
	if (i == REPEAT_TEXTS) {
		i = oldest;
		repeat->v[i].text = text;
		repeat->v[i].n_held = 0;
	} else if (record->at_ms >= repeat->v[i].passed_at_ms &&
	    record->at_ms - repeat->v[i].passed_at_ms < REPEAT_MS) {
		repeat->v[i].n_held++;
		return false;
	}
	*ret_n_held = repeat->v[i].n_held;
	repeat->v[i].n_held = 0;
	repeat->v[i].passed_at_ms = record->at_ms;
	return true;
}
