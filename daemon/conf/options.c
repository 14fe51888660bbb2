/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of the configuration file.  A new option is one row here, one
 * member of a struct in conf.h, one entry in nbdsync.conf(5) and one in the
 * example; nothing else knows their names.
 */

#include "conf/options.h"

#include <string.h>

#include "conf/conf.h"

#define MAIN(member)	 offsetof(struct conf_main, member)
#define DAEMON(member)	 offsetof(struct conf_daemon, member)
#define CONTROL(member)	 offsetof(struct conf_control, member)
#define LISTEN(group)	 offsetof(struct conf_listen, listen)
#define LOG(member)	 offsetof(struct conf_log, member)
#define TLS(member)	 offsetof(struct conf_tls, member)
#define TEMPLATE(member) offsetof(struct conf_template, member)
#define ENDPOINT(member) offsetof(struct conf_endpoint, member)
#define JOB(member)	 offsetof(struct conf_job, member)
#define RANGE(member)	 offsetof(struct run_range, member)

/* clang-format off */
const struct option options[] = {
	/* group, key, type, required, default, min, max, offset, doc */

	{ OPTION_GROUP_MAIN, "config_version", OPTION_INT, false,
	  "1", "1", "1", MAIN(version),
	  "the version of the file's format" },
	{ OPTION_GROUP_MAIN, "include_dir", OPTION_PATH, false,
	  NULL, NULL, NULL, MAIN(include_dir),
	  "a directory of further files" },

	{ OPTION_GROUP_DAEMON, "workers", OPTION_INT, false,
	  "0", "0", "64", DAEMON(workers),
	  "threads that copy; 0: one per processor" },
	{ OPTION_GROUP_DAEMON, "shutdown_grace", OPTION_TIME, false,
	  "60s", "0", "1h", DAEMON(shutdown_grace_ms),
	  "how long runs may take to end when the daemon stops" },
	{ OPTION_GROUP_DAEMON, "rate_max", OPTION_RATE, false,
	  "0", NULL, NULL, DAEMON(rate_max),
	  "what all runs together may read in a second; 0: no limit" },
	{ OPTION_GROUP_DAEMON, "rate_table", OPTION_RATES, false,
	  NULL, NULL, NULL, DAEMON(rate_table),
	  "the same from certain times of the day on" },
	{ OPTION_GROUP_DAEMON, "memory_max", OPTION_SIZE, false,
	  "512MiB", NULL, NULL, DAEMON(memory_max),
	  "memory of all runs for what is on its way; 0: no limit" },
	{ OPTION_GROUP_DAEMON, "state_dir", OPTION_PATH, false,
	  NULL, NULL, NULL, DAEMON(state_dir),
	  "where the daemon keeps what outlives it" },

	{ OPTION_GROUP_CONTROL, "socket", OPTION_PATH, false,
	  "/run/nbdsync/control.sock", NULL, NULL, CONTROL(socket),
	  "the control socket" },
	{ OPTION_GROUP_CONTROL, "viewers", OPTION_PEERS, false,
	  NULL, NULL, NULL, CONTROL(viewers),
	  "users and @groups who may look" },
	{ OPTION_GROUP_CONTROL, "operators", OPTION_PEERS, false,
	  NULL, NULL, NULL, CONTROL(operators),
	  "users and @groups who may also start and cancel jobs" },
	{ OPTION_GROUP_CONTROL, "admins", OPTION_PEERS, false,
	  NULL, NULL, NULL, CONTROL(admins),
	  "users and @groups who may do everything" },

	{ OPTION_GROUP_LOG, "type", OPTION_LOG_TYPE, false,
	  "stderr", NULL, NULL, LOG(type),
	  "where messages go: stderr, journal, syslog or file" },
	{ OPTION_GROUP_LOG, "level", OPTION_LEVEL, false,
	  "info", NULL, NULL, LOG(level),
	  "what is logged: error, warning, info or debug" },
	{ OPTION_GROUP_LOG, "format", OPTION_LOG_FORMAT, false,
	  "human", NULL, NULL, LOG(format),
	  "how stderr and files have it: human, logfmt or json" },
	{ OPTION_GROUP_LOG, "path", OPTION_PATH, false,
	  NULL, NULL, NULL, LOG(path),
	  "the file, or another socket than the usual one" },

	{ OPTION_GROUP_METRICS, "listen", OPTION_TEXT, false,
	  NULL, NULL, NULL, LISTEN(metrics),
	  "a TCP address for Prometheus; none: the control socket alone" },
	{ OPTION_GROUP_WEB, "listen", OPTION_TEXT, false,
	  NULL, NULL, NULL, LISTEN(web),
	  "a loopback TCP address for the status page; none: there is none" },

	{ OPTION_GROUP_TLS, "name", OPTION_NAME, true,
	  NULL, NULL, NULL, TLS(name),
	  "what endpoints call it" },
	{ OPTION_GROUP_TLS, "ca", OPTION_FILE, false,
	  NULL, NULL, NULL, TLS(ca),
	  "the authorities that certificates are believed from" },
	{ OPTION_GROUP_TLS, "ca_dir", OPTION_PATH, false,
	  NULL, NULL, NULL, TLS(ca_dir),
	  "a directory of such authorities" },
	{ OPTION_GROUP_TLS, "crl", OPTION_FILE, false,
	  NULL, NULL, NULL, TLS(crl),
	  "what these have revoked" },
	{ OPTION_GROUP_TLS, "cert", OPTION_FILE, false,
	  NULL, NULL, NULL, TLS(cert),
	  "our own certificate and its chain" },
	{ OPTION_GROUP_TLS, "key", OPTION_FILE, false,
	  NULL, NULL, NULL, TLS(key),
	  "its key" },
	{ OPTION_GROUP_TLS, "key_password", OPTION_SECRET, false,
	  NULL, NULL, NULL, TLS(key_password),
	  "what opens an encrypted key" },
	{ OPTION_GROUP_TLS, "psk_file", OPTION_FILE, false,
	  NULL, NULL, NULL, TLS(psk_file),
	  "pre-shared keys instead of certificates" },
	{ OPTION_GROUP_TLS, "psk_user", OPTION_TEXT, false,
	  NULL, NULL, NULL, TLS(psk_user),
	  "whose key of them is ours" },
	{ OPTION_GROUP_TLS, "hostname", OPTION_TEXT, false,
	  NULL, NULL, NULL, TLS(hostname),
	  "the name that the server's certificate must have" },
	{ OPTION_GROUP_TLS, "pin_sha256", OPTION_TEXT, false,
	  NULL, NULL, NULL, TLS(pin_sha256),
	  "the key that the server must have besides" },
	{ OPTION_GROUP_TLS, "verify", OPTION_BOOL, false,
	  "true", NULL, NULL, TLS(verify),
	  "false: believe any certificate" },
	{ OPTION_GROUP_TLS, "min_version", OPTION_TLS_VERSION, false,
	  "1.2", NULL, NULL, TLS(min_version),
	  "the oldest version of TLS that will do: 1.2 or 1.3" },

	{ OPTION_GROUP_TEMPLATES, "name", OPTION_NAME, true,
	  NULL, NULL, NULL, TEMPLATE(name),
	  "what jobs and templates call it" },
	{ OPTION_GROUP_TEMPLATES, "inherit", OPTION_NAME, false,
	  NULL, NULL, NULL, TEMPLATE(inherit),
	  "the template that this one begins with" },

	{ OPTION_GROUP_ENDPOINTS, "name", OPTION_NAME, true,
	  NULL, NULL, NULL, ENDPOINT(name),
	  "what jobs call it" },
	{ OPTION_GROUP_ENDPOINTS, "uri", OPTION_TEXT, false,
	  NULL, NULL, NULL, ENDPOINT(uri),
	  "an NBD URI" },
	{ OPTION_GROUP_ENDPOINTS, "command", OPTION_WORDS, false,
	  NULL, NULL, NULL, ENDPOINT(command),
	  "a server to start for each run" },
	{ OPTION_GROUP_ENDPOINTS, "path", OPTION_PATH, false,
	  NULL, NULL, NULL, ENDPOINT(path),
	  "a file or a block device" },

	{ OPTION_GROUP_ENDPOINTS, "tls", OPTION_NAME, false,
	  NULL, NULL, NULL, ENDPOINT(tls),
	  "how to speak TLS with it" },
	{ OPTION_GROUP_ENDPOINTS, "allow_plaintext", OPTION_BOOL, false,
	  "false", NULL, NULL, ENDPOINT(allow_plaintext),
	  "speak with another machine without TLS" },
	{ OPTION_GROUP_ENDPOINTS, "role", OPTION_ROLE, false,
	  "any", NULL, NULL, ENDPOINT(role),
	  "what jobs may use it as: source, destination or any" },

	{ OPTION_GROUP_ENDPOINTS, "pre", OPTION_HOOKS, false,
	  NULL, NULL, NULL, ENDPOINT(pre),
	  "a command, or several, to be run before it is opened" },
	{ OPTION_GROUP_ENDPOINTS, "post", OPTION_HOOKS, false,
	  NULL, NULL, NULL, ENDPOINT(post),
	  "a command, or several, to be run after it is closed" },

	{ OPTION_GROUP_JOBS, "name", OPTION_NAME, true,
	  NULL, NULL, NULL, JOB(name),
	  "what commands call it" },
	{ OPTION_GROUP_JOBS, "template", OPTION_NAME, false,
	  NULL, NULL, NULL, JOB(template),
	  "the template that it begins with" },
	{ OPTION_GROUP_JOBS, "source", OPTION_NAME, true,
	  NULL, NULL, NULL, JOB(source),
	  "the endpoint to read" },
	{ OPTION_GROUP_JOBS, "destination", OPTION_NAME, false,
	  NULL, NULL, NULL, JOB(destination),
	  "the endpoint to write" },
	{ OPTION_GROUP_JOBS, "destinations", OPTION_WORDS, false,
	  NULL, NULL, NULL, JOB(destinations),
	  "several endpoints to write" },
	{ OPTION_GROUP_JOBS, "mode", OPTION_MODE, false,
	  "copy", NULL, NULL, JOB(mode),
	  "what a run does: copy, sync, verify or mirror" },
	{ OPTION_GROUP_JOBS, "pass_interval", OPTION_TIME, false,
	  "60s", "0", "365d", JOB(pass_interval_ms),
	  "of a mirror: from the end of a pass to the next one" },
	{ OPTION_GROUP_JOBS, "recheck", OPTION_TIME, false,
	  "0", "0", "365d", JOB(recheck_ms),
	  "of verify: only differences count that are there after this" },
	{ OPTION_GROUP_JOBS, "repair", OPTION_BOOL, false,
	  "false", NULL, NULL, JOB(repair),
	  "of verify: write what differs" },
	{ OPTION_GROUP_JOBS, "verify", OPTION_VERIFY, false,
	  "none", NULL, NULL, JOB(verify_after),
	  "of copy and sync: after, to read back what was written" },
	{ OPTION_GROUP_JOBS, "digest", OPTION_DIGEST, false,
	  "none", NULL, NULL, JOB(digest),
	  "the digest of the source: none, sha256 or xxh3" },
	{ OPTION_GROUP_JOBS, "ranges", OPTION_RANGES, false,
	  NULL, NULL, NULL, JOB(ranges),
	  "the parts of the disk to copy; none: the whole disk" },
	{ OPTION_GROUP_JOBS, "connections", OPTION_INT, false,
	  "0", "0", "64", JOB(connections),
	  "connections to each side; 0: chosen" },
	{ OPTION_GROUP_JOBS, "queue_depth", OPTION_INT, false,
	  "0", "0", "1024", JOB(queue_depth),
	  "requests in flight on each connection; 0: chosen" },
	{ OPTION_GROUP_JOBS, "request_size", OPTION_SIZE, false,
	  "0", "0", "32MiB", JOB(request_size),
	  "bytes of a request; 0: chosen" },
	{ OPTION_GROUP_JOBS, "max_lag", OPTION_SIZE, false,
	  "0", "0", "64GiB", JOB(max_lag),
	  "memory for slow ones of several destinations; 0: chosen" },
	{ OPTION_GROUP_JOBS, "require_all", OPTION_BOOL, false,
	  "false", NULL, NULL, JOB(require_all),
	  "fail if one of several destinations does" },
	{ OPTION_GROUP_JOBS, "zero_rest", OPTION_BOOL, false,
	  "false", NULL, NULL, JOB(zero_rest),
	  "zero what a larger destination has behind the copy" },
	{ OPTION_GROUP_JOBS, "destination_is_zero", OPTION_BOOL, false,
	  "false", NULL, NULL, JOB(destination_is_zero),
	  "the destination reads as zeroes: they are not written" },
	{ OPTION_GROUP_JOBS, "sparse", OPTION_SPARSE, false,
	  "auto", NULL, NULL, JOB(sparse_size),
	  "how fine zeroes among data are looked for; 0: not at all" },
	{ OPTION_GROUP_JOBS, "allocated", OPTION_BOOL, false,
	  "false", NULL, NULL, JOB(allocated),
	  "write zeroes as data" },
	{ OPTION_GROUP_JOBS, "trim", OPTION_BOOL, false,
	  "false", NULL, NULL, JOB(trim),
	  "trim holes that are not zero: what they hold does not matter" },
	{ OPTION_GROUP_JOBS, "rate", OPTION_RATE, false,
	  "0", NULL, NULL, JOB(rate),
	  "what a run may read in a second; 0: no limit" },
	{ OPTION_GROUP_JOBS, "rate_table", OPTION_RATES, false,
	  NULL, NULL, NULL, JOB(rate_table),
	  "the same from certain times of the day on" },
	{ OPTION_GROUP_JOBS, "connect_timeout", OPTION_TIME, false,
	  "10s", "100ms", "1h", JOB(connect_timeout_ms),
	  "how long connecting and negotiating may take" },
	{ OPTION_GROUP_JOBS, "io_timeout", OPTION_TIME, false,
	  "60s", "100ms", "1d", JOB(io_timeout_ms),
	  "how long one request may take" },
	{ OPTION_GROUP_JOBS, "reconnect", OPTION_TIME, false,
	  "1h", "0", "365d", JOB(reconnect_ms),
	  "how long a lost connection is tried again; 0: not at all" },
	{ OPTION_GROUP_JOBS, "on_read_error", OPTION_POLICY, false,
	  "retry", NULL, NULL, JOB(on_read_error),
	  "what becomes of what cannot be read: stop, retry or skip" },
	{ OPTION_GROUP_JOBS, "on_write_error", OPTION_POLICY, false,
	  "retry", NULL, NULL, JOB(on_write_error),
	  "what becomes of what cannot be written" },
	{ OPTION_GROUP_JOBS, "retries", OPTION_INT, false,
	  "3", "0", "1000", JOB(retries),
	  "how often what fails is tried again" },
	{ OPTION_GROUP_JOBS, "retry_time", OPTION_TIME, false,
	  "0", "0", "365d", JOB(retry_time_ms),
	  "how long it is tried again; 0: no limit" },
	{ OPTION_GROUP_JOBS, "max_bad", OPTION_SIZE, false,
	  "0", NULL, NULL, JOB(max_bad),
	  "bytes that may be skipped; 0: any number" },
	{ OPTION_GROUP_JOBS, "max_bad_ranges", OPTION_INT, false,
	  "100000", "1", "100000", JOB(max_bad_ranges),
	  "in how many ranges" },
	{ OPTION_GROUP_JOBS, "fill", OPTION_FILL, false,
	  "leave", NULL, NULL, JOB(fill),
	  "what is written where the source is skipped: leave, zeroes or "
	  "pattern" },
	{ OPTION_GROUP_JOBS, "wait_for_space", OPTION_BOOL, false,
	  "true", NULL, NULL, JOB(wait_for_space),
	  "wait while a destination is full" },
	{ OPTION_GROUP_JOBS, "checkpoint", OPTION_TIME, false,
	  "10s", "1s", "1h", JOB(checkpoint_ms),
	  "how often what is written is flushed, and noted as done" },
	{ OPTION_GROUP_JOBS, "resume_max_age", OPTION_AGE, false,
	  "auto", NULL, NULL, JOB(resume_max_age_ms),
	  "how old the end of a run may be for another to go on; 0: never" },
	{ OPTION_GROUP_JOBS, "allow_no_flush", OPTION_BOOL, false,
	  "false", NULL, NULL, JOB(allow_no_flush),
	  "accept a destination that cannot flush" },

	{ OPTION_GROUP_JOBS, "pre", OPTION_HOOKS, false,
	  NULL, NULL, NULL, JOB(pre),
	  "a command, or several, to be run before each run" },
	{ OPTION_GROUP_JOBS, "post", OPTION_HOOKS, false,
	  NULL, NULL, NULL, JOB(post),
	  "a command, or several, to be run after each run" },
	{ OPTION_GROUP_JOBS, "on_failure", OPTION_HOOKS, false,
	  NULL, NULL, NULL, JOB(on_failure),
	  "a command, or several, to be run after one that is no success" },
	{ OPTION_GROUP_JOBS, "hook_timeout", OPTION_TIME, false,
	  "60s", "1s", "1d", JOB(hook_timeout_ms),
	  "how long each of these commands may take" },
	{ OPTION_GROUP_JOBS, "schedule", OPTION_CRON, false,
	  NULL, NULL, NULL, JOB(schedule),
	  "when it runs by itself, as cron has it" },
	{ OPTION_GROUP_JOBS, "interval", OPTION_TIME, false,
	  "0", "0", "52w", JOB(interval_ms),
	  "how long after the last start it runs by itself; 0: never" },
	{ OPTION_GROUP_JOBS, "jitter", OPTION_TIME, false,
	  "0", "0", "1d", JOB(jitter_ms),
	  "each time is later by up to this" },
	{ OPTION_GROUP_JOBS, "window", OPTION_WINDOW, false,
	  NULL, NULL, NULL, JOB(window),
	  "when it may run by itself" },
	{ OPTION_GROUP_JOBS, "catch_up", OPTION_BOOL, false,
	  "true", NULL, NULL, JOB(catch_up),
	  "run once for what was missed" },
	{ OPTION_GROUP_JOBS, "rpo_warn", OPTION_TIME, false,
	  "0", "0", "3650d", JOB(rpo_warn_ms),
	  "how old the last success may be before it is a warning; 0: any" },
	{ OPTION_GROUP_JOBS, "rpo_crit", OPTION_TIME, false,
	  "0", "0", "3650d", JOB(rpo_crit_ms),
	  "the same before it is critical" },
	{ OPTION_GROUP_JOBS, "rpo_repeat", OPTION_TIME, false,
	  "0", "0", "365d", JOB(rpo_repeat_ms),
	  "how long after that it is told again; 0: not" },
	{ OPTION_GROUP_JOBS, "on_rpo", OPTION_HOOKS, false,
	  NULL, NULL, NULL, JOB(on_rpo),
	  "a command, or several, to be run when one of these has passed, or "
	  "not any more" },

	{ OPTION_GROUP_JOBS, "stalled_after", OPTION_TIME, false,
	  "5m", "10s", "1d", JOB(stalled_after_ms),
	  "how long a run may stand still before on_stalled is run" },
	{ OPTION_GROUP_JOBS, "on_stalled", OPTION_HOOKS, false,
	  NULL, NULL, NULL, JOB(on_stalled),
	  "a command, or several, to be run when a run has stood still that "
	  "long, and when it goes on" },

	{ OPTION_GROUP_JOBS, "on_mirror_failing", OPTION_HOOKS, false,
	  NULL, NULL, NULL, JOB(on_mirror_failing),
	  "a command, or several, to be run when passes of a mirror begin to "
	  "fail, and when one is complete again" },

	{ OPTION_GROUP_RANGES, "from", OPTION_SIZE, false,
	  "0", NULL, NULL, RANGE(from),
	  "where it begins on the source" },
	{ OPTION_GROUP_RANGES, "length", OPTION_LENGTH, false,
	  "all", NULL, NULL, RANGE(length),
	  "how long it is; \"all\": to the end of the source" },
	/*
	 * Required: any default would one day write a part of a disk where
	 * nobody meant it to go.
	 */
	{ OPTION_GROUP_RANGES, "to", OPTION_SIZE, true,
	  NULL, NULL, NULL, RANGE(to),
	  "where it begins on the destination" },
};
/* clang-format on */

