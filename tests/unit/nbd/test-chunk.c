/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replies in chunks. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "script.h"
#include "unit.h"

#define DONE	NBD_REPLY_FLAG_DONE
#define LENGTH	8192U
#define OFFSET	4096U
#define INVALID 22U

static const struct disk_kind kind = {
	.flags = NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_DF,
	.structured = true,
	.n_contexts = 1,
};

static struct script t;
static uint8_t source[LENGTH];
static uint8_t target[2][LENGTH];
static struct iovec iovs[2];
static struct nbd_request reqs[2];
static struct nbd_request *const req = &reqs[0];

static void
setup(void)
{
	for (size_t i = 0; i < sizeof source; i++)
		source[i] = (uint8_t)(i * 31 + i / 256 + 1);
	for (int i = 0; i < 2; i++) {
		memset(target[i], 0xee, LENGTH);
		iovs[i] = (struct iovec){ target[i], LENGTH };
		reqs[i] = (struct nbd_request){ .command = NBD_CMD_READ,
			.offset = OFFSET,
			.length = LENGTH,
			.iov = &iovs[i],
			.n_iov = 1 };
	}
}

static void
teardown(void)
{
	script_close(&t);
}

static void
open_read(int cut)
{
	script_open_disk(&t, &kind, cut);
	script_submit(&t, req);
}

/* Bytes [from, to) of the request. */
static void
say_part(struct nbd_request *r, uint16_t flags, uint32_t from, uint32_t to)
{
	say_data(&t, r, flags, OFFSET + from, source + from, to - from);
}

START_TEST(a_read_in_one_chunk)
{
	open_read(_i);
	say_part(req, DONE, 0, LENGTH);
	script_tell(&t);
	expect_done(&t, req, 0);
	ck_assert_mem_eq(target[0], source, LENGTH);
}
END_TEST

START_TEST(a_read_in_chunks_and_holes_in_order)
{
	open_read(_i);
	say_part(req, 0, 0, 1000);
	say_hole(&t, req, 0, OFFSET + 1000, 3000);
	say_part(req, 0, 4000, LENGTH);
	script_tell(&t);
	expect_none_done(&t);
	say_done(&t, req);
	script_tell(&t);
	expect_done(&t, req, 0);
	memset(source + 1000, 0, 3000);
	ck_assert_mem_eq(target[0], source, LENGTH);
}
END_TEST

START_TEST(a_read_in_chunks_out_of_order)
{
	struct iovec pieces[4] = { { target[0], 10 }, { target[0] + 10, 0 },
		{ target[0] + 10, 5000 }, { target[0] + 5010, 3182 } };

	req->iov = pieces;
	req->n_iov = 4;
	open_read(_i);
	say_part(req, 0, 0, 5);
	say_hole(&t, req, 0, OFFSET + 6000, LENGTH - 6000);
	say_part(req, 0, 3000, 6000);
	say_part(req, 0, 5, 6);
	say_part(req, DONE, 6, 3000);
	script_tell(&t);
	expect_done(&t, req, 0);
	memset(source + 6000, 0, LENGTH - 6000);
	ck_assert_mem_eq(target[0], source, LENGTH);
}
END_TEST

START_TEST(a_read_knows_nothing_of_the_one_before_it)
{
	open_read(_i);
	for (int round = 0; round < 3; round++) {
		memset(target[0], 0xee, LENGTH);
		say_part(req, 0, 4096, LENGTH);
		say_part(req, DONE, 0, 4096);
		script_tell(&t);
		expect_done(&t, req, 0);
		ck_assert_mem_eq(target[0], source, LENGTH);
		script_submit(&t, req);
	}
	say_part(req, DONE, 4096, LENGTH);
	script_tell(&t);
	expect_done(&t, req, -EPROTO);
	/* In order that is counted otherwise. */
	script_submit(&t, req);
	say_part(req, DONE, 0, LENGTH);
	script_tell(&t);
	expect_done(&t, req, 0);
	script_submit(&t, req);
	say_done(&t, req);
	script_tell(&t);
	expect_done(&t, req, -EPROTO);
}
END_TEST

