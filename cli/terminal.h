/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writing to a terminal that may be stopped (Ctrl-S), slow, or hung: nobody
 * waits for it longer than he wants to.
 */

/*
 * A descriptor of our own for the terminal that standard output is: it does
 * not wait, without those that share the other one noticing.  Negative errno.
 */
int terminal_open(void);

/*
 * Does fd take something, within timeout_ms?  What is no terminal always does:
 * nobody stops it.
 */
bool terminal_takes(int fd, int timeout_ms);

/* We are to end: from now on a terminal is waited for for a moment at most. */
void terminal_hurry(void);

/* Before writing to fd.  false: it would not take it, and we are to end. */
bool terminal_wait(int fd);

/*
 * Write all of it.  -EINTR: wake_fd (-1: none) became readable first,
 * -ETIMEDOUT: timeout_ms (-1: none) have passed without any of it having been
 * taken; else why not.  A part may have been written.
 */
int terminal_write(int fd, const char *text, size_t len, int wake_fd,
    int timeout_ms);

#endif
