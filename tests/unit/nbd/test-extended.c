/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Extended headers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "script.h"
#include "unit.h"

#define DONE   NBD_REPLY_FLAG_DONE
#define GIB    (1ULL << 30)
#define OFFSET (5 * GIB)
#define STATUS_EXT NBD_REPLY_TYPE_BLOCK_STATUS_EXT

#define OFFERED                                                                \
	(NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM |        \
	    NBD_FLAG_SEND_WRITE_ZEROES | NBD_FLAG_SEND_CACHE |                 \
	    NBD_FLAG_SEND_DF)

static const struct disk_kind wide = { .flags = OFFERED,
	.extended = true,
	.n_contexts = 2 };
static const struct disk_kind narrow = { .flags = OFFERED,
	.structured = true,
	.n_contexts = 2 };

static const struct nbd_session_options full = { .export_name = "disk" };

static struct script t;
static struct nbd_extents extents[2];
static uint8_t buffer[8192];
static struct iovec iov = { buffer, sizeof buffer };
static struct nbd_request req;

static void
setup(void)
{
	memset(extents, 0, sizeof extents);
	memset(buffer, 0xee, sizeof buffer);
}

static void
teardown(void)
{
	script_close(&t);
	free(extents[0].v);
	free(extents[1].v);
}

static void
submit(const struct disk_kind *kind, int cut, struct nbd_request r)
{
	req = r;
	script_open_disk(&t, kind, cut);
	script_submit(&t, &req);
}

static void
submit_read(int cut)
{
	submit(&wide, cut,
	    (struct nbd_request){ .command = NBD_CMD_READ,
		.offset = OFFSET,
		.length = sizeof buffer,
		.iov = &iov,
		.n_iov = 1 });
}

static void
submit_status(int cut, uint16_t flags, uint64_t length)
{
	submit(&wide, cut,
	    (struct nbd_request){ .command = NBD_CMD_BLOCK_STATUS,
		.flags = flags,
		.offset = OFFSET,
		.length = length,
		.extents = extents });
}

/* The header of an extended reply, all of it the caller's choice. */
static void
say_reply(uint16_t flags, uint16_t type, uint64_t offset, uint64_t length)
{
	say32(&t, NBD_EXTENDED_REPLY_MAGIC);
	say16(&t, flags);
	say16(&t, type);
	say64(&t, req.cookie);
	say64(&t, offset);
	say64(&t, length);
}

static void
say_status(uint16_t flags, uint32_t id, uint32_t n)
{
	say_chunk(&t, &req, flags, STATUS_EXT, 8 + 16 * n);
	say32(&t, id);
	say32(&t, n);
}

static void
say_extent(uint64_t length, uint64_t flags)
{
	say64(&t, length);
	say64(&t, flags);
}

static void
expect_extent(size_t context, size_t i, uint64_t length, uint64_t flags)
{
	ck_assert_uint_lt(i, extents[context].n);
	ck_assert_uint_eq(extents[context].v[i].length, length);
	ck_assert_uint_eq(extents[context].v[i].flags, flags);
}

/* The handshake. */

START_TEST(they_are_asked_for_first_and_replace_structured_replies)
{
	size_t len;

	script_open(&t, &full, _i);
	say_greeting(&t, FIXED);
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_EXTENDED_HEADERS);
	hear_nothing(&t);
	ck_assert_str_eq(nbd_session_waiting_for(t.s),
	    "the answer to NBD_OPT_EXTENDED_HEADERS");
	say_ack(&t, NBD_OPT_EXTENDED_HEADERS);
	script_tell(&t);
	(void)hear_option(&t, NBD_OPT_GO, &len);
	hear_nothing(&t);
	say_info_export(&t, 4096, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_DF);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_READY);
	ck_assert(nbd_session_export(t.s)->extended);
	ck_assert(nbd_session_export(t.s)->structured);
	ck_assert_uint_eq(nbd_session_export(t.s)->flags,
	    NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_DF);
}
END_TEST

static const uint32_t errors[] = { NBD_REP_ERR_UNSUP, NBD_REP_ERR_POLICY,
	NBD_REP_ERR_INVALID, NBD_REP_FLAG_ERROR | 4711 };

#define N_ERRORS ((int)(sizeof errors / sizeof errors[0]))

