/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_PIPE_H
#define NET_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A pipe that carries bytes from one socket to another without their coming
 * to user memory: splice(2).  One thread at a time.
 *
 * Sending this way may raise SIGPIPE: only for programs whose threads block
 * or ignore it.
 */
struct net_pipe {
	int read_fd;
	int write_fd;
	size_t n_bytes;		/* in it */
};

/* Can what comes from and goes to this socket go through a pipe? */
bool net_pipe_suits(int fd);

/*
 * A pipe with room for at least size bytes, with luck: how much it holds
 * depends on how they come, see net_pipe_receive().  -EMFILE, -ENOMEM, ...;
 * -EPERM, -EINVAL: the system allows this user, or anybody, no pipe of that
 * size.
 */
int net_pipe_open(struct net_pipe *p, size_t size);
/* What is in it is lost. */
void net_pipe_close(struct net_pipe *p);

/*
 * Move up to n bytes from a non-blocking socket.  Returns how many.  0: the
 * peer's end.  -EAGAIN: nothing there.  -ENOBUFS: there is something, but the
 * pipe is full.  Otherwise a negative errno.
 */
ssize_t net_pipe_receive(struct net_pipe *p, int fd, size_t n);

/*
 * Move up to n bytes to a non-blocking socket.  Returns how many.  -EAGAIN:
 * the socket is full.  Otherwise a negative errno.
 */
ssize_t net_pipe_send(struct net_pipe *p, int fd, size_t n);

/* Take all of its bytes out: n_bytes of them.  0 or a negative errno. */
int net_pipe_drain(struct net_pipe *p, void *buf);

#endif
