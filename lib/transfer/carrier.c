/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/carrier.h"

#include <stdlib.h>
#include <string.h>

void
carriers_init(struct carriers *cs, uint64_t n_usual)
{
	memset(cs, 0, sizeof *cs);
	cs->n_usual = n_usual;
	cs->factor = 1;
}

void
carriers_count(struct carriers *cs, struct budget_share *share,
    uint64_t granted, bool with_pipes)
{
	cs->share = share;
	cs->base = granted;
	cs->granted = granted;
	cs->factor = with_pipes ? 2 : 1;
}

static void
drop_pipe(struct carrier *c)
{
	if (c->pipe_size > 0)
		net_pipe_close(&c->pipe);
	c->pipe_size = 0;
}

static void
drop_carrier(struct carriers *cs, struct carrier *c)
{
	cs->n--;
	cs->counted -= c->room * cs->factor;
	drop_pipe(c);
	free(c->buffer);
	free(c);
}

static void
drop_free(struct carriers *cs)
{
	struct carrier *c;

	while ((c = cs->free) != NULL) {
		cs->free = c->next;
		drop_carrier(cs, c);
	}
}

/* Keep what is in use, and what was ours from the beginning. */
static void
give_back_excess(struct carriers *cs)
{
	uint64_t excess;

	if (cs->share == NULL)
		return;
	excess = cs->granted - (cs->counted > cs->base ? cs->counted :
							 cs->base);
	budget_give_back(cs->share, excess);
	cs->granted -= excess;
}

void
carriers_done(struct carriers *cs)
{
	drop_free(cs);
	give_back_excess(cs);
}

/* Count so many bytes more, if the budget has them. */
static bool
grow(struct carriers *cs, uint64_t more, bool must)
{
	uint64_t lacking;

	cs->counted += more;
	if (cs->share == NULL || cs->counted <= cs->granted)
		return true;
	lacking = cs->counted - cs->granted;
	if (must) {
		budget_force(cs->share, lacking);
	} else if (!budget_take(cs->share, lacking)) {
		cs->counted -= more;
		return false;
	}
	cs->granted += lacking;
	return true;
}

/* Make it one for len bytes; false: the budget has none. */
static bool
widen(struct carriers *cs, struct carrier *c, size_t len, bool must)
{
	if (len <= c->room)
		return true;
	if (!grow(cs, (len - c->room) * cs->factor, must))
		return false;
	c->room = len;
	return true;
}

static struct carrier *
make_carrier(struct carriers *cs)
{
	struct carrier *c = calloc(1, sizeof *c);

	if (c != NULL)
		cs->n++;
	return c;
}

/*
 * One that is free, or a new one, wide enough.  Where there is not enough for
 * that, what is free is given up first.
 */
static struct carrier *
get_carrier(struct carriers *cs, size_t len, bool must)
{
	struct carrier *c = cs->free;

	if (c != NULL)
		cs->free = c->next;
	else
		c = make_carrier(cs);
	if (c == NULL || widen(cs, c, len, false))
		return c;
	drop_free(cs);
	if (widen(cs, c, len, must))
		return c;
	drop_carrier(cs, c);
	return NULL;
}

struct carrier *
carriers_take(struct carriers *cs, size_t len, enum carriers_need need)
{
	/*
	 * None of the others may ever leave, where the pieces of several
	 * reads come mixed: then there have to be more.
	 */
	bool may_wait = need != CARRIERS_URGENT && cs->n_coming_back > 0;
	struct carrier *c;

	if (cs->free == NULL && cs->n >= cs->n_usual && cs->n_leaving > 0 &&
	    need != CARRIERS_URGENT)
		return NULL;
	c = get_carrier(cs, len, !may_wait);
	if (c != NULL && need == CARRIERS_CERTAIN) {
		c->is_certain = true;
		cs->n_coming_back++;
	}
	return c;
}

/* Last given back, first taken: its memory is hot. */
void
carriers_give_back(struct carriers *cs, struct carrier *c)
{
	if (c->is_leaving || c->is_certain)
		cs->n_coming_back--;
	if (c->is_leaving)
		cs->n_leaving--;
	c->is_leaving = false;
	c->is_certain = false;
	/* A read that failed may have left something behind. */
	if (c->pipe_size > 0 && c->pipe.n_bytes > 0)
		drop_pipe(c);
	c->next = cs->free;
	cs->free = c;
	if (cs->share != NULL && cs->granted > cs->base &&
	    budget_is_wanted(cs->share))
		carriers_done(cs);
}

void
carriers_leave(struct carriers *cs, struct carrier *c)
{
	if (c->is_leaving)
		return;
	c->is_leaving = true;
	cs->n_leaving++;
	if (!c->is_certain)
		cs->n_coming_back++;
}

unsigned char *
carrier_buffer(struct carrier *c, size_t len)
{
	if (c->size >= len)
		return c->buffer;
	free(c->buffer);
	/* Zeroed: no byte of our heap can ever reach a destination. */
	c->buffer = calloc(1, len);
	c->size = c->buffer != NULL ? len : 0;
	return c->buffer;
}

bool
carrier_pipe(struct carriers *cs, struct carrier *c, size_t len)
{
	if (c->pipe_size >= len)
		return true;
	if (cs->has_no_pipes)
		return false;
	drop_pipe(c);
	if (net_pipe_open(&c->pipe, len) < 0) {
		cs->has_no_pipes = true;
		return false;
	}
	c->pipe_size = len;
	return true;
}
