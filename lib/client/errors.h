/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_ERRORS_H
#define CLIENT_ERRORS_H

#include "base/annotate.h"
#include "client/nbdclient.h"

/* Fill err, which may be NULL.  Returns code. */
int client_error_set(struct nbdclient_error *err, int code, int errnum,
    const char *fmt, ...) PRINTF(4, 5);

#endif
