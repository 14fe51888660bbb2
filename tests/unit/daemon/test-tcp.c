/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which requests over TCP are meant for us.
 */
#include "control/tcp.h"

#include <stddef.h>

#include "unit.h"

START_TEST(addresses_and_localhost_are_us)
{
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.1:80",
		"localhost", "localhost:9187", "[::1]", "[::1]:9187",
		"192.0.2.1:1" };

	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		ck_assert_msg(tcp_is_for_us(hosts[i], NULL), "%s", hosts[i]);
}
END_TEST

START_TEST(names_and_nonsense_are_not)
{
	static const char *const hosts[] = { "", "evil.example",
		"evil.example:80", "127.0.0.1.evil.example", "localhost.evil",
		"[", "[]", "[::1", "::1", "127.0.0.1 evil", "1", ":80" };

	ck_assert(!tcp_is_for_us(NULL, NULL));
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		ck_assert_msg(!tcp_is_for_us(hosts[i], NULL), "%s", hosts[i]);
}
END_TEST

START_TEST(an_origin_has_to_be_the_host)
{
	ck_assert(tcp_is_for_us("127.0.0.1:9", "http://127.0.0.1:9"));
	ck_assert(!tcp_is_for_us("127.0.0.1:9", "http://127.0.0.1:8"));
	ck_assert(!tcp_is_for_us("127.0.0.1:9", "https://127.0.0.1:9"));
	ck_assert(!tcp_is_for_us("127.0.0.1:9", "null"));
	ck_assert(!tcp_is_for_us("127.0.0.1:9", ""));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/control/tcp");
	TCase *tc = tcase_create("tcp");

	tcase_add_test(tc, addresses_and_localhost_are_us);
	tcase_add_test(tc, names_and_nonsense_are_not);
	tcase_add_test(tc, an_origin_has_to_be_the_host);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
