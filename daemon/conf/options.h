/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_OPTIONS_H
#define CONF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Every option of the configuration file, in one table.  It drives parsing,
 * defaults, checking, comparing and freeing; a test holds the manual and the
 * example against it.
 */

enum option_group {
	OPTION_GROUP_MAIN,		/* outside of all groups */
	OPTION_GROUP_DAEMON,
	OPTION_GROUP_CONTROL,
	OPTION_GROUP_LOG,
	OPTION_GROUP_METRICS,
	OPTION_GROUP_WEB,
	OPTION_GROUP_TLS,
	OPTION_GROUP_TEMPLATES,		/* and all of OPTION_GROUP_JOBS */
	OPTION_GROUP_ENDPOINTS,
	OPTION_GROUP_JOBS,
	OPTION_GROUP_RANGES,		/* within a job */
	OPTION_GROUPS,
};

/* What a value is, and the C type it is stored as. */
enum option_type {
	OPTION_INT,			/* unsigned */
	OPTION_BOOL,			/* bool */
	OPTION_SIZE,			/* uint64_t, bytes */
	OPTION_SPARSE,			/* uint32_t, bytes; "auto" is 0, and 0
					   RUN_SPARSE_OFF */
	OPTION_LENGTH,			/* uint64_t, bytes; "all" is
					   RUN_LENGTH_ALL */
	OPTION_RATE,			/* uint64_t, bytes/s */
	OPTION_TIME,			/* uint64_t, milliseconds */
	OPTION_AGE,			/* the same; "auto" is CONF_AGE_AUTO */
	OPTION_TEXT,			/* const char * */
	OPTION_NAME,			/* const char * */
	OPTION_PATH,			/* const char * */
	OPTION_FILE,			/* const char *, a path or credential */
	OPTION_SECRET,			/* const char * */
	OPTION_LEVEL,			/* enum log_level */
	OPTION_MODE,			/* enum run_mode */
	OPTION_POLICY,			/* enum run_on_error */
	OPTION_FILL,			/* enum run_fill */
	OPTION_ROLE,			/* enum conf_role */
	OPTION_TLS_VERSION,		/* enum conf_tls_version */
	OPTION_LOG_TYPE,		/* enum conf_log_type */
	OPTION_LOG_FORMAT,		/* enum conf_log_format */
	OPTION_CRON,			/* const char *, for cron_parse() */
	OPTION_WINDOW,			/* const char *, for
					   schedule_window_parse() */
	OPTION_DIGEST,			/* enum digest_algorithm */
	OPTION_VERIFY,			/* bool: "after" */
	OPTION_WORDS,			/* struct conf_words */
	OPTION_HOOKS,			/* struct conf_hooks */
	OPTION_RATES,			/* struct conf_words, for
					   schedule_rate_parse() */
	OPTION_PEERS,			/* struct conf_peers */
	OPTION_RANGES,			/* struct conf_ranges */
};

struct option {
	enum option_group group;
	const char *key;
	enum option_type type;
	bool is_required;
	const char *fallback;		/* the default as one would write
					   it; NULL: empty */
	const char *min;		/* NULL: no limits */
	const char *max;
	size_t offset;			/* in the group's struct */
	const char *doc;
};

extern const struct option options[];
extern const size_t n_options;

/* The group's name in the file. */
const char *option_group_name(enum option_group group);

/* Of a list: what messages call one item of it. */
const char *option_group_noun(enum option_group group);

/* NULL: no such key. */
const struct option *option_find(enum option_group group, const char *key);

#endif
