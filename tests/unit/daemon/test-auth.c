/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may do what on the control socket.
 */
#include "control/auth.h"

#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define DAEMON_UID 900

static struct conf_peer viewers[] = { { true, 50 }, { false, 1001 } };
static struct conf_peer operators[] = { { true, 51 } };
static struct conf_peer admins[] = { { false, 1002 } };

static const struct conf_control control = {
	.viewers = { viewers, 2 },
	.operators = { operators, 1 },
	.admins = { admins, 1 },
};
static const struct conf_control nobody_is_named;

static enum ctl_role
role_of(const struct conf_control *c, uid_t uid, gid_t gid, gid_t second)
{
	gid_t groups[] = { second, gid };
	struct auth_peer peer = { uid, groups, 2 };

	return auth_role(c, &peer, DAEMON_UID);
}

START_TEST(root_and_the_daemons_user_are_always_admins)
{
	ck_assert_int_eq(role_of(&nobody_is_named, 0, 0, 0), CTL_ADMIN);
	ck_assert_int_eq(role_of(&nobody_is_named, DAEMON_UID, 900, 900),
	    CTL_ADMIN);
}
END_TEST

START_TEST(others_are_nobody_by_default)
{
	ck_assert_int_eq(role_of(&nobody_is_named, 1001, 0, 0), CTL_NOBODY);
	ck_assert_int_eq(role_of(&control, 1003, 1003, 1003), CTL_NOBODY);
}
END_TEST

START_TEST(users_are_known_by_uid_and_by_any_group)
{
	ck_assert_int_eq(role_of(&control, 1001, 9, 9), CTL_VIEWER);
	ck_assert_int_eq(role_of(&control, 1003, 50, 9), CTL_VIEWER);
	ck_assert_int_eq(role_of(&control, 1003, 9, 50), CTL_VIEWER);
	ck_assert_int_eq(role_of(&control, 1003, 9, 51), CTL_OPERATOR);
	ck_assert_int_eq(role_of(&control, 1002, 9, 9), CTL_ADMIN);
}
END_TEST

START_TEST(user_and_group_of_one_number_are_not_mixed_up)
{
	ck_assert_int_eq(role_of(&control, 50, 9, 9), CTL_NOBODY);
	ck_assert_int_eq(role_of(&control, 9, 1002, 1001), CTL_NOBODY);
}
END_TEST

START_TEST(highest_role_counts)
{
	ck_assert_int_eq(role_of(&control, 1001, 51, 50), CTL_OPERATOR);
	ck_assert_int_eq(role_of(&control, 1002, 51, 50), CTL_ADMIN);
}
END_TEST

START_TEST(kernel_says_who_the_peer_is)
{
	struct auth_peer peer;
	bool has_own_gid = false;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(auth_peer_init(&peer, pair[0]), 0);
	ck_assert_uint_eq(peer.uid, geteuid());
	for (size_t i = 0; i < peer.n_groups; i++)
		if (peer.groups[i] == getegid())
			has_own_gid = true;
	ck_assert(has_own_gid);
	auth_peer_done(&peer);
	(void)close(pair[0]);
	(void)close(pair[1]);
}
END_TEST

START_TEST(what_is_no_socket_has_no_peer)
{
	struct auth_peer peer;
	int pipe_fds[2];

	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_lt(auth_peer_init(&peer, pipe_fds[0]), 0);
	ck_assert_int_lt(auth_peer_init(&peer, -1), 0);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/control/auth");
	TCase *tc = tcase_create("auth");

	tcase_add_test(tc, root_and_the_daemons_user_are_always_admins);
	tcase_add_test(tc, others_are_nobody_by_default);
	tcase_add_test(tc, users_are_known_by_uid_and_by_any_group);
	tcase_add_test(tc, user_and_group_of_one_number_are_not_mixed_up);
	tcase_add_test(tc, highest_role_counts);
	tcase_add_test(tc, kernel_says_who_the_peer_is);
	tcase_add_test(tc, what_is_no_socket_has_no_peer);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
