/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked without opening: NBD_OPT_LIST_META_CONTEXT, NBD_OPT_INFO. */
#include <string.h>

#include "base/bytes.h"
#include "script.h"
#include "unit.h"

#define LIST NBD_OPT_LIST_META_CONTEXT

static const char *const queries[] = { "base:", "qemu:dirty-bitmap:" };
static const struct nbd_session_options contexts = {
	.goal = NBD_GOAL_LIST_CONTEXTS,
	.export_name = "disk",
	.contexts = queries,
	.n_contexts = 2,
	.no_extended = true,
};
static const struct nbd_session_options info = {
	.goal = NBD_GOAL_INFO,
	.export_name = "disk",
	.contexts = queries,
	.n_contexts = 1,
	.no_structured = true,
};

static struct script t;

static void
teardown(void)
{
	script_close(&t);
}

static void
open_to_list(int cut)
{
	script_open(&t, &contexts, cut);
	say_greeting(&t, FIXED);
	say_refusal(&t, NBD_OPT_STRUCTURED_REPLY, NBD_REP_ERR_UNSUP, "");
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
}

static void
open_to_info(int cut)
{
	const uint8_t *p;
	size_t len;

	script_open(&t, &info, cut);
	say_greeting(&t, FIXED);
	script_tell(&t);
	hear_flags(&t, FIXED);
	p = hear_option(&t, NBD_OPT_INFO, &len);
	ck_assert_uint_eq(len, 4 + 4 + 2 + 6);
	ck_assert_uint_eq(get_be32(p), 4);
	ck_assert_mem_eq(p + 4, "disk", 4);
	hear_nothing(&t);
}

static void
say_name(uint32_t id, const void *name, size_t len)
{
	say_option(&t, LIST, NBD_REP_META_CONTEXT, (uint32_t)(4 + len));
	say32(&t, id);
	say_bytes(&t, name, len);
}

START_TEST(the_names_of_contexts_are_listed)
{
	const struct nbd_listed_export *list;
	const uint8_t *p;
	size_t len;
	size_t n;

	open_to_list(_i);
	p = hear_option(&t, LIST, &len);
	ck_assert_uint_eq(len, 4 + 4 + 4 + 4 + 5 + 4 + 18);
	ck_assert_mem_eq(p + 4, "disk", 4);
	ck_assert_uint_eq(get_be32(p + 8), 2);
	ck_assert_mem_eq(p + 16, "base:", 5);
	ck_assert_uint_eq(get_be32(p + 21), 18);
	ck_assert_mem_eq(p + 25, queries[1], 18);
	hear_nothing(&t);
	/* The numbers may be anything, and equal. */
	say_name(0, "base:allocation", 15);
	say_name(0, "qemu:dirty-bitmap:a: b", 22);
	say_ack(&t, LIST);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_LISTED);
	list = nbd_session_list(t.s, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[0].name, "base:allocation");
	ck_assert_str_eq(list[1].name, "qemu:dirty-bitmap:a: b");
	ck_assert_str_eq(list[1].description, "");
	nbd_session_disconnect(t.s);
	hear_empty_option(&t, NBD_OPT_ABORT);
}
END_TEST

START_TEST(there_may_be_no_contexts)
{
	size_t n;

	open_to_list(_i);
	say_ack(&t, LIST);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_LISTED);
	(void)nbd_session_list(t.s, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(without_a_query_all_contexts_are_asked_for)
{
	struct nbd_session_options all = contexts;
	const uint8_t *p;
	size_t len;

	all.n_contexts = 0;
	script_open(&t, &all, _i);
	say_greeting(&t, FIXED);
	say_ack(&t, NBD_OPT_STRUCTURED_REPLY);
	script_tell(&t);
	hear_flags(&t, FIXED);
	hear_empty_option(&t, NBD_OPT_STRUCTURED_REPLY);
	p = hear_option(&t, LIST, &len);
	ck_assert_uint_eq(len, 4 + 4 + 4);
	ck_assert_uint_eq(get_be32(p + 8), 0);
}
END_TEST

START_TEST(a_refused_list_is_told_as_that)
{
	open_to_list(_i);
	say_name(0, "base:allocation", 15);
	say_refusal(&t, LIST, NBD_REP_ERR_UNKNOWN, "no disk");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_NO_EXPORT,
	    "cannot list the contexts of export 'disk': the server has no "
	    "such export (it says 'no disk')");
}
END_TEST

static const struct name_row {
	const char *name;
	size_t len;
	const char *says;
} name_rows[] = {
	{ "", 0, "empty" },
	{ "a\0b", 3, "zero byte" },
};

#define N_NAMES ((int)(sizeof name_rows / sizeof name_rows[0]))

