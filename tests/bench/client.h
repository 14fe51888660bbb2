/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdint.h>

/*
 * What is measured of a client library; the same main() goes with each.  What
 * fails ends the program.
 */

struct reads {
	uint64_t count;
	unsigned depth;			/* in flight at the same time */
	uint32_t length;		/* bytes of each */
	char *buffers;			/* depth of that length */
};

/* Connect, and return the size of the disk in bytes. */
uint64_t client_open(const char *uri);
/* Do the reads on the connection that was opened last. */
void client_read(const struct reads *reads);
/* Close all connections. */
void client_close(void);

/* main()'s: where the next read is. */
uint64_t next_offset(void);

#endif
