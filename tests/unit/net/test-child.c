/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Child servers: real commands, some of which behave badly.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "nbd/protocol.h"
#include "net/child.h"
#include "unit.h"

enum {
	GRACE_MS = 10000,
};

/* Instead of libc's: a kernel that has it, or one that has not. */
static bool no_pidfd;
int pidfd_open(pid_t pid, unsigned flags);

int
pidfd_open(pid_t pid, unsigned flags)
{
	if (no_pidfd) {
		errno = ENOSYS;
		return -1;
	}
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static struct net_loop *loop;
static struct net_child *child;
static struct error e;
static int n_exits;
static int n_stops;
static char tmp[64];

static void
set_up(void)
{
	(void)strcpy(tmp, "/tmp/nbdsync-child-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tmp));
	(void)setenv("TMPDIR", tmp, 1);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	n_exits = 0;
	n_stops = 0;
}

static void
set_up_without_pidfd(void)
{
	no_pidfd = true;
	set_up();
}

static void
tear_down(void)
{
	net_loop_free(loop);
	/* Fails, and the test with it, if a child left its directory. */
	ck_assert_int_eq(rmdir(tmp), 0);
}

static void
on_exit_of_child(void *arg, const struct error *error)
{
	(void)arg;
	n_exits++;
	e = *error;
	net_loop_stop(loop);
}

static void
on_stopped(void *arg)
{
	(void)arg;
	n_stops++;
	net_loop_stop(loop);
}

static void
start(const char *const argv[])
{
	int r = net_child_start(loop, argv, NULL, on_exit_of_child, NULL,
	    &child, &e);

	ck_assert_msg(r == 0, "%s", e.text);
}

static void
stop_within(uint64_t grace_ms)
{
	net_child_stop(child, grace_ms, on_stopped, NULL);
	ck_assert_int_eq(n_stops, 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_stops, 1);
}

static int
connect_to_child(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)strcpy(sun.sun_path, net_child_socket(child));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	return fd;
}

/* Blocks until the server has sent its greeting. */
static void
expect_greeting(int fd)
{
	char greeting[18];

	ck_assert_int_eq(recv(fd, greeting, sizeof greeting, MSG_WAITALL), 18);
	ck_assert_uint_eq(get_be64(greeting), NBD_MAGIC);
	ck_assert_uint_eq(get_be64(greeting + 8), NBD_OPTION_MAGIC);
}

static void
serve_two_connections(const char *const argv[])
{
	int a;
	int b;

	start(argv);
	a = connect_to_child();
	b = connect_to_child();
	expect_greeting(b);
	expect_greeting(a);
	(void)close(a);
	(void)close(b);
	stop_within(GRACE_MS);
	ck_assert_int_eq(n_exits, 0);
}

START_TEST(one_that_has_ended_can_be_started_again_where_it_was)
{
	const char *const argv[] = { "nbdkit", "null", "1M", NULL };
	const char *const ends[] = { "false", NULL };
	const char *const none[] = { "/nonexistent", NULL };
	char socket_was[128];
	int fd;

	start(ends);
	(void)snprintf(socket_was, sizeof socket_was, "%s",
	    net_child_socket(child));
	for (int n = 1; n <= 3; n++) {
		ck_assert_int_eq(net_loop_run(loop), 0);
		ck_assert_int_eq(n_exits, n);
		ck_assert_int_eq(net_child_status(child), 1);
		ck_assert_int_eq(net_child_restart(child, loop, none, &e),
		    -ENOENT);
		ck_assert_int_eq(net_child_restart(child, loop,
		    n < 3 ? ends : argv, &e), 0);
	}
	ck_assert_str_eq(net_child_socket(child), socket_was);
	fd = connect_to_child();
	expect_greeting(fd);
	(void)close(fd);
	stop_within(GRACE_MS);
	ck_assert_int_eq(n_exits, 3);
}
END_TEST

/* One that could not be is stopped as any other. */
START_TEST(one_that_cannot_be_started_again_is_gone)
{
	const char *const argv[] = { "false", NULL };
	const char *const none[] = { "/nonexistent", NULL };

	start(argv);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_exits, 1);
	ck_assert_int_eq(net_child_restart(child, loop, none, &e), -ENOENT);
	stop_within(GRACE_MS);
}
END_TEST

