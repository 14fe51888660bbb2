/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Is a disk that was lost, and is connected again, the one that it was?  A
 * server that was started anew may have nothing of what was written to the
 * last one, or serve something else.
 *
 * A disk that is written has to have all that is looked at, since all of that
 * was flushed.  One that is read may have changed meanwhile; but if nothing of
 * it is as it was, it is another one.  Of a command that was started again,
 * and was written to, something has to be seen.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/lane-private.h"

struct look {
	struct recognition *of;
	struct nbd_request nbd;
	struct iovec iov;
	struct mark mark;
};

struct recognition {
	struct recognition *older;	/* kept, as a server may still answer
					   what it was asked */
	struct look looks[MAX_MARKS];
	unsigned n_pending;
	unsigned n_same;
	unsigned n_other;
	uint64_t first_other;
	bool is_lost;			/* the disk, once more */
};

static unsigned
index_of(const struct lane_disk *d)
{
	return d->side == COPY_SOURCE ? 0 : 1 + d->target;
}

bool
recognize_is_written(const struct lane_disk *d)
{
	return d->side == COPY_DESTINATION &&
	    d->lane->plan->mode != COPY_MODE_VERIFY;
}

/* Is there anything there that was not to be done again? */
static bool
is_relied_on(const struct lane_disk *d)
{
	const struct copy_target_books *b =
	    &d->lane->ledger->targets[d->target];

	return copy_ledger_get(&b->durable_bytes) > 0 ||
	    copy_ledger_get(&b->equal_bytes) > 0 ||
	    d->lane->plan->targets[d->target].done_bytes > 0;
}

/* 0, or why it is not the same disk. */
static int
judge(const struct lane_disk *d, unsigned n_same, unsigned n_other,
    uint64_t first_other, struct error *e)
{
	if (!recognize_is_written(d))
		return n_same > 0 || n_other == 0 ? 0 :
		    error_set(e, -ESTALE, "came back as another disk: what "
			"was read from it is in none of %u places", n_other);
	if (n_other > 0)
		return error_set(e, -ESTALE, "came back as another disk: what "
		    "was written to it and flushed is not there, at offset %"
		    PRIu64, first_other);
	if (n_same == 0 && endpoint_n_starts(d->endpoint) > 1 &&
	    is_relied_on(d))
		return error_set(e, -ESTALE, "was started again, and nothing "
		    "shows that it has what was written to it before");
	return 0;
}

static void
conclude(struct lane_disk *d)
{
	const struct recognition *r = d->recognition;
	struct error e = { .code = 0 };

	/* It may have been lost again, or not be needed any more. */
	if (r->is_lost || !d->is_away || d->lane->command != LANE_COPY)
		return;
	(void)judge(d, r->n_same, r->n_other, r->first_other, &e);
	reconnect_recognized(d, &e);
}

/* A whole block is asked for. */
static void
compare(struct recognition *r, const struct look *look)
{
	const unsigned char *bytes = look->iov.iov_base;

	if (memcmp(bytes + (look->mark.offset - look->nbd.offset),
		look->mark.bytes, look->mark.n) == 0)
		r->n_same++;
	else if (r->n_other++ == 0)
		r->first_other = look->mark.offset;
}

void
recognize_request_done(struct lane_disk *d, struct nbd_request *nbd)
{
	const struct look *look = nbd->owner;
	struct recognition *r = look->of;

	if (nbd->error == 0)
		compare(r, look);
	else if (nbd->error == -ENOTCONN)
		r->is_lost = true;
	/* What cannot be read tells nothing. */
	if (--r->n_pending == 0)
		conclude(d);
}

/* -ENOMEM, or it could not be sent. */
static int
send_look(struct lane_disk *d, struct look *look, const struct mark *mark)
{
	uint32_t block = d->shape.block_minimum;
	uint64_t offset = mark->offset - mark->offset % block;
	uint64_t length = d->shape.size - offset < block ?
	    d->shape.size - offset : block;

	look->of = d->recognition;
	look->mark = *mark;
	if (mark->offset + mark->n > offset + length)
		look->mark.n = (uint32_t)(offset + length - mark->offset);
	look->iov.iov_base = malloc(length);
	if (look->iov.iov_base == NULL)
		return -ENOMEM;
	look->iov.iov_len = length;
	flow_describe(&look->nbd, COPY_READ);
	look->nbd.owner = look;
	look->nbd.offset = offset;
	look->nbd.length = length;
	look->nbd.iov = &look->iov;
	look->nbd.n_iov = 1;
	return disk_submit(d->disk, &look->nbd);
}

int
recognize_begin(struct lane_disk *d)
{
	struct recognition *r = calloc(1, sizeof *r);
	struct mark marks[MAX_MARKS];
	size_t n;

	if (r == NULL)
		return -ENOMEM;
	r->older = d->recognition;
	d->recognition = r;
	n = marks_get(d->lane->setup.marks, index_of(d), marks);
	for (size_t i = 0; i < n; i++)
		if (send_look(d, &r->looks[i], &marks[i]) == 0)
			r->n_pending++;
	if (r->n_pending == 0)
		conclude(d);
	return 0;
}

bool
recognize_is_under_way(const struct lane_disk *d)
{
	return d->recognition != NULL && d->recognition->n_pending > 0;
}

/* All connections are closed. */
void
recognize_done(struct lane_disk *d)
{
	struct recognition *r;

	while ((r = d->recognition) != NULL) {
		d->recognition = r->older;
		for (size_t i = 0; i < MAX_MARKS; i++)
			free(r->looks[i].iov.iov_base);
		free(r);
	}
}

/* What is to be known again. */

/* The n-th, where n is a power of two: some early, and some late ones. */
void
recognize_note_read(struct lane_disk *d, uint64_t offset,
    const struct iovec *bytes)
{
	uint64_t n = ++d->n_reads;
	struct mark mark;

	if ((n & (n - 1)) != 0)
		return;
	mark_take(&mark, offset, bytes->iov_base, bytes->iov_len);
	marks_add(d->lane->setup.marks, index_of(d), &mark);
}

void
recognize_note_written(struct lane_disk *d, const struct mark *mark)
{
	if (mark->n > 0)
		d->written = *mark;
}

void
recognize_note_flush(struct lane_disk *d)
{
	d->flushing = d->written;
	d->written.n = 0;
}

void
recognize_note_flushed(struct lane_disk *d, bool is_durable)
{
	if (is_durable)
		marks_add(d->lane->setup.marks, index_of(d), &d->flushing);
	d->flushing.n = 0;
}

/* What was not flushed is done again. */
void
recognize_note_lost(struct lane_disk *d)
{
	d->written.n = d->flushing.n = 0;
}
