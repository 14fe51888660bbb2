/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is refused here, and what is sent. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "script.h"
#include "unit.h"

#define WRITABLE                                                               \
	(NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM |        \
	    NBD_FLAG_SEND_WRITE_ZEROES | NBD_FLAG_SEND_FAST_ZERO |             \
	    NBD_FLAG_SEND_CACHE | NBD_FLAG_SEND_DF)

static const struct disk_kind rich = { .flags = WRITABLE,
	.structured = true,
	.minimum = 512,
	.maximum = 65536,
	.n_contexts = 1 };
static const struct disk_kind poor = { 0 };
static const struct disk_kind read_only = { .flags = WRITABLE |
	    NBD_FLAG_READ_ONLY };

static struct script t;
static uint8_t buffer[DISK_SIZE];

static void
teardown(void)
{
	script_close(&t);
}

static const struct refused_row {
	const struct disk_kind *kind;
	enum nbd_command command;
	uint16_t flags;
	uint64_t offset;
	uint32_t length;
	int r;
} refused_rows[] = {
	/* What the export does not offer. */
	{ &poor, NBD_CMD_FLUSH, 0, 0, 0, -EOPNOTSUPP },
	{ &poor, NBD_CMD_TRIM, 0, 0, 512, -EOPNOTSUPP },
	{ &poor, NBD_CMD_CACHE, 0, 0, 512, -EOPNOTSUPP },
	{ &poor, NBD_CMD_WRITE_ZEROES, 0, 0, 512, -EOPNOTSUPP },
	{ &poor, NBD_CMD_BLOCK_STATUS, 0, 0, 512, -EOPNOTSUPP },
	{ &poor, NBD_CMD_WRITE, NBD_CMD_FLAG_FUA, 0, 512, -EOPNOTSUPP },
	{ &poor, NBD_CMD_READ, NBD_CMD_FLAG_DF, 0, 512, -EOPNOTSUPP },
	/* Flags that do not go with the command, or with any. */
	{ &rich, NBD_CMD_READ, NBD_CMD_FLAG_FUA, 0, 512, -EOPNOTSUPP },
	{ &rich, NBD_CMD_FLUSH, NBD_CMD_FLAG_FUA, 0, 0, -EOPNOTSUPP },
	{ &rich, NBD_CMD_WRITE, NBD_CMD_FLAG_FAST_ZERO, 0, 512, -EOPNOTSUPP },
	{ &rich, NBD_CMD_WRITE, 0x8000, 0, 512, -EOPNOTSUPP },
	{ &rich, NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_REQ_ONE, 0, 512,
	    -EOPNOTSUPP },
	/* Read-only comes before not offered. */
	{ &read_only, NBD_CMD_WRITE, 0, 0, 512, -EROFS },
	{ &read_only, NBD_CMD_TRIM, 0, 0, 512, -EROFS },
	{ &read_only, NBD_CMD_WRITE_ZEROES, 0, 0, 512, -EROFS },
	/* Ranges. */
	{ &poor, NBD_CMD_READ, 0, 0, 0, -EINVAL },
	{ &poor, NBD_CMD_READ, 0, DISK_SIZE, 1, -EINVAL },
	{ &poor, NBD_CMD_READ, 0, DISK_SIZE - 1, 2, -EINVAL },
	{ &poor, NBD_CMD_READ, 0, UINT64_MAX, 1, -EINVAL },
	{ &poor, NBD_CMD_READ, 0, UINT64_MAX - 511, 512, -EINVAL },
	{ &poor, NBD_CMD_READ, 0, 0, UINT32_MAX, -EINVAL },
	{ &rich, NBD_CMD_TRIM, 0, 512, DISK_SIZE, -EINVAL },
	{ &rich, NBD_CMD_FLUSH, 0, 512, 0, -EINVAL },
	{ &rich, NBD_CMD_FLUSH, 0, 0, 512, -EINVAL },
	/* Whole blocks. */
	{ &rich, NBD_CMD_READ, 0, 1, 512, -EINVAL },
	{ &rich, NBD_CMD_READ, 0, 0, 511, -EINVAL },
	{ &rich, NBD_CMD_WRITE, 0, 256, 512, -EINVAL },
	{ &rich, NBD_CMD_BLOCK_STATUS, 0, 0, 513, -EINVAL },
	/* Payload. */
	{ &rich, NBD_CMD_READ, 0, 0, 65536 + 512, -EMSGSIZE },
	{ &rich, NBD_CMD_WRITE, 0, 0, 65536 + 512, -EMSGSIZE },
	/* Not for callers. */
	{ &rich, NBD_CMD_DISC, 0, 0, 0, -EINVAL },
	{ &rich, (enum nbd_command)8, 0, 0, 512, -EINVAL },
	{ &rich, (enum nbd_command)-1, 0, 0, 512, -EINVAL },
};

#define N_REFUSED ((int)(sizeof refused_rows / sizeof refused_rows[0]))

