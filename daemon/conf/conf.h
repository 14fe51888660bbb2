/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "conf/problems.h"
#include "endpoint/spec.h"
#include "transfer/run.h"

/*
 * A configuration: what a file said, with every default filled in.  It never
 * changes after conf_load().  Strings belong to it, or are constants.
 */

struct config_t;

#define CONF_NAME_SIZE 64		/* of endpoints and jobs, with NUL */
#define CONF_FILE_MAX  (1024 * 1024)
#define CONF_LIST_MAX  4096		/* items of one list */

struct conf_daemon {
	unsigned workers;		/* 0: one per processor */
	uint64_t shutdown_grace_ms;
	uint64_t rate_max;		/* bytes/s; 0: no limit */
	uint64_t memory_max;		/* bytes; 0: no limit */
};

/* A user or a group of the system. */
struct conf_peer {
	bool is_group;
	uint32_t id;
};

struct conf_peers {
	struct conf_peer *v;
	size_t n;
};

struct conf_control {
	const char *socket;
	struct conf_peers viewers;
	struct conf_peers operators;
	struct conf_peers admins;
};

struct conf_log {
	enum log_level level;
};

/* An address for TCP. */
struct conf_listen {
	const char *listen;		/* NULL: none */
};

struct conf_words {
	const char **v;			/* NULL-terminated, or NULL */
	size_t n;
};

struct conf_endpoint {
	unsigned line;
	const char *name;
	const char *uri;		/* one of these three */
	struct conf_words command;
	const char *path;
	struct endpoint_spec *spec;	/* made of it */
};

struct conf_ranges {
	struct run_range *v;
	size_t n;			/* none: the whole disk */
};

struct conf_job {
	unsigned line;
	const char *name;
	const char *source;		/* names of endpoints */
	const char *destination;	/* one of these two */
	struct conf_words destinations;
	enum run_mode mode;
	uint64_t max_lag;
	bool zero_rest;
	bool require_all;
	uint64_t rate;			/* bytes/s; 0: no limit */
	struct conf_ranges ranges;
	unsigned connections;
	unsigned queue_depth;
	uint64_t request_size;
	uint64_t connect_timeout_ms;
	uint64_t io_timeout_ms;
	uint64_t reconnect_ms;
	enum run_on_error on_read_error;
	enum run_on_error on_write_error;
	unsigned retries;
	uint64_t retry_time_ms;
	uint64_t max_bad;
	bool wait_for_space;
	bool allow_no_flush;
};

struct conf {
	struct conf_daemon daemon;
	struct conf_control control;
	struct conf_log log;
	struct conf_listen metrics;
	struct conf_listen web;
	struct conf_endpoint *endpoints;
	size_t n_endpoints;
	struct conf_job *jobs;
	size_t n_jobs;
	struct config_t *tree;		/* libconfig's; owns the strings */
};

/*
 * Read the file at path.  0; -EINVAL: something is wrong with it, all of
 * which is in problems; -ENOMEM.  A file that cannot be read is a problem
 * like others.  problems has been initialised by the caller.
 */
int conf_load(const char *path, struct conf **ret_conf,
    struct conf_problems *problems);

void conf_free(struct conf *conf);
/* For CLEANUP(). */
void conf_freep(struct conf **conf);

/* NULL: there is none of that name. */
const struct conf_endpoint *conf_find_endpoint(const struct conf *conf,
    const char *name);
const struct conf_job *conf_find_job(const struct conf *conf,
    const char *name);

/*
 * The names of a job's destinations, however the file has them.  Returns how
 * many, at most RUN_MAX_DESTINATIONS.
 */
unsigned conf_job_destinations(const struct conf_job *job,
    const char *names[RUN_MAX_DESTINATIONS]);

/* A letter or digit, then up to 62 letters, digits, '.', '_' and '-'. */
bool conf_name_is_valid(const char *name);

/*
 * Would a run of this job do the same under both configurations?  The job is
 * in both.
 */
bool conf_job_is_same(const struct conf *a, const struct conf *b,
    const char *name);

#endif
