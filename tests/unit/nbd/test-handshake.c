/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Greeting and options, up to an open export. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"
#include "script.h"
#include "unit.h"

#define HAS NBD_FLAG_HAS_FLAGS

static const char *const two_contexts[] = { "base:allocation", "x:dirty" };
static const struct nbd_session_options plain = { .export_name = "disk",
	.no_structured = true };
static const struct nbd_session_options full = { .export_name = "disk",
	.contexts = two_contexts,
	.n_contexts = 2,
	.no_extended = true };
static const struct nbd_session_options name_only = { .export_name = "disk",
	.export_name_only = true };

static struct script t;

static void
teardown(void)
{
	script_close(&t);
}

/* A greeted session that has sent GO. */
static void
open_to_go(int cut)
{
	size_t len;

	script_open(&t, &plain, cut);
	say_greeting(&t, FIXED);
	script_tell(&t);
	hear_flags(&t, FIXED);
	(void)hear_option(&t, NBD_OPT_GO, &len);
	hear_nothing(&t);
}

static const struct nbd_export *
export_of(struct script *script)
{
	expect_phase(script, NBD_PHASE_READY);
	return nbd_session_export(script->s);
}

START_TEST(the_greeting_is_waited_for_first)
{
	script_open(&t, &full, _i);
	expect_phase(&t, NBD_PHASE_HANDSHAKE);
	ck_assert_str_eq(nbd_session_waiting_for(t.s), "the server's greeting");
	hear_nothing(&t);
}
END_TEST

START_TEST(what_is_not_nbd_is_told_with_its_first_words)
{
	script_open(&t, &full, _i);
	say_text(&t, "SSH-2.0-");
	say_text(&t, _i == SCRIPT_N_CUTS - 1 ? "OpenSSH_9.2\r\nmore" : "");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_NOT_NBD, "is not an NBD server");
	expect_failure(&t, NBD_FAILURE_NOT_NBD,
	    _i == SCRIPT_N_CUTS - 1 ? "'SSH-2.0-OpenSSH_9.2'" : "'SSH-2.0-'");
}
END_TEST

START_TEST(control_characters_of_a_stranger_are_not_shown)
{
	script_open(&t, &full, _i);
	say_text(&t, "\x1b[2Jboo!!");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_NOT_NBD, "'\\x1B[2Jboo");
}
END_TEST

START_TEST(a_stranger_that_closes_early_is_no_nbd_server)
{
	script_open(&t, &full, _i);
	say_text(&t, "220 m");
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_NOT_NBD, "'220 m'");
}
END_TEST

START_TEST(closing_without_or_within_the_greeting_is_told_as_that)
{
	script_open(&t, &full, _i);
	if (_i > 0)
		say_text(&t, "NBDMAGICIHAVE");
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED, "without greeting");
}
END_TEST

START_TEST(an_oldstyle_server_is_told_as_that)
{
	script_open(&t, &full, _i);
	say64(&t, NBD_MAGIC);
	say64(&t, NBD_OLDSTYLE_MAGIC);
	say_zeroes(&t, 136);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_OLDSTYLE, "oldstyle");
}
END_TEST

START_TEST(an_unknown_second_magic_is_no_nbd_server)
{
	script_open(&t, &full, _i);
	say64(&t, NBD_MAGIC);
	say_text(&t, "whatever");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_NOT_NBD, "'whatever'");
}
END_TEST

START_TEST(only_flags_that_we_know_are_sent_back)
{
	script_open(&t, &full, _i);
	say_greeting(&t, 0xfffd);
	script_tell(&t);
	hear_flags(&t, NBD_FLAG_FIXED_NEWSTYLE);
}
END_TEST

