/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <libconfig.h>
#include <stdbool.h>

#include "conf/conf.h"
#include "conf/options.h"

/*
 * From libconfig's tree to struct conf, by the table of options.
 */

struct parse {
	struct conf_problems *problems;
	char where[CONF_NAME_SIZE + 64];	/* "job \"vm1\": ", or "" */
	bool is_out_of_memory;
};

/* Note a problem with the setting, where its line is. */
void parse_complain(struct parse *p, const config_setting_t *setting,
    const char *fmt, ...) PRINTF(3, 4);

/*
 * Fill conf from its tree.  0; -EINVAL: see problems; -ENOMEM.  What was
 * allocated stays in conf either way.
 */
int parse_conf(struct conf *conf, const config_setting_t *root,
    struct conf_problems *problems);

#endif
