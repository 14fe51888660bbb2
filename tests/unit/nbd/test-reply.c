/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Simple replies, and what all replies have in common. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"
#include "script.h"
#include "unit.h"

static const struct disk_kind simple = { .flags = NBD_FLAG_SEND_FLUSH };
static const struct disk_kind structured = { .flags = NBD_FLAG_SEND_FLUSH,
	.structured = true,
	.n_contexts = 1 };

static struct script t;
static uint8_t source[8192];
static uint8_t target[8192];
static const struct iovec target_iov = { target, 8192 };
static struct nbd_request flush = { .command = NBD_CMD_FLUSH };

static void
setup(void)
{
	for (size_t i = 0; i < sizeof source; i++)
		source[i] = (uint8_t)(i * 31 + i / 256 + 1);
	memset(target, 0, sizeof target);
}

static void
teardown(void)
{
	script_close(&t);
}

static struct nbd_request
read_all(void)
{
	return (struct nbd_request){ .command = NBD_CMD_READ,
		.offset = 4096,
		.length = 8192,
		.iov = &target_iov,
		.n_iov = 1 };
}

START_TEST(a_read_arrives_in_its_buffer)
{
	struct nbd_request req = read_all();

	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	say_bytes(&t, source, 8191);
	script_tell(&t);
	expect_none_done(&t);
	say_bytes(&t, source + 8191, 1);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_str_eq(req.message, "");
	ck_assert_mem_eq(target, source, 8192);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 0);
	expect_none_done(&t);
}
END_TEST

START_TEST(a_read_arrives_in_many_buffers)
{
	struct iovec iov[6] = { { target, 0 }, { target, 1 },
		{ target + 1, 999 }, { target + 1000, 0 },
		{ target + 1000, 7192 }, { target, 0 } };
	struct nbd_request req = read_all();

	req.iov = iov;
	req.n_iov = 6;
	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	say_bytes(&t, source, 8192);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_mem_eq(target, source, 8192);
}
END_TEST

/* Three of them, and nothing between them is touched. */
static void
check_scattered(const uint8_t *area, size_t size, const struct iovec *iov)
{
	size_t n_untouched = 0;

	ck_assert_mem_eq(iov[0].iov_base, source, 500);
	ck_assert_mem_eq(iov[1].iov_base, source + 500, 700);
	ck_assert_mem_eq(iov[2].iov_base, source + 1200, 800);
	for (int i = 0; i < 3; i++)
		memset(iov[i].iov_base, 0xcc, iov[i].iov_len);
	for (size_t i = 0; i < size; i++)
		n_untouched += area[i] == 0xcc;
	ck_assert_uint_eq(n_untouched, size);
}

/* So many bytes come with the header, the rest comes with the next reply. */
START_TEST(buffers_may_lie_anywhere)
{
	static uint8_t area[3000];
	const struct iovec pieces[3] = { { area + 2300, 500 },
		{ area + 100, 700 }, { area + 1000, 800 } };
	struct nbd_request req = read_all();
	struct nbd_request next = { .command = NBD_CMD_FLUSH };

	req.iov = pieces;
	req.n_iov = 3;
	req.length = 2000;
	memset(area, 0xcc, sizeof area);
	script_open_disk(&t, &simple, _i);
	for (size_t n = 0; n <= 2000; n += 250) {
		script_submit(&t, &req);
		script_submit(&t, &next);
		say_simple(&t, &req, 0);
		say_bytes(&t, source, n);
		script_tell(&t);
		say_bytes(&t, source + n, 2000 - n);
		say_simple(&t, &next, 0);
		script_tell(&t);
		expect_done(&t, &req, 0);
		expect_done(&t, &next, 0);
		check_scattered(area, sizeof area, pieces);
	}
}
END_TEST

START_TEST(payload_is_received_straight_into_the_buffer)
{
	struct nbd_request req = read_all();
	struct iovec iov[2];

	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	say_bytes(&t, source, 100);
	script_tell(&t);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 2);
	ck_assert_ptr_eq(iov[0].iov_base, target + 100);
	ck_assert_uint_eq(iov[0].iov_len, 8092);
	ck_assert_uint_ge(iov[1].iov_len, 4096);
}
END_TEST

/* How much would the next receive take, after a read of so much? */
static size_t
room_after(uint64_t length)
{
	static uint8_t large[65536];
	const struct iovec large_iov = { large, length };
	struct nbd_request req = { .command = NBD_CMD_READ,
		.length = length,
		.iov = &large_iov,
		.n_iov = 1 };
	struct iovec iov[2];

	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	say_zeroes(&t, length);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 1);
	return iov[0].iov_len;
}