START_TEST(the_options_come_in_order_and_one_at_a_time)
{
	const uint8_t *p;
	size_t len;

	script_open(&t, &full, _i);
	say_greeting(&t, FIXED);
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
	hear_nothing(&t);
	ck_assert_str_eq(nbd_session_waiting_for(t.s),
	    "the answer to NBD_OPT_STRUCTURED_REPLY");
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	script_tell(&t);

	p = hear_option(&t, NBD_OPT_SET_META_CONTEXT, &len);
	ck_assert_uint_eq(len, 4 + 4 + 4 + 4 + 15 + 4 + 7);
	ck_assert_uint_eq(get_be32(p), 4);
	ck_assert_mem_eq(p + 4, "disk", 4);
	ck_assert_uint_eq(get_be32(p + 8), 2);
	ck_assert_uint_eq(get_be32(p + 12), 15);
	ck_assert_mem_eq(p + 16, "base:allocation", 15);
	ck_assert_uint_eq(get_be32(p + 31), 7);
	ck_assert_mem_eq(p + 35, "x:dirty", 7);
	hear_nothing(&t);
	say_context(&t, 7, "base:allocation");
	say_ack(&t, NBD_OPT_SET_META_CONTEXT);
	script_tell(&t);

	p = hear_option(&t, NBD_OPT_GO, &len);
	ck_assert_uint_eq(len, 4 + 4 + 2 + 6);
	ck_assert_mem_eq(p + 4, "disk", 4);
	ck_assert_uint_eq(get_be16(p + 8), 3);
	hear_nothing(&t);
	say_info_export(&t, 4096, HAS);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	ck_assert(export_of(&t)->structured);
	ck_assert_uint_eq(export_of(&t)->n_contexts, 2);
	ck_assert_str_eq(export_of(&t)->contexts[0], "base:allocation");
	ck_assert_ptr_null(export_of(&t)->contexts[1]);
	hear_nothing(&t);
}
END_TEST

START_TEST(an_export_is_told_as_the_server_told_it)
{
	const struct nbd_export *export;

	open_to_go(_i);
	say_info_block_size(&t, 512, 65536, 1 << 20);
	say_option(&t, NBD_OPT_GO, NBD_REP_INFO, 2 + 7);
	say16(&t, NBD_INFO_DESCRIPTION);
	say_text(&t, "a\x1b[31mb");
	say_option(&t, NBD_OPT_GO, NBD_REP_INFO, 2 + 5);
	say16(&t, NBD_INFO_NAME);
	say_text(&t, "Disk1");
	/* Of a type that nobody knows. */
	say_option(&t, NBD_OPT_GO, NBD_REP_INFO, 2 + 3);
	say16(&t, 4711);
	say_text(&t, "???");
	say_info_export(&t, NBD_MAX_EXPORT_SIZE, HAS | NBD_FLAG_SEND_FLUSH);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	export = export_of(&t);
	ck_assert_str_eq(export->name, "disk");
	ck_assert_str_eq(export->canonical_name, "Disk1");
	ck_assert_str_eq(export->description, "a\\x1B[31mb");
	ck_assert_uint_eq(export->size, NBD_MAX_EXPORT_SIZE);
	ck_assert_uint_eq(export->flags, HAS | NBD_FLAG_SEND_FLUSH);
	ck_assert(export->block_size_told);
	ck_assert_uint_eq(export->block_minimum, 512);
	ck_assert_uint_eq(export->block_preferred, 65536);
	ck_assert_uint_eq(export->block_maximum, 1 << 20);
	ck_assert(!export->structured);
}
END_TEST

START_TEST(what_is_not_told_has_defaults)
{
	const struct nbd_export *export;

	open_to_go(_i);
	say_info_export(&t, 0, HAS);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	export = export_of(&t);
	ck_assert_uint_eq(export->size, 0);
	ck_assert(!export->block_size_told);
	ck_assert_uint_eq(export->block_minimum, 1);
	ck_assert_uint_eq(export->block_preferred, 4096);
	ck_assert_uint_eq(export->block_maximum, 32 << 20);
	ck_assert_ptr_null(export->canonical_name);
	ck_assert_ptr_null(export->description);
}
END_TEST

