/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One thread's event loop, on libevent.  A loop and everything on it belongs
 * to the thread that runs it; the base is made without locks.
 */

struct event;
struct event_base;
struct net_loop;

/* -ENOMEM. */
int net_loop_new(struct net_loop **ret_loop);
/* A loop on a base that stays its owner's, who runs it.  -ENOMEM. */
int net_loop_new_on(struct event_base *base, struct net_loop **ret_loop);
/* Everything on the loop must be gone. */
void net_loop_free(struct net_loop *loop);

/* Run until net_loop_stop().  Returns 0 or a negative errno. */
int net_loop_run(struct net_loop *loop);
/* From the loop's own thread: return from net_loop_run() soon. */
void net_loop_stop(struct net_loop *loop);

/* For evhttp and the like. */
struct event_base *net_loop_base(struct net_loop *loop);

/* Monotonic time in milliseconds, cached once per turn of the loop. */
uint64_t net_loop_now_ms(struct net_loop *loop);

/*
 * A timer that fires once.  Embedded by its owner; net_timer_init() may fail
 * with -ENOMEM, the others cannot.  Starting a running timer moves it.
 * net_timer_done() also copes with a timer that is all zero.
 */
struct net_timer {
	struct event *ev;
	void (*on_timeout)(void *arg);
	void *arg;
};

int net_timer_init(struct net_timer *t, struct net_loop *loop,
    void (*on_timeout)(void *arg), void *arg);
void net_timer_start(struct net_timer *t, uint64_t delay_ms);
void net_timer_stop(struct net_timer *t);
void net_timer_done(struct net_timer *t);
/* To another loop, of the same thread from now on.  It is stopped by that. */
void net_timer_move(struct net_timer *t, struct net_loop *loop);

/*
 * Watch a descriptor.  The two directions are switched separately and stay
 * on until switched off (level-triggered).  The descriptor stays the
 * owner's: net_watch_done() before closing it.
 */
struct net_watch {
	struct event *read_ev;
	struct event *write_ev;
	bool reading;
	bool writing;
	void (*on_readable)(void *arg);
	void (*on_writable)(void *arg);
	void *arg;
};

int net_watch_init(struct net_watch *w, struct net_loop *loop, int fd,
    void (*on_readable)(void *arg), void (*on_writable)(void *arg), void *arg);
void net_watch_read(struct net_watch *w, bool on);
void net_watch_write(struct net_watch *w, bool on);
void net_watch_done(struct net_watch *w);
/* To another loop; it stays switched as it is. */
void net_watch_move(struct net_watch *w, struct net_loop *loop);

/*
 * A task that runs once, soon, from the loop and never inside the call that
 * scheduled it.  Scheduling it twice before it ran is scheduling it once.
 * Costs no system call.  Scheduled by itself it runs in the loop's next turn:
 * timers and descriptors come in between.
 */
struct net_task {
	struct event *ev;
	void (*run)(void *arg);
	void *arg;
	bool *ret_is_done;		/* while it runs; the loop's */
};

int net_task_init(struct net_task *t, struct net_loop *loop,
    void (*run)(void *arg), void *arg);
void net_task_schedule(struct net_task *t);
void net_task_done(struct net_task *t);
/* To another loop; not while it is scheduled. */
void net_task_move(struct net_task *t, struct net_loop *loop);

#endif
