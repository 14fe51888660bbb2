/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resolving host names on a thread.
 *
 * Nothing can interrupt getaddrinfo(3), and it may take a minute when the
 * name servers are gone.  So the thread owns one reference to a `lookup`, the
 * loop's side the other; whoever lets go last frees it.  The thread writes
 * the answer into the lookup, sets `done`, and makes the eventfd readable.
 * A cancelled lookup is just let go.
 */
#include "net/resolve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "net/thread.h"

struct lookup {
	atomic_uint n_refs;
	atomic_bool done;
	int wake_fd;
	char *host;
	uint16_t port;

	/* The thread's until done is set. */
	struct addrinfo *addresses;
	int gai_error;
	int errnum;
};

struct net_resolve {
	struct lookup *lookup;
	struct net_watch watch;
	net_resolve_cb *cb;
	void *arg;
};

static void
lookup_unref(struct lookup *l)
{
	if (atomic_fetch_sub(&l->n_refs, 1) != 1)
		return;
	if (l->addresses != NULL)
		freeaddrinfo(l->addresses);
	if (l->wake_fd >= 0)
		(void)close(l->wake_fd);
	free(l->host);
	free(l);
}

static struct lookup *
lookup_new(const char *host, uint16_t port)
{
	struct lookup *l;

	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	atomic_init(&l->n_refs, 1);
	atomic_init(&l->done, false);
	l->port = port;
	l->host = strdup(host);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->host == NULL || l->wake_fd < 0) {
		lookup_unref(l);
		return NULL;
	}
	return l;
}

static int
get_addresses(const char *host, uint16_t port, int flags,
    struct addrinfo **ret_addresses)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};
	char service[8];

	(void)snprintf(service, sizeof service, "%u", (unsigned)port);
	return getaddrinfo(host, service, &hints, ret_addresses);
}

static void *
lookup_thread(void *arg)
{
	struct lookup *l = arg;
	uint64_t one = 1;

	l->gai_error = get_addresses(l->host, l->port, 0, &l->addresses);
	if (l->gai_error == EAI_SYSTEM)
		l->errnum = errno;
	atomic_store(&l->done, true);
	(void)!write(l->wake_fd, &one, sizeof one);
	lookup_unref(l);
	return NULL;
}

static void
resolve_free(struct net_resolve *resolve)
{
	net_watch_done(&resolve->watch);
	lookup_unref(resolve->lookup);
	free(resolve);
}

static void
describe_failure(const struct lookup *l, struct error *e)
{
	char host[256];
	const char *why = gai_strerror(l->gai_error);

	if (l->gai_error == EAI_SYSTEM)
		why = strerrordesc_np(l->errnum);
	if (why == NULL)
		why = "unknown error";
	(void)error_set(e, -EHOSTUNREACH, "cannot resolve host '%s': %s",
	    escape_text(l->host, strlen(l->host), host, sizeof host), why);
}

static void
resolve_on_readable(void *arg)
{
	struct net_resolve *resolve = arg;
	struct lookup *l = resolve->lookup;
	net_resolve_cb *cb = resolve->cb;
	void *cb_arg = resolve->arg;
	struct addrinfo *addresses;
	struct error e = { .code = 0 };

	if (!atomic_load(&l->done))
		return;
	addresses = STEAL(l->addresses);
	if (addresses == NULL)
		describe_failure(l, &e);
	resolve_free(resolve);
	cb(cb_arg, addresses, &e);
}

int
net_resolve_start(struct net_loop *loop, const char *host, uint16_t port,
    net_resolve_cb *cb, void *arg, struct net_resolve **ret_resolve)
{
	struct net_resolve *resolve;
	int r;

	resolve = calloc(1, sizeof *resolve);
	if (resolve == NULL)
		return -ENOMEM;
	resolve->cb = cb;
	resolve->arg = arg;
	resolve->lookup = lookup_new(host, port);
	if (resolve->lookup == NULL) {
		free(resolve);
		return -ENOMEM;
	}
	r = net_watch_init(&resolve->watch, loop, resolve->lookup->wake_fd,
	    resolve_on_readable, NULL, resolve);
	if (r == 0) {
		net_watch_read(&resolve->watch, true);
		(void)atomic_fetch_add(&resolve->lookup->n_refs, 1);
		r = thread_start_detached(lookup_thread, resolve->lookup);
		if (r < 0)
			lookup_unref(resolve->lookup);
	}
	if (r < 0) {
		resolve_free(resolve);
		return r;
	}
	*ret_resolve = resolve;
	return 0;
}

void
net_resolve_cancel(struct net_resolve *resolve)
{
	resolve_free(resolve);
}

int
net_resolve_numeric(const char *host, uint16_t port,
    struct addrinfo **ret_addresses)
{
	int r;

	r = get_addresses(host, port, AI_NUMERICHOST, ret_addresses);
	if (r == EAI_MEMORY)
		return -ENOMEM;
	return r == 0 ? 0 : -ENOENT;
}
