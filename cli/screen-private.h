/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SCREEN_PRIVATE_H
#define CLI_SCREEN_PRIVATE_H

#include "cli/job-status.h"
#include "cli/screen.h"

/*
 * What the screen's keys and its drawing have in common.
 */

const char *screen_name_of(const json_t *job);

/* Its place in s->jobs; as many as there are: it is not there. */
size_t screen_find_selected(const struct screen *s);
bool screen_read_selected(const struct screen *s,
    struct job_status *ret_status);

#endif
