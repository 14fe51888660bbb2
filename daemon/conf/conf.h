/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "conf/problems.h"
#include "digest/digest.h"
#include "endpoint/spec.h"
#include "transfer/run.h"

/*
 * A configuration: what the files said, with every default and every template
 * filled in.  It never changes after conf_load().  Strings belong to it, or
 * are constants.
 */

/* An age that is up to us, and the highest of others: a year. */
#define CONF_AGE_AUTO	UINT64_MAX
#define CONF_MAX_AGE_MS (UINT64_C(365) * 24 * 60 * 60 * 1000)

struct config_t;
struct config_setting_t;

#define CONF_NAME_SIZE	    64		/* of endpoints and jobs, with NUL */
#define CONF_FILE_MAX	    (1024 * 1024)
#define CONF_FILES_MAX	    1000
#define CONF_LIST_MAX	    4096	/* items of one list, over all files */
#define CONF_TEMPLATE_DEPTH 4

/* The template of jobs that name none, if there is one of this name. */
#define CONF_TEMPLATE_DEFAULT "default"

/* Where something was said. */
struct conf_place {
	unsigned file;			/* of conf->files */
	struct conf_spot spot;
	const struct config_setting_t *setting;
};

struct conf_main {
	unsigned version;
	const char *include_dir;	/* NULL: none */
};

struct conf_words {
	const char **v;			/* NULL-terminated, or NULL */
	size_t n;
};

/* Commands to be run, one after the other. */
struct conf_hooks {
	struct conf_words *v;
	size_t n;
};

