/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include <stdint.h>

#include "base/error.h"
#include "cli/http-response.h"

/*
 * A small blocking HTTP client on a Unix socket: one request a connection.
 */
struct http_request {
	const char *socket_path;
	const char *method;		/* "GET" */
	const char *target;		/* "/v1/jobs", already encoded */
	const char *body;		/* JSON, or NULL */
	uint64_t timeout_ms;		/* for all of it, or for the beginning
					   of what goes on */
	uint64_t silence_ms;		/* the longest of what goes on; 0:
					   any */
	int interrupt_fd;		/* readable: give up; -1: none */
};

/*
 * Ask and wait for the answer, whatever its status.  ret->body is the
 * caller's to free.  Errors with a sentence: -ECONNREFUSED, -ENOENT, -EACCES
 * and others of connect(2); -ETIMEDOUT; -EINTR (interrupt_fd is readable);
 * -EPROTO (that is no HTTP server); -ENAMETOOLONG; -ENOMEM.
 */
int http_ask(const struct http_request *request, struct http_response *ret,
    struct error *e);

/*
 * Ask for an answer that goes on, and call on_line with each line of it,
 * without its newline, until it returns something other than 0, which is
 * returned.  -ECONNRESET: the answer has ended.  0: what came is this answer,
 * of another status than 200.  Other errors as of http_ask().
 */
int http_follow(const struct http_request *request,
    int (*on_line)(void *arg, char *line), void *arg,
    struct http_response *ret, struct error *e);

/*
 * Write a segment of a path into buf so that it means text and nothing else.
 * -ENAMETOOLONG.
 */
int http_encode_segment(const char *text, char *buf, size_t size);

#endif
