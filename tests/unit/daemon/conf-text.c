/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text becomes a file that is nowhere in the file system.
 */
#include "conf-text.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
conf_text_load(const char *text, size_t len, struct conf **ret_conf,
    struct conf_problems *problems)
{
	char path[64];
	int fd = memfd_create("conf", MFD_CLOEXEC);
	int r;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	conf_problems_init(problems, "f");
	r = conf_load(path, ret_conf, problems);
	(void)close(fd);
	return r;
}

struct conf *
conf_text_good(const char *text)
{
	struct conf *conf = NULL;
	struct conf_problems problems;
	int r = conf_text_load(text, strlen(text), &conf, &problems);

	ck_assert_msg(r == 0, "%s", problems.n > 0 ? problems.v[0].text :
	    strerror(-r));
	ck_assert_uint_eq(problems.n, 0);
	conf_problems_done(&problems);
	return conf;
}

const char *
conf_text_without_column(const char *problem, char buf[CONF_TEXT_SIZE])
{
	const char *end = strstr(problem, ": ");
	const char *column = end;

	ck_assert_ptr_nonnull(end);
	while (column > problem && isdigit((unsigned char)column[-1]))
		column--;
	/* What stands before is ":LINE:", or else this is the line. */
	if (column - problem < 3 || column[-1] != ':' ||
	    !isdigit((unsigned char)column[-2]))
		column = end + 1;
	(void)snprintf(buf, CONF_TEXT_SIZE, "%.*s%s",
	    (int)(column - problem) - 1, problem, end);
	return buf;
}

void
conf_text_bad(const char *text, const char *problem)
{
	char got[CONF_TEXT_SIZE];

	struct conf *conf = NULL;
	struct conf_problems problems;
	int r = conf_text_load(text, strlen(text), &conf, &problems);

	ck_assert_int_lt(r, 0);
	ck_assert_ptr_null(conf);
	for (size_t i = 1; i < problems.n; i++)
		ck_abort_msg("one problem too many: %s", problems.v[i].text);
	ck_assert_uint_eq(problems.n, 1);
	(void)conf_text_without_column(problems.v[0].text, got);
	ck_assert_msg(strncmp(got, problem, strlen(problem)) == 0,
	    "got:    %s\nwanted: %s", got, problem);
	conf_problems_done(&problems);
}
