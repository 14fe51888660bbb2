/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_SPAWN_H
#define NET_SPAWN_H

#include <sys/types.h>

/*
 * Start argv (NULL-terminated, argv[0] looked up in PATH) with the listening
 * socket listen_fd passed by systemd's protocol: descriptor 3, LISTEN_FDS,
 * LISTEN_PID.  Standard input is empty, standard output is our standard
 * error, and no other descriptor is passed on.
 *
 * 0: the command is running, as a group leader, and *ret_pid is the caller's
 * to reap.  Else what fork(2) or execve(2) said, and nothing is left.
 */
int net_spawn(const char *const argv[], int listen_fd, pid_t *ret_pid);

#endif