START_TEST(chunks_of_two_requests_come_mixed)
{
	open_read(_i);
	script_submit(&t, &reqs[1]);
	say_part(&reqs[1], 0, 4096, LENGTH);
	say_part(&reqs[0], 0, 0, 100);
	say_hole(&t, &reqs[1], 0, OFFSET, 4096);
	say_part(&reqs[0], DONE, 100, LENGTH);
	say_done(&t, &reqs[1]);
	script_tell(&t);
	expect_done(&t, &reqs[0], 0);
	expect_done(&t, &reqs[1], 0);
	ck_assert_mem_eq(target[0], source, LENGTH);
	memset(source, 0, 4096);
	ck_assert_mem_eq(target[1], source, LENGTH);
}
END_TEST

START_TEST(a_gap_fails_the_read_and_nothing_else)
{
	open_read(_i);
	script_submit(&t, &reqs[1]);
	say_part(req, 0, 0, 1000);
	say_part(req, DONE, 1001, LENGTH);
	say_part(&reqs[1], DONE, 0, LENGTH);
	script_tell(&t);
	expect_done(&t, req, -EPROTO);
	ck_assert_str_eq(req->message,
	    "the server left a part of the read out");
	expect_done(&t, &reqs[1], 0);
	expect_phase(&t, NBD_PHASE_READY);
}
END_TEST

START_TEST(a_missing_end_fails_the_read)
{
	open_read(_i);
	say_part(req, DONE, 0, LENGTH - 1);
	script_tell(&t);
	expect_done(&t, req, -EPROTO);
}
END_TEST

START_TEST(a_read_answered_with_nothing_fails)
{
	open_read(_i);
	say_done(&t, req);
	script_tell(&t);
	expect_done(&t, req, -EPROTO);
}
END_TEST

/* Two pieces of which no byte may be in both; and what is in none. */
static const struct overlap_row {
	uint32_t first_from, first_to, second_from, second_to;
} overlap_rows[] = {
	{ 0, 4096, 0, 4096 },
	{ 0, 4096, 4095, LENGTH },
	{ 0, 1, 0, 1 },
	{ 4096, LENGTH, 0, 4097 },
	{ 4096, LENGTH, 4096, LENGTH },
	{ 1000, 2000, 500, 3000 },
	{ 500, 3000, 1000, 2000 },
	{ 4096, LENGTH, LENGTH - 1, LENGTH },
};

#define N_OVERLAPS ((int)(sizeof overlap_rows / sizeof overlap_rows[0]))

START_TEST(bytes_sent_twice_are_a_violation)
{
	const struct overlap_row *row = &overlap_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		open_read(cut);
		say_part(req, 0, row->first_from, row->first_to);
		say_part(req, 0, row->second_from, row->second_to);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, "twice");
		expect_done(&t, req, -ENOTCONN);
		expect_none_done(&t);
		script_close(&t);

		open_read(cut);
		say_part(req, 0, row->first_from, row->first_to);
		say_hole(&t, req, 0, OFFSET + row->second_from,
		    row->second_to - row->second_from);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, "twice");
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

static const struct outside_row {
	uint64_t offset;
	uint32_t len;
} outside_rows[] = {
	{ 0, 1 },
	{ OFFSET - 1, 1 },
	{ OFFSET - 1, LENGTH },
	{ OFFSET + 1, LENGTH },
	{ OFFSET + LENGTH, 1 },
	{ OFFSET + LENGTH - 1, 2 },
	{ UINT64_MAX, 1 },
	{ UINT64_MAX, 2 },
	{ UINT64_MAX - LENGTH + 1, LENGTH },
	{ UINT64_MAX - 3000, LENGTH },
	{ 1ULL << 63, 4096 },
};

#define N_OUTSIDE ((int)(sizeof outside_rows / sizeof outside_rows[0]))

