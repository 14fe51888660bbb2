/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /metrics: figures in the text format of Prometheus, 0.0.4.
 *
 * One table of series of a job, one function of the rest; requests are in
 * metrics-requests.c, the process in metrics-process.c.  Every series of a
 * job is there from the start: one that appears with the first failure has no
 * rise that an alert could see.
 */

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "control/counters.h"
#include "control/events.h"
#include "control/metrics.h"
#include "control/routes.h"
#include "net/tls.h"
#include "transfer/progress.h"

/* Written by make. */
static const char commit[] =
#include "control/commit.inc"
    ;

struct series {
	const char *name;
	const char *type;
	const char *help;
	const char *labels;		/* behind the job's; "" for none */
	double (*value)(const struct job_view *view);
};

static double
get_health(const struct job_view *v)
{
	switch (v->health) {
	case JOB_OK:
		return 0;
	case JOB_WARN:
		return 1;
	case JOB_CRIT:
		return 2;
	case JOB_UNKNOWN:
		break;
	}
	return 3;
}

static double
get_paused(const struct job_view *v)
{
	return v->is_paused;
}

static double
get_running(const struct job_view *v)
{
	return v->is_running;
}

static double
get_consistent(const struct job_view *v)
{
	return v->is_consistent;
}

static double
get_in_sync(const struct job_view *v UNUSED)
{
	return 0;
}

static double
get_lag(const struct job_view *v)
{
	return (double)v->progress.mirror.consistent_age_ms / 1000.0;
}

static double
get_checkpoint_age(const struct job_view *v)
{
	return (double)v->progress.checkpoint_age_ms / 1000.0;
}

static double
get_checkpoint_failures(const struct job_view *v)
{
	return (double)v->totals.checkpoint_failures;
}

static double
get_size(const struct job_view *v)
{
	return v->is_running ? (double)v->progress.source_size : 0;
}

static double
get_dirty(const struct job_view *v)
{
	uint64_t settled = progress_settled(&v->progress);

	return v->progress.total_bytes > settled ?
	    (double)(v->progress.total_bytes - settled) : 0;
}

static double
get_durable(const struct job_view *v)
{
	return (double)v->progress.durable_bytes;
}

static double
get_success_at(const struct job_view *v)
{
	return v->success == NULL ? 0 :
	    (double)v->success->finished_at_ms / 1000.0;
}

static double
get_success_took(const struct job_view *v)
{
	return v->success == NULL ? 0 :
	    (double)v->success->duration_ms / 1000.0;
}

static double
get_attempt_at(const struct job_view *v)
{
	return (double)v->last_started_at_ms / 1000.0;
}

static double
get_verified_at(const struct job_view *v)
{
	return (double)v->verified_at_ms / 1000.0;
}

static double
get_away(const struct job_view *v)
{
	return v->is_running ? (double)v->progress.n_away : 0;
}

static double
get_ratio(const struct job_view *v)
{
	double total = (double)v->progress.total_bytes;

	return total > 0.0 ? (double)progress_settled(&v->progress) /
	    total : 0;
}

static double
get_rate(const struct job_view *v)
{
	return (double)v->rate;
}

static double
get_stalled(const struct job_view *v)
{
	return (double)v->stalled_ms / 1000.0;
}

static double
get_connections(const struct job_view *v)
{
	return v->progress.lanes;
}

static double
get_retries(const struct job_view *v)
{
	return (double)v->totals.retries;
}

static double
get_failed_bytes(const struct job_view *v)
{
	return (double)v->totals.failed_bytes;
}

static double
get_resumed_bytes(const struct job_view *v)
{
	return (double)v->totals.resumed_bytes;
}

static double
get_rate_limit(const struct job_view *v)
{
	return (double)v->rate_limit;
}

static double
get_skipped_runs(const struct job_view *v)
{
	return (double)v->totals.skipped_runs;
}

static double
get_reconnects(const struct job_view *v)
{
	return (double)v->totals.reconnects;
}

static double
get_rpo_warn(const struct job_view *v)
{
	return (double)v->rpo_warn_ms / 1000.0;
}

