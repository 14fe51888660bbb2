/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Worker threads.  A worker is a loop that runs until a mail tells it to
 * stop.  The thread that starts the pool makes the loops and mailboxes, so
 * that failure is reported to it; from then on they are the worker's.
 */
#include "runtime/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/list.h"
#include "base/log.h"

#define MAX_CHOSEN_WORKERS 8

struct worker {
	pthread_t thread;
	unsigned number;
	struct net_loop *loop;
	struct mailbox *box;
	struct mail stop;
};

struct worker_pool {
	unsigned n_workers;
	atomic_uint turn;
	struct worker workers[];
};

static void
worker_on_stop(struct mail *mail)
{
	struct worker *w = list_entry(mail, struct worker, stop);

	on_worker_entry();
	net_loop_stop(w->loop);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];
	int r;

	(void)snprintf(name, sizeof name, "nbdsync-w%u", w->number);
	(void)pthread_setname_np(pthread_self(), name);
	r = net_loop_run(w->loop);
	if (r < 0)
		log_debug("worker %u: the event loop failed: %d", w->number,
		    r);
	return NULL;
}

/* Signals are the main thread's: a worker is born with all of them blocked. */
static int
create_thread(struct worker *w)
{
	sigset_t all;
	sigset_t before;
	int r;

	(void)sigfillset(&all);
	r = -pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r < 0)
		return r;
	r = -pthread_create(&w->thread, NULL, worker_main, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void
worker_done(struct worker *w)
{
	mailbox_free(w->box);
	if (w->loop != NULL)
		net_loop_free(w->loop);
}

static int
worker_start(struct worker *w, unsigned number)
{
	int r;

	w->number = number;
	w->stop.deliver = worker_on_stop;
	r = net_loop_new(&w->loop);
	if (r < 0)
		return r;
	r = mailbox_new(w->loop, &w->box);
	if (r == 0)
		r = create_thread(w);
	if (r < 0)
		worker_done(w);
	return r;
}

static unsigned
choose_n_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > MAX_CHOSEN_WORKERS ? MAX_CHOSEN_WORKERS : (unsigned)n;
}

int
worker_pool_start(unsigned n_workers, struct worker_pool **ret_pool)
{
	struct worker_pool *pool;
	int r;

	if (n_workers == 0)
		n_workers = choose_n_workers();
	pool = calloc(1, sizeof *pool + n_workers * sizeof pool->workers[0]);
	if (pool == NULL)
		return -ENOMEM;
	while (pool->n_workers < n_workers) {
		r = worker_start(&pool->workers[pool->n_workers],
		    pool->n_workers);
		if (r < 0) {
			worker_pool_stop(pool);
			return r;
		}
		pool->n_workers++;
	}
	*ret_pool = pool;
	return 0;
}

void
worker_pool_stop(struct worker_pool *pool)
{
	if (pool == NULL)
		return;
	for (unsigned i = 0; i < pool->n_workers; i++)
		mailbox_post(pool->workers[i].box, &pool->workers[i].stop);
	for (unsigned i = 0; i < pool->n_workers; i++) {
		(void)pthread_join(pool->workers[i].thread, NULL);
		worker_done(&pool->workers[i]);
	}
	free(pool);
}

unsigned
worker_pool_size(const struct worker_pool *pool)
{
	return pool->n_workers;
}

struct worker *
worker_pool_get(struct worker_pool *pool, unsigned i)
{
	return &pool->workers[i % pool->n_workers];
}

unsigned
worker_pool_next(struct worker_pool *pool)
{
	return atomic_fetch_add_explicit(&pool->turn, 1,
	    memory_order_relaxed);
}

struct net_loop *
worker_loop(struct worker *w)
{
	return w->loop;
}

struct mailbox *
worker_mailbox(struct worker *w)
{
	return w->box;
}

void
worker_post(struct worker *w, struct mail *mail)
{
	mailbox_post(w->box, mail);
}