START_TEST(content_outside_of_the_request_goes_nowhere)
{
	const struct outside_row *row = &outside_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		open_read(cut);
		say_data(&t, req, 0, row->offset, source, row->len);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, "in answer to a read");
		script_close(&t);

		open_read(cut);
		say_hole(&t, req, 0, row->offset, row->len);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, "in answer to a read");
		for (size_t i = 0; i < LENGTH; i++)
			ck_assert_uint_eq(target[0][i], 0xee);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

/* Headers that are refused as they stand, with nothing behind them. */
static const struct header_row {
	uint16_t flags, type;
	uint32_t length;
	const char *says;
} header_rows[] = {
	{ 0, NBD_REPLY_TYPE_NONE, 0, "not the last" },
	{ DONE, NBD_REPLY_TYPE_NONE, 1, "of type none with 1 bytes" },
	{ 0, NBD_REPLY_TYPE_OFFSET_DATA, 0, "of type data with 0 bytes" },
	{ 0, NBD_REPLY_TYPE_OFFSET_DATA, 8, "of type data with 8 bytes" },
	{ 0, NBD_REPLY_TYPE_OFFSET_DATA, LENGTH + 9, "of type data with" },
	{ 0, NBD_REPLY_TYPE_OFFSET_DATA, UINT32_MAX, "of type data with" },
	{ 0, NBD_REPLY_TYPE_OFFSET_HOLE, 11, "of type hole with 11" },
	{ 0, NBD_REPLY_TYPE_OFFSET_HOLE, 13, "of type hole with 13" },
	{ 0, NBD_REPLY_TYPE_BLOCK_STATUS, 12, "block status to a read" },
	{ 0, NBD_REPLY_TYPE_ERROR, 5, "of type error with 5 bytes" },
	{ 0, NBD_REPLY_TYPE_ERROR, 0, "of type error with 0 bytes" },
	{ 0, NBD_REPLY_TYPE_ERROR, 4200, "of type error with 4200" },
	{ 0, NBD_REPLY_TYPE_ERROR_OFFSET, UINT32_MAX, "of type error" },
	{ 0, 0x8123, 5, "of type error with 5 bytes" },
	{ 0, 3, 12, "unknown type 3" },
	{ DONE, 6, 12, "unknown type 6" },
	{ DONE, 0x7fff, 0, "unknown type 32767" },
};

#define N_HEADERS ((int)(sizeof header_rows / sizeof header_rows[0]))

START_TEST(a_header_that_cannot_be_right_is_a_violation)
{
	const struct header_row *row = &header_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		open_read(cut);
		say_chunk(&t, req, row->flags, row->type, row->length);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, row->says);
		expect_done(&t, req, -ENOTCONN);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(data_in_answer_to_a_flush_is_a_violation)
{
	reqs[1] = (struct nbd_request){ .command = NBD_CMD_FLUSH };
	open_read(_i);
	script_submit(&t, &reqs[1]);
	say_data(&t, &reqs[1], DONE, OFFSET, source, 10);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "of type data to a flush");
}
END_TEST

START_TEST(a_chunk_of_an_unknown_request_is_a_violation)
{
	open_read(_i);
	reqs[1].cookie = 0;
	say_part(&reqs[1], DONE, 0, LENGTH);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not in flight");
}
END_TEST

START_TEST(a_chunk_behind_the_last_is_a_violation)
{
	open_read(_i);
	say_part(req, DONE, 0, LENGTH);
	say_done(&t, req);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not in flight");
	expect_done(&t, req, 0);
	expect_none_done(&t);
}
END_TEST

START_TEST(a_hole_of_no_length_is_a_violation)
{
	open_read(_i);
	say_hole(&t, req, 0, OFFSET, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "no length");
}
END_TEST

START_TEST(a_read_that_was_not_to_be_split_is_not)
{
	req->flags = NBD_CMD_FLAG_DF;
	reqs[1].flags = NBD_CMD_FLAG_DF;
	open_read(_i);
	script_submit(&t, &reqs[1]);
	say_part(req, 0, 0, LENGTH);
	say_done(&t, req);
	say_part(&reqs[1], 0, 0, 100);
	script_tell(&t);
	expect_done(&t, req, 0);
	say_part(&reqs[1], DONE, 100, LENGTH);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not to be split");
}
END_TEST

