/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the control API listens.
 *
 * A socket in the file system outlives the process that made it, so there
 * may be one at our path already.  Whether it is alive is asked by
 * connecting: only "connection refused" means that nobody listens.  A
 * daemon too busy to accept (EAGAIN) is alive.
 */

#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "control/problem.h"

/* Who finds it full is refused at once, without a wait. */
#define BACKLOG 1024
/* How long one may take for its request that is refused anyway. */
#define REFUSE_WAIT_MS 200

static int
take_passed(struct control_socket *s, int n, struct error *e)
{
	if (n > 1)
		return error_set(e, -EINVAL, "systemd passed %d sockets; one "
		    "is wanted", n);
	if (sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL,
	    0) <= 0)
		return error_set(e, -EINVAL, "what systemd passed is no "
		    "listening Unix stream socket");
	s->fd = SD_LISTEN_FDS_START;
	s->is_ours = false;
	return 0;
}

static void
fill_address(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	(void)snprintf(sun->sun_path, sizeof sun->sun_path, "%s", path);
}

/* Make way at path, or say why not. */
static int
remove_stale(const char *path, struct error *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct sockaddr_un sun;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : error_set(e, -errno,
		    "control socket '%s': %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, -EEXIST, "control socket '%s': there is "
		    "something else of this name, which stays", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(e, -errno, "cannot make a socket: %s",
		    strerror(errno));
	fill_address(&sun, path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0 ||
	    errno == EAGAIN)
		return error_set(e, -EADDRINUSE, "another nbdsyncd answers on "
		    "'%s'", path);
	if (errno != ECONNREFUSED)
		return error_set(e, -errno, "control socket '%s': %s", path,
		    strerror(errno));
	log_info("control socket '%s': replacing what a daemon that crashed "
	    "left", path);
	/* bind() would notice. */
	(void)unlink(path);
	return 0;
}

static int
bind_private(int fd, const char *path, struct error *e)
{
	struct sockaddr_un sun;
	mode_t mask;
	int r;

	fill_address(&sun, path);
	/* 0660 from the first moment on, not after a chmod. */
	mask = umask(0117);
	r = bind(fd, (struct sockaddr *)&sun, sizeof sun) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r == -ENOENT)
		return error_set(e, r, "control socket '%s': its directory "
		    "does not exist", path);
	if (r < 0)
		return error_set(e, r, "control socket '%s': %s", path,
		    strerror(-r));
	return 0;
}

static int
open_own(struct control_socket *s, struct error *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;
	int r;

	r = remove_stale(s->path, e);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(e, -errno, "cannot make a socket: %s",
		    strerror(errno));
	r = bind_private(fd, s->path, e);
	if (r < 0)
		return r;
	if (listen(fd, BACKLOG) < 0 || lstat(s->path, &st) < 0)
		return error_set(e, -errno, "control socket '%s': %s", s->path,
		    strerror(errno));
	s->is_ours = true;
	s->device = st.st_dev;
	s->inode = st.st_ino;
	s->fd = STEAL_FD(fd);
	return 0;
}

int
control_socket_open(struct control_socket *s, const char *path,
    struct error *e)
{
	int n = sd_listen_fds(1);

	memset(s, 0, sizeof *s);
	s->fd = -1;
	/* Its length has been checked with the configuration. */
	(void)snprintf(s->path, sizeof s->path, "%s", path);
	if (n < 0)
		return error_set(e, n, "cannot take the sockets that systemd "
		    "passes: %s", strerror(-n));
	if (n > 0)
		return take_passed(s, n, e);
	return open_own(s, e);
}

int
control_socket_keep(void)
{
	if (sd_listen_fds(0) != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START,
	    SOCK_STREAM, 1, NULL, 0) <= 0)
		return -1;
	return fcntl(SD_LISTEN_FDS_START, F_DUPFD_CLOEXEC, 0);
}

static bool
is_readable(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) > 0;
}

static char *
make_refusal(const char *why, const char *hint)
{
	json_t *o = problem_to_json(CTL_NOT_STARTED, why, NULL, hint);
	CLEANUP(cleanup_free) char *body = json_dumps(o, JSON_COMPACT);
	char *text = NULL;

	json_decref(o);
	if (body == NULL || asprintf(&text, "HTTP/1.1 503 Service Unavailable"
	    "\r\nContent-Type: application/problem+json\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
	    strlen(body) + 1, body) < 0)
		return NULL;
	return text;
}

/* What has been sent is taken: else the answer would be lost with it. */
static void
refuse_one(int fd, const char *text)
{
	char request[4096];

	if (!is_readable(fd, REFUSE_WAIT_MS))
		return;
	while (recv(fd, request, sizeof request, MSG_DONTWAIT) ==
	    (ssize_t)sizeof request)
		;
	(void)!send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
control_socket_refuse(int fd, const char *why, const char *hint)
{
	CLEANUP(cleanup_free) char *text = make_refusal(why, hint);
	time_t until_s = time(NULL) + 1;

	while (fd >= 0 && text != NULL && time(NULL) <= until_s &&
	    is_readable(fd, 0)) {
		CLEANUP(cleanup_close) int one = accept4(fd, NULL, NULL,
		    SOCK_CLOEXEC);

		if (one < 0)
			return;
		refuse_one(one, text);
	}
}

void
control_socket_unlink(const struct control_socket *s)
{
	struct stat st;

	if (s->is_ours && lstat(s->path, &st) == 0 &&
	    st.st_dev == s->device && st.st_ino == s->inode)
		(void)unlink(s->path);
}
