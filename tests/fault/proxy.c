/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands between an NBD client and a server, and does harm at a step of the
 * protocol:
 *
 *	proxy LISTEN TARGET [-c FIFO] [FAULT]...
 *
 * LISTEN and TARGET are paths of sockets, or ports of 127.0.0.1.  A FAULT is
 * ACTION@WHEN:STEP[:N[:COUNT]], and happens at the N-th such step (the first)
 * of all connections, COUNT times (once; 0: from then on).  WHEN is before,
 * in (the middle of), or after; the steps are those of nbd-stream.h; ACTION:
 *
 *	cut	close both sides
 *	reset	likewise, as an error
 *	half	end this direction alone
 *	hole	let nothing more through, and close nothing
 *	slow	a byte a second in each direction, from then on
 *	flip	change a bit of the byte in the middle
 *
 * Lines of FIFO are a FAULT, which counts from then on, or one of cut, reset,
 * hole and slow for all connections, hole and slow also for those that come;
 * or heal, which ends these two.  Every fault that happens is a line of
 * standard output, "fault cut before reply 3", and every connection
 * "connection 1".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/nbd-stream.h"

#define MAX_CONNECTIONS 64
#define MAX_FAULTS	64
#define BUFFER_SIZE	(256U * 1024)
#define SLOW_MS		1000

enum action { NONE, CUT, RESET, HALF, HOLE, SLOW, FLIP, N_ACTIONS };
enum when { BEFORE, IN, AFTER, N_WHENS };

static const char *const action_names[N_ACTIONS] = {
	"none", "cut", "reset", "half", "hole", "slow", "flip",
};
static const char *const when_names[N_WHENS] = { "before", "in", "after" };

struct fault {
	enum action action;
	enum when when;
	enum nbd_step step;
	unsigned long from;
	unsigned long count;
};

struct direction {
	int in, out;
	uint8_t buf[BUFFER_SIZE];
	size_t start, end;
	enum nbd_step step;
	unsigned long nth;		/* of such steps */
	uint64_t length, left;		/* of the step; 0: none has begun */
	bool has_ended;			/* no more comes in */
	bool is_deaf;			/* what comes in is dropped */
	bool is_slow;
	bool is_middle_over;
};

struct connection {
	struct nbd_stream stream;
	struct direction from[N_SIDES];
	bool is_hole;
	bool is_dead;
};

static struct connection *connections[MAX_CONNECTIONS];
static unsigned long n_connections;
static struct fault faults[MAX_FAULTS];
static unsigned n_faults;
static unsigned long n_steps[N_STEPS];
static const char *target;
static bool all_is_hole, all_is_slow;
static uint64_t next_tick_ms;

