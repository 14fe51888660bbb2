/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where TLS is required, nothing else is done before, and nothing without. */
#include <string.h>

#include "nbd/session.h"
#include "script.h"
#include "unit.h"

static const struct nbd_session_options options = {
	.no_extended = true,
	.export_name = "disk",
	.tls_required = true,
};
static struct script t;

static void
teardown(void)
{
	script_close(&t);
}

static void
open_to_starttls(int cut)
{
	script_open(&t, &options, cut);
	say_greeting(&t, FIXED);
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_STARTTLS);
	hear_nothing(&t);
}

static void
expect_no_more(void)
{
	struct iovec iov[2];

	ck_assert(!nbd_session_has_output(t.s));
	ck_assert_int_eq(nbd_session_input(t.s, iov), 0);
}

START_TEST(the_handshake_is_the_owners_turn)
{
	open_to_starttls(_i);
	say_ack(&t, NBD_OPT_STARTTLS);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_STARTTLS);
	ck_assert_str_eq(nbd_session_waiting_for(t.s), "the TLS handshake");
	expect_no_more();
	nbd_session_tls_started(t.s);
	expect_phase(&t, NBD_PHASE_HANDSHAKE);
	hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
}
END_TEST

/* Cut into single bytes, the plain text is not taken: TLS gets to see it. */
START_TEST(plain_text_behind_the_ack_is_never_listened_to)
{
	open_to_starttls(_i);
	say_ack(&t, NBD_OPT_STARTTLS);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	script_tell(&t);
	if (nbd_session_phase(t.s) != NBD_PHASE_STARTTLS)
		expect_failure(&t, NBD_FAILURE_PROTOCOL, "plain text");
	else
		ck_assert_int_eq(_i, 0);
	expect_no_more();
}
END_TEST

/* In one receive with the ACK, a single byte is enough. */
START_TEST(one_byte_of_plain_text_ends_the_session)
{
	open_to_starttls(SCRIPT_N_CUTS - 1);
	say_ack(&t, NBD_OPT_STARTTLS);
	say8(&t, 0x16);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "plain text");
	expect_no_more();
}
END_TEST

/* What of ours is not yet sent would go through TLS. */
START_TEST(consent_to_what_was_not_asked_is_a_violation)
{
	script_open(&t, &options, _i);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_STARTTLS);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "before it was asked");
	expect_no_more();
}
END_TEST

static const uint32_t refusals[] = {
	NBD_REP_ERR_UNSUP,
	NBD_REP_ERR_POLICY,
	NBD_REP_ERR_INVALID,
	NBD_REP_ERR_TLS_REQD,
	NBD_REP_ERR_SHUTDOWN,
	NBD_REP_FLAG_ERROR | 4711,
};

#define N_REFUSALS ((int)(sizeof refusals / sizeof refusals[0]))

START_TEST(any_refusal_is_the_end)
{
	open_to_starttls(0);
	say_refusal(&t, NBD_OPT_STARTTLS, refusals[_i], "not\ntoday");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_TLS_REFUSED, "it says 'not\\x0Atoday'");
	expect_no_more();
}
END_TEST

START_TEST(an_answer_that_is_none_is_a_violation)
{
	open_to_starttls(_i);
	say_option(&t, NBD_OPT_STARTTLS, NBD_REP_INFO, 12);
	say_zeroes(&t, 12);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "NBD_OPT_STARTTLS");
}
END_TEST

START_TEST(a_server_that_is_not_fixed_hears_nothing)
{
	script_open(&t, &options, _i);
	say_greeting(&t, NBD_FLAG_NO_ZEROES);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_TLS_REFUSED, "TLS is required");
	hear_nothing(&t);
}
END_TEST

START_TEST(an_oldstyle_server_hears_nothing)
{
	script_open(&t, &options, _i);
	say64(&t, NBD_MAGIC);
	say64(&t, NBD_OLDSTYLE_MAGIC);
	say_zeroes(&t, 136);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_TLS_REFUSED, "oldstyle");
	hear_nothing(&t);
}
END_TEST

START_TEST(closing_on_it_invites_no_other_try)
{
	open_to_starttls(_i);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED, "NBD_OPT_STARTTLS");
}
END_TEST

START_TEST(closing_behind_the_ack_is_a_failure)
{
	open_to_starttls(_i);
	say_ack(&t, NBD_OPT_STARTTLS);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_TLS, "instead of beginning TLS");
}
END_TEST

START_TEST(goodbye_before_tls_says_nothing)
{
	open_to_starttls(_i);
	say_ack(&t, NBD_OPT_STARTTLS);
	script_tell(&t);
	nbd_session_disconnect(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	expect_no_more();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nbd/starttls");
	TCase *tc = tcase_create("starttls");
	const int n = SCRIPT_N_CUTS;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, the_handshake_is_the_owners_turn, 0, n);
	tcase_add_loop_test(tc,
	    plain_text_behind_the_ack_is_never_listened_to, 0, n);
	tcase_add_test(tc, one_byte_of_plain_text_ends_the_session);
	tcase_add_loop_test(tc, consent_to_what_was_not_asked_is_a_violation,
	    0, n);
	tcase_add_loop_test(tc, any_refusal_is_the_end, 0, N_REFUSALS);
	tcase_add_loop_test(tc, an_answer_that_is_none_is_a_violation, 0, n);
	tcase_add_loop_test(tc, a_server_that_is_not_fixed_hears_nothing, 0,
	    n);
	tcase_add_loop_test(tc, an_oldstyle_server_hears_nothing, 0, n);
	tcase_add_loop_test(tc, closing_on_it_invites_no_other_try, 0, n);
	tcase_add_loop_test(tc, closing_behind_the_ack_is_a_failure, 0, n);
	tcase_add_loop_test(tc, goodbye_before_tls_says_nothing, 0, n);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
