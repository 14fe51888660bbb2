/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of socket addresses.
 *
 * The resolver sorts addresses by how likely they are to work (RFC 6724), so
 * that all of one family may come before the first of the other.  Where that
 * family has no route, one address of the other should not wait for all of
 * them: the families are made to take turns.
 */
#include "net/address.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next of the list that is, or is not, of a family. */
static const struct addrinfo *
next_of(const struct addrinfo *ai, int family, bool is_of_it)
{
	while (ai != NULL && ((ai->ai_family == family) != is_of_it ||
	    ai->ai_addrlen > sizeof(struct sockaddr_storage)))
		ai = ai->ai_next;
	return ai;
}

static void
append(struct net_address *addresses, size_t *n, const struct addrinfo *ai)
{
	struct net_address *a = &addresses[(*n)++];

	memcpy(&a->addr, ai->ai_addr, ai->ai_addrlen);
	a->len = ai->ai_addrlen;
}

static size_t
interleave(const struct addrinfo *ai, struct net_address *addresses)
{
	int family = ai->ai_family;
	const struct addrinfo *same = next_of(ai, family, true);
	const struct addrinfo *other = next_of(ai, family, false);
	size_t n = 0;

	while (same != NULL || other != NULL) {
		if (same != NULL) {
			append(addresses, &n, same);
			same = next_of(same->ai_next, family, true);
		}
		if (other != NULL) {
			append(addresses, &n, other);
			other = next_of(other->ai_next, family, false);
		}
	}
	return n;
}

int
net_addresses_from_list(const struct addrinfo *ai,
    struct net_address **ret_addresses, size_t *ret_n)
{
	struct net_address *addresses;
	size_t n = 0;

	for (const struct addrinfo *i = ai; i != NULL; i = i->ai_next)
		n++;
	if (n == 0)
		return -EADDRNOTAVAIL;
	addresses = calloc(n, sizeof *addresses);
	if (addresses == NULL)
		return -ENOMEM;
	n = interleave(ai, addresses);
	if (n == 0) {
		free(addresses);
		return -EADDRNOTAVAIL;
	}
	*ret_addresses = addresses;
	*ret_n = n;
	return 0;
}

const char *
net_address_format(const struct net_address *address,
    char buf[NET_ADDRESS_TEXT_SIZE])
{
	if (getnameinfo((const struct sockaddr *)&address->addr, address->len,
	    buf, NET_ADDRESS_TEXT_SIZE, NULL, 0, NI_NUMERICHOST) != 0)
		(void)snprintf(buf, NET_ADDRESS_TEXT_SIZE, "?");
	return buf;
}
