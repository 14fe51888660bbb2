/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define CAUGHT_SIZE 8192

static int pipe_fds[2];
static int stderr_copy;

/* Standard error is a pipe for as long as a test runs. */
static void
setup(void)
{
	ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
	stderr_copy = dup(STDERR_FILENO);
	ck_assert_int_ge(stderr_copy, 0);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_ge(dup2(pipe_fds[1], STDERR_FILENO), 0);
	log_init();
	log_set_level(LOG_LEVEL_INFO);
}

static void
teardown(void)
{
	ck_assert_int_ge(dup2(stderr_copy, STDERR_FILENO), 0);
	(void)close(stderr_copy);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

/* What was logged since the last call. */
static const char *
caught(void)
{
	static char text[CAUGHT_SIZE];
	ssize_t n;

	/* A mark, so that reading does not block when nothing was logged. */
	ck_assert_int_eq((int)write(pipe_fds[1], "$", 1), 1);
	n = read(pipe_fds[0], text, sizeof text - 1);
	ck_assert_int_ge((int)n, 1);
	ck_assert_int_eq(text[n - 1], '$');
	text[n - 1] = '\0';
	return text;
}

START_TEST(a_line_has_the_time_and_the_level)
{
	const char *line;
	int year;
	char end;

	log_warning("disk '%s' is slow", "a");
	line = caught();
	ck_assert_int_eq(sscanf(line, "%d-%*d-%*dT%*d:%*d:%*d.%*d%c", &year,
	    &end), 2);
	ck_assert_int_ge(year, 2020);
	ck_assert_int_eq(end, 'Z');
	ck_assert_ptr_nonnull(strstr(line, "Z warning: disk 'a' is slow\n"));
}
END_TEST

START_TEST(a_full_pipe_is_not_waited_for)
{
	const struct log_about about = { LOG_HERE };
	const struct log_record record = { LOG_LEVEL_INFO, 0, "a", &about };
	char drain[4096];
	int r = 0;

	for (int i = 0; i < 1000000 && r == 0; i++)
		r = log_to_stderr(&record);
	ck_assert_int_eq(r, -EAGAIN);
	/* Others who write there wait, as they are used to. */
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	/* A page that is free has room for a line. */
	for (int i = 0; i < 4; i++)
		ck_assert_int_gt((int)read(pipe_fds[0], drain, sizeof drain),
		    0);
	ck_assert_int_eq(log_to_stderr(&record), 0);
}
END_TEST

START_TEST(what_is_below_the_level_is_not_written)
{
	log_debug("not this");
	ck_assert_str_eq(caught(), "");
	log_set_level(LOG_LEVEL_ERROR);
	log_info("nor this");
	log_warning("nor that");
	ck_assert_str_eq(caught(), "");
	log_error("but this");
	ck_assert_ptr_nonnull(strstr(caught(), "error: but this\n"));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("and now");
	ck_assert_ptr_nonnull(strstr(caught(), "debug: and now\n"));
}
END_TEST

START_TEST(a_line_too_long_is_cut_and_still_one_line)
{
	char text[4000];
	const char *line;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_error("%s", text);
	line = caught();
	ck_assert_uint_eq(strlen(line), 2048);
	ck_assert_ptr_eq(strchr(line, '\n'), line + 2047);
}
END_TEST

static char kept[4096];

static void
keep_text(const struct log_record *record)
{
	(void)snprintf(kept, sizeof kept, "%s", record->text);
}

/* Nobody writes other lines by what he has us log, or moves a cursor. */
START_TEST(a_text_of_several_lines_is_one)
{
	const char *line;

	log_error("%s", "a\nb\tc\033[31md\x7f\xc2\x9b" "e\xc3\xa9");
	line = caught();
	ck_assert_str_eq(strstr(line, "error: "),
	    "error: a b c?[31md???e\xc3\xa9\n");
}
END_TEST

/* journalctl(1) shows "blob data" for what is not. */
START_TEST(a_text_is_utf8_whatever_it_is_made_of)
{
	char text[4000];

	log_error("%s", "a\xff" "b\xe2\x82 c");
	ck_assert_ptr_nonnull(strstr(caught(), "error: a?b?? c\n"));
	/* Cut within a character, or not. */
	for (size_t i = 0; i < sizeof text - 1; i++)
		text[i] = i % 2 == 0 ? '\xc3' : '\xa9';
	text[sizeof text - 1] = '\0';
	log_set_sink(keep_text);
	log_error("%s", text);
	ck_assert_uint_eq(strlen(kept), 2047);
	ck_assert_str_eq(kept + 2044, "\xc3\xa9?");
	log_set_sink(NULL);
}
END_TEST

static void
claim_journal(uintmax_t inode_offset)
{
	char value[64];
	struct stat st;

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(value, sizeof value, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino + inode_offset);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", value, 1), 0);
	log_init();
}

START_TEST(the_journal_gets_priorities_and_no_time)
{
	claim_journal(0);
	log_error("lost");
	ck_assert_str_eq(caught(), "<3>lost\n");
	log_warning("odd");
	ck_assert_str_eq(caught(), "<4>odd\n");
	log_info("so");
	ck_assert_str_eq(caught(), "<6>so\n");
}
END_TEST

START_TEST(a_journal_stream_of_somebody_else_is_not_ours)
{
	claim_journal(1);
	log_error("lost");
	ck_assert_ptr_nonnull(strstr(caught(), "Z error: lost\n"));
}
END_TEST

START_TEST(logging_leaves_errno_alone)
{
	errno = EBADMSG;
	log_error("lost");
	ck_assert_int_eq(errno, EBADMSG);
	(void)caught();
}
END_TEST

START_TEST(levels_have_names)
{
	static const char *const names[] = { "error", "warning", "info",
		"debug" };
	enum log_level level;

	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(log_level_parse(names[i], &level), 0);
		ck_assert_uint_eq(level, i);
		ck_assert_str_eq(log_level_name(level), names[i]);
	}
	ck_assert_int_eq(log_level_parse("loud", &level), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_line_has_the_time_and_the_level);
	tcase_add_test(tc, a_full_pipe_is_not_waited_for);
	tcase_add_test(tc, what_is_below_the_level_is_not_written);
	tcase_add_test(tc, a_line_too_long_is_cut_and_still_one_line);
	tcase_add_test(tc, a_text_of_several_lines_is_one);
	tcase_add_test(tc, a_text_is_utf8_whatever_it_is_made_of);
	tcase_add_test(tc, the_journal_gets_priorities_and_no_time);
	tcase_add_test(tc, a_journal_stream_of_somebody_else_is_not_ours);
	tcase_add_test(tc, logging_leaves_errno_alone);
	tcase_add_test(tc, levels_have_names);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
