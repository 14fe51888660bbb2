/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An NBD server that costs as little as can be, for measuring clients where
 * other servers take most of the machine:
 *
 *	lean-server unix:PATH|tcp:PORT SIZE [ISLANDS LENGTH]
 *
 * All data are the same mebibyte, from pages that are handed to the socket
 * uncopied where it is worth a system call; what is written is thrown away
 * without being copied.  It is a disk of data, or of zeroes with so many
 * islands of data at equal distances: that is what block status says, and
 * nobody looks whether reads agree.  A thread a connection; ends with its
 * parent.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "nbd/protocol.h"

#define FLAGS                                                                  \
	(NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA |        \
	    NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES |                  \
	    NBD_FLAG_SEND_FAST_ZERO | NBD_FLAG_SEND_CACHE |                    \
	    NBD_FLAG_CAN_MULTI_CONN)

enum {
	DATA_SIZE = 1024 * 1024,	/* which all data repeat */
	PIPE_SIZE = 1024 * 1024,
	IN_SIZE = 4096,			/* requests; payload is not to be
					   copied here */
	MAX_REPLIES = 128,		/* that go out together */
	MAX_COPIED = 16 * 1024,		/* payload that is worth no call */
	MAX_PAYLOAD = 32 * 1024 * 1024,
	MAX_EXTENTS = 4096,
	HEADER_SIZE = 28,
	ALIGN = 4096,			/* of islands */
};

struct request {
	uint16_t flags;
	uint16_t command;
	uint64_t cookie;
	uint64_t offset;
	uint32_t length;
};

struct connection {
	int fd;
	int pipe[2];
	bool structured;
	bool has_context;
	uint8_t in[IN_SIZE];
	size_t start;
	size_t end;
	uint8_t headers[MAX_REPLIES][HEADER_SIZE];
	struct iovec iov[2 * MAX_REPLIES];
	int n_replies;
	int n_iov;
};

static uint64_t size;
static uint64_t n_islands;	/* 0: all is data */
static uint64_t island_length;
static uint64_t island_distance;
static bool is_tcp;
static uint8_t *data;
static int data_fd;
static int null_fd;

/*
 * Bytes.
 */

static bool
put_iov(int fd, struct iovec *iov, int n_iov, int flags)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)n_iov };

	while (msg.msg_iovlen > 0) {
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | flags);

		if (n <= 0)
			return false;
		while (msg.msg_iovlen > 0 &&
		    (size_t)n >= msg.msg_iov->iov_len) {
			n -= (ssize_t)msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
		}
		if (n > 0) {
			msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base +
			    n;
			msg.msg_iov->iov_len -= (size_t)n;
		}
	}
	return true;
}

static bool
put(int fd, void *p, size_t len)
{
	struct iovec iov = { p, len };

	return put_iov(fd, &iov, 1, 0);
}

