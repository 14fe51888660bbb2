/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/copy-words.h"

#include <errno.h>

#include "unit.h"

#define N(a) ((int)(sizeof(a) / sizeof(a)[0]))

struct good_range {
	const char *text;
	struct run_range wanted;
};

static const struct good_range good_ranges[] = {
	{ "0:512", { 0, 512, 0 } },
	{ "1GiB:64MiB", { 1 << 30, 64 << 20, 1 << 30 } },
	{ "2048s:8s", { 2048 * 512, 8 * 512, 2048 * 512 } },
	{ "1M:1M:0", { 1 << 20, 1 << 20, 0 } },
	{ "0:4096:1MiB", { 0, 4096, 1 << 20 } },
	{ "1MiB:", { 1 << 20, RUN_LENGTH_ALL, 1 << 20 } },
	{ "1MiB::0", { 1 << 20, RUN_LENGTH_ALL, 0 } },
	{ "0:18446744073709551614", { 0, UINT64_MAX - 1, 0 } },
};

START_TEST(ranges_have_from_length_and_maybe_to)
{
	const struct good_range *good = &good_ranges[_i];
	struct run_range range;

	ck_assert_int_eq(copy_range_parse(good->text, &range, NULL), 0);
	ck_assert_uint_eq(range.from, good->wanted.from);
	ck_assert_uint_eq(range.length, good->wanted.length);
	ck_assert_uint_eq(range.to, good->wanted.to);
}
END_TEST

static const char *const bad_ranges[] = {
	"",
	"512",
	":",
	":512",
	"0:0",
	"0:512:",
	"0:512:0:0",
	"a:512",
	"0:512x",
	"-1:512",
	"0 :512",
	"0:18446744073709551615",
	"2:18446744073709551614",
	"0:2:18446744073709551614",
	"0:99999999999999999999",
	"0:99999999999999999999999999999999999999999999999999999999999999",
};

START_TEST(what_is_no_range_is_refused_with_a_sentence)
{
	struct run_range range = { 7, 7, 7 };
	struct error e = { 0 };

	ck_assert_int_lt(copy_range_parse(bad_ranges[_i], &range, &e), 0);
	ck_assert_str_ne(e.text, "");
	ck_assert_uint_eq(range.from, 7);
}
END_TEST

#define WORDS_MAX 16

struct words {
	int argc;
	char *argv[WORDS_MAX + 1];
};

/* The words of a command line; string literals, not written to. */
static struct words
words_of(const char *const *texts)
{
	struct words w = { 0 };

	for (; texts[w.argc] != NULL; w.argc++)
		w.argv[w.argc] = (char *)(uintptr_t)texts[w.argc];
	return w;
}

START_TEST(a_command_in_brackets_becomes_one_word)
{
	static const char *const texts[] = { "copy", "--json", "[", "nbdkit",
		"--exit-with-parent", "memory", "1G", "]", "nbd://b/", NULL };
	struct words w = words_of(texts);
	struct copy_brackets b;

	ck_assert_int_eq(copy_brackets_fold(&b, &w.argc, w.argv, NULL), 0);
	ck_assert_int_eq(w.argc, 4);
	ck_assert_str_eq(w.argv[2], "[");
	ck_assert_str_eq(w.argv[3], "nbd://b/");
	ck_assert_ptr_null(w.argv[4]);
	ck_assert_int_eq(b.n, 1);
	ck_assert_int_eq(b.v[0].argc, 4);
	ck_assert_str_eq(b.v[0].argv[0], "nbdkit");
	ck_assert_str_eq(b.v[0].argv[3], "1G");
	copy_brackets_done(&b);
}
END_TEST

START_TEST(both_sides_may_be_commands)
{
	static const char *const texts[] = { "copy", "[", "a", "b", "]", "[",
		"c", "]", NULL };
	struct words w = words_of(texts);
	struct copy_brackets b;
	struct endpoint_spec *source = NULL;
	struct endpoint_spec *destination = NULL;

	ck_assert_int_eq(copy_brackets_fold(&b, &w.argc, w.argv, NULL), 0);
	ck_assert_int_eq(w.argc, 3);
	ck_assert_int_eq(
	    copy_brackets_to_spec(&b, w.argv[1], &source, NULL), 0);
	ck_assert_int_eq(
	    copy_brackets_to_spec(&b, w.argv[2], &destination, NULL), 0);
	ck_assert_int_eq(source->type, ENDPOINT_COMMAND);
	ck_assert_str_eq(source->argv[1], "b");
	ck_assert_ptr_null(source->argv[2]);
	ck_assert_str_eq(destination->argv[0], "c");
	endpoint_spec_free(source);
	endpoint_spec_free(destination);
	copy_brackets_done(&b);
}
END_TEST

START_TEST(words_without_brackets_stay_as_they_are)
{
	static const char *const texts[] = { "copy", "disk.img", "null:",
		NULL };
	struct words w = words_of(texts);
	struct copy_brackets b;
	struct endpoint_spec *spec = NULL;

	ck_assert_int_eq(copy_brackets_fold(&b, &w.argc, w.argv, NULL), 0);
	ck_assert_int_eq(w.argc, 3);
	ck_assert_int_eq(copy_brackets_to_spec(&b, w.argv[1], &spec, NULL), 0);
	ck_assert_int_eq(spec->type, ENDPOINT_PATH);
	endpoint_spec_free(spec);
	copy_brackets_done(&b);
}
END_TEST

static const char *const bad_words[][10] = {
	{ "copy", "[", "a", "b", NULL },
	{ "copy", "[", "]", "b", NULL },
	{ "copy", "a", "]", NULL },
	{ "copy", "[", "a", "]", "]", NULL },
	{ "copy", "[", NULL },
	{ "copy", "[", "a", "]", "[", "b", "]", "[", "c", NULL },
};

START_TEST(brackets_that_do_not_match_are_refused_with_a_sentence)
{
	const char *texts[11] = { NULL };
	struct copy_brackets b;
	struct error e = { 0 };
	struct words w;

	for (size_t i = 0; i < 10; i++)
		texts[i] = bad_words[_i][i];
	w = words_of(texts);
	ck_assert_int_eq(copy_brackets_fold(&b, &w.argc, w.argv, &e), -EINVAL);
	ck_assert_str_ne(e.text, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/copy-words");
	TCase *tc = tcase_create("words");

	tcase_add_loop_test(tc, ranges_have_from_length_and_maybe_to, 0,
	    N(good_ranges));
	tcase_add_loop_test(tc, what_is_no_range_is_refused_with_a_sentence, 0,
	    N(bad_ranges));
	tcase_add_test(tc, a_command_in_brackets_becomes_one_word);
	tcase_add_test(tc, both_sides_may_be_commands);
	tcase_add_test(tc, words_without_brackets_stay_as_they_are);
	tcase_add_loop_test(tc,
	    brackets_that_do_not_match_are_refused_with_a_sentence, 0,
	    N(bad_words));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
