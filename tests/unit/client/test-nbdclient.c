/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocking calls of the installed library: against nbdkit, and against
 * servers that nbdkit cannot be.
 */
#include "client/nbdclient.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "assert-err.h"
#include "base/bytes.h"
#include "fake-server.h"
#include "nbd/protocol.h"
#include "nbdkit.h"
#include "unit.h"

enum {
	MiB = 1024 * 1024,
};

static struct nbdclient_channel *channel;
static struct nbdclient_disk *disk;
static struct nbdclient_info info;
static struct nbdclient_error err;

static void
set_up(void)
{
	nbdkit_set_up();
	fake_set_up();
	channel = NULL;
	disk = NULL;
	memset(&err, 0, sizeof err);
}

static void
tear_down(void)
{
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	nbdkit_tear_down();
	fake_tear_down();
}

static void
connect_to_nbdkit(void)
{
	ck_assert_int_eq(nbdclient_connect(nbdkit_uri, NULL, &channel, &err),
	    0);
}

/* Arguments up to NULL. */
#define start_nbdkit(...)                                                      \
	do {                                                                   \
		nbdkit_start(__VA_ARGS__);                                     \
		connect_to_nbdkit();                                           \
	} while (0)

static void
negotiate(const char *export_name)
{
	int code = nbdclient_negotiate(channel, export_name, &disk, &err);

	ck_assert_msg(code == 0, "%s", err.text);
	nbdclient_get_info(disk, &info);
}

static void
open_fake(void (*serve)(int fd), const struct nbdclient_options *options)
{
	ck_assert_int_eq(nbdclient_connect_fd(fake_start(serve), options,
	    &channel, &err), 0);
}

static int
read_one(uint64_t sector, void *buf, size_t len)
{
	struct iovec iov = { buf, len };

	return nbdclient_read(disk, sector, &iov, 1, &err);
}

static int
write_one(uint64_t sector, void *buf, size_t len)
{
	struct iovec iov = { buf, len };

	return nbdclient_write(disk, sector, &iov, 1, &err);
}

