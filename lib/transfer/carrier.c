/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/carrier.h"

#include <stdlib.h>
#include <string.h>

void
carriers_init(struct carriers *cs, unsigned n_usual)
{
	memset(cs, 0, sizeof *cs);
	cs->n_usual = n_usual;
}

static void
drop_pipe(struct carrier *c)
{
	if (c->pipe_size > 0)
		net_pipe_close(&c->pipe);
	c->pipe_size = 0;
}

void
carriers_done(struct carriers *cs)
{
	struct carrier *c;

	while ((c = cs->free) != NULL) {
		cs->free = c->next;
		drop_pipe(c);
		free(c->buffer);
		free(c);
	}
}

struct carrier *
carriers_take(struct carriers *cs, bool is_urgent)
{
	struct carrier *c = cs->free;

	if (c != NULL) {
		cs->free = c->next;
		return c;
	}
	/*
	 * None of the others may ever leave, where the pieces of several
	 * reads come mixed: then there have to be more.
	 */
	if (cs->n >= cs->n_usual && cs->n_leaving > 0 && !is_urgent)
		return NULL;
	c = calloc(1, sizeof *c);
	if (c != NULL)
		cs->n++;
	return c;
}

/* Last given back, first taken: its memory is hot. */
void
carriers_give_back(struct carriers *cs, struct carrier *c)
{
	if (c->is_leaving)
		cs->n_leaving--;
	c->is_leaving = false;
	/* A read that failed may have left something behind. */
	if (c->pipe_size > 0 && c->pipe.n_bytes > 0)
		drop_pipe(c);
	c->next = cs->free;
	cs->free = c;
}

void
carriers_leave(struct carriers *cs, struct carrier *c)
{
	if (c->is_leaving)
		return;
	c->is_leaving = true;
	cs->n_leaving++;
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
