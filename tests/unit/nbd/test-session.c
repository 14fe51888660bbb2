/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How sessions end. */
#include "nbd/session.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "script.h"
#include "unit.h"

static const struct disk_kind kind = {
	.flags = NBD_FLAG_SEND_FLUSH,
	.structured = true,
};
static const struct nbd_session_options options = { .export_name = "disk",
	.no_extended = true };

static struct script t;
static uint8_t buffer[4096];
static const struct iovec iov = { buffer, sizeof buffer };
static struct nbd_request read_req;
static struct nbd_request write_req;

static void
setup(void)
{
	read_req = (struct nbd_request){ .command = NBD_CMD_READ,
		.length = sizeof buffer, .iov = &iov, .n_iov = 1 };
	write_req = (struct nbd_request){ .command = NBD_CMD_WRITE,
		.length = sizeof buffer, .iov = &iov, .n_iov = 1 };
}

static void
teardown(void)
{
	script_close(&t);
}

static void
hear_disc(void)
{
	uint8_t header[28] = { 0 };

	script_listen(&t);
	ck_assert_uint_eq(t.n_heard, sizeof header);
	put_be32(header, NBD_REQUEST_MAGIC);
	put_be16(header + 6, NBD_CMD_DISC);
	/* Its cookie does not matter. */
	memcpy(header + 8, t.heard + 8, 8);
	hear_bytes(&t, header, sizeof header);
}

