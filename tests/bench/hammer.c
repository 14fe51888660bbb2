/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "hammer SOCKET CONNECTIONS SECONDS PATH...": ask for the paths in turn, on
 * so many connections at once, each of which asks again as soon as it has its
 * answer.  Prints "asked=12000 p50_ms=1.2 p99_ms=8.1 max_ms=20.4".
 */

#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_CONNECTIONS = 1000,
	MAX_TIMES = 2000000,
	HEAD_SIZE = 4096,
};

struct connection {
	char head[HEAD_SIZE];		/* of the answer */
	size_t used;
	size_t left;			/* of its body */
	bool has_head;
	double asked_at;
};

static struct connection connections[MAX_CONNECTIONS];
static struct pollfd fds[MAX_CONNECTIONS];
static double times[MAX_TIMES];
static size_t n_times;
static char **paths;
static int n_paths;
static int next_path;

static double
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		err(1, "clock_gettime");
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
ask(int i)
{
	struct connection *c = &connections[i];

	c->used = 0;
	c->has_head = false;
	c->asked_at = now();
	if (dprintf(fds[i].fd, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
	    paths[next_path++ % n_paths]) < 0)
		err(1, "send");
}

static void
done(int i)
{
	if (n_times < MAX_TIMES)
		times[n_times++] = now() - connections[i].asked_at;
	ask(i);
}

/* The head is whole: how long is the body? */
static void
read_head(struct connection *c, const char *end)
{
	const char *length = strcasestr(c->head, "content-length:");
	size_t body = c->used - (size_t)(end + 4 - c->head);

	if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 || length == NULL)
		errx(1, "%.40s", c->head);
	c->left = strtoul(length + strlen("content-length:"), NULL, 10);
	c->left = c->left > body ? c->left - body : 0;
	c->has_head = true;
}

static void
take(int i)
{
	struct connection *c = &connections[i];
	static char rest[1 << 20];
	const char *end;
	ssize_t n;

	if (c->has_head)
		n = recv(fds[i].fd, rest, c->left < sizeof rest ? c->left :
		    sizeof rest, 0);
	else
		n = recv(fds[i].fd, c->head + c->used,
		    sizeof c->head - 1 - c->used, 0);
	if (n <= 0)
		err(1, "recv");
	if (c->has_head) {
		c->left -= (size_t)n;
	} else {
		c->used += (size_t)n;
		c->head[c->used] = '\0';
		end = strstr(c->head, "\r\n\r\n");
		if (end == NULL)
			return;
		read_head(c, end);
	}
	if (c->left == 0)
		done(i);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = argc > 4 ? atoi(argv[2]) : 0;
	double end;

	if (n < 1 || n > MAX_CONNECTIONS ||
	    strlen(argv[1]) >= sizeof address.sun_path)
		errx(2, "usage: hammer SOCKET CONNECTIONS SECONDS PATH...");
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	paths = argv + 4;
	n_paths = argc - 4;
	for (int i = 0; i < n; i++) {
		fds[i].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		fds[i].events = POLLIN;
		if (fds[i].fd < 0 || connect(fds[i].fd,
		    (struct sockaddr *)&address, sizeof address) < 0)
			err(1, "connect");
		ask(i);
	}
	for (end = now() + atof(argv[3]); now() < end;) {
		if (poll(fds, (nfds_t)n, 1000) < 0)
			err(1, "poll");
		for (int i = 0; i < n; i++)
			if (fds[i].revents != 0)
				take(i);
	}
	qsort(times, n_times, sizeof times[0], compare);
	if (n_times == 0)
		errx(1, "no answer");
	(void)printf("asked=%zu p50_ms=%.1f p99_ms=%.1f max_ms=%.1f\n",
	    n_times, times[n_times / 2] * 1e3,
	    times[n_times * 99 / 100] * 1e3, times[n_times - 1] * 1e3);
	return 0;
}