const size_t n_options = sizeof options / sizeof options[0];

/* What the file calls each group, and messages one item of it. */
static const struct {
	const char *name;
	const char *noun;
} groups[OPTION_GROUPS] = {
	[OPTION_GROUP_MAIN] = { "outside of groups", NULL },
	[OPTION_GROUP_DAEMON] = { "daemon", NULL },
	[OPTION_GROUP_CONTROL] = { "control", NULL },
	[OPTION_GROUP_LOG] = { "log", "log" },
	[OPTION_GROUP_METRICS] = { "metrics", NULL },
	[OPTION_GROUP_WEB] = { "web", NULL },
	[OPTION_GROUP_TLS] = { "tls", "tls" },
	[OPTION_GROUP_TEMPLATES] = { "templates", "template" },
	[OPTION_GROUP_ENDPOINTS] = { "endpoints", "endpoint" },
	[OPTION_GROUP_JOBS] = { "jobs", "job" },
	[OPTION_GROUP_RANGES] = { "ranges", "range" },
};

const char *
option_group_name(enum option_group group)
{
	return groups[group].name;
}

const char *
option_group_noun(enum option_group group)
{
	return groups[group].noun;
}

const struct option *
option_find(enum option_group group, const char *key)
{
	for (size_t i = 0; i < n_options; i++)
		if (options[i].group == group &&
		    strcmp(options[i].key, key) == 0)
			return &options[i];
	return NULL;
}
