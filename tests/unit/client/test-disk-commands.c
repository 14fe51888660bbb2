/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a disk can be told besides reading and writing: zeroes, trim, cache,
 * block status, and flags; of the blocking face, against nbdkit.
 */
#include "client/nbdclient.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/annotate.h"
#include "assert-err.h"
#include "base/bytes.h"
#include "fake-server.h"
#include "nbd/protocol.h"
#include "nbdkit.h"
#include "unit.h"

enum {
	MiB = 1024 * 1024,
	MAX_TOLD = 16,
	WIRE_EINVAL = 22,
	WIRE_EOVERFLOW = 75,
};

static struct nbdclient_channel *channel;
static struct nbdclient_disk *disk;
static struct nbdclient_error err;
static char log_file[] = "/tmp/nbdsync-log-XXXXXX";
static char log_arg[64];

static struct told {
	const char *context;
	uint64_t offset;
	uint64_t length;
	uint64_t flags;
} told[MAX_TOLD];
static size_t n_told;

static void
set_up(void)
{
	int fd;

	(void)strcpy(log_file, "/tmp/nbdsync-log-XXXXXX");
	fd = mkstemp(log_file);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	(void)snprintf(log_arg, sizeof log_arg, "logfile=%s", log_file);
	nbdkit_set_up();
	fake_set_up();
	channel = NULL;
	disk = NULL;
	n_told = 0;
}

static void
tear_down(void)
{
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	fake_tear_down();
	nbdkit_tear_down();
	(void)unlink(log_file);
}

static void
negotiate(const struct nbdclient_options *options)
{
	ck_assert_int_eq(nbdclient_connect(nbdkit_uri, options, &channel,
	    &err), 0);
	ck_assert_msg(nbdclient_negotiate(channel, NULL, &disk, &err) == 0,
	    "%s", err.text);
}

/* How many requests of this text nbdkit's log has. */
static int
count_log(const char *text)
{
	FILE *f = fopen(log_file, "r");
	char line[512];
	int n = 0;

	while (fgets(line, sizeof line, f) != NULL)
		n += strstr(line, text) != NULL;
	(void)fclose(f);
	return n;
}

static void
on_extent(void *arg, const char *context, uint64_t offset, uint64_t length,
    uint64_t flags)
{
	ck_assert_ptr_eq(arg, &told);
	ck_assert_uint_lt(n_told, MAX_TOLD);
	told[n_told++] = (struct told){ context, offset, length, flags };
}

static int
status(uint64_t sector, uint64_t n, const char *context)
{
	return nbdclient_block_status(disk, sector, n, context, on_extent,
	    &told, &err);
}

#define assert_told(i, off, len, fl)                                           \
	do {                                                                   \
		ck_assert_uint_eq(told[i].offset, off);                        \
		ck_assert_uint_eq(told[i].length, len);                        \
		ck_assert_uint_eq(told[i].flags, fl);                          \
	} while (0)

START_TEST(zeroes_replace_what_was_there_and_nothing_else)
{
	unsigned char buf[2048];
	unsigned char zero[1024] = { 0 };
	struct iovec iov = { buf, sizeof buf };

	nbdkit_start("memory", "1M", NULL);
	negotiate(NULL);
	memset(buf, 'x', sizeof buf);
	assert_ok(nbdclient_write(disk, 4, &iov, 1, &err));
	assert_ok(nbdclient_write_zeroes(disk, 5, 2, NBDCLIENT_NO_HOLE, &err));
	assert_ok(nbdclient_read(disk, 4, &iov, 1, &err));
	ck_assert(buf[511] == 'x' && buf[1536] == 'x');
	ck_assert_mem_eq(buf + 512, zero, 1024);
}
END_TEST

