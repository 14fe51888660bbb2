/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/options.h"
#include "conf/parse.h"

/*
 * One option's value: from its setting in the file, or from the table's
 * default.  target is the member it is stored in, an empty one the first
 * time.  Reading is for everything but OPTION_RANGES, whose items are groups
 * of options themselves.
 */

/* Problems go to p; target is left alone then. */
void value_parse(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target);

/* What a list holds; it is empty then. */
void value_free(const struct option *option, void *target);

bool value_is_same(const struct option *option, const void *a, const void *b);

void value_set_default(const struct option *option, void *target);

/* "credential:NAME" to NAME; NULL: it is a path. */
const char *value_credential(const char *text);

/* What a value of this option looks like, for messages. */
const char *value_must_be(const struct option *option);

#endif
