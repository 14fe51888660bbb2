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
/* Each list cut at so many entries; "lists_are_cut" says whether one was. */
json_t *report_result_cut(const struct run_result *r, size_t most);
/* With the digests of blocks, if there are not more than is worth listing. */
json_t *report_result_in_full(const struct run_result *r);
#define REPORT_MAX_BLOCKS 65536		/* of 4 TiB */
#define REPORT_MAX_PIECES 4096

/*
 * Into an object: the lists, each cut at so many entries, and what is behind
 * them in full.  o NULL is no memory, too: -ENOMEM.
 */
int report_put_lists(json_t *o, const struct run_result *r, size_t most);
int report_put_block_digests(json_t *o, const struct run_result *r);

/*
 * What both are made of, kept to make them on another thread, when the run is
 * gone.  The caller's, for report_lists_free(); NULL: out of memory.
 */
struct report_lists;
struct report_lists *report_keep_lists(const struct run_result *r);
size_t report_lists_bytes(const struct report_lists *l);
/* As report_text(), with all of it; the digests are put into o. */
char *report_text_with_lists(json_t *o, const struct report_lists *l);
/* NULL: nothing. */
void report_lists_free(struct report_lists *l);

/*
 * The other way: what a report has of them, and which destinations it says
 * have failed.  The caller's, for run_line_free().  -ENODATA, with a sentence:
 * it has none; -EBADMSG: it is none of ours; -ENOMEM.
 */
int report_read_line(const json_t *o, struct run_line **ret_line,
    struct error *e);
/* Long lists are cut at 1000. */
json_t *report_checkpoint(const struct store_checkpoint *checkpoint);

/*
 * Objects and arrays on one line, keys in their order.  The caller's, for
 * free(); NULL: out of memory, or o is NULL.
 */
char *report_text(const json_t *o);
/*
 * Likewise, and what o has under the keys of these lists is left out for them:
 * each entry is made when its turn comes, and gone when it is written.
 */
struct report_list {
	const char *key;
	size_t n;
	json_t *(*make)(const struct run_result *r, size_t i);
};
char *report_text_with(const json_t *o, const struct report_list *lists,
    size_t n_lists, const struct run_result *r);
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
