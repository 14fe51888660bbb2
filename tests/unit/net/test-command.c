/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands that are run to their end.
 */
#include "net/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "unit.h"

static struct net_loop *loop;
static struct net_command *command;
static struct net_command_end end;
static bool has_ended;
static char said[64 * 1024];

static void
set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	has_ended = false;
	said[0] = '\0';
}

static void
tear_down(void)
{
	net_loop_free(loop);
}

static void
on_line(void *arg UNUSED, bool is_error, const char *line)
{
	size_t len = strlen(said);

	(void)snprintf(said + len, sizeof said - len, "%s%s\n",
	    is_error ? "E:" : "O:", line);
}

static void
on_end(void *arg UNUSED, const struct net_command_end *e)
{
	end = *e;
	has_ended = true;
	net_loop_stop(loop);
}

static int
start(const char *script, const char *const *envp, const char *input,
    uint64_t timeout_ms, struct error *e)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	const struct net_command_spec spec = {
		.argv = argv,
		.envp = envp,
		.input = input,
		.input_len = strlen(input),
		.timeout_ms = timeout_ms,
		.grace_ms = 100,
		.on_line = on_line,
		.on_end = on_end,
	};

	return net_command_start(loop, &spec, &command, e);
}

static void
run(const char *script, const char *const *envp, const char *input,
    uint64_t timeout_ms)
{
	struct error e;

	ck_assert_msg(start(script, envp, input, timeout_ms, &e) == 0, "%s",
	    e.text);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert(has_ended);
}

START_TEST(what_is_said_comes_line_by_line)
{
	run("echo one; echo; printf three", NULL, "", 20000);
	ck_assert_int_eq(end.status, 0);
	ck_assert(!end.has_timed_out);
	ck_assert_str_eq(said, "O:one\nO:\nO:three\n");
	said[0] = '\0';
	run("echo one >&2; printf two >&2", NULL, "", 20000);
	ck_assert_str_eq(said, "E:one\nE:two\n");
}
END_TEST

START_TEST(input_is_all_there_and_then_ends)
{
	/* More than a pipe takes. */
	static char input[1024 * 1024 + 1];

	memset(input, 'x', sizeof input - 1);
	run("wc -c", NULL, input, 20000);
	ck_assert_str_eq(said, "O:1048576\n");
}
END_TEST

START_TEST(input_that_nobody_reads_does_no_harm)
{
	run("exec true", NULL, "hello", 20000);
	ck_assert_int_eq(end.status, 0);
}
END_TEST

START_TEST(environment_is_what_was_given_and_no_more)
{
	static const char *const envp[] = { "PATH=/usr/bin:/bin", "A=b", NULL };

	(void)setenv("SECRET", "x", 1);
	run("exec env", envp, "", 20000);
	ck_assert_ptr_null(strstr(said, "SECRET"));
	ck_assert_ptr_nonnull(strstr(said, "O:A=b\n"));
}
END_TEST

START_TEST(program_may_be_another_than_its_name)
{
	const char *const argv[] = { "/nonexistent/x", "-c", "echo $0", NULL };
	const struct net_command_spec spec = { .path = "/bin/sh",
		.argv = argv, .input = "", .timeout_ms = 20000,
		.on_line = on_line, .on_end = on_end };
	struct error e;

	ck_assert_int_eq(net_command_start(loop, &spec, &command, &e), 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_str_eq(said, "O:/nonexistent/x\n");
}
END_TEST

START_TEST(nothing_of_ours_is_open_ignored_or_blocked)
{
	sigset_t some;
	int fd = dup2(STDERR_FILENO, 40);

	ck_assert_int_eq(fd, 40);
	(void)sigemptyset(&some);
	(void)sigaddset(&some, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &some, NULL), 0);
	run("echo $(ls /proc/self/fd | tail -n 1); "
	    "sed -n '/Sig[BI]/s/.*\\(.......\\)/\\1/p' /proc/self/status", NULL,
	    "", 20000);
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &some, NULL), 0);
	(void)close(fd);
	/* 3: what ls(1) reads; and the signals below those of libc. */
	ck_assert_str_eq(said, "O:3\nO:0000000\nO:0000000\n");
}
END_TEST

START_TEST(its_limits_are_its_own)
{
	struct rlimit core;
	struct rlimit files;

	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	core.rlim_cur = core.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	ck_assert_uint_gt(files.rlim_max, FD_SETSIZE);
	files.rlim_cur = files.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	run("ulimit -c; ulimit -S -n", NULL, "", 20000);
	ck_assert_str_eq(said, "O:0\nO:1024\n");
	/* More can be had. */
	said[0] = '\0';
	run("ulimit -S -n 1025 && ulimit -S -n", NULL, "", 20000);
	ck_assert_str_eq(said, "O:1025\n");
}
END_TEST