static const struct sizes_row {
	uint32_t minimum, preferred, maximum;
	uint32_t used;		/* as preferred; 0: refused */
} sizes_rows[] = {
	{ 1, 4096, 0xffffffff, 4096 },
	{ 65536, 65536, 65536, 65536 },
	{ 4096, 0x80000000, 0xffffffff, 0x80000000 },
	{ 512, 512, 512, 512 },
	{ 1, 0, 4096, 4096 },
	{ 1, 3, 4096, 4096 },
	{ 1, 256, 4096, 4096 },
	{ 65536, 4096, 65536, 65536 },
	{ 1, 0xffffffff, 4096, 4096 },
	{ 4096, 4096, 4096, 4096 },
	{ 0, 4096, 65536, 0 },
	{ 3, 4096, 65536, 0 },
	{ 131072, 131072, 131072, 0 },
	{ 0x80000000, 0x80000000, 0x80000000, 0 },
	{ 512, 4096, 511, 0 },
	{ 1, 4096, 0, 0 },
	{ 1, 512, 512, 512 },
	{ 1, 512, 511, 0 },
	{ 1, 1, 1, 0 },
};

#define N_SIZES ((int)(sizeof sizes_rows / sizeof sizes_rows[0]))

START_TEST(block_sizes_are_made_safe_or_refused)
{
	const struct sizes_row *row = &sizes_rows[_i];

	open_to_go(0);
	say_info_block_size(&t, row->minimum, row->preferred, row->maximum);
	say_info_export(&t, 1 << 20, HAS);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	if (row->used == 0) {
		expect_failure(&t, NBD_FAILURE_PROTOCOL, "block sizes");
		return;
	}
	ck_assert_uint_eq(export_of(&t)->block_minimum, row->minimum);
	ck_assert_uint_eq(export_of(&t)->block_preferred, row->used);
	ck_assert_uint_eq(export_of(&t)->block_maximum, row->maximum);
}
END_TEST

static const struct flags_row {
	uint16_t told, usable;
} flags_rows[] = {
	{ HAS, HAS },
	/* Without the first nothing counts, but caution does no harm. */
	{ NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_TRIM, 0 },
	{ NBD_FLAG_SEND_FLUSH | NBD_FLAG_READ_ONLY, NBD_FLAG_READ_ONLY },
	{ 0, 0 },
	{ HAS | NBD_FLAG_SEND_FAST_ZERO, HAS },
	{ HAS | NBD_FLAG_SEND_FAST_ZERO | NBD_FLAG_SEND_WRITE_ZEROES,
	    HAS | NBD_FLAG_SEND_FAST_ZERO | NBD_FLAG_SEND_WRITE_ZEROES },
	{ HAS | NBD_FLAG_READ_ONLY | NBD_FLAG_SEND_WRITE_ZEROES |
		NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_FLUSH,
	    HAS | NBD_FLAG_READ_ONLY | NBD_FLAG_SEND_FLUSH },
	/* There are no structured replies here. */
	{ HAS | NBD_FLAG_SEND_DF, HAS },
};

#define N_FLAGS ((int)(sizeof flags_rows / sizeof flags_rows[0]))

START_TEST(flags_that_contradict_each_other_are_masked)
{
	open_to_go(0);
	say_info_export(&t, 1 << 20, flags_rows[_i].told);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	ck_assert_uint_eq(export_of(&t)->flags, flags_rows[_i].usable);
}
END_TEST

START_TEST(a_size_over_63_bits_is_refused)
{
	open_to_go(_i);
	say_info_export(&t, NBD_MAX_EXPORT_SIZE + 1, HAS);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "9223372036854775808 bytes");
}
END_TEST

START_TEST(go_without_a_size_is_a_violation)
{
	open_to_go(_i);
	say_info_block_size(&t, 1, 4096, 65536);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL,
	    "told about the export, but not its size");
}
END_TEST

