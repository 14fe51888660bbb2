/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NBDKIT_H
#define NBDKIT_H

/*
 * One nbdkit for a test of the installed library.
 */

/* Its URI, once started. */
extern char nbdkit_uri[200];

/* The path of its socket, likewise. */
const char *nbdkit_socket(void);

void nbdkit_set_up(void);
void nbdkit_tear_down(void);

/* Arguments up to NULL. */
void nbdkit_start(const char *first, ...);
void nbdkit_stop(void);

#endif
