/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A small NBD server with extended headers, since those of the distributions
 * have none yet: "ext-server SOCKET SIZE [fill | FILE]" serves a sparse disk
 * in memory, or a file of that size, one connection after the other.  SOCKET
 * may be "-": it is passed as systemd does, descriptor 3.  The server is
 * as strict as the protocol: anything but an extended request, or a WRITE
 * without its flag, ends the connection.  At a goodbye it prints "sum HEX" of
 * the disk's contents, and for each block status the longest extent it told.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "nbd/protocol.h"

#define BLOCK	    65536ULL
#define MAX_EXTENTS 64U
#define PASSED_FD   3
#define FLAGS                                                                  \
	(NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA |        \
	    NBD_FLAG_SEND_WRITE_ZEROES)

struct request {
	uint16_t flags;
	uint16_t command;
	uint64_t cookie;
	uint64_t offset;
	uint64_t length;
};

static uint8_t *disk;
static bool *is_data;		/* one for each block */
static uint64_t size;
static bool has_context;

static bool
get(int fd, void *buf, size_t len)
{
	return len == 0 || recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static bool
put(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool
put_option_reply(int fd, uint32_t option, uint32_t type, const void *data,
    uint32_t len)
{
	uint8_t b[20];

	put_be64(b, NBD_OPTION_REPLY_MAGIC);
	put_be32(b + 8, option);
	put_be32(b + 12, type);
	put_be32(b + 16, len);
	return put(fd, b, sizeof b) && put(fd, data, len);
}

static bool
answer_option(int fd, uint32_t option)
{
	uint8_t context[4 + 15] = "....base:allocatio";
	uint8_t info[12] = { 0 };
	const uint8_t name_length[4] = { 0 };

	put_be32(context, 0);
	context[18] = 'n';
	put_be64(info + 2, size);
	put_be16(info + 10, FLAGS);
	if (option == NBD_OPT_SET_META_CONTEXT) {
		has_context = true;
		if (!put_option_reply(fd, option, NBD_REP_META_CONTEXT, context,
			sizeof context))
			return false;
	} else if (option == NBD_OPT_GO) {
		if (!put_option_reply(fd, option, NBD_REP_INFO, info,
			sizeof info))
			return false;
	} else if (option == NBD_OPT_LIST) {
		/* The default export, whose name has no bytes. */
		if (!put_option_reply(fd, option, NBD_REP_SERVER, name_length,
			sizeof name_length))
			return false;
	} else if (option != NBD_OPT_EXTENDED_HEADERS &&
	    option != NBD_OPT_ABORT) {
		return put_option_reply(fd, option, NBD_REP_ERR_UNSUP, NULL,
		    0);
	}
	return put_option_reply(fd, option, NBD_REP_ACK, NULL, 0);
}

/* All up to the answer of GO; but for a list extended headers come first. */
static bool
negotiate(int fd)
{
	uint8_t b[18];
	char scratch[4096];
	uint32_t last = 0;

	put_be64(b, NBD_MAGIC);
	put_be64(b + 8, NBD_OPTION_MAGIC);
	put_be16(b + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
	if (!put(fd, b, sizeof b) || !get(fd, b, 4))
		return false;
	while (last != NBD_OPT_GO) {
		if (!get(fd, b, 16) || get_be32(b + 12) > sizeof scratch ||
		    !get(fd, scratch, get_be32(b + 12)))
			return false;
		if (last == 0 && get_be32(b + 8) != NBD_OPT_LIST &&
		    get_be32(b + 8) != NBD_OPT_EXTENDED_HEADERS)
			return false;
		last = get_be32(b + 8);
		if (!answer_option(fd, last))
			return false;
	}
	return true;
}

static bool
put_chunk(int fd, const struct request *req, uint16_t type, uint64_t len)
{
	uint8_t b[32];

	put_be32(b, NBD_EXTENDED_REPLY_MAGIC);
	put_be16(b + 4, NBD_REPLY_FLAG_DONE);
	put_be16(b + 6, type);
	put_be64(b + 8, req->cookie);
	put_be64(b + 16, req->offset);
	put_be64(b + 24, len);
	return put(fd, b, sizeof b);
}

static void
mark(uint64_t offset, uint64_t len)
{
	memset(is_data + offset / BLOCK, true,
	    (offset + len + BLOCK - 1) / BLOCK - offset / BLOCK);
}

/* Whole blocks become holes, the rest is written over. */
static void
zero(uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t n;

	for (; offset < end; offset += n) {
		n = BLOCK - offset % BLOCK;
		if (n > end - offset)
			n = end - offset;
		if (!is_data[offset / BLOCK])
			continue;
		memset(disk + offset, 0, n);
		if (n == BLOCK)
			is_data[offset / BLOCK] = false;
	}
}

static bool
read_disk(int fd, const struct request *req)
{
	uint8_t b[8];

	put_be64(b, req->offset);
	return put_chunk(fd, req, NBD_REPLY_TYPE_OFFSET_DATA,
		   8 + req->length) &&
	    put(fd, b, sizeof b) && put(fd, disk + req->offset, req->length);
}

/* From offset on: how much is of one kind?  Also beyond the request. */
static uint64_t
extent_at(uint64_t offset)
{
	uint64_t i = offset / BLOCK;
	bool kind = is_data[i];

	while (i * BLOCK < size && is_data[i] == kind)
		i++;
	return (i * BLOCK < size ? i * BLOCK : size) - offset;
}

static bool
tell_status(int fd, const struct request *req)
{
	uint8_t b[8 + 16 * MAX_EXTENTS];
	uint64_t end = req->offset + req->length;
	uint64_t offset = req->offset;
	uint64_t longest = 0;
	uint32_t n;

	for (n = 0; n < MAX_EXTENTS && offset < end; n++) {
		uint64_t len = extent_at(offset);

		put_be64(b + 8 + 16 * n, len);
		put_be64(b + 16 + 16 * n, is_data[offset / BLOCK] ? 0 : 3);
		longest = len > longest ? len : longest;
		offset += len;
	}
	put_be32(b, 0);
	put_be32(b + 4, n);
	(void)printf("longest %" PRIu64 "\n", longest);
	return put_chunk(fd, req, NBD_REPLY_TYPE_BLOCK_STATUS_EXT,
		   8 + 16 * n) &&
	    put(fd, b, 8 + 16 * n);
}

static void
print_sum(void)
{
	uint64_t sum = 14695981039346656037ULL;

	for (uint64_t i = 0; i < size; i++) {
		if (!is_data[i / BLOCK]) {
			i += BLOCK - 1;
			continue;
		}
		if (disk[i] != 0)
			sum = (sum ^ (i << 8 | disk[i])) * 1099511628211ULL;
	}
	(void)printf("sum %016" PRIx64 "\n", sum);
}

static bool
get_request(int fd, struct request *ret_req)
{
	uint8_t b[32];

	if (!get(fd, b, sizeof b) ||
	    get_be32(b) != NBD_EXTENDED_REQUEST_MAGIC)
		return false;
	*ret_req = (struct request){
		.flags = get_be16(b + 4),
		.command = get_be16(b + 6),
		.cookie = get_be64(b + 8),
		.offset = get_be64(b + 16),
		.length = get_be64(b + 24),
	};
	return ret_req->offset <= size &&
	    ret_req->length <= size - ret_req->offset &&
	    ((ret_req->flags & NBD_CMD_FLAG_PAYLOAD_LEN) != 0) ==
	    (ret_req->command == NBD_CMD_WRITE);
}

static bool
answer(int fd, const struct request *req)
{
	switch (req->command) {
	case NBD_CMD_READ:
		return read_disk(fd, req);
	case NBD_CMD_WRITE:
		if (!get(fd, disk + req->offset, req->length))
			return false;
		mark(req->offset, req->length);
		break;
	case NBD_CMD_WRITE_ZEROES:
		zero(req->offset, req->length);
		break;
	case NBD_CMD_BLOCK_STATUS:
		return has_context && tell_status(fd, req);
	case NBD_CMD_FLUSH:
		break;
	default:
		return false;
	}
	return put_chunk(fd, req, NBD_REPLY_TYPE_NONE, 0);
}

static void
serve(int fd)
{
	struct request req;

	has_context = false;
	if (!negotiate(fd))
		return;
	while (get_request(fd, &req)) {
		if (req.command == NBD_CMD_DISC) {
			print_sum();
			return;
		}
		if (!answer(fd, &req))
			return;
	}
	(void)printf("a wrong request, or none\n");
}

/* Something at the start, and something behind more than 4 GiB of nothing. */
static void
fill(uint64_t offset, uint64_t len)
{
	for (uint64_t i = offset; i < offset + len && i < size; i++)
		disk[i] = (uint8_t)(i * 31 + i / 251 + 1);
	mark(offset, len);
}

/* The disk, and what of it is data. */
static void
map_disk(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	disk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || disk == MAP_FAILED)
		exit(1);
	(void)close(fd);
	for (uint64_t i = 0; i < size; i++) {
		if (disk[i] != 0)
			is_data[i / BLOCK] = true;
	}
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof sun) < 0 ||
	    listen(fd, 8) < 0)
		exit(1);
	return fd;
}

int
main(int argc, char **argv)
{
	int listener;
	int fd;

	if (argc < 3)
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	size = strtoull(argv[2], NULL, 10);
	disk = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	is_data = calloc(size / BLOCK + 1, sizeof *is_data);
	if (disk == MAP_FAILED || is_data == NULL)
		return 1;
	if (argc > 3 && strcmp(argv[3], "fill") != 0) {
		map_disk(argv[3]);
	} else if (argc > 3) {
		fill(0, 1 << 20);
		fill(size - (3 << 20), 1 << 20);
	}
	listener = strcmp(argv[1], "-") == 0 ? PASSED_FD :
	    listen_at(argv[1]);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd);
		(void)close(fd);
	}
	return 0;
}