START_TEST(exports_are_listed_with_names_and_descriptions)
{
	struct nbdclient_listing *listing;
	size_t n;

	start_nbdkit("--filter=exportname", "memory", "1M", "exportname=one",
	    "exportname=two", "exportname-list=explicit",
	    "exportdesc=fixed:a fine disk", NULL);
	assert_ok(nbdclient_list(channel, &listing, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(listing[0].name, "one");
	ck_assert_str_eq(listing[1].name, "two");
	ck_assert_str_eq(listing[0].description, "a fine disk");
	nbdclient_listing_free(listing, n);
	/* A URI's channel can be asked again, and then opened. */
	assert_ok(nbdclient_list(channel, &listing, &n, NULL));
	nbdclient_listing_free(listing, n);
	negotiate("two");
	ck_assert_str_eq(info.description, "a fine disk");
	nbdclient_listing_free(NULL, 0);
}
END_TEST

static void
serve_list_refusal(int fd, uint32_t error)
{
	uint32_t option;

	if (!fake_greet(fd))
		return;
	option = fake_get_option(fd);
	(void)fake_put_reply(fd, option, error, NULL, 0);
	fake_wait_for_eof(fd);
}

static void
serve_list_policy(int fd)
{
	serve_list_refusal(fd, NBD_REP_ERR_POLICY);
}

static void
serve_list_unsup(int fd)
{
	serve_list_refusal(fd, NBD_REP_ERR_UNSUP);
}

START_TEST(a_policy_and_an_old_server_are_told_apart)
{
	struct nbdclient_listing *listing;
	size_t n;

	open_fake(_i == 0 ? serve_list_policy : serve_list_unsup, NULL);
	assert_fails(nbdclient_list(channel, &listing, &n, &err),
	    _i == 0 ? NBDCLIENT_POLICY : NBDCLIENT_TOO_OLD);
	assert_says("descriptor ");
	assert_says("cannot list the exports");
	assert_says(_i == 0 ? "policy" : "too old");
}
END_TEST

START_TEST(a_server_without_fixed_newstyle_can_be_opened_not_listed)
{
	struct nbdclient_listing *listing;
	size_t n;

	start_nbdkit("--mask-handshake=0", "memory", "1M", NULL);
	assert_fails(nbdclient_list(channel, &listing, &n, &err),
	    NBDCLIENT_TOO_OLD);
	negotiate(NULL);
	ck_assert_uint_eq(info.size, MiB);
	ck_assert(!info.structured_replies);
	ck_assert(!info.block_size_told);
}
END_TEST

START_TEST(an_oldstyle_server_is_too_old)
{
	start_nbdkit("-o", "memory", "1M", NULL);
	assert_fails(nbdclient_negotiate(channel, NULL, &disk, &err),
	    NBDCLIENT_TOO_OLD);
	assert_says(nbdkit_uri);
}
END_TEST

START_TEST(the_info_counts_a_shorter_last_sector)
{
	start_nbdkit("memory", "1048577", NULL);
	negotiate(NULL);
	ck_assert_uint_eq(info.size, MiB + 1);
	ck_assert_uint_eq(info.sector_size, 512);
	ck_assert_uint_eq(info.n_sectors, 2049);
	ck_assert(info.read_write);
	ck_assert(info.structured_replies);
	ck_assert(info.base_allocation);
	ck_assert(!info.block_size_told);
}
END_TEST

START_TEST(a_server_without_structured_replies_works)
{
	unsigned char buf[512];

	start_nbdkit("--no-sr", "memory", "1M", NULL);
	negotiate(NULL);
	ck_assert(!info.structured_replies);
	ck_assert(!info.base_allocation);
	assert_ok(read_one(7, buf, sizeof buf));
}
END_TEST

START_TEST(the_sector_is_the_minimum_block)
{
	unsigned char buf[8192];

	start_nbdkit("--filter=blocksize-policy", "memory", "1M",
	    "blocksize-minimum=4096", "blocksize-preferred=64K",
	    "blocksize-maximum=128K", "blocksize-error-policy=error", NULL);
	negotiate(NULL);
	ck_assert(info.block_size_told);
	ck_assert_uint_eq(info.sector_size, 4096);
	ck_assert_uint_eq(info.n_sectors, 256);
	ck_assert_uint_eq(info.block_preferred, 65536);
	ck_assert_uint_eq(info.block_maximum, 131072);
	assert_ok(read_one(1, buf, 8192));
	assert_fails(read_one(1, buf, 512), NBDCLIENT_INVALID);
	assert_says("whole number of sectors");
}
END_TEST

/* The pattern plugin's byte at an offset. */
static int
is_pattern(const unsigned char *buf, uint64_t offset, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += 8)
		if (get_be64(buf + i) != offset + i)
			return 0;
	return 1;
}

START_TEST(a_long_read_fills_all_buffers)
{
	const size_t lens[4] = { 512, 20 * MiB, 0, 1536 };
	unsigned char *buf = malloc(21 * MiB);
	struct iovec iov[4];
	size_t at = 0;
	int i;

	start_nbdkit("pattern", "64M", NULL);
	negotiate(NULL);
	memset(buf, 0xff, 21 * MiB);
	for (i = 0; i < 4; i++) {
		iov[i].iov_base = buf + at;
		iov[i].iov_len = lens[i];
		at += lens[i];
	}
	assert_ok(nbdclient_read(disk, 3, iov, 4, &err));
	ck_assert(is_pattern(buf, 3 * 512, at));
	ck_assert_uint_eq(buf[at], 0xff);
	free(buf);
}
END_TEST

START_TEST(what_was_written_is_read_back)
{
	unsigned char *out = malloc(5 * MiB);
	unsigned char *in = malloc(5 * MiB);
	struct iovec iov[3] = {
		{ out, 4096 },
		{ out + 4096, 3 * MiB },
		{ out + 4096 + 3 * MiB, 2 * MiB - 4096 },
	};
	int i;

	start_nbdkit("--filter=blocksize-policy", "--filter=delay", "memory",
	    "8M", "blocksize-minimum=512", "blocksize-preferred=4K",
	    "blocksize-maximum=64K", "blocksize-error-policy=error",
	    "delay-write=1ms", NULL);
	negotiate(NULL);
	for (i = 0; i < 5 * MiB; i++)
		out[i] = (unsigned char)(i * 7 + i / 4096);
	assert_ok(nbdclient_write(disk, 1, iov, 3, &err));
	assert_ok(nbdclient_flush(disk, &err));
	assert_ok(read_one(1, in, 5 * MiB));
	ck_assert_mem_eq(in, out, 5 * MiB);
	/* Nothing around it was touched. */
	assert_ok(read_one(0, in, 512));
	ck_assert(in[0] == 0 && in[511] == 0);
	assert_ok(read_one(1 + 5 * MiB / 512, in, 512));
	ck_assert(in[0] == 0 && in[511] == 0);
	free(in);
	free(out);
}
END_TEST

START_TEST(the_last_shorter_sector_is_written_and_read)
{
	unsigned char out[513 + 100];
	unsigned char in[513 + 100];

	start_nbdkit("memory", "1125", NULL);	/* 2 * 512 + 101 */
	negotiate(NULL);
	memset(out, 'x', sizeof out);
	memset(in, 0, sizeof in);
	assert_ok(write_one(1, out, 512 + 101));
	assert_ok(read_one(1, in, 512 + 101));
	ck_assert_mem_eq(in, out, 512 + 101);
	assert_ok(read_one(2, in, 101));
	assert_fails(read_one(2, in, 100), NBDCLIENT_INVALID);
	assert_fails(read_one(2, in, 102), NBDCLIENT_INVALID);
	assert_says("beyond the end");
	assert_fails(read_one(2, in, 512), NBDCLIENT_INVALID);
	assert_ok(read_one(3, in, 0));
	assert_fails(read_one(4, in, 0), NBDCLIENT_INVALID);
}
END_TEST

START_TEST(only_the_last_buffer_may_be_short)
{
	unsigned char buf[1024];
	struct iovec iov[2] = { { buf, 101 }, { buf + 101, 512 } };

	start_nbdkit("memory", "613", NULL);
	negotiate(NULL);
	assert_fails(nbdclient_read(disk, 0, iov, 2, &err), NBDCLIENT_INVALID);
	assert_fails(nbdclient_read(disk, 0, iov, -1, &err),
	    NBDCLIENT_INVALID);
	assert_fails(nbdclient_read(disk, UINT64_MAX / 512, iov, 2, &err),
	    NBDCLIENT_INVALID);
	iov[0].iov_len = SIZE_MAX - 511;
	assert_fails(nbdclient_read(disk, 0, iov, 2, &err), NBDCLIENT_INVALID);
}
END_TEST

START_TEST(a_tail_no_request_can_reach_is_told)
{
	unsigned char buf[12288];

	start_nbdkit("--filter=blocksize-policy", "memory", "10000",
	    "blocksize-minimum=4096", "blocksize-preferred=4096",
	    "blocksize-maximum=64K", NULL);
	negotiate(NULL);
	ck_assert_uint_eq(info.n_sectors, 3);
	assert_ok(read_one(0, buf, 8192));
	assert_fails(read_one(0, buf, 10000), NBDCLIENT_INVALID);
	assert_says("minimum block");
}
END_TEST

START_TEST(a_read_only_export_is_not_written)
{
	unsigned char buf[512];

	start_nbdkit("-r", "memory", "1M", NULL);
	negotiate(NULL);
	ck_assert(!info.read_write);
	memset(buf, 'x', sizeof buf);
	assert_fails(write_one(0, buf, sizeof buf), NBDCLIENT_READ_ONLY);
	ck_assert_int_eq(err.errnum, EROFS);
	assert_ok(read_one(0, buf, sizeof buf));
	ck_assert_uint_eq(buf[0], 0);
}
END_TEST

START_TEST(a_flush_that_is_not_offered_is_unimplemented)
{
	unsigned char buf[512];

	start_nbdkit("eval", "get_size=echo 1M", "pread=head -c $3 /dev/zero",
	    NULL);
	negotiate(NULL);
	assert_fails(nbdclient_flush(disk, &err), NBDCLIENT_UNIMPLEMENTED);
	assert_says("cannot flush the default export of nbd+unix:");
	assert_ok(read_one(0, buf, sizeof buf));
}
END_TEST

START_TEST(an_error_of_the_server_has_its_errno_and_offset)
{
	unsigned char *buf = calloc(1, 4 * MiB);

	start_nbdkit("--filter=error", "memory", "8M", "error-pwrite=ENOSPC",
	    "error-pwrite-rate=100%", NULL);
	negotiate("disk");
	assert_fails(write_one(8, buf, 4 * MiB), NBDCLIENT_IO);
	ck_assert_int_eq(err.errnum, ENOSPC);
	assert_says("cannot write 1048576 bytes at offset 4096 of export "
	    "'disk' of nbd+unix:///?socket=");
	assert_says("No space left on device");
	/* The connection has survived. */
	assert_ok(read_one(0, buf, 4 * MiB));
	assert_ok(nbdclient_flush(disk, NULL));
	free(buf);
}
END_TEST

START_TEST(a_flush_that_fails_is_told)
{
	start_nbdkit("eval", "get_size=echo 1M", "pread=head -c $3 /dev/zero",
	    "can_write=exit 0", "pwrite=cat >/dev/null", "can_flush=exit 0",
	    "flush=echo 'EIO no power' >&2; exit 1", NULL);
	negotiate(NULL);
	assert_fails(nbdclient_flush(disk, &err), NBDCLIENT_IO);
	ck_assert_int_eq(err.errnum, EIO);
}
END_TEST

START_TEST(a_lost_server_is_told_once_and_then_at_once)
{
	unsigned char buf[512];

	start_nbdkit("memory", "1M", NULL);
	negotiate(NULL);
	nbdkit_stop();
	assert_fails(read_one(0, buf, sizeof buf), NBDCLIENT_DISCONNECTED);
	assert_fails(write_one(0, buf, sizeof buf), NBDCLIENT_DISCONNECTED);
	assert_says("the connection was lost before");
	assert_fails(nbdclient_flush(disk, &err), NBDCLIENT_DISCONNECTED);
	ck_assert_int_eq(read_one(0, buf, 0), NBDCLIENT_DISCONNECTED);
}
END_TEST

START_TEST(nobody_listening_cannot_be_connected)
{
	ck_assert_int_eq(nbdclient_connect(
	    "nbd+unix:///x?socket=/nonexistent/s", NULL, &channel, &err), 0);
	assert_fails(nbdclient_negotiate(channel, NULL, &disk, &err),
	    NBDCLIENT_CANNOT_CONNECT);
	ck_assert_str_eq(err.text, "nbd+unix:///?socket=/nonexistent/s: "
	    "cannot connect to unix socket '/nonexistent/s': "
	    "No such file or directory");
	ck_assert_int_eq(err.errnum, ENOENT);
}
END_TEST

static void
serve_http(int fd)
{
	(void)fake_put(fd, "HTTP/1.0 400 Bad Request\r\n\r\n", 28);
	fake_wait_for_eof(fd);
}

START_TEST(a_server_of_something_else_is_not_nbd)
{
	open_fake(serve_http, NULL);
	assert_fails(nbdclient_negotiate(channel, "d", &disk, &err),
	    NBDCLIENT_NOT_NBD);
	assert_says("cannot open export 'd'");
}
END_TEST

START_TEST(a_mute_server_times_out)
{
	const struct nbdclient_options options = { .connect_timeout_ms = 200 };

	open_fake(fake_serve_nothing, &options);
	assert_fails(nbdclient_negotiate(channel, "d", &disk, &err),
	    NBDCLIENT_TIMED_OUT);
	assert_says("cannot open export 'd': gave up after 0.2 s, waiting for "
	    "the server's greeting");
}
END_TEST

START_TEST(a_mute_server_has_10_seconds_without_settings)
{
	open_fake(fake_serve_nothing, NULL);
	assert_fails(nbdclient_negotiate(channel, "d", &disk, &err),
	    NBDCLIENT_TIMED_OUT);
	assert_says("gave up after 10.0 s");
}
END_TEST

/* Consents, and does not begin. */
static void
serve_no_handshake_of_tls(int fd)
{
	if (fake_greet(fd) && fake_get_option(fd) == NBD_OPT_STARTTLS)
		(void)fake_put_reply(fd, NBD_OPT_STARTTLS, NBD_REP_ACK, NULL,
		    0);
	fake_wait_for_release();
}

/* Refuses the first option, and then says no more. */
static void
serve_one_refusal(int fd)
{
	uint32_t option;

	if (fake_greet(fd) && (option = fake_get_option(fd)) != 0)
		(void)fake_put_reply(fd, option, NBD_REP_ERR_UNSUP, NULL, 0);
	fake_wait_for_release();
}

static void
serve_half_a_list(int fd)
{
	uint32_t option;

	if (fake_greet(fd) && (option = fake_get_option(fd)) != 0)
		(void)fake_put_reply(fd, option, NBD_REP_SERVER, "\0\0\0\1a",
		    5);
	fake_wait_for_release();
}

static const struct nbdclient_tls no_verify = { .no_verify = true };

/*
 * All the others are long enough to fail the test; and this one is for the
 * steps before it.
 */
static const struct mute_row {
	void (*serve)(int fd);
	struct nbdclient_options options;
	bool lists;
	const char *says;
} mute_rows[] = {
	{ fake_serve_nothing, { .connect_timeout_ms = 1000 }, false,
	    "gave up after 1.0 s, waiting for the server's greeting" },
	{ fake_serve_nothing, { .option_timeout_ms = 1000 }, false,
	    "gave up after 1.0 s, waiting for the server's greeting" },
	{ fake_serve_greeting_only, { .option_timeout_ms = 1000 }, false,
	    "gave up after 1.0 s, waiting for the answer to "
	    "NBD_OPT_EXTENDED_HEADERS" },
	{ serve_one_refusal, { .option_timeout_ms = 1000 }, false,
	    "gave up after 1.0 s, waiting for the answer to "
	    "NBD_OPT_STRUCTURED_REPLY" },
	{ serve_half_a_list, { .option_timeout_ms = 1000 }, true,
	    "gave up after 1.0 s, waiting for the answer to NBD_OPT_LIST" },
	{ serve_no_handshake_of_tls, { .tls_timeout_ms = 1000,
	    .tls = &no_verify }, false,
	    "gave up after 1.0 s, waiting for the TLS handshake" },
	{ fake_serve_greeting_only, { .option_timeout_ms = 1000,
	    .tls = &no_verify }, false,
	    "gave up after 1.0 s, waiting for the answer to "
	    "NBD_OPT_STARTTLS" },
};

#define N_MUTE_ROWS ((int)(sizeof mute_rows / sizeof mute_rows[0]))

START_TEST(a_mute_server_is_told_by_the_deadline_of_its_step)
{
	const struct mute_row *row = &mute_rows[_i];
	struct nbdclient_options options = row->options;
	struct nbdclient_listing *listing;
	size_t n;

	if (options.connect_timeout_ms == 0)
		options.connect_timeout_ms = 100000;
	open_fake(row->serve, &options);
	if (row->lists)
		assert_fails(nbdclient_list(channel, &listing, &n, &err),
		    NBDCLIENT_TIMED_OUT);
	else
		assert_fails(nbdclient_negotiate(channel, "d", &disk, &err),
		    NBDCLIENT_TIMED_OUT);
	assert_says(row->says);
	ck_assert_int_eq(err.errnum, ETIMEDOUT);
}
END_TEST

START_TEST(a_request_has_its_own_deadline)
{
	const struct nbdclient_options options = {
		.io_timeout_ms = 100000,
		.request_timeout_ms = 200,
	};
	unsigned char buf[512];

	open_fake(fake_serve_handshake_only, &options);
	negotiate("");
	assert_fails(read_one(0, buf, sizeof buf), NBDCLIENT_TIMED_OUT);
	assert_says("a request was not answered for 0.2 s");
}
END_TEST

START_TEST(a_server_that_stops_answering_times_out)
{
	const struct nbdclient_options options = { .io_timeout_ms = 200 };
	unsigned char buf[512];

	open_fake(fake_serve_handshake_only, &options);
	negotiate("");
	assert_fails(read_one(0, buf, sizeof buf), NBDCLIENT_TIMED_OUT);
	assert_says("no answer for 0.2 s with 1 request in flight");
	assert_fails(read_one(0, buf, sizeof buf), NBDCLIENT_DISCONNECTED);
}
END_TEST

static void
serve_wrong_cookie(int fd)
{
	struct fake_request req;

	if (fake_negotiate(fd) && fake_get_request(fd, &req))
		(void)fake_put_simple_reply(fd, req.cookie + 1);
	fake_wait_for_eof(fd);
}

START_TEST(a_server_that_breaks_the_protocol_is_told)
{
	unsigned char buf[512];

	open_fake(serve_wrong_cookie, NULL);
	negotiate("");
	assert_fails(read_one(0, buf, sizeof buf), NBDCLIENT_PROTOCOL);
	assert_fails(read_one(0, buf, sizeof buf), NBDCLIENT_DISCONNECTED);
}
END_TEST

START_TEST(an_export_that_does_not_exist_is_told)
{
	start_nbdkit("--filter=exportname", "memory", "1M", "exportname=one",
	    "exportname-strict=true", NULL);
	assert_fails(nbdclient_negotiate(channel, "no\nsuch", &disk, &err),
	    NBDCLIENT_NO_EXPORT);
	assert_says("no\\x0Asuch");
	negotiate("one");
}
END_TEST

START_TEST(a_server_that_wants_tls_is_told)
{
	char file[] = "/tmp/nbdsync-psk-XXXXXX";
	char arg[64];
	int fd = mkstemp(file);

	ck_assert_int_eq(write(fd, "me:00112233445566778899aabbccddeeff\n", 36),
	    36);
	(void)close(fd);
	(void)snprintf(arg, sizeof arg, "--tls-psk=%s", file);
	start_nbdkit("--tls=require", arg, "memory", "1M", NULL);
	assert_fails(nbdclient_negotiate(channel, NULL, &disk, &err),
	    NBDCLIENT_TLS_REQUIRED);
	(void)unlink(file);
}
END_TEST

START_TEST(the_uri_gives_the_default_export)
{
	struct nbdclient_channel *other;
	char uri[200];

	start_nbdkit("--filter=exportname", "memory", "1M", "exportname=one",
	    "exportname-strict=true", NULL);
	(void)snprintf(uri, sizeof uri, "nbd+unix:///one?socket=%s",
	    nbdkit_socket());
	ck_assert_int_eq(nbdclient_connect(uri, NULL, &other, &err), 0);
	assert_ok(nbdclient_negotiate(other, NULL, &disk, &err));
	/* The disk lives on without its channel. */
	nbdclient_channel_free(other);
	assert_ok(nbdclient_flush(disk, &err));
}
END_TEST

static int
connect_to_child(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)strcpy(sun.sun_path, nbdkit_socket());
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	return fd;
}

