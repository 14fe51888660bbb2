/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "measure PIDS COMMAND [ARG]...": run a command, and say on descriptor 3
 * what it cost, in seconds and KiB: "wall=1.5 user=0.2 sys=0.4 peak=9216
 * servers=2.1".  The last is the processor time of the processes PIDS
 * ("12,13"; "" for none) while it ran.  Ends with the command's status.
 *
 * A program of its own, since the peak of a child counts from the fork on:
 * below the size of a shell no figure could be had.
 */

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
	FIGURES_FD = 3,
	FAILED = 125,
};

static double
seconds(struct timespec ts)
{
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
seconds_of(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double
now(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return seconds(ts);
}

/* What these processes have used so far; one that is gone counts nothing. */
static double
used_by(const char *pids)
{
	double total = 0;
	struct timespec ts;
	clockid_t clock;
	char *end;

	while (*pids != '\0') {
		pid_t pid = (pid_t)strtol(pids, &end, 10);

		if (end == pids)
			break;
		if (clock_getcpuclockid(pid, &clock) == 0 &&
		    clock_gettime(clock, &ts) == 0)
			total += seconds(ts);
		pids = end + strspn(end, ",");
	}
	return total;
}

static int
status_of(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	struct rusage usage;
	double servers;
	double wall;
	pid_t pid;
	int status;
	int r;

	if (argc < 3) {
		(void)fprintf(stderr, "Usage: measure PIDS COMMAND...\n");
		return FAILED;
	}
	servers = used_by(argv[1]);
	wall = now();
	r = posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (r != 0) {
		(void)fprintf(stderr, "measure: %s: %s\n", argv[2],
		    strerror(r));
		return FAILED;
	}
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			return FAILED;
	}
	(void)dprintf(FIGURES_FD,
	    "wall=%.6f user=%.6f sys=%.6f peak=%ld servers=%.6f\n",
	    now() - wall, seconds_of(usage.ru_utime),
	    seconds_of(usage.ru_stime), usage.ru_maxrss,
	    used_by(argv[1]) - servers);
	return status_of(status);
}
