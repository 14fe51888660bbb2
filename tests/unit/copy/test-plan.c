/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/plan.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

#define MIB (1024U * 1024)

static struct disk_shape source;
static struct disk_shape destination;
static struct copy_wish wish;
static struct copy_plan plan;
static struct error err;

/* Two servers that offer everything and insist on nothing. */
static void
setup(void)
{
	const struct disk_shape shape = {
		.size = 64ULL * MIB,
		.block_minimum = 1,
		.block_preferred = 4096,
		.block_maximum = 32 * MIB,
		.can_flush = true,
		.can_zero = true,
		.can_multi_conn = true,
		.can_status = true,
	};

	source = shape;
	destination = shape;
	memset(&wish, 0, sizeof wish);
	memset(&plan, 0, sizeof plan);
	err.text[0] = '\0';
}

static void
teardown(void)
{
	copy_plan_done(&plan);
}

static int
make(void)
{
	copy_plan_done(&plan);
	const struct disk_shape *shapes[] = { &destination };
	unsigned target;

	return copy_plan_make(&plan, &source, shapes, 1, &wish, &target, &err);
}

static void
refuses(int code, const char *words)
{
	ck_assert_int_eq(make(), code);
	ck_assert_msg(strstr(err.text, words) != NULL, "'%s' lacks '%s'",
	    err.text, words);
}

START_TEST(the_whole_disk_is_one_piece)
{
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_pieces, 1);
	ck_assert_uint_eq(plan.pieces[0].from, 0);
	ck_assert_uint_eq(plan.pieces[0].to, 0);
	ck_assert_uint_eq(plan.pieces[0].length, source.size);
	ck_assert_uint_eq(plan.total_bytes, source.size);
	ck_assert_uint_eq(plan.n_gave_up, 0);
	ck_assert(plan.use_status && plan.targets[0].use_zero &&
	    plan.targets[0].use_flush);
}
END_TEST

START_TEST(an_empty_disk_has_nothing_to_copy)
{
	source.size = 0;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.total_bytes, 0);
	ck_assert_uint_eq(plan.line_length, 0);
	ck_assert_uint_eq(plan.lanes, 1);
}
END_TEST

START_TEST(an_odd_tail_is_part_of_the_piece)
{
	source.size = destination.size = MIB + 1;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.pieces[0].length, MIB + 1);
	ck_assert_uint_eq(plan.total_bytes, MIB + 1);
}
END_TEST

START_TEST(a_read_only_destination_is_refused)
{
	destination.read_only = true;
	refuses(-EROFS, "destination is read-only");
}
END_TEST

START_TEST(a_smaller_destination_is_refused)
{
	destination.size = source.size - 1;
	refuses(-ENOSPC, "destination is too small: it has 67108863 bytes");
}
END_TEST

START_TEST(a_destination_without_flush_needs_permission)
{
	destination.can_flush = false;
	refuses(-EOPNOTSUPP, "does not offer flush");
	wish.allow_no_flush = true;
	ck_assert_int_eq(make(), 0);
	ck_assert(!plan.targets[0].use_flush);
	ck_assert_uint_eq(plan.n_gave_up, 1);
}
END_TEST

static void
gap_is(size_t i, enum copy_side blocks, uint64_t offset, uint64_t length)
{
	ck_assert_uint_lt(i, plan.n_gaps);
	ck_assert_int_eq(plan.gaps[i].blocks, blocks);
	ck_assert_uint_eq(plan.gaps[i].offset, offset);
	ck_assert_uint_eq(plan.gaps[i].length, length);
}

START_TEST(a_source_is_copied_down_to_its_last_whole_block)
{
	source.block_minimum = 4096;
	source.size = 10 * 4096 + 1;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.total_bytes, 10 * 4096);
	ck_assert_uint_eq(plan.n_gaps, 1);
	gap_is(0, COPY_SOURCE, 10 * 4096, 1);
	ck_assert_uint_eq(plan.gaps[0].block, 4096);
}
END_TEST