START_TEST(a_server_without_them_is_asked_for_structured_replies)
{
	size_t len;

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		script_open(&t, &full, cut);
		say_greeting(&t, FIXED);
		say_refusal(&t, NBD_OPT_EXTENDED_HEADERS, errors[_i], "what?");
		script_tell(&t);
		hear_flags(&t, FIXED);
		hear_empty_option(&t, NBD_OPT_EXTENDED_HEADERS);
		hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
		say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
		script_tell(&t);
		(void)hear_option(&t, NBD_OPT_GO, &len);
		say_info_export(&t, 4096, NBD_FLAG_HAS_FLAGS);
		say_ack(&t, NBD_OPT_GO);
		script_tell(&t);
		expect_phase(&t, NBD_PHASE_READY);
		ck_assert(!nbd_session_export(t.s)->extended);
		ck_assert(nbd_session_export(t.s)->structured);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(closing_on_the_option_invites_another_try)
{
	script_open(&t, &full, _i);
	say_greeting(&t, FIXED);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED_ON_OPTION,
	    "sent NBD_OPT_EXTENDED_HEADERS");
}
END_TEST

START_TEST(export_name_is_never_sent_after_them)
{
	size_t len;

	script_open(&t, &full, _i);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_EXTENDED_HEADERS);
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_EXTENDED_HEADERS);
	(void)hear_option(&t, NBD_OPT_GO, &len);
	say_refusal(&t, NBD_OPT_GO, NBD_REP_ERR_UNSUP, "");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_UNSUPPORTED, "cannot open export");
}
END_TEST

START_TEST(an_ack_with_data_is_a_violation)
{
	script_open(&t, &full, _i);
	say_greeting(&t, FIXED);
	say_option(&t, NBD_OPT_EXTENDED_HEADERS, NBD_REP_ACK, 4);
	say32(&t, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "with 4 bytes of data");
}
END_TEST

/* Requests. */

static const struct long_row {
	enum nbd_command command;
	uint16_t flags;
	uint64_t length;
} long_rows[] = {
	{ NBD_CMD_TRIM, NBD_CMD_FLAG_FUA, UINT32_MAX + 1ULL },
	{ NBD_CMD_CACHE, 0, 100 * GIB },
	{ NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_NO_HOLE, 4 * GIB + 512 },
	{ NBD_CMD_BLOCK_STATUS, 0, HUGE_SIZE - OFFSET },
};

#define N_LONG ((int)(sizeof long_rows / sizeof long_rows[0]))

START_TEST(lengths_of_64_bits_are_sent)
{
	const struct long_row *row = &long_rows[_i];
	uint8_t header[32];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		script_open_disk(&t, &wide, cut);
		req = (struct nbd_request){ .command = row->command,
			.flags = row->flags,
			.offset = OFFSET,
			.length = row->length,
			.extents = extents };
		ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
		/* Once written out, as the specification has it. */
		put_be32(header, 0x21e41c71);
		put_be16(header + 4, row->flags);
		put_be16(header + 6, (uint16_t)row->command);
		put_be64(header + 8, req.cookie);
		put_be64(header + 16, OFFSET);
		put_be64(header + 24, row->length);
		hear_bytes(&t, header, sizeof header);
		hear_nothing(&t);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(without_them_long_requests_are_refused_and_not_sent)
{
	const struct long_row *row = &long_rows[_i];
	const struct nbd_session_options options = { .export_name = "disk",
		.contexts = (const char *const[]){ "base:allocation" },
		.n_contexts = 1,
		.no_extended = true };

	script_open(&t, &options, SCRIPT_N_CUTS - 1);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	say_context(&t, 0, "base:allocation");
	say_ack(&t, NBD_OPT_SET_META_CONTEXT);
	say_info_export(&t, HUGE_SIZE, NBD_FLAG_HAS_FLAGS | OFFERED);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	script_forget(&t);
	req = (struct nbd_request){ .command = row->command,
		.flags = row->flags,
		.offset = OFFSET,
		.length = row->length,
		.extents = extents };
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EMSGSIZE);
	hear_nothing(&t);
	req.length = UINT32_MAX;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
	hear_request(&t, &req);
}
END_TEST

START_TEST(payloads_stay_within_32_bits)
{
	struct iovec huge = { buffer, 5 * GIB };

	script_open_disk(&t, &wide, _i);
	req = (struct nbd_request){ .command = NBD_CMD_READ,
		.length = 5 * GIB,
		.iov = &huge,
		.n_iov = 1 };
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EMSGSIZE);
	req.command = NBD_CMD_WRITE;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EMSGSIZE);
	/* Nor do they wrap around. */
	req.length = 4 * GIB + 512;
	huge.iov_len = 512;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	hear_nothing(&t);
}
END_TEST

