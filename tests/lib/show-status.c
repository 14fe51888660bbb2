/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "show-status SOCKET [zero] LENGTH CONTEXT...": asks a server for the block
 * status of the first LENGTH bytes, in all contexts at once, after zeroing
 * them if told to, and prints "CONTEXT LENGTH FLAGS" for each extent.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nbd/session.h"

static struct nbd_session *s;
static int fd;

static void
die(const char *what)
{
	(void)fprintf(stderr, "show-status: %s\n", what);
	exit(1);
}

static void
connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof sun) < 0)
		die("cannot connect");
}

static void
send_all(void)
{
	struct iovec iov[8];
	ssize_t n;
	int n_iov;

	while ((n_iov = nbd_session_output(s, iov, 8)) > 0) {
		n = writev(fd, iov, n_iov);
		if (n < 0)
			die("cannot send");
		nbd_session_sent(s, (size_t)n);
	}
}

/* Send all there is, then receive once. */
static void
turn(void)
{
	struct iovec iov[2];
	const char *text;
	ssize_t n;

	send_all();
	n = readv(fd, iov, nbd_session_input(s, iov));
	if (n > 0)
		nbd_session_received(s, (size_t)n);
	else
		nbd_session_received_eof(s);
	if (nbd_session_phase(s) == NBD_PHASE_FAILED) {
		(void)nbd_session_failure(s, &text);
		die(text);
	}
}

static void
carry_out(struct nbd_request *req)
{
	int r = nbd_session_submit(s, req);

	if (r < 0)
		die(strerror(-r));
	while (nbd_session_reap(s) == NULL)
		turn();
	if (req->error < 0)
		die(strerror(-req->error));
}

static void
show(const char *name, struct nbd_extents *extents)
{
	for (size_t i = 0; i < extents->n; i++)
		(void)printf("%s %" PRIu64 " %" PRIu64 "\n", name,
		    extents->v[i].length, extents->v[i].flags);
	free(extents->v);
}

int
main(int argc, char **argv)
{
	int zero = argc > 2 && strcmp(argv[2], "zero") == 0;
	char **contexts = argv + 3 + zero;
	struct nbd_extents extents[NBD_MAX_CONTEXTS] = { 0 };
	struct nbd_session_options options = { .export_name = "" };
	struct nbd_request req = { .command = NBD_CMD_WRITE_ZEROES };

	if (argc < 4 + zero)
		return 2;
	options.contexts = (const char *const *)contexts;
	options.n_contexts = (size_t)(argc - 3 - zero);
	connect_to(argv[1]);
	if (nbd_session_new(&options, &s) < 0)
		die("no session");
	while (nbd_session_phase(s) == NBD_PHASE_HANDSHAKE)
		turn();
	req.length = strtoull(argv[2 + zero], NULL, 10);
	if (zero)
		carry_out(&req);
	req.command = NBD_CMD_BLOCK_STATUS;
	req.extents = extents;
	carry_out(&req);
	for (size_t i = 0; i < options.n_contexts; i++)
		show(contexts[i], &extents[i]);
	nbd_session_disconnect(s);
	send_all();
	nbd_session_free(s);
	(void)close(fd);
	return 0;
}
