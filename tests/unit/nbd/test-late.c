/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* READs that get their place when their data arrive, and what is piped. */
#include <errno.h>
#include <string.h>

#include "script.h"
#include "unit.h"

enum {
	LENGTH = 8192,
};

static const struct disk_kind simple = { .flags = NBD_FLAG_SEND_FLUSH };
static const struct disk_kind structured = { .flags = NBD_FLAG_SEND_DF,
	.structured = true };

static struct script t;
static uint8_t source[LENGTH];
static uint8_t target[LENGTH];
static const struct iovec whole = { target, LENGTH };
static struct nbd_request req;
static struct nbd_arrival arrival;
static struct nbd_request *piped;

static void
setup(void)
{
	for (size_t i = 0; i < sizeof source; i++)
		source[i] = (uint8_t)(i * 31 + i / 256 + 1);
	memset(target, 0xA5, sizeof target);
	req = (struct nbd_request){ .command = NBD_CMD_READ,
		.offset = 4096,
		.length = LENGTH };
}

static void
teardown(void)
{
	script_close(&t);
}

static void
wants_place(void)
{
	struct iovec iov[2];

	ck_assert(nbd_session_wants_place(t.s, &arrival));
	ck_assert_ptr_eq(arrival.req, &req);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 0);
}

static void
place(const struct iovec *iov, uint64_t n_piped)
{
	req.iov = iov;
	req.n_iov = 1;
	req.n_piped = n_piped;
	nbd_session_placed(t.s);
	ck_assert(!nbd_session_wants_place(t.s, &arrival));
}

