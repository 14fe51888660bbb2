/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_STRICT_H
#define CONF_STRICT_H

#include "conf/conf.h"
#include "conf/problems.h"

/* Add what is most likely not meant in a configuration that is right. */
void conf_check_strictly(const struct conf *conf,
    struct conf_problems *problems);

#endif
