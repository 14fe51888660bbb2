/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/epoch.h"

#include <string.h>

void
copy_epoch_init(struct copy_epoch *e)
{
	memset(e, 0, sizeof *e);
}

void
copy_epoch_done(struct copy_epoch *e)
{
	int i;

	for (i = 0; i < COPY_SOURCE_KINDS; i++) {
		ranges_done(&e->open[i]);
		ranges_done(&e->closing[i]);
	}
	ranges_done(&e->durable);
}

int
copy_epoch_add(struct copy_epoch *e, uint64_t to, uint64_t length,
    enum copy_kind kind)
{
	int r = ranges_add(&e->open[kind], to, length);

	if (r == 0)
		e->open_bytes += length;
	return r;
}

/* What is closing is empty: one flush at a time. */
void
copy_epoch_flush(struct copy_epoch *e)
{
	struct ranges empty;
	int i;

	for (i = 0; i < COPY_SOURCE_KINDS; i++) {
		empty = e->closing[i];
		e->closing[i] = e->open[i];
		e->open[i] = empty;
	}
	e->open_bytes = 0;
	e->is_due = false;
	e->is_flushing = true;
}

int
copy_epoch_flushed(struct copy_epoch *e, uint64_t *ret_bytes)
{
	int i;
	int r = 0;

	*ret_bytes = 0;
	e->is_flushing = false;
	e->is_fenced = false;
	for (i = 0; i < COPY_SOURCE_KINDS && r == 0; i++) {
		r = ranges_add_all(&e->durable, &e->closing[i]);
		*ret_bytes += ranges_total(&e->closing[i]);
		ranges_clear(&e->closing[i]);
	}
	return r;
}

static void
lose(struct ranges *set, enum copy_kind kind,
    void (*again)(void *arg, uint64_t to, uint64_t length,
	enum copy_kind kind),
    void *arg)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		again(arg, set->v[i].offset, set->v[i].len, kind);
	ranges_clear(set);
}

void
copy_epoch_lose(struct copy_epoch *e,
    void (*again)(void *arg, uint64_t to, uint64_t length,
	enum copy_kind kind),
    void *arg)
{
	int i;

	for (i = 0; i < COPY_SOURCE_KINDS; i++) {
		lose(&e->closing[i], (enum copy_kind)i, again, arg);
		lose(&e->open[i], (enum copy_kind)i, again, arg);
	}
	e->open_bytes = 0;
	e->is_flushing = false;
	e->is_due = false;
}

void
copy_epoch_forget(struct copy_epoch *e)
{
	int i;

	for (i = 0; i < COPY_SOURCE_KINDS; i++) {
		ranges_clear(&e->closing[i]);
		ranges_clear(&e->open[i]);
	}
	e->open_bytes = 0;
	e->is_flushing = false;
}

bool
copy_epoch_is_clean(const struct copy_epoch *e)
{
	int i;

	for (i = 0; i < COPY_SOURCE_KINDS; i++)
		if (e->open[i].n > 0 || e->closing[i].n > 0)
			return false;
	return true;
}
