/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connecting to the first of several addresses that answers.
 *
 * Attempts are begun one after the other, and those begun go on: the next is
 * begun when one fails, or when none has been for NET_RACE_HEAD_START_MS.
 * The first one that is connected wins.  An address that never answers thus
 * costs a quarter of a second, however long its kernel would wait.
 *
 * A Unix socket whose queue is full (EAGAIN) is begun again after a while,
 * for as long as the caller waits: the kernel does not tell when it has room.
 */
#include "net/race.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	RETRY_FIRST_MS = 10,
	RETRY_MAX_MS = 100,
	UNIX_SEND_BUFFER = 1024 * 1024,
};

struct attempt {
	struct net_race *race;
	struct net_address *address;
	struct net_watch watch;
	int fd;
};

struct net_race {
	struct net_loop *loop;
	net_race_cb *cb;
	void *arg;
	struct net_task start;
	struct net_timer timer;		/* until the next attempt */
	uint64_t retry_ms;
	size_t next;			/* attempts before it have begun */
	size_t n_running;
	int last_error;			/* negative errno */
	size_t n;
	struct attempt attempts[];
};

static void
attempt_drop(struct attempt *a)
{
	net_watch_done(&a->watch);
	if (a->fd >= 0)
		(void)close(a->fd);
	a->fd = -1;
}

void
net_race_cancel(struct net_race *race)
{
	for (size_t i = 0; i < race->n; i++)
		attempt_drop(&race->attempts[i]);
	net_timer_done(&race->timer);
	net_task_done(&race->start);
	free(race);
}

static void
race_finish(struct net_race *race, int fd)
{
	net_race_cb *cb = race->cb;
	void *arg = race->arg;

	net_race_cancel(race);
	cb(arg, fd);
}

/*
 * Failures are not reported: a socket without these options works.
 */
static void
set_options(int fd, sa_family_t family)
{
	const int one = 1;
	const int size = UNIX_SEND_BUFFER;

	if (family == AF_UNIX) {
		/* Fewer, larger wake-ups; the kernel caps it. */
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	} else if (family == AF_INET || family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof one);
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one,
		    sizeof one);
	}
}

static void race_go_on(struct net_race *race);

static void
attempt_note_failure(struct attempt *a, int r)
{
	attempt_drop(a);
	a->address->errnum = -r;
	a->race->last_error = r;
}

static void
attempt_on_writable(void *arg)
{
	struct attempt *a = arg;
	struct net_race *race = a->race;
	int errnum = 0;
	socklen_t len = sizeof errnum;

	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
		errnum = errno;
	if (errnum == 0) {
		net_watch_done(&a->watch);
		race_finish(race, STEAL_FD(a->fd));
		return;
	}
	attempt_note_failure(a, -errnum);
	race->n_running--;
	race_go_on(race);
}

/* 0: it is connected.  -EINPROGRESS: an answer will come.  Else it failed. */
static int
attempt_begin(struct attempt *a)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->address->addr;
	int r;

	a->fd = socket(sa->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return -errno;
	set_options(a->fd, sa->sa_family);
	if (connect(a->fd, sa, a->address->len) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -errno;
	r = net_watch_init(&a->watch, a->race->loop, a->fd, NULL,
	    attempt_on_writable, a);
	if (r < 0)
		return r;
	net_watch_write(&a->watch, true);
	return -EINPROGRESS;
}

static void
race_retry_later(struct net_race *race, struct attempt *a)
{
	attempt_drop(a);
	race->next--;
	net_timer_start(&race->timer, race->retry_ms);
	race->retry_ms *= 2;
	if (race->retry_ms > RETRY_MAX_MS)
		race->retry_ms = RETRY_MAX_MS;
}

/* Begin attempts until there is one to be waited for. */
static void
race_go_on(struct net_race *race)
{
	net_timer_stop(&race->timer);
	while (race->next < race->n) {
		struct attempt *a = &race->attempts[race->next++];
		int r = attempt_begin(a);

		if (r == 0) {
			race_finish(race, STEAL_FD(a->fd));
			return;
		}
		if (r == -EINPROGRESS) {
			race->n_running++;
			if (race->next < race->n)
				net_timer_start(&race->timer,
				    NET_RACE_HEAD_START_MS);
			return;
		}
		if (r == -EAGAIN && a->address->addr.ss_family == AF_UNIX) {
			race_retry_later(race, a);
			return;
		}
		attempt_note_failure(a, r);
	}
	if (race->n_running == 0)
		race_finish(race, race->last_error);
}

static void
race_on_event(void *arg)
{
	race_go_on(arg);
}

int
net_race_start(struct net_loop *loop, struct net_address *addresses, size_t n,
    net_race_cb *cb, void *arg, struct net_race **ret_race)
{
	struct net_race *race;

	race = calloc(1, sizeof *race + n * sizeof race->attempts[0]);
	if (race == NULL)
		return -ENOMEM;
	race->loop = loop;
	race->cb = cb;
	race->arg = arg;
	race->retry_ms = RETRY_FIRST_MS;
	race->n = n;
	for (size_t i = 0; i < n; i++) {
		race->attempts[i].race = race;
		race->attempts[i].address = &addresses[i];
		race->attempts[i].fd = -1;
	}
	if (net_timer_init(&race->timer, loop, race_on_event, race) < 0 ||
	    net_task_init(&race->start, loop, race_on_event, race) < 0) {
		net_race_cancel(race);
		return -ENOMEM;
	}
	net_task_schedule(&race->start);
	*ret_race = race;
	return 0;
}
