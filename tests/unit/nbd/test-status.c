/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Block status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "unit.h"

#define DONE   NBD_REPLY_FLAG_DONE
#define LENGTH 65536U
#define OFFSET 4096U

static const struct disk_kind one_context = { .structured = true,
	.n_contexts = 1 };
static const struct disk_kind two_contexts = { .structured = true,
	.n_contexts = 2 };

static struct script t;
static struct nbd_extents extents[2];
static struct nbd_request req;

static void
setup(void)
{
	memset(extents, 0, sizeof extents);
	req = (struct nbd_request){ .command = NBD_CMD_BLOCK_STATUS,
		.offset = OFFSET,
		.length = LENGTH,
		.extents = extents };
}

static void
teardown(void)
{
	script_close(&t);
	free(extents[0].v);
	free(extents[1].v);
}

static void
open_status(const struct disk_kind *kind, int cut)
{
	script_open_disk(&t, kind, cut);
	script_submit(&t, &req);
}

static void
say_status(uint16_t flags, uint32_t id, uint32_t n)
{
	say_chunk(&t, &req, flags, NBD_REPLY_TYPE_BLOCK_STATUS, 4 + 8 * n);
	say32(&t, id);
}

static void
say_extent(uint32_t length, uint32_t flags)
{
	say32(&t, length);
	say32(&t, flags);
}

static void
expect_extent(size_t context, size_t i, uint64_t length, uint64_t flags)
{
	ck_assert_uint_lt(i, extents[context].n);
	ck_assert_uint_eq(extents[context].v[i].length, length);
	ck_assert_uint_eq(extents[context].v[i].flags, flags);
}

START_TEST(extents_are_told_and_equal_neighbours_joined)
{
	open_status(&one_context, _i);
	say_status(DONE, 0, 4);
	say_extent(1000, 3);
	say_extent(500, 0);
	say_extent(24, 0);
	say_extent(LENGTH - 1524, 2);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_uint_eq(extents[0].n, 3);
	expect_extent(0, 0, 1000, 3);
	expect_extent(0, 1, 524, 0);
	expect_extent(0, 2, LENGTH - 1524, 2);
}
END_TEST

START_TEST(the_memory_of_an_answer_serves_the_next)
{
	open_status(&one_context, _i);
	say_status(DONE, 0, 2);
	say_extent(512, 0);
	say_extent(512, 1);
	script_tell(&t);
	expect_done(&t, &req, 0);
	script_submit(&t, &req);
	ck_assert_uint_eq(extents[0].n, 0);
	say_status(DONE, 0, 1);
	say_extent(LENGTH, 2);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_uint_eq(extents[0].n, 1);
	expect_extent(0, 0, LENGTH, 2);
}
END_TEST

START_TEST(an_answer_may_be_shorter_than_the_question)
{
	open_status(&one_context, _i);
	say_status(DONE, 0, 1);
	say_extent(1, 2);
	script_tell(&t);
	expect_done(&t, &req, 0);
	expect_extent(0, 0, 1, 2);
}
END_TEST

START_TEST(the_last_extent_may_go_on_to_the_end_of_the_disk)
{
	open_status(&one_context, _i);
	say_status(DONE, 0, 2);
	say_extent(LENGTH - 1, 2);
	say_extent(_i == 0 ? UINT32_MAX : DISK_SIZE - OFFSET - LENGTH + 2, 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
	expect_extent(0, 0, LENGTH - 1, 2);
	expect_extent(0, 1, DISK_SIZE - OFFSET - LENGTH + 1, 0);
}
END_TEST

START_TEST(an_extent_behind_the_request_fails_it)
{
	open_status(&one_context, _i);
	say_status(DONE, 0, 2);
	say_extent(LENGTH, 2);
	say_extent(512, 0);
	script_tell(&t);
	expect_done(&t, &req, -EPROTO);
	ck_assert_ptr_nonnull(strstr(req.message, "beyond the request"));
	ck_assert_uint_eq(extents[0].n, 0);
	expect_phase(&t, NBD_PHASE_READY);
}
END_TEST

START_TEST(an_extent_of_no_length_fails_the_request)
{
	open_status(&one_context, _i);
	say_status(DONE, 0, 3);
	say_extent(512, 2);
	say_extent(0, 0);
	say_extent(512, 0);
	script_tell(&t);
	expect_done(&t, &req, -EPROTO);
	ck_assert_ptr_nonnull(strstr(req.message, "no length"));
	ck_assert_uint_eq(extents[0].n, 0);
	/* The rest was skipped: the next answer is understood. */
	script_submit(&t, &req);
	say_status(DONE, 0, 1);
	say_extent(512, 2);
	script_tell(&t);
	expect_done(&t, &req, 0);
}
END_TEST

START_TEST(one_extent_is_one_and_not_longer)
{
	req.flags = NBD_CMD_FLAG_REQ_ONE;
	open_status(&one_context, _i);
	say_status(DONE, 0, 1);
	say_extent(2 * LENGTH, 2);
	script_tell(&t);
	expect_done(&t, &req, 0);
	expect_extent(0, 0, LENGTH, 2);
	script_submit(&t, &req);
	say_status(DONE, 0, 2);
	say_extent(512, 2);
	say_extent(512, 0);
	script_tell(&t);
	expect_done(&t, &req, -EPROTO);
}
END_TEST

START_TEST(contexts_are_answered_in_any_order)
{
	open_status(&two_contexts, _i);
	say_status(0, 1, 1);
	say_extent(LENGTH, 1);
	script_tell(&t);
	expect_none_done(&t);
	say_status(0, 0, 2);
	say_extent(512, 3);
	say_extent(512, 0);
	say_done(&t, &req);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_uint_eq(extents[0].n, 2);
	ck_assert_uint_eq(extents[1].n, 1);
	expect_extent(1, 0, LENGTH, 1);
}
END_TEST

START_TEST(a_context_left_out_fails_the_request)
{
	open_status(&two_contexts, _i);
	say_status(DONE, 0, 1);
	say_extent(512, 3);
	script_tell(&t);
	expect_done(&t, &req, -EPROTO);
	ck_assert_ptr_nonnull(strstr(req.message, "left the block status out"));
	ck_assert_uint_eq(extents[0].n, 0);
}
END_TEST

START_TEST(success_with_nothing_in_it_fails_the_request)
{
	open_status(&one_context, _i);
	say_done(&t, &req);
	script_tell(&t);
	expect_done(&t, &req, -EPROTO);
	expect_phase(&t, NBD_PHASE_READY);
}
END_TEST

START_TEST(an_error_empties_the_answer)
{
	open_status(&one_context, _i);
	say_status(0, 0, 1);
	say_extent(512, 3);
	say_error(&t, &req, DONE, 75, "too much");
	script_tell(&t);
	expect_done(&t, &req, -EOVERFLOW);
	ck_assert_str_eq(req.message, "too much");
	ck_assert_uint_eq(extents[0].n, 0);
}
END_TEST

START_TEST(what_comes_behind_an_error_is_ignored)
{
	open_status(&one_context, _i);
	say_error(&t, &req, 0, 5, "");
	say_status(DONE, 0, 2);
	say_extent(512, 3);
	say_extent(0, 3);
	script_tell(&t);
	expect_done(&t, &req, -EIO);
	ck_assert_uint_eq(extents[0].n, 0);
}
END_TEST

START_TEST(an_unknown_context_is_a_violation)
{
	open_status(&one_context, _i);
	say_status(DONE, 1, 1);
	say_extent(512, 3);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "unknown context (1)");
	expect_done(&t, &req, -ENOTCONN);
}
END_TEST