START_TEST(a_read_in_countless_pieces_is_a_violation)
{
	static uint8_t large[3 * LENGTH];
	struct iovec iov = { large, sizeof large };

	req->iov = &iov;
	req->length = sizeof large;
	open_read(SCRIPT_N_CUTS - 1);
	for (uint32_t i = 1; i < 2 * 4096 + 4; i += 2)
		say_data(&t, req, 0, OFFSET + i, source, 1);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "too many pieces");
}
END_TEST

START_TEST(an_error_fails_the_read_whatever_else_comes)
{
	open_read(_i);
	say_part(req, 0, 0, 4096);
	say_error(&t, req, 0, 5, "bad\x1b disk");
	say_part(req, 0, 4096, LENGTH);
	say_error(&t, req, DONE, 28, "second");
	script_tell(&t);
	expect_done(&t, req, -EIO);
	ck_assert_str_eq(req->message, "bad\\x1B disk");
	expect_phase(&t, NBD_PHASE_READY);
}
END_TEST

START_TEST(bytes_behind_an_error_are_checked_all_the_same)
{
	open_read(_i);
	say_error(&t, req, 0, 5, "");
	say_data(&t, req, 0, OFFSET + LENGTH, source, 1);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "in answer to a read");
	expect_done(&t, req, -ENOTCONN);
	ck_assert_str_eq(req->message, "");
}
END_TEST

START_TEST(a_write_is_refused_with_words)
{
	reqs[1] = (struct nbd_request){ .command = NBD_CMD_WRITE,
		.length = LENGTH, .iov = iovs, .n_iov = 1 };
	open_read(_i);
	script_submit(&t, &reqs[1]);
	say_error(&t, &reqs[1], DONE, 28, "disk full");
	script_tell(&t);
	expect_done(&t, &reqs[1], -ENOSPC);
	ck_assert_str_eq(reqs[1].message, "disk full");
}
END_TEST

START_TEST(the_longest_message_is_cut_for_us)
{
	char message[NBD_MAX_STRING + 1] = { 0 };

	memset(message, 'm', NBD_MAX_STRING);
	open_read(_i);
	say_error(&t, req, DONE, INVALID, message);
	script_tell(&t);
	expect_done(&t, req, -EINVAL);
	ck_assert_uint_eq(strlen(req->message), NBD_MESSAGE_SIZE - 1);
	ck_assert_ptr_nonnull(strstr(req->message, "mmm..."));
}
END_TEST

/* It was not over: what ended it is the connection. */
START_TEST(an_error_is_forgotten_with_the_connection)
{
	open_read(_i);
	say_error(&t, req, 0, 5, "broken");
	say_text(&t, "and now for something");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "begins with");
	expect_done(&t, req, -ENOTCONN);
	ck_assert_str_eq(req->message, "");
}
END_TEST

START_TEST(an_error_of_number_0_is_an_error)
{
	open_read(_i);
	say_part(req, 0, 0, LENGTH);
	say_error(&t, req, DONE, 0, "all is fine");
	script_tell(&t);
	expect_done(&t, req, -EPROTO);
}
END_TEST

START_TEST(an_unknown_kind_of_error_is_an_error)
{
	open_read(_i);
	script_submit(&t, &reqs[1]);
	say_chunk(&t, req, DONE, 0xc123, 6 + 5 + 10);
	say32(&t, 12);
	say16(&t, 5);
	say_text(&t, "hello");
	say_zeroes(&t, 10);
	say_part(&reqs[1], DONE, 0, LENGTH);
	script_tell(&t);
	expect_done(&t, req, -ENOMEM);
	ck_assert_str_eq(req->message, "hello");
	expect_done(&t, &reqs[1], 0);
}
END_TEST

