/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_ORIGIN_H
#define CONF_ORIGIN_H

#include <stdbool.h>

#include "conf/conf.h"

/*
 * Where the value of an option was said: so what is wrong with it is told of
 * that place, and not of where its job begins.
 */

struct conf_origin {
	const struct conf_template *template;	/* NULL: the item itself */
	struct conf_place place;
};

/*
 * Of a job: by itself, or by one of its templates, the nearest.  false: it is
 * the default, and *ret is the place of the job.
 */
bool conf_job_origin(const struct conf *conf, const struct conf_job *job,
    const char *key, struct conf_origin *ret);

/* Of an item of another list, likewise; key NULL: the item. */
bool conf_item_origin(const struct conf_place *item, const char *key,
    struct conf_origin *ret);

/* Of its nth value, if it is a list that has so many. */
void conf_origin_of_item(struct conf_origin *origin, unsigned n);

/* Note a problem with it. */
void conf_complain(const struct conf *conf, struct conf_problems *problems,
    const struct conf_place *place, const char *fmt, ...) PRINTF(4, 5);

#endif
