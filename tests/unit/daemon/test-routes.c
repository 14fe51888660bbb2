/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Routes: which handler a request reaches, and with which job.
 */
#include "control/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manual.h"
#include "unit.h"

static struct ctl_path_names names;
#define job names.job
static const struct ctl_route *route;
static enum ctl_method allowed;

static int
find(enum ctl_method method, const char *path)
{
	route = NULL;
	return ctl_routes_find(method, path, &names, &route, &allowed);
}

/* By the table as it is, for every row. */
START_TEST(every_route_is_found_by_its_pattern)
{
	const struct ctl_route *wanted = &ctl_routes[_i];
	char path[128];
	const char *variable = strchr(wanted->pattern, '{');
	bool is_job = strstr(wanted->pattern, "{job}") != NULL;

	strcpy(path, wanted->pattern);
	if (variable != NULL) {
		strcpy(path + (variable - wanted->pattern), "vm1");
		strcat(path, strchr(variable, '}') + 1);
	}
	ck_assert_int_eq(find(wanted->method, path), 0);
	ck_assert_ptr_eq(route, wanted);
	ck_assert_str_eq(job, is_job ? "vm1" : "");
	ck_assert_str_eq(names.name,
	    variable != NULL && !is_job ? "vm1" : "");
	ck_assert_ptr_nonnull(wanted->handle);
	ck_assert_ptr_nonnull(wanted->doc);
	/* Who changes something needs a role for it. */
	if (wanted->method != CTL_GET)
		ck_assert_int_ge(wanted->role, CTL_OPERATOR);
}
END_TEST

START_TEST(names_are_decoded)
{
	ck_assert_int_eq(find(CTL_GET, "/v1/jobs/v%6d1"), 0);
	ck_assert_str_eq(job, "vm1");
}
END_TEST

START_TEST(what_is_no_name_becomes_no_job)
{
	static const char *const paths[] = {
		"/v1/jobs/vm1%00", "/v1/jobs/a%20b", "/v1/jobs/%2e%2e",
		"/v1/jobs/a%2fb", "/v1/jobs/-x",
		("/v1/jobs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaa"),
	};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		ck_assert_int_eq(find(CTL_GET, paths[i]), 0);
		ck_assert_str_eq(job, "");
	}
}
END_TEST

START_TEST(other_paths_are_not_found)
{
	static const char *const paths[] = {
		"", "//", "/v1", "/v1/", "/v2/jobs", "/v1/jobs/", "/v1/jobs//",
		"/v1/jobs/vm1/", "/v1/jobs/vm1/star", "/v1/jobs/vm1/started",
		"/v1/jobs/vm1/start/x", "/v1/jobs//start", "v1/jobs",
		"/v1/versions",
	};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		ck_assert_msg(find(CTL_GET, paths[i]) == -ENOENT, "%s",
		    paths[i]);
}
END_TEST

START_TEST(other_methods_hear_which_one_is_allowed)
{
	ck_assert_int_eq(find(CTL_GET, "/v1/jobs/vm1/start"), -EOPNOTSUPP);
	ck_assert_int_eq(allowed, CTL_POST);
	ck_assert_int_eq(find(CTL_OTHER, "/v1/jobs"), -EOPNOTSUPP);
	ck_assert_int_eq(allowed, CTL_GET);
}
END_TEST

static const struct ctl_key some_keys[] = {
	{ "reason", JSON_STRING, "" },
	{ "full", JSON_TRUE, "" },
	{ "n", JSON_INTEGER, "" },
	{ NULL, JSON_NULL, NULL },
};

static int
check_body(const struct ctl_key *keys, const char *text, struct error *e)
{
	const struct ctl_route r = { .keys = keys };
	json_t *body = json_loads(text, 0, NULL);
	int result = ctl_route_check_body(&r, body, e);

	json_decref(body);
	return result;
}