static double
get_rpo_crit(const struct job_view *v)
{
	return (double)v->rpo_crit_ms / 1000.0;
}

static double
get_rpo_age(const struct job_view *v)
{
	return (double)v->rpo_age_ms / 1000.0;
}

static double
get_next_run(const struct job_view *v)
{
	return v->next_run_at_s < 0 ? 0 : (double)v->next_run_at_s;
}

/* What runs[] of them are together. */
#define RUNS(name, ...)                                                       \
	static double get_##name(const struct job_view *v)                    \
	{                                                                     \
		static const enum run_outcome outcomes[] = { __VA_ARGS__ };   \
		uint64_t n = 0;                                               \
                                                                              \
		for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0];  \
		     i++)                                                     \
			n += v->totals.runs[outcomes[i]];                     \
		return (double)n;                                             \
	}
RUNS(succeeded, RUN_SUCCEEDED, RUN_STOPPED, RUN_REPAIRED)
RUNS(warnings, RUN_PARTIAL, RUN_BAD_RANGES)
RUNS(different, RUN_DIFFERENT)
RUNS(failed, RUN_FAILED)
RUNS(cancelled, RUN_CANCELLED)

#define BYTES(kind)                                                           \
	static double get_##kind(const struct job_view *v)                    \
	{                                                                     \
		return (double)v->totals.kind##_bytes;                        \
	}
BYTES(read)
BYTES(written)
BYTES(zeroed)
BYTES(trimmed)
BYTES(equal)
BYTES(differing)
BYTES(repaired)
BYTES(verified)

