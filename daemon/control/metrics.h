/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_METRICS_H
#define CONTROL_METRICS_H

#include <stdio.h>

#include "control/request.h"
#include "job/job.h"

/*
 * What the files of GET /metrics share.
 */

void metrics_head(FILE *f, const char *name, const char *type,
    const char *help);
void metrics_single(FILE *f, const char *name, const char *type,
    const char *help, double value);

void metrics_put_kinds(FILE *f);
void metrics_put_requests(FILE *f, const struct jobs *jobs) ON_MAIN;
void metrics_put_process(FILE *f, const struct ctl_facts *facts);

#endif