START_TEST(flags_reach_the_server)
{
	unsigned char buf[512] = { 1 };
	struct iovec iov = { buf, sizeof buf };

	nbdkit_start("--filter=log", "memory", "1M", log_arg, NULL);
	negotiate(NULL);
	assert_ok(nbdclient_write_flags(disk, 1, &iov, 1, NBDCLIENT_FUA,
	    &err));
	assert_ok(nbdclient_write(disk, 2, &iov, 1, &err));
	assert_ok(nbdclient_write_zeroes(disk, 8, 8, NBDCLIENT_FAST_ZERO |
	    NBDCLIENT_FUA, &err));
	assert_ok(nbdclient_write_zeroes(disk, 8, 8, NBDCLIENT_NO_HOLE,
	    &err));
	assert_ok(nbdclient_trim(disk, 8, 16, NBDCLIENT_FUA, &err));
	assert_ok(nbdclient_cache(disk, 0, 32, &err));
	ck_assert_int_eq(count_log(" Write id=1 offset=0x200 count=0x200 "
	    "fua=1"), 1);
	ck_assert_int_eq(count_log(" Write id=2 offset=0x400 count=0x200 "
	    "fua=0"), 1);
	ck_assert_int_eq(count_log("offset=0x1000 count=0x1000 trim=1 fua=1 "
	    "fast=1"), 1);
	ck_assert_int_eq(count_log("offset=0x1000 count=0x1000 trim=0 fua=0 "
	    "fast=0"), 1);
	ck_assert_int_eq(count_log(" Trim id=5 offset=0x1000 count=0x2000 "
	    "fua=1"), 1);
	ck_assert_int_eq(count_log(" Cache id=6 offset=0x0 count=0x4000"), 1);
}
END_TEST

START_TEST(a_long_range_is_cut_and_covered)
{
	nbdkit_start("--filter=log", "memory", "8T", log_arg, NULL);
	negotiate(NULL);
	/* 1 GiB and one sector, from behind 4 TiB. */
	assert_ok(nbdclient_trim(disk, 8ULL << 30, 2097153, 0, &err));
	/* In the order in which the server's threads took them. */
	ck_assert_int_eq(count_log(" offset=0x40040000000 count=0x200 "), 1);
	ck_assert_int_eq(count_log(" offset=0x40000000000 count=0x8000000 "),
	    1);
	assert_ok(nbdclient_trim(disk, 8, 0, 0, &err));
	ck_assert_int_eq(count_log(" Trim "), 9);
}
END_TEST

/*
 * A server that takes no trim of more than 1 MiB, nor any with FUA; notes how
 * many it took.
 */
static void
serve_small_trims(int fd)
{
	struct fake_request req;
	uint32_t option;
	int n = 0;
	int n_again = 0;

	if (!fake_greet(fd))
		return;
	while ((option = fake_get_option(fd)) != NBD_OPT_GO && option != 0)
		(void)fake_put_reply(fd, option, NBD_REP_ERR_UNSUP, NULL, 0);
	(void)fake_put_export_flags(fd, NBD_FLAG_HAS_FLAGS |
	    NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_FUA);
	while (fake_get_request(fd, &req) && req.command == NBD_CMD_TRIM) {
		uint8_t b[16];
		bool is_too_large = req.length > MiB ||
		    (req.flags & NBD_CMD_FLAG_FUA) != 0;

		put_be32(b, NBD_SIMPLE_REPLY_MAGIC);
		put_be32(b + 4, is_too_large ? (n_again++ % 2 == 0 ?
		    WIRE_EINVAL : WIRE_EOVERFLOW) : 0);
		put_be64(b + 8, req.cookie);
		(void)fake_put(fd, b, sizeof b);
		n += !is_too_large;
		(void)snprintf(fake_notes, sizeof fake_notes,
		    "%d taken, %u bytes the last", n, req.length);
	}
}

static void
negotiate_small_trims(void)
{
	assert_ok(nbdclient_connect_fd(fake_start(serve_small_trims), NULL,
	    &channel, &err));
	assert_ok(nbdclient_negotiate(channel, "d", &disk, &err));
}

START_TEST(a_range_that_is_refused_for_its_size_is_cut_again)
{
	negotiate_small_trims();
	assert_ok(nbdclient_trim(disk, 0, FAKE_DISK_SIZE / 512, 0, &err));
	nbdclient_disconnect(disk);
	disk = NULL;
	fake_join();
	ck_assert_str_eq(fake_notes, "64 taken, 1048576 bytes the last");
}
END_TEST

START_TEST(what_is_refused_in_any_size_fails_in_the_end)
{
	negotiate_small_trims();
	assert_fails(nbdclient_trim(disk, 0, FAKE_DISK_SIZE / 512,
	    NBDCLIENT_FUA, &err), NBDCLIENT_IO);
	assert_says("cannot trim 4096 bytes at offset 0 of export 'd'");
	nbdclient_disconnect(disk);
	disk = NULL;
	fake_join();
	ck_assert_str_eq(fake_notes, "0 taken, 4096 bytes the last");
}
END_TEST

