/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

/*
 * The addresses that a name stands for, as a list to be dialled, and how
 * dialling each of them failed.
 */
struct net_address {
	struct sockaddr_storage addr;
	socklen_t len;
	int errnum;			/* 0, or why it could not be reached */
};

/*
 * A copy of ai's addresses, which is the caller's to free(), in the order of
 * RFC 8305, section 4: the families take turns, beginning with that of the
 * first address; within a family the order stays.  -ENOMEM; -EADDRNOTAVAIL
 * if there is none.
 */
int net_addresses_from_list(const struct addrinfo *ai,
    struct net_address **ret_addresses, size_t *ret_n);

/* Room for what net_address_format() writes. */
#define NET_ADDRESS_TEXT_SIZE 80

/*
 * The digits of an address of the internet protocols, without a port; "?"
 * for others.  Returns buf.
 */
const char *net_address_format(const struct net_address *address,
    char buf[NET_ADDRESS_TEXT_SIZE]);

#endif