START_TEST(small_reads_have_room_to_arrive_together)
{
	script_open_disk(&t, &simple, _i);
	ck_assert_uint_ge(room_after(4096), 3 * (16 + 4096));
	ck_assert_uint_lt(room_after(65536), 2 * 4096);
	ck_assert_uint_ge(room_after(512), 3 * (16 + 4096));
}
END_TEST

/* To resize it for each of them would be work for nothing. */
START_TEST(room_for_small_reads_stays_when_large_ones_come_between)
{
	script_open_disk(&t, &simple, _i);
	(void)room_after(4096);
	ck_assert_uint_eq(t.s->in.size, NBD_IN_SMALL);
	(void)room_after(65536);
	ck_assert_uint_eq(t.s->in.size, NBD_IN_SMALL);
}
END_TEST

START_TEST(one_buffer_is_filled_before_the_next)
{
	struct iovec pieces[2] = { { target, 5000 }, { target + 5000, 3192 } };
	struct nbd_request req = read_all();
	struct iovec iov[2];

	req.iov = pieces;
	req.n_iov = 2;
	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	script_tell(&t);
	/* Nothing else yet: what comes behind it need not be copied. */
	ck_assert_int_eq(nbd_session_input(t.s, iov), 1);
	ck_assert_ptr_eq(iov[0].iov_base, target);
	ck_assert_uint_eq(iov[0].iov_len, 5000);
	say_bytes(&t, source, 5000);
	script_tell(&t);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 2);
	ck_assert_ptr_eq(iov[0].iov_base, target + 5000);
	ck_assert_uint_eq(iov[0].iov_len, 3192);
}
END_TEST

START_TEST(many_replies_arrive_in_one_receive)
{
	struct nbd_request reqs[100];

	script_open_disk(&t, &simple, _i);
	for (int i = 0; i < 100; i++) {
		reqs[i] = flush;
		script_submit(&t, &reqs[i]);
	}
	/* In another order. */
	for (int i = 0; i < 100; i++)
		say_simple(&t, &reqs[(i * 37) % 100], 0);
	script_tell(&t);
	for (int i = 0; i < 100; i++)
		expect_done(&t, &reqs[(i * 37) % 100], 0);
	expect_none_done(&t);
}
END_TEST

static const struct error_row {
	uint32_t error;
	int errnum;
} error_rows[] = {
	{ 1, -EPERM },
	{ 5, -EIO },
	{ 12, -ENOMEM },
	{ 22, -EINVAL },
	{ 28, -ENOSPC },
	{ 75, -EOVERFLOW },
	{ 95, -EOPNOTSUPP },
	{ 108, -ESHUTDOWN },
	{ 2, -EINVAL },
	{ 0xffffffff, -EINVAL },
	{ 0x80000000, -EINVAL },
};

#define N_ERRORS ((int)(sizeof error_rows / sizeof error_rows[0]))

START_TEST(an_error_becomes_an_errno_and_ends_one_request_only)
{
	struct nbd_request req = read_all();
	struct nbd_request other = flush;

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		script_open_disk(&t, &simple, cut);
		script_submit(&t, &req);
		script_submit(&t, &other);
		/* No payload follows the error. */
		say_simple(&t, &req, error_rows[_i].error);
		say_simple(&t, &other, 0);
		script_tell(&t);
		expect_done(&t, &req, error_rows[_i].errnum);
		expect_done(&t, &other, 0);
		expect_phase(&t, error_rows[_i].errnum == -ESHUTDOWN ?
			NBD_PHASE_FAILED : NBD_PHASE_READY);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(an_unknown_cookie_is_a_violation)
{
	struct nbd_request req = flush;
	struct nbd_request fake = flush;

	script_open_disk(&t, &simple, 0);
	script_submit(&t, &req);
	switch (_i) {
	case 0:
		fake.cookie = 0;
		break;
	case 1:
		fake.cookie = UINT64_MAX;
		break;
	case 2:
		fake.cookie = req.cookie + 1;
		break;
	default:
		fake.cookie = req.cookie ^ 1ULL << 63;
		break;
	}
	say_simple(&t, &fake, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not in flight");
	expect_done(&t, &req, -ENOTCONN);
}
END_TEST

START_TEST(a_reply_that_comes_twice_is_a_violation)
{
	struct nbd_request req = flush;
	struct nbd_request next = flush;

	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
	/* It gets the first one's place. */
	script_submit(&t, &next);
	say_simple(&t, &req, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not in flight");
	expect_done(&t, &next, -ENOTCONN);
	expect_none_done(&t);
}
END_TEST

START_TEST(a_reply_before_the_request_is_sent_is_a_violation)
{
	struct nbd_request req = { .command = NBD_CMD_WRITE, .length = 8192,
		.iov = &target_iov, .n_iov = 1 };
	static const size_t sent[] = { 0, 27, 28, 28 + 8191 };
	struct iovec iov[4];

	script_open_disk(&t, &simple, SCRIPT_N_CUTS - 1);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
	(void)nbd_session_output(t.s, iov, 4);
	nbd_session_sent(t.s, sent[_i]);
	say_simple(&t, &req, 5);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL,
	    "a reply to a write that was not sent in full");
	expect_done(&t, &req, -ENOTCONN);
	expect_none_done(&t);
}
END_TEST

START_TEST(an_unknown_magic_is_a_violation)
{
	script_open_disk(&t, &structured, _i);
	say32(&t, 0x12560953);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "begins with 0x12560953");
}
END_TEST

START_TEST(a_structured_reply_not_agreed_on_is_a_violation)
{
	struct nbd_request req = flush;

	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_done(&t, &req);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not agreed on");
}
END_TEST

START_TEST(a_simple_reply_to_a_structured_read_is_a_violation)
{
	struct nbd_request req = read_all();

	script_open_disk(&t, &structured, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 5);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "a simple reply to a read");
	expect_done(&t, &req, -ENOTCONN);
}
END_TEST