START_TEST(a_context_without_a_proper_name_is_a_violation)
{
	const struct name_row *row = &name_rows[_i];

	for (int cut = 0; cut < SCRIPT_N_CUTS; cut++) {
		open_to_list(cut);
		say_name(1, row->name, row->len);
		script_tell(&t);
		expect_failure(&t, NBD_FAILURE_PROTOCOL, row->says);
		if (cut < SCRIPT_N_CUTS - 1)
			script_close(&t);
	}
}
END_TEST

START_TEST(a_context_of_a_wrong_length_is_a_violation)
{
	open_to_list(_i);
	say_option(&t, LIST, NBD_REP_META_CONTEXT, 3);
	say_zeroes(&t, 3);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "with 3 bytes of data");
	script_close(&t);

	open_to_list(_i);
	say_option(&t, LIST, NBD_REP_META_CONTEXT, 4 + 4097);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "with 4101 bytes of data");
}
END_TEST

START_TEST(contexts_without_end_are_a_violation)
{
	open_to_list(SCRIPT_N_CUTS - 1);
	for (int i = 0; i < 5000; i++)
		say_name(0, "x:y", 3);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "no end of answers");
}
END_TEST

START_TEST(only_fixed_newstyle_servers_can_be_asked)
{
	script_open(&t, &contexts, _i);
	say_greeting(&t, NBD_FLAG_NO_ZEROES);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_UNSUPPORTED, "too old to be asked");
	script_close(&t);

	script_open(&t, &info, _i);
	say_greeting(&t, NBD_FLAG_NO_ZEROES);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_UNSUPPORTED,
	    "cannot ask about export 'disk': the server is too old");
}
END_TEST

static void
say_info(uint16_t type, uint32_t len)
{
	say_option(&t, NBD_OPT_INFO, NBD_REP_INFO, 2 + len);
	say16(&t, type);
}

START_TEST(an_export_is_told_without_being_opened)
{
	const struct nbd_export *export;

	open_to_info(_i);
	say_info(NBD_INFO_DESCRIPTION, 6);
	say_text(&t, "a disk");
	say_info(NBD_INFO_EXPORT, 10);
	say64(&t, 12345);
	say16(&t, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH);
	say_ack(&t, NBD_OPT_INFO);
	script_tell(&t);
	expect_phase(&t, NBD_PHASE_LISTED);
	export = nbd_session_export(t.s);
	ck_assert_str_eq(export->name, "disk");
	ck_assert_str_eq(export->description, "a disk");
	ck_assert_uint_eq(export->size, 12345);
	nbd_session_disconnect(t.s);
	hear_empty_option(&t, NBD_OPT_ABORT);
	hear_nothing(&t);
}
END_TEST

START_TEST(an_export_told_without_a_size_is_a_violation)
{
	open_to_info(_i);
	say_ack(&t, NBD_OPT_INFO);
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_PROTOCOL, "not its size");
}
END_TEST

START_TEST(a_server_that_does_not_tell_is_not_asked_to_open)
{
	open_to_info(_i);
	say_refusal(&t, NBD_OPT_INFO, NBD_REP_ERR_UNSUP, "");
	script_tell(&t);
	expect_failure(&t, NBD_FAILURE_UNSUPPORTED,
	    "cannot ask about export 'disk'");
}
END_TEST

static void
add_lists(TCase *tc)
{
	tcase_add_loop_test(tc, the_names_of_contexts_are_listed, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, there_may_be_no_contexts, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, without_a_query_all_contexts_are_asked_for, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_refused_list_is_told_as_that, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(tc, a_context_without_a_proper_name_is_a_violation,
	    0, N_NAMES);
	tcase_add_loop_test(tc, a_context_of_a_wrong_length_is_a_violation, 0,
	    SCRIPT_N_CUTS);
	tcase_add_test(tc, contexts_without_end_are_a_violation);
	tcase_add_loop_test(tc, only_fixed_newstyle_servers_can_be_asked, 0,
	    SCRIPT_N_CUTS);
}

int
main(void)
{
	Suite *s = suite_create("nbd/info");
	TCase *lists = tcase_create("lists");
	TCase *infos = tcase_create("infos");

	tcase_add_checked_fixture(lists, NULL, teardown);
	tcase_add_checked_fixture(infos, NULL, teardown);
	add_lists(lists);
	tcase_add_loop_test(infos, an_export_is_told_without_being_opened, 0,
	    SCRIPT_N_CUTS);
	tcase_add_loop_test(infos,
	    an_export_told_without_a_size_is_a_violation, 0, SCRIPT_N_CUTS);
	tcase_add_loop_test(infos,
	    a_server_that_does_not_tell_is_not_asked_to_open, 0,
	    SCRIPT_N_CUTS);
	suite_add_tcase(s, lists);
	suite_add_tcase(s, infos);
	return unit_main(s);
}