/* The next len bytes, IN_SIZE at the most; NULL: there are no more. */
static const uint8_t *
get(struct connection *c, size_t len)
{
	ssize_t n;

	if (len > IN_SIZE)
		return NULL;
	if (c->start + len > IN_SIZE) {
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	while (c->end - c->start < len) {
		n = recv(c->fd, c->in + c->end, IN_SIZE - c->end, 0);
		if (n <= 0)
			return NULL;
		c->end += (size_t)n;
	}
	c->start += len;
	return c->in + c->start - len;
}

/* Throw away up to len bytes that have come; returns how many. */
static ssize_t
discard_some(struct connection *c, size_t len)
{
	ssize_t left;
	ssize_t n;
	ssize_t r;

	if (is_tcp)
		return recv(c->fd, NULL, len, MSG_TRUNC);
	n = splice(c->fd, NULL, c->pipe[1], NULL, len, SPLICE_F_MOVE);
	for (left = n; left > 0; left -= r) {
		r = splice(c->pipe[0], NULL, null_fd, NULL, (size_t)left,
		    SPLICE_F_MOVE);
		if (r <= 0)
			return -1;
	}
	return n;
}

static bool
discard(struct connection *c, size_t len)
{
	size_t here = c->end - c->start;
	ssize_t n;

	if (here > len)
		here = len;
	c->start += here;
	for (len -= here; len > 0; len -= (size_t)n) {
		n = discard_some(c, len);
		if (n <= 0)
			return false;
	}
	return true;
}

/*
 * The handshake.
 */

static bool
put_option_reply(struct connection *c, uint32_t option, uint32_t type,
    void *reply, uint32_t len)
{
	uint8_t b[20];
	struct iovec iov[2] = { { b, sizeof b }, { reply, len } };

	put_be64(b, NBD_OPTION_REPLY_MAGIC);
	put_be32(b + 8, option);
	put_be32(b + 12, type);
	put_be32(b + 16, len);
	return put_iov(c->fd, iov, len > 0 ? 2 : 1, 0);
}

static bool
answer_option(struct connection *c, uint32_t option)
{
	uint8_t context[] = "\0\0\0\1base:allocation";
	uint8_t info[12] = { 0 };

	put_be64(info + 2, size);
	put_be16(info + 10, FLAGS);
	switch (option) {
	case NBD_OPT_STRUCTURED_REPLY:
		c->structured = true;
		break;
	case NBD_OPT_SET_META_CONTEXT:
		c->has_context = true;
		if (!put_option_reply(c, option, NBD_REP_META_CONTEXT, context,
		    sizeof context - 1))
			return false;
		break;
	case NBD_OPT_INFO:
	case NBD_OPT_GO:
		if (!put_option_reply(c, option, NBD_REP_INFO, info,
		    sizeof info))
			return false;
		break;
	default:
		return put_option_reply(c, option, NBD_REP_ERR_UNSUP, NULL, 0);
	}
	return put_option_reply(c, option, NBD_REP_ACK, NULL, 0);
}

static bool
negotiate(struct connection *c)
{
	uint8_t b[18];
	const uint8_t *p;
	uint32_t option = 0;
	uint32_t len;

	put_be64(b, NBD_MAGIC);
	put_be64(b + 8, NBD_OPTION_MAGIC);
	put_be16(b + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
	if (!put(c->fd, b, sizeof b) || get(c, 4) == NULL)
		return false;
	while (option != NBD_OPT_GO) {
		p = get(c, 16);
		if (p == NULL)
			return false;
		option = get_be32(p + 8);
		len = get_be32(p + 12);
		if (get(c, len) == NULL || !answer_option(c, option))
			return false;
	}
	return true;
}

/*
 * Replies.
 */

static bool
flush_replies(struct connection *c, int flags)
{
	bool ok = c->n_iov == 0 || put_iov(c->fd, c->iov, c->n_iov, flags);

	c->n_iov = 0;
	c->n_replies = 0;
	return ok;
}

static uint8_t *
add_header(struct connection *c, size_t len)
{
	uint8_t *header = c->headers[c->n_replies++];

	c->iov[c->n_iov++] = (struct iovec){ header, len };
	return header;
}

static void
add_chunk(struct connection *c, const struct request *req, uint16_t type,
    uint32_t len, size_t header_len)
{
	uint8_t *header = add_header(c, header_len);

	put_be32(header, NBD_STRUCTURED_REPLY_MAGIC);
	put_be16(header + 4, NBD_REPLY_FLAG_DONE);
	put_be16(header + 6, type);
	put_be64(header + 8, req->cookie);
	put_be32(header + 16, len);
}

static void
add_simple(struct connection *c, const struct request *req, uint32_t error)
{
	uint8_t *header = add_header(c, 16);

	put_be32(header, NBD_SIMPLE_REPLY_MAGIC);
	put_be32(header + 4, error);
	put_be64(header + 8, req->cookie);
}

static bool
send_data(struct connection *c, uint64_t offset, uint32_t len)
{
	ssize_t n;

	for (; len > 0; offset += (uint64_t)n, len -= (uint32_t)n) {
		off_t from = (off_t)(offset % DATA_SIZE);
		size_t here = (size_t)(DATA_SIZE - from);

		n = sendfile(c->fd, data_fd, &from, len < here ? len : here);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool
answer_read(struct connection *c, const struct request *req)
{
	if (c->structured) {
		add_chunk(c, req, NBD_REPLY_TYPE_OFFSET_DATA, req->length + 8,
		    HEADER_SIZE);
		put_be64(c->headers[c->n_replies - 1] + 20, req->offset);
	} else {
		add_simple(c, req, 0);
	}
	if (req->length > MAX_COPIED)
		return flush_replies(c, MSG_MORE) &&
		    send_data(c, req->offset, req->length);
	c->iov[c->n_iov++] = (struct iovec){ data + req->offset % DATA_SIZE,
		req->length };
	return true;
}

/* How long does the state at offset last, and is it data? */
static uint64_t
extent_at(uint64_t offset, bool *ret_is_data)
{
	uint64_t in_distance;

	*ret_is_data = n_islands == 0;
	if (n_islands == 0)
		return size - offset;
	in_distance = offset % island_distance;
	*ret_is_data = in_distance < island_length &&
	    offset / island_distance < n_islands;
	if (*ret_is_data)
		return island_length - in_distance;
	if (offset / island_distance >= n_islands - 1)
		return size - offset;
	return island_distance - in_distance;
}

static bool
answer_status(struct connection *c, const struct request *req)
{
	static _Thread_local uint8_t b[4 + 8 * MAX_EXTENTS];
	const uint32_t max = (req->flags & NBD_CMD_FLAG_REQ_ONE) != 0 ? 1 :
	    MAX_EXTENTS;
	uint64_t offset = req->offset;
	uint64_t end = offset + req->length;
	uint32_t n;
	bool is_data;

	put_be32(b, 1);
	for (n = 0; n < max && offset < end; n++) {
		uint64_t len = extent_at(offset, &is_data);

		if (len > end - offset)
			len = end - offset;
		put_be32(b + 4 + 8 * n, (uint32_t)len);
		put_be32(b + 8 + 8 * n,
		    is_data ? 0 : NBD_STATE_HOLE | NBD_STATE_ZERO);
		offset += len;
	}
	add_chunk(c, req, NBD_REPLY_TYPE_BLOCK_STATUS, 4 + 8 * n, 20);
	c->iov[c->n_iov++] = (struct iovec){ b, 4 + 8 * n };
	return flush_replies(c, 0);
}

/* False: the connection is over. */
static bool
answer(struct connection *c, const struct request *req)
{
	switch (req->command) {
	case NBD_CMD_READ:
		return req->length <= MAX_PAYLOAD && answer_read(c, req);
	case NBD_CMD_WRITE:
		if (!discard(c, req->length))
			return false;
		break;
	case NBD_CMD_BLOCK_STATUS:
		return c->has_context && answer_status(c, req);
	case NBD_CMD_FLUSH:
	case NBD_CMD_TRIM:
	case NBD_CMD_CACHE:
	case NBD_CMD_WRITE_ZEROES:
		break;
	default:
		return false;
	}
	add_simple(c, req, 0);
	return true;
}

/* Replies wait for each other as long as there are requests here. */
static bool
get_request(struct connection *c, struct request *ret_req)
{
	const uint8_t *p;

	if ((c->end - c->start < 28 || c->n_replies == MAX_REPLIES) &&
	    !flush_replies(c, 0))
		return false;
	p = get(c, 28);
	if (p == NULL || get_be32(p) != NBD_REQUEST_MAGIC)
		return false;
	*ret_req = (struct request){
		.flags = get_be16(p + 4),
		.command = get_be16(p + 6),
		.cookie = get_be64(p + 8),
		.offset = get_be64(p + 16),
		.length = get_be32(p + 24),
	};
	return ret_req->offset <= size &&
	    ret_req->length <= size - ret_req->offset;
}

static void *
serve(void *arg)
{
	struct connection *c = arg;
	struct request req;

	if (negotiate(c)) {
		while (get_request(c, &req) && answer(c, &req))
			continue;
	}
	(void)close(c->fd);
	(void)close(c->pipe[0]);
	(void)close(c->pipe[1]);
	free(c);
	return NULL;
}

/*
 * Beginning.
 */

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "lean-server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
accept_one(int listener)
{
	const int one = 1;
	struct connection *c = calloc(1, sizeof *c);
	pthread_t thread;

	if (c == NULL)
		die("calloc");
	c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (c->fd < 0 || pipe2(c->pipe, O_CLOEXEC) < 0)
		die("accept");
	if (!is_tcp)
		(void)fcntl(c->pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
	else
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof one);
	errno = pthread_create(&thread, NULL, serve, c);
	if (errno != 0)
		die("pthread_create");
	(void)pthread_detach(thread);
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof sun) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		die(path);
	return fd;
}

static int
listen_tcp(const char *port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof sin) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		die(port);
	return fd;
}

static void
make_data(void)
{
	const size_t data_size = DATA_SIZE + MAX_COPIED;

	data_fd = memfd_create("data", MFD_CLOEXEC);
	if (data_fd < 0 || ftruncate(data_fd, data_size) < 0)
		die("memfd_create");
	data = mmap(NULL, data_size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    data_fd, 0);
	if (data == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < data_size; i += 8)
		put_be64(data + i, i % DATA_SIZE + 1);
}

int
main(int argc, char **argv)
{
	int listener;

	if ((argc != 3 && argc != 5) || (strncmp(argv[1], "unix:", 5) != 0 &&
	    strncmp(argv[1], "tcp:", 4) != 0)) {
		(void)fprintf(stderr, "Usage: lean-server unix:PATH|tcp:PORT "
		    "SIZE [ISLANDS LENGTH]\n");
		return 2;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	size = strtoull(argv[2], NULL, 10);
	n_islands = argc == 5 ? strtoull(argv[3], NULL, 10) : 0;
	island_length = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	if (n_islands > 0)
		island_distance = size / n_islands / ALIGN * ALIGN;
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null_fd < 0)
		die("/dev/null");
	make_data();
	is_tcp = argv[1][0] == 't';
	listener = is_tcp ? listen_tcp(argv[1] + 4) : listen_unix(argv[1] + 5);
	for (;;)
		accept_one(listener);
}