/* Rows of one name stand together: the help and the type are said once. */
/* clang-format off */
static const struct series series[] = {
	{ "nbdsync_job_health", "gauge",
	  "0 ok, 1 warn, 2 crit, 3 unknown", "", get_health },
	{ "nbdsync_job_running", "gauge",
	  "whether a run goes on", "", get_running },
	{ "nbdsync_job_paused", "gauge",
	  "whether it is paused", "", get_paused },
	{ "nbdsync_job_consistent", "gauge",
	  "whether the destination is a copy of one moment", "",
	  get_consistent },
	{ "nbdsync_job_in_sync", "gauge",
	  "whether the destination is the source as it is now", "",
	  get_in_sync },
	{ "nbdsync_job_lag_seconds", "gauge",
	  "of a mirror, how old that is what its destination has; 0: nothing "
	  "is known", "", get_lag },
	{ "nbdsync_job_size_bytes", "gauge",
	  "size of the source, while a run goes on", "", get_size },
	{ "nbdsync_job_dirty_bytes", "gauge",
	  "what the run has yet to do", "", get_dirty },
	{ "nbdsync_job_durable_bytes", "gauge",
	  "what the run has written and flushed", "", get_durable },
	{ "nbdsync_job_last_success_timestamp_seconds", "gauge",
	  "end of the last run that succeeded; 0: none is known", "",
	  get_success_at },
	{ "nbdsync_job_last_attempt_timestamp_seconds", "gauge",
	  "start of the last run; 0: none is known", "", get_attempt_at },
	{ "nbdsync_job_last_run_duration_seconds", "gauge",
	  "how long the last run that succeeded took", "",
	  get_success_took },
	{ "nbdsync_job_rpo_seconds", "gauge",
	  "how old the last success may be; 0: any age", ",level=\"warn\"",
	  get_rpo_warn },
	{ "nbdsync_job_rpo_seconds", NULL, NULL, ",level=\"crit\"",
	  get_rpo_crit },
	{ "nbdsync_job_rpo_age_seconds", "gauge",
	  "how old it is; of a job without one, how long it is known", "",
	  get_rpo_age },
	{ "nbdsync_job_next_run_timestamp_seconds", "gauge",
	  "when it runs by itself; 0: not", "", get_next_run },
	{ "nbdsync_job_progress_ratio", "gauge",
	  "share of the run that is done", "", get_ratio },
	{ "nbdsync_job_rate_bytes_per_second", "gauge",
	  "how fast the run is now", "", get_rate },
	{ "nbdsync_job_stalled_seconds", "gauge",
	  "how long nothing has moved", "", get_stalled },
	{ "nbdsync_job_runs_total", "counter",
	  "runs that have ended", ",result=\"succeeded\"", get_succeeded },
	{ "nbdsync_job_runs_total", NULL, NULL,
	  ",result=\"succeeded-with-warnings\"", get_warnings },
	{ "nbdsync_job_runs_total", NULL, NULL,
	  ",result=\"differences-found\"", get_different },
	{ "nbdsync_job_runs_total", NULL, NULL,
	  ",result=\"failed\"", get_failed },
	{ "nbdsync_job_runs_total", NULL, NULL,
	  ",result=\"cancelled\"", get_cancelled },
	{ "nbdsync_job_runs_total", NULL, NULL,
	  ",result=\"skipped\"", get_skipped_runs },
	{ "nbdsync_bytes_total", "counter",
	  "bytes of all runs", ",side=\"source\",kind=\"read\"", get_read },
	{ "nbdsync_bytes_total", NULL, NULL,
	  ",side=\"destination\",kind=\"write\"", get_written },
	{ "nbdsync_bytes_total", NULL, NULL,
	  ",side=\"destination\",kind=\"zero\"", get_zeroed },
	{ "nbdsync_bytes_total", NULL, NULL,
	  ",side=\"destination\",kind=\"trim\"", get_trimmed },
	{ "nbdsync_bytes_total", NULL, NULL,
	  ",side=\"destination\",kind=\"skipped\"", get_equal },
	{ "nbdsync_verify_bytes_total", "counter",
	  "bytes that were compared, or read back", "", get_verified },
	{ "nbdsync_verify_last_clean_timestamp_seconds", "gauge",
	  "when all of the destination was last found to be right; 0: never",
	  "", get_verified_at },
	{ "nbdsync_verify_mismatch_bytes_total", "counter",
	  "bytes that were found to differ", "", get_differing },
	{ "nbdsync_verify_repaired_bytes_total", "counter",
	  "bytes that differed and were made equal", "", get_repaired },
	{ "nbdsync_checkpoint_age_seconds", "gauge",
	  "age of the place to go on from, while a run goes on that keeps one",
	  "", get_checkpoint_age },
	{ "nbdsync_checkpoint_write_failures_total", "counter",
	  "times that it could not be saved", "", get_checkpoint_failures },
	{ "nbdsync_connections", "gauge",
	  "connections of the run to each side", ",side=\"source\"",
	  get_connections },
	{ "nbdsync_connections", NULL, NULL,
	  ",side=\"destination\"", get_connections },
	{ "nbdsync_connections_lost", "gauge",
	  "connections of either side that are tried again just now", "",
	  get_away },
	{ "nbdsync_reconnects_total", "counter",
	  "connections that were lost and came back", "", get_reconnects },
	{ "nbdsync_retries_total", "counter",
	  "times that what failed was tried again", "", get_retries },
	{ "nbdsync_skipped_bad_bytes_total", "counter",
	  "bytes that were given up and listed", "", get_failed_bytes },
	{ "nbdsync_resumed_bytes_total", "counter",
	  "bytes that an earlier run had done already", "",
	  get_resumed_bytes },
	{ "nbdsync_rate_limit_bytes_per_second", "gauge",
	  "how fast it may go; 0: no limit", "", get_rate_limit },
};
/* clang-format on */

void
metrics_head(FILE *f, const char *name, const char *type, const char *help)
{
	(void)fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

void
metrics_single(FILE *f, const char *name, const char *type, const char *help,
    double value)
{
	metrics_head(f, name, type, help);
	(void)fprintf(f, "%s %.15g\n", name, value);
}

static void
put_series(FILE *f, const struct jobs *jobs, const struct series *s) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;

	if (s->type != NULL)
		metrics_head(f, s->name, s->type, s->help);
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		(void)fprintf(f, "%s{job=\"%s\"%s} %.15g\n", s->name,
		    view.name, s->labels, s->value(&view));
	}
}

