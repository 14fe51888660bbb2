/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a request asks for: its query, and the keys of its body.
 */

#include "control/request-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"

const char *
ctl_query(const struct ctl_request *req, const char *name)
{
	return evhttp_find_header(&request_of(req)->query, name);
}

const char *
ctl_body_text(const struct ctl_request *req, const char *key)
{
	return json_string_value(json_object_get(req->body, key));
}

bool
ctl_body_bool(const struct ctl_request *req, const char *key, bool fallback)
{
	const json_t *value = json_object_get(req->body, key);

	return value == NULL ? fallback : json_is_true(value);
}

#define MAX_TTL_MS (UINT64_C(366) * 24 * 3600 * 1000)

void
ctl_refuse_text(struct ctl_request *req, const char *key, const char *text,
    const char *must_be)
{
	char printable[64];

	ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"%s\" is \"%s\", but must "
	    "be %s", key, escape_text(text, strlen(text), printable,
	    sizeof printable), must_be);
}

int
ctl_body_ttl(struct ctl_request *req, uint64_t *ret_ms)
{
	const char *text = ctl_body_text(req, "ttl");
	uint64_t ms = 0;

	if (text == NULL)
		return 0;
	if (units_parse_time_ms(text, &ms) < 0 || ms == 0 ||
	    ms > MAX_TTL_MS) {
		ctl_refuse_text(req, "ttl", text, "a time, such as \"1h\"");
		return -EINVAL;
	}
	*ret_ms = ms;
	return 0;
}

int
ctl_body_reason(struct ctl_request *req, char ret_reason[JOB_REASON_SIZE])
{
	const char *text = ctl_body_text(req, "reason");

	ret_reason[0] = '\0';
	if (text == NULL)
		return 0;
	/* It is never cut, which could leave half a character. */
	if (strlen(text) >= JOB_REASON_SIZE) {
		ctl_problem(req, CTL_BAD_REQUEST, NULL, "\"reason\" must have "
		    "at most %d bytes", JOB_REASON_SIZE - 1);
		return -EINVAL;
	}
	memcpy(ret_reason, text, strlen(text) + 1);
	return 0;
}

int
ctl_query_number(const struct ctl_request *req, const char *name,
    uint64_t *ret_value)
{
	const char *text = ctl_query(req, name);
	char *rest;
	unsigned long long value;

	if (text == NULL)
		return 0;
	errno = 0;
	value = strtoull(text, &rest, 10);
	if (*text < '0' || *text > '9' || *rest != '\0' || errno != 0)
		return -EINVAL;
	*ret_value = value;
	return 0;
}
