/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_LINT_H
#define CONF_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/problems.h"

/*
 * Look at the text of a configuration file before libconfig does, for what
 * libconfig accepts in silence, reports badly, or dies of, and note in spots
 * where its settings stand.  False: the text must not be given to libconfig.
 */
bool lint_text(const char *text, size_t len, struct conf_spots *spots,
    struct conf_problems *problems);

#endif