static void
end(int signo)
{
	(void)signo;
	_exit(0);
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/*
 * Words.
 */

static int
find(const char *const names[], int n, const char *name)
{
	for (int i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

static bool
add_fault(const char *text)
{
	char action[16], when[16], step[32];
	struct fault f = { .from = 1, .count = 1 };
	int a, w, s;

	if (n_faults == MAX_FAULTS ||
	    sscanf(text, "%15[a-z]@%15[a-z]:%31[a-z-]:%lu:%lu", action, when,
		step, &f.from, &f.count) < 3)
		return false;
	a = find(action_names, N_ACTIONS, action);
	w = find(when_names, N_WHENS, when);
	s = find(nbd_step_names, N_STEPS, step);
	if (a <= NONE || w < 0 || s < 0)
		return false;
	f.action = (enum action)a;
	f.when = a == FLIP ? IN : (enum when)w;
	f.step = (enum nbd_step)s;
	faults[n_faults++] = f;
	return true;
}

static enum action
action_at(const struct direction *d, enum when when)
{
	for (unsigned i = 0; i < n_faults; i++) {
		const struct fault *f = &faults[i];

		if (f->when == when && f->step == d->step &&
		    d->nth >= f->from &&
		    (f->count == 0 || d->nth < f->from + f->count))
			return f->action;
	}
	return NONE;
}

/*
 * Harm.
 */

static void
end_connection(struct connection *c, bool resets)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	for (int i = 0; i < N_SIDES; i++) {
		if (resets)
			(void)setsockopt(c->from[i].in, SOL_SOCKET, SO_LINGER,
			    &at_once, sizeof at_once);
		(void)close(c->from[i].in);
	}
	c->is_dead = true;
}

static void
harm(struct connection *c, struct direction *d, enum action action)
{
	switch ((int)action) {
	case CUT:
	case RESET:
		end_connection(c, action == RESET);
		break;
	case HALF:
		(void)shutdown(d->out, SHUT_WR);
		d->is_deaf = true;
		break;
	case HOLE:
		c->is_hole = true;
		break;
	case SLOW:
		c->from[FROM_CLIENT].is_slow = true;
		c->from[FROM_SERVER].is_slow = true;
		break;
	case FLIP:
		d->buf[d->start] ^= 1;
		break;
	default:
		break;
	}
}

/* True: nothing more goes this way now. */
static bool
has_fault(struct connection *c, struct direction *d, enum when when)
{
	const enum action action = action_at(d, when);

	if (action == NONE)
		return false;
	(void)printf("fault %s %s %s %lu\n", action_names[action],
	    when_names[when], nbd_step_names[d->step], d->nth);
	harm(c, d, action);
	return c->is_dead || c->is_hole || d->is_deaf;
}

/*
 * Forwarding.
 */

static bool
begin_step(struct connection *c, enum nbd_side side)
{
	struct direction *d = &c->from[side];

	d->length = nbd_stream_next(&c->stream, side, d->buf + d->start,
	    d->end - d->start, &d->step);
	if (d->length == 0)
		return false;
	d->left = d->length;
	d->nth = ++n_steps[d->step];
	d->is_middle_over = false;
	return !has_fault(c, d, BEFORE);
}

/* How much may go: not beyond the middle, where something may happen. */
static size_t
allowed(const struct direction *d)
{
	size_t n = d->end - d->start;

	if (n > d->left)
		n = (size_t)d->left;
	if (!d->is_middle_over && d->length != UINT64_MAX &&
	    n > d->left - d->length / 2)
		n = (size_t)(d->left - d->length / 2);
	if (n > 0 && (d->is_slow || all_is_slow))
		n = 1;
	return n;
}

/* True: something has gone, or has happened. */
static bool
forward_some(struct connection *c, enum nbd_side side)
{
	struct direction *d = &c->from[side];
	ssize_t n;

	if (d->start == d->end || (d->left == 0 && !begin_step(c, side)))
		return false;
	if (!d->is_middle_over && d->left == d->length / 2) {
		d->is_middle_over = true;
		if (has_fault(c, d, IN))
			return false;
	}
	n = send(d->out, d->buf + d->start, allowed(d), MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		end_connection(c, false);
	if (n <= 0)
		return false;
	d->start += (size_t)n;
	d->left -= (uint64_t)n;
	if (d->left == 0 && has_fault(c, d, AFTER))
		return false;
	return !d->is_slow && !all_is_slow;
}

static void
forward(struct connection *c, enum nbd_side side)
{
	struct direction *d = &c->from[side];

	if (d->is_deaf)
		d->start = d->end;
	while (!c->is_dead && !c->is_hole && !all_is_hole && !d->is_deaf &&
	    forward_some(c, side))
		continue;
	if (c->is_dead || d->start < d->end)
		return;
	d->start = d->end = 0;
	if (d->has_ended && !d->is_deaf) {
		(void)shutdown(d->out, SHUT_WR);
		d->is_deaf = true;
	}
}

static void
receive(struct connection *c, enum nbd_side side)
{
	struct direction *d = &c->from[side];
	ssize_t n;

	memmove(d->buf, d->buf + d->start, d->end - d->start);
	d->end -= d->start;
	d->start = 0;
	if (d->end == BUFFER_SIZE)
		return;
	n = recv(d->in, d->buf + d->end, BUFFER_SIZE - d->end, 0);
	if (n > 0)
		d->end += (size_t)n;
	else if (n == 0)
		d->has_ended = true;
	else if (errno != EAGAIN)
		end_connection(c, errno == ECONNRESET);
}

/*
 * Sockets.
 */

static int
make_socket(const char *where, bool listens)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET };
	const bool is_path = strchr(where, '/') != NULL;
	const struct sockaddr *sa = is_path ? (struct sockaddr *)&un :
					      (struct sockaddr *)&in;
	const socklen_t len = is_path ? sizeof un : sizeof in;
	const int yes = 1;
	int fd = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", where);
	in.sin_port = htons((uint16_t)strtoul(where, NULL, 10));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		fail("socket");
	if (listens) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes,
		    sizeof yes);
		if (bind(fd, sa, len) < 0 || listen(fd, 64) < 0)
			fail(where);
	} else if (connect(fd, sa, len) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void
accept_one(int listener)
{
	const int client = accept(listener, NULL, NULL);
	const int server = client < 0 ? -1 : make_socket(target, false);
	unsigned i = 0;
	struct connection *c;

	while (i < MAX_CONNECTIONS && connections[i] != NULL)
		i++;
	if (server < 0 || i == MAX_CONNECTIONS) {
		(void)close(client);
		(void)close(server);
		return;
	}
	c = calloc(1, sizeof *c);
	if (c == NULL)
		fail("calloc");
	(void)fcntl(client, F_SETFL, O_NONBLOCK);
	(void)fcntl(server, F_SETFL, O_NONBLOCK);
	nbd_stream_init(&c->stream);
	c->from[FROM_CLIENT].in = c->from[FROM_SERVER].out = client;
	c->from[FROM_SERVER].in = c->from[FROM_CLIENT].out = server;
	connections[i] = c;
	(void)printf("connection %lu\n", ++n_connections);
}

/* One connection after an event, or a tick of the slow ones. */
static void
serve(struct connection *c, const struct pollfd *polls, bool is_tick)
{
	const bool is_stuck = c->is_hole || all_is_hole;

	for (int i = 0; i < N_SIDES && !c->is_dead; i++) {
		const short revents = polls[i].revents;

		if ((revents & POLLIN) != 0)
			receive(c, (enum nbd_side)i);
		else if (is_stuck && (revents & (POLLHUP | POLLERR)) != 0)
			end_connection(c, false);
	}
	for (int i = 0; i < N_SIDES && !c->is_dead; i++) {
		if (is_tick || (!c->from[i].is_slow && !all_is_slow))
			forward(c, (enum nbd_side)i);
	}
	if (!c->is_dead && c->from[FROM_CLIENT].has_ended &&
	    c->from[FROM_SERVER].has_ended &&
	    c->from[FROM_CLIENT].is_deaf && c->from[FROM_SERVER].is_deaf)
		end_connection(c, false);
}

static void
prepare_polls(const struct connection *c, struct pollfd *polls)
{
	for (int i = 0; i < N_SIDES; i++) {
		const struct direction *d = &c->from[i];
		const struct direction *back = &c->from[!i];
		const bool is_slow = d->is_slow || all_is_slow;

		polls[i] = (struct pollfd) { .fd = d->in };
		if (c->is_hole || all_is_hole)
			continue;
		if (!d->has_ended && d->end - d->start < BUFFER_SIZE &&
		    (!is_slow || d->end == d->start))
			polls[i].events |= POLLIN;
		/* More than the begin of a header: the other end is full. */
		if (back->end > back->start && back->left > 0 && !is_slow)
			polls[i].events |= POLLOUT;
		if (polls[i].events == 0 && d->has_ended)
			polls[i].fd = -1;
	}
}

static bool
is_over(const struct fault *f)
{
	return f->count > 0 && f->from + f->count <= n_steps[f->step] + 1;
}

/* While all runs: what is over makes room. */
static bool
order_fault(const char *text)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_faults; i++) {
		if (!is_over(&faults[i]))
			faults[n++] = faults[i];
	}
	n_faults = n;
	if (!add_fault(text))
		return false;
	faults[n].from += n_steps[faults[n].step];
	return true;
}

