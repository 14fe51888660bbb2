/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_LINE_H
#define COPY_LINE_H

#include "copy/plan.h"

/* No piece of the line begins nearer to the end of all numbers than this. */
#define COPY_MAX_ALIGN 65536U

/*
 * Lay out the pieces of a plan that has its targets, align and sector, the
 * gaps between them, and what each destination gets in all.  *ret_target: of
 * an error, the destination that it is about, or their number.  -ENOMEM,
 * -ERANGE, -EINVAL, -ENOSPC; then copy_plan_done() is the caller's.
 */
int copy_line_lay_out(struct copy_plan *plan, const struct disk_shape *source,
    const struct disk_shape *const destinations[],
    const struct copy_wish *wish, unsigned *ret_target, struct error *e);

#endif
