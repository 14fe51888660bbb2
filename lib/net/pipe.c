/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes through a pipe.  The kernel moves references to pages where it can;
 * what a pipe holds is therefore counted in pieces of pages, and a peer that
 * sends small pieces fills it with few bytes.
 */
#include "net/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

bool
net_pipe_suits(int fd)
{
	int domain = 0;
	socklen_t len = sizeof domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	    (domain == AF_UNIX || domain == AF_INET || domain == AF_INET6);
}

int
net_pipe_open(struct net_pipe *p, size_t size)
{
	int fds[2];
	int r;

	if (size > INT_MAX / 2)
		return -EINVAL;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*p = (struct net_pipe){ .read_fd = fds[0], .write_fd = fds[1] };
	/* Pages begin and end anywhere: twice as many hold as much. */
	r = fcntl(p->write_fd, F_SETPIPE_SZ, (int)(2 * size));
	if (r < 0) {
		r = -errno;
		net_pipe_close(p);
		return r;
	}
	return 0;
}

void
net_pipe_close(struct net_pipe *p)
{
	(void)close(p->read_fd);
	(void)close(p->write_fd);
}

/*
 * Nothing was moved: is there nothing, or no room for it in the pipe?  A full
 * pipe hides the peer's end as well.
 */
static ssize_t
why_nothing(int fd)
{
	char byte;
	ssize_t n;

	n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	return n > 0 ? -ENOBUFS : 0;
}

ssize_t
net_pipe_receive(struct net_pipe *p, int fd, size_t n)
{
	ssize_t moved;

	do
		moved = splice(fd, NULL, p->write_fd, NULL, n,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	if (moved > 0)
		p->n_bytes += (size_t)moved;
	if (moved >= 0)
		return moved;
	return errno == EAGAIN ? why_nothing(fd) : -errno;
}

ssize_t
net_pipe_send(struct net_pipe *p, int fd, size_t n)
{
	ssize_t moved;

	do
		moved = splice(p->read_fd, NULL, fd, NULL, n,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	if (moved < 0)
		return -errno;
	p->n_bytes -= (size_t)moved;
	return moved;
}

int
net_pipe_drain(struct net_pipe *p, void *buf)
{
	char *to = buf;
	ssize_t n;

	while (p->n_bytes > 0) {
		n = read(p->read_fd, to, p->n_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		to += n;
		p->n_bytes -= (size_t)n;
	}
	return 0;
}
