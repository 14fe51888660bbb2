/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync info --map: the extents of an export in one metadata context.
 *
 * The disk is gone through in stretches, since a call of the library cannot
 * be stopped: when nobody reads what is printed any more, as with head(1),
 * the server is not asked for the rest of some terabytes.  Where there is
 * little to tell the stretches grow.
 */
#include "cli/info-map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "cli/exit-codes.h"
#include "cli/map.h"
#include "cli/message.h"

#define STRETCH_BYTES (4ULL << 30)
#define FEW_EXTENTS   1024

/* What we asked for is right, so whatever fails is the server's. */
static int
map_fail(const struct server *server, const struct nbdclient_error *err)
{
	message(server->command, "%s", err->text);
	return CLI_ERROR;
}

static int
walk(const struct server *server, struct nbdclient_disk *disk,
    const struct nbdclient_info *info, struct map *m)
{
	const uint64_t least = STRETCH_BYTES / info->sector_size;
	uint64_t stretch = least;
	struct nbdclient_error err;
	uint64_t sector = 0;
	uint64_t n;

	while (sector < info->n_sectors && m->error == 0 && !ferror(m->out)) {
		n = info->n_sectors - sector;
		if (n > stretch)
			n = stretch;
		m->n_added = 0;
		if (nbdclient_block_status(disk, sector, n, server->map,
			map_add, m, &err) < 0)
			return map_fail(server, &err);
		sector += n;
		stretch = m->n_added < FEW_EXTENTS ? 2 * stretch : least;
	}
	switch (map_end(m)) {
	case 0:
		return CLI_OK;
	case -E2BIG:
		message(server->command, "there are more than %d kinds of "
		    "extents, too many to sum them up", MAP_MAX_KINDS);
		return CLI_ERROR;
	default:
		message(server->command, "out of memory");
		return CLI_ERROR;
	}
}

static int
fail_lacking(const struct server *server, const struct nbdclient_info *info)
{
	char name[256];

	message(server->command,
	    "there is no metadata context '%s' for this export%s",
	    escape_text(server->map, strlen(server->map), name, sizeof name),
	    info->structured_replies ?
		"" :
		": the server has no structured replies");
	return CLI_ERROR;
}

int
info_map(const struct server *server, struct nbdclient_disk *disk)
{
	CLEANUP(map_done) struct map m = {
		.out = stdout,
		.context = server->map,
		.json = server->json,
		.totals = server->totals,
	};
	struct nbdclient_info info;

	nbdclient_get_info(disk, &info);
	if (info.contexts[0] == NULL)
		return fail_lacking(server, &info);
	m.size = info.size;
	return walk(server, disk, &info, &m);
}
