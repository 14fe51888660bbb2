/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/error.h"

/*
 * The listening socket: the one systemd passes, or our own at a path.
 */

struct control_socket {
	int fd;				/* -1: closed; listening, does not
					   block */
	bool is_ours;			/* not systemd's */
	char path[sizeof ((struct sockaddr_un *)NULL)->sun_path];
	dev_t device;			/* of ours, to know it again */
	ino_t inode;
};

/*
 * -EADDRINUSE: another daemon answers there.  Others, with a sentence.  What
 * a daemon that crashed left behind is replaced; anything else at path is
 * not touched.
 */
int control_socket_open(struct control_socket *s, const char *path,
    struct error *e);

/* Remove it from the file system, if it is ours and still there. */
void control_socket_unlink(const struct control_socket *s);

/*
 * The socket that systemd has passed, once more, for the next one; -1: none.
 * Before control_socket_open().
 */
int control_socket_keep(void);

/*
 * We do not start.  Whoever waits on it is told so: else systemd would start us
 * for him again, at once.  For as long as a second; fd may be -1.
 */
void control_socket_refuse(int fd, const char *why, const char *hint);

#endif