/* One reply that breaks the rules, to GO. */
static const struct broken_row {
	uint64_t magic;
	uint32_t option, type, length;
	uint16_t info;
	const char *says;
} broken_rows[] = {
	{ 0x0102030405060708, NBD_OPT_GO, NBD_REP_ACK, 0, 0,
	    "begins with 0x0102030405060708" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_LIST, NBD_REP_ACK, 0, 0,
	    "an answer to option 3 instead of NBD_OPT_GO" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_ACK, 1, 0,
	    "with 1 bytes of data" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_ACK, UINT32_MAX, 0,
	    "with 4294967295 bytes of data" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_INFO, 65537, 0,
	    "with 65537 bytes of data" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_INFO, 1, 0,
	    "with 1 bytes of data" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_ERR_POLICY, 4097, 0,
	    "with 4097 bytes of data" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_SERVER, 4, 0,
	    "an answer of type 2" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, 77, 4, 0,
	    "an answer of type 77" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, 0, 0, 0,
	    "an answer of type 0" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_INFO, 11,
	    NBD_INFO_EXPORT, "information of type 0 with 9 bytes" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_INFO, 13,
	    NBD_INFO_EXPORT, "information of type 0 with 11 bytes" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_INFO, 2,
	    NBD_INFO_BLOCK_SIZE, "information of type 3 with 0 bytes" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_INFO, 15,
	    NBD_INFO_BLOCK_SIZE, "information of type 3 with 13 bytes" },
	{ NBD_OPTION_REPLY_MAGIC, NBD_OPT_GO, NBD_REP_INFO, 4099,
	    NBD_INFO_DESCRIPTION, "information of type 2 with 4097 bytes" },
};

#define N_BROKEN ((int)(sizeof broken_rows / sizeof broken_rows[0]))

START_TEST(a_broken_answer_is_a_violation)
{
	const struct broken_row *row = &broken_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		open_to_go(cut);
		say64(&t, row->magic);
		say32(&t, row->option);
		say32(&t, row->type);
		say32(&t, row->length);
		if (row->length > 2 && row->length <= 65536) {
			say16(&t, row->info);
			say_zeroes(&t, row->length - 2);
		} else if (row->length == 2) {
			say16(&t, row->info);
		}
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, row->says);
		expect_failure(&t, NBD_FAILURE_PROTOCOL,
		    "the server broke the protocol: ");
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(answers_without_end_are_a_violation)
{
	open_to_go(SCRIPT_N_CUTS - 1);
	for (int i = 0; i < 4097; i++) {
		say_option(&t, NBD_OPT_GO, NBD_REP_INFO, 2);
		say16(&t, 99);
	}
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "no end of answers");
}
END_TEST

START_TEST(answers_of_too_many_bytes_are_a_violation)
{
	open_to_go(SCRIPT_N_CUTS - 1);
	/* 16 of 64 KiB are allowed. */
	for (int i = 0; i < 17; i++) {
		say_option(&t, NBD_OPT_GO, NBD_REP_INFO, 65536);
		say16(&t, 99);
		say_zeroes(&t, 65534);
		script_tell(&t);
		if (i < 16)
			expect_phase(&t, NBD_PHASE_HANDSHAKE);
	}
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "no end of answers");
}
END_TEST

static const struct refusal_row {
	uint32_t error;
	enum nbd_failure why;
	const char *says;
} refusal_rows[] = {
	{ NBD_REP_ERR_POLICY, NBD_FAILURE_POLICY, "policy forbids it" },
	{ NBD_REP_ERR_INVALID, NBD_FAILURE_REFUSED, "invalid" },
	{ NBD_REP_ERR_PLATFORM, NBD_FAILURE_REFUSED, "platform" },
	{ NBD_REP_ERR_TLS_REQD, NBD_FAILURE_TLS_REQUIRED, "requires TLS" },
	{ NBD_REP_ERR_UNKNOWN, NBD_FAILURE_NO_EXPORT, "no such export" },
	{ NBD_REP_ERR_SHUTDOWN, NBD_FAILURE_SHUTDOWN, "shutting down" },
	{ NBD_REP_ERR_BLOCK_SIZE_REQD, NBD_FAILURE_REFUSED, "block sizes" },
	{ NBD_REP_ERR_TOO_BIG, NBD_FAILURE_REFUSED, "too big" },
	{ NBD_REP_ERR_EXT_HEADER_REQD, NBD_FAILURE_REFUSED,
	    "extended headers" },
	{ NBD_REP_FLAG_ERROR | 12345, NBD_FAILURE_REFUSED, "does not know" },
};

