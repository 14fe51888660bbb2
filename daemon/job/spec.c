/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a run of a job is asked to do: what the configuration says of the job,
 * and what was wished of this run.  Its disks are for the caller to add, and
 * which of them are not trusted.
 */

#include "job/job-private.h"
#include "log/log.h"

/*
 * The thread of the run.  The names of the job and of the run are what they
 * are as long as it goes on.
 */
static void
on_words(void *arg, const char *endpoint, const char *line)
{
	const struct job *job = arg;

	daemon_log_server(job->name, job->run_id, endpoint, line);
}

/* Where nothing is said of it. */
#define RESUME_MAX_AGE_MS (60U * 60 * 1000)

/*
 * Why no place is gone on from, or NULL.  What has been done of a disk that
 * has changed since, or is another snapshot by now, would be mixed with what
 * it is today, and the canary need not see that.
 */
static const char *
why_anew(const struct job *job, const struct conf_job *cj) ON_MAIN
{
	if (job->wish.is_full)
		return "asked for";
	if (job_is_written_by_others(job))
		return "another job writes to one of its disks";
	if (job_written_by_others_at_ms(job) == INT64_MAX)
		return "whether another job has written to one of its disks "
		       "is not known yet";
	if (cj->resume_max_age_ms != CONF_AGE_AUTO)
		return cj->resume_max_age_ms == 0 ? "resume_max_age is 0" :
						    NULL;
	if (job->mode == RUN_SYNC)
		return "a sync compares all, since the source may have "
		       "changed; resume_max_age says how long it does not";
	if (cj->pre.n > 0 ||
	    conf_find_endpoint(job->jobs->conf, cj->source)->pre.n > 0)
		return "the hook before the run may have made the source "
		       "anew; resume_max_age says how long it does not";
	return NULL;
}

static int64_t
resume_after_ms(const struct job *job) ON_MAIN
{
	int64_t written_ms = job_written_by_others_at_ms(job);

	return written_ms > job->resume_after_ms ? written_ms :
						   job->resume_after_ms;
}

void
job_make_spec(struct job *job, const struct conf_job *cj,
    struct run_spec *ret_spec)
{
	const char *why = why_anew(job, cj);

	*ret_spec = (struct run_spec){
		.mode = job->mode,
		.source = conf_find_endpoint(job->jobs->conf, cj->source)->spec,
		.digest = cj->digest,
		.interval_ms = cj->pass_interval_ms,
		/* It may have been mirrored before. */
		.syncs_first = true,
		.recheck_ms = cj->recheck_ms,
		.repair = job->repairs,
		/* The mode may be another one this time. */
		.verify_after = (cj->verify_after || job->wish.verify) &&
		    (job->mode == RUN_COPY || job->mode == RUN_SYNC),
		.max_lag = cj->max_lag,
		.zero_rest = cj->zero_rest,
		.destination_is_zero = job->mode == RUN_COPY &&
		    cj->destination_is_zero,
		.allocated = cj->allocated,
		.trim = cj->trim && (job->mode == RUN_COPY ||
		    job->mode == RUN_VERIFY),
		.sparse_size = cj->sparse_size,
		.require_all = cj->require_all,
		.rate = job->rate,
		.budget = job->jobs->budget,
		.counts = &job->counts,
		.ranges = cj->ranges.v,
		.n_ranges = cj->ranges.n,
		.connections = job->own_connections != 0 ?
		    job->own_connections : cj->connections,
		.queue_depth = cj->queue_depth,
		.request_size = (uint32_t)cj->request_size,
		.connect_timeout_ms = cj->connect_timeout_ms,
		.io_timeout_ms = cj->io_timeout_ms,
		.reconnect_ms = cj->reconnect_ms,
		.on_read_error = cj->on_read_error,
		.on_write_error = cj->on_write_error,
		.retries = cj->retries,
		.max_retry_ms = cj->retry_time_ms,
		.max_bad_bytes = cj->max_bad,
		.max_bad_ranges = cj->max_bad_ranges,
		.fill = cj->fill,
		.line = job->wish.line,
		.wait_for_space = cj->wait_for_space,
		.allow_no_flush = cj->allow_no_flush,
		.words = { on_words, job },
		.store = job->jobs->store,
		.store_job = job->name,
		.checkpoint_ms = cj->checkpoint_ms,
		.resume_max_age_ms = cj->resume_max_age_ms == CONF_AGE_AUTO ?
		    RESUME_MAX_AGE_MS : cj->resume_max_age_ms,
		.resume_after_ms = resume_after_ms(job),
		.sample_ppm = job->wish.sample_ppm,
		.sample_seed = (uint64_t)job_now_ms(),
		.full = why != NULL,
		.full_because = why,
	};
}
