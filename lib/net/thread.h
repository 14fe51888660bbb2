/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_THREAD_H
#define NET_THREAD_H

/*
 * A thread for one call that may take for ever, which nobody waits for: it
 * ends by itself.  What it uses is its own, or counted.  -EAGAIN, -ENOMEM.
 */
int thread_start_detached(void *(*run)(void *arg), void *arg);

#endif
