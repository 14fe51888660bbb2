/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "digest/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* What sha256sum and xxhsum -H2 say. */
static const struct {
	enum digest_algorithm algorithm;
	const char *bytes;
	const char *value;
} known[] = {
	{ DIGEST_SHA256, "",
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855" },
	{ DIGEST_SHA256, "abc",
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad" },
	{ DIGEST_XXH3, "", "99aa06d3014798d86001c324468d497f" },
	{ DIGEST_XXH3, "abc", "06b05ab6733a618578af5f94892f3950" },
};

static const char *
end(struct digest *d, enum digest_algorithm algorithm)
{
	static char text[DIGEST_TEXT_SIZE];
	unsigned char value[DIGEST_MAX_SIZE];

	ck_assert_int_eq(digest_end(d, value), 0);
	return digest_format(algorithm, value, text);
}

START_TEST(values_are_those_of_the_usual_programs)
{
	struct digest *d;

	ck_assert_int_eq(digest_new(known[_i].algorithm, &d), 0);
	digest_add(d, known[_i].bytes, strlen(known[_i].bytes));
	ck_assert_str_eq(end(d, known[_i].algorithm), known[_i].value);
	digest_free(d);
}
END_TEST

START_TEST(after_its_end_a_digest_begins_anew)
{
	struct digest *d;

	ck_assert_int_eq(digest_new(known[_i].algorithm, &d), 0);
	digest_add(d, "x", 1);
	(void)end(d, known[_i].algorithm);
	digest_add(d, known[_i].bytes, strlen(known[_i].bytes));
	ck_assert_str_eq(end(d, known[_i].algorithm), known[_i].value);
	digest_free(d);
}
END_TEST

START_TEST(zeroes_count_as_bytes_and_pieces_do_not_matter)
{
	enum digest_algorithm algorithm = known[_i].algorithm;
	size_t len = 200001;
	unsigned char *bytes = calloc(1, len);
	char whole[DIGEST_TEXT_SIZE];
	struct digest *d;

	ck_assert_int_eq(digest_new(algorithm, &d), 0);
	bytes[0] = 1;
	bytes[len - 1] = 2;
	digest_add(d, bytes, len);
	strcpy(whole, end(d, algorithm));
	digest_add(d, bytes, 1);
	digest_add_zeroes(d, len - 2);
	digest_add_zeroes(d, 0);
	digest_add(d, bytes + len - 1, 1);
	ck_assert_str_eq(end(d, algorithm), whole);
	digest_free(d);
	free(bytes);
}
END_TEST

START_TEST(names_are_found_and_others_are_not)
{
	enum digest_algorithm algorithm = DIGEST_NONE;

	ck_assert_int_eq(digest_find("sha256", &algorithm), 0);
	ck_assert_int_eq(algorithm, DIGEST_SHA256);
	ck_assert_int_eq(digest_find("xxh3", &algorithm), 0);
	ck_assert_str_eq(digest_name(algorithm), "xxh3");
	ck_assert_int_eq(digest_find("md5", &algorithm), -EINVAL);
	ck_assert_int_eq(digest_find("", &algorithm), -EINVAL);
	ck_assert_int_eq(algorithm, DIGEST_XXH3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("digest/digest");
	TCase *t = tcase_create("digest");
	int n = sizeof known / sizeof known[0];

	tcase_add_loop_test(t, values_are_those_of_the_usual_programs, 0, n);
	tcase_add_loop_test(t, after_its_end_a_digest_begins_anew, 0, n);
	tcase_add_loop_test(t, zeroes_count_as_bytes_and_pieces_do_not_matter,
	    0, n);
	tcase_add_test(t, names_are_found_and_others_are_not);
	suite_add_tcase(s, t);
	return unit_main(s);
}