START_TEST(a_body_has_only_keys_that_the_route_knows)
{
	struct error e;

	ck_assert_int_eq(check_body(some_keys, "{}", &e), 0);
	ck_assert_int_eq(check_body(NULL, "{}", &e), 0);
	ck_assert_int_eq(check_body(some_keys,
	    "{\"reason\": \"x\", \"full\": false, \"n\": 3}", &e), 0);
	ck_assert_int_eq(check_body(some_keys, "{\"raeson\": 1}", &e),
	    -EINVAL);
	ck_assert_str_eq(e.text, "unknown key \"raeson\" in the body; did "
	    "you mean \"reason\"?");
	ck_assert_int_eq(check_body(NULL, "{\"x\\n\": 1}", &e), -EINVAL);
	ck_assert_str_eq(e.text, "unknown key \"x\\x0A\" in the body");
	ck_assert_int_eq(check_body(some_keys, "{\"full\": 1}", &e), -EINVAL);
	ck_assert_str_eq(e.text, "\"full\" in the body must be of type "
	    "boolean");
}
END_TEST

START_TEST(a_query_has_only_keys_that_the_route_knows)
{
	static const struct ctl_route r = { .query = some_keys };
	static const struct ctl_route none = { .query = NULL };
	struct error e;

	ck_assert_int_eq(ctl_route_check_query(&r, "reason", &e), 0);
	ck_assert_int_eq(ctl_route_check_query(&r, "raeson", &e), -EINVAL);
	ck_assert_str_eq(e.text, "unknown key \"raeson\" in the query of the "
	    "URI; did you mean \"reason\"?");
	ck_assert_int_eq(ctl_route_check_query(&none, "x", &e), -EINVAL);
	ck_assert_str_eq(e.text, "unknown key \"x\" in the query of the URI");
}
END_TEST

static json_t *
read_schema(void)
{
	char *text = manual_read("daemon/control/schema.json");
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(root != NULL, "line %d: %s", error.line, error.text);
	free(text);
	return root;
}

/* A page, or metrics, is no JSON. */
static bool
is_other(const struct ctl_route *r)
{
	return strcmp(r->pattern, "/") == 0 ||
	    strcmp(r->pattern, "/metrics") == 0;
}

START_TEST(schema_has_an_answer_for_each_route_and_no_more)
{
	json_t *root = read_schema();
	const json_t *answers = json_object_get(root, "answers");
	const json_t *defs = json_object_get(root, "$defs");
	size_t n = 0;

	for (size_t i = 0; i < n_ctl_routes; i++) {
		char name[128];
		const char *def;

		(void)snprintf(name, sizeof name, "%s %s",
		    ctl_method_name(ctl_routes[i].method),
		    ctl_routes[i].pattern);
		def = json_string_value(json_object_get(answers, name));
		if (is_other(&ctl_routes[i])) {
			ck_assert_ptr_null(def);
			continue;
		}
		ck_assert_msg(def != NULL, "%s", name);
		ck_assert_msg(json_is_object(json_object_get(defs, def)),
		    "%s", def);
		n++;
	}
	ck_assert_uint_eq(json_object_size(answers), n);
	json_decref(root);
}
END_TEST

START_TEST(schema_has_the_states_that_there_are)
{
	json_t *root = read_schema();
	const json_t *states = json_object_get(json_object_get(
	    json_object_get(root, "$defs"), "state"), "enum");
	size_t n = 0;

	for (; job_states[n] != NULL; n++)
		ck_assert_str_eq(json_string_value(json_array_get(states, n)),
		    job_states[n]);
	ck_assert_uint_eq(json_array_size(states), n);
	json_decref(root);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/control/routes");
	TCase *tc = tcase_create("routes");

	tcase_add_loop_test(tc, every_route_is_found_by_its_pattern, 0,
	    (int)n_ctl_routes);
	tcase_add_test(tc, names_are_decoded);
	tcase_add_test(tc, what_is_no_name_becomes_no_job);
	tcase_add_test(tc, other_paths_are_not_found);
	tcase_add_test(tc, other_methods_hear_which_one_is_allowed);
	tcase_add_test(tc, a_body_has_only_keys_that_the_route_knows);
	tcase_add_test(tc, a_query_has_only_keys_that_the_route_knows);
	tcase_add_test(tc, schema_has_an_answer_for_each_route_and_no_more);
	tcase_add_test(tc, schema_has_the_states_that_there_are);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
