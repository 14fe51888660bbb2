/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a reload changes, by the table of options: an option that is new there
 * is compared from then on.
 */

#include <assert.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/options.h"
#include "conf/value.h"

static bool
is_same(enum option_group group, const void *a, const void *b)
{
	for (size_t i = 0; i < n_options; i++) {
		const struct option *option = &options[i];

		/* Where values come from does not matter. */
		if (option->group == group &&
		    strcmp(option->key, "template") != 0 &&
		    !value_is_same(option, (const char *)a + option->offset,
		    (const char *)b + option->offset))
			return false;
	}
	return true;
}

static bool
endpoint_is_same(const struct conf *a, const struct conf *b, const char *name)
{
	const struct conf_endpoint *x = conf_find_endpoint(a, name);
	const struct conf_endpoint *y = conf_find_endpoint(b, name);

	if (!is_same(OPTION_GROUP_ENDPOINTS, x, y))
		return false;
	return x->tls == NULL || is_same(OPTION_GROUP_TLS,
	    conf_find_tls(a, x->tls), conf_find_tls(b, x->tls));
}

bool
conf_job_is_same(const struct conf *a, const struct conf *b, const char *name)
{
	const struct conf_job *x = conf_find_job(a, name);
	const struct conf_job *y = conf_find_job(b, name);
	const char *names[RUN_MAX_DESTINATIONS];
	unsigned n;

	assert(x != NULL && y != NULL);
	if (!is_same(OPTION_GROUP_JOBS, x, y) ||
	    !endpoint_is_same(a, b, x->source))
		return false;
	n = conf_job_destinations(x, names);
	for (unsigned i = 0; i < n; i++)
		if (!endpoint_is_same(a, b, names[i]))
			return false;
	return true;
}