/* What it refuses, and in what pieces, is the filter's business. */
START_TEST(sizes_that_nbdkit_enforces_are_kept)
{
	unsigned char *buf = calloc(1, MiB);
	struct iovec iov = { buf, MiB };

	nbdkit_start("--filter=log", "--filter=blocksize-policy", "memory",
	    "1G", log_arg, "blocksize-minimum=4K", "blocksize-preferred=16K",
	    "blocksize-maximum=64K", "blocksize-error-policy=error", NULL);
	negotiate(NULL);
	assert_ok(nbdclient_write(disk, 1, &iov, 1, &err));
	assert_ok(nbdclient_read(disk, 1, &iov, 1, &err));
	assert_ok(nbdclient_write_zeroes(disk, 1, 32768, 0, &err));
	assert_ok(nbdclient_trim(disk, 1, 32768, 0, &err));
	assert_ok(nbdclient_cache(disk, 1, 256, &err));
	assert_ok(status(1, 32768, NULL));
	ck_assert_int_eq(count_log(" Write id="), 16);
	ck_assert_int_eq(count_log(" Read id="), 16);
	ck_assert_int_eq(count_log(" Cache id="), 16);
	ck_assert_int_ge(count_log(" Zero id="), 1);
	ck_assert_int_ge(count_log(" Trim id="), 1);
	free(buf);
}
END_TEST

/* In pieces of what it takes, all of it, and nothing twice at a time. */
START_TEST(zeroes_that_nbdkit_refuses_for_their_size_are_cut_again)
{
	nbdkit_start("--filter=log", "eval", log_arg, "get_size=echo 64M",
	    "pread=head -c $3 /dev/zero", "can_write=exit 0",
	    "pwrite=cat >/dev/null", "can_zero=exit 0",
	    "zero=test $3 -le 16777216 || { echo EOVERFLOW >&2; exit 1; }",
	    NULL);
	negotiate(NULL);
	assert_ok(nbdclient_write_zeroes(disk, 0, 131072, 0, &err));
	ck_assert_int_eq(count_log(" count=0x1000000 "), 4);
	ck_assert_int_eq(count_log(" Zero id="), 4 + 3);
}
END_TEST

START_TEST(the_last_shorter_sector_counts_as_one)
{
	unsigned char buf[1125];
	struct iovec iov = { buf, 1125 };

	nbdkit_start("memory", "1125", NULL);
	negotiate(NULL);
	memset(buf, 'x', sizeof buf);
	assert_ok(nbdclient_write(disk, 0, &iov, 1, &err));
	assert_ok(nbdclient_write_zeroes(disk, 2, 1, 0, &err));
	assert_ok(nbdclient_read(disk, 0, &iov, 1, &err));
	ck_assert(buf[1023] == 'x' && buf[1024] == 0 && buf[1124] == 0);
	assert_fails(nbdclient_write_zeroes(disk, 2, 2, 0, &err),
	    NBDCLIENT_INVALID);
	assert_says("beyond the end");
	assert_fails(nbdclient_trim(disk, 1, UINT64_MAX, 0, &err),
	    NBDCLIENT_INVALID);
	assert_fails(nbdclient_trim(disk, 4, 0, 0, &err), NBDCLIENT_INVALID);
	assert_fails(status(UINT64_MAX, 1, NULL), NBDCLIENT_INVALID);
}
END_TEST

