/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool
is_ignored(int sig)
{
	struct sigaction sa;

	return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

int
signals_open(int *ret_fd)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	/* A signal that is ignored, but blocked, would arrive all the same. */
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		if (!is_ignored(wanted[i]))
			(void)sigaddset(&set, wanted[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int
signals_take(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
		return 0;
	return (int)info.ssi_signo;
}

bool
signals_is_interrupt(int sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGHUP;
}
