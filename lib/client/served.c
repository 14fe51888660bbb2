/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server that was started for a channel.
 *
 * The child has a loop of its own, which runs only while something is waited
 * for: its end, after a connection failed, or when it is stopped.  Only who
 * has the channel, or the last reference, runs it; the counter orders the
 * two.  Who may not wait looks, and has the child ended on another loop.
 */
#include "client/served.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "net/child.h"
#include "net/loop.h"

enum {
	GRACE_MS = 5000,
};

struct served {
	atomic_uint n_refs;
	struct net_loop *loop;
	struct net_child *child;
	struct net_timer look;
	bool has_exited;
	struct error exited;		/* once has_exited */
	bool has_stopped;
	void (*on_released)(void *arg);
	void *release_arg;
};

static void
served_on_exit(void *arg, const struct error *e)
{
	struct served *s = arg;

	s->has_exited = true;
	s->exited = *e;
	net_loop_stop(s->loop);
}

static void
served_on_stopped(void *arg)
{
	struct served *s = arg;

	s->has_stopped = true;
	net_loop_stop(s->loop);
}

static void
served_on_looked(void *arg)
{
	struct served *s = arg;

	net_loop_stop(s->loop);
}

static void
served_free(struct served *s)
{
	if (s->child != NULL) {
		net_child_stop(s->child, GRACE_MS, served_on_stopped, s);
		while (!s->has_stopped && net_loop_run(s->loop) == 0)
			continue;
	}
	net_timer_done(&s->look);
	if (s->loop != NULL)
		net_loop_free(s->loop);
	free(s);
}

/* For CLEANUP(). */
static void
served_freep(struct served **served)
{
	if (*served != NULL)
		served_free(*served);
}

static int
served_new(struct served **ret_served, struct error *e)
{
	struct served *s;
	int r;

	s = calloc(1, sizeof *s);
	if (s == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	atomic_init(&s->n_refs, 1);
	r = net_loop_new(&s->loop);
	if (r == 0)
		r = net_timer_init(&s->look, s->loop, served_on_looked, s);
	if (r < 0) {
		served_free(s);
		return error_set(e, r, "out of memory");
	}
	*ret_served = s;
	return 0;
}

int
served_start(const char *const argv[], struct served **ret_served,
    struct error *e)
{
	CLEANUP(served_freep) struct served *s = NULL;
	int r;

	r = served_new(&s, e);
	if (r == 0)
		r = net_child_start(s->loop, argv, NULL, served_on_exit, s,
		    &s->child, e);
	if (r == 0)
		*ret_served = STEAL(s);
	return r;
}

int
served_start_stdio(const char *const argv[], int *ret_fd,
    struct served **ret_served, struct error *e)
{
	CLEANUP(served_freep) struct served *s = NULL;
	int r;

	r = served_new(&s, e);
	if (r == 0)
		r = net_child_start_stdio(s->loop, argv, served_on_exit, s,
		    ret_fd, &s->child, e);
	if (r == 0)
		*ret_served = STEAL(s);
	return r;
}

struct served *
served_ref(struct served *served)
{
	(void)atomic_fetch_add(&served->n_refs, 1);
	return served;
}

void
served_unref(struct served *served)
{
	if (served != NULL && atomic_fetch_sub(&served->n_refs, 1) == 1)
		served_free(served);
}

static void
served_on_released(void *arg)
{
	struct served *s = arg;
	void (*on_released)(void *arg) = s->on_released;
	void *release_arg = s->release_arg;

	s->child = NULL;
	served_free(s);
	on_released(release_arg);
}

bool
served_release(struct served *served, struct net_loop *loop,
    void (*on_released)(void *arg), void *arg)
{
	if (served == NULL || atomic_fetch_sub(&served->n_refs, 1) != 1)
		return false;
	served->on_released = on_released;
	served->release_arg = arg;
	net_child_move(served->child, loop);
	net_child_stop(served->child, GRACE_MS, served_on_released, served);
	return true;
}

const char *
served_socket(const struct served *served)
{
	return net_child_socket(served->child);
}

bool
served_has_exited(struct served *served, struct error *e)
{
	if (!served->has_exited) {
		net_timer_start(&served->look, SERVED_LOOKS * SERVED_LOOK_MS);
		(void)net_loop_run(served->loop);
		net_timer_stop(&served->look);
	}
	if (served->has_exited)
		*e = served->exited;
	return served->has_exited;
}

bool
served_look(struct served *served, struct error *e)
{
	if (!served->has_exited)
		net_child_look(served->child);
	if (served->has_exited)
		*e = served->exited;
	return served->has_exited;
}