#define N_REFUSALS ((int)(sizeof refusal_rows / sizeof refusal_rows[0]))

START_TEST(a_refused_export_is_told_with_reason_and_words)
{
	const struct refusal_row *row = &refusal_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		open_to_go(cut);
		say_refusal(&t, NBD_OPT_GO, row->error, "ask\n Bob");
		script_tell(&t);
		expect_failure(&t, row->why, row->says);
		expect_failure(&t, row->why, "cannot open export 'disk'");
		expect_failure(&t, row->why, "(it says 'ask\\x0A Bob')");
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(a_server_without_structured_replies_does_without)
{
	size_t len;

	script_open(&t, &full, _i);
	say_greeting(&t, FIXED);
	say_refusal(&t, NBD_OPT_STRUCTURED_REPLY, NBD_REP_ERR_UNSUP, "");
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
	(void)hear_option(&t, NBD_OPT_GO, &len);
	say_info_export(&t, 4096, HAS | NBD_FLAG_SEND_DF);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	ck_assert(!export_of(&t)->structured);
	ck_assert_uint_eq(export_of(&t)->flags, HAS);
	ck_assert_uint_eq(export_of(&t)->n_contexts, 2);
	ck_assert_ptr_null(export_of(&t)->contexts[0]);
}
END_TEST

START_TEST(a_server_that_wants_tls_says_so_to_any_option)
{
	script_open(&t, &full, _i);
	say_greeting(&t, FIXED);
	say_refusal(&t, NBD_OPT_STRUCTURED_REPLY, NBD_REP_ERR_TLS_REQD, "");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_TLS_REQUIRED, "requires TLS");
}
END_TEST

static void
open_to_set_meta_context(int cut)
{
	script_open(&t, &full, cut);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	script_tell(&t);
}

START_TEST(contexts_of_a_failed_option_are_dropped)
{
	open_to_set_meta_context(_i);
	say_context(&t, 1, "base:allocation");
	say_refusal(&t, NBD_OPT_SET_META_CONTEXT, NBD_REP_ERR_TOO_BIG, "no");
	say_info_export(&t, 4096, HAS);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	ck_assert(export_of(&t)->structured);
	ck_assert_ptr_null(export_of(&t)->contexts[0]);
	ck_assert_ptr_null(export_of(&t)->contexts[1]);
}
END_TEST

START_TEST(context_numbers_may_be_0_and_anything)
{
	open_to_set_meta_context(_i);
	say_context(&t, UINT32_MAX, "x:dirty");
	say_context(&t, 0, "base:allocation");
	say_ack(&t, NBD_OPT_SET_META_CONTEXT);
	say_info_export(&t, 4096, HAS);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	ck_assert_str_eq(export_of(&t)->contexts[0], "base:allocation");
	ck_assert_str_eq(export_of(&t)->contexts[1], "x:dirty");
}
END_TEST

START_TEST(contexts_with_one_number_are_a_violation)
{
	open_to_set_meta_context(_i);
	say_context(&t, 0, "x:dirty");
	say_context(&t, 0, "base:allocation");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "number 0, twice");
}
END_TEST

START_TEST(a_context_with_two_numbers_is_a_violation)
{
	open_to_set_meta_context(_i);
	say_context(&t, 1, "x:dirty");
	say_context(&t, 2, "x:dirty");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "number 2, twice");
}
END_TEST

START_TEST(a_context_nobody_asked_for_is_a_violation)
{
	open_to_set_meta_context(_i);
	say_context(&t, 1, "x:dirt");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not asked for");
}
END_TEST

