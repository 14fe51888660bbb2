/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of failures.
 */
#include "client/failure.h"

#include <errno.h>

#include "client/nbdclient.h"

static const struct {
	int error;
	int client_code;
} failures[] = {
	[NBD_FAILURE_NONE] = { 0, 0 },
	[NBD_FAILURE_NOT_NBD] = { -EPROTO, NBDCLIENT_NOT_NBD },
	[NBD_FAILURE_OLDSTYLE] = { -EPROTO, NBDCLIENT_TOO_OLD },
	[NBD_FAILURE_PROTOCOL] = { -EPROTO, NBDCLIENT_PROTOCOL },
	[NBD_FAILURE_CLOSED] = { -ECONNRESET, NBDCLIENT_DISCONNECTED },
	[NBD_FAILURE_CLOSED_ON_OPTION] = { -ECONNRESET,
	    NBDCLIENT_DISCONNECTED },
	[NBD_FAILURE_POLICY] = { -EACCES, NBDCLIENT_POLICY },
	[NBD_FAILURE_UNSUPPORTED] = { -EPROTO, NBDCLIENT_TOO_OLD },
	[NBD_FAILURE_NO_EXPORT] = { -ENOENT, NBDCLIENT_NO_EXPORT },
	[NBD_FAILURE_TLS_REQUIRED] = { -EACCES, NBDCLIENT_TLS_REQUIRED },
	[NBD_FAILURE_SHUTDOWN] = { -ESHUTDOWN, NBDCLIENT_REFUSED },
	[NBD_FAILURE_REFUSED] = { -ECONNREFUSED, NBDCLIENT_REFUSED },
	[NBD_FAILURE_LOCAL] = { 0, 0 },
	[NBD_FAILURE_TLS_REFUSED] = { -EACCES, NBDCLIENT_TLS },
	[NBD_FAILURE_TLS] = { -EPROTO, NBDCLIENT_TLS },
};

int
failure_errno(enum nbd_failure why)
{
	return failures[why].error;
}

int
failure_client_code(enum nbd_failure why)
{
	return failures[why].client_code;
}
