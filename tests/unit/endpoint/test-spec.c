/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "endpoint/spec.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static struct endpoint_spec *spec;
static struct error err;

static void
setup(void)
{
	spec = NULL;
	err.text[0] = '\0';
}

static void
teardown(void)
{
	endpoint_spec_free(spec);
}

START_TEST(a_uri_is_an_nbd_endpoint)
{
	ck_assert_int_eq(endpoint_spec_from_text(NULL, "nbd://host/disk",
			     &spec, &err),
	    0);
	ck_assert_int_eq(spec->type, ENDPOINT_NBD);
	ck_assert_str_eq(spec->uri, "nbd://host/disk");
	ck_assert_str_eq(spec->name, "nbd://host/disk");
}
END_TEST

START_TEST(a_bad_uri_is_refused_and_not_taken_for_a_path)
{
	ck_assert_int_eq(endpoint_spec_from_text(NULL, "nbd://ho st/", &spec,
			     &err),
	    -EINVAL);
	ck_assert_ptr_null(spec);
	ck_assert(strstr(err.text, "nbd://ho st/") != NULL);
	ck_assert_int_eq(endpoint_spec_from_text(NULL, "http://host/", &spec,
			     &err),
	    -EINVAL);
}
END_TEST

START_TEST(other_words_are_paths)
{
	ck_assert_int_eq(endpoint_spec_from_text("vm1", "disk.img", &spec,
			     &err),
	    0);
	ck_assert_int_eq(spec->type, ENDPOINT_PATH);
	ck_assert_str_eq(spec->path, "disk.img");
	ck_assert_str_eq(spec->name, "vm1");
}
END_TEST

START_TEST(null_is_a_word_of_its_own)
{
	ck_assert_int_eq(endpoint_spec_from_text(NULL, "null:", &spec, &err),
	    0);
	ck_assert_int_eq(spec->type, ENDPOINT_NULL);
}
END_TEST

START_TEST(an_empty_word_is_refused)
{
	ck_assert_int_eq(endpoint_spec_from_text(NULL, "", &spec, &err),
	    -EINVAL);
}
END_TEST

START_TEST(a_command_keeps_its_words)
{
	const char *const argv[] = { "nbdkit", "memory", "1G" };

	ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, 3, &spec,
			     &err),
	    0);
	ck_assert_int_eq(spec->type, ENDPOINT_COMMAND);
	ck_assert_str_eq(spec->name, "nbdkit");
	ck_assert_str_eq(spec->argv[2], "1G");
	ck_assert_ptr_null(spec->argv[3]);
}
END_TEST

START_TEST(a_command_without_words_is_refused)
{
	const char *const argv[] = { "" };

	ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, 0, &spec,
			     &err),
	    -EINVAL);
	ck_assert_int_eq(endpoint_spec_from_command(NULL, argv, 1, &spec,
			     &err),
	    -EINVAL);
}
END_TEST

START_TEST(a_copy_is_equal_and_independent)
{
	const char *const argv[] = { "nbdkit", "null" };
	struct endpoint_spec *copy;

	ck_assert_int_eq(endpoint_spec_from_command("d", argv, 2, &spec, &err),
	    0);
	copy = endpoint_spec_copy(spec);
	ck_assert_ptr_nonnull(copy);
	endpoint_spec_free(spec);
	spec = copy;
	ck_assert_str_eq(spec->name, "d");
	ck_assert_str_eq(spec->argv[1], "null");
	ck_assert_ptr_null(spec->argv[2]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("endpoint/spec");
	TCase *t = tcase_create("spec");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_uri_is_an_nbd_endpoint);
	tcase_add_test(t, a_bad_uri_is_refused_and_not_taken_for_a_path);
	tcase_add_test(t, other_words_are_paths);
	tcase_add_test(t, null_is_a_word_of_its_own);
	tcase_add_test(t, an_empty_word_is_refused);
	tcase_add_test(t, a_command_keeps_its_words);
	tcase_add_test(t, a_command_without_words_is_refused);
	tcase_add_test(t, a_copy_is_equal_and_independent);
	suite_add_tcase(s, t);
	return unit_main(s);
}
