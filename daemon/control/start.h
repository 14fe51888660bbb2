/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_START_H
#define CONTROL_START_H

#include "control/routes.h"

/* Start a run as is wished, and answer. */
void ctl_start_run(struct ctl_request *req,
    const struct job_wish *wish) ON_MAIN;

/* The last run's digests first; the rest as above (verify-stored.c). */
void ctl_verify_stored(struct ctl_request *req) ON_MAIN;

#endif
