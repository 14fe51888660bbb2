/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "log/messages.h"

/*
 * Where messages of the daemon go: to the outlets of the configuration, and
 * to a memory of the last ones, which the control API shows.  Any thread may
 * log; all else is the main thread's.
 *
 * The same error again within a second is counted and not repeated, and no
 * job can fill the log (limit.h).
 */

/* Take over from standard error.  -ENOMEM: nothing has changed. */
int daemon_log_open(const struct conf_logs *conf);
/* Other outlets from now on; conf may go then.  -ENOMEM: as before. */
int daemon_log_apply(const struct conf_logs *conf);
/* Open files and sockets anew. */
void daemon_log_reopen(void);
/* Back to standard error. */
void daemon_log_close(void);

/* What libevent has to say is logged from now on, as what it is. */
void daemon_log_take_libevent(void);

/*
 * All outlets get records up to this level, or, with a job, those of this job
 * alone, until until_ms (real time; 0: until told otherwise).
 */
void daemon_log_set_level(enum log_level level, const char *job,
    int64_t until_ms);
/* As configured. */
void daemon_log_reset_level(void);
/* {"level", "job", "until"}; level null: as configured. */
json_t *daemon_log_level_to_json(void);

/*
 * What a server says that was started for an endpoint; any thread.  job and
 * run may be NULL.
 */
void daemon_log_server(const char *job, const char *run, const char *endpoint,
    const char *line);

#define DAEMON_LOG_KEPT 4096

struct daemon_log_filter {
	const char *job;		/* NULL: any */
	const char *run;
	uint64_t since;			/* seq of the last one known */
	enum log_level level;
	size_t limit;			/* the newest of them */
};

/*
 * The last messages, oldest first, each {"seq", "at", "level", "message",
 * "id"?, "job"?, "run"?}.  *ret_seq: of the last one of all.
 */
json_t *daemon_log_recent(const struct daemon_log_filter *filter,
    uint64_t *ret_seq);

#endif