START_TEST(other_commands_may_be_answered_either_way)
{
	struct nbd_request a = flush;
	struct nbd_request b = flush;
	struct nbd_request c = { .command = NBD_CMD_WRITE, .length = 8192,
		.iov = &target_iov, .n_iov = 1 };

	script_open_disk(&t, &structured, _i);
	script_submit(&t, &a);
	script_submit(&t, &b);
	script_submit(&t, &c);
	say_simple(&t, &c, 28);
	say_done(&t, &b);
	say_simple(&t, &a, 0);
	script_tell(&t);
	expect_done(&t, &c, -ENOSPC);
	expect_done(&t, &b, 0);
	expect_done(&t, &a, 0);
}
END_TEST

START_TEST(a_simple_reply_behind_a_chunk_is_a_violation)
{
	struct nbd_request req = flush;

	script_open_disk(&t, &structured, _i);
	script_submit(&t, &req);
	say_error(&t, &req, 0, 5, "");
	say_simple(&t, &req, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "where a structured one");
}
END_TEST

START_TEST(a_simple_success_to_block_status_fails_that_request)
{
	struct nbd_extents extents = { 0 };
	struct nbd_request req = { .command = NBD_CMD_BLOCK_STATUS,
		.length = 4096, .extents = &extents };
	struct nbd_request next = req;

	script_open_disk(&t, &structured, _i);
	script_submit(&t, &req);
	script_submit(&t, &next);
	say_simple(&t, &req, 0);
	say_simple(&t, &next, 22);
	script_tell(&t);
	expect_done(&t, &req, -EPROTO);
	ck_assert_ptr_nonnull(strstr(req.message, "left the block status out"));
	expect_done(&t, &next, -EINVAL);
	expect_phase(&t, NBD_PHASE_READY);
}
END_TEST

START_TEST(a_read_cut_short_is_no_read)
{
	struct nbd_request req = read_all();

	script_open_disk(&t, &simple, _i);
	script_submit(&t, &req);
	say_simple(&t, &req, 0);
	say_bytes(&t, source, 8191);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED, "closed the connection");
	expect_done(&t, &req, -ENOTCONN);
	expect_none_done(&t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nbd/reply");
	TCase *tc = tcase_create("reply");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_read_arrives_in_its_buffer, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_arrives_in_many_buffers, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, buffers_may_lie_anywhere, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, payload_is_received_straight_into_the_buffer,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, small_reads_have_room_to_arrive_together, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    room_for_small_reads_stays_when_large_ones_come_between, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, one_buffer_is_filled_before_the_next, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, many_replies_arrive_in_one_receive, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    an_error_becomes_an_errno_and_ends_one_request_only, 0, N_ERRORS);
	tcase_add_loop_test(tc, an_unknown_cookie_is_a_violation, 0, 4);
	tcase_add_loop_test(tc, a_reply_that_comes_twice_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_reply_before_the_request_is_sent_is_a_violation, 0, 4);
	tcase_add_loop_test(tc, an_unknown_magic_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_structured_reply_not_agreed_on_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_simple_reply_to_a_structured_read_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, other_commands_may_be_answered_either_way, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_simple_reply_behind_a_chunk_is_a_violation,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_simple_success_to_block_status_fails_that_request, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_cut_short_is_no_read, 0,
	    SCRIPT_N_CUTS);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
