/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An example for libnbdclient: lists the exports of a server, opens the one
 * that the URI names, says what it is, and copies sectors of it to standard
 * output.
 *
 *	cc read-disk.c $(pkg-config --cflags --libs nbdclient) -o read-disk
 *	./read-disk nbd://localhost/disk1 >image
 *	./read-disk nbd://localhost/disk1 2048 16 >sectors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <nbdclient.h>

#define BUFFER_SIZE (1024 * 1024)

static void
fail(const struct nbdclient_error *err)
{
	fprintf(stderr, "read-disk: %s\n", err->text);
	exit(1);
}

/* Not every server can be asked; that is no reason to stop. */
static void
list_exports(struct nbdclient_channel *channel)
{
	struct nbdclient_listing *listing;
	struct nbdclient_error err;
	size_t n;
	size_t i;

	if (nbdclient_list(channel, &listing, &n, &err) != 0) {
		if (err.code != NBDCLIENT_POLICY &&
		    err.code != NBDCLIENT_TOO_OLD)
			fail(&err);
		fprintf(stderr, "no list: %s\n", err.text);
		return;
	}
	for (i = 0; i < n; i++)
		fprintf(stderr, "export '%s'%s%s\n", listing[i].name,
		    listing[i].description[0] != '\0' ? ": " : "",
		    listing[i].description);
	nbdclient_listing_free(listing, n);
}

static void
print_info(const struct nbdclient_info *info)
{
	fprintf(stderr, "%s, %" PRIu64 " bytes, %" PRIu64 " sectors of %" PRIu32
	    " bytes\n", info->read_write ? "read-write" : "read-only",
	    info->size, info->n_sectors, info->sector_size);
}

/* The last sector of a disk may be shorter than the others. */
static size_t
bytes_of(const struct nbdclient_info *info, uint64_t sector, uint64_t n)
{
	uint64_t start = sector * info->sector_size;
	uint64_t len = n * info->sector_size;

	return (size_t)(len < info->size - start ? len : info->size - start);
}

static void
copy_sectors(struct nbdclient_disk *disk, const struct nbdclient_info *info,
    uint64_t sector, uint64_t n_sectors)
{
	const uint64_t at_once = BUFFER_SIZE / info->sector_size;
	struct nbdclient_error err;
	struct iovec iov;
	uint64_t n;

	iov.iov_base = malloc(BUFFER_SIZE);
	if (iov.iov_base == NULL)
		exit(1);
	while (n_sectors > 0) {
		n = n_sectors < at_once ? n_sectors : at_once;
		iov.iov_len = bytes_of(info, sector, n);
		if (nbdclient_read(disk, sector, &iov, 1, &err) != 0)
			fail(&err);
		if (fwrite(iov.iov_base, 1, iov.iov_len, stdout) !=
		    iov.iov_len) {
			perror("read-disk: standard output");
			exit(1);
		}
		sector += n;
		n_sectors -= n;
	}
	free(iov.iov_base);
}

int
main(int argc, char **argv)
{
	struct nbdclient_channel *channel;
	struct nbdclient_disk *disk;
	struct nbdclient_info info;
	struct nbdclient_error err;
	uint64_t first = 0;
	uint64_t n;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "usage: read-disk URI [SECTOR COUNT]\n");
		return 2;
	}
	if (nbdclient_connect(argv[1], NULL, &channel, &err) != 0)
		fail(&err);
	list_exports(channel);
	if (nbdclient_negotiate(channel, NULL, &disk, &err) != 0)
		fail(&err);
	nbdclient_channel_free(channel);
	nbdclient_get_info(disk, &info);
	print_info(&info);
	n = info.n_sectors;
	if (argc == 4) {
		first = strtoull(argv[2], NULL, 10);
		n = strtoull(argv[3], NULL, 10);
		if (first > info.n_sectors || n > info.n_sectors - first) {
			fprintf(stderr, "read-disk: not that many sectors\n");
			return 2;
		}
	}
	copy_sectors(disk, &info, first, n);
	nbdclient_disconnect(disk);
	return fflush(stdout) == 0 ? 0 : 1;
}
