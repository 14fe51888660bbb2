/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The errors of the installed library.
 */
#include "client/errors.h"

#include <stdarg.h>
#include <stdio.h>

/* Indexed by the code's negative. */
static const char *const words[] = {
	[-NBDCLIENT_OK] = "no error",
	[-NBDCLIENT_UNIMPLEMENTED] = "not offered by the server",
	[-NBDCLIENT_READ_ONLY] = "read-only",
	[-NBDCLIENT_INVALID] = "invalid argument",
	[-NBDCLIENT_DISCONNECTED] = "disconnected",
	[-NBDCLIENT_PROTOCOL] = "protocol error",
	[-NBDCLIENT_TIMED_OUT] = "timed out",
	[-NBDCLIENT_IO] = "I/O error",
	[-NBDCLIENT_CANNOT_CONNECT] = "cannot connect",
	[-NBDCLIENT_NOT_NBD] = "not an NBD server",
	[-NBDCLIENT_POLICY] = "forbidden by the server's policy",
	[-NBDCLIENT_TOO_OLD] = "server too old",
	[-NBDCLIENT_NO_EXPORT] = "no such export",
	[-NBDCLIENT_TLS_REQUIRED] = "TLS required",
	[-NBDCLIENT_REFUSED] = "refused by the server",
	[-NBDCLIENT_NO_MEMORY] = "out of memory",
	[-NBDCLIENT_TLS] = "TLS failed",
};

const char *
nbdclient_strerror(int code)
{
	const int n = (int)(sizeof words / sizeof words[0]);

	if (code > 0 || code <= -n)
		return "unknown error";
	return words[-code];
}

int
client_error_set(struct nbdclient_error *err, int code, int errnum,
    const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	err->code = code;
	err->errnum = errnum;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	return code;
}