START_TEST(a_read_gets_its_place_when_its_data_arrive)
{
	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	ck_assert(!nbd_session_wants_place(t.s, &arrival));
	say_simple(&t, &req, 0);
	say_bytes(&t, source, LENGTH);
	script_tell(&t);
	wants_place();
	ck_assert(arrival.is_whole);
	ck_assert_uint_lt(arrival.n_head, LENGTH);
	ck_assert_mem_eq(arrival.head, source, arrival.n_head);
	expect_none_done(&t);
	place(&whole, 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_mem_eq(target, source, LENGTH);
}
END_TEST

START_TEST(a_place_holds_for_all_pieces_of_a_read)
{
	script_open_disk(&t, &structured, _i);
	script_submit(&t, &req);
	say_data(&t, &req, 0, 4096 + 5000, source + 5000, LENGTH - 5000);
	say_data(&t, &req, NBD_REPLY_FLAG_DONE, 4096, source, 5000);
	script_tell(&t);
	wants_place();
	ck_assert(!arrival.is_whole);
	place(&whole, 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_mem_eq(target, source, LENGTH);
}
END_TEST

/* What has come behind it is not a part of it. */
START_TEST(a_hole_needs_a_place_too)
{
	script_open_disk(&t, &structured, _i);
	script_submit(&t, &req);
	say_hole(&t, &req, 0, 4096, LENGTH - 100);
	say_data(&t, &req, NBD_REPLY_FLAG_DONE, 4096 + LENGTH - 100, source,
	    100);
	script_tell(&t);
	wants_place();
	ck_assert(!arrival.is_whole);
	ck_assert_uint_eq(arrival.n_head, 0);
	place(&whole, 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
	for (size_t i = 0; i < LENGTH - 100; i++)
		ck_assert_uint_eq(target[i], 0);
	ck_assert_mem_eq(target + LENGTH - 100, source, 100);
}
END_TEST

START_TEST(an_error_needs_no_place)
{
	script_open_disk(&t, &structured, _i);
	script_submit(&t, &req);
	say_error(&t, &req, NBD_REPLY_FLAG_DONE, 5, "broken");
	script_tell(&t);
	ck_assert(!nbd_session_wants_place(t.s, &arrival));
	expect_done(&t, &req, -EIO);
}
END_TEST

START_TEST(a_server_that_leaves_while_a_read_waits_ends_it)
{
	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	say_bytes(&t, source, 100);
	script_tell(&t);
	wants_place();
	nbd_session_received_eof(t.s);
	expect_done(&t, &req, -ENOTCONN);
	ck_assert(!nbd_session_wants_place(t.s, &arrival));
	nbd_session_placed(t.s);
	expect_phase(&t, NBD_PHASE_FAILED);
}
END_TEST

/* The head goes to memory, and the rest is counted only. */
static void
pipe_the_rest(void)
{
	static struct iovec head;

	wants_place();
	ck_assert(arrival.is_whole);
	head = (struct iovec){ target, arrival.n_head };
	place(&head, LENGTH - arrival.n_head);
	ck_assert_mem_eq(target, source, head.iov_len);
}

START_TEST(what_is_piped_goes_past_the_session)
{
	struct nbd_request next = { .command = NBD_CMD_FLUSH };
	uint64_t left;

	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	script_submit(&t, &next);
	say_simple(&t, &req, 0);
	say_bytes(&t, source, LENGTH);
	say_simple(&t, &next, 0);
	script_tell(&t);
	pipe_the_rest();
	left = nbd_session_input_piped(t.s, &piped);
	ck_assert_ptr_eq(piped, &req);
	ck_assert_uint_eq(left, req.n_piped);
	ck_assert_uint_ge(t.n_said, left);
	nbd_session_received_piped(t.s, 1);
	ck_assert_uint_eq(nbd_session_input_piped(t.s, &piped), left - 1);
	expect_none_done(&t);
	nbd_session_received_piped(t.s, left - 1);
	expect_done(&t, &req, 0);
	t.n_said -= left;
	memmove(t.said, t.said + left, t.n_said);
	script_tell(&t);
	expect_done(&t, &next, 0);
}
END_TEST

START_TEST(a_read_can_leave_its_pipe_in_the_middle)
{
	size_t n_here;

	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	say_bytes(&t, source, LENGTH);
	script_tell(&t);
	pipe_the_rest();
	nbd_session_received_piped(t.s, 1000);
	n_here = req.iov[0].iov_len + 1000;
	memcpy(target, source, n_here);
	t.n_said -= 1000;
	memmove(t.said, t.said + 1000, t.n_said);
	req.iov = &whole;
	req.n_piped = 0;
	nbd_session_unpiped(t.s);
	ck_assert_uint_eq(nbd_session_input_piped(t.s, &piped), 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_mem_eq(target, source, LENGTH);
}
END_TEST

START_TEST(a_piped_write_is_sent_in_turn)
{
	struct nbd_request next = { .command = NBD_CMD_FLUSH };
	struct iovec head = { source, 100 };
	struct iovec iov[8];

	req.command = NBD_CMD_WRITE;
	req.iov = &head;
	req.n_iov = 1;
	req.n_piped = LENGTH - 100;
	req.tells_sent = true;
	script_open_disk(&t, &simple, _i);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
	ck_assert_int_eq(nbd_session_submit(t.s, &next), 0);
	/* Header and head, and nothing of the next request. */
	ck_assert_int_eq(nbd_session_output(t.s, iov, 8), 2);
	ck_assert_uint_eq(nbd_session_output_piped(t.s, &piped), 0);
	nbd_session_sent(t.s, 28 + 100);
	ck_assert_int_eq(nbd_session_output(t.s, iov, 8), 0);
	ck_assert_uint_eq(nbd_session_output_piped(t.s, &piped), LENGTH - 100);
	ck_assert_ptr_eq(piped, &req);
	nbd_session_sent(t.s, LENGTH - 101);
	ck_assert(!nbd_session_has_sent(t.s));
	nbd_session_sent(t.s, 1);
	ck_assert(nbd_session_has_sent(t.s));
	ck_assert_ptr_eq(nbd_session_reap_sent(t.s), &req);
	ck_assert_ptr_null(nbd_session_reap_sent(t.s));
	ck_assert_uint_eq(nbd_session_output_piped(t.s, &piped), 0);
	hear_request(&t, &next);
	say_simple(&t, &req, 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
}
END_TEST

START_TEST(a_write_that_completes_first_does_not_tell)
{
	struct iovec all = { source, LENGTH };

	req.command = NBD_CMD_WRITE;
	req.iov = &all;
	req.n_iov = 1;
	req.tells_sent = true;
	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	ck_assert(nbd_session_has_sent(t.s));
	say_simple(&t, &req, 0);
	script_tell(&t);
	ck_assert(!nbd_session_has_sent(t.s));
	expect_done(&t, &req, 0);
}
END_TEST

START_TEST(only_a_write_can_be_submitted_with_a_pipe)
{
	req.n_piped = LENGTH;
	script_open_disk(&t, &simple, _i);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	req.command = NBD_CMD_WRITE;
	req.n_piped = LENGTH + 1;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	req.n_piped = LENGTH - 1;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("late");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_read_gets_its_place_when_its_data_arrive, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_place_holds_for_all_pieces_of_a_read, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_hole_needs_a_place_too, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_error_needs_no_place, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_server_that_leaves_while_a_read_waits_ends_it, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, what_is_piped_goes_past_the_session, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_can_leave_its_pipe_in_the_middle, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_piped_write_is_sent_in_turn, 2,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_write_that_completes_first_does_not_tell, 0,
	    SCRIPT_N_CUTS);
	tcase_add_test(tc, only_a_write_can_be_submitted_with_a_pipe);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