START_TEST(what_cannot_be_read_needs_no_room)
{
	source.block_minimum = 4096;
	source.size = 10 * 4096 + 1;
	destination.size = 10 * 4096;
	ck_assert_int_eq(make(), 0);
	destination.size--;
	refuses(-ENOSPC, "40960 bytes at 0 are needed");
}
END_TEST

START_TEST(a_destination_gets_whole_blocks_only)
{
	destination.block_minimum = 4096;
	source.size = 10 * 4096 + 512;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.total_bytes, 10 * 4096);
	gap_is(0, COPY_DESTINATION, 10 * 4096, 512);
}
END_TEST

START_TEST(a_disk_smaller_than_a_block_is_a_gap)
{
	destination.block_minimum = 4096;
	source.size = 512;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_pieces, 0);
	ck_assert_uint_eq(plan.total_bytes, 0);
	gap_is(0, COPY_DESTINATION, 0, 512);
}
END_TEST

START_TEST(each_destination_gets_what_its_blocks_allow)
{
	struct disk_shape third = destination;
	const struct disk_shape *shapes[] = { &destination, &source, &third };
	unsigned target;

	destination.block_minimum = 4096;
	third.block_minimum = 512;
	source.size = 40960 + 1024 + 7;
	ck_assert_int_eq(copy_plan_make(&plan, &source, shapes, 3, &wish,
	    &target, &err), 0);
	ck_assert_uint_eq(plan.total_bytes, source.size);
	ck_assert_uint_eq(plan.targets[0].total_bytes, 40960);
	ck_assert_uint_eq(plan.targets[1].total_bytes, source.size);
	ck_assert_uint_eq(plan.targets[2].total_bytes, 40960 + 1024);
	ck_assert_uint_eq(plan.n_pieces, 3);
	ck_assert_uint_eq(plan.pieces[0].targets, 7);
	ck_assert_uint_eq(plan.pieces[1].targets, 6);
	ck_assert_uint_eq(plan.pieces[1].from, 40960);
	ck_assert_uint_eq(plan.pieces[1].length, 1024);
	ck_assert_uint_eq(plan.pieces[2].targets, 2);
	ck_assert_uint_eq(plan.pieces[2].length, 7);
	ck_assert_uint_eq(plan.n_gaps, 2);
	gap_is(0, COPY_DESTINATION, 40960, 1024 + 7);
	ck_assert_uint_eq(plan.gaps[0].targets, 1);
	gap_is(1, COPY_DESTINATION, 40960 + 1024, 7);
	ck_assert_uint_eq(plan.gaps[1].targets, 4);
}
END_TEST

START_TEST(the_rest_is_kept_unless_asked_for)
{
	destination.size = source.size + MIB;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_pieces, 1);
	wish.zero_rest = true;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_pieces, 2);
	ck_assert(plan.pieces[1].is_rest);
	ck_assert_uint_eq(plan.pieces[1].to, source.size);
	ck_assert_uint_eq(plan.pieces[1].length, MIB);
	ck_assert_uint_eq(plan.total_bytes, destination.size);
	ck_assert_uint_eq(plan.n_gaps, 0);
}
END_TEST

START_TEST(the_rest_is_zeroed_in_whole_blocks)
{
	wish.zero_rest = true;
	destination.block_minimum = 4096;
	source.size = 4096 + 100;
	destination.size = 5 * 4096 + 10;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.pieces[1].to, 2 * 4096);
	ck_assert_uint_eq(plan.pieces[1].length, 3 * 4096);
	ck_assert_uint_eq(plan.n_gaps, 3);
	gap_is(0, COPY_DESTINATION, 4096, 100);
	gap_is(1, COPY_DESTINATION, 4096 + 100, 4096 - 100);
	gap_is(2, COPY_DESTINATION, 5 * 4096, 10);
	destination.size = 4096 + 200;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_pieces, 1);
	gap_is(1, COPY_DESTINATION, 4096 + 100, 100);
}
END_TEST