/* What a plugin without any of it is asked, it would answer with an error. */
START_TEST(what_is_not_offered_is_not_sent)
{
	unsigned char buf[512] = { 0 };
	struct iovec iov = { buf, sizeof buf };

	nbdkit_start("--filter=log", "--filter=nozero", "--filter=nocache",
	    "eval", log_arg, "zeromode=none", "cachemode=none",
	    "get_size=echo 1M",
	    "pread=head -c $3 /dev/zero", "can_write=exit 0",
	    "pwrite=cat >/dev/null", NULL);
	negotiate(NULL);
	assert_fails(nbdclient_write_zeroes(disk, 0, 8, 0, &err),
	    NBDCLIENT_UNIMPLEMENTED);
	assert_says("cannot zero the default export of nbd+unix:");
	assert_says("the server offers no write-zeroes");
	assert_fails(nbdclient_trim(disk, 0, 8, 0, &err),
	    NBDCLIENT_UNIMPLEMENTED);
	assert_fails(nbdclient_cache(disk, 0, 8, &err),
	    NBDCLIENT_UNIMPLEMENTED);
	assert_fails(nbdclient_write_flags(disk, 0, &iov, 1, NBDCLIENT_FUA,
	    &err), NBDCLIENT_UNIMPLEMENTED);
	ck_assert_int_eq(err.errnum, EOPNOTSUPP);
	assert_fails(status(0, 8, "other:context"), NBDCLIENT_UNIMPLEMENTED);
	ck_assert_int_eq(count_log(" Zero ") + count_log(" Trim ") +
	    count_log(" Cache ") + count_log(" Write ") +
	    count_log(" Extents "), 0);
	assert_ok(nbdclient_write(disk, 0, &iov, 1, &err));
	ck_assert_int_eq(count_log(" Write "), 1);
}
END_TEST

START_TEST(a_flag_that_is_not_offered_is_not_sent)
{
	nbdkit_start("--filter=log", "eval", log_arg, "get_size=echo 1M",
	    "pread=head -c $3 /dev/zero", "can_write=exit 0",
	    "pwrite=cat >/dev/null", "can_zero=exit 0", "zero=exit 0",
	    "can_fast_zero=exit 3", "can_trim=exit 0", "trim=exit 0", NULL);
	negotiate(NULL);
	assert_fails(nbdclient_write_zeroes(disk, 0, 8, NBDCLIENT_FUA, &err),
	    NBDCLIENT_UNIMPLEMENTED);
	assert_says("the server offers no FUA");
	assert_fails(nbdclient_write_zeroes(disk, 0, 8, NBDCLIENT_FAST_ZERO,
	    &err), NBDCLIENT_UNIMPLEMENTED);
	assert_says("the server offers no fast zeroes");
	assert_fails(nbdclient_trim(disk, 0, 8, NBDCLIENT_FUA, &err),
	    NBDCLIENT_UNIMPLEMENTED);
	assert_fails(nbdclient_flush(disk, &err), NBDCLIENT_UNIMPLEMENTED);
	ck_assert_int_eq(count_log(" Zero ") + count_log(" Trim ") +
	    count_log(" Flush "), 0);
	assert_ok(nbdclient_write_zeroes(disk, 0, 8, 0, &err));
	assert_ok(nbdclient_trim(disk, 0, 8, 0, &err));
	ck_assert_int_eq(count_log(" Zero id=") + count_log(" Trim id="), 2);
}
END_TEST

START_TEST(a_flag_that_a_call_does_not_take_is_invalid)
{
	struct iovec iov = { NULL, 0 };

	nbdkit_start("memory", "1M", NULL);
	negotiate(NULL);
	assert_fails(nbdclient_trim(disk, 0, 8, NBDCLIENT_NO_HOLE, &err),
	    NBDCLIENT_INVALID);
	assert_fails(nbdclient_write_zeroes(disk, 0, 8, 0x10001, &err),
	    NBDCLIENT_INVALID);
	assert_fails(nbdclient_write_flags(disk, 0, &iov, 1,
	    NBDCLIENT_FAST_ZERO, &err), NBDCLIENT_INVALID);
}
END_TEST

/*
 * Reads in one piece, of a server that has no more than 64 KiB in one.
 */

static bool
put_chunk(int fd, const struct fake_request *req, uint16_t type,
    const void *data, uint32_t len)
{
	uint8_t b[20];

	put_be32(b, NBD_STRUCTURED_REPLY_MAGIC);
	put_be16(b + 4, NBD_REPLY_FLAG_DONE);
	put_be16(b + 6, type);
	put_be64(b + 8, req->cookie);
	put_be32(b + 16, len);
	return fake_put(fd, b, sizeof b) && fake_put(fd, data, len);
}

