/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a request of the control API is made of: path, body, and the headers
 * that say where it was meant to go.
 */
#include <errno.h>
#include <string.h>

#include "control/routes.h"
#include "control/tcp.h"
#include "fuzz.h"

const char fuzz_target[] = "control";

static void
try_path(const char *path, const json_t *body)
{
	enum ctl_method allowed = CTL_OTHER;
	const struct ctl_route *route = NULL;
	struct ctl_path_names names;
	struct error e = { .text = "" };

	for (int method = CTL_GET; method <= CTL_OTHER; method++) {
		int r = ctl_routes_find((enum ctl_method)method, path, &names,
		    &route, &allowed);

		FUZZ_CHECK(r == 0 || r == -ENOENT || r == -EOPNOTSUPP);
		FUZZ_CHECK(names.job[0] == '\0' ||
		    conf_name_is_valid(names.job));
		FUZZ_CHECK(names.name[0] == '\0' ||
		    conf_name_is_valid(names.name));
		if (r == 0 && json_is_object(body) &&
		    ctl_route_check_body(route, body, &e) < 0)
			FUZZ_CHECK(e.text[0] != '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *rest;
	json_t *body;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	/* The path, a newline, and the body, which is tried as a host, too. */
	rest = strchr(text, '\n');
	if (rest != NULL)
		*rest++ = '\0';
	else
		rest = text + size;
	body = json_loads(rest, JSON_REJECT_DUPLICATES, NULL);
	try_path(text, body);
	json_decref(body);
	(void)tcp_is_for_us(rest, NULL);
	FUZZ_CHECK(!tcp_is_for_us("evil.example", text));
	free(text);
	return 0;
}
