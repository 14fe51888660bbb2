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

/* What is set up once; where its group is. */
static const struct {
	enum option_group group;
	const char *key;
	size_t offset;
} set_up_once[CONF_FIXED_MAX] = {
	{ OPTION_GROUP_DAEMON, "workers", offsetof(struct conf, daemon) },
	{ OPTION_GROUP_DAEMON, "state_dir", offsetof(struct conf, daemon) },
	{ OPTION_GROUP_CONTROL, "socket", offsetof(struct conf, control) },
	{ OPTION_GROUP_METRICS, "listen", offsetof(struct conf, metrics) },
	{ OPTION_GROUP_WEB, "listen", offsetof(struct conf, web) },
};

unsigned
conf_list_fixed(const struct conf *now, const struct conf *next,
    const struct option *ret[CONF_FIXED_MAX])
{
	unsigned n = 0;

	for (size_t i = 0; i < CONF_FIXED_MAX; i++) {
		const struct option *o = option_find(set_up_once[i].group,
		    set_up_once[i].key);
		size_t at = set_up_once[i].offset + o->offset;

		if (!value_is_same(o, (const char *)now + at,
		    (const char *)next + at))
			ret[n++] = o;
	}
	return n;
}