static void
serve_in_one_piece(int fd)
{
	static const char too_long[] = "\0\0\0\x4b\0\x8too long";
	static uint8_t data[8 + 65536];
	struct fake_request req;
	uint32_t option;

	if (!fake_greet(fd))
		return;
	while ((option = fake_get_option(fd)) != NBD_OPT_GO && option != 0)
		(void)fake_put_reply(fd, option,
		    option == NBD_OPT_STRUCTURED_REPLY ? NBD_REP_ACK :
		    NBD_REP_ERR_UNSUP, NULL, 0);
	(void)fake_put_export_flags(fd, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_DF);
	memset(data + 8, 'd', sizeof data - 8);
	while (fake_get_request(fd, &req) && req.command == NBD_CMD_READ) {
		(void)strcat(fake_notes, req.flags == NBD_CMD_FLAG_DF ? "D" :
		    req.flags == 0 ? "-" : "?");
		if (req.length > 65536)
			(void)put_chunk(fd, &req, NBD_REPLY_TYPE_ERROR,
			    too_long, sizeof too_long - 1);
		else
			(void)put_chunk(fd, &req, NBD_REPLY_TYPE_OFFSET_DATA,
			    data, 8 + req.length);
	}
}

START_TEST(a_read_may_be_asked_for_in_one_piece)
{
	unsigned char *buf = calloc(1, 2 * MiB);
	struct iovec iov = { buf, 65536 };

	assert_ok(nbdclient_connect_fd(fake_start(serve_in_one_piece), NULL,
	    &channel, &err));
	assert_ok(nbdclient_negotiate(channel, "d", &disk, &err));
	assert_ok(nbdclient_read_flags(disk, 0, &iov, 1, NBDCLIENT_DF, &err));
	ck_assert(buf[0] == 'd' && buf[65535] == 'd');
	assert_ok(nbdclient_read(disk, 0, &iov, 1, &err));
	assert_fails(nbdclient_read_flags(disk, 0, &iov, 1,
	    NBDCLIENT_DF | NBDCLIENT_FUA, &err), NBDCLIENT_INVALID);
	/* More than the server has to give in one. */
	iov.iov_len = 65536 + 512;
	assert_fails(nbdclient_read_flags(disk, 0, &iov, 1, NBDCLIENT_DF,
	    &err), NBDCLIENT_IO);
	ck_assert_int_eq(err.errnum, EOVERFLOW);
	assert_says("cannot read 66048 bytes at offset 0 of export 'd'");
	assert_says("too long");
	/* A long one is cut, and each request wants its answer in one. */
	iov.iov_len = 2 * MiB;
	assert_fails(nbdclient_read_flags(disk, 0, &iov, 1, NBDCLIENT_DF,
	    &err), NBDCLIENT_IO);
	nbdclient_disconnect(disk);
	disk = NULL;
	fake_join();
	ck_assert_str_eq(fake_notes, "D-DDD");
	free(buf);
}
END_TEST

START_TEST(who_does_not_offer_one_piece_is_not_asked)
{
	unsigned char buf[512] = { 0 };
	struct iovec iov = { buf, sizeof buf };

	nbdkit_start("--no-sr", "--filter=log", "memory", "1M", log_arg, NULL);
	negotiate(NULL);
	assert_fails(nbdclient_read_flags(disk, 0, &iov, 1, NBDCLIENT_DF,
	    &err), NBDCLIENT_UNIMPLEMENTED);
	assert_says("the server offers no reads in one piece");
	ck_assert_int_eq(count_log(" Read "), 0);
	assert_ok(nbdclient_read(disk, 0, &iov, 1, &err));
	ck_assert_int_eq(count_log(" Read "), 1);
}
END_TEST

START_TEST(a_read_only_export_is_neither_zeroed_nor_trimmed)
{
	nbdkit_start("-r", "memory", "1M", NULL);
	negotiate(NULL);
	assert_fails(nbdclient_write_zeroes(disk, 0, 8, 0, &err),
	    NBDCLIENT_READ_ONLY);
	assert_fails(nbdclient_trim(disk, 0, 8, 0, &err),
	    NBDCLIENT_READ_ONLY);
	assert_ok(nbdclient_cache(disk, 0, 8, &err));
}
END_TEST

