/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_DIRTY_H
#define CLI_DIRTY_H

#include <stddef.h>
#include <stdint.h>

#include "cli/commands.h"
#include "endpoint/spec.h"
#include "transfer/run.h"

/* As many ranges at most; with more changes they get coarser. */
#define DIRTY_MAX_RANGES 65536

struct dirty {
	struct run_range *v;		/* in order, apart, whole blocks */
	size_t n;
	uint64_t size;			/* of the disk */

	/* Ours; zero at first. */
	size_t max;			/* 0: DIRTY_MAX_RANGES */
	uint64_t gap;			/* what lies less far apart is one */
	int error;
};

/*
 * What a dirty bitmap of QEMU says has changed on the source, as ranges to be
 * copied.  Returns CLI_OK, or what the command is to exit with: all is told
 * then.  No ranges: nothing has changed.  d->v is the caller's, in any case.
 */
int dirty_find(const struct command *command,
    const struct endpoint_spec *source, const char *bitmap,
    uint64_t timeout_ms, struct dirty *d);

/* An extent of the bitmap; arg is a struct dirty.  For dirty_find(). */
void dirty_add(void *arg, const char *context, uint64_t offset,
    uint64_t length, uint64_t flags);

#endif
