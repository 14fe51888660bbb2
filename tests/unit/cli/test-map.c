/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/map.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* A map that prints into printed. */
static char *printed;
static size_t printed_size;

static struct map
begin(const char *context, uint64_t size)
{
	struct map m = { .context = context, .size = size };

	m.out = open_memstream(&printed, &printed_size);
	ck_assert_ptr_nonnull(m.out);
	return m;
}

static void
finish(struct map *m)
{
	ck_assert_int_eq(fclose(m->out), 0);
	map_done(m);
}

static void
end_with(struct map *m, const char *wanted)
{
	ck_assert_int_eq(map_end(m), 0);
	finish(m);
	ck_assert_str_eq(printed, wanted);
	free(printed);
}

static void
add(struct map *m, uint64_t offset, uint64_t length, uint64_t flags)
{
	map_add(m, m->context, offset, length, flags);
}

/* Data at the start, nothing up to the end, told in three parts. */
static void
add_some(struct map *m)
{
	add(m, 0, 512, 0);
	add(m, 512, 1000, 3);
	add(m, 1512, 488, 3);
	add(m, 2000, 8000, 3);
}

struct meaning {
	const char *context;
	uint64_t flags;
	const char *state;		/* NULL: none */
};

static const struct meaning meanings[] = {
	{ "base:allocation", 0, "data" },
	{ "base:allocation", 1, "hole" },
	{ "base:allocation", 2, "zero" },
	{ "base:allocation", 3, "hole,zero" },
	{ "base:allocation", 4, "data" },
	{ "base:allocation", 7, "hole,zero" },
	{ "qemu:dirty-bitmap:changes", 0, "clean" },
	{ "qemu:dirty-bitmap:changes", 1, "dirty" },
	{ "qemu:dirty-bitmap:a:b c", 3, "dirty" },
	{ "qemu:allocation-depth", 0, "unallocated" },
	{ "qemu:allocation-depth", 1, "local" },
	{ "qemu:allocation-depth", 2, "backing 2" },
	{ "qemu:allocation-depth", UINT64_MAX,
	    "backing 18446744073709551615" },
	{ "qemu:dirty-bitmap", 1, NULL },
	{ "qemu:allocation-depth2", 1, NULL },
	{ "base:allocation ", 0, NULL },
	{ "x:y", 1, NULL },
	{ "", 0, NULL },
};

START_TEST(flags_have_words_where_the_context_is_known)
{
	const struct meaning *meaning = &meanings[_i];
	char buf[MAP_STATE_SIZE];
	const char *state = map_state(meaning->context, meaning->flags, buf);

	if (meaning->state == NULL)
		ck_assert_ptr_null(state);
	else
		ck_assert_str_eq(state, meaning->state);
}
END_TEST

START_TEST(each_extent_is_a_line_and_neighbours_of_one_kind_are_one)
{
	struct map m = begin("base:allocation", 10000);

	add_some(&m);
	end_with(&m, "    0    512  0  data\n"
		     "  512   9488  3  hole,zero\n");
}
END_TEST

START_TEST(an_extent_is_printed_as_soon_as_the_next_one_comes)
{
	struct map m = begin("base:allocation", 10000);

	add(&m, 0, 512, 0);
	add(&m, 512, 512, 3);
	ck_assert_int_eq(fflush(m.out), 0);
	ck_assert_str_eq(printed, "    0    512  0  data\n");
	finish(&m);
	free(printed);
}
END_TEST

START_TEST(columns_are_as_wide_as_the_largest_disk_needs)
{
	struct map m = begin("base:allocation", INT64_MAX);

	add(&m, 0, 1, 0);
	add(&m, 1, INT64_MAX - 1, 3);
	end_with(&m,
	    "                  0                    1  0  data\n"
	    "                  1  9223372036854775806  3  hole,zero\n");
}
END_TEST

START_TEST(unknown_contexts_have_numbers_only)
{
	struct map m = begin("x:y", 10);

	add(&m, 0, 4, UINT64_MAX);
	add(&m, 4, 6, 7);
	end_with(&m, " 0   4  18446744073709551615\n"
		     " 4   6  7\n");
}
END_TEST

START_TEST(as_json_each_extent_is_an_object)
{
	struct map m = begin("base:allocation", 10000);

	m.json = true;
	add_some(&m);
	end_with(&m, "[\n"
	    "  {\"offset_bytes\": 0, \"length_bytes\": 512, "
	    "\"flags\": 0, \"state\": \"data\"},\n"
	    "  {\"offset_bytes\": 512, \"length_bytes\": 9488, "
	    "\"flags\": 3, \"state\": \"hole,zero\"}\n"
	    "]\n");
}
END_TEST

START_TEST(as_json_an_unknown_state_is_null)
{
	struct map m = begin("x:y", 10);

	m.json = true;
	add(&m, 0, 10, 2);
	end_with(&m, "[\n"
	    "  {\"offset_bytes\": 0, \"length_bytes\": 10, "
	    "\"flags\": 2, \"state\": null}\n"
	    "]\n");
}
END_TEST

