/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_HTTP_RESPONSE_H
#define CLI_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Understanding what an HTTP/1.1 server answered: status line, headers, and
 * a body of known length, in chunks, or up to the end of the connection.
 * No I/O.
 */

#define HTTP_RESPONSE_MAX ((size_t)16 * 1024 * 1024)
#define HTTP_HEAD_MAX	  ((size_t)64 * 1024)

struct http_response {
	int status;
	char *body;			/* terminated; the caller's to free */
	size_t len;
};

/*
 * Parse the len bytes received so far; at_end: there will be no more.
 * 0: *ret is filled in.  -EAGAIN: more is needed (never with at_end).
 * -EPROTO: that is no HTTP, or it breaks off; -EMSGSIZE; -ENOMEM; with a
 * sentence.
 */
int http_response_parse(const char *data, size_t len, bool at_end,
    struct http_response *ret, struct error *e);

#endif
