/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/conf.h"

/*
 * What no single value shows: names that occur twice, endpoints that do not
 * exist, ranges that run over.  Also makes each endpoint's spec.  0; -EINVAL:
 * see problems; -ENOMEM.
 */
int check_conf(struct conf *conf, struct conf_problems *problems);

#endif
