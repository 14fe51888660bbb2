/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of addresses: their order, and their digits.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define MAX_ADDRESSES 8

/* What a resolver might say; words are addresses of either family. */
static struct addrinfo list[MAX_ADDRESSES];
static struct sockaddr_storage storage[MAX_ADDRESSES];

static const struct addrinfo *
make_list(const char *words)
{
	char copy[200];
	char *rest = copy;
	const char *word;
	size_t n = 0;

	(void)strcpy(copy, words);
	memset(list, 0, sizeof list);
	memset(storage, 0, sizeof storage);
	while ((word = strsep(&rest, " ")) != NULL) {
		struct sockaddr_in *in = (void *)&storage[n];
		struct sockaddr_in6 *in6 = (void *)&storage[n];
		bool is_6 = strchr(word, ':') != NULL;

		storage[n].ss_family = is_6 ? AF_INET6 : AF_INET;
		ck_assert_int_eq(inet_pton(storage[n].ss_family, word, is_6 ?
		    (void *)&in6->sin6_addr : (void *)&in->sin_addr), 1);
		list[n].ai_family = storage[n].ss_family;
		list[n].ai_addr = (struct sockaddr *)&storage[n];
		list[n].ai_addrlen = is_6 ? sizeof *in6 : sizeof *in;
		if (n > 0)
			list[n - 1].ai_next = &list[n];
		n++;
	}
	return list;
}

static const struct {
	const char *told;
	const char *wanted;
} orders[] = {
	{ "::1", "::1" },
	{ "::1 127.0.0.1", "::1 127.0.0.1" },
	{ "127.0.0.1 ::1", "127.0.0.1 ::1" },
	{ "::1 ::2 ::3 1.0.0.1 1.0.0.2", "::1 1.0.0.1 ::2 1.0.0.2 ::3" },
	{ "1.0.0.1 1.0.0.2 1.0.0.3 ::1", "1.0.0.1 ::1 1.0.0.2 1.0.0.3" },
	{ "::1 1.0.0.1 1.0.0.2 ::2", "::1 1.0.0.1 ::2 1.0.0.2" },
	{ "1.0.0.3 1.0.0.1 1.0.0.2", "1.0.0.3 1.0.0.1 1.0.0.2" },
};

#define N_ORDERS ((int)(sizeof orders / sizeof orders[0]))

START_TEST(families_take_turns_and_keep_their_order)
{
	struct net_address *addresses = NULL;
	char digits[NET_ADDRESS_TEXT_SIZE];
	char got[200] = "";
	size_t n = 0;

	ck_assert_int_eq(net_addresses_from_list(make_list(orders[_i].told),
	    &addresses, &n), 0);
	for (size_t i = 0; i < n; i++) {
		(void)strcat(got, i > 0 ? " " : "");
		(void)strcat(got, net_address_format(&addresses[i], digits));
		ck_assert_int_eq(addresses[i].errnum, 0);
	}
	ck_assert_str_eq(got, orders[_i].wanted);
	free(addresses);
}
END_TEST

START_TEST(an_address_that_is_too_long_is_left_out)
{
	struct net_address *addresses = NULL;
	size_t n = 0;

	(void)make_list("1.0.0.1 1.0.0.2");
	list[0].ai_addrlen = sizeof(struct sockaddr_storage) + 1;
	ck_assert_int_eq(net_addresses_from_list(list, &addresses, &n), 0);
	ck_assert_uint_eq(n, 1);
	free(addresses);
	list[1].ai_addrlen = list[0].ai_addrlen;
	ck_assert_int_eq(net_addresses_from_list(list, &addresses, &n),
	    -EADDRNOTAVAIL);
}
END_TEST

START_TEST(no_address_is_an_error)
{
	struct net_address *addresses = NULL;
	size_t n = 0;

	ck_assert_int_eq(net_addresses_from_list(NULL, &addresses, &n),
	    -EADDRNOTAVAIL);
	ck_assert_ptr_null(addresses);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("net/address");
	TCase *tc = tcase_create("address");

	tcase_add_loop_test(tc, families_take_turns_and_keep_their_order, 0,
	    N_ORDERS);
	tcase_add_test(tc, an_address_that_is_too_long_is_left_out);
	tcase_add_test(tc, no_address_is_an_error);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
