/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_CHILD_H
#define NET_CHILD_H

#include <stdint.h>

#include "base/error.h"
#include "net/loop.h"

/*
 * A child server: a command that is given a listening Unix socket by systemd
 * socket activation (LISTEN_FDS, LISTEN_PID; descriptor 3), so that nbdkit,
 * qemu-nbd and others serve any number of connections on it.  The socket
 * lies in a new private directory, which goes away with the child.  Or one
 * that speaks to us on its standard input and output.
 *
 * The child gets SIGTERM when its parent dies, its own process group, an
 * empty standard input, unless it is the socket, and the parent's standard
 * error, unless somebody reads what it says.  It is watched by a pidfd, or
 * looked at by a timer where the kernel has none: nobody has to handle
 * SIGCHLD, and nobody else may reap the child.
 */

struct net_child;

/*
 * The child ended by itself: e says how ("command 'nbdkit' exited with
 * status 1").  Comes at most once for each start, from the loop or
 * net_child_look(), never after net_child_stop().
 */
typedef void net_child_exit_cb(void *arg, const struct error *e);

/*
 * Start argv (NULL-terminated, argv[0] looked up in PATH) and watch it on
 * loop.  -ENOENT and others from exec are reported here, with a sentence.
 * on_line gets each line of its standard output and error, from the loop, and
 * the last ones before on_exit, or from net_child_stop(), and none after it.
 * NULL: it has our standard error.
 */
int net_child_start(struct net_loop *loop, const char *const argv[],
    void (*on_line)(void *arg, const char *line), net_child_exit_cb *on_exit,
    void *arg, struct net_child **ret_child, struct error *e);

/*
 * Likewise, with one end of a socket pair as its standard input and output;
 * *ret_fd is the other, the caller's.
 */
int net_child_start_stdio(struct net_loop *loop, const char *const argv[],
    net_child_exit_cb *on_exit, void *arg, int *ret_fd,
    struct net_child **ret_child, struct error *e);

/*
 * Likewise, with these as its standard input, output and error, which stay
 * the caller's, and the environment envp, or NULL for ours.  path, unless
 * NULL, is the program, whatever argv[0] says.
 */
int net_child_start_command(struct net_loop *loop, const char *path,
    const char *const argv[], const char *const envp[], const int fds[3],
    net_child_exit_cb *on_exit, void *arg, struct net_child **ret_child,
    struct error *e);

/*
 * Once on_exit has come, of a child with a socket: start argv in its place,
 * listening where it did.  As net_child_start(); after a failure this may be
 * tried again.
 */
int net_child_restart(struct net_child *child, struct net_loop *loop,
    const char *const argv[], struct error *e);

/* Once on_exit has come: its exit status; -1: a signal ended it. */
int net_child_status(const struct net_child *child);

/* The path of the socket the child listens on; the child's.  "": none. */
const char *net_child_socket(const struct net_child *child);

/*
 * Look now, without waiting, whether the child has ended by itself: then
 * on_exit comes from inside this call.  Not after net_child_stop().
 */
void net_child_look(struct net_child *child);

/*
 * Watch the child on another loop from now on, whose thread it belongs to.
 * Not after net_child_stop().
 */
void net_child_move(struct net_child *child, struct net_loop *loop);

/*
 * End the child: SIGTERM, SIGKILL after grace_ms, then on_stopped.  The
 * child object and its directory are gone when on_stopped is called, from
 * the loop, exactly once.  Works as well when it has exited already.
 */
void net_child_stop(struct net_child *child, uint64_t grace_ms,
    void (*on_stopped)(void *arg), void *arg);

/* SIGKILL, and wait for that; the object is gone, and nobody is called. */
void net_child_kill(struct net_child *child);

#endif
