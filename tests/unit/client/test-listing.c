/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The metadata contexts of an export: of nbdkit and QEMU, and of servers that
 * refuse.
 */
#include "client/nbdclient.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert-err.h"
#include "fake-server.h"
#include "nbd/protocol.h"
#include "nbdkit.h"
#include "unit.h"

static struct nbdclient_channel *channel;
static struct nbdclient_listing *listing;
static struct nbdclient_error err;
static size_t n;

static void
set_up(void)
{
	nbdkit_set_up();
	fake_set_up();
	channel = NULL;
	listing = NULL;
	n = 0;
}

static void
tear_down(void)
{
	nbdclient_listing_free(listing, n);
	nbdclient_channel_free(channel);
	fake_tear_down();
	nbdkit_tear_down();
}

#define assert_no_list(call, want)                                             \
	do {                                                                   \
		assert_fails(call, want);                                      \
		ck_assert_ptr_null(listing);                                   \
	} while (0)

static int
list_contexts(const char *export_name, const char *const *queries,
    size_t n_queries)
{
	return nbdclient_list_contexts(channel, export_name, queries,
	    n_queries, &listing, &n, &err);
}

static void
open_fake(void (*serve)(int fd))
{
	assert_ok(nbdclient_connect_fd(fake_start(serve), NULL, &channel,
	    &err));
}

START_TEST(nbdkit_has_one_with_or_without_structured_replies)
{
	nbdkit_start("memory", "1M", _i == 1 ? "--no-sr" : NULL, NULL);
	assert_ok(nbdclient_connect(nbdkit_uri, NULL, &channel, &err));
	assert_ok(list_contexts(NULL, NULL, 0));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(listing[0].name, "base:allocation");
	ck_assert_str_eq(listing[0].description, "");
}
END_TEST

START_TEST(a_server_of_before_the_options_is_too_old)
{
	nbdkit_start("--mask-handshake=0", "memory", "1M", NULL);
	assert_ok(nbdclient_connect(nbdkit_uri, NULL, &channel, &err));
	assert_no_list(list_contexts(NULL, NULL, 0), NBDCLIENT_TOO_OLD);
	assert_says("cannot list the contexts of export ''");
}
END_TEST

/* It has more than one. */
static void
start_qemu(const char *file)
{
	const char *argv[] = { "qemu-nbd", "--read-only", "--persistent",
		"--shared=8", "--allocation-depth", "--format=raw",
		"--export-name=disk", file, NULL };

	assert_ok(nbdclient_connect_command(argv, NULL, &channel, &err));
}

START_TEST(queries_say_which_ones)
{
	static const char *const queries[] = { "x:nothing", "qemu:" };
	char file[] = "/tmp/nbdsync-listing-XXXXXX";
	struct nbdclient_listing *all = NULL;
	size_t n_all = 0;
	int fd = mkstemp(file);

	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	(void)close(fd);
	start_qemu(file);
	assert_ok(nbdclient_list_contexts(channel, "disk", NULL, 0, &all,
	    &n_all, &err));
	ck_assert_uint_eq(n_all, 2);
	ck_assert_str_eq(all[0].name, "base:allocation");
	ck_assert_str_eq(all[1].name, "qemu:allocation-depth");
	nbdclient_listing_free(all, n_all);
	assert_no_list(list_contexts("none", queries, 2), NBDCLIENT_NO_EXPORT);
	assert_says("cannot list the contexts of export 'none'");
	assert_ok(list_contexts("disk", queries, 1));
	ck_assert_uint_eq(n, 0);
	nbdclient_listing_free(listing, n);
	assert_ok(list_contexts("disk", queries, 2));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(listing[0].name, "qemu:allocation-depth");
	(void)unlink(file);
}
END_TEST

static void
serve_refusal(int fd, uint32_t error)
{
	uint32_t option;

	if (!fake_greet(fd))
		return;
	while ((option = fake_get_option(fd)) != 0)
		(void)fake_put_reply(fd, option,
		    option == NBD_OPT_LIST_META_CONTEXT ? error :
		    NBD_REP_ERR_UNSUP, NULL, 0);
}

static void
serve_unsup(int fd)
{
	serve_refusal(fd, NBD_REP_ERR_UNSUP);
}

static void
serve_policy(int fd)
{
	serve_refusal(fd, NBD_REP_ERR_POLICY);
}

static void
serve_tls_reqd(int fd)
{
	serve_refusal(fd, NBD_REP_ERR_TLS_REQD);
}

static void
serve_invalid(int fd)
{
	serve_refusal(fd, NBD_REP_ERR_INVALID);
}

START_TEST(refusals_are_told_apart)
{
	static const struct {
		void (*serve)(int fd);
		int code;
	} rows[] = {
		{ serve_unsup, NBDCLIENT_TOO_OLD },
		{ serve_policy, NBDCLIENT_POLICY },
		{ serve_tls_reqd, NBDCLIENT_TLS_REQUIRED },
		{ serve_invalid, NBDCLIENT_REFUSED },
	};

	open_fake(rows[_i].serve);
	assert_no_list(list_contexts("d", NULL, 0), rows[_i].code);
	assert_says("descriptor ");
	assert_says("cannot list the contexts of export 'd'");
	/* A socket serves one call. */
	assert_no_list(list_contexts("d", NULL, 0), NBDCLIENT_INVALID);
}
END_TEST

START_TEST(queries_have_their_limits)
{
	static const char *const twice[] = { "a:", "a:" };
	const char *many[17];
	char name[4098];

	for (int i = 0; i < 17; i++)
		many[i] = "x:";
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_ok(nbdclient_connect("nbd+unix:///?socket=/nonexistent", NULL,
	    &channel, &err));
	assert_no_list(list_contexts(NULL, many, 17), NBDCLIENT_INVALID);
	assert_says("more than 16");
	assert_no_list(list_contexts(NULL, twice, 2), NBDCLIENT_INVALID);
	assert_says("twice");
	many[0] = name;
	assert_no_list(list_contexts(NULL, many, 1), NBDCLIENT_INVALID);
	assert_says("too long");
	assert_no_list(list_contexts(name, NULL, 0), NBDCLIENT_INVALID);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client/listing");
	TCase *tc = tcase_create("listing");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc,
	    nbdkit_has_one_with_or_without_structured_replies, 0, 2);
	tcase_add_test(tc, a_server_of_before_the_options_is_too_old);
	tcase_add_test(tc, queries_say_which_ones);
	tcase_add_loop_test(tc, refusals_are_told_apart, 0, 4);
	tcase_add_test(tc, queries_have_their_limits);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