struct conf_daemon {
	unsigned workers;		/* 0: one per processor */
	uint64_t shutdown_grace_ms;
	uint64_t rate_max;		/* bytes/s; 0: no limit */
	struct conf_words rate_table;	/* schedule_rate_parse() takes each */
	uint64_t memory_max;		/* bytes; 0: no limit */
	const char *state_dir;		/* NULL: the usual one */
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

enum conf_log_type {
	CONF_LOG_STDERR,		/* "stderr" */
	CONF_LOG_JOURNAL,		/* "journal" */
	CONF_LOG_SYSLOG,		/* "syslog" */
	CONF_LOG_FILE,			/* "file" */
};

enum conf_log_format {
	CONF_LOG_HUMAN,			/* "human" */
	CONF_LOG_LOGFMT,		/* "logfmt" */
	CONF_LOG_JSON,			/* "json" */
};

/* One place where messages go. */
struct conf_log {
	enum conf_log_type type;
	enum log_level level;
	enum conf_log_format format;
	const char *path;		/* NULL: the usual one */
};

struct conf_logs {
	struct conf_log *v;		/* the first is told of errors */
	size_t n;			/* at least one */
};

/* An address for TCP. */
struct conf_listen {
	const char *listen;		/* NULL: none */
};

enum conf_tls_version {
	CONF_TLS_1_2,			/* "1.2" */
	CONF_TLS_1_3,			/* "1.3" */
};

/* When the first certificate of a file expires. */
struct conf_expiry {
	int64_t cert_s;			/* since the epoch; 0: not known */
	int64_t ca_s;
};

struct conf_tls {
	struct conf_place place;
	const char *name;
	const char *ca;			/* files: paths, or "credential:..." */
	const char *ca_dir;
	const char *crl;
	const char *cert;
	const char *key;
	const char *key_password;
	const char *psk_file;
	const char *psk_user;
	const char *hostname;
	const char *pin_sha256;
	bool verify;
	enum conf_tls_version min_version;
	struct conf_expiry expires;	/* as the files were then */
};

/* What jobs may do to an endpoint. */
enum conf_role {
	CONF_ROLE_ANY,			/* "any" */
	CONF_ROLE_SOURCE,		/* "source": never write to it */
	CONF_ROLE_DESTINATION,		/* "destination": never read it for
					   others */
};

struct conf_endpoint {
	struct conf_place place;
	const char *name;
	const char *uri;		/* one of these three */
	struct conf_words command;
	const char *path;
	const char *tls;		/* the name of a set, or NULL */
	enum conf_role role;
	bool allow_plaintext;
	struct conf_hooks pre;
	struct conf_hooks post;
	struct endpoint_spec *spec;	/* made of it */
};

/* Settings for jobs, under a name. */
struct conf_template {
	struct conf_place place;
	const char *name;
	const char *inherit;		/* the template it begins with */
};

struct conf_ranges {
	struct run_range *v;
	size_t n;			/* none: the whole disk */
};

struct conf_job {
	struct conf_place place;
	const char *name;
	const char *template;
	const char *source;		/* names of endpoints */
	const char *destination;	/* one of these two */
	struct conf_words destinations;
	enum run_mode mode;
	enum digest_algorithm digest;
	uint64_t pass_interval_ms;	/* of a mirror */
	uint64_t recheck_ms;
	bool repair;
	bool verify_after;
	uint64_t max_lag;
	bool zero_rest;
	bool destination_is_zero;
	bool allocated;
	bool trim;
	uint32_t sparse_size;		/* as in struct run_spec */
	bool require_all;
	uint64_t rate;			/* bytes/s; 0: no limit */
	struct conf_words rate_table;	/* schedule_rate_parse() takes each */
	struct conf_hooks pre;
	struct conf_hooks post;
	struct conf_hooks on_failure;
	uint64_t hook_timeout_ms;
	const char *schedule;		/* cron_parse() takes it; or NULL */
	uint64_t interval_ms;		/* 0: none */
	uint64_t jitter_ms;
	const char *window;		/* schedule_window_parse(); or NULL */
	bool catch_up;
	uint64_t rpo_warn_ms;		/* 0: none */
	uint64_t rpo_crit_ms;
	uint64_t rpo_repeat_ms;		/* 0: told once */
	struct conf_hooks on_rpo;
	uint64_t stalled_after_ms;	/* of what on_stalled is told */
	struct conf_hooks on_stalled;
	struct conf_hooks on_mirror_failing;
	struct conf_ranges ranges;
	unsigned connections;
	unsigned queue_depth;
	uint64_t request_size;
	uint64_t connect_timeout_ms;
	uint64_t io_timeout_ms;
	uint64_t reconnect_ms;
	uint64_t checkpoint_ms;
	uint64_t resume_max_age_ms;	/* 0: never; CONF_AGE_AUTO */
	enum run_on_error on_read_error;
	enum run_on_error on_write_error;
	unsigned retries;
	uint64_t retry_time_ms;
	uint64_t max_bad;
	unsigned max_bad_ranges;
	enum run_fill fill;
	bool wait_for_space;
	bool allow_no_flush;
};

enum conf_list_id {
	CONF_TLS,
	CONF_TEMPLATES,
	CONF_ENDPOINTS,
	CONF_JOBS,
	CONF_LISTS,
};

struct conf_file {
	char *name;			/* what messages call it */
	struct config_t *tree;		/* libconfig's; owns the strings */
	struct conf_spots spots;	/* of its settings */
};

struct conf {
	struct conf_main main;
	struct conf_daemon daemon;
	struct conf_control control;
	struct conf_logs logs;
	struct conf_listen metrics;
	struct conf_listen web;
	struct conf_tls *tls;
	size_t n_tls;
	struct conf_template *templates;
	size_t n_templates;
	struct conf_endpoint *endpoints;
	size_t n_endpoints;
	struct conf_job *jobs;
	size_t n_jobs;
	struct conf_file *files;	/* the main one first */
	size_t n_files;
	struct conf_index *index;	/* of the lists, by name */
	char sha256[DIGEST_TEXT_SIZE];	/* of the files, one after the other */
};

/*
 * Read the file at path, and those of its include_dir.  0; -EINVAL: something
 * is wrong with it, all of which is in problems; -ENOMEM.  A file that cannot
 * be read is a problem like others.  problems has been initialised by the
 * caller.
 */
int conf_load(const char *path, struct conf **ret_conf,
    struct conf_problems *problems);

void conf_free(struct conf *conf);
/* For CLEANUP(). */
void conf_freep(struct conf **conf);

/* NULL: there is none of that name. */
const struct conf_tls *conf_find_tls(const struct conf *conf,
    const char *name);
const struct conf_template *conf_find_template(const struct conf *conf,
    const char *name);
const struct conf_endpoint *conf_find_endpoint(const struct conf *conf,
    const char *name);
const struct conf_job *conf_find_job(const struct conf *conf,
    const char *name);

/*
 * The templates a job is made of, its own first, then what that inherits.
 * Returns how many.
 */
unsigned conf_job_templates(const struct conf *conf,
    const struct conf_job *job,
    const struct conf_template *chain[CONF_TEMPLATE_DEPTH]);

/*
 * The names of a job's destinations, however the file has them.  Returns how
 * many, at most RUN_MAX_DESTINATIONS.
 */
unsigned conf_job_destinations(const struct conf_job *job,
    const char *names[RUN_MAX_DESTINATIONS]);

/* What of the files of the set is true now. */
struct conf_expiry conf_read_expiry(const struct conf_tls *tls);

/* A letter or digit, then up to 62 letters, digits, '.', '_' and '-'. */
bool conf_name_is_valid(const char *name);

#define CONF_FIXED_MAX 5

struct option;

/*
 * The options that are others in next, which counts after a restart of the
 * daemon only.  Returns how many.
 */
unsigned conf_list_fixed(const struct conf *now, const struct conf *next,
    const struct option *ret[CONF_FIXED_MAX]);

/*
 * Would a run of this job do the same under both configurations?  The job is
 * in both.
 */
bool conf_job_is_same(const struct conf *a, const struct conf *b,
    const char *name);

#endif
