/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "probe-jobs SOCKET COUNT": start the jobs job1 to jobCOUNT of a daemon, and
 * ask for all jobs again and again until so many have succeeded.  Prints
 * "wall=1.5 asked=120 p50_ms=0.8 p99_ms=2.5": seconds, and how long the answers
 * took.
 */

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_SIZE = 4 * 1024 * 1024,
	PAUSE_US = 5000,
	MAX_ANSWERS = 100000,
	DEADLINE_S = 600,
};

static char answer[ANSWER_SIZE];
static double times[MAX_ANSWERS];
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static double
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		err(1, "clock_gettime");
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The answer, with its header, is in answer. */
static void
ask(const char *method, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t n;

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		err(1, "connect");
	if (dprintf(fd, "%s %s HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: close\r\nContent-Length: 0\r\n\r\n", method, path) < 0)
		err(1, "send");
	while ((n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
		len += (size_t)n;
	if (n < 0)
		err(1, "recv");
	answer[len] = '\0';
	(void)close(fd);
	if (strncmp(answer, "HTTP/1.1 20", 11) != 0)
		errx(1, "%s %s: %s", method, path, answer);
}

static size_t
count(const char *word)
{
	size_t n = 0;

	for (const char *p = answer; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
part_ms(size_t n, double part)
{
	return times[(size_t)((double)(n - 1) * part)] * 1000;
}

int
main(int argc, char **argv)
{
	unsigned long n_jobs;
	char path[64];
	double begin;
	double asked;
	size_t n = 0;

	if (argc != 3)
		errx(2, "Usage: probe-jobs SOCKET COUNT");
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s",
	    argv[1]);
	n_jobs = strtoul(argv[2], NULL, 10);
	begin = now();
	for (unsigned long i = 1; i <= n_jobs; i++) {
		(void)snprintf(path, sizeof path, "/v1/jobs/job%lu/start", i);
		ask("POST", path);
	}
	do {
		(void)usleep(PAUSE_US);
		asked = now();
		ask("GET", "/v1/jobs");
		times[n++] = now() - asked;
		if (n == MAX_ANSWERS || asked - begin > DEADLINE_S)
			errx(1, "the jobs do not end");
	} while (count("\"result\":\"succeeded\"") < n_jobs &&
	    count("\"run\":null") < count("\"last_run\":"));
	if (count("\"result\":\"succeeded\"") < n_jobs)
		errx(1, "%zu of %lu jobs succeeded",
		    count("\"result\":\"succeeded\""), n_jobs);
	(void)printf("wall=%.6f asked=%zu", now() - begin, n);
	qsort(times, n, sizeof times[0], compare);
	(void)printf(" p50_ms=%.3f p99_ms=%.3f\n", part_ms(n, 0.5),
	    part_ms(n, 0.99));
	return 0;
}
