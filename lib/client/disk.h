/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_DISK_H
#define CLIENT_DISK_H

#include "client/io.h"
#include "client/link.h"
#include "client/nbdclient.h"
#include "client/served.h"

/*
 * The inside of a disk of the blocking face, for the files that implement
 * it, and what both faces say of an export.
 */

#define DISK_MAX_REQUESTS 16		/* in flight at the same time */
#define DISK_NAME_SIZE	  320

struct nbdclient_disk {
	struct link link;
	struct served *served;		/* NULL: not started by us */
	struct io io;
	char name[DISK_NAME_SIZE];	/* "export 'x' of nbd://h", printable */
};

/* The unit of the calls: see struct nbdclient_info. */
uint32_t disk_sector_size(const struct nbd_export *x);
struct nbdclient_info disk_info(const struct conn *conn);

#endif