START_TEST(an_error_has_its_errno_and_offset)
{
	nbdkit_start("--filter=error", "memory", "1M", "error-zero=ENOSPC",
	    "error-zero-rate=100%", "error-extents=EIO",
	    "error-extents-rate=100%", NULL);
	negotiate(NULL);
	assert_fails(nbdclient_write_zeroes(disk, 8, 8, 0, &err),
	    NBDCLIENT_IO);
	ck_assert_int_eq(err.errnum, ENOSPC);
	assert_says("cannot zero 4096 bytes at offset 4096 of the default");
	assert_fails(status(0, 8, NULL), NBDCLIENT_IO);
	ck_assert_int_eq(err.errnum, EIO);
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

START_TEST(the_extents_of_a_range_are_told_to_its_end)
{
	const uint64_t nothing = NBDCLIENT_STATE_HOLE | NBDCLIENT_STATE_ZERO;

	nbdkit_start("data", "size=8G", "data=@0x100000 1*32768 "
	    "@0x140000000 2*32768", NULL);
	negotiate(NULL);
	assert_ok(status(0, 8ULL << 21, NULL));
	ck_assert_uint_eq(n_told, 5);
	assert_told(0, 0, MiB, nothing);
	assert_told(1, MiB, 32768, 0);
	assert_told(2, MiB + 32768, (5ULL << 30) - MiB - 32768, nothing);
	assert_told(3, 5ULL << 30, 32768, 0);
	assert_told(4, (5ULL << 30) + 32768, (3ULL << 30) - 32768, nothing);
	/* Not what lies around the range. */
	n_told = 0;
	assert_ok(status(2040, 16, "base:allocation"));
	ck_assert_uint_eq(n_told, 2);
	assert_told(0, 2040 * 512, 8 * 512, nothing);
	assert_told(1, MiB, 8 * 512, 0);
	n_told = 0;
	assert_ok(status(8, 0, NULL));
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

/* One extent a request, of a page each. */
START_TEST(short_answers_are_asked_on_and_joined)
{
	nbdkit_start("--filter=log", "eval", log_arg, "get_size=echo 64K",
	    "pread=head -c $3 /dev/zero", "can_extents=exit 0",
	    "extents=echo $4 4096 $(( $4 < 32768 ? 0 : 3 ))", NULL);
	negotiate(NULL);
	assert_ok(status(0, 128, NULL));
	ck_assert_uint_eq(n_told, 2);
	assert_told(0, 0, 32768, 0);
	assert_told(1, 32768, 32768, 3);
	ck_assert_int_eq(count_log(" Extents "), 16);
}
END_TEST

/* A server that tells no more than it was asked for. */
START_TEST(an_empty_disk_is_mapped_in_growing_steps)
{
	nbdkit_start("--filter=log", "eval", log_arg, "get_size=echo 64G",
	    "pread=head -c $3 /dev/zero", "can_extents=exit 0",
	    "extents=echo $4 $3 3", NULL);
	negotiate(NULL);
	assert_ok(status(0, 128ULL << 20, NULL));
	ck_assert_uint_eq(n_told, 1);
	assert_told(0, 0, 64ULL << 30, 3);
	ck_assert_int_eq(count_log(" count=0x40000000 "), 1);
	ck_assert_int_eq(count_log(" count=0x80000000 "), 1);
	ck_assert_int_eq(count_log(" count=0xffff0000 "), 15);
	ck_assert_int_eq(count_log(" Extents "), 18);
}
END_TEST

static uint64_t map_end;

static void
on_next_extent(void *arg UNUSED, const char *context UNUSED, uint64_t offset,
    uint64_t length, uint64_t flags UNUSED)
{
	ck_assert_uint_eq(offset, map_end);
	map_end += length;
	n_told++;
}

/*
 * An extent a page: 256 Ki of them in the first GiB, of which a quarter is
 * kept, and asking for more than that again and again would be in vain.
 */
START_TEST(a_disk_of_many_extents_is_mapped_in_smaller_steps)
{
	nbdkit_start("--filter=log", "sparse-random", log_arg, "size=2G",
	    "runlength=4096", "percent=50", NULL);
	negotiate(NULL);
	map_end = 0;
	assert_ok(nbdclient_block_status(disk, 0, 4ULL << 20, NULL,
	    on_next_extent, NULL, &err));
	ck_assert_uint_eq(map_end, 2ULL << 30);
	ck_assert_uint_eq(n_told, 512 * 1024);
	ck_assert_int_eq(count_log(" count=0x40000000 "), 1);
	ck_assert_int_eq(count_log(" count=0x10000000 "), 7);
	ck_assert_int_eq(count_log(" Extents "), 8);
}
END_TEST

/*
 * Several contexts.
 */

static const char *const two_contexts[] = { "base:allocation", "no:such",
	"x:other" };
static const struct nbdclient_options with_two = {
	.contexts = two_contexts,
	.n_contexts = 3,
};

static void
put_context(int fd, uint8_t id, const char *name)
{
	uint8_t b[40] = { 0, 0, 0, id };

	memcpy(b + 4, name, strlen(name));
	(void)fake_put_reply(fd, NBD_OPT_SET_META_CONTEXT,
	    NBD_REP_META_CONTEXT, b, (uint32_t)(4 + strlen(name)));
}

static bool
negotiate_two_contexts(int fd)
{
	uint32_t option;

	if (!fake_greet(fd))
		return false;
	while ((option = fake_get_option(fd)) != NBD_OPT_GO && option != 0) {
		if (option == NBD_OPT_SET_META_CONTEXT) {
			put_context(fd, 7, "x:other");
			put_context(fd, 8, "base:allocation");
		}
		(void)fake_put_reply(fd, option,
		    option == NBD_OPT_EXTENDED_HEADERS ? NBD_REP_ERR_UNSUP :
		    NBD_REP_ACK, NULL, 0);
	}
	return fake_put_export_flags(fd, NBD_FLAG_HAS_FLAGS);
}

/* One extent, or two, of a context. */
static void
put_status(int fd, const struct fake_request *req, bool done, uint8_t id,
    const uint32_t *v, uint32_t n)
{
	uint8_t b[24] = { 0, 0, 0, id };
	uint8_t header[20];

	for (uint32_t i = 0; i < n; i++)
		put_be32(b + 4 + 4 * i, v[i]);
	put_be32(header, NBD_STRUCTURED_REPLY_MAGIC);
	put_be16(header + 4, done ? NBD_REPLY_FLAG_DONE : 0);
	put_be16(header + 6, NBD_REPLY_TYPE_BLOCK_STATUS);
	put_be64(header + 8, req->cookie);
	put_be32(header + 16, 4 + 4 * n);
	(void)(fake_put(fd, header, sizeof header) &&
	    fake_put(fd, b, 4 + 4 * n));
}

/* The first answer tells more in the one context than in the other. */
static void
serve_uneven_status(int fd)
{
	static const uint32_t one[] = { 4096, 5 };
	static const uint32_t two[] = { 4096, 0, 8192, 3 };
	static const uint32_t rest[] = { 0x100000, 5 };
	static const uint32_t other[] = { 8192, 3, 0x100000, 0 };
	struct fake_request req;
	int i;

	if (!negotiate_two_contexts(fd))
		return;
	for (i = 0; fake_get_request(fd, &req) &&
	     req.command == NBD_CMD_BLOCK_STATUS; i++) {
		put_status(fd, &req, false, 7, i == 0 ? one : rest, 2);
		put_status(fd, &req, true, 8, i == 0 ? two : other, 4);
		(void)strcat(fake_notes, "s");
	}
}

/* Whichever of them is the first: what is told is known of both. */
START_TEST(all_contexts_are_told_at_once)
{
	static const char *const other_way[] = { "x:other",
		"base:allocation" };
	const struct nbdclient_options options = {
		.contexts = _i == 0 ? two_contexts : other_way,
		.n_contexts = _i == 0 ? 3 : 2,
	};
	const size_t base = _i == 0 ? 0 : 1;
	const size_t other = _i == 0 ? 3 : 0;

	assert_ok(nbdclient_connect_fd(fake_start(serve_uneven_status),
	    &options, &channel, &err));
	assert_ok(nbdclient_negotiate(channel, "d", &disk, &err));
	assert_ok(status(0, 128, NULL));
	ck_assert_uint_eq(n_told, 4);
	ck_assert_str_eq(told[base].context, "base:allocation");
	assert_told(base, 0, 4096, 0);
	assert_told(base + 1, 4096, 8192, 3);
	ck_assert_str_eq(told[base + 2].context, "base:allocation");
	assert_told(base + 2, 12288, 65536 - 12288, 0);
	/* The same in both answers: one extent. */
	ck_assert_str_eq(told[other].context, "x:other");
	assert_told(other, 0, 65536, 5);
	nbdclient_disconnect(disk);
	disk = NULL;
	fake_join();
	ck_assert_str_eq(fake_notes, "ss");
}
END_TEST

START_TEST(one_of_several_contexts_is_told_alone)
{
	assert_ok(nbdclient_connect_fd(fake_start(serve_uneven_status),
	    &with_two, &channel, &err));
	assert_ok(nbdclient_negotiate(channel, "d", &disk, &err));
	assert_ok(status(0, 128, "x:other"));
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0].context, "x:other");
	assert_told(0, 0, 65536, 5);
	assert_fails(status(0, 16, "no:such"), NBDCLIENT_UNIMPLEMENTED);
}
END_TEST

