/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync copy --dirty: what has changed, as ranges.
 *
 * QEMU tells it as a metadata context, over a connection of its own, before
 * the copy.  All of the disk has to be told, or nothing is copied: what is
 * not known to be clean would be missing.
 *
 * A range is whole blocks of 64 KiB, the largest that a server may insist on,
 * so that no server has to leave out an end of it.
 */
#include "cli/dirty.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "client/nbdclient.h"

#define CONTEXT	 "qemu:dirty-bitmap:"
#define MAX_NAME 1023			/* of a bitmap, in QEMU */
#define BLOCK	 UINT64_C(65536)

/* Ranges that are less far apart than before become one. */
static void
coarsen(struct dirty *d)
{
	size_t n = 0;

	d->gap = d->gap == 0 ? BLOCK : 2 * d->gap;
	for (size_t i = 1; i < d->n; i++) {
		struct run_range *last = &d->v[n];
		uint64_t end = d->v[i].from + d->v[i].length;

		if (d->v[i].from - (last->from + last->length) <= d->gap)
			last->length = end - last->from;
		else
			d->v[++n] = d->v[i];
	}
	d->n = n + 1;
}

static void
append(struct dirty *d, uint64_t from, uint64_t end)
{
	struct run_range *v;

	while (d->n >= d->max)
		coarsen(d);
	v = reallocarray(d->v, d->n + 1, sizeof *v);
	if (v == NULL) {
		d->error = -ENOMEM;
		return;
	}
	d->v = v;
	d->v[d->n++] = (struct run_range){ from, end - from, from };
}

void
dirty_add(void *arg, const char *context UNUSED, uint64_t offset,
    uint64_t length, uint64_t flags)
{
	struct dirty *d = arg;
	uint64_t from = offset / BLOCK * BLOCK;
	uint64_t end = offset + length;
	struct run_range *last = d->n > 0 ? &d->v[d->n - 1] : NULL;

	if (flags == 0 || length == 0 || d->error < 0)
		return;
	if (d->max == 0)
		d->max = DIRTY_MAX_RANGES;
	/* A disk ends anywhere, and below 2^63. */
	end = (end + BLOCK - 1) / BLOCK * BLOCK;
	if (end > d->size)
		end = d->size;
	if (last != NULL && from <= last->from + last->length + d->gap)
		last->length = end - last->from;
	else
		append(d, from, end);
}

static int
fail(const struct command *command, const struct nbdclient_error *err)
{
	message(command, "the source: %s", err->text);
	return CLI_RUN_FAILED;
}

static int
ask(const struct command *command, struct nbdclient_disk *disk,
    const char *context, struct dirty *d)
{
	struct nbdclient_info info;
	struct nbdclient_error err;
	char name[4 * MAX_NAME];

	nbdclient_get_info(disk, &info);
	if (info.contexts[0] == NULL) {
		message(command, "the source has no dirty bitmap '%s' for "
		    "this export", escape_text(context + strlen(CONTEXT),
		    strlen(context + strlen(CONTEXT)), name, sizeof name));
		return CLI_RUN_FAILED;
	}
	d->size = info.size;
	if (info.n_sectors > 0 &&
	    nbdclient_block_status(disk, 0, info.n_sectors, context,
	    dirty_add, d, &err) < 0)
		return fail(command, &err);
	if (d->error < 0) {
		message(command, "out of memory");
		return CLI_RUN_FAILED;
	}
	return CLI_OK;
}

static int
connect_to(const struct endpoint_spec *source,
    const struct nbdclient_options *options, struct nbdclient_channel **ret,
    struct nbdclient_error *err)
{
	if (source->type == ENDPOINT_NBD)
		return nbdclient_connect(source->uri, options, ret, err);
	return nbdclient_connect_command(
	    (const char *const *)source->argv, options, ret, err);
}

int
dirty_find(const struct command *command, const struct endpoint_spec *source,
    const char *bitmap, uint64_t timeout_ms, struct dirty *d)
{
	char context[sizeof CONTEXT + MAX_NAME];
	const char *const contexts[] = { context };
	const struct nbdclient_options options = {
		.connect_timeout_ms = timeout_ms,
		.contexts = contexts,
		.n_contexts = 1,
	};
	struct nbdclient_channel *channel = NULL;
	struct nbdclient_disk *disk = NULL;
	struct nbdclient_error err;
	int exit_code;

	if (bitmap[0] == '\0' || strlen(bitmap) > MAX_NAME)
		return message_usage(command, "--dirty: a bitmap has a name "
		    "of up to %d bytes", MAX_NAME);
	if (source->type != ENDPOINT_NBD && source->type != ENDPOINT_COMMAND)
		return message_usage(command, "--dirty: only a server has "
		    "dirty bitmaps, such as qemu-nbd");
	(void)snprintf(context, sizeof context, CONTEXT "%s", bitmap);
	if (connect_to(source, &options, &channel, &err) < 0 ||
	    nbdclient_negotiate(channel, NULL, &disk, &err) < 0)
		exit_code = fail(command, &err);
	else
		exit_code = ask(command, disk, context, d);
	if (disk != NULL)
		nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	return exit_code;
}
