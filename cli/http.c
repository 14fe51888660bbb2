/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connect, send, receive, each with what is left of one deadline.  A Unix
 * socket whose queue is full says EAGAIN, and poll(2) cannot wait for it: so
 * that is tried again, shortly after.
 */
#include "cli/http.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define RETRY_MS     20
#define FIRST_ROOM   16384
#define REQUEST_SIZE 1024

/* One exchange. */
struct exchange {
	const struct http_request *request;
	struct error *e;
	uint64_t deadline_ms;
	int fd;
	char *data;			/* what came so far */
	size_t len;
	size_t room;
	bool is_stream;			/* ask without chunks */
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/*
 * Wait for events on the socket (0: only wait), at most max_ms.  0, also
 * when max_ms passed; -ETIMEDOUT: the deadline did.
 */
static int
wait_for(struct exchange *x, short events, uint64_t max_ms)
{
	struct pollfd fds[2] = {
		{ .fd = events != 0 ? x->fd : -1, .events = events },
		{ .fd = x->request->interrupt_fd, .events = POLLIN },
	};
	uint64_t now = now_ms();
	uint64_t left = now < x->deadline_ms ? x->deadline_ms - now : 0;

	if (left == 0)
		return error_set(x->e, -ETIMEDOUT, "no answer in time");
	if (left > max_ms)
		left = max_ms;
	if (left > 60000)
		left = 60000;
	if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
		return error_set(x->e, -errno, "cannot wait: %s",
		    strerror(errno));
	if (fds[1].revents != 0)
		return error_set(x->e, -EINTR, "interrupted");
	return 0;
}

static int
set_address(struct exchange *x, struct sockaddr_un *sun)
{
	const char *path = x->request->socket_path;

	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof sun->sun_path)
		return error_set(x->e, -ENAMETOOLONG,
		    "a socket's path has at most %zu bytes",
		    sizeof sun->sun_path - 1);
	memcpy(sun->sun_path, path, strlen(path) + 1);
	return 0;
}