START_TEST(a_range_beyond_the_end_is_refused)
{
	script_open_disk(&t, &wide, _i);
	req = (struct nbd_request){ .command = NBD_CMD_TRIM,
		.offset = HUGE_SIZE - 512,
		.length = UINT64_MAX };
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	req.length = 1024;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EINVAL);
	hear_nothing(&t);
}
END_TEST

START_TEST(a_write_says_that_its_length_is_a_payload)
{
	uint8_t header[32];

	script_open_disk(&t, &wide, _i);
	req = (struct nbd_request){ .command = NBD_CMD_WRITE,
		.flags = NBD_CMD_FLAG_FUA,
		.offset = OFFSET,
		.length = sizeof buffer,
		.iov = &iov,
		.n_iov = 1 };
	ck_assert_int_eq(nbd_session_submit(t.s, &req), 0);
	put_be32(header, 0x21e41c71);
	put_be16(header + 4, 1 | 32);
	put_be16(header + 6, 1);
	put_be64(header + 8, req.cookie);
	put_be64(header + 16, OFFSET);
	put_be64(header + 24, sizeof buffer);
	hear_bytes(&t, header, sizeof header);
	hear_bytes(&t, buffer, sizeof buffer);
	hear_nothing(&t);
	/* That is for the session to say. */
	ck_assert_uint_eq(req.flags, NBD_CMD_FLAG_FUA);
	say_done(&t, &req);
	script_tell(&t);
	expect_done(&t, &req, 0);
	req.flags = NBD_CMD_FLAG_PAYLOAD_LEN;
	ck_assert_int_eq(nbd_session_submit(t.s, &req), -EOPNOTSUPP);
}
END_TEST

START_TEST(goodbye_has_an_extended_header)
{
	uint8_t header[32] = { 0x21, 0xe4, 0x1c, 0x71, 0, 0, 0, 2 };

	script_open_disk(&t, &wide, _i);
	nbd_session_disconnect(t.s);
	script_listen(&t);
	ck_assert_uint_eq(t.n_heard, 32);
	memcpy(header + 8, t.heard + 8, 8);
	hear_bytes(&t, header, sizeof header);
	hear_nothing(&t);
}
END_TEST

/* Replies. */

START_TEST(a_read_in_data_and_holes)
{
	uint8_t wanted[sizeof buffer];

	submit_read(_i);
	memset(wanted, 0x5a, sizeof wanted);
	say_data(&t, &req, 0, OFFSET + 4096, wanted, 4096);
	say_hole(&t, &req, DONE, OFFSET, 4096);
	script_tell(&t);
	expect_done(&t, &req, 0);
	memset(wanted, 0, 4096);
	ck_assert_mem_eq(buffer, wanted, sizeof buffer);
}
END_TEST

START_TEST(an_error_has_its_words)
{
	submit_read(_i);
	say_error(&t, &req, DONE, 5, "bad disk");
	script_tell(&t);
	expect_done(&t, &req, -EIO);
	ck_assert_str_eq(req.message, "bad disk");
	expect_phase(&t, NBD_PHASE_READY);
}
END_TEST

START_TEST(a_reply_for_another_offset_is_a_violation)
{
	submit_read(_i);
	say_reply(DONE, NBD_REPLY_TYPE_NONE, OFFSET + 1, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL,
	    "a reply for offset 5368709121 to a read at 5368709120");
	expect_done(&t, &req, -ENOTCONN);
}
END_TEST

static const struct length_row {
	uint16_t type;
	uint64_t length;
} length_rows[] = {
	{ NBD_REPLY_TYPE_NONE, 1ULL << 32 },
	{ NBD_REPLY_TYPE_NONE, 1 },
	{ NBD_REPLY_TYPE_OFFSET_DATA, (1ULL << 32) + 8 + 4096 },
	{ NBD_REPLY_TYPE_OFFSET_DATA, UINT64_MAX },
	{ NBD_REPLY_TYPE_OFFSET_DATA, 8 + sizeof buffer + 1 },
	{ NBD_REPLY_TYPE_OFFSET_DATA, 8 },
	{ NBD_REPLY_TYPE_OFFSET_HOLE, (1ULL << 32) + 12 },
	{ NBD_REPLY_TYPE_OFFSET_HOLE, 16 },
	{ NBD_REPLY_TYPE_ERROR, (1ULL << 32) + 6 },
	{ NBD_REPLY_TYPE_ERROR, 5 },
	{ NBD_REPLY_TYPE_ERROR, 1 << 20 },
};