START_TEST(a_socket_serves_one_call)
{
	struct nbdclient_channel *other;
	struct nbdclient_disk *none;
	unsigned char buf[512];
	char text[64];
	int fd;

	start_nbdkit("memory", "1M", NULL);
	fd = connect_to_child();
	assert_ok(nbdclient_connect_fd(fd, NULL, &other, &err));
	assert_ok(nbdclient_negotiate(other, NULL, &disk, &err));
	assert_ok(read_one(0, buf, sizeof buf));
	assert_fails(nbdclient_negotiate(other, NULL, &none, &err),
	    NBDCLIENT_INVALID);
	(void)snprintf(text, sizeof text, "descriptor %d has been used", fd);
	assert_says(text);
	nbdclient_channel_free(other);
}
END_TEST

START_TEST(what_is_no_stream_socket_is_refused_and_closed)
{
	int fds[2];

	ck_assert_int_eq(_i == 0 ? pipe(fds) :
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_fails(nbdclient_connect_fd(fds[0], NULL, &channel, &err),
	    NBDCLIENT_INVALID);
	ck_assert_int_eq(close(fds[0]), -1);
	(void)close(fds[1]);
	ck_assert_int_eq(nbdclient_connect_fd(-1, NULL, &channel, &err),
	    NBDCLIENT_INVALID);
}
END_TEST

START_TEST(a_bad_uri_is_invalid)
{
	assert_fails(nbdclient_connect("http://example.com/", NULL, &channel,
	    &err), NBDCLIENT_INVALID);
	ck_assert_uint_gt(strlen(err.text), 0);
	ck_assert_int_eq(nbdclient_connect("nbd://a b/", NULL, &channel, NULL),
	    NBDCLIENT_INVALID);
}
END_TEST

START_TEST(every_code_has_words_of_its_own)
{
	int a;
	int b;

	for (a = 0; a >= NBDCLIENT_TLS; a--) {
		ck_assert_str_ne(nbdclient_strerror(a), "unknown error");
		for (b = 0; b > a; b--)
			ck_assert_str_ne(nbdclient_strerror(a),
			    nbdclient_strerror(b));
	}
	ck_assert_str_eq(nbdclient_strerror(1), "unknown error");
	ck_assert_str_eq(nbdclient_strerror(-17), "unknown error");
	ck_assert_str_eq(nbdclient_strerror(-1000000), "unknown error");
	ck_assert_str_eq(nbdclient_strerror(INT32_MIN), "unknown error");
}
END_TEST

START_TEST(nothing_can_be_given_back)
{
	nbdclient_channel_free(NULL);
	nbdclient_disconnect(NULL);
	nbdclient_listing_free(NULL, 0);
}
END_TEST

static TCase *
case_new(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	suite_add_tcase(s, tc);
	return tc;
}

static void
add_channel_tests(TCase *tc)
{
	tcase_add_test(tc, exports_are_listed_with_names_and_descriptions);
	tcase_add_loop_test(tc, a_policy_and_an_old_server_are_told_apart, 0,
	    2);
	tcase_add_test(tc,
	    a_server_without_fixed_newstyle_can_be_opened_not_listed);
	tcase_add_test(tc, an_oldstyle_server_is_too_old);
	tcase_add_test(tc, nobody_listening_cannot_be_connected);
	tcase_add_test(tc, a_server_of_something_else_is_not_nbd);
	tcase_add_test(tc, a_mute_server_times_out);
	tcase_add_test(tc, a_mute_server_has_10_seconds_without_settings);
	tcase_add_loop_test(tc,
	    a_mute_server_is_told_by_the_deadline_of_its_step, 0, N_MUTE_ROWS);
	tcase_add_test(tc, an_export_that_does_not_exist_is_told);
	tcase_add_test(tc, a_server_that_wants_tls_is_told);
	tcase_add_test(tc, the_uri_gives_the_default_export);
	tcase_add_test(tc, a_socket_serves_one_call);
	tcase_add_loop_test(tc, what_is_no_stream_socket_is_refused_and_closed,
	    0, 2);
	tcase_add_test(tc, a_bad_uri_is_invalid);
	tcase_add_test(tc, every_code_has_words_of_its_own);
	tcase_add_test(tc, nothing_can_be_given_back);
}

static void
add_disk_tests(TCase *tc)
{
	tcase_add_test(tc, the_info_counts_a_shorter_last_sector);
	tcase_add_test(tc, a_server_without_structured_replies_works);
	tcase_add_test(tc, the_sector_is_the_minimum_block);
	tcase_add_test(tc, a_long_read_fills_all_buffers);
	tcase_add_test(tc, what_was_written_is_read_back);
	tcase_add_test(tc, the_last_shorter_sector_is_written_and_read);
	tcase_add_test(tc, only_the_last_buffer_may_be_short);
	tcase_add_test(tc, a_tail_no_request_can_reach_is_told);
	tcase_add_test(tc, a_read_only_export_is_not_written);
	tcase_add_test(tc, a_flush_that_is_not_offered_is_unimplemented);
	tcase_add_test(tc, an_error_of_the_server_has_its_errno_and_offset);
	tcase_add_test(tc, a_flush_that_fails_is_told);
	tcase_add_test(tc, a_lost_server_is_told_once_and_then_at_once);
	tcase_add_test(tc, a_server_that_stops_answering_times_out);
	tcase_add_test(tc, a_request_has_its_own_deadline);
	tcase_add_test(tc, a_server_that_breaks_the_protocol_is_told);
}

int
main(void)
{
	Suite *s = suite_create("client/nbdclient");

	add_channel_tests(case_new(s, "channel"));
	add_disk_tests(case_new(s, "disk"));
	return unit_main(s);
}