static int
open_connection(struct exchange *x)
{
	struct sockaddr_un sun;
	int r;

	r = set_address(x, &sun);
	if (r < 0)
		return r;
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		return error_set(x->e, -errno, "%s", strerror(errno));
	while (connect(x->fd, (struct sockaddr *)&sun, sizeof sun) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return error_set(x->e, -errno, "%s", strerror(errno));
		r = wait_for(x, 0, RETRY_MS);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
send_all(struct exchange *x, const char *data, size_t len)
{
	ssize_t n;
	int r;

	while (len > 0) {
		n = send(x->fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		/* A server may answer and close before it has read all. */
		if (errno == EPIPE)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return error_set(x->e, -errno, "%s", strerror(errno));
		r = wait_for(x, POLLOUT, UINT64_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
send_request(struct exchange *x)
{
	const struct http_request *request = x->request;
	const char *body = request->body != NULL ? request->body : "";
	char text[REQUEST_SIZE];
	char length[48] = "";
	int len, r;

	if (strcmp(request->method, "GET") != 0)
		(void)snprintf(length, sizeof length,
		    "Content-Length: %zu\r\n", strlen(body));
	len = snprintf(text, sizeof text,
	    "%s %s HTTP/%s\r\n"
	    "Host: localhost\r\n"
	    "Accept: application/json\r\n"
	    "Connection: close\r\n"
	    "%s\r\n",
	    request->method, request->target, x->is_stream ? "1.0" : "1.1",
	    length);
	if (len < 0 || (size_t)len >= sizeof text)
		return error_set(x->e, -ENAMETOOLONG, "the name is too long");
	r = send_all(x, text, (size_t)len);
	return r < 0 ? r : send_all(x, body, strlen(body));
}

static int
make_room(struct exchange *x)
{
	size_t room = x->room == 0 ? FIRST_ROOM : x->room * 2;
	char *data;

	if (x->len < x->room)
		return 0;
	data = realloc(x->data, room);
	if (data == NULL)
		return error_set(x->e, -ENOMEM, "out of memory");
	x->data = data;
	x->room = room;
	return 0;
}

/* Some bytes more; *ret_at_end: none will come. */
static int
receive(struct exchange *x, bool *ret_at_end)
{
	ssize_t n;
	int r;

	for (;;) {
		r = make_room(x);
		if (r < 0)
			return r;
		n = recv(x->fd, x->data + x->len, x->room - x->len, 0);
		if (n >= 0)
			break;
		if (errno == ECONNRESET) {
			n = 0;
			break;
		}
		if (errno != EAGAIN && errno != EINTR)
			return error_set(x->e, -errno, "%s", strerror(errno));
		r = wait_for(x, POLLIN, UINT64_MAX);
		if (r < 0)
			return r;
	}
	x->len += (size_t)n;
	*ret_at_end = n == 0;
	return 0;
}

static int
receive_response(struct exchange *x, struct http_response *ret)
{
	bool at_end = false;
	int r;

	do {
		r = receive(x, &at_end);
		if (r < 0)
			return r;
		r = http_response_parse(x->data, x->len, at_end, ret, x->e);
	} while (r == -EAGAIN);
	return r;
}

int
http_ask(const struct http_request *request, struct http_response *ret,
    struct error *e)
{
	struct exchange x = {
		.request = request,
		.e = e,
		.deadline_ms = now_ms() + request->timeout_ms,
		.fd = -1,
	};
	int r;

	r = open_connection(&x);
	if (r == 0)
		r = send_request(&x);
	if (r == 0)
		r = receive_response(&x, ret);
	free(x.data);
	if (x.fd >= 0)
		(void)close(x.fd);
	return r;
}

/* Call on_line for what is complete behind *from, and move *from. */
static int
hand_out_lines(struct exchange *x, size_t *from,
    int (*on_line)(void *arg, char *line), void *arg)
{
	char *newline;
	int r = 0;

	while (r == 0 && (newline = memchr(x->data + *from, '\n',
	    x->len - *from)) != NULL) {
		*newline = '\0';
		r = on_line(arg, x->data + *from);
		*from = (size_t)(newline + 1 - x->data);
	}
	memmove(x->data, x->data + *from, x->len - *from);
	x->len -= *from;
	*from = 0;
	return r;
}

/* The body of a 200 begins at *ret_from; -EAGAIN; else not a stream. */
static int
find_body(const struct exchange *x, size_t *ret_from)
{
	static const char good[] = "HTTP/1.1 200 ";
	char *end;

	if (x->len < sizeof good)
		return -EAGAIN;
	/* The server may speak 1.0 to a client that does. */
	if (memcmp(x->data, good, 7) != 0 ||
	    memcmp(x->data + 8, good + 8, 5) != 0)
		return -EPROTO;
	end = memmem(x->data, x->len, "\r\n\r\n", 4);
	if (end == NULL)
		return x->len > HTTP_HEAD_MAX ? -EPROTO : -EAGAIN;
	*ret_from = (size_t)(end + 4 - x->data);
	return 0;
}

static int
follow(struct exchange *x, int (*on_line)(void *arg, char *line), void *arg,
    struct http_response *ret)
{
	bool at_end = false;
	size_t from = 0;
	int r = -EAGAIN;

	while (r == -EAGAIN && !at_end) {
		r = receive(x, &at_end);
		if (r < 0)
			return r;
		r = find_body(x, &from);
	}
	if (r == -EPROTO || r == -EAGAIN) {
		r = http_response_parse(x->data, x->len, at_end, ret, x->e);
		return r == -EAGAIN && !at_end ? receive_response(x, ret) : r;
	}
	r = hand_out_lines(x, &from, on_line, arg);
	while (r == 0 && !at_end) {
		x->deadline_ms = x->request->silence_ms == 0 ? UINT64_MAX :
		    now_ms() + x->request->silence_ms;
		r = receive(x, &at_end);
		if (r == 0 && x->len > HTTP_RESPONSE_MAX)
			r = error_set(x->e, -EMSGSIZE, "a line is too long");
		if (r == 0)
			r = hand_out_lines(x, &from, on_line, arg);
	}
	/* It goes on for ever, unless one of us ends. */
	return r == 0 ? error_set(x->e, -ECONNRESET, "it has ended") : r;
}

int
http_follow(const struct http_request *request,
    int (*on_line)(void *arg, char *line), void *arg,
    struct http_response *ret, struct error *e)
{
	struct exchange x = {
		.request = request,
		.e = e,
		.deadline_ms = now_ms() + request->timeout_ms,
		.fd = -1,
		.is_stream = true,
	};
	int r;

	memset(ret, 0, sizeof *ret);
	r = open_connection(&x);
	if (r == 0)
		r = send_request(&x);
	if (r == 0)
		r = follow(&x, on_line, arg, ret);
	free(x.data);
	if (x.fd >= 0)
		(void)close(x.fd);
	return r;
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '~';
}

int
http_encode_segment(const char *text, char *buf, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	bool is_dots = strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
	size_t used = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (used + 4 > size)
			return -ENAMETOOLONG;
		if (is_plain(*text) || (c == '.' && !is_dots)) {
			buf[used++] = *text;
			continue;
		}
		buf[used++] = '%';
		buf[used++] = digits[c >> 4];
		buf[used++] = digits[c & 15];
	}
	if (used >= size)
		return -ENAMETOOLONG;
	buf[used] = '\0';
	return 0;
}