#define N_LENGTHS ((int)(sizeof length_rows / sizeof length_rows[0]))

START_TEST(a_reply_of_a_wrong_length_is_a_violation)
{
	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		submit_read(cut);
		say_reply(DONE, length_rows[_i].type, OFFSET,
		    length_rows[_i].length);
		say64(&t, OFFSET);
		say_zeroes(&t, 256);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, "bytes");
		expect_done(&t, &req, -ENOTCONN);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

static const uint32_t magics[] = { NBD_SIMPLE_REPLY_MAGIC,
	NBD_STRUCTURED_REPLY_MAGIC, NBD_EXTENDED_REQUEST_MAGIC, 0 };

#define N_MAGICS ((int)(sizeof magics / sizeof magics[0]))

START_TEST(any_other_kind_of_reply_is_a_violation)
{
	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		submit(&wide, cut,
		    (struct nbd_request){ .command = NBD_CMD_FLUSH });
		say32(&t, magics[_i]);
		say32(&t, 0);
		say64(&t, req.cookie);
		say_zeroes(&t, 16);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL,
		    "after extended headers were agreed on");
		expect_done(&t, &req, -ENOTCONN);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(an_extended_reply_that_was_not_agreed_on_is_a_violation)
{
	submit(&narrow, _i, (struct nbd_request){ .command = NBD_CMD_FLUSH });
	say_reply(DONE, NBD_REPLY_TYPE_NONE, 0, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "0x6e8a278c");
}
END_TEST

/* Block status. */

START_TEST(extents_have_lengths_and_flags_of_64_bits)
{
	submit_status(_i, 0, 500 * GIB);
	say_status(0, 1, 2);
	say_extent(300 * GIB, 1ULL << 40 | 1);
	say_extent(200 * GIB, 0);
	say_status(DONE, 0, 3);
	say_extent(5 * GIB, 3);
	say_extent(6 * GIB, 3);
	say_extent(512, UINT32_MAX);
	script_tell(&t);
	expect_done(&t, &req, 0);
	ck_assert_uint_eq(extents[0].n, 2);
	expect_extent(0, 0, 11 * GIB, 3);
	expect_extent(0, 1, 512, UINT32_MAX);
	ck_assert_uint_eq(extents[1].n, 2);
	expect_extent(1, 0, 300 * GIB, 1ULL << 40 | 1);
	expect_extent(1, 1, 200 * GIB, 0);
}
END_TEST

START_TEST(an_extent_ends_at_the_latest_with_the_disk)
{
	submit_status(_i, 0, 4096);
	say_status(0, 0, 1);
	say_extent(UINT64_MAX, 3);
	say_status(DONE, 1, 2);
	say_extent(512, 0);
	say_extent(UINT64_MAX - 511, 1);
	script_tell(&t);
	expect_done(&t, &req, 0);
	expect_extent(0, 0, HUGE_SIZE - OFFSET, 3);
	expect_extent(1, 1, HUGE_SIZE - OFFSET - 512, 1);
}
END_TEST

START_TEST(one_extent_is_not_longer_than_the_request)
{
	submit_status(_i, NBD_CMD_FLAG_REQ_ONE, 6 * GIB);
	say_status(0, 0, 1);
	say_extent(UINT64_MAX, 3);
	say_status(DONE, 1, 1);
	say_extent(5 * GIB, 0);
	script_tell(&t);
	expect_done(&t, &req, 0);
	expect_extent(0, 0, 6 * GIB, 3);
	expect_extent(1, 0, 5 * GIB, 0);
}
END_TEST

static const struct fault_row {
	uint64_t length;
	uint64_t flags;
	const char *says;
} fault_rows[] = {
	{ 0, 0, "no length" },
	{ 512, 1ULL << 32, "flags that no base: context has" },
	{ 512, 1ULL << 63 | 3, "flags that no base: context has" },
};

#define N_FAULTS ((int)(sizeof fault_rows / sizeof fault_rows[0]))

START_TEST(a_wrong_extent_fails_the_request_and_nothing_else)
{
	const struct fault_row *row = &fault_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		submit_status(cut, 0, 4096);
		say_status(0, 0, 2);
		say_extent(row->length, row->flags);
		say_extent(512, 0);
		say_status(DONE, 1, 1);
		say_extent(512, 0);
		script_tell(&t);
		expect_done(&t, &req, -EPROTO);
		ck_assert_ptr_nonnull(strstr(req.message, row->says));
		ck_assert_uint_eq(extents[0].n, 0);
		expect_phase(&t, NBD_PHASE_READY);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(status_in_32_bits_is_a_violation)
{
	submit_status(_i, 0, 4096);
	say_chunk(&t, &req, DONE, NBD_REPLY_TYPE_BLOCK_STATUS, 4 + 24);
	say_zeroes(&t, 28);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "unknown type 5");
}
END_TEST

