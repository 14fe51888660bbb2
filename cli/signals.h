/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

/*
 * Signals as events: what ends a command early (SIGINT, SIGTERM, SIGHUP) and
 * what asks for a progress line (SIGUSR1), read from a descriptor.
 */

/*
 * Block them and make *ret_fd, the caller's.  Those that are ignored, as
 * under nohup(1), stay so.  Before the first thread.  Negative errno.
 */
int signals_open(int *ret_fd);

/* The next signal that has come; 0: none. */
int signals_take(int fd);

/* Does this signal ask the command to end? */
bool signals_is_interrupt(int sig);

#endif