static void
put_states(FILE *f, const struct jobs *jobs) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;

	metrics_head(f, "nbdsync_job_state", "gauge",
	    "1 for the state it is in");
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		for (const char *const *s = job_states; *s != NULL; s++)
			(void)fprintf(f, "nbdsync_job_state{job=\"%s\","
			    "state=\"%s\"} %d\n", view.name, *s,
			    strcmp(view.state, *s) == 0);
	}
}

/* Names are letters, digits and dots: nothing needs escaping. */
static void
put_infos(FILE *f, const struct jobs *jobs) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;

	metrics_head(f, "nbdsync_job_info", "gauge", "what the job does");
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		(void)fprintf(f, "nbdsync_job_info{job=\"%s\",uuid=\"%s\","
		    "mode=\"%s\",source=\"%s\",destination=\"%s\"} 1\n",
		    view.name, view.uuid, run_mode_name(view.mode),
		    view.source, view.destination);
	}
}

static uint64_t
limited_ms(const struct job_limits *limits, const char *name)
{
	for (unsigned i = 0; i < JOB_LIMITS && limits->v[i].name != NULL; i++)
		if (strcmp(limits->v[i].name, name) == 0)
			return limits->v[i].ms;
	return 0;
}

static void
put_limits(FILE *f, const struct jobs *jobs) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;

	metrics_head(f, "nbdsync_limited_seconds_total", "counter",
	    "for how long something has limited runs");
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		for (unsigned i = 0; run_limit_name(i) != NULL; i++)
			(void)fprintf(f, "nbdsync_limited_seconds_total{"
			    "job=\"%s\",by=\"%s\"} %.15g\n", view.name,
			    run_limit_name(i), (double)limited_ms(view.limits,
			    run_limit_name(i)) / 1000.0);
	}
}

static void
put_hooks_of(FILE *f, const struct job_view *view)
{
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		for (int result = 0; result < HOOK_RESULTS; result++)
			(void)fprintf(f, "nbdsync_hook_runs_total{job=\"%s\","
			    "hook=\"%s\",result=\"%s\"} %" PRIu64 "\n",
			    view->name, hook_kind_name((enum hook_kind)kind),
			    hook_result_name((enum hook_result)result),
			    view->totals.hooks[kind][result]);
}

static void
put_hooks(FILE *f, const struct jobs *jobs) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;

	metrics_head(f, "nbdsync_hook_runs_total", "counter",
	    "times that a command of a hook has ended");
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		put_hooks_of(f, &view);
	}
}

static void
put_certificates(FILE *f, const struct ctl_request *req) ON_MAIN
{
	const struct conf *conf = req->conf;
	static const char name[] =
	    "nbdsync_tls_certificate_expiry_timestamp_seconds";

	metrics_head(f, name, "gauge",
	    "when the first certificate of a file expires");
	for (size_t i = 0; i < conf->n_tls; i++) {
		const struct conf_tls *tls = &conf->tls[i];
		struct conf_expiry now = req->expiry->get == NULL ?
		    tls->expires : req->expiry->get(req->expiry->arg, i);

		if (now.cert_s > 0)
			(void)fprintf(f, "%s{name=\"%s\",file=\"cert\"} %"
			    PRId64 "\n", name, tls->name, now.cert_s);
		if (now.ca_s > 0)
			(void)fprintf(f, "%s{name=\"%s\",file=\"ca\"} %"
			    PRId64 "\n", name, tls->name, now.ca_s);
	}
}

static void
put_requests(FILE *f, const struct ctl_counters *c)
{
	static const char name[] = "nbdsync_control_requests_total";

	metrics_head(f, name, "counter", "requests that were answered");
	for (size_t i = 0; i <= n_ctl_routes; i++) {
		bool is_route = i < n_ctl_routes;
		const uint64_t *counts =
		    c->requests[is_route ? i : COUNTERS_ROUTES - 1];

		for (int code = 0; code < COUNTER_CODES; code++)
			(void)fprintf(f, "%s{method=\"%s\","
			    "path_template=\"%s\",code=\"%s\"} %" PRIu64 "\n",
			    name, is_route ?
			    ctl_method_name(ctl_routes[i].method) : "",
			    is_route ? ctl_routes[i].pattern : "",
			    counter_code_name((enum counter_code)code),
			    counts[code]);
	}
}