START_TEST(exit_status_is_told)
{
	run("exit 75", NULL, "", 20000);
	ck_assert_int_eq(end.status, 75);
	ck_assert_str_eq(end.e.text,
	    "command '/bin/sh' exited with status 75");
}
END_TEST

START_TEST(signal_is_told)
{
	run("kill -9 $$", NULL, "", 20000);
	ck_assert_int_eq(end.status, -1);
	ck_assert_str_eq(end.e.text,
	    "command '/bin/sh' was killed by signal 9 SIGKILL");
}
END_TEST

START_TEST(command_that_takes_too_long_is_ended)
{
	run("trap 'echo asked; exit 0' TERM; sleep 60 & wait", NULL, "", 100);
	ck_assert(end.has_timed_out);
	ck_assert_int_eq(end.status, -1);
	ck_assert_int_eq(end.e.code, -ETIMEDOUT);
}
END_TEST

START_TEST(command_that_does_not_listen_is_killed_with_its_group)
{
	run("trap '' TERM; echo $$; (trap '' TERM; sleep 60) & sleep 60; "
	    "sleep 60", NULL, "", 100);
	ck_assert(end.has_timed_out);
	/* Nothing of the group is left, or only what is about to go. */
	for (int i = 0; i < 1000 && kill(-atoi(said + 2), 0) == 0; i++)
		usleep(10000);
	ck_assert_int_eq(kill(-atoi(said + 2), 0), -1);
}
END_TEST

START_TEST(process_that_is_left_behind_does_not_hold_the_end_up)
{
	run("sleep 60 & echo done", NULL, "", 30000);
	ck_assert_int_eq(end.status, 0);
	ck_assert_str_eq(said, "O:done\n");
	ck_assert(!end.has_timed_out);
}
END_TEST

START_TEST(long_line_is_cut_and_the_next_one_is_whole)
{
	run("head -c 5000 /dev/zero | tr '\\0' x; echo; echo next", NULL, "",
	    20000);
	ck_assert_uint_eq(strlen(said), 2 + NET_COMMAND_LINE_SIZE - 1 + 1 + 7);
	ck_assert_ptr_nonnull(strstr(said, "\nO:next\n"));
}
END_TEST

START_TEST(all_of_much_output_is_read)
{
	run("i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i + 1)); done", NULL,
	    "", 30000);
	ck_assert_ptr_nonnull(strstr(said, "\nO:4999\n"));
}
END_TEST

START_TEST(stopping_ends_it)
{
	struct error e;

	ck_assert_int_eq(start("exec sleep 60", NULL, "", 30000, &e), 0);
	net_command_stop(command);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert(has_ended);
	ck_assert_int_eq(end.status, -1);
}
END_TEST

START_TEST(killing_ends_it_at_once_and_tells_nobody)
{
	struct error e;

	ck_assert_int_eq(start("exec sleep 60", NULL, "", 30000, &e), 0);
	net_command_kill(command);
	ck_assert(!has_ended);
}
END_TEST

START_TEST(command_that_is_not_there_is_told_at_once)
{
	const char *const argv[] = { "/nonexistent/x", NULL };
	const struct net_command_spec spec = { .argv = argv,
		.on_line = on_line, .on_end = on_end };
	struct error e;

	ck_assert_int_eq(net_command_start(loop, &spec, &command, &e),
	    -ENOENT);
	ck_assert_str_eq(e.text, "cannot run command '/nonexistent/x': No such "
	    "file or directory");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("net/command");
	TCase *tc = tcase_create("command");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_is_said_comes_line_by_line);
	tcase_add_test(tc, input_is_all_there_and_then_ends);
	tcase_add_test(tc, input_that_nobody_reads_does_no_harm);
	tcase_add_test(tc, environment_is_what_was_given_and_no_more);
	tcase_add_test(tc, program_may_be_another_than_its_name);
	tcase_add_test(tc, nothing_of_ours_is_open_ignored_or_blocked);
	tcase_add_test(tc, its_limits_are_its_own);
	tcase_add_test(tc, exit_status_is_told);
	tcase_add_test(tc, signal_is_told);
	tcase_add_test(tc, command_that_takes_too_long_is_ended);
	tcase_add_test(tc,
	    command_that_does_not_listen_is_killed_with_its_group);
	tcase_add_test(tc,
	    process_that_is_left_behind_does_not_hold_the_end_up);
	tcase_add_test(tc, long_line_is_cut_and_the_next_one_is_whole);
	tcase_add_test(tc, all_of_much_output_is_read);
	tcase_add_test(tc, stopping_ends_it);
	tcase_add_test(tc, killing_ends_it_at_once_and_tells_nobody);
	tcase_add_test(tc, command_that_is_not_there_is_told_at_once);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
