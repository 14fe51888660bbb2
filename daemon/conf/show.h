/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_SHOW_H
#define CONF_SHOW_H

#include <stdio.h>

#include "conf/conf.h"

/*
 * Every value of a job and where it comes from, a line for each:
 *
 *	connections = 4  (template "nightly", nbdsync.conf:12)
 *
 * -ENOENT: there is no such job.
 */
int conf_show_job(const struct conf *conf, const char *name, FILE *out);

#endif