START_TEST(go_unsupported_falls_back_to_export_name)
{
	const uint8_t *p;
	size_t len;

	open_to_go(_i);
	/* All that was told is void. */
	say_info_block_size(&t, 4096, 4096, 4096);
	say_refusal(&t, NBD_OPT_GO, NBD_REP_ERR_UNSUP, "what?");
	script_tell(&t);
	p = hear_option(&t, NBD_OPT_EXPORT_NAME, &len);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(p, "disk", 4);
	ck_assert_str_eq(nbd_session_waiting_for(t.s),
	    "the answer to NBD_OPT_EXPORT_NAME");
	say64(&t, 12345);
	say16(&t, HAS | NBD_FLAG_SEND_FLUSH);
	script_tell(&t);
	ck_assert_uint_eq(export_of(&t)->size, 12345);
	ck_assert_uint_eq(export_of(&t)->flags, HAS | NBD_FLAG_SEND_FLUSH);
	ck_assert(!export_of(&t)->block_size_told);
}
END_TEST

START_TEST(export_name_is_answered_with_124_zeroes_if_not_agreed_otherwise)
{
	size_t len;

	script_open(&t, &name_only, _i);
	say_greeting(&t, NBD_FLAG_FIXED_NEWSTYLE);
	script_tell(&t);
	hear_flags(&t, NBD_FLAG_FIXED_NEWSTYLE);
	(void)hear_option(&t, NBD_OPT_EXPORT_NAME, &len);
	say64(&t, 512);
	say16(&t, HAS);
	say_zeroes(&t, 123);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_HANDSHAKE);
	say8(&t, 0);
	script_tell(&t);
	ck_assert_uint_eq(export_of(&t)->size, 512);
}
END_TEST

START_TEST(a_server_that_is_not_fixed_gets_export_name_alone)
{
	size_t len;

	script_open(&t, &full, _i);
	say_greeting(&t, NBD_FLAG_NO_ZEROES);
	script_tell(&t);
	hear_flags(&t, NBD_FLAG_NO_ZEROES);
	(void)hear_option(&t, NBD_OPT_EXPORT_NAME, &len);
	say64(&t, 1024);
	say16(&t, HAS);
	script_tell(&t);
	ck_assert_uint_eq(export_of(&t)->size, 1024);
}
END_TEST

START_TEST(export_name_answered_with_a_huge_size_is_a_violation)
{
	script_open(&t, &name_only, _i);
	say_greeting(&t, FIXED);
	say64(&t, UINT64_MAX);
	say16(&t, HAS);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "18446744073709551615 bytes");
}
END_TEST

START_TEST(export_name_answered_as_other_options_is_a_violation)
{
	script_open(&t, &name_only, _i);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_EXPORT_NAME);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "with an option reply");
}
END_TEST

START_TEST(closing_on_an_option_invites_another_try)
{
	open_to_go(_i);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED_ON_OPTION, "sent NBD_OPT_GO");
}
END_TEST

START_TEST(closing_in_an_answer_invites_nothing)
{
	open_to_go(_i);
	say8(&t, 0);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED, "in the middle");
	script_close(&t);

	open_to_go(_i);
	say_info_export(&t, 4096, HAS);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED, "in the middle");
}
END_TEST

START_TEST(closing_on_export_name_after_a_refusal_invites_another_try)
{
	open_to_go(_i);
	say_refusal(&t, NBD_OPT_GO, NBD_REP_ERR_UNSUP, "");
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED_ON_OPTION,
	    "sent NBD_OPT_EXPORT_NAME");
}
END_TEST

START_TEST(closing_on_export_name_alone_means_no_such_export)
{
	script_open(&t, &name_only, _i);
	say_greeting(&t, FIXED);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_NO_EXPORT, "cannot open export 'disk'");
	script_close(&t);

	script_open(&t, &name_only, _i);
	say_greeting(&t, FIXED);
	say_zeroes(&t, 9);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED, "in the middle");
}
END_TEST

