/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads for what nothing can interrupt: looking up a name, reading a file
 * of a disk that hangs.
 */

#include "net/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

/* Signals are for the main thread: the new one starts with all blocked. */
int
thread_start_detached(void *(*run)(void *arg), void *arg)
{
	sigset_t all;
	sigset_t before;
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (pthread_attr_init(&attr) != 0)
		return -ENOMEM;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attr, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
}
