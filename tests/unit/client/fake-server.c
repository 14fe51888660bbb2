/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's half of the protocol, as far as the tests need it.
 */
#include "fake-server.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "nbd/protocol.h"
#include "unit.h"

char fake_notes[64];
char fake_path[80];

static char dir[64];
static pthread_t thread;
static bool is_running;
static void (*serve_fd)(int fd);
static int server_fd = -1;	/* a connection, or listening */
static int release_fds[2];	/* a waiting server reads from it */

void
fake_set_up(void)
{
	ck_assert_int_eq(pipe(release_fds), 0);
	memset(fake_notes, 0, sizeof fake_notes);
	is_running = false;
	server_fd = -1;
}

void
fake_release(void)
{
	if (release_fds[1] >= 0)
		(void)close(release_fds[1]);
	release_fds[1] = -1;
}

void
fake_join(void)
{
	fake_release();
	if (is_running)
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	is_running = false;
}

void
fake_tear_down(void)
{
	fake_join();
	(void)close(release_fds[0]);
}

static void *
run_server(void *arg)
{
	(void)arg;
	serve_fd(server_fd);
	(void)close(server_fd);
	return NULL;
}

static void
start_thread(void (*serve)(int fd))
{
	serve_fd = serve;
	ck_assert_int_eq(pthread_create(&thread, NULL, run_server, NULL), 0);
	is_running = true;
}

int
fake_start(void (*serve)(int fd))
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	server_fd = fds[1];
	start_thread(serve);
	return fds[0];
}

int
fake_start_tcp(void (*serve)(int fd))
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr *addr = (struct sockaddr *)&sin;
	socklen_t len = sizeof sin;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(listener, addr, len), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, addr, &len), 0);
	ck_assert_int_eq(connect(fd, addr, len), 0);
	server_fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(server_fd, 0);
	(void)close(listener);
	start_thread(serve);
	return fd;
}

void
fake_listen(int backlog)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)strcpy(dir, "/tmp/nbdsync-fake-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(fake_path, sizeof fake_path, "%s/s", dir);
	(void)strcpy(sun.sun_path, fake_path);
	server_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server_fd, (struct sockaddr *)&sun, sizeof sun),
	    0);
	ck_assert_int_eq(listen(server_fd, backlog), 0);
}

void
fake_start_listening(void (*serve)(int listener))
{
	start_thread(serve);
}

void
fake_unlisten(void)
{
	/* A server that ran has closed it. */
	if (serve_fd == NULL)
		(void)close(server_fd);
	(void)unlink(fake_path);
	(void)rmdir(dir);
}

bool
fake_get(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

bool
fake_put(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void
fake_wait_for_release(void)
{
	char byte;

	(void)!read(release_fds[0], &byte, 1);
}

void
fake_wait_for_eof(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		continue;
}

bool
fake_greet(int fd)
{
	uint8_t b[18];

	put_be64(b, NBD_MAGIC);
	put_be64(b + 8, NBD_OPTION_MAGIC);
	put_be16(b + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
	return fake_put(fd, b, sizeof b) && fake_get(fd, b, 4);
}

uint32_t
fake_get_option(int fd)
{
	uint8_t b[16];
	char scratch[8192];
	uint32_t len;

	if (!fake_get(fd, b, sizeof b))
		return 0;
	len = get_be32(b + 12);
	if (len > sizeof scratch || (len > 0 && !fake_get(fd, scratch, len)))
		return 0;
	return get_be32(b + 8);
}

bool
fake_put_reply(int fd, uint32_t option, uint32_t type, const void *data,
    uint32_t len)
{
	uint8_t b[20];

	put_be64(b, NBD_OPTION_REPLY_MAGIC);
	put_be32(b + 8, option);
	put_be32(b + 12, type);
	put_be32(b + 16, len);
	return fake_put(fd, b, sizeof b) && fake_put(fd, data, len);
}

bool
fake_put_export_info(int fd)
{
	return fake_put_export_flags(fd,
	    NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH);
}

bool
fake_put_export_flags(int fd, uint16_t flags)
{
	uint8_t b[12];

	put_be16(b, NBD_INFO_EXPORT);
	put_be64(b + 2, FAKE_DISK_SIZE);
	put_be16(b + 10, flags);
	return fake_put_reply(fd, NBD_OPT_GO, NBD_REP_INFO, b, sizeof b) &&
	    fake_put_reply(fd, NBD_OPT_GO, NBD_REP_ACK, NULL, 0);
}

bool
fake_negotiate(int fd)
{
	uint32_t option;

	if (!fake_greet(fd))
		return false;
	while ((option = fake_get_option(fd)) != 0) {
		if (option == NBD_OPT_GO)
			return fake_put_export_info(fd);
		if (!fake_put_reply(fd, option, NBD_REP_ERR_UNSUP, NULL, 0))
			return false;
	}
	return false;
}

bool
fake_get_request(int fd, struct fake_request *ret_req)
{
	uint8_t b[28];

	if (!fake_get(fd, b, sizeof b))
		return false;
	ret_req->flags = get_be16(b + 4);
	ret_req->command = get_be16(b + 6);
	ret_req->cookie = get_be64(b + 8);
	ret_req->length = get_be32(b + 24);
	return true;
}

bool
fake_put_simple_reply(int fd, uint64_t cookie)
{
	uint8_t b[16];

	put_be32(b, NBD_SIMPLE_REPLY_MAGIC);
	put_be32(b + 4, 0);
	put_be64(b + 8, cookie);
	return fake_put(fd, b, sizeof b);
}

void
fake_serve_nothing(int fd)
{
	(void)fd;
	fake_wait_for_release();
}

void
fake_serve_greeting_only(int fd)
{
	(void)fake_greet(fd);
	fake_wait_for_release();
}

void
fake_serve_handshake_only(int fd)
{
	(void)fake_negotiate(fd);
	fake_wait_for_release();
}

void
fake_serve_well(int fd)
{
	struct fake_request req;

	if (!fake_negotiate(fd))
		return;
	while (fake_get_request(fd, &req)) {
		if (req.command == NBD_CMD_DISC) {
			fake_notes[0] = 'D';
			return;
		}
		(void)fake_put_simple_reply(fd, req.cookie);
	}
}

