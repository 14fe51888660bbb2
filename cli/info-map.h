/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_INFO_MAP_H
#define CLI_INFO_MAP_H

#include "cli/server.h"

/*
 * Print the extents of disk in the context that server->map names, or with
 * server->totals their sums.  Returns an exit code; all is told.
 */
int info_map(const struct server *server, struct nbdclient_disk *disk);

#endif