START_TEST(what_cannot_be_right_is_refused_and_not_sent)
{
	const struct refused_row *row = &refused_rows[_i];
	struct nbd_extents extents = { 0 };
	struct iovec iov = { buffer, row->length };
	struct nbd_request req = { .command = row->command,
		.flags = row->flags, .offset = row->offset,
		.length = row->length, .iov = &iov, .n_iov = 1,
		.extents = &extents };

	script_open_disk(&t, row->kind, 0);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), row->r);
	hear_nothing(&t);
	expect_none_done(&t);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 0);
}
END_TEST

static const struct allowed_row {
	const struct disk_kind *kind;
	enum nbd_command command;
	uint16_t flags;
	uint64_t offset;
	uint32_t length;
} allowed_rows[] = {
	{ &poor, NBD_CMD_READ, 0, DISK_SIZE - 1, 1 },
	{ &poor, NBD_CMD_READ, 0, 0, DISK_SIZE },
	{ &poor, NBD_CMD_WRITE, 0, 3, 5 },
	{ &read_only, NBD_CMD_READ, 0, 0, 512 },
	{ &read_only, NBD_CMD_FLUSH, 0, 0, 0 },
	{ &rich, NBD_CMD_READ, NBD_CMD_FLAG_DF, 0, 65536 },
	{ &rich, NBD_CMD_WRITE, NBD_CMD_FLAG_FUA, DISK_SIZE - 512, 512 },
	{ &rich, NBD_CMD_FLUSH, 0, 0, 0 },
	{ &rich, NBD_CMD_TRIM, NBD_CMD_FLAG_FUA, 0, DISK_SIZE },
	{ &rich, NBD_CMD_CACHE, 0, 512, 512 },
	{ &rich, NBD_CMD_WRITE_ZEROES,
	    NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_NO_HOLE | NBD_CMD_FLAG_FAST_ZERO,
	    0, DISK_SIZE },
	{ &rich, NBD_CMD_BLOCK_STATUS, NBD_CMD_FLAG_REQ_ONE, 0, DISK_SIZE },
};

#define N_ALLOWED ((int)(sizeof allowed_rows / sizeof allowed_rows[0]))

START_TEST(what_is_offered_is_sent)
{
	const struct allowed_row *row = &allowed_rows[_i];
	struct nbd_extents extents = { 0 };
	struct iovec iov = { buffer, row->length };
	struct nbd_request req = { .command = row->command,
		.flags = row->flags, .offset = row->offset,
		.length = row->length, .iov = &iov, .n_iov = 1,
		.extents = &extents };

	script_open_disk(&t, row->kind, SCRIPT_N_CUTS - 1);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 1);
	hear_request(&t, &req);
	if (row->command == NBD_CMD_WRITE)
		hear_bytes(&t, buffer, row->length);
	hear_nothing(&t);
}
END_TEST

START_TEST(before_and_after_the_transmission_nothing_is_taken)
{
	const struct nbd_session_options options = { .export_name = "" };
	struct iovec iov = { buffer, 512 };
	struct nbd_request req = { .command = NBD_CMD_READ, .length = 512,
		.iov = &iov, .n_iov = 1 };

	script_open(&t, &options, _i);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -ENOTCONN);
	script_close(&t);
	script_open_disk(&t, &poor, _i);
	nbd_session_disconnect(t.s);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -ENOTCONN);
	nbd_session_fail(t.s, NBD_FAILURE_LOCAL, "enough");
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -ENOTCONN);
}
END_TEST

START_TEST(buffers_have_to_add_up)
{
	struct iovec iov[3] = { { buffer, 100 }, { buffer, 0 },
		{ buffer, 412 } };
	struct nbd_request req = { .command = NBD_CMD_WRITE, .length = 512,
		.iov = iov, .n_iov = 3 };

	script_open_disk(&t, &poor, _i);
	req.n_iov = 2;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	req.n_iov = 0;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	req.n_iov = 3;
	iov[2].iov_len = 413;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	/* In all 512, but for what 32 bits cannot hold. */
	iov[2].iov_len = 412 + (1ULL << 32);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	iov[0].iov_len = 612;
	iov[2].iov_len = (1ULL << 32) - 100;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	iov[0].iov_len = 100;
	iov[2].iov_len = 412;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
}
END_TEST

START_TEST(a_write_leaves_from_its_own_buffers)
{
	uint8_t head[3] = "abc";
	struct iovec iov[4] = { { head, 3 }, { buffer, 0 },
		{ buffer + 10, 500 }, { buffer, 9 } };
	struct nbd_request req = { .command = NBD_CMD_WRITE, .offset = 7,
		.length = 512, .iov = iov, .n_iov = 4 };
	struct iovec out[8];

	for (size_t i = 0; i < 600; i++)
		buffer[i] = (uint8_t)(i * 7);
	script_open_disk(&t, &poor, _i);
	ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
	ck_assert_int_eq(nbd_session_output(t.s, out, 8), 4);
	ck_assert_ptr_eq(out[1].iov_base, head);
	ck_assert_ptr_eq(out[2].iov_base, buffer + 10);
	ck_assert_int_eq(nbd_session_output(t.s, out, 0), 0);
	hear_request(&t, &req);
	hear_bytes(&t, "abc", 3);
	hear_bytes(&t, buffer + 10, 500);
	hear_bytes(&t, buffer, 9);
	hear_nothing(&t);
}
END_TEST

