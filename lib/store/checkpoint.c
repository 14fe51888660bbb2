/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints as bytes: a version, then the members in order.  Numbers are
 * varints of 7 bits a byte, the low ones first; texts are their length and
 * their bytes; a set of ranges is, for each, the gap since the end of the one
 * before and its length, so that a regular map of a large disk takes a few
 * bytes a range.
 *
 * The reader believes nothing: what it takes is bounded by the bytes that are
 * there before memory is asked for, and whatever it accepts would be written
 * the same way again.
 */
#include "store/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FORMAT	  1

struct writer {
	uint8_t *v;
	size_t n;
	size_t room;
	int error;			/* the first; nothing is added then */
};

struct reader {
	const uint8_t *p;
	size_t left;
	int error;
};

struct store_checkpoint *
store_checkpoint_new(void)
{
	struct store_checkpoint *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	for (unsigned i = 0; i < STORE_MAX_DESTINATIONS; i++)
		ranges_init(&c->destinations[i].durable);
	return c;
}

void
store_checkpoint_free(struct store_checkpoint *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; i < STORE_MAX_DESTINATIONS; i++) {
		free(c->destinations[i].side.identity);
		ranges_done(&c->destinations[i].durable);
	}
	free(c->source.identity);
	free(c->job);
	free(c->mode);
	free(c->settings);
	free(c->ranges);
	free(c);
}

static void
put_bytes(struct writer *w, const void *bytes, size_t len)
{
	if (w->error != 0 || len == 0)
		return;
	if (w->room - w->n < len) {
		size_t room = 2 * w->room + len + 256;
		uint8_t *v = realloc(w->v, room);

		if (v == NULL) {
			w->error = -ENOMEM;
			return;
		}
		w->v = v;
		w->room = room;
	}
	memcpy(w->v + w->n, bytes, len);
	w->n += len;
}

static void
put_number(struct writer *w, uint64_t number)
{
	uint8_t bytes[10];
	size_t n = 0;

	do {
		bytes[n] = number & 0x7f;
		number >>= 7;
		if (number != 0)
			bytes[n] |= 0x80;
		n++;
	} while (number != 0);
	put_bytes(w, bytes, n);
}

static void
put_text(struct writer *w, const char *text, size_t max)
{
	size_t len = text == NULL ? 0 : strnlen(text, max + 1);

	if (len > max && w->error == 0)
		w->error = -EINVAL;
	put_number(w, len);
	put_bytes(w, text, len);
}

/* A count of things of which there may be max. */
static void
put_count(struct writer *w, size_t n, size_t max)
{
	if (n > max && w->error == 0)
		w->error = -EINVAL;
	put_number(w, n);
}

static void
put_side(struct writer *w, const struct store_side *side)
{
	put_number(w, side->size);
	put_number(w, side->min_block);
	put_number(w, side->preferred_block);
	put_number(w, side->max_block);
	put_number(w, side->flags);
	put_number(w, side->is_read_only);
	put_text(w, side->identity, STORE_TEXT_MAX);
}

static void
put_ranges(struct writer *w, const struct ranges *set)
{
	uint64_t end = 0;

	put_number(w, set->n);
	for (size_t i = 0; i < set->n && w->error == 0; i++) {
		const struct range *r = &set->v[i];

		/* Sorted and merged, as ranges_add() leaves them. */
		if (r->len == 0 || r->offset > UINT64_MAX - r->len ||
		    (i == 0 ? false : r->offset <= end)) {
			w->error = -EINVAL;
			return;
		}
		put_number(w, r->offset - end);
		put_number(w, r->len);
		end = r->offset + r->len;
	}
}

static void
put_lists(struct writer *w, const struct store_checkpoint *c)
{
	put_number(w, c->n_ranges);
	for (size_t i = 0; i < c->n_ranges; i++) {
		put_number(w, c->ranges[i].from);
		put_number(w, c->ranges[i].length);
		put_number(w, c->ranges[i].to);
	}
	put_side(w, &c->source);
	put_count(w, c->n_destinations, STORE_MAX_DESTINATIONS);
	for (unsigned i = 0; i < c->n_destinations && w->error == 0; i++) {
		put_side(w, &c->destinations[i].side);
		put_ranges(w, &c->destinations[i].durable);
	}
	put_number(w, 0);			/* not used */
	put_count(w, c->n_recent, STORE_MAX_RECENT);
	for (size_t i = 0; i < c->n_recent && w->error == 0; i++) {
		put_number(w, c->recent[i].offset);
		put_number(w, c->recent[i].len);
	}
}

int
store_checkpoint_encode(const struct store_checkpoint *c, uint8_t **ret_bytes,
    size_t *ret_len)
{
	struct writer w = { 0 };

	put_number(&w, FORMAT);
	put_text(&w, c->job, STORE_TEXT_MAX);
	put_number(&w, 0);		/* not used */
	put_number(&w, c->generation);
	put_text(&w, c->mode, STORE_TEXT_MAX);
	put_text(&w, c->settings, STORE_TEXT_MAX);
	put_number(&w, (uint64_t)c->saved_at_ms);
	put_number(&w, 0);		/* not used */
	put_lists(&w, c);
	if (w.error != 0) {
		free(w.v);
		return w.error;
	}
	*ret_bytes = w.v;
	*ret_len = w.n;
	return 0;
}