/* Of two that overlap, since they are of different destinations. */
START_TEST(a_place_in_a_rest_is_found_for_its_destination)
{
	struct disk_shape second = destination;
	const struct disk_shape *shapes[] = { &destination, &second };
	unsigned target;
	int i;

	wish.zero_rest = true;
	source.size = MIB;
	destination.size = 4ULL * MIB;
	second.size = 2 * MIB + 7;
	ck_assert_int_eq(copy_plan_make(&plan, &source, shapes, 2, &wish,
	    &target, &err), 0);
	for (i = 0; i < 2; i++) {
		const struct copy_piece *p = copy_plan_piece_to(&plan, 1U << i,
		    MIB + 4096);

		ck_assert_uint_eq(p->targets, 1U << i);
		ck_assert_uint_eq(p->length, i == 0 ? 3 * MIB : MIB + 7);
	}
}
END_TEST

START_TEST(disks_without_a_common_request_size_are_refused)
{
	source.block_minimum = 65536;
	destination.block_maximum = 32768;
	refuses(-EINVAL, "no request size in common");
}
END_TEST

START_TEST(a_range_beyond_the_source_is_refused)
{
	struct copy_range range = { 60ULL * MIB, 5ULL * MIB, 0 };

	wish.ranges = &range;
	wish.n_ranges = 1;
	refuses(-ERANGE, "reaches beyond its end");
	range.from = UINT64_MAX - 511;
	range.length = 1024;
	refuses(-ERANGE, "reaches beyond its end");
}
END_TEST

START_TEST(a_range_beyond_the_destination_is_refused)
{
	struct copy_range range = { 0, 2ULL * MIB, 63ULL * MIB };

	wish.ranges = &range;
	wish.n_ranges = 1;
	refuses(-ENOSPC, "too small");
	range.to = UINT64_MAX - 511;
	refuses(-ENOSPC, "too small");
}
END_TEST

START_TEST(a_range_has_to_be_whole_sectors)
{
	struct copy_range range = { 512, 1024, 2048 };

	wish.ranges = &range;
	wish.n_ranges = 1;
	ck_assert_int_eq(make(), 0);
	range.from = 513;
	refuses(-EINVAL, "not made of whole sectors of 512 bytes");
	range.from = 512;
	range.length = 1000;
	refuses(-EINVAL, "not made of whole sectors");
	range.length = 1024;
	destination.block_minimum = 4096;
	refuses(-EINVAL, "whole sectors of 4096 bytes");
}
END_TEST

START_TEST(the_last_sector_may_be_short)
{
	struct copy_range range = { 512, COPY_LENGTH_ALL, 0 };

	source.size = 1024 + 5;
	wish.ranges = &range;
	wish.n_ranges = 1;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.total_bytes, 512 + 5);
}
END_TEST

START_TEST(a_range_that_begins_at_the_end_is_refused)
{
	struct copy_range range = { 1024, COPY_LENGTH_ALL, 0 };

	source.size = 1024;
	wish.ranges = &range;
	wish.n_ranges = 1;
	refuses(-EINVAL, "source has 1024 bytes: the range from 1024 on is "
	    "empty");
	range.from = 2048;
	refuses(-ERANGE, "beyond its end");
}
END_TEST

START_TEST(a_range_may_be_empty_where_one_says_so)
{
	struct copy_range range = { 1024, COPY_LENGTH_ALL, 0 };

	source.size = 1024;
	wish.ranges = &range;
	wish.n_ranges = 1;
	wish.may_be_empty = true;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.total_bytes, 0);
}
END_TEST

START_TEST(an_empty_disk_has_nothing_to_be_refused)
{
	struct copy_range range = { 0, COPY_LENGTH_ALL, 0 };

	source.size = 0;
	ck_assert_int_eq(make(), 0);
	wish.ranges = &range;
	wish.n_ranges = 1;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.total_bytes, 0);
}
END_TEST

