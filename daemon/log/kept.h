/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOG_KEPT_H
#define LOG_KEPT_H

#include "log/log.h"

/* The last records, for who asks later.  Not for several threads at once. */

void kept_add(const struct log_record *record);
json_t *kept_recent(const struct daemon_log_filter *filter,
    uint64_t *ret_seq);
void kept_clear(void);

#endif
