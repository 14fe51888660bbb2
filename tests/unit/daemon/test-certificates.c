/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of real certificates with little time left.
 */
#include "certificates.h"

#include <stdatomic.h>
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

/* A disk that hangs: who reads from it waits until it does not any more. */
static atomic_bool hangs;
static atomic_uint n_waiting;

int __real_tls_certificates_expire(const char *file, int64_t *ret_at_s);
int __wrap_tls_certificates_expire(const char *file, int64_t *ret_at_s);

int
__wrap_tls_certificates_expire(const char *file, int64_t *ret_at_s)
{
	if (atomic_load(&hangs))
		(void)atomic_fetch_add(&n_waiting, 1);
	while (atomic_load(&hangs))
		usleep(1000);
	return __real_tls_certificates_expire(file, ret_at_s);
}

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
	/* What they have would be a leak if they ended after us. */
	atomic_store(&hangs, false);
	for (unsigned i = 0; certificates_count_readers() > 0; i++) {
		ck_assert_uint_lt(i, 50000);
		usleep(1000);
	}
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

#define LOOK_UNTIL(condition) \
	for (unsigned i_ = 0; !(condition); i_++) { \
		ck_assert_uint_lt(i_, 50000); \
		usleep(1000); \
		(void)event_base_loop(net_loop_base(loop), EVLOOP_NONBLOCK); \
	}

static int64_t
expiry(size_t i)
{
	return certificates_get(certificates, i).ca_s;
}

/* A while, in which there are some looks. */
static void
look_on(void)
{
	unsigned n = 0;

	LOOK_UNTIL(++n == 3 * CERTIFICATES_TELL);
}

START_TEST(one_that_was_renewed_is_not_told_of_without_a_reload)
{
	unsigned n;

	begin(5 * DAY_S);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_int_lt(certificates_get(certificates, 0).ca_s,
	    time(NULL) + 6 * DAY_S);
	write_authority(90 * DAY_S);
	LOOK_UNTIL(expiry(0) > time(NULL) + 89 * DAY_S);
	n = n_told;
	look_on();
	ck_assert_uint_eq(n_told, n);
}
END_TEST

START_TEST(what_cannot_be_read_for_a_while_is_as_it_was)
{
	begin(5 * DAY_S);
	(void)unlink(path);
	LOOK_UNTIL(n_told > 1);
	ck_assert_int_gt(certificates_get(certificates, 0).ca_s, 0);
}
END_TEST

START_TEST(a_fifo_is_no_certificate_and_nothing_waits_for_one)
{
	begin(5 * DAY_S);
	(void)unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	LOOK_UNTIL(n_told > 1);
	ck_assert_int_gt(certificates_get(certificates, 0).ca_s, 0);
}
END_TEST

START_TEST(nor_is_a_file_that_takes_long_to_read)
{
	begin(5 * DAY_S);
	write_authority(90 * DAY_S);
	ck_assert_int_eq(truncate(path, 1024 * 1024 + 1), 0);
	look_on();
	ck_assert_int_lt(certificates_get(certificates, 0).ca_s,
	    time(NULL) + 6 * DAY_S);
}
END_TEST

START_TEST(a_disk_that_hangs_holds_nothing_up)
{
	begin(5 * DAY_S);
	atomic_store(&hangs, true);
	write_authority(90 * DAY_S);
	/* The loop goes on, and the log is told what it knows. */
	LOOK_UNTIL(atomic_load(&n_waiting) > 0 && n_told > 3);
	ck_assert_int_lt(expiry(0), time(NULL) + 6 * DAY_S);
	ck_assert_uint_eq(atomic_load(&n_waiting), 1);
	atomic_store(&hangs, false);
	LOOK_UNTIL(expiry(0) > time(NULL) + 89 * DAY_S);
}
END_TEST

START_TEST(nor_does_it_when_it_is_no_longer_configured)
{
	struct conf *other = conf_text_good("");

	begin(5 * DAY_S);
	atomic_store(&hangs, true);
	LOOK_UNTIL(atomic_load(&n_waiting) > 0);
	certificates_take(certificates, other);
	conf_free(conf);
	conf = NULL;
	look_on();
	certificates_free(STEAL(certificates));
	conf_free(other);
}
END_TEST

START_TEST(certificate_that_is_no_longer_configured_is_not_told_of)
{
	struct conf *other = conf_text_good("");

	begin(5 * DAY_S);
	certificates_take(certificates, other);
	look_on();
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
	tcase_add_test(tc, a_disk_that_hangs_holds_nothing_up);
	tcase_add_test(tc, nor_does_it_when_it_is_no_longer_configured);
	tcase_add_test(tc,
	    certificate_that_is_no_longer_configured_is_not_told_of);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
