/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_SPAWN_H
#define NET_SPAWN_H

#include <sys/types.h>

/* How a command gets its socket. */
enum net_spawn_way {
	/*
	 * A listening one by systemd's protocol: descriptor 3, LISTEN_FDS,
	 * LISTEN_PID.  Standard input is empty, standard output is the same
	 * as standard error.
	 */
	NET_SPAWN_LISTENING,
	/* A connected one, as standard input and output. */
	NET_SPAWN_STDIO,
	/* None: net_spawn_command(). */
	NET_SPAWN_COMMAND,
};

/*
 * Start argv (NULL-terminated, argv[0] looked up in PATH) with a socket, which
 * stays the caller's, and words_fd, likewise, as its standard error, or, with
 * -1 and where there is no listening one, with ours; no other descriptor is
 * passed on.
 *
 * 0: the command is running, as a group leader, and *ret_pid is the caller's
 * to reap.  Else what fork(2) or execve(2) said, and nothing is left.
 */
int net_spawn(const char *const argv[], enum net_spawn_way way, int fd,
    int words_fd, pid_t *ret_pid);

/*
 * Likewise, with these as standard input, output and error, the environment
 * envp (NULL: ours), and limits of its own: no core dump, and no more
 * descriptors, unless it asks for them, than select(2) can take.  path, unless
 * NULL, is the program, whatever argv[0] says.
 */
int net_spawn_command(const char *path, const char *const argv[],
    const char *const envp[], const int fds[3], pid_t *ret_pid);

#endif
