/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "net/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/annotate.h"

/* How much is read before others have their turn. */
#define READS_PER_TURN 16

static void
end_line(struct net_lines *l)
{
	l->line[l->len] = '\0';
	if (!l->is_cutting)
		l->on_line(l->arg, l->line);
	l->is_cutting = false;
	l->len = 0;
}

static void
take(struct net_lines *l, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\n') {
			end_line(l);
		} else if (!l->is_cutting) {
			l->line[l->len++] = data[i];
			if (l->len < sizeof l->line - 1)
				continue;
			end_line(l);
			l->is_cutting = true;
		}
	}
}

void
net_lines_close(struct net_lines *l)
{
	if (l->fd < 0)
		return;
	net_watch_done(&l->watch);
	(void)close(l->fd);
	l->fd = -1;
}

static void
close_at_end(struct net_lines *l)
{
	net_lines_close(l);
	if (l->len > 0)
		end_line(l);
}

static void
on_readable(void *arg)
{
	struct net_lines *l = arg;
	char data[4096];

	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t n = read(l->fd, data, sizeof data);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close_at_end(l);
			return;
		}
		take(l, data, (size_t)n);
	}
}

static void
ignore_line(void *arg UNUSED, const char *line UNUSED)
{
}

void
net_lines_ignore(struct net_lines *l)
{
	if (l->fd >= 0)
		on_readable(l);
	l->on_line = ignore_line;
}

void
net_lines_move(struct net_lines *l, struct net_loop *loop)
{
	if (l->fd >= 0)
		net_watch_move(&l->watch, loop);
}

void
net_lines_finish(struct net_lines *l)
{
	if (l->fd < 0)
		return;
	on_readable(l);
	if (l->fd >= 0)
		close_at_end(l);
}

void
net_lines_init(struct net_lines *l)
{
	l->fd = -1;
}

/* Ours does not block, the child's does. */
int
net_lines_open(struct net_lines *l, struct net_loop *loop,
    void (*on_line)(void *arg, const char *line), void *arg, int *ret_fd)
{
	int fds[2];
	int r = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r == 0)
		r = net_watch_init(&l->watch, loop, fds[0], on_readable, NULL,
		    l);
	if (r < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return r;
	}
	l->fd = fds[0];
	l->len = 0;
	l->is_cutting = false;
	l->on_line = on_line;
	l->arg = arg;
	net_watch_read(&l->watch, true);
	*ret_fd = fds[1];
	return 0;
}
