/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NBD_OPT_LIST. */
#include <string.h>

#include "script.h"
#include "unit.h"

static const struct nbd_session_options list = { .goal = NBD_GOAL_LIST };

static struct script t;

static void
teardown(void)
{
	script_close(&t);
}

static void
open_to_list(int cut)
{
	script_open(&t, &list, cut);
	say_greeting(&t, FIXED);
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_LIST);
	hear_nothing(&t);
}

static void
say_listed(const char *name, const char *description)
{
	say_option(&t, NBD_OPT_LIST, NBD_REP_SERVER,
	    (uint32_t)(4 + strlen(name) + strlen(description)));
	say32(&t, (uint32_t)strlen(name));
	say_text(&t, name);
	say_text(&t, description);
}

START_TEST(exports_are_listed_as_they_were_sent)
{
	const struct nbd_listed_export *exports;
	size_t n;

	open_to_list(_i);
	say_listed("one", "the first\x1b");
	say_listed("", "");
	say_listed("t\nwo", "");
	say_ack(&t, NBD_OPT_LIST);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_LISTED);
	exports = nbd_session_list(t.s, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(exports[0].name, "one");
	ck_assert_str_eq(exports[0].description, "the first\x1b");
	ck_assert_str_eq(exports[1].name, "");
	ck_assert_str_eq(exports[1].description, "");
	ck_assert_str_eq(exports[2].name, "t\nwo");
	hear_nothing(&t);
}
END_TEST

START_TEST(a_server_may_have_no_exports)
{
	size_t n;

	open_to_list(_i);
	say_ack(&t, NBD_OPT_LIST);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_LISTED);
	(void)nbd_session_list(t.s, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(goodbye_after_the_list_is_abort)
{
	open_to_list(_i);
	say_ack(&t, NBD_OPT_LIST);
	script_tell(&t);
	nbd_session_disconnect(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	hear_empty_option(&t, NBD_OPT_ABORT);
	say_ack(&t, NBD_OPT_ABORT);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	hear_nothing(&t);
}
END_TEST

START_TEST(a_server_that_closes_after_the_list_has_done_its_part)
{
	struct iovec iov[2];

	open_to_list(_i);
	say_ack(&t, NBD_OPT_LIST);
	say_text(&t, "and more");
	script_tell(&t);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 1);
	nbd_session_received_eof(t.s);
	expect_phase(&t, NBD_PHASE_LISTED);
	ck_assert_int_eq(nbd_session_input(t.s, iov), 0);
	nbd_session_disconnect(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	hear_nothing(&t);
}
END_TEST

START_TEST(policy_and_age_are_told_apart)
{
	open_to_list(_i);
	say_refusal(&t, NBD_OPT_LIST, NBD_REP_ERR_POLICY, "not you");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_POLICY,
	    "cannot list the exports: the server's policy forbids it (it says "
	    "'not you')");
	script_close(&t);

	open_to_list(_i);
	say_refusal(&t, NBD_OPT_LIST, NBD_REP_ERR_UNSUP, "");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_UNSUPPORTED,
	    "cannot list the exports: the server is too old to be asked");
}
END_TEST

START_TEST(a_server_that_is_not_fixed_newstyle_cannot_be_asked)
{
	script_open(&t, &list, _i);
	say_greeting(&t, NBD_FLAG_NO_ZEROES);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_UNSUPPORTED, "too old to be asked");
}
END_TEST

START_TEST(a_list_entry_of_two_bytes_is_a_violation)
{
	open_to_list(_i);
	say_option(&t, NBD_OPT_LIST, NBD_REP_SERVER, 2);
	say16(&t, 0);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "with 2 bytes of data");
}
END_TEST

static const struct length_row {
	uint32_t name_len;
	uint32_t length;	/* of all behind the name's length */
} length_rows[] = {
	{ 1, 0 },
	{ 6, 5 },
	{ UINT32_MAX, 5 },
	{ UINT32_MAX - 3, 5 },
	{ 0x80000000, 5 },
	{ 4097, 4097 },
	{ 0, 4097 },
};

#define N_LENGTHS ((int)(sizeof length_rows / sizeof length_rows[0]))

START_TEST(a_name_longer_than_its_reply_is_a_violation)
{
	const struct length_row *row = &length_rows[_i];

	open_to_list(SCRIPT_N_CUTS - 1);
	say_option(&t, NBD_OPT_LIST, NBD_REP_SERVER, 4 + row->length);
	say32(&t, row->name_len);
	for (uint32_t i = 0; i < row->length; i++)
		say8(&t, 'x');
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "name is too long");
}
END_TEST

START_TEST(a_zero_byte_in_a_name_is_a_violation)
{
	open_to_list(_i);
	say_option(&t, NBD_OPT_LIST, NBD_REP_SERVER, 4 + 3);
	say32(&t, 3);
	say_bytes(&t, "a\0b", 3);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "zero byte");
}
END_TEST

START_TEST(a_list_without_end_is_a_violation)
{
	open_to_list(SCRIPT_N_CUTS - 1);
	for (int i = 0; i < 4097; i++)
		say_listed("disk", "");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "no end of answers");
}
END_TEST

START_TEST(a_list_of_4096_is_fine)
{
	size_t n;

	open_to_list(SCRIPT_N_CUTS - 1);
	for (int i = 0; i < 4096; i++)
		say_listed("disk", "");
	say_ack(&t, NBD_OPT_LIST);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_LISTED);
	(void)nbd_session_list(t.s, &n);
	ck_assert_uint_eq(n, 4096);
}
END_TEST

START_TEST(closing_on_list_is_told_as_that)
{
	open_to_list(_i);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED_ON_OPTION, "NBD_OPT_LIST");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nbd/list");
	TCase *tc = tcase_create("list");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, exports_are_listed_as_they_were_sent, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_server_may_have_no_exports, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, goodbye_after_the_list_is_abort, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_server_that_closes_after_the_list_has_done_its_part, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, policy_and_age_are_told_apart, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_server_that_is_not_fixed_newstyle_cannot_be_asked, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_list_entry_of_two_bytes_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_name_longer_than_its_reply_is_a_violation,
	    0, N_LENGTHS);
	tcase_add_loop_test(tc, a_zero_byte_in_a_name_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_test(tc, a_list_without_end_is_a_violation);
	tcase_add_test(tc, a_list_of_4096_is_fine);
	tcase_add_loop_test(tc, closing_on_list_is_told_as_that, 0,
	    SCRIPT_N_CUTS);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