START_TEST(ranges_that_write_the_same_bytes_are_refused)
{
	struct copy_range ranges[] = {
		{ 8192, 4096, 4096 },
		{ 0, 4096, 0 },
		{ 16384, 1024, 7680 },
	};

	wish.ranges = ranges;
	wish.n_ranges = 3;
	refuses(-EINVAL, "destination ranges overlap at byte 7680");
	ranges[2].to = 8192;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_pieces, 3);
}
END_TEST

START_TEST(pieces_start_aligned_on_the_line)
{
	struct copy_range ranges[] = {
		{ 512, COPY_LENGTH_ALL, 0 },
		{ 0, 512, 1024 },
	};

	source.size = 1024 + 5;
	destination.block_minimum = 1;
	wish.ranges = ranges;
	wish.n_ranges = 2;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.pieces[1].position % plan.align, 0);
	ck_assert_ptr_eq(copy_plan_piece_at(&plan, 0), &plan.pieces[0]);
	ck_assert_ptr_eq(copy_plan_piece_at(&plan, plan.pieces[1].position),
	    &plan.pieces[1]);
	ck_assert_ptr_eq(copy_plan_piece_at(&plan,
			     plan.pieces[1].position - 1),
	    &plan.pieces[0]);
}
END_TEST

START_TEST(requests_obey_the_smaller_maximum)
{
	source.block_maximum = 65536;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.request_size, 65536);
	ck_assert_uint_eq(plan.n_gave_up, 0);
	wish.request_size = MIB;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.request_size, 65536);
	ck_assert_uint_eq(plan.n_gave_up, 1);
}
END_TEST

START_TEST(requests_are_larger_where_data_go_through_a_pipe)
{
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.request_size, MIB / 4);
	source.can_pipe = true;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.request_size, MIB / 4);
	destination.can_pipe = true;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.request_size, MIB / 2);
}
END_TEST

START_TEST(data_that_are_looked_at_go_through_no_pipe)
{
	source.can_pipe = true;
	destination.can_pipe = true;
	ck_assert_int_eq(make(), 0);
	ck_assert(plan.can_pipe);
	wish.sparse_grain = 4096;
	ck_assert_int_eq(make(), 0);
	ck_assert(!plan.can_pipe);
	wish.sparse_grain = 0;
	wish.digest = DIGEST_SHA256;
	ck_assert_int_eq(make(), 0);
	ck_assert(!plan.can_pipe);
	wish.digest = DIGEST_NONE;
	wish.mode = COPY_MODE_SYNC;
	ck_assert_int_eq(make(), 0);
	ck_assert(!plan.can_pipe);
}
END_TEST

START_TEST(what_is_not_compared_of_a_larger_disk_is_told)
{
	wish.mode = COPY_MODE_VERIFY;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_gave_up, 0);
	destination.size += MIB;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_gave_up, 1);
	ck_assert(strstr(plan.gave_up[0].sentence, "larger") != NULL);
	wish.zero_rest = true;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.n_gave_up, 0);
}
END_TEST

START_TEST(requests_are_whole_blocks)
{
	source.block_minimum = 4096;
	source.block_maximum = 70000;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.request_size, 69632);
	ck_assert_uint_eq(plan.align, 4096);
}
END_TEST

START_TEST(several_lanes_need_multi_conn_on_both_sides)
{
	wish.connections = 4;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.lanes, 4);
	destination.can_multi_conn = false;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.lanes, 1);
	ck_assert(strstr(plan.gave_up[0].sentence, "destination") != NULL);
	destination.can_multi_conn = true;
	source.can_multi_conn = false;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.lanes, 1);
	ck_assert(strstr(plan.gave_up[0].sentence, "source") != NULL);
}
END_TEST

START_TEST(a_small_disk_gets_no_useless_lane)
{
	source.size = MIB;
	wish.connections = 4;
	ck_assert_int_eq(make(), 0);
	ck_assert_uint_eq(plan.lanes, 1);
}
END_TEST

START_TEST(what_is_done_without_is_said)
{
	source.can_status = false;
	destination.can_zero = false;
	ck_assert_int_eq(make(), 0);
	ck_assert(!plan.use_status && !plan.targets[0].use_zero);
	ck_assert_uint_eq(plan.n_gave_up, 2);
}
END_TEST