static const struct error_row {
	uint16_t type;
	uint32_t length;	/* of the chunk */
	uint16_t message_len;
	uint64_t offset;	/* behind a message that fits */
	const char *violation;	/* NULL: none */
} error_rows[] = {
	{ NBD_REPLY_TYPE_ERROR, 6 + 3, 3, 0, NULL },
	{ NBD_REPLY_TYPE_ERROR, 6 + 3, 4, 0, "too long" },
	{ NBD_REPLY_TYPE_ERROR, 6, UINT16_MAX, 0, "too long" },
	{ NBD_REPLY_TYPE_ERROR, 6 + 4097, 4097, 0, "too long" },
	{ NBD_REPLY_TYPE_ERROR, 6 + 20, 3, 0, NULL },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6 + 3 + 8, 3, OFFSET, NULL },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6 + 3 + 8, 3, OFFSET + LENGTH - 1,
	    NULL },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6 + 3 + 8, 3, OFFSET + LENGTH,
	    "outside" },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6 + 3 + 8, 3, OFFSET - 1, "outside" },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6 + 3 + 8, 3, UINT64_MAX, "outside" },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6 + 3 + 8, 4, OFFSET, "too long" },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6 + 7, 0, OFFSET, "too long" },
	{ NBD_REPLY_TYPE_ERROR_OFFSET, 6, 0, OFFSET, "too long" },
};

#define N_ERRORS ((int)(sizeof error_rows / sizeof error_rows[0]))

START_TEST(messages_and_offsets_of_errors_are_checked)
{
	const struct error_row *row = &error_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		size_t end;

		open_read(cut);
		say_chunk(&t, req, DONE, row->type, row->length);
		end = t.n_said + row->length;
		say32(&t, 5);
		say16(&t, row->message_len);
		if (row->length == 6 + 3 + 8) {
			say_text(&t, "xxx");
			say64(&t, row->offset);
		}
		while (t.n_said < end)
			say8(&t, 'x');
		script_tell(&t);
		if (row->violation != NULL) {
			expect_failure(&t, NBD_FAILURE_PROTOCOL,
			    row->violation);
		} else {
			expect_done(&t, req, -EIO);
			ck_assert_str_eq(req->message, "xxx");
		}
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

static void
add_reads(TCase *tc)
{
	tcase_add_loop_test(tc, a_read_in_one_chunk, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_in_chunks_and_holes_in_order, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_in_chunks_out_of_order, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_knows_nothing_of_the_one_before_it, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, chunks_of_two_requests_come_mixed, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_gap_fails_the_read_and_nothing_else, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_missing_end_fails_the_read, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_answered_with_nothing_fails, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, bytes_sent_twice_are_a_violation, 0,
	    N_OVERLAPS);
	tcase_add_loop_test(tc, content_outside_of_the_request_goes_nowhere,
	    0, N_OUTSIDE);
	tcase_add_loop_test(tc, a_header_that_cannot_be_right_is_a_violation,
	    0, N_HEADERS);
	tcase_add_loop_test(tc, data_in_answer_to_a_flush_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_chunk_of_an_unknown_request_is_a_violation,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_chunk_behind_the_last_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_hole_of_no_length_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_read_that_was_not_to_be_split_is_not, 0,
	    SCRIPT_N_CUTS);
	tcase_add_test(tc, a_read_in_countless_pieces_is_a_violation);
}

static void
add_errors(TCase *tc)
{
	tcase_add_loop_test(tc, an_error_fails_the_read_whatever_else_comes,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    bytes_behind_an_error_are_checked_all_the_same, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_write_is_refused_with_words, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, the_longest_message_is_cut_for_us, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_error_is_forgotten_with_the_connection, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_error_of_number_0_is_an_error, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_unknown_kind_of_error_is_an_error, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, messages_and_offsets_of_errors_are_checked, 0,
	    N_ERRORS);
}

int
main(void)
{
	Suite *s = suite_create("nbd/chunk");
	TCase *reads = tcase_create("reads");
	TCase *errors = tcase_create("errors");

	tcase_add_checked_fixture(reads, setup, teardown);
	tcase_add_checked_fixture(errors, setup, teardown);
	add_reads(reads);
	add_errors(errors);
	suite_add_tcase(s, reads);
	suite_add_tcase(s, errors);
	return unit_main(s);
}