/* A line of the FIFO. */
static void
obey(const char *line)
{
	const int action = find(action_names, N_ACTIONS, line);

	if (strcmp(line, "heal") == 0)
		all_is_hole = all_is_slow = false;
	else if (action == HOLE)
		all_is_hole = true;
	else if (action == SLOW)
		all_is_slow = true;
	else if (action != CUT && action != RESET) {
		(void)printf("%s: %s\n",
		    order_fault(line) ? "ordered" : "not understood", line);
		return;
	}
	for (unsigned i = 0; i < MAX_CONNECTIONS; i++) {
		struct connection *c = connections[i];

		if (c != NULL && (action == CUT || action == RESET))
			end_connection(c, action == RESET);
	}
	(void)printf("fault %s now\n", line);
}

static void
read_commands(int fifo)
{
	static char line[256];
	static size_t len;

	while (read(fifo, line + len, 1) == 1) {
		if (line[len] != '\n') {
			len += len < sizeof line - 1;
			continue;
		}
		line[len] = '\0';
		len = 0;
		obey(line);
	}
}

/* Whatever else happens meanwhile. */
static int
ms_to_tick(void)
{
	const uint64_t now = now_ms();

	return now >= next_tick_ms ? 0 : (int)(next_tick_ms - now);
}

/* The polls: listener, FIFO, and two of each connection. */
static void
turn(int listener, int fifo)
{
	struct pollfd polls[2 + 2 * MAX_CONNECTIONS];
	bool is_tick;

	polls[0] = (struct pollfd) { .fd = listener, .events = POLLIN };
	polls[1] = (struct pollfd) { .fd = fifo, .events = POLLIN };
	for (unsigned i = 0; i < MAX_CONNECTIONS; i++) {
		polls[2 + 2 * i].fd = polls[3 + 2 * i].fd = -1;
		if (connections[i] != NULL)
			prepare_polls(connections[i], &polls[2 + 2 * i]);
	}
	(void)poll(polls, 2 + 2 * MAX_CONNECTIONS, ms_to_tick());
	is_tick = now_ms() >= next_tick_ms;
	if (is_tick)
		next_tick_ms = now_ms() + SLOW_MS;
	for (unsigned i = 0; i < MAX_CONNECTIONS; i++) {
		struct connection *c = connections[i];

		if (c != NULL)
			serve(c, &polls[2 + 2 * i], is_tick);
		if (c != NULL && c->is_dead) {
			nbd_stream_done(&c->stream);
			free(c);
			connections[i] = NULL;
		}
	}
	if (polls[0].revents != 0)
		accept_one(listener);
	if (polls[1].revents != 0)
		read_commands(fifo);
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	int fifo = -1, listener;

	if (argc < 3)
		return 2;
	target = argv[2];
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			fifo = open(argv[++i], O_RDWR | O_NONBLOCK);
		else if (!add_fault(argv[i])) {
			(void)fprintf(stderr, "not a fault: %s\n", argv[i]);
			return 2;
		}
	}
	(void)signal(SIGTERM, end);
	listener = make_socket(argv[1], true);
	(void)printf("ready\n");
	(void)fflush(stdout);
	for (;;)
		turn(listener, fifo);
}
