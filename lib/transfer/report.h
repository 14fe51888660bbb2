/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_REPORT_H
#define TRANSFER_REPORT_H

#include <jansson.h>

#include "store/checkpoint.h"
#include "transfer/run.h"

/*
 * Progress and results as JSON, the same for `nbdsync copy --json` and for
 * the control API.  Units are in the names; times are RFC 3339 in UTC.
 * New references, the caller's; NULL: out of memory.
 */
json_t *report_progress(const struct run_progress *p);
json_t *report_result(const struct run_result *r);
/*
 * The digests of blocks as "block_digests", if there are any, and not more
 * than are worth listing.  o NULL is no memory, too.  Not 0: out of memory.
 */
int report_add_block_digests(json_t *o, const struct run_result *r);
#define REPORT_MAX_BLOCKS 65536		/* of 4 TiB */
#define REPORT_MAX_PIECES 4096
/*
 * The other way: what a report has of them, and which destinations it says
 * have failed.  The caller's, for run_line_free().  -ENODATA, with a sentence:
 * it has none; -EBADMSG: it is none of ours; -ENOMEM.
 */
int report_read_line(const json_t *o, struct run_line **ret_line,
    struct error *e);
/* The result with them. */
json_t *report_result_in_full(const struct run_result *r);
/* Long lists are cut at 1000. */
json_t *report_checkpoint(const struct store_checkpoint *checkpoint);

/*
 * Objects and arrays on one line, keys in their order.  The caller's, for
 * free(); NULL: out of memory, or o is NULL.
 */
char *report_text(const json_t *o);
/*
 * Another member of an object that is of no use without it.  value is stolen;
 * if it is NULL, or there is no memory, *o is released, and NULL from then on.
 */
void report_put(json_t **o, const char *key, json_t *value);
void report_put_number(json_t **o, const char *key, uint64_t value);

/* "2026-11-23T02:13:05.120Z" of milliseconds since the epoch. */
json_t *report_time(int64_t at_ms);
json_t *report_now(void);

#endif