static void
put_job_messages(FILE *f, const struct jobs *jobs) ON_MAIN
{
	const struct job *job = NULL;
	struct job_view view;

	metrics_head(f, "nbdsync_job_log_messages_total", "counter",
	    "those of them that are about a job");
	while ((job = jobs_next(jobs, job)) != NULL) {
		job_get_view(job, &view);
		for (int level = 0; level <= LOG_LEVEL_DEBUG; level++)
			(void)fprintf(f, "nbdsync_job_log_messages_total{"
			    "job=\"%s\",level=\"%s\"} %" PRIu64 "\n",
			    view.name, log_level_name((enum log_level)level),
			    view.totals.log_messages[level]);
	}
}

static void
put_messages(FILE *f)
{
	metrics_head(f, "nbdsync_log_messages_total", "counter",
	    "messages that were logged");
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
		(void)fprintf(f, "nbdsync_log_messages_total{level=\"%s\"} %"
		    PRIu64 "\n", log_level_name((enum log_level)level),
		    log_count((enum log_level)level));
}

static void
put_daemon(FILE *f, const struct ctl_request *req) ON_MAIN
{
	const struct ctl_counters *c = req->counters;

	metrics_head(f, "nbdsync_build_info", "gauge", "what the daemon is");
	(void)fprintf(f, "nbdsync_build_info{version=\"" PACKAGE_VERSION
	    "\",commit=\"%s\",libevent=\"%s\",openssl=\"%s\"} 1\n", commit,
	    event_get_version(), tls_library_version());
	metrics_single(f, "nbdsync_start_time_seconds", "gauge",
	    "when the daemon was started",
	    (double)req->facts->started_at_ms / 1000.0);
	metrics_single(f, "nbdsync_config_last_reload_successful", "gauge",
	    "whether the file that was read last was taken over",
	    c->reload_is_good);
	metrics_single(f, "nbdsync_config_last_reload_timestamp_seconds",
	    "gauge", "when a file was last taken over", (double)c->reload_at_s);
	metrics_single(f, "nbdsync_jobs", "gauge", "jobs that are configured",
	    (double)jobs_count(req->jobs));
	metrics_single(f, "nbdsync_jobs_running", "gauge", "jobs that run",
	    (double)jobs_count_running(req->jobs));
	metrics_single(f, "nbdsync_control_connections", "gauge",
	    "connections to the control socket", (double)c->n_connections);
	metrics_single(f, "nbdsync_control_connections_total", "counter",
	    "connections that were accepted", (double)c->n_accepted);
	metrics_single(f, "nbdsync_event_streams", "gauge",
	    "clients that listen to events",
	    (double)events_count_streams(req->events));
	metrics_single(f, "nbdsync_events_dropped_total", "counter",
	    "clients of the event stream that were too slow",
	    (double)events_count_dropped(req->events));
}

void
ctl_metrics(struct ctl_request *req)
{
	CLEANUP(cleanup_free) char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool is_good;

	if (f == NULL) {
		ctl_reply_text(req, 500, "text/plain", NULL, 0);
		return;
	}
	put_daemon(f, req);
	metrics_put_process(f, req->facts);
	put_infos(f, req->jobs);
	put_states(f, req->jobs);
	for (size_t i = 0; i < sizeof series / sizeof series[0]; i++)
		put_series(f, req->jobs, &series[i]);
	put_requests(f, req->counters);
	put_messages(f);
	put_job_messages(f, req->jobs);
	put_limits(f, req->jobs);
	put_hooks(f, req->jobs);
	metrics_put_requests(f, req->jobs);
	metrics_put_kinds(f);
	put_certificates(f, req);
	is_good = fflush(f) == 0;
	(void)fclose(f);
	ctl_reply_text(req, is_good ? 200 : 500,
	    "text/plain; version=0.0.4; charset=utf-8", text, len);
}