START_TEST(status_in_64_bits_without_extended_headers_is_a_violation)
{
	submit(&narrow, _i,
	    (struct nbd_request){ .command = NBD_CMD_BLOCK_STATUS,
		.length = 4096,
		.extents = extents });
	say_chunk(&t, &req, DONE, STATUS_EXT, 8 + 16);
	say_zeroes(&t, 24);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "unknown type 6");
}
END_TEST

/* How many extents are announced, and how many bytes come. */
static const struct count_row {
	uint32_t length;
	uint32_t n;
	const char *says;
} count_rows[] = {
	{ 8, 0, "with 8 bytes" },
	{ 23, 1, "with 23 bytes" },
	{ 8 + 16, 0, "do not add up" },
	{ 8 + 16, 2, "do not add up" },
	{ 8 + 32, 1, "do not add up" },
	{ 8 + 24, 1, "do not add up" },
	{ 8 + 16, 0x10000001, "do not add up" },
	{ NBD_MAX_STATUS_CHUNK_EXT + 16, 1048577, "bytes" },
	{ UINT32_MAX, UINT32_MAX / 16, "bytes" },
};

#define N_COUNTS ((int)(sizeof count_rows / sizeof count_rows[0]))

START_TEST(extents_that_do_not_add_up_are_a_violation)
{
	const struct count_row *row = &count_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		submit_status(cut, 0, 4096);
		say_chunk(&t, &req, DONE, STATUS_EXT, row->length);
		say32(&t, 0);
		say32(&t, row->n);
		say_extent(512, 0);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, row->says);
		expect_done(&t, &req, -ENOTCONN);
		ck_assert_uint_eq(extents[0].n, 0);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

static void
add_requests(TCase *tc)
{
	tcase_add_loop_test(tc,
	    they_are_asked_for_first_and_replace_structured_replies, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_server_without_them_is_asked_for_structured_replies, 0,
	    N_ERRORS);
	tcase_add_loop_test(tc, closing_on_the_option_invites_another_try, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, export_name_is_never_sent_after_them, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_ack_with_data_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, lengths_of_64_bits_are_sent, 0, N_LONG);
	tcase_add_loop_test(tc,
	    without_them_long_requests_are_refused_and_not_sent, 0, N_LONG);
	tcase_add_loop_test(tc, payloads_stay_within_32_bits, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_range_beyond_the_end_is_refused, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_write_says_that_its_length_is_a_payload, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, goodbye_has_an_extended_header, 0,
	    SCRIPT_N_CUTS);
}

static void
add_replies(TCase *tc)
{
	tcase_add_loop_test(tc, a_read_in_data_and_holes, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_error_has_its_words, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_reply_for_another_offset_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_reply_of_a_wrong_length_is_a_violation, 0,
	    N_LENGTHS);
	tcase_add_loop_test(tc, any_other_kind_of_reply_is_a_violation, 0,
	    N_MAGICS);
	tcase_add_loop_test(tc,
	    an_extended_reply_that_was_not_agreed_on_is_a_violation, 0,
	    SCRIPT_N_CUTS);
}

static void
add_status(TCase *tc)
{
	tcase_add_loop_test(tc, extents_have_lengths_and_flags_of_64_bits, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_extent_ends_at_the_latest_with_the_disk, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, one_extent_is_not_longer_than_the_request, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_wrong_extent_fails_the_request_and_nothing_else, 0, N_FAULTS);
	tcase_add_loop_test(tc, status_in_32_bits_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    status_in_64_bits_without_extended_headers_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, extents_that_do_not_add_up_are_a_violation, 0,
	    N_COUNTS);
}

int
main(void)
{
	Suite *s = suite_create("nbd/extended");
	TCase *requests = tcase_create("requests");
	TCase *replies = tcase_create("replies");
	TCase *status = tcase_create("status");

	tcase_add_checked_fixture(requests, setup, teardown);
	tcase_add_checked_fixture(replies, setup, teardown);
	tcase_add_checked_fixture(status, setup, teardown);
	add_requests(requests);
	add_replies(replies);
	add_status(status);
	suite_add_tcase(s, requests);
	suite_add_tcase(s, replies);
	suite_add_tcase(s, status);
	return unit_main(s);
}
