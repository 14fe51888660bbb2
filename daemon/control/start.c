/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/jobs/{job}/start: start a run.  The answer is 202: the run has
 * begun; GET the job to see how it goes.  POST /v1/jobs/{job}/verify: the same
 * for a run that compares, and writes only if that is asked for.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "control/start.h"

static void
refuse(struct ctl_request *req, int r, const struct error *e) ON_MAIN
{
	char hint[CONF_NAME_SIZE + 32];

	switch (r) {
	case -EBUSY:
		(void)snprintf(hint, sizeof hint, "nbdsync status %s",
		    req->job);
		ctl_problem(req, CTL_JOB_RUNNING, hint, "%s", e->text);
		break;
	case -ECANCELED:
		(void)snprintf(hint, sizeof hint, "nbdsync resume %s",
		    req->job);
		ctl_problem(req, CTL_JOB_PAUSED, hint, "%s", e->text);
		break;
	case -ESHUTDOWN:
		ctl_problem(req, CTL_STOPPING, NULL, "%s", e->text);
		break;
	case -ENOENT:
		ctl_no_such_job(req);
		break;
	case -ERANGE:
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "%s", e->text);
		break;
	default:
		ctl_problem(req, CTL_CANNOT_START, NULL, "%s", e->text);
		break;
	}
}

void
ctl_start_run(struct ctl_request *req, const struct job_wish *wish)
{
	struct job *job = jobs_find(req->jobs, req->job);
	struct job_view view;
	char location[CONF_NAME_SIZE + 32];
	struct error e;
	int r;

	if (job == NULL) {
		ctl_no_such_job(req);
		return;
	}
	r = job_start(job, "control", wish, &e);
	if (r < 0) {
		refuse(req, r, &e);
		return;
	}
	job_get_view(job, &view);
	(void)snprintf(location, sizeof location, "/v1/jobs/%s", req->job);
	ctl_set_header(req, "Location", location);
	ctl_reply(req, 202, json_pack("{s:s, s:s, s:I}", "job", view.name,
	    "run", view.run_id, "rev", (json_int_t)view.rev));
}

/* The following return -EINVAL when they have answered. */

static int
read_mode(struct ctl_request *req, struct job_wish *wish) ON_MAIN
{
	const char *text = ctl_body_text(req, "mode");

	if (text == NULL)
		return 0;
	if (run_mode_parse(text, &wish->mode) < 0) {
		ctl_refuse_text(req, "mode", text, "copy, sync, verify or "
		    "mirror");
		return -EINVAL;
	}
	wish->has_mode = true;
	return 0;
}

/* Nothing is read back of a comparison, nor by a mirror. */
static int
check_verify(struct ctl_request *req, const struct job_wish *wish) ON_MAIN
{
	const struct job *job = jobs_find(req->jobs, req->job);
	enum run_mode mode = wish->mode;
	struct job_view view;

	if (!wish->verify || job == NULL)
		return 0;
	job_get_view(job, &view);
	if (!wish->has_mode)
		mode = view.mode;
	if (mode == RUN_COPY || mode == RUN_SYNC)
		return 0;
	ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"verify\" is for runs that "
	    "copy or sync, and job '%s' does not", req->job);
	return -EINVAL;
}

static int
read_rate(struct ctl_request *req, struct job_wish *wish) ON_MAIN
{
	const char *text = ctl_body_text(req, "rate");

	if (text == NULL)
		return 0;
	if (units_parse_rate(text, &wish->rate) < 0) {
		ctl_refuse_text(req, "rate", text, "a rate, such as "
		    "\"200MB/s\", or \"0\" for none");
		return -EINVAL;
	}
	wish->has_rate = true;
	return 0;
}

void
ctl_start(struct ctl_request *req)
{
	struct job_wish wish = {
		.is_full = ctl_body_bool(req, "full", false),
		.verify = ctl_body_bool(req, "verify", false),
	};

	if (read_mode(req, &wish) == 0 && check_verify(req, &wish) == 0 &&
	    read_rate(req, &wish) == 0 &&
	    ctl_body_reason(req, wish.reason) == 0)
		ctl_start_run(req, &wish);
}

/* No more than fit into a body. */
#define MAX_RANGES 4096

static bool
is_offset(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static int
read_range(const json_t *o, struct run_range *ret_range, struct error *e)
{
	const json_t *from = json_object_get(o, "from");
	const json_t *length = json_object_get(o, "length");
	const char *key;
	const json_t *value;

	if (!json_is_object(o))
		return error_set(e, -EINVAL, "each of \"ranges\" must be an "
		    "object with \"from\" and \"length\"");
	json_object_foreach((json_t *)(uintptr_t)o, key, value)
		if (value != from && value != length)
			return error_set(e, -EINVAL, "a range has \"from\" "
			    "and \"length\" only");
	if (!is_offset(from) || (length != NULL && !is_offset(length)))
		return error_set(e, -EINVAL, "\"from\" and \"length\" of a "
		    "range must be numbers of bytes");
	ret_range->from = (uint64_t)json_integer_value(from);
	ret_range->length = length == NULL ? RUN_LENGTH_ALL :
	    (uint64_t)json_integer_value(length);
	ret_range->to = ret_range->from;
	if (ret_range->length == 0)
		return error_set(e, -EINVAL, "a range is empty");
	return 0;
}

/* *ret_ranges is the caller's. */
static int
read_ranges(struct ctl_request *req, struct run_range **ret_ranges,
    size_t *ret_n) ON_MAIN
{
	const json_t *list = json_object_get(req->body, "ranges");
	size_t n = json_array_size(list);
	struct error e;

	if (list == NULL)
		return 0;
	if (n == 0 || n > MAX_RANGES) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"ranges\" must "
		    "have 1 to %d of them", MAX_RANGES);
		return -EINVAL;
	}
	*ret_ranges = calloc(n, sizeof **ret_ranges);
	if (*ret_ranges == NULL) {
		ctl_reply(req, 500, NULL);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++)
		if (read_range(json_array_get(list, i), &(*ret_ranges)[i],
		    &e) < 0) {
			ctl_problem(req, CTL_BAD_REQUEST, NULL, "%s", e.text);
			return -EINVAL;
		}
	*ret_n = n;
	return 0;
}

static int
read_sample(struct ctl_request *req, struct job_wish *wish) ON_MAIN
{
	const char *text = ctl_body_text(req, "sample");

	if (text == NULL)
		return 0;
	if (units_parse_share(text, &wish->sample_ppm) < 0) {
		ctl_refuse_text(req, "sample", text, "a share above 0%, such "
		    "as \"1%\"");
		return -EINVAL;
	}
	/* That is no sample. */
	if (wish->sample_ppm == 1000000)
		wish->sample_ppm = 0;
	return 0;
}

void
ctl_verify(struct ctl_request *req)
{
	CLEANUP(cleanup_free) struct run_range *ranges = NULL;
	struct job_wish wish = {
		.has_mode = true,
		.mode = RUN_VERIFY,
		.has_repair = true,
		.repair = ctl_body_bool(req, "repair", false),
	};

	if (ctl_body_bool(req, "stored", false)) {
		if (json_object_size(req->body) > 1)
			ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"stored\" "
			    "is for all that the last run has written, and "
			    "excludes the other keys");
		else
			ctl_verify_stored(req);
		return;
	}
	if (read_sample(req, &wish) < 0 ||
	    read_ranges(req, &ranges, &wish.n_ranges) < 0)
		return;
	wish.ranges = ranges;
	ctl_start_run(req, &wish);
}
