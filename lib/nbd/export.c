/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a server says of its export, checked ("Size constraints",
 * "Transmission flags"), so that whoever reads it may calculate with it.
 */

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "nbd/session-private.h"

#define DEFAULT_PREFERRED 4096U
#define LEAST_PREFERRED	  512U
#define MAX_MINIMUM	  65536U

static bool
is_power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static void
drop_text(char **text)
{
	free(*text);
	*text = NULL;
}

/* Structured replies, headers and contexts are the connection's and stay. */
void
nbd_export_reset(struct nbd_session *s)
{
	struct nbd_export *export = &s->export;

	s->got_export_info = false;
	drop_text(&s->canonical_name);
	drop_text(&s->description);
	export->canonical_name = NULL;
	export->description = NULL;
	export->size = 0;
	export->flags = 0;
	export->block_size_told = false;
	export->block_minimum = 1;
	export->block_preferred = DEFAULT_PREFERRED;
	export->block_maximum = NBD_DEFAULT_MAX_PAYLOAD;
}

/* Some servers advertise what they may not, or leave NBD_FLAG_HAS_FLAGS out. */
static uint16_t
usable_flags(uint16_t flags, bool structured)
{
	uint16_t unusable = 0;

	if ((flags & NBD_FLAG_HAS_FLAGS) == 0)
		return flags & NBD_FLAG_READ_ONLY;
	if (flags & NBD_FLAG_READ_ONLY)
		unusable |= NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES |
		    NBD_FLAG_SEND_FAST_ZERO;
	if ((flags & NBD_FLAG_SEND_WRITE_ZEROES) == 0)
		unusable |= NBD_FLAG_SEND_FAST_ZERO;
	if (!structured)
		unusable |= NBD_FLAG_SEND_DF;
	return flags & (uint16_t)~unusable;
}

void
nbd_export_set(struct nbd_session *s, uint64_t size, uint16_t flags)
{
	if (size > NBD_MAX_EXPORT_SIZE) {
		nbd_session_violation(s,
		    "an export of %" PRIu64 " bytes, more than any disk can "
		    "have",
		    size);
		return;
	}
	s->export.size = size;
	s->export.flags = usable_flags(flags, s->export.structured);
}

/*
 * A minimum or maximum that makes no sense cannot be obeyed; a maximum of a
 * few bytes would cost more memory for the pieces than there are data.  The
 * preferred size is only a wish: ours stands in for one that breaks the rules.
 */
void
nbd_export_set_block_size(struct nbd_session *s, uint32_t minimum,
    uint32_t preferred, uint32_t maximum)
{
	struct nbd_export *export = &s->export;

	if (!is_power_of_two(minimum) || minimum > MAX_MINIMUM ||
	    maximum < minimum || maximum < LEAST_PREFERRED) {
		nbd_session_violation(s,
		    "block sizes of %" PRIu32 " bytes at least and %" PRIu32
		    " at most",
		    minimum, maximum);
		return;
	}
	if (!is_power_of_two(preferred) || preferred < LEAST_PREFERRED ||
	    preferred < minimum)
		preferred = minimum > DEFAULT_PREFERRED ? minimum :
							  DEFAULT_PREFERRED;
	export->block_size_told = true;
	export->block_minimum = minimum;
	export->block_preferred = preferred;
	export->block_maximum = maximum;
}

/* At worst each byte becomes four, "\xNN". */
void
nbd_export_set_text(struct nbd_session *s, char **text, const char **shown,
    const void *p, size_t len)
{
	size_t size = 4 * len + 8;

	drop_text(text);
	*text = malloc(size);
	if (*text == NULL) {
		*shown = NULL;
		nbd_session_no_memory(s);
		return;
	}
	*shown = escape_text(p, len, *text, size);
}

void
nbd_export_ready(struct nbd_session *s)
{
	for (uint32_t i = 0; i < s->n_contexts; i++)
		s->context_names[i] =
		    s->contexts[i].selected ? s->contexts[i].name : NULL;
	s->export.name = s->export_name;
	s->export.contexts = s->context_names;
	s->export.n_contexts = s->n_contexts;
	nbd_session_enter(s,
	    s->goal == NBD_GOAL_INFO ? SESSION_LISTED : SESSION_REPLY);
}
