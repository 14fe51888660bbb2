/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop: libevent behind a narrow seam.
 *
 * The base has no locks and no way to be woken from another thread; that is
 * the mailbox's business (lib/runtime), which watches an eventfd like any
 * other descriptor.
 *
 * libevent runs callbacks from a queue.  A task is an event put at the end of
 * that queue by hand: it runs in the turn it was scheduled in, after what was
 * ready before it, and no system call is made for it.  Tasks that schedule
 * each other again and again would keep the loop from looking at descriptors
 * and the clock, so it does after a number of callbacks; and as the base of
 * somebody else may not, what a task schedules of itself waits for the next
 * turn.
 */
#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/annotate.h"

enum {
	MAX_CALLBACKS = 64,		/* before descriptors and the clock are
					   looked at again */
};

struct net_loop {
	struct event_base *base;
	bool is_borrowed;		/* the base is another's */
};

static struct event_base *
base_new(void)
{
	struct event_config *cfg;
	struct event_base *base = NULL;

	cfg = event_config_new();
	if (cfg == NULL)
		return NULL;
	if (event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK) == 0 &&
	    event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV) == 0 &&
	    event_config_set_max_dispatch_interval(cfg, NULL, MAX_CALLBACKS,
	    0) == 0)
		base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

int
net_loop_new(struct net_loop **ret_loop)
{
	struct net_loop *loop;

	loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return -ENOMEM;
	loop->base = base_new();
	if (loop->base == NULL) {
		free(loop);
		return -ENOMEM;
	}
	*ret_loop = loop;
	return 0;
}

int
net_loop_new_on(struct event_base *base, struct net_loop **ret_loop)
{
	struct net_loop *loop;

	loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return -ENOMEM;
	loop->base = base;
	loop->is_borrowed = true;
	*ret_loop = loop;
	return 0;
}

void
net_loop_free(struct net_loop *loop)
{
	if (loop == NULL)
		return;
	if (!loop->is_borrowed)
		event_base_free(loop->base);
	free(loop);
}

int
net_loop_run(struct net_loop *loop)
{
	int r;

	r = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return r < 0 ? -EIO : 0;
}

void
net_loop_stop(struct net_loop *loop)
{
	(void)event_base_loopbreak(loop->base);
}

struct event_base *
net_loop_base(struct net_loop *loop)
{
	return loop->base;
}

uint64_t
net_loop_now_ms(struct net_loop *loop UNUSED)
{
	struct timespec ts;

	/* No system call: the kernel's vDSO answers it. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
timer_on_event(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct net_timer *t = arg;

	t->on_timeout(t->arg);
}

int
net_timer_init(struct net_timer *t, struct net_loop *loop,
    void (*on_timeout)(void *arg), void *arg)
{
	t->on_timeout = on_timeout;
	t->arg = arg;
	t->ev = event_new(loop->base, -1, 0, timer_on_event, t);
	return t->ev == NULL ? -ENOMEM : 0;
}

void
net_timer_start(struct net_timer *t, uint64_t delay_ms)
{
	struct timeval tv = {
		.tv_sec = (time_t)(delay_ms / 1000),
		.tv_usec = (suseconds_t)(delay_ms % 1000 * 1000),
	};

	(void)event_add(t->ev, &tv);
}

void
net_timer_stop(struct net_timer *t)
{
	(void)event_del(t->ev);
}

void
net_timer_done(struct net_timer *t)
{
	if (t->ev != NULL)
		event_free(t->ev);
	t->ev = NULL;
}

/* What is not pending can be given to another base. */
static void
event_move(struct event *ev, struct net_loop *loop)
{
	(void)event_del(ev);
	(void)event_base_set(loop->base, ev);
}

void
net_timer_move(struct net_timer *t, struct net_loop *loop)
{
	event_move(t->ev, loop);
}

static void
watch_on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct net_watch *w = arg;

	w->on_readable(w->arg);
}

static void
watch_on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct net_watch *w = arg;

	w->on_writable(w->arg);
}

int
net_watch_init(struct net_watch *w, struct net_loop *loop, int fd,
    void (*on_readable)(void *arg), void (*on_writable)(void *arg), void *arg)
{
	memset(w, 0, sizeof *w);
	w->on_readable = on_readable;
	w->on_writable = on_writable;
	w->arg = arg;
	w->read_ev = event_new(loop->base, fd, EV_READ | EV_PERSIST,
	    watch_on_readable, w);
	w->write_ev = event_new(loop->base, fd, EV_WRITE | EV_PERSIST,
	    watch_on_writable, w);
	if (w->read_ev == NULL || w->write_ev == NULL) {
		net_watch_done(w);
		return -ENOMEM;
	}
	return 0;
}

static void
watch_switch(struct event *ev, bool *is_on, bool on)
{
	/* Each change is an epoll_ctl(2): make none that changes nothing. */
	if (*is_on == on)
		return;
	if (on)
		(void)event_add(ev, NULL);
	else
		(void)event_del(ev);
	*is_on = on;
}

void
net_watch_read(struct net_watch *w, bool on)
{
	watch_switch(w->read_ev, &w->reading, on);
}

void
net_watch_write(struct net_watch *w, bool on)
{
	watch_switch(w->write_ev, &w->writing, on);
}

void
net_watch_done(struct net_watch *w)
{
	if (w->read_ev != NULL)
		event_free(w->read_ev);
	if (w->write_ev != NULL)
		event_free(w->write_ev);
	memset(w, 0, sizeof *w);
}

void
net_watch_move(struct net_watch *w, struct net_loop *loop)
{
	event_move(w->read_ev, loop);
	event_move(w->write_ev, loop);
	if (w->reading)
		(void)event_add(w->read_ev, NULL);
	if (w->writing)
		(void)event_add(w->write_ev, NULL);
}

/* The task may be gone when it has run. */
static void
task_on_event(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct net_task *t = arg;
	bool is_done = false;

	t->ret_is_done = &is_done;
	t->run(t->arg);
	if (!is_done)
		t->ret_is_done = NULL;
}

int
net_task_init(struct net_task *t, struct net_loop *loop,
    void (*run)(void *arg), void *arg)
{
	t->run = run;
	t->arg = arg;
	t->ret_is_done = NULL;
	t->ev = event_new(loop->base, -1, 0, task_on_event, t);
	return t->ev == NULL ? -ENOMEM : 0;
}

void
net_task_schedule(struct net_task *t)
{
	const struct timeval next_turn = { .tv_sec = 0 };

	if (t->ret_is_done != NULL)
		(void)event_add(t->ev, &next_turn);
	else
		event_active(t->ev, EV_TIMEOUT, 0);
}

void
net_task_done(struct net_task *t)
{
	if (t->ev != NULL)
		event_free(t->ev);
	t->ev = NULL;
	if (t->ret_is_done != NULL)
		*t->ret_is_done = true;
	t->ret_is_done = NULL;
}

void
net_task_move(struct net_task *t, struct net_loop *loop)
{
	event_move(t->ev, loop);
}
