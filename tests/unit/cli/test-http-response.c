/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/http-response.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const char with_length[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "content-length:  11 \r\n"
    "\r\n"
    "{\"a\": true}";

static const char in_chunks[] =
    "HTTP/1.1 202 Accepted\r\n"
    "Transfer-Encoding: chunked\r\n"
    "\r\n"
    "5\r\n{\"a\":\r\n"
    "6;name=value\r\n true}\r\n"
    "0\r\n"
    "Trailer: x\r\n"
    "\r\n";

static const char until_end[] = "HTTP/1.0 503 Service Unavailable\n"
				"\n"
				"{\"a\": true}";

/* The text in memory of just its size, so that one byte beyond is found. */
static int
parse_exactly(const char *text, size_t len, bool at_end,
    struct http_response *ret)
{
	char *copy = malloc(len + (len == 0));
	struct error e = { 0 };
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	r = http_response_parse(copy, len, at_end, ret, &e);
	if (r < 0 && r != -EAGAIN)
		ck_assert_str_ne(e.text, "");
	free(copy);
	return r;
}

static void
expect(const char *text, bool at_end, int status, const char *body)
{
	struct http_response response = { 0 };

	ck_assert_int_eq(
	    parse_exactly(text, strlen(text), at_end, &response), 0);
	ck_assert_int_eq(response.status, status);
	ck_assert_str_eq(response.body, body);
	ck_assert_uint_eq(response.len, strlen(body));
	free(response.body);
}

START_TEST(a_body_of_known_length_is_taken_at_once)
{
	expect(with_length, false, 200, "{\"a\": true}");
}
END_TEST

START_TEST(chunks_are_put_together)
{
	expect(in_chunks, false, 202, "{\"a\": true}");
}
END_TEST

START_TEST(a_body_without_length_lasts_to_the_end)
{
	struct http_response response = { 0 };

	ck_assert_int_eq(parse_exactly(until_end, strlen(until_end), false,
			     &response), -EAGAIN);
	expect(until_end, true, 503, "{\"a\": true}");
}
END_TEST

START_TEST(an_interim_answer_is_passed_over)
{
	expect("HTTP/1.1 100 Continue\r\n\r\n"
	       "HTTP/1.1 204 No Content\r\n\r\n",
	    false, 204, "");
}
END_TEST

/* Whatever is cut off: more is wanted, or it breaks off; never a body. */
static void
expect_all_truncations_fail(const char *text)
{
	struct http_response response = { 0 };

	for (size_t len = 0; len < strlen(text); len++) {
		ck_assert_int_eq(parse_exactly(text, len, false, &response),
		    -EAGAIN);
		ck_assert_int_eq(parse_exactly(text, len, true, &response),
		    -EPROTO);
	}
	ck_assert_ptr_null(response.body);
}

START_TEST(an_answer_that_breaks_off_anywhere_is_no_answer)
{
	expect_all_truncations_fail(with_length);
	expect_all_truncations_fail(in_chunks);
}
END_TEST

START_TEST(damaged_bytes_never_lead_beyond_the_data)
{
	char text[sizeof in_chunks];
	struct http_response response;

	for (size_t i = 0; i < sizeof in_chunks - 1; i++) {
		for (unsigned value = 0; value < 256; value++) {
			memcpy(text, in_chunks, sizeof text);
			text[i] = (char)value;
			response.body = NULL;
			(void)parse_exactly(text, sizeof text - 1, true,
			    &response);
			free(response.body);
		}
	}
}
END_TEST

struct bad {
	const char *text;
	int error;
};

static const struct bad bad_answers[] = {
	{ "NBDMAGICIHAVEOPT\n\n", -EPROTO },
	{ "HTTP/2 200 OK\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 2x0 OK\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 2000 OK\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 099 OK\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 200 OK\r\n: empty\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n12345", -EPROTO },
	{ "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", -EPROTO },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
	    -EMSGSIZE },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -EPROTO },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	  "Content-Length: 5\r\n\r\n0\r\n\r\n",
	    -EPROTO },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n",
	    -EPROTO },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "ffffffffffffffffffff\r\n",
	    -EMSGSIZE },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "2\r\nabc\r\n0\r\n\r\n",
	    -EPROTO },
};

START_TEST(what_is_no_http_is_refused)
{
	const struct bad *bad = &bad_answers[_i];
	struct http_response response = { 0 };

	ck_assert_int_eq(
	    parse_exactly(bad->text, strlen(bad->text), false, &response),
	    bad->error);
	ck_assert_ptr_null(response.body);
}
END_TEST

START_TEST(headers_that_never_end_are_refused)
{
	size_t len = HTTP_HEAD_MAX + 1024;
	char *text = malloc(len);
	struct http_response response = { 0 };

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', len);
	memcpy(text, "HTTP/1.1 200 OK\r\n", 17);
	for (size_t i = 17; i + 4 <= len; i += 4)
		memcpy(text + i, "a:b\n", 4);
	ck_assert_int_eq(parse_exactly(text, len, false, &response), -EPROTO);
	free(text);
}
END_TEST

START_TEST(an_answer_beyond_the_limit_is_refused)
{
	char *text = calloc(1, HTTP_RESPONSE_MAX + 1);
	struct http_response response = { 0 };
	struct error e;

	ck_assert_ptr_nonnull(text);
	memcpy(text, "HTTP/1.1 200 OK\r\n\r\n", 19);
	ck_assert_int_eq(http_response_parse(text, HTTP_RESPONSE_MAX + 1,
			     false, &response, &e), -EMSGSIZE);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/http-response");
	TCase *tc = tcase_create("responses");

	tcase_add_test(tc, a_body_of_known_length_is_taken_at_once);
	tcase_add_test(tc, chunks_are_put_together);
	tcase_add_test(tc, a_body_without_length_lasts_to_the_end);
	tcase_add_test(tc, an_interim_answer_is_passed_over);
	tcase_add_test(tc, an_answer_that_breaks_off_anywhere_is_no_answer);
	tcase_add_test(tc, damaged_bytes_never_lead_beyond_the_data);
	tcase_add_loop_test(tc, what_is_no_http_is_refused, 0,
	    (int)(sizeof bad_answers / sizeof bad_answers[0]));
	tcase_add_test(tc, headers_that_never_end_are_refused);
	tcase_add_test(tc, an_answer_beyond_the_limit_is_refused);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
