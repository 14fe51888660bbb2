/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_SERVED_H
#define CLIENT_SERVED_H

#include <stdbool.h>

#include "base/error.h"
#include "net/loop.h"

/*
 * A server that was started for a channel, shared by the channel and its
 * disks, which may be on different threads: the last one to let go of it
 * ends it.
 */
struct served;

/*
 * Start argv (NULL-terminated, argv[0] looked up in PATH).  -ENOMEM, -EINVAL
 * (no command), what could not be run or made, with a sentence.
 */
int served_start(const char *const argv[], struct served **ret_served,
    struct error *e);

/*
 * Likewise, with a socket as its standard input and output; *ret_fd is our
 * end, the caller's.
 */
int served_start_stdio(const char *const argv[], int *ret_fd,
    struct served **ret_served, struct error *e);

/* Any thread that has a reference.  Returns served. */
struct served *served_ref(struct served *served);

/*
 * Any thread.  The last reference ends the server and waits for its end, at
 * most a few seconds: SIGTERM, then SIGKILL.  NULL is fine.
 */
void served_unref(struct served *served);

/*
 * The same without waiting.  False: others have references, and that was it.
 * True: it was the last one, the server is being ended on this loop, and
 * on_released comes once, from it, when that is over.  NULL is fine.
 */
bool served_release(struct served *served, struct net_loop *loop,
    void (*on_released)(void *arg), void *arg);

/* The path of the socket that the server listens on. */
const char *served_socket(const struct served *served);

/*
 * Has the server ended by itself?  Then e says how.  Waits a moment for it:
 * a server's sockets are closed before its end can be seen.  For the thread
 * of the channel only.
 */
bool served_has_exited(struct served *served, struct error *e);

/* The same without waiting, to be asked SERVED_LOOKS times. */
bool served_look(struct served *served, struct error *e);

#define SERVED_LOOK_MS 20
#define SERVED_LOOKS   25

#endif