START_TEST(nbdkit_serves_several_connections)
{
	static const char *const argv[] = { "nbdkit", "memory", "1M", NULL };

	serve_two_connections(argv);
}
END_TEST

START_TEST(qemu_nbd_serves_several_connections)
{
	char file[80];
	const char *const argv[] = { "qemu-nbd", "-f", "raw", "-e", "8", "-t",
		file, NULL };
	int fd;

	(void)snprintf(file, sizeof file, "%s/disk", tmp);
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(ftruncate(fd, 1024 * 1024), 0);
	(void)close(fd);
	serve_two_connections(argv);
	(void)unlink(file);
}
END_TEST

START_TEST(the_socket_is_private)
{
	static const char *const argv[] = { "sleep", "60", NULL };
	struct stat st;

	start(argv);
	ck_assert_int_eq(stat(net_child_socket(child), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(strncmp(net_child_socket(child), tmp, strlen(tmp)),
	    0);
	stop_within(GRACE_MS);
}
END_TEST

START_TEST(a_tmpdir_too_deep_for_a_socket_is_not_used)
{
	static const char *const argv[] = { "sleep", "60", NULL };
	char deep[120];

	memset(deep, 'd', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	deep[0] = '/';
	(void)setenv("TMPDIR", deep, 1);
	start(argv);
	ck_assert_int_eq(strncmp(net_child_socket(child), "/tmp/nbdsync-", 13),
	    0);
	stop_within(GRACE_MS);
}
END_TEST

START_TEST(a_command_that_does_not_exist_is_told_at_once)
{
	static const char *const argv[] = { "no-such-command-at-all", NULL };
	static const char *const path[] = { "/nowhere/x", NULL };
	static const char *const none[] = { NULL };

	ck_assert_int_eq(net_child_start(loop, argv, NULL, on_exit_of_child,
	    NULL, &child, &e), -ENOENT);
	ck_assert_str_eq(e.text, "cannot run command 'no-such-command-at-all':"
	    " No such file or directory");
	ck_assert_int_eq(net_child_start(loop, path, NULL, on_exit_of_child,
	    NULL, &child, &e), -ENOENT);
	ck_assert_int_eq(net_child_start(loop, none, NULL, on_exit_of_child,
	    NULL, &child, &e), -EINVAL);
}
END_TEST

START_TEST(a_command_that_may_not_be_run_is_told_at_once)
{
	static const char *const argv[] = { "/etc/passwd", NULL };

	ck_assert_int_eq(net_child_start(loop, argv, NULL, on_exit_of_child,
	    NULL, &child, &e), -EACCES);
	ck_assert_ptr_nonnull(strstr(e.text, "Permission denied"));
}
END_TEST

static char said[128];
static bool stops_at_words;

static void
on_said(void *arg, const char *line)
{
	size_t used = strlen(said);

	(void)arg;
	(void)snprintf(said + used, sizeof said - used, "%s,", line);
	if (stops_at_words)
		net_loop_stop(loop);
}

START_TEST(what_it_says_is_told_before_its_exit)
{
	const char *const argv[] = { "sh", "-c", "echo out; echo error >&2; "
	    "printf rest; exit 3", NULL };

	said[0] = '\0';
	ck_assert_int_eq(net_child_start(loop, argv, on_said, on_exit_of_child,
	    NULL, &child, &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_exits, 1);
	ck_assert_str_eq(said, "out,error,rest,");
	/* And of the next one as well. */
	ck_assert_int_eq(net_child_restart(child, loop, argv, &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_str_eq(said, "out,error,rest,out,error,rest,");
	stop_within(GRACE_MS);
}
END_TEST

/* It would stand still, with what it has to do before it ends. */
START_TEST(one_that_is_stopped_can_say_as_much_as_it_likes)
{
	const char *const argv[] = { "sh", "-c", "trap 'seq 200000; "
	    ": >\"$TMPDIR/done\"; exit' TERM; echo ready; "
	    "while :; do sleep 0.05; done", NULL };
	char done[96];

	said[0] = '\0';
	(void)snprintf(done, sizeof done, "%s/done", tmp);
	ck_assert_int_eq(net_child_start(loop, argv, on_said, on_exit_of_child,
	    NULL, &child, &e), 0);
	stops_at_words = true;
	ck_assert_int_eq(net_loop_run(loop), 0);
	stops_at_words = false;
	ck_assert_str_eq(said, "ready,");
	stop_within(10 * GRACE_MS);
	ck_assert_str_eq(said, "ready,");
	ck_assert_int_eq(unlink(done), 0);
}
END_TEST

START_TEST(an_exit_is_told_with_its_status)
{
	static const char *const argv[] = { "sh", "-c", "exit 7", NULL };

	start(argv);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_exits, 1);
	ck_assert_str_eq(e.text, "command 'sh' exited with status 7");
	stop_within(GRACE_MS);
	ck_assert_int_eq(n_exits, 1);
}
END_TEST

START_TEST(looking_finds_an_exit_without_the_loop)
{
	static const char *const argv[] = { "sh", "-c", "exit 7", NULL };
	const struct timespec pause = { .tv_nsec = 1000000 };

	start(argv);
	for (int i = 0; n_exits == 0 && i < 20000; i++) {
		(void)nanosleep(&pause, NULL);
		net_child_look(child);
	}
	ck_assert_int_eq(n_exits, 1);
	ck_assert_str_eq(e.text, "command 'sh' exited with status 7");
	net_child_look(child);
	ck_assert_int_eq(n_exits, 1);
	stop_within(GRACE_MS);
}
END_TEST

START_TEST(looking_at_one_that_runs_changes_nothing)
{
	static const char *const argv[] = { "sleep", "600", NULL };

	start(argv);
	net_child_look(child);
	stop_within(GRACE_MS);
	ck_assert_int_eq(n_exits, 0);
}
END_TEST

/* Running, or ended before; on the loop it was moved to all is as before. */
START_TEST(a_child_can_be_moved_to_another_loop)
{
	static const char *const argv[] = { "sh", "-c", "sleep 600", NULL };
	static const char *const ended[] = { "sh", "-c", "exit 7", NULL };
	static const char *const late[] = { "sh", "-c", "sleep 0.2; exit 7",
		NULL };
	struct net_loop *old = loop;

	start(_i == 0 ? argv : _i == 1 ? ended : late);
	if (_i == 1)
		ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	net_child_move(child, loop);
	net_loop_free(old);
	if (_i == 2)
		ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_exits, _i > 0 ? 1 : 0);
	stop_within(GRACE_MS);
}
END_TEST

START_TEST(a_death_by_signal_is_told_with_its_name)
{
	static const char *const argv[] = { "sh", "-c", "kill -KILL $$", NULL };

	start(argv);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_str_eq(e.text, "command 'sh' was killed by signal 9 SIGKILL");
	stop_within(GRACE_MS);
}
END_TEST

START_TEST(a_child_that_ignores_sigterm_is_killed_after_the_grace)
{
	char script[200];
	const char *const argv[] = { "sh", "-c", script, NULL };
	char file[80];
	uint64_t before;

	(void)snprintf(file, sizeof file, "%s/ready", tmp);
	ck_assert_int_eq(mkfifo(file, 0600), 0);
	(void)snprintf(script, sizeof script,
	    "trap '' TERM; : >%s; while :; do sleep 60; done", file);
	start(argv);
	/* Opening the FIFO waits until the shell has done so. */
	(void)close(open(file, O_RDONLY));
	(void)unlink(file);
	before = net_loop_now_ms(loop);
	stop_within(300);
	ck_assert_uint_ge(net_loop_now_ms(loop) - before, 280);
	ck_assert_int_eq(n_exits, 0);
}
END_TEST

START_TEST(what_a_child_left_behind_dies_with_it)
{
	char script[200];
	const char *const argv[] = { "sh", "-c", script, NULL };
	char file[80];
	char byte;
	int fd;

	(void)snprintf(file, sizeof file, "%s/alive", tmp);
	ck_assert_int_eq(mkfifo(file, 0600), 0);
	fd = open(file, O_RDONLY | O_NONBLOCK);
	(void)snprintf(script, sizeof script,
	    "trap '' TERM; exec 9>%s; sleep 600 &", file);
	start(argv);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_int_eq(n_exits, 1);
	/* Blocks as long as the sleep has the FIFO open. */
	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	ck_assert_int_eq(read(fd, &byte, 1), 0);
	(void)close(fd);
	(void)unlink(file);
	stop_within(GRACE_MS);
}
END_TEST

/* The child reports on itself in a file; the test reads it line by line. */
static void
run_report(const char *script, char *buf, size_t size)
{
	char whole[400];
	const char *const argv[] = { "sh", "-c", whole, NULL };
	char file[80];
	size_t n;
	FILE *f;

	(void)snprintf(file, sizeof file, "%s/report", tmp);
	(void)snprintf(whole, sizeof whole, "{ %s; } >%s", script, file);
	start(argv);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_str_eq(e.text, "command 'sh' exited with status 0");
	f = fopen(file, "r");
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	(void)fclose(f);
	(void)unlink(file);
	stop_within(GRACE_MS);
}

START_TEST(the_socket_is_passed_by_systemds_protocol)
{
	char report[500];

	(void)setenv("LISTEN_FDS", "5", 1);
	(void)setenv("LISTEN_FDNAMES", "other", 1);
	run_report("test $LISTEN_PID = $$ && echo pid; echo fds=$LISTEN_FDS;"
	    " echo names=$LISTEN_FDNAMES; readlink /proc/$$/fd/3", report,
	    sizeof report);
	ck_assert_ptr_eq(strstr(report, "pid\nfds=1\nnames=\nsocket:["),
	    report);
}
END_TEST

/*
 * A shell blocks signals while it waits: look at a command it runs.  Signals
 * 32 and 33 are glibc's own, and who was started by posix_spawn(3), as make
 * does, has them ignored for good.
 */
START_TEST(no_other_descriptor_and_no_blocked_signal_is_passed)
{
	char report[500];
	sigset_t all;
	int leak = open("/etc/passwd", O_RDONLY);	/* no O_CLOEXEC */

	ck_assert_int_ge(leak, 3);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	run_report("ls -l /proc/$$/fd | grep -c passwd;"
	    " grep SigBlk /proc/self/status;"
	    " ign=$(sed -n 's/^SigIgn:.//p' /proc/self/status);"
	    " echo ignored $((0x$ign & ~0x180000000));"
	    " readlink /proc/$$/fd/0;"
	    " ps -o pgid= -p $$ | grep -qw $$ && echo leader", report,
	    sizeof report);
	ck_assert_ptr_eq(strstr(report, "0\nSigBlk:\t0000000000000000\n"
	    "ignored 0\n/dev/null\nleader\n"), report);
	(void)close(leak);
}
END_TEST

static void
start_stdio(const char *const argv[], int *ret_fd)
{
	int r = net_child_start_stdio(loop, argv, on_exit_of_child, NULL,
	    ret_fd, &child, &e);

	ck_assert_msg(r == 0, "%s", e.text);
}

START_TEST(a_server_may_speak_on_its_standard_descriptors)
{
	static const char *const argv[] = { "nbdkit", "-s", "memory", "1M",
		NULL };
	int fd;

	start_stdio(argv, &fd);
	ck_assert_str_eq(net_child_socket(child), "");
	expect_greeting(fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	(void)close(fd);
	stop_within(GRACE_MS);
}
END_TEST

/* The same socket as both, and nothing of ours besides standard error. */
START_TEST(standard_descriptors_are_all_that_is_passed_then)
{
	static const char *const argv[] = { "sh", "-c",
		"cd /proc/$$/fd; test \"$(readlink 0)\" = \"$(readlink 1)\" && "
		"echo one $(readlink 0); echo fds=${LISTEN_FDS-none}; "
		"ls -l | grep -c passwd; ls -l | grep -c -F $(readlink 0); "
		"echo end", NULL };
	char report[500];
	ssize_t n;
	size_t len = 0;
	int fd;
	int leak = open("/etc/passwd", O_RDONLY);	/* no O_CLOEXEC */

	(void)setenv("LISTEN_FDS", "5", 1);
	start_stdio(argv, &fd);
	while (len < sizeof report - 1 &&
	    (n = read(fd, report + len, sizeof report - 1 - len)) > 0)
		len += (size_t)n;
	report[len] = '\0';
	ck_assert_ptr_eq(strstr(report, "one socket:["), report);
	ck_assert_ptr_nonnull(strstr(report, "\nfds=none\n0\n2\nend\n"));
	(void)close(fd);
	(void)close(leak);
	stop_within(GRACE_MS);
}
END_TEST

START_TEST(a_command_for_stdio_that_does_not_exist_leaves_nothing)
{
	static const char *const argv[] = { "/no/such/command", NULL };
	int fd = -1;

	ck_assert_int_eq(net_child_start_stdio(loop, argv, on_exit_of_child,
	    NULL, &fd, &child, &e), -ENOENT);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(a_process_without_standard_descriptors_can_start_children)
{
	static const char *const argv[] = { "nbdkit", "memory", "1M", NULL };
	static const char *const stdio[] = { "nbdkit", "-s", "memory", "1M",
		NULL };
	int saved[3];
	int i;
	int fd;

	for (i = 0; i < 3; i++) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
		(void)close(i);
	}
	if (_i == 0) {
		start(argv);
		fd = connect_to_child();
	} else {
		start_stdio(stdio, &fd);
	}
	expect_greeting(fd);
	(void)close(fd);
	stop_within(GRACE_MS);
	for (i = 0; i < 3; i++) {
		(void)dup2(saved[i], i);
		(void)close(saved[i]);
	}
}
END_TEST

/* Servers, ends by itself, ends by us: all that the watch is for. */
static void
add_watch_tests(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, nbdkit_serves_several_connections);
	tcase_add_test(tc,
	    one_that_has_ended_can_be_started_again_where_it_was);
	tcase_add_test(tc, one_that_cannot_be_started_again_is_gone);
	tcase_add_test(tc, an_exit_is_told_with_its_status);
	tcase_add_test(tc, what_it_says_is_told_before_its_exit);
	tcase_add_test(tc, one_that_is_stopped_can_say_as_much_as_it_likes);
	tcase_add_test(tc, looking_finds_an_exit_without_the_loop);
	tcase_add_test(tc, looking_at_one_that_runs_changes_nothing);
	tcase_add_loop_test(tc, a_child_can_be_moved_to_another_loop, 0, 3);
	tcase_add_test(tc, a_death_by_signal_is_told_with_its_name);
	tcase_add_test(tc,
	    a_child_that_ignores_sigterm_is_killed_after_the_grace);
	tcase_add_test(tc, what_a_child_left_behind_dies_with_it);
}

int
main(void)
{
	Suite *s = suite_create("net/child");
	TCase *tc = tcase_create("child");
	TCase *old = tcase_create("child-without-pidfd");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	add_watch_tests(tc);
	tcase_add_checked_fixture(old, set_up_without_pidfd, tear_down);
	add_watch_tests(old);
	tcase_add_test(tc, qemu_nbd_serves_several_connections);
	tcase_add_test(tc, the_socket_is_private);
	tcase_add_test(tc, a_tmpdir_too_deep_for_a_socket_is_not_used);
	tcase_add_test(tc, a_command_that_does_not_exist_is_told_at_once);
	tcase_add_test(tc, a_command_that_may_not_be_run_is_told_at_once);
	tcase_add_test(tc, the_socket_is_passed_by_systemds_protocol);
	tcase_add_test(tc,
	    no_other_descriptor_and_no_blocked_signal_is_passed);
	tcase_add_loop_test(tc,
	    a_process_without_standard_descriptors_can_start_children, 0, 2);
	tcase_add_test(tc, a_server_may_speak_on_its_standard_descriptors);
	tcase_add_test(tc, standard_descriptors_are_all_that_is_passed_then);
	tcase_add_test(tc,
	    a_command_for_stdio_that_does_not_exist_leaves_nothing);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, old);
	return unit_main(s);
}
