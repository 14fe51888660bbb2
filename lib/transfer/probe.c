/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before anything is written: do destinations that are said to read as zeroes
 * everywhere do so where we look?  Nothing but reads is sent.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy/sample.h"
#include "transfer/lane-private.h"

struct probe_request {
	struct nbd_request nbd;
	struct iovec iov;
	unsigned char *buffer;
};

struct probe {
	struct probe_request requests[LANE_MAX_DISKS][COPY_MAX_SAMPLES];
};

/* The first byte that is not zero; length: there is none. */
static uint32_t
find_byte(const unsigned char *p, uint32_t length)
{
	uint32_t i;

	for (i = 0; i < length; i++)
		if (p[i] != 0)
			break;
	return i;
}

static void
judge(struct lane_disk *d, const struct nbd_request *nbd)
{
	const struct probe_request *req = nbd->owner;
	char text[ERROR_TEXT_SIZE];
	uint32_t at;

	/* What cannot be read at all holds nothing: null:. */
	if (nbd->error == -EOPNOTSUPP || d->n_failures > 0)
		return;
	if (nbd->error < 0) {
		(void)snprintf(text, sizeof text, "cannot be read, to see "
		    "whether it is zero: %s", strerror(-nbd->error));
		if (nbd->error == -ENOTCONN)
			lane_note_lost(d, nbd->error, text);
		else
			lane_note_failure(d, nbd->error, text);
		return;
	}
	at = find_byte(req->buffer, (uint32_t)nbd->length);
	if (at == nbd->length)
		return;
	(void)snprintf(text, sizeof text, "is said to be zero, and is not: "
	    "byte %" PRIu64 " is 0x%02x; nothing was written (sampled with "
	    "seed %" PRIu64 ")", nbd->offset + at, req->buffer[at],
	    d->lane->probe_seed);
	lane_note_failure(d, -EINVAL, text);
}

static void
ended(struct lane *lane)
{
	if (--lane->n_probing == 0 && lane->command == LANE_PROBE)
		lane_answer(lane);
}

void
probe_request_done(struct lane_disk *d, struct nbd_request *nbd)
{
	/* After the lane's answer the run reads what has failed. */
	if (d->lane->command == LANE_PROBE)
		judge(d, nbd);
	ended(d->lane);
}

/* -ENOMEM.  Other failures are noted, as those of the request. */
static int
look(struct lane_disk *d, const struct copy_sample *sample,
    struct probe_request *req)
{
	int r;

	req->buffer = calloc(1, sample->length);
	if (req->buffer == NULL)
		return -ENOMEM;
	req->iov = (struct iovec){ req->buffer, sample->length };
	flow_describe(&req->nbd, COPY_READ);
	req->nbd.owner = req;
	req->nbd.offset = sample->offset;
	req->nbd.length = sample->length;
	req->nbd.iov = &req->iov;
	req->nbd.n_iov = 1;
	d->lane->n_probing++;
	r = d->lost.code == 0 ? disk_submit(d->disk, &req->nbd) : -ENOTCONN;
	if (r < 0) {
		req->nbd.error = r;
		probe_request_done(d, &req->nbd);
	}
	return 0;
}

static int
probe_disk(struct lane *lane, unsigned target)
{
	struct copy_sample samples[COPY_MAX_SAMPLES];
	size_t n = copy_samples(lane->plan, target, lane->probe_seed, samples);
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++)
		r = look(&lane->disks[1 + target], &samples[i],
		    &lane->probe->requests[target][i]);
	return r;
}

void
probe_begin(struct lane *lane)
{
	unsigned i;

	/* One for this function, so that the end comes once, and last. */
	lane->n_probing = 1;
	lane->probe = calloc(1, sizeof *lane->probe);
	if (lane->probe == NULL)
		lane_note_failure(&lane->disks[0], -ENOMEM, "out of memory");
	for (i = 0; lane->probe != NULL && i + 1 < lane->n_disks; i++)
		if (copy_ledger_is_live(lane->ledger, i) &&
		    probe_disk(lane, i) < 0)
			lane_note_failure(&lane->disks[0], -ENOMEM,
			    "out of memory");
	ended(lane);
}

/* The connections are closed: nothing is read into the buffers any more. */
void
probe_done(struct lane *lane)
{
	unsigned i;
	unsigned k;

	for (i = 0; lane->probe != NULL && i < LANE_MAX_DISKS; i++)
		for (k = 0; k < COPY_MAX_SAMPLES; k++)
			free(lane->probe->requests[i][k].buffer);
	free(lane->probe);
	lane->probe = NULL;
}
