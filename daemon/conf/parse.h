/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <libconfig.h>
#include <stdbool.h>

#include "conf/conf.h"
#include "conf/options.h"

/*
 * From libconfig's trees to struct conf, by the table of options.
 */

struct parse {
	struct conf_problems *problems;
	char where[CONF_NAME_SIZE + 64];	/* "job \"vm1\": ", or "" */
	bool is_muted;			/* what is wrong here has been said */
	bool is_out_of_memory;
};

/* Note a problem with the setting, where its line is. */
void parse_complain(struct parse *p, const config_setting_t *setting,
    const char *fmt, ...) PRINTF(3, 4);

/*
 * Add what the nth file has: all but what jobs consist of, as their templates
 * may be in another file.  Files but the first have only lists.  0 or
 * -ENOMEM.
 */
int parse_file(struct conf *conf, unsigned nth,
    struct conf_problems *problems);

/*
 * After the last file and conf_lists_sort(): fill in the jobs.  0 or -ENOMEM.
 * What was allocated stays in conf either way.
 */
int parse_jobs(struct conf *conf, struct conf_problems *problems);

#endif
