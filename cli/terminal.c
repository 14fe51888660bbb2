/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#define HURRY_MS 1000

static bool is_hurried;

int
terminal_open(void)
{
	char name[256];
	int r = ttyname_r(STDOUT_FILENO, name, sizeof name);
	int fd;

	if (r != 0)
		return -r;
	fd = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool
terminal_takes(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return isatty(fd) != 1 || poll(&p, 1, timeout_ms) != 0;
}

void
terminal_hurry(void)
{
	is_hurried = true;
}

bool
terminal_wait(int fd)
{
	return !is_hurried || terminal_takes(fd, HURRY_MS);
}

static int
wait_for_room(int fd, int wake_fd, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = wake_fd, .events = POLLIN },
	};
	int n = poll(fds, 2, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ETIMEDOUT;
	return fds[1].revents != 0 ? -EINTR : 0;
}

int
terminal_write(int fd, const char *text, size_t len, int wake_fd,
    int timeout_ms)
{
	ssize_t n;
	int r = 0;

	while (r == 0 && len > 0) {
		n = write(fd, text, len);
		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			r = wait_for_room(fd, wake_fd, timeout_ms);
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	return r;
}