START_TEST(without_any_context_there_is_no_status)
{
	nbdkit_start("--no-sr", "memory", "1M", NULL);
	negotiate(&with_two);
	assert_fails(status(0, 16, NULL), NBDCLIENT_UNIMPLEMENTED);
	assert_says("the server offers no block status");
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

START_TEST(contexts_are_asked_for_by_name)
{
	const char *const contexts[] = { "no:such", "base:allocation" };
	struct nbdclient_options options = {
		.contexts = contexts,
		.n_contexts = 2,
	};
	struct nbdclient_info info;

	nbdkit_start("memory", "1M", NULL);
	negotiate(&options);
	nbdclient_get_info(disk, &info);
	ck_assert_uint_eq(info.n_contexts, 2);
	ck_assert_ptr_null(info.contexts[0]);
	ck_assert_str_eq(info.contexts[1], "base:allocation");
	ck_assert(info.base_allocation);
	assert_ok(status(0, 2048, "base:allocation"));
	ck_assert_uint_eq(n_told, 1);
	assert_told(0, 0, MiB, 3);
	assert_fails(status(0, 2048, "no:such"), NBDCLIENT_UNIMPLEMENTED);
	options.n_contexts = 17;
	ck_assert_int_eq(nbdclient_connect(nbdkit_uri, &options, &channel,
	    &err), NBDCLIENT_INVALID);
}
END_TEST

START_TEST(a_lost_server_is_told)
{
	nbdkit_start("memory", "1M", NULL);
	negotiate(NULL);
	nbdkit_stop();
	assert_fails(status(0, 8, NULL), NBDCLIENT_DISCONNECTED);
	assert_says("cannot map the default export");
	assert_fails(nbdclient_trim(disk, 0, 8, 0, &err),
	    NBDCLIENT_DISCONNECTED);
	assert_says("lost before");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/disk-commands");
	TCase *tc = tcase_create("disk-commands");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, zeroes_replace_what_was_there_and_nothing_else);
	tcase_add_test(tc, flags_reach_the_server);
	tcase_add_test(tc, a_long_range_is_cut_and_covered);
	tcase_add_test(tc, a_range_that_is_refused_for_its_size_is_cut_again);
	tcase_add_test(tc, what_is_refused_in_any_size_fails_in_the_end);
	tcase_add_test(tc, sizes_that_nbdkit_enforces_are_kept);
	tcase_add_test(tc,
	    zeroes_that_nbdkit_refuses_for_their_size_are_cut_again);
	tcase_add_test(tc, the_last_shorter_sector_counts_as_one);
	tcase_add_test(tc, what_is_not_offered_is_not_sent);
	tcase_add_test(tc, a_flag_that_is_not_offered_is_not_sent);
	tcase_add_test(tc, a_flag_that_a_call_does_not_take_is_invalid);
	tcase_add_test(tc, a_read_may_be_asked_for_in_one_piece);
	tcase_add_test(tc, who_does_not_offer_one_piece_is_not_asked);
	tcase_add_test(tc, a_read_only_export_is_neither_zeroed_nor_trimmed);
	tcase_add_test(tc, an_error_has_its_errno_and_offset);
	tcase_add_test(tc, the_extents_of_a_range_are_told_to_its_end);
	tcase_add_test(tc, short_answers_are_asked_on_and_joined);
	tcase_add_test(tc, an_empty_disk_is_mapped_in_growing_steps);
	tcase_add_test(tc,
	    a_disk_of_many_extents_is_mapped_in_smaller_steps);
	tcase_add_loop_test(tc, all_contexts_are_told_at_once, 0, 2);
	tcase_add_test(tc, one_of_several_contexts_is_told_alone);
	tcase_add_test(tc, without_any_context_there_is_no_status);
	tcase_add_test(tc, contexts_are_asked_for_by_name);
	tcase_add_test(tc, a_lost_server_is_told);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