START_TEST(a_context_answered_twice_is_a_violation)
{
	open_status(&one_context, _i);
	say_status(0, 0, 1);
	say_extent(512, 3);
	say_status(DONE, 0, 1);
	say_extent(512, 3);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "in two chunks");
	expect_done(&t, &req, -ENOTCONN);
	ck_assert_uint_eq(extents[0].n, 0);
}
END_TEST

static const uint32_t bad_lengths[] = { 0, 4, 8, 11, 13, 20 + 1,
	NBD_MAX_STATUS_CHUNK + 8, UINT32_MAX };

#define N_BAD_LENGTHS ((int)(sizeof bad_lengths / sizeof bad_lengths[0]))

START_TEST(a_chunk_of_no_whole_extents_is_a_violation)
{
	open_status(&one_context, SCRIPT_N_CUTS - 1);
	say_chunk(&t, &req, DONE, NBD_REPLY_TYPE_BLOCK_STATUS,
	    bad_lengths[_i]);
	say_zeroes(&t, 64);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "the server broke");
}
END_TEST

START_TEST(no_more_extents_are_kept_than_the_limit)
{
	uint32_t n = NBD_MAX_EXTENTS + 1000;

	req.length = DISK_SIZE - OFFSET;
	open_status(&one_context, SCRIPT_N_CUTS - 1);
	say_status(DONE, 0, n);
	for (uint32_t i = 0; i < n; i++)
		say_extent(1, i % 2 == 0 ? 0 : 3);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_uint_eq(extents[0].n, NBD_MAX_EXTENTS);
	for (size_t i = 0; i < NBD_MAX_EXTENTS; i++)
		expect_extent(0, i, 1, i % 2 == 0 ? 0 : 3);
}
END_TEST

START_TEST(a_map_of_single_bytes_of_one_kind_is_one_extent)
{
	uint32_t n = 100000;

	req.length = DISK_SIZE - OFFSET;
	open_status(&one_context, SCRIPT_N_CUTS - 1);
	say_status(DONE, 0, n);
	for (uint32_t i = 0; i < n; i++)
		say_extent(1, 2);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_uint_eq(extents[0].n, 1);
	expect_extent(0, 0, n, 2);
}
END_TEST

static void
add_answers(TCase *tc)
{
	tcase_add_loop_test(tc, extents_are_told_and_equal_neighbours_joined,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, the_memory_of_an_answer_serves_the_next, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_answer_may_be_shorter_than_the_question, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    the_last_extent_may_go_on_to_the_end_of_the_disk, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, one_extent_is_one_and_not_longer, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, contexts_are_answered_in_any_order, 0,
	    SCRIPT_N_CUTS);
	tcase_add_test(tc, no_more_extents_are_kept_than_the_limit);
	tcase_add_test(tc, a_map_of_single_bytes_of_one_kind_is_one_extent);
}

static void
add_faults(TCase *tc)
{
	tcase_add_loop_test(tc, an_extent_behind_the_request_fails_it, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_extent_of_no_length_fails_the_request, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_context_left_out_fails_the_request, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, success_with_nothing_in_it_fails_the_request,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_error_empties_the_answer, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, what_comes_behind_an_error_is_ignored, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_unknown_context_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_context_answered_twice_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_chunk_of_no_whole_extents_is_a_violation, 0,
	    N_BAD_LENGTHS);
}

int
main(void)
{
	Suite *s = suite_create("nbd/status");
	TCase *answers = tcase_create("answers");
	TCase *faults = tcase_create("faults");

	tcase_add_checked_fixture(answers, setup, teardown);
	tcase_add_checked_fixture(faults, setup, teardown);
	add_answers(answers);
	add_faults(faults);
	suite_add_tcase(s, answers);
	suite_add_tcase(s, faults);
	return unit_main(s);
}
