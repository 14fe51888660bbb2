/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COPY_RESULT_H
#define CLI_COPY_RESULT_H

#include "cli/copy-engine.h"

/*
 * Tell how a run has ended, and bring its mapfile up to date.  is_interrupted:
 * by the user.  Returns the exit code.
 */
int copy_result_tell(const struct copy_engine_options *options,
    const struct run_result *result, struct bar *bar, bool is_interrupted);

#endif
