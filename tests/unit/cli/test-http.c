/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/http.h"

#include <errno.h>

#include "unit.h"

struct encoded {
	const char *text;
	const char *wanted;
};

static const struct encoded segments[] = {
	{ "vm1", "vm1" },
	{ "A-z_0.9~", "A-z_0.9~" },
	{ "..", "%2E%2E" },
	{ ".", "%2E" },
	{ "a/b?c#d e%", "a%2Fb%3Fc%23d%20e%25" },
	{ "\r\n", "%0D%0A" },
	{ "\xc3\xa4", "%C3%A4" },
	{ "", "" },
};

START_TEST(a_segment_means_its_text_and_nothing_else)
{
	char buf[64];

	ck_assert_int_eq(
	    http_encode_segment(segments[_i].text, buf, sizeof buf), 0);
	ck_assert_str_eq(buf, segments[_i].wanted);
}
END_TEST

START_TEST(a_segment_that_does_not_fit_is_refused)
{
	char buf[8];

	ck_assert_int_eq(http_encode_segment("aaaa", buf, sizeof buf), 0);
	ck_assert_int_eq(http_encode_segment("//////", buf, sizeof buf),
	    -ENAMETOOLONG);
	ck_assert_int_eq(http_encode_segment("aaaaaaaa", buf, sizeof buf),
	    -ENAMETOOLONG);
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_told)
{
	char path[200];
	struct http_request request = {
		.socket_path = path,
		.method = "GET",
		.target = "/",
		.timeout_ms = 1000,
		.interrupt_fd = -1,
	};
	struct http_response response;
	struct error e = { 0 };

	for (size_t i = 0; i < sizeof path; i++)
		path[i] = 'a';
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(http_ask(&request, &response, &e), -ENAMETOOLONG);
	ck_assert_str_ne(e.text, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/http");
	TCase *tc = tcase_create("requests");

	tcase_add_loop_test(tc, a_segment_means_its_text_and_nothing_else, 0,
	    (int)(sizeof segments / sizeof segments[0]));
	tcase_add_test(tc, a_segment_that_does_not_fit_is_refused);
	tcase_add_test(tc, a_path_too_long_for_a_socket_is_told);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