START_TEST(an_empty_disk_has_no_lines_and_an_empty_array)
{
	struct map m = begin("base:allocation", 0);

	end_with(&m, "");
	m = begin("base:allocation", 0);
	m.json = true;
	end_with(&m, "[]\n");
	m = begin("base:allocation", 0);
	m.totals = true;
	end_with(&m, "");
	m = begin("base:allocation", 0);
	m.json = true;
	m.totals = true;
	end_with(&m, "[]\n");
}
END_TEST

START_TEST(what_was_not_ended_is_no_json)
{
	struct map m = begin("base:allocation", 10000);

	m.json = true;
	add_some(&m);
	finish(&m);
	ck_assert_ptr_null(json_loads(printed, 0, NULL));
	free(printed);
}
END_TEST

START_TEST(totals_are_one_line_a_kind_ordered_by_flags)
{
	struct map m = begin("base:allocation", 10000);

	m.totals = true;
	add_some(&m);
	add(&m, 10000, 1, 1);
	add(&m, 10001, 512, 0);
	end_with(&m, " 1024   10.2%  0  data\n"
		     "    1    0.0%  1  hole\n"
		     " 9488   94.9%  3  hole,zero\n");
}
END_TEST

START_TEST(a_kind_that_is_all_is_100_percent)
{
	struct map m = begin("base:allocation", 3);

	m.totals = true;
	add(&m, 0, 3, 3);
	end_with(&m, "3  100.0%  3  hole,zero\n");
}
END_TEST

START_TEST(totals_as_json_tell_percent_with_a_point)
{
	struct map m = begin("qemu:dirty-bitmap:b", 10000);

	m.json = true;
	m.totals = true;
	add(&m, 0, 1, 1);
	add(&m, 1, 9999, 0);
	end_with(&m, "[\n"
	    "  {\"total_bytes\": 9999, \"percent\": 99.9900, "
	    "\"flags\": 0, \"state\": \"clean\"},\n"
	    "  {\"total_bytes\": 1, \"percent\": 0.0100, "
	    "\"flags\": 1, \"state\": \"dirty\"}\n"
	    "]\n");
}
END_TEST

/* Every second extent is of a new kind, downwards from the highest. */
static void
add_kinds(struct map *m, uint64_t n)
{
	uint64_t offset = 0;

	for (uint64_t i = 0; i < n; i++) {
		add(m, offset++, 1, n - i);
		add(m, offset++, 1, 0);
	}
}

START_TEST(many_kinds_are_summed_up_in_order)
{
	struct map m = begin("x:y", 100000);
	uint64_t sum = 0;
	uint64_t last = 0;

	m.totals = true;
	add_kinds(&m, MAP_MAX_KINDS - 1);
	ck_assert_uint_eq(m.n_kinds, MAP_MAX_KINDS - 1 + 1);
	for (size_t i = 0; i < m.n_kinds; i++) {
		ck_assert(i == 0 || m.kinds[i].flags > last);
		last = m.kinds[i].flags;
		sum += m.kinds[i].length;
	}
	ck_assert_int_eq(map_end(&m), 0);
	ck_assert_uint_eq(sum + 1, 2 * (MAP_MAX_KINDS - 1));
	finish(&m);
	free(printed);
}
END_TEST

START_TEST(too_many_kinds_are_an_error_and_nothing_is_printed)
{
	struct map m = begin("x:y", 100000);

	m.totals = true;
	add_kinds(&m, MAP_MAX_KINDS);
	add(&m, 100000, 1, 1);
	ck_assert_int_eq(map_end(&m), -E2BIG);
	finish(&m);
	ck_assert_str_eq(printed, "");
	free(printed);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof(a)[0]))

int
main(void)
{
	Suite *s = suite_create("cli/map");
	TCase *tc = tcase_create("map");

	tcase_add_loop_test(tc, flags_have_words_where_the_context_is_known, 0,
	    N(meanings));
	tcase_add_test(tc,
	    each_extent_is_a_line_and_neighbours_of_one_kind_are_one);
	tcase_add_test(tc,
	    an_extent_is_printed_as_soon_as_the_next_one_comes);
	tcase_add_test(tc, columns_are_as_wide_as_the_largest_disk_needs);
	tcase_add_test(tc, unknown_contexts_have_numbers_only);
	tcase_add_test(tc, as_json_each_extent_is_an_object);
	tcase_add_test(tc, as_json_an_unknown_state_is_null);
	tcase_add_test(tc, an_empty_disk_has_no_lines_and_an_empty_array);
	tcase_add_test(tc, what_was_not_ended_is_no_json);
	tcase_add_test(tc, totals_are_one_line_a_kind_ordered_by_flags);
	tcase_add_test(tc, a_kind_that_is_all_is_100_percent);
	tcase_add_test(tc, totals_as_json_tell_percent_with_a_point);
	tcase_add_test(tc, many_kinds_are_summed_up_in_order);
	tcase_add_test(tc,
	    too_many_kinds_are_an_error_and_nothing_is_printed);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
