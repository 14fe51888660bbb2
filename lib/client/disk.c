/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk of the blocking face: what it is, and its end.  What is read and
 * written is in disk-io.c.
 */
#include "client/disk.h"

#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_SECTOR = 512,
};

uint32_t
disk_sector_size(const struct nbd_export *x)
{
	return x->block_size_told ? x->block_minimum : DEFAULT_SECTOR;
}

static bool
has_context(const struct nbd_export *x, const char *name)
{
	size_t i;

	for (i = 0; i < x->n_contexts; i++) {
		if (x->contexts[i] != NULL && strcmp(x->contexts[i], name) ==
		    0)
			return true;
	}
	return false;
}

struct nbdclient_info
disk_info(const struct conn *conn)
{
	const struct nbd_export *x = conn_export(conn);
	struct nbdclient_info info = {
		.read_write = (x->flags & NBD_FLAG_READ_ONLY) == 0,
		.sector_size = disk_sector_size(x),
		.size = x->size,
		.flags = x->flags,
		.block_size_told = x->block_size_told,
		.block_minimum = x->block_minimum,
		.block_preferred = x->block_preferred,
		.block_maximum = x->block_maximum,
		.structured_replies = x->structured,
		.extended_headers = x->extended,
		.base_allocation = has_context(x, "base:allocation"),
		.description = x->description,
		.canonical_name = x->canonical_name,
		.contexts = x->contexts,
		.n_contexts = x->n_contexts,
	};

	(void)conn_tls(conn, &info.tls_version, &info.tls_cipher);
	info.n_sectors = info.size / info.sector_size +
	    (info.size % info.sector_size != 0);
	return info;
}

void
nbdclient_get_info(const struct nbdclient_disk *disk,
    struct nbdclient_info *ret_info)
{
	*ret_info = disk_info(disk->link.conn);
}

void
nbdclient_disconnect(struct nbdclient_disk *disk)
{
	if (disk == NULL)
		return;
	io_done(&disk->io);
	link_close(&disk->link);
	served_unref(disk->served);
	free(disk);
}
