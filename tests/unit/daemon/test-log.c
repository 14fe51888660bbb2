/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has too much to say, on its way to a file.
 */
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "log/limit.h"
#include "unit.h"

static char path[] = "/tmp/nbdsync-log-XXXXXX";

static void
setup(void)
{
	static struct conf_log file = { .type = CONF_LOG_FILE,
		.level = LOG_LEVEL_DEBUG, .path = path };
	const struct conf_logs logs = { .v = &file, .n = 1 };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	log_init();
	ck_assert_int_eq(daemon_log_open(&logs), 0);
}

static void
teardown(void)
{
	daemon_log_close();
	(void)unlink(path);
}

/* The lines of the file that have this in them. */
static unsigned
count(const char *what)
{
	FILE *f = fopen(path, "re");
	char line[1024];
	unsigned n = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL)
		n += strstr(line, what) != NULL;
	(void)fclose(f);
	return n;
}

START_TEST(job_that_floods_the_log_is_cut_short_and_that_is_told)
{
	const struct log_about about = { LOG_HERE, .job = "wild" };

	for (int i = 0; i < LIMIT_MESSAGES + 23; i++)
		log_write(&about, LOG_LEVEL_WARNING, "message %d", i);
	log_info("of nobody");
	ck_assert_uint_eq(count("message "), LIMIT_MESSAGES);
	ck_assert_uint_eq(count("of nobody"), 1);
	ck_assert_uint_eq(count("left out"), 0);
	daemon_log_close();
	ck_assert_uint_eq(count("warning: job 'wild': 23 messages were left "
	    "out"), 1);
}
END_TEST

static void
start_again(evutil_socket_t fd UNUSED, short what UNUSED, void *base)
{
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), -1);
}

START_TEST(what_libevent_complains_of_is_a_warning_once_a_second)
{
	struct event_base *base = event_base_new();
	const struct timeval now = { 0, 0 };

	daemon_log_take_libevent();
	ck_assert_int_eq(event_base_once(base, -1, EV_TIMEOUT, start_again,
	    base, &now), 0);
	ck_assert_int_ge(event_base_dispatch(base), 0);
	event_base_free(base);
	ck_assert_uint_ge(count("warning: libevent: "), 1);
	ck_assert_uint_lt(count("warning: libevent: "), 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    job_that_floods_the_log_is_cut_short_and_that_is_told);
	tcase_add_test(tc,
	    what_libevent_complains_of_is_a_warning_once_a_second);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
