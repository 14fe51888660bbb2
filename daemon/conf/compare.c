/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a reload changes.
 */

#include <assert.h>
#include <string.h>

#include "conf/conf.h"

static bool
text_is_same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
endpoint_is_same(const struct conf_endpoint *a, const struct conf_endpoint *b)
{
	if (!text_is_same(a->name, b->name) || !text_is_same(a->uri, b->uri) ||
	    !text_is_same(a->path, b->path) || a->command.n != b->command.n)
		return false;
	for (size_t i = 0; i < a->command.n; i++)
		if (!text_is_same(a->command.v[i], b->command.v[i]))
			return false;
	return true;
}

static bool
ranges_are_same(const struct conf_ranges *a, const struct conf_ranges *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].from != b->v[i].from ||
		    a->v[i].length != b->v[i].length ||
		    a->v[i].to != b->v[i].to)
			return false;
	return true;
}

static bool
numbers_are_same(const struct conf_job *a, const struct conf_job *b)
{
	return a->connections == b->connections &&
	    a->queue_depth == b->queue_depth &&
	    a->request_size == b->request_size &&
	    a->connect_timeout_ms == b->connect_timeout_ms &&
	    a->io_timeout_ms == b->io_timeout_ms &&
	    a->reconnect_ms == b->reconnect_ms &&
	    a->on_read_error == b->on_read_error &&
	    a->on_write_error == b->on_write_error &&
	    a->retries == b->retries &&
	    a->retry_time_ms == b->retry_time_ms &&
	    a->max_bad == b->max_bad &&
	    a->wait_for_space == b->wait_for_space &&
	    a->zero_rest == b->zero_rest &&
	    a->require_all == b->require_all &&
	    a->mode == b->mode && a->max_lag == b->max_lag &&
	    a->rate == b->rate &&
	    a->allow_no_flush == b->allow_no_flush;
}

static bool
destinations_are_same(const struct conf *a, const struct conf_job *x,
    const struct conf *b, const struct conf_job *y)
{
	const char *xs[RUN_MAX_DESTINATIONS];
	const char *ys[RUN_MAX_DESTINATIONS];
	unsigned n = conf_job_destinations(x, xs);

	if (conf_job_destinations(y, ys) != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!endpoint_is_same(conf_find_endpoint(a, xs[i]),
		    conf_find_endpoint(b, ys[i])))
			return false;
	return true;
}

bool
conf_job_is_same(const struct conf *a, const struct conf *b, const char *name)
{
	const struct conf_job *x = conf_find_job(a, name);
	const struct conf_job *y = conf_find_job(b, name);

	assert(x != NULL && y != NULL);
	return numbers_are_same(x, y) &&
	    ranges_are_same(&x->ranges, &y->ranges) &&
	    endpoint_is_same(conf_find_endpoint(a, x->source),
	    conf_find_endpoint(b, y->source)) &&
	    destinations_are_same(a, x, b, y);
}