START_TEST(many_requests_leave_in_one_send)
{
	struct iovec iov = { buffer, 512 };
	struct nbd_request reqs[20];
	struct iovec out[64];
	size_t n = 0;

	script_open_disk(&t, &poor, _i);
	for (int i = 0; i < 20; i++) {
		reqs[i] = (struct nbd_request){ .command = i % 2 == 0 ?
			    NBD_CMD_WRITE : NBD_CMD_READ,
			.length = 512, .iov = &iov, .n_iov = 1 };
		ck_assert_int_eq(nbd_session_submit(t.s, &reqs[i]), 0);
	}
	ck_assert_int_eq(nbd_session_output(t.s, out, 64), 30);
	for (int i = 0; i < 30; i++)
		n += out[i].iov_len;
	ck_assert_uint_eq(n, 20 * 28 + 10 * 512);
	for (int i = 0; i < 20; i++) {
		hear_request(&t, &reqs[i]);
		if (reqs[i].command == NBD_CMD_WRITE)
			hear_bytes(&t, buffer, 512);
	}
	hear_nothing(&t);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 20);
}
END_TEST

START_TEST(a_cookie_never_comes_back)
{
	struct nbd_request req = { .command = NBD_CMD_FLUSH };
	uint64_t last = 0;

	script_open_disk(&t, &rich, SCRIPT_N_CUTS - 1);
	for (int i = 0; i < 10000; i++) {
		script_submit(&t, &req);
		ck_assert_uint_gt(req.cookie, last);
		last = req.cookie;
		say_simple(&t, &req, 0);
		script_tell(&t);
		expect_done(&t, &req, 0);
	}
}
END_TEST

static void
submit_flush(struct nbd_request *req)
{
	*req = (struct nbd_request){ .command = NBD_CMD_FLUSH };
	script_submit(&t, req);
}

static void
finish(struct nbd_request *req)
{
	say_simple(&t, req, 0);
	script_tell(&t);
	expect_done(&t, req, 0);
}

/* What has come back leaves its place, and no other, to the next. */
START_TEST(requests_come_back_in_any_order)
{
	struct nbd_request reqs[40];

	script_open_disk(&t, &rich, _i);
	for (int i = 0; i < 20; i++)
		submit_flush(&reqs[i]);
	for (int i = 0; i < 20; i += 2)
		finish(&reqs[i]);
	for (int i = 20; i < 40; i++)
		submit_flush(&reqs[i]);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 30);
	for (int i = 39; i >= 20; i--)
		finish(&reqs[i]);
	for (int i = 1; i < 20; i += 2)
		finish(&reqs[i]);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 0);
}
END_TEST

START_TEST(up_to_4096_requests_are_in_flight)
{
	static struct nbd_request reqs[4097];

	script_open_disk(&t, &rich, SCRIPT_N_CUTS - 1);
	for (int i = 0; i < 4096; i++) {
		reqs[i] = (struct nbd_request){ .command = NBD_CMD_FLUSH };
		script_submit(&t, &reqs[i]);
	}
	reqs[4096] = (struct nbd_request){ .command = NBD_CMD_FLUSH };
	ck_assert_int_eq(nbd_session_submit(t.s, &reqs[4096]), -ENOMEM);
	/* The last first, and there is room again. */
	say_simple(&t, &reqs[4095], 0);
	script_tell(&t);
	expect_done(&t, &reqs[4095], 0);
	script_submit(&t, &reqs[4096]);
	for (int i = 0; i < 4095; i++)
		say_simple(&t, &reqs[i], 0);
	script_tell(&t);
	for (int i = 0; i < 4095; i++)
		expect_done(&t, &reqs[i], 0);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nbd/request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, what_cannot_be_right_is_refused_and_not_sent,
	    0, N_REFUSED);
	tcase_add_loop_test(tc, what_is_offered_is_sent, 0, N_ALLOWED);
	tcase_add_loop_test(tc,
	    before_and_after_the_transmission_nothing_is_taken, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, buffers_have_to_add_up, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_write_leaves_from_its_own_buffers, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, many_requests_leave_in_one_send, 0,
	    SCRIPT_N_CUTS);
	tcase_add_test(tc, a_cookie_never_comes_back);
	tcase_add_loop_test(tc, requests_come_back_in_any_order, 0,
	    SCRIPT_N_CUTS);
	tcase_add_test(tc, up_to_4096_requests_are_in_flight);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