START_TEST(the_first_reply_may_come_with_the_ack)
{
	/* Nobody has asked for it, so it must be noticed, and as that. */
	open_to_go(_i);
	say_info_export(&t, 4096, HAS);
	say_ack(&t, NBD_OPT_GO);
	say32(&t, NBD_SIMPLE_REPLY_MAGIC);
	say32(&t, 0);
	say64(&t, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not in flight");
}
END_TEST

/* It is most of what an idle connection costs. */
START_TEST(room_for_a_long_answer_is_given_back)
{
	struct iovec iov[2];

	open_to_go(_i);
	say_option(&t, NBD_OPT_GO, NBD_REP_INFO, 60000);
	say16(&t, 99);
	say_zeroes(&t, 50000);
	script_tell(&t);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 1);
	ck_assert_uint_ge(t.s->in.size, 60000);
	say_zeroes(&t, 60000 - 50002);
	say_info_export(&t, 4096, HAS);
	say_ack(&t, NBD_OPT_GO);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_READY);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 1);
	ck_assert_uint_eq(iov[0].iov_len, NBD_IN_USUAL);
	ck_assert_uint_eq(t.s->in.size, NBD_IN_USUAL);
}
END_TEST

START_TEST(the_longest_names_fit)
{
	static char name[NBD_MAX_STRING + 1];
	static char context[NBD_MAX_STRING + 1];
	const char *const contexts[] = { context };
	struct nbd_session_options options = { .export_name = name,
		.contexts = contexts, .n_contexts = 1, .no_extended = true };
	size_t len;

	memset(name, 'n', NBD_MAX_STRING);
	memset(context, 'c', NBD_MAX_STRING);
	script_open(&t, &options, _i);
	say_greeting(&t, NBD_FLAG_FIXED_NEWSTYLE);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	say_context(&t, 3, context);
	say_ack(&t, NBD_OPT_SET_META_CONTEXT);
	/* Nothing of all that has been sent yet: there is room for it. */
	say_refusal(&t, NBD_OPT_GO, NBD_REP_ERR_UNSUP, "");
	say64(&t, 4096);
	say16(&t, HAS);
	say_zeroes(&t, 124);
	script_tell(&t);
	ck_assert_str_eq(export_of(&t)->contexts[0], context);
	nbd_session_disconnect(t.s);
	hear_flags(&t, NBD_FLAG_FIXED_NEWSTYLE);
	hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
	(void)hear_option(&t, NBD_OPT_SET_META_CONTEXT, &len);
	ck_assert_uint_eq(len, 4 + 4096 + 4 + 4 + 4096);
	(void)hear_option(&t, NBD_OPT_GO, &len);
	(void)hear_option(&t, NBD_OPT_EXPORT_NAME, &len);
	ck_assert_uint_eq(len, 4096);
	script_listen(&t);
	ck_assert_uint_eq(t.n_heard, 28);
}
END_TEST

START_TEST(options_that_do_not_fit_the_protocol_are_refused)
{
	static char name[NBD_MAX_STRING + 2];
	const char *long_context[] = { name };
	const char *same[] = { "a:b", "a:b" };
	struct nbd_session_options options = { .export_name = name };
	struct nbd_session *s = NULL;

	memset(name, 'n', NBD_MAX_STRING + 1);
	ck_assert_int_eq(nbd_session_new(&options, &s), -EINVAL);
	options = (struct nbd_session_options){ .contexts = long_context,
		.n_contexts = 1 };
	ck_assert_int_eq(nbd_session_new(&options, &s), -EINVAL);
	options.contexts = same;
	options.n_contexts = 2;
	ck_assert_int_eq(nbd_session_new(&options, &s), -EINVAL);
	ck_assert_ptr_null(s);
	nbd_session_free(NULL);
}
END_TEST