START_TEST(an_idle_session_says_goodbye_at_once)
{
	script_open_disk(&t, &kind, _i);
	nbd_session_disconnect(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	hear_disc();
	ck_assert_str_eq(nbd_session_waiting_for(t.s),
	    "the server to close the connection");
	/* Whatever still arrives. */
	say_text(&t, "bye, and thanks for all the requests");
	script_tell(&t);
	nbd_session_disconnect(t.s);
	hear_nothing(&t);
	nbd_session_received_eof(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	ck_assert_int_eq(nbd_session_input(t.s, (struct iovec[2]){ 0 }), 0);
}
END_TEST

START_TEST(goodbye_waits_for_what_is_in_flight)
{
	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	ck_assert_int_eq(nbd_session_submit(t.s, &write_req), 0);
	nbd_session_disconnect(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	hear_request(&t, &write_req);
	hear_bytes(&t, buffer, sizeof buffer);
	hear_nothing(&t);
	say_simple(&t, &write_req, 0);
	script_tell(&t);
	expect_done(&t, &write_req, 0);
	hear_nothing(&t);
	say_hole(&t, &read_req, NBD_REPLY_FLAG_DONE, 0, sizeof buffer);
	script_tell(&t);
	expect_done(&t, &read_req, 0);
	hear_disc();
}
END_TEST

START_TEST(a_server_that_leaves_first_completes_what_is_in_flight)
{
	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	nbd_session_disconnect(t.s);
	nbd_session_received_eof(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	expect_done(&t, &read_req, -ENOTCONN);
	expect_none_done(&t);
	hear_nothing(&t);
}
END_TEST

START_TEST(goodbye_among_the_options_is_abort)
{
	size_t len;

	script_open(&t, &options, _i);
	say_greeting(&t, FIXED);
	script_tell(&t);
	nbd_session_disconnect(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	hear_flags(&t, FIXED);
	(void)hear_option(&t, NBD_OPT_STRUCTURED_REPLY, &len);
	hear_empty_option(&t, NBD_OPT_ABORT);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	say_ack(&t, NBD_OPT_ABORT);
	script_tell(&t);
	hear_nothing(&t);
	expect_phase(&t, NBD_PHASE_CLOSING);
}
END_TEST

START_TEST(a_refusal_is_followed_by_abort)
{
	size_t len;

	script_open(&t, &options, _i);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	script_tell(&t);
	script_forget(&t);
	say_refusal(&t, NBD_OPT_GO,
	    _i == 0 ? NBD_REP_ERR_SHUTDOWN : NBD_REP_ERR_UNKNOWN, "");
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_FAILED);
	ck_assert(nbd_session_has_output(t.s));
	(void)hear_option(&t, NBD_OPT_ABORT, &len);
	ck_assert_uint_eq(len, 0);
	hear_nothing(&t);
	ck_assert(!nbd_session_has_output(t.s));
}
END_TEST

START_TEST(a_broken_protocol_is_not_answered)
{
	script_open(&t, &options, _i);
	say_greeting(&t, FIXED);
	script_tell(&t);
	script_forget(&t);
	say_ack(&t, NBD_OPT_LIST);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_FAILED);
	hear_nothing(&t);
}
END_TEST

START_TEST(a_server_that_shuts_down_is_told_goodbye_when_all_has_completed)
{
	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	script_submit(&t, &write_req);
	say_error(&t, &read_req, NBD_REPLY_FLAG_DONE, 108, "night");
	script_tell(&t);
	expect_done(&t, &read_req, -ESHUTDOWN);
	expect_phase(&t, NBD_PHASE_READY);
	ck_assert_int_eq(nbd_session_submit(t.s, &read_req), -ENOTCONN);
	hear_nothing(&t);
	say_simple(&t, &write_req, 0);
	script_tell(&t);
	expect_done(&t, &write_req, 0);
	expect_phase(&t, NBD_PHASE_FAILED);
	hear_disc();
	expect_failure(&t, NBD_FAILURE_SHUTDOWN, "is shutting down");
}
END_TEST

START_TEST(goodbye_where_abort_would_be_misread_is_silent)
{
	size_t len;

	/* Before the greeting. */
	script_open(&t, &options, _i);
	nbd_session_disconnect(t.s);
	expect_phase(&t, NBD_PHASE_CLOSING);
	hear_nothing(&t);
	script_close(&t);

	/* The export may be open by now. */
	script_open(&t, &options, _i);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	script_tell(&t);
	nbd_session_disconnect(t.s);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
	(void)hear_option(&t, NBD_OPT_GO, &len);
	hear_nothing(&t);
	script_close(&t);

	/* The server knows one option only. */
	script_open(&t, &options, _i);
	say_greeting(&t, 0);
	script_tell(&t);
	nbd_session_disconnect(t.s);
	hear_flags(&t, 0);
	(void)hear_option(&t, NBD_OPT_EXPORT_NAME, &len);
	hear_nothing(&t);
}
END_TEST

START_TEST(failing_completes_each_request_once)
{
	struct iovec out[4];

	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	ck_assert_int_eq(nbd_session_submit(t.s, &write_req), 0);
	ck_assert_int_gt(nbd_session_output(t.s, out, 4), 0);
	nbd_session_sent(t.s, 100);
	ck_assert_uint_eq(nbd_session_in_flight(t.s), 2);
	nbd_session_fail(t.s, NBD_FAILURE_LOCAL, "no answer for %d s", 60);
	expect_failure(&t, NBD_FAILURE_LOCAL, "no answer for 60 s");
	expect_done(&t, &read_req, -ENOTCONN);
	expect_done(&t, &write_req, -ENOTCONN);
	expect_none_done(&t);
	/* The first reason stays. */
	nbd_session_fail(t.s, NBD_FAILURE_CLOSED, "later");
	nbd_session_received_eof(t.s);
	nbd_session_disconnect(t.s);
	expect_failure(&t, NBD_FAILURE_LOCAL, "no answer for 60 s");
	expect_none_done(&t);
}
END_TEST

START_TEST(completed_requests_stay_to_be_reaped_when_it_fails)
{
	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	script_submit(&t, &write_req);
	say_simple(&t, &write_req, 28);
	script_tell(&t);
	nbd_session_fail(t.s, NBD_FAILURE_CLOSED, "reset");
	expect_done(&t, &write_req, -ENOSPC);
	expect_done(&t, &read_req, -ENOTCONN);
	expect_none_done(&t);
}
END_TEST

START_TEST(failing_in_the_middle_of_a_payload_forgets_it)
{
	struct iovec in[2];

	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	say_chunk(&t, &read_req, NBD_REPLY_FLAG_DONE,
	    NBD_REPLY_TYPE_OFFSET_DATA, 8 + sizeof buffer);
	say64(&t, 0);
	say_text(&t, "some");
	script_tell(&t);
	ck_assert_int_eq(nbd_session_input(t.s, in), 2);
	nbd_session_fail(t.s, NBD_FAILURE_LOCAL, "enough");
	expect_done(&t, &read_req, -ENOTCONN);
	/* A receive that was under way. */
	nbd_session_received(t.s, in[0].iov_len);
	expect_none_done(&t);
	expect_failure(&t, NBD_FAILURE_LOCAL, "enough");
}
END_TEST

START_TEST(a_violation_while_saying_goodbye_is_one)
{
	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	nbd_session_disconnect(t.s);
	say32(&t, 0xdeadbeef);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "0xdeadbeef");
	expect_done(&t, &read_req, -ENOTCONN);
}
END_TEST

START_TEST(a_server_that_closes_ends_the_session)
{
	script_open_disk(&t, &kind, _i);
	script_submit(&t, &read_req);
	if (_i > 0)
		say32(&t, NBD_SIMPLE_REPLY_MAGIC);
	script_tell(&t);
	nbd_session_received_eof(t.s);
	expect_failure(&t, NBD_FAILURE_CLOSED,
	    "the server closed the connection");
	expect_done(&t, &read_req, -ENOTCONN);
}
END_TEST

START_TEST(freeing_looks_at_no_request)
{
	struct nbd_request *req = &read_req;

	script_open_disk(&t, &kind, _i);
	script_submit(&t, req);
	/* Out of order, so that there is something to forget. */
	say_hole(&t, req, 0, 1000, 10);
	script_tell(&t);
	ck_assert_int_eq(nbd_session_submit(t.s, &write_req), 0);
	memset(&read_req, 0xff, sizeof read_req);
	memset(&write_req, 0xff, sizeof write_req);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nbd/session");
	TCase *tc = tcase_create("session");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, an_idle_session_says_goodbye_at_once, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, goodbye_waits_for_what_is_in_flight, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_server_that_leaves_first_completes_what_is_in_flight, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, goodbye_among_the_options_is_abort, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_refusal_is_followed_by_abort, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_broken_protocol_is_not_answered, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    a_server_that_shuts_down_is_told_goodbye_when_all_has_completed,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    goodbye_where_abort_would_be_misread_is_silent, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, failing_completes_each_request_once, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc,
	    completed_requests_stay_to_be_reaped_when_it_fails, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, failing_in_the_middle_of_a_payload_forgets_it,
	    0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_violation_while_saying_goodbye_is_one, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_server_that_closes_ends_the_session, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, freeing_looks_at_no_request, 0,
	    SCRIPT_N_CUTS);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