static void
refuse(struct reader *r)
{
	if (r->error == 0)
		r->error = -EBADMSG;
	r->left = 0;
}

static uint64_t
get_number(struct reader *r)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (r->left == 0)
			break;
		byte = *r->p++;
		r->left--;
		/* The tenth byte has room for one bit; no padding. */
		if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0))
			break;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return number;
	}
	refuse(r);
	return 0;
}

static uint64_t
get_limited(struct reader *r, uint64_t max)
{
	uint64_t number = get_number(r);

	if (number <= max)
		return number;
	refuse(r);
	return 0;
}

/* How many things of at least min_len bytes each follow. */
static size_t
get_count(struct reader *r, size_t max, size_t min_len)
{
	size_t n = (size_t)get_limited(r, max);

	if (n <= r->left / min_len)
		return n;
	refuse(r);
	return 0;
}

/* A copy of len bytes as a text; no NUL may be in them. */
static size_t
get_text_len(struct reader *r, size_t max)
{
	size_t len = get_count(r, max, 1);

	if (len == 0 || memchr(r->p, '\0', len) == NULL)
		return len;
	refuse(r);
	return 0;
}

static char *
get_text(struct reader *r)
{
	size_t len = get_text_len(r, STORE_TEXT_MAX);
	char *text;

	if (r->error != 0)
		return NULL;
	text = strndup(len == 0 ? "" : (const char *)r->p, len);
	if (text == NULL) {
		r->error = -ENOMEM;
		r->left = 0;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return text;
}

/* n zeroed things, or NULL and the error is set. */
static void *
get_room(struct reader *r, size_t n, size_t size)
{
	void *v;

	if (n == 0)
		return NULL;
	v = calloc(n, size);
	if (v == NULL) {
		r->error = -ENOMEM;
		r->left = 0;
	}
	return v;
}

static void
get_side(struct reader *r, struct store_side *side)
{
	side->size = get_number(r);
	side->min_block = (uint32_t)get_limited(r, UINT32_MAX);
	side->preferred_block = (uint32_t)get_limited(r, UINT32_MAX);
	side->max_block = (uint32_t)get_limited(r, UINT32_MAX);
	side->flags = (uint32_t)get_limited(r, UINT32_MAX);
	side->is_read_only = get_limited(r, 1) == 1;
	side->identity = get_text(r);
}

static void
get_ranges(struct reader *r, struct ranges *set)
{
	size_t n = get_count(r, SIZE_MAX, 2);
	uint64_t end = 0;

	set->v = get_room(r, n, sizeof set->v[0]);
	if (set->v == NULL)
		return;
	set->room = n;
	for (; set->n < n && r->error == 0; set->n++) {
		uint64_t gap = get_number(r);
		uint64_t len = get_number(r);

		if ((gap == 0 && set->n > 0) || len == 0 ||
		    gap > UINT64_MAX - end || len > UINT64_MAX - end - gap) {
			refuse(r);
			return;
		}
		set->v[set->n].offset = end + gap;
		set->v[set->n].len = len;
		end += gap + len;
	}
}

/* What no version has ever written more of than that there is nothing. */
static void
get_nothing(struct reader *r)
{
	(void)get_limited(r, 0);
}

static void
get_extents(struct reader *r, struct store_checkpoint *c)
{
	size_t n = get_count(r, SIZE_MAX, 3);

	c->ranges = get_room(r, n, sizeof c->ranges[0]);
	if (c->ranges == NULL)
		return;
	for (; c->n_ranges < n && r->error == 0; c->n_ranges++) {
		struct store_extent *x = &c->ranges[c->n_ranges];

		x->from = get_number(r);
		x->length = get_number(r);
		x->to = get_number(r);
	}
}

static void
get_lists(struct reader *r, struct store_checkpoint *c)
{
	size_t n;

	get_extents(r, c);
	get_side(r, &c->source);
	n = get_count(r, STORE_MAX_DESTINATIONS, 1);
	for (; c->n_destinations < n && r->error == 0; c->n_destinations++) {
		get_side(r, &c->destinations[c->n_destinations].side);
		get_ranges(r, &c->destinations[c->n_destinations].durable);
	}
	get_nothing(r);
	n = get_count(r, STORE_MAX_RECENT, 2);
	for (; c->n_recent < n && r->error == 0; c->n_recent++) {
		c->recent[c->n_recent].offset = get_number(r);
		c->recent[c->n_recent].len = get_number(r);
	}
}

int
store_checkpoint_decode(const uint8_t *bytes, size_t len,
    struct store_checkpoint **ret_checkpoint)
{
	struct reader r = { .p = bytes, .left = len };
	struct store_checkpoint *c = store_checkpoint_new();

	if (c == NULL)
		return -ENOMEM;
	if (get_number(&r) != FORMAT)
		refuse(&r);
	c->job = get_text(&r);
	get_nothing(&r);
	c->generation = get_number(&r);
	c->mode = get_text(&r);
	c->settings = get_text(&r);
	c->saved_at_ms = (int64_t)get_number(&r);
	get_nothing(&r);
	get_lists(&r, c);
	if (r.left > 0)
		refuse(&r);
	if (r.error != 0) {
		store_checkpoint_free(c);
		return r.error;
	}
	*ret_checkpoint = c;
	return 0;
}
