/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_LINES_H
#define NET_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "net/loop.h"

/* One that is as long, or longer, is cut. */
#define NET_LINE_SIZE 1024

/*
 * What a child says, line by line: a pipe, which is read on a loop.  Embedded
 * in the object that reads it.
 */
struct net_lines {
	struct net_watch watch;
	int fd;				/* -1: closed */
	bool is_cutting;		/* the rest of a long line */
	size_t len;
	char line[NET_LINE_SIZE];
	void (*on_line)(void *arg, const char *line);
	void *arg;
};

/* Before any other call. */
void net_lines_init(struct net_lines *l);
/*
 * Open: *ret_fd, the caller's, is what is written to.  on_line comes from the
 * loop, and from net_lines_finish().  A negative errno: nothing is open.
 */
int net_lines_open(struct net_lines *l, struct net_loop *loop,
    void (*on_line)(void *arg, const char *line), void *arg, int *ret_fd);
/* Take what is there, be the last line whole or not, and close. */
void net_lines_finish(struct net_lines *l);
/* Take what is there; from then on what comes is read, and nobody told. */
void net_lines_ignore(struct net_lines *l);
/* As net_watch_move(). */
void net_lines_move(struct net_lines *l, struct net_loop *loop);
/* Close; what has not come is lost.  Any number of times. */
void net_lines_close(struct net_lines *l);

#endif
