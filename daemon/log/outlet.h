/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOG_OUTLET_H
#define LOG_OUTLET_H

#include <stdbool.h>

#include "base/log.h"
#include "conf/conf.h"

/*
 * One place where records go.  It is opened with the first of them, and again
 * after it has failed, at most once a second.
 */

struct outlet {
	enum conf_log_type type;
	enum log_level level;
	enum conf_log_format format;
	char *path;			/* NULL: standard error */
	bool is_stderr;			/* although this is the journal */
	int fd;				/* -1: not open */
	uint64_t n_lost;		/* records, since the last that was not;
					   they are to be told of */
	int64_t retry_at_ms;
};

/* -ENOMEM */
int outlet_init(struct outlet *outlet, const struct conf_log *conf);
void outlet_done(struct outlet *outlet);

/* Open it anew with the next record. */
void outlet_reopen(struct outlet *outlet);

/* A negative errno: the record is lost here. */
int outlet_write(struct outlet *outlet, const struct log_record *record);

#endif
