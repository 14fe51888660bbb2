/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dialling a Unix socket by its path, or by a name in Linux's abstract
 * namespace: there the address begins with a zero byte, and every byte of its
 * length counts.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/escape.h"
#include "net/dial-private.h"

#define SHOWN_SIZE 200

static int
dial(struct net_loop *loop, const struct sockaddr_un *sun, socklen_t len,
    const char *shown, net_dial_cb *cb, void *arg, struct net_dial **ret_dial,
    struct error *e)
{
	struct net_dial *d;

	d = dial_new(loop, cb, arg);
	if (d == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	(void)snprintf(d->target, sizeof d->target, "unix socket '%s'", shown);
	if (dial_start_single(d, sun, len) < 0) {
		dial_free(d);
		return error_set(e, -ENOMEM, "out of memory");
	}
	*ret_dial = d;
	return 0;
}

int
net_dial_unix(struct net_loop *loop, const char *path, net_dial_cb *cb,
    void *arg, struct net_dial **ret_dial, struct error *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	size_t max = sizeof sun.sun_path - 1;
	char shown[SHOWN_SIZE];

	(void)escape_text(path, len, shown, sizeof shown);
	if (len == 0)
		return error_set(e, -EINVAL, "the path of the unix socket is "
		    "empty");
	if (len > max)
		return error_set(e, -EINVAL, "the path of unix socket '%s' is "
		    "%zu bytes long; %zu is the most there can be", shown,
		    len, max);
	memcpy(sun.sun_path, path, len);
	return dial(loop, &sun, sizeof sun, shown, cb, arg, ret_dial, e);
}

int
net_dial_unix_abstract(struct net_loop *loop, const char *name,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	size_t max = sizeof sun.sun_path - 1;
	char shown[SHOWN_SIZE] = "@";

	(void)escape_text(name, len, shown + 1, sizeof shown - 1);
	if (len == 0)
		return error_set(e, -EINVAL, "the name of the abstract unix "
		    "socket is empty");
	if (len > max)
		return error_set(e, -EINVAL, "the name of unix socket '%s' is "
		    "%zu bytes long; %zu is the most there can be", shown,
		    len, max);
	memcpy(sun.sun_path + 1, name, len);
	len += offsetof(struct sockaddr_un, sun_path) + 1;
	return dial(loop, &sun, (socklen_t)len, shown, cb, arg, ret_dial, e);
}