START_TEST(a_session_has_no_more_contexts_than_the_limit)
{
	static char names[NBD_MAX_CONTEXTS + 1][8];
	const char *contexts[NBD_MAX_CONTEXTS + 1];
	struct nbd_session_options options = { .contexts = contexts };
	struct nbd_session *s = NULL;

	for (size_t i = 0; i < NBD_MAX_CONTEXTS + 1; i++) {
		(void)snprintf(names[i], sizeof names[i], "x:%zu", i);
		contexts[i] = names[i];
	}
	options.n_contexts = NBD_MAX_CONTEXTS + 1;
	ck_assert_int_eq(nbd_session_new(&options, &s), -EINVAL);
	options.n_contexts = NBD_MAX_CONTEXTS;
	ck_assert_int_eq(nbd_session_new(&options, &s), 0);
	nbd_session_free(s);
}
END_TEST

static void
add_cut(TCase *tc)
{
	tcase_add_loop_test(tc, the_greeting_is_waited_for_first, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, what_is_not_nbd_is_told_with_its_first_words,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    control_characters_of_a_stranger_are_not_shown, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_stranger_that_closes_early_is_no_nbd_server,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    closing_without_or_within_the_greeting_is_told_as_that, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_oldstyle_server_is_told_as_that, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_unknown_second_magic_is_no_nbd_server, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, only_flags_that_we_know_are_sent_back, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, the_options_come_in_order_and_one_at_a_time,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, an_export_is_told_as_the_server_told_it, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, what_is_not_told_has_defaults, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_size_over_63_bits_is_refused, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, go_without_a_size_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, the_first_reply_may_come_with_the_ack, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, room_for_a_long_answer_is_given_back, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, the_longest_names_fit, 0, SCRIPT_N_CUTS);
}

static void
add_options(TCase *tc)
{
	tcase_add_loop_test(tc,
	    a_server_without_structured_replies_does_without, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_server_that_wants_tls_says_so_to_any_option,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, contexts_of_a_failed_option_are_dropped, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, context_numbers_may_be_0_and_anything, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, contexts_with_one_number_are_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_context_with_two_numbers_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_context_nobody_asked_for_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, go_unsupported_falls_back_to_export_name, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    export_name_is_answered_with_124_zeroes_if_not_agreed_otherwise,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_server_that_is_not_fixed_gets_export_name_alone, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    export_name_answered_with_a_huge_size_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    export_name_answered_as_other_options_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, closing_on_an_option_invites_another_try, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, closing_in_an_answer_invites_nothing, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    closing_on_export_name_after_a_refusal_invites_another_try, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    closing_on_export_name_alone_means_no_such_export, 0,
	    SCRIPT_N_CUTS);
}

int
main(void)
{
	Suite *s = suite_create("nbd/handshake");
	TCase *tc = tcase_create("greeting");
	TCase *options = tcase_create("options");
	TCase *rows = tcase_create("rows");
	TCase *none = tcase_create("none");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_checked_fixture(options, NULL, teardown);
	tcase_add_checked_fixture(rows, NULL, teardown);
	add_cut(tc);
	add_options(options);
	tcase_add_loop_test(rows, block_sizes_are_made_safe_or_refused, 0,
	    N_SIZES);
	tcase_add_loop_test(rows, flags_that_contradict_each_other_are_masked,
	    0, N_FLAGS);
	tcase_add_loop_test(rows, a_broken_answer_is_a_violation, 0, N_BROKEN);
	tcase_add_loop_test(rows,
	    a_refused_export_is_told_with_reason_and_words, 0, N_REFUSALS);
	tcase_add_test(rows, answers_without_end_are_a_violation);
	tcase_add_test(rows, answers_of_too_many_bytes_are_a_violation);
	tcase_add_test(none, options_that_do_not_fit_the_protocol_are_refused);
	tcase_add_test(none, a_session_has_no_more_contexts_than_the_limit);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, options);
	suite_add_tcase(s, rows);
	suite_add_tcase(s, none);
	return unit_main(s);
}
