/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "map-client URI CONTEXT...": prints "CONTEXT LENGTH FLAGS" for each extent
 * of an export, of all contexts by one call of the installed library.
 */

#include <inttypes.h>
#include <stdio.h>

#include <nbdclient.h>

static void
print_extent(void *arg, const char *context, uint64_t offset, uint64_t length,
    uint64_t flags)
{
	(void)arg;
	(void)offset;
	(void)printf("%s %" PRIu64 " %" PRIu64 "\n", context, length, flags);
}

int
main(int argc, char **argv)
{
	struct nbdclient_options options = { .connect_timeout_ms = 0 };
	struct nbdclient_channel *channel = NULL;
	struct nbdclient_disk *disk = NULL;
	struct nbdclient_error err;
	struct nbdclient_info info;
	int code;

	if (argc < 3)
		return 99;
	options.contexts = (const char *const *)argv + 2;
	options.n_contexts = (size_t)argc - 2;
	code = nbdclient_connect(argv[1], &options, &channel, &err);
	if (code == 0)
		code = nbdclient_negotiate(channel, NULL, &disk, &err);
	if (code == 0) {
		nbdclient_get_info(disk, &info);
		code = nbdclient_block_status(disk, 0, info.n_sectors, NULL,
		    print_extent, NULL, &err);
	}
	if (code != 0)
		(void)fprintf(stderr, "map-client: %s\n", err.text);
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	return -code;
}
