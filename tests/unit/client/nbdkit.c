/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdkit as a child with a loop of its own, which runs when it is stopped.
 */
#include "nbdkit.h"

#include <stdarg.h>
#include <stdio.h>

#include "net/child.h"
#include "unit.h"

enum {
	MAX_ARGS = 16,
	GRACE_MS = 10000,
};

char nbdkit_uri[200];

static struct net_loop *loop;
static struct net_child *child;

const char *
nbdkit_socket(void)
{
	return net_child_socket(child);
}

void
nbdkit_set_up(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	child = NULL;
}

static void
on_stopped(void *arg)
{
	(void)arg;
	net_loop_stop(loop);
}

void
nbdkit_stop(void)
{
	if (child == NULL)
		return;
	net_child_stop(child, GRACE_MS, on_stopped, NULL);
	ck_assert_int_eq(net_loop_run(loop), 0);
	child = NULL;
}

void
nbdkit_tear_down(void)
{
	nbdkit_stop();
	net_loop_free(loop);
}

static void
on_child_exit(void *arg, const struct error *e)
{
	(void)arg;
	ck_abort_msg("%s", e->text);
}

void
nbdkit_start(const char *first, ...)
{
	const char *argv[MAX_ARGS + 2] = { "nbdkit", first };
	struct error e;
	va_list ap;
	int n;

	va_start(ap, first);
	for (n = 2; n <= MAX_ARGS && argv[n - 1] != NULL; n++)
		argv[n] = va_arg(ap, const char *);
	va_end(ap);
	ck_assert_msg(net_child_start(loop, argv, NULL, on_child_exit, NULL,
	    &child, &e) == 0, "%s", e.text);
	(void)snprintf(nbdkit_uri, sizeof nbdkit_uri,
	    "nbd+unix:///?socket=%s", net_child_socket(child));
}