START_TEST(trim_is_missed_only_where_it_was_asked_for)
{
	destination.can_trim = false;
	ck_assert_int_eq(make(), 0);
	ck_assert(!plan.skip_holes);
	ck_assert_uint_eq(plan.n_gave_up, 0);
	wish.skips_holes = true;
	ck_assert_int_eq(make(), 0);
	ck_assert(plan.skip_holes && !plan.targets[0].use_trim);
	ck_assert_uint_eq(plan.n_gave_up, 1);
	destination.can_trim = true;
	ck_assert_int_eq(make(), 0);
	ck_assert(plan.targets[0].use_trim);
	ck_assert_uint_eq(plan.n_gave_up, 0);
}
END_TEST

START_TEST(ranges_cannot_add_up_to_more_than_fits)
{
	struct copy_range ranges[3] = { 0 };
	int i;

	source.size = destination.size = INT64_MAX / 512 * 512;
	for (i = 0; i < 3; i++) {
		ranges[i].length = source.size / 2 / 512 * 512;
		ranges[i].to = (uint64_t)i * 512;
	}
	wish.ranges = ranges;
	wish.n_ranges = 3;
	refuses(-EINVAL, "2^63");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy/plan");
	TCase *t = tcase_create("plan");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_whole_disk_is_one_piece);
	tcase_add_test(t, an_empty_disk_has_nothing_to_copy);
	tcase_add_test(t, an_odd_tail_is_part_of_the_piece);
	tcase_add_test(t, a_read_only_destination_is_refused);
	tcase_add_test(t, a_smaller_destination_is_refused);
	tcase_add_test(t, a_destination_without_flush_needs_permission);
	tcase_add_test(t, a_source_is_copied_down_to_its_last_whole_block);
	tcase_add_test(t, what_cannot_be_read_needs_no_room);
	tcase_add_test(t, a_destination_gets_whole_blocks_only);
	tcase_add_test(t, a_disk_smaller_than_a_block_is_a_gap);
	tcase_add_test(t, each_destination_gets_what_its_blocks_allow);
	tcase_add_test(t, the_rest_is_kept_unless_asked_for);
	tcase_add_test(t, the_rest_is_zeroed_in_whole_blocks);
	tcase_add_test(t, a_place_in_a_rest_is_found_for_its_destination);
	tcase_add_test(t, disks_without_a_common_request_size_are_refused);
	tcase_add_test(t, a_range_beyond_the_source_is_refused);
	tcase_add_test(t, a_range_beyond_the_destination_is_refused);
	tcase_add_test(t, a_range_has_to_be_whole_sectors);
	tcase_add_test(t, the_last_sector_may_be_short);
	tcase_add_test(t, a_range_that_begins_at_the_end_is_refused);
	tcase_add_test(t, a_range_may_be_empty_where_one_says_so);
	tcase_add_test(t, an_empty_disk_has_nothing_to_be_refused);
	tcase_add_test(t, ranges_that_write_the_same_bytes_are_refused);
	tcase_add_test(t, pieces_start_aligned_on_the_line);
	tcase_add_test(t, requests_obey_the_smaller_maximum);
	tcase_add_test(t, requests_are_larger_where_data_go_through_a_pipe);
	tcase_add_test(t, data_that_are_looked_at_go_through_no_pipe);
	tcase_add_test(t, what_is_not_compared_of_a_larger_disk_is_told);
	tcase_add_test(t, requests_are_whole_blocks);
	tcase_add_test(t, several_lanes_need_multi_conn_on_both_sides);
	tcase_add_test(t, a_small_disk_gets_no_useless_lane);
	tcase_add_test(t, what_is_done_without_is_said);
	tcase_add_test(t, trim_is_missed_only_where_it_was_asked_for);
	tcase_add_test(t, ranges_cannot_add_up_to_more_than_fits);
	suite_add_tcase(s, t);
	return unit_main(s);
}
