/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_PROBLEM_H
#define CONTROL_PROBLEM_H

#include "control/request.h"

/*
 * Errors as application/problem+json (RFC 9457).
 */

int problem_status(enum ctl_problem problem);
/* Without the "urn:nbdsync:" in front. */
const char *problem_type(enum ctl_problem problem);

/* job and hint may be NULL.  A new reference; NULL: out of memory. */
json_t *problem_to_json(enum ctl_problem problem, const char *detail,
    const char *job, const char *hint);

/*
 * CTL_NO_MEMORY as a line of text that needs none, for when there is none to
 * make an answer.
 */
const char *problem_no_memory(void);

#endif
