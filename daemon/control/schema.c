/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /v1/schema: the routes from their table, and JSON Schema of what they
 * answer from schema.json, which is built in.
 */

#include <stdio.h>

#include "control/routes.h"

static const char document[] = {
#include "control/schema.json.inc"
};

/* NULL: out of memory. */
static json_t *
keys_to_json(const struct ctl_key *key)
{
	json_t *o = json_object();

	for (; o != NULL && key != NULL && key->name != NULL; key++)
		if (json_object_set_new(o, key->name, json_pack("{s:s, s:s}",
		    "type", ctl_key_type_name(key), "description",
		    key->doc)) < 0) {
			json_decref(o);
			return NULL;
		}
	return o;
}

/* A reference into $defs; null for an answer that is no JSON. */
static json_t *
answer_of(const struct ctl_route *route, const json_t *answers)
{
	char name[128];
	const char *def;

	(void)snprintf(name, sizeof name, "%s %s",
	    ctl_method_name(route->method), route->pattern);
	def = json_string_value(json_object_get(answers, name));
	if (def == NULL)
		return json_null();
	return json_pack("{s:o}", "$ref", json_sprintf("#/$defs/%s", def));
}

static json_t *
routes_to_json(const json_t *answers)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < n_ctl_routes; i++) {
		const struct ctl_route *r = &ctl_routes[i];

		if (json_array_append_new(list, json_pack(
		    "{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "method",
		    ctl_method_name(r->method), "path", r->pattern, "role",
		    ctl_role_name(r->role), "doc", r->doc, "query",
		    keys_to_json(r->query), "body", keys_to_json(r->keys),
		    "answer", answer_of(r, answers))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

void
ctl_schema(struct ctl_request *req)
{
	json_t *root = json_loadb(document, sizeof document, 0, NULL);

	ctl_reply(req, 200, json_pack("{s:o, s:O}", "routes",
	    routes_to_json(json_object_get(root, "answers")), "$defs",
	    json_object_get(root, "$defs")));
	json_decref(root);
}
