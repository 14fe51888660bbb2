/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_FAILURE_H
#define CLIENT_FAILURE_H

#include "nbd/session.h"

/*
 * The kinds of failure of a session in the words of others: a negative errno
 * for callers that look no further, and the code of <nbdclient.h>.  Both are
 * 0 for NBD_FAILURE_LOCAL, where only the owner knows more.
 */
int failure_errno(enum nbd_failure why);
int failure_client_code(enum nbd_failure why);

#endif
