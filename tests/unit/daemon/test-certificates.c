/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of real certificates with little time left.
 */
#include "certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "conf-text.h"
#include "log/messages.h"
#include "unit.h"

#define DAY_S 86400

static struct net_loop *loop;
static struct certificates *certificates;
static struct conf *conf;
static char path[64];
static unsigned n_told;
static unsigned n_wanted;
static char told[256];

static void
on_record(const struct log_record *record)
{
	if (record->about->message != &messages[MSG_CERTIFICATE])
		return;
	ck_assert_int_eq(record->level, LOG_LEVEL_WARNING);
	(void)snprintf(told, sizeof told, "%s", record->text);
	if (++n_told == n_wanted)
		net_loop_stop(loop);
}

static void
set_up(void)
{
	int fd;

	(void)snprintf(path, sizeof path, "/tmp/nbdsync-cert-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	log_init();
	log_set_sink(on_record);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(certificates_new(loop, 1, &certificates), 0);
	n_told = 0;
	n_wanted = 0;
}

static void
tear_down(void)
{
	certificates_free(certificates);
	net_loop_free(loop);
	conf_free(conf);
	conf = NULL;
	log_set_sink(NULL);
	(void)unlink(path);
}

/* An authority that is good for so long. */
static void
write_authority(long left_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(cert),
	    -DAY_S));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(cert),
	    left_s));
	ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_X509(f, cert), 1);
	ck_assert_int_eq(fclose(f), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* As a daemon begins with it. */
static void
begin(long left_s)
{
	char text[256];

	write_authority(left_s);
	(void)snprintf(text, sizeof text,
	    "tls = ( { name = \"corp\"; ca = \"%s\"; } );", path);
	conf = conf_text_good(text);
	certificates_take(certificates, conf);
}

/* Until it has been told so often, all in all. */
static void
wait_for(unsigned n)
{
	n_wanted = n;
	if (n_told < n)
		ck_assert_int_eq(net_loop_run(loop), 0);
}

START_TEST(certificate_that_is_good_for_long_is_not_told_of)
{
	begin(22 * DAY_S);
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

START_TEST(one_that_expires_soon_is_told_of_at_once_with_the_day)
{
	begin(20 * DAY_S + 3600);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_ptr_nonnull(strstr(told,
	    "tls \"corp\": a certificate of \"ca\" expires in 20 days, at 20"));
}
END_TEST

START_TEST(and_of_the_last_days_the_hours)
{
	begin(5 * 3600 + 1800);
	ck_assert_ptr_nonnull(strstr(told, " expires in 5 hours, at 20"));
}
END_TEST

START_TEST(one_that_has_expired_is_told_of)
{
	begin(-60);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_ptr_nonnull(strstr(told,
	    "a certificate of \"ca\" has expired, at 20"));
}
END_TEST

START_TEST(it_is_told_again_and_again)
{
	begin(5 * DAY_S);
	wait_for(4);
}
END_TEST

START_TEST(what_becomes_true_later_is_told_then)
{
	/* Seconds, so that the first look comes before. */
	begin(CERTIFICATES_SOON_S + 4);
	ck_assert_uint_eq(n_told, 0);
	wait_for(1);
	ck_assert_ptr_nonnull(strstr(told, " expires in 20 days, at 20"));
}
END_TEST

/* The loop's timer gives at least so many looks. */
static void
look_for(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		usleep(2000);
		(void)event_base_loop(net_loop_base(loop), EVLOOP_NONBLOCK);
	}
}

START_TEST(one_that_was_renewed_is_not_told_of_without_a_reload)
{
	begin(5 * DAY_S);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_int_lt(certificates_get(certificates, 0).ca_s,
	    time(NULL) + 6 * DAY_S);
	write_authority(90 * DAY_S);
	look_for(3 * CERTIFICATES_TELL);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_int_gt(certificates_get(certificates, 0).ca_s,
	    time(NULL) + 89 * DAY_S);
}
END_TEST

START_TEST(what_cannot_be_read_for_a_while_is_as_it_was)
{
	begin(5 * DAY_S);
	(void)unlink(path);
	look_for(3 * CERTIFICATES_TELL);
	ck_assert_uint_gt(n_told, 1);
	ck_assert_int_gt(certificates_get(certificates, 0).ca_s, 0);
}
END_TEST

START_TEST(a_fifo_is_no_certificate_and_nothing_waits_for_one)
{
	begin(5 * DAY_S);
	(void)unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	look_for(3 * CERTIFICATES_TELL);
	ck_assert_uint_gt(n_told, 1);
	ck_assert_int_gt(certificates_get(certificates, 0).ca_s, 0);
}
END_TEST

START_TEST(nor_is_a_file_that_takes_long_to_read)
{
	begin(5 * DAY_S);
	write_authority(90 * DAY_S);
	ck_assert_int_eq(truncate(path, 1024 * 1024 + 1), 0);
	look_for(3 * CERTIFICATES_TELL);
	ck_assert_int_lt(certificates_get(certificates, 0).ca_s,
	    time(NULL) + 6 * DAY_S);
}
END_TEST

START_TEST(each_turn_of_the_loop_looks_at_one)
{
	int64_t new_s = time(NULL) + 89 * DAY_S;
	char text[512];

	write_authority(30 * DAY_S);
	(void)snprintf(text, sizeof text,
	    "tls = ( { name = \"a\"; ca = \"%s\"; },"
	    "{ name = \"b\"; ca = \"%s\"; } );", path, path);
	conf = conf_text_good(text);
	certificates_take(certificates, conf);
	write_authority(90 * DAY_S);
	(void)event_base_loop(net_loop_base(loop), EVLOOP_ONCE);
	ck_assert_int_gt(certificates_get(certificates, 0).ca_s, new_s);
	ck_assert_int_lt(certificates_get(certificates, 1).ca_s, new_s);
	(void)event_base_loop(net_loop_base(loop), EVLOOP_ONCE);
	ck_assert_int_gt(certificates_get(certificates, 1).ca_s, new_s);
}
END_TEST

START_TEST(certificate_that_is_no_longer_configured_is_not_told_of)
{
	struct conf *other = conf_text_good("");

	begin(5 * DAY_S);
	certificates_take(certificates, other);
	look_for(3 * CERTIFICATES_TELL);
	ck_assert_uint_eq(n_told, 1);
	certificates_free(STEAL(certificates));
	conf_free(other);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon/certificates");
	TCase *tc = tcase_create("certificates");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, certificate_that_is_good_for_long_is_not_told_of);
	tcase_add_test(tc,
	    one_that_expires_soon_is_told_of_at_once_with_the_day);
	tcase_add_test(tc, and_of_the_last_days_the_hours);
	tcase_add_test(tc, one_that_has_expired_is_told_of);
	tcase_add_test(tc, it_is_told_again_and_again);
	tcase_add_test(tc, what_becomes_true_later_is_told_then);
	tcase_add_test(tc,
	    one_that_was_renewed_is_not_told_of_without_a_reload);
	tcase_add_test(tc, what_cannot_be_read_for_a_while_is_as_it_was);
	tcase_add_test(tc, a_fifo_is_no_certificate_and_nothing_waits_for_one);
	tcase_add_test(tc, nor_is_a_file_that_takes_long_to_read);
	tcase_add_test(tc, each_turn_of_the_loop_looks_at_one);
	tcase_add_test(tc,
	    certificate_that_is_no_longer_configured_is_not_told_of);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
