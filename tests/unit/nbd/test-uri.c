/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nbd/uri.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "unit.h"

static const struct good_row {
	const char *text;
	enum nbd_transport transport;
	const char *host;
	uint16_t port;
	const char *socket;
	const char *export_name;
} good_rows[] = {
	{ "nbd://example.com", NBD_TRANSPORT_TCP, "example.com", 10809, NULL,
	    "" },
	{ "nbd://example.com/", NBD_TRANSPORT_TCP, "example.com", 10809, NULL,
	    "" },
	{ "nbd://example.com:1234/disk", NBD_TRANSPORT_TCP, "example.com",
	    1234, NULL, "disk" },
	{ "NBD://h:65535/A", NBD_TRANSPORT_TCP, "h", 65535, NULL, "A" },
	{ "nbd://h:/x", NBD_TRANSPORT_TCP, "h", 10809, NULL, "x" },
	/* Nothing is done to the path but decoding. */
	{ "nbd://h//disk", NBD_TRANSPORT_TCP, "h", 10809, NULL, "/disk" },
	{ "nbd://h/.", NBD_TRANSPORT_TCP, "h", 10809, NULL, "." },
	{ "nbd://h/a/../b", NBD_TRANSPORT_TCP, "h", 10809, NULL, "a/../b" },
	{ "nbd://h/hello%20world", NBD_TRANSPORT_TCP, "h", 10809, NULL,
	    "hello world" },
	{ "nbd://h/a+b", NBD_TRANSPORT_TCP, "h", 10809, NULL, "a+b" },
	{ "nbd://h/%c3%A9%3f", NBD_TRANSPORT_TCP, "h", 10809, NULL,
	    "\xc3\xa9?" },
	{ "nbd://h/a:b@c", NBD_TRANSPORT_TCP, "h", 10809, NULL, "a:b@c" },
	{ "nbd://[::1]", NBD_TRANSPORT_TCP, "::1", 10809, NULL, "" },
	{ "nbd://[2001:db8::7]:99/x", NBD_TRANSPORT_TCP, "2001:db8::7", 99,
	    NULL, "x" },
	{ "nbd://[fe80::1%25eth0]/x", NBD_TRANSPORT_TCP, "fe80::1%eth0",
	    10809, NULL, "x" },
	{ "nbd://h?x-one=1&x-two=2", NBD_TRANSPORT_TCP, "h", 10809, NULL,
	    "" },
	{ "nbd://h/e?", NBD_TRANSPORT_TCP, "h", 10809, NULL, "e" },
	{ "nbd+unix:///?socket=/tmp/s", NBD_TRANSPORT_UNIX, NULL, 0, "/tmp/s",
	    "" },
	{ "nbd+unix://?socket=s", NBD_TRANSPORT_UNIX, NULL, 0, "s", "" },
	{ "nbd+unix:///disk?x-y&socket=/run/a%20b%26c", NBD_TRANSPORT_UNIX,
	    NULL, 0, "/run/a b&c", "disk" },
	{ "nbd+unix:///d?socket=/a=b?c", NBD_TRANSPORT_UNIX, NULL, 0,
	    "/a=b?c", "d" },
};

#define N_GOOD ((int)(sizeof good_rows / sizeof good_rows[0]))

static void
expect_text(const char *is, const char *wanted)
{
	if (wanted == NULL)
		ck_assert_ptr_null(is);
	else
		ck_assert_str_eq(is, wanted);
}

START_TEST(a_uri_is_cut_into_its_parts)
{
	const struct good_row *row = &good_rows[_i];
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;
	struct error e = { 0 };

	ck_assert_msg(nbd_uri_parse(row->text, &uri, &e) == 0, "%s", e.text);
	ck_assert_int_eq(uri->transport, row->transport);
	expect_text(uri->host, row->host);
	ck_assert_uint_eq(uri->port, row->port);
	expect_text(uri->socket, row->socket);
	expect_text(uri->export_name, row->export_name);
}
END_TEST

static const struct bad_row {
	const char *text;
	const char *says;
} bad_rows[] = {
	{ "", "does not begin with nbd://" },
	{ "/dev/sda", "does not begin with nbd://" },
	{ "://h", "does not begin with nbd://" },
	{ "nbd:h:10809", "'//' is missing after 'nbd:'" },
	{ "nbd:/h", "'//' is missing" },
	{ "http://h/", "scheme 'http' is not one of NBD" },
	{ "nbd+ssh://h/", "scheme 'nbd+ssh' is not one of NBD" },
	{ "nbdx://h/", "scheme 'nbdx' is not one of NBD" },
	{ "nbd+vsock://4294967295/", "'4294967295' is not a CID" },
	{ "nbd+vsock://99999999999999999999/", "is not a CID" },
	{ "nbd+vsock://host/", "'host' is not a CID, the number of a machine" },
	{ "nbd+vsock://-1/", "'-1' is not a CID" },
	{ "nbd+vsock://2%30/", "'2%30' is not a CID" },
	{ "nbd+vsock://[2]/", "'[2]' is not a CID" },
	{ "nbd+vsock://2:0/", "'0' is not a port (1 to 4294967294)" },
	{ "nbd+vsock://2:4294967295/", "is not a port" },
	{ "nbd+vsock://2:1:2/", "'1:2' is not a port" },
	{ "nbd+vsock://bob@2/", "user name ('@')" },
	{ "nbd+vsock://2/?socket=/s", "goes with the scheme nbd+unix" },
	{ "nbd://h/my disk", "'nbd://h/my disk': it has a blank in it" },
	{ " nbd://h/", "has a blank" },
	{ "nbd://h/a\tb", "'nbd://h/a\\x09b': it has a control character" },
	{ "nbd://h/a\x7f", "has a control character" },
	{ "nbd://h/a\x1b[2J", "\\x1B[2J" },
	{ "nbd://h/a#b", "'#'" },
	{ "nbd:///disk", "names no host" },
	{ "nbd://", "names no host" },
	{ "nbd://:99/", "names no host" },
	{ "nbd://bob@h/", "user name ('@')" },
	{ "nbd+unix://bob@/?socket=s", "user name ('@')" },
	{ "nbd://h:0/", "'0' is not a port" },
	{ "nbd://h:65536/", "'65536' is not a port" },
	{ "nbd://h:99999999999999999999/", "is not a port" },
	{ "nbd://h:9x/", "'9x' is not a port" },
	{ "nbd://h:x9/", "'x9' is not a port" },
	{ "nbd://h:-1/", "'-1' is not a port" },
	{ "nbd://::1/", "must be in brackets" },
	{ "nbd://[::1/", "']' is missing" },
	{ "nbd://[::1]x/", "follows ']'" },
	{ "nbd://[::1]99/", "follows ']'" },
	{ "nbd://[hello]/", "is not an IPv6 address" },
	{ "nbd://[]/", "is not an IPv6 address" },
	{ "nbd://[fe80::1%25]/", "is not an IPv6 address" },
	{ "nbd://x[::1]/", "brackets" },
	{ "nbd://h%0a/", "host has a blank or control" },
	{ "nbd://h/%", "two hexadecimal digits" },
	{ "nbd://h/%4", "two hexadecimal digits" },
	{ "nbd://h/%zz", "two hexadecimal digits" },
	{ "nbd://h/a%00b", "zero byte" },
	{ "nbd://h%00/", "zero byte" },
	{ "nbd+unix:///?socket=%00", "no name follows 'socket=%00'" },
	{ "nbd+unix:///?socket=%00a%00b", "zero byte" },
	{ "nbd+unix:///?socket=a%00b", "zero byte" },
	{ "nbd://h?x-a=%00", "zero byte" },
	{ "nbd://h?x%00-a=1", "zero byte" },
	{ "nbd+unix:///disk", "'?socket=PATH' is missing" },
	{ "nbd+unix:///disk?socket=", "has no value" },
	{ "nbd+unix:///disk?socket", "has no value" },
	{ "nbd+unix://host/disk?socket=/s", "has no host" },
	{ "nbd://h/disk?socket=/s", "goes with the scheme nbd+unix" },
	{ "nbd+unix:///?socket=/s&socket=/s", "'socket' appears twice" },
	{ "nbd+unix:///?socket=/s&socke%74=/s", "'socket' appears twice" },
	{ "nbd://h?x-a=1&x-a=2", "'x-a' appears twice" },
	{ "nbd://h?x-%1b=1&x-%1b=2", "'x-\\x1B' appears twice" },
	{ "nbd://h?sock=/s", "unknown key 'sock'" },
	{ "nbd://h?X-a=1", "unknown key 'X-a'" },
	{ "nbd://h?x-a=1&&x-b=1", "unknown key ''" },
	{ "nbd://h?%0a=1", "unknown key '\\x0A'" },
	{ "nbd://h?tls-psk-file=/k", "goes with the schemes nbds" },
	{ "nbds://h?tls-type=anon", "not supported" },
	{ "nbds://h?tls-type=", "is x509 or psk" },
	{ "nbds://h?tls-type=X509", "is x509 or psk" },
	{ "nbd://h?tls-type=x509", "goes with the schemes nbds" },
	{ "nbds://h?tls-type=psk&tls-type=psk", "appears twice" },
	{ "nbds://h?tls-type=x509&tls-psk-file=/k", "goes with tls-type=psk" },
	{ "nbds://h?tls-certificates=/d&tls-type=psk",
	    "goes with tls-type=x509" },
	{ "nbds://h?tls-cert=/d", "unknown key 'tls-cert'" },
	{ "nbds://h?tls-psk-file=", "has no value" },
	{ "nbds://h?tls-verify-peer=no", "is 0 or 1" },
	{ "nbds://h?tls-verify-peer=", "is 0 or 1" },
	{ "nbds://h?tls-hostname=a&tls-hostname=b", "appears twice" },
	{ "nbds://@h", "user name is empty" },
	{ "nbds://a:b@h", "has a ':'" },
	{ "nbds://a@b@h", "more than one '@'" },
	{ "nbds+unix://a@h/?socket=/s", "has no host" },
	{ "nbd://h?x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "unknown key" },
};

#define N_BAD ((int)(sizeof bad_rows / sizeof bad_rows[0]))

static const struct vsock_row {
	const char *text;
	uint32_t cid;
	uint32_t port;
	const char *export_name;
} vsock_rows[] = {
	{ "nbd+vsock://", 2, 10809, "" },
	{ "nbd+vsock:///disk", 2, 10809, "disk" },
	{ "nbd+vsock://:1234/disk", 2, 1234, "disk" },
	{ "nbd+vsock://1", 1, 10809, "" },
	{ "nbd+vsock://0:/", 0, 10809, "" },
	{ "NBD+VSOCK://3:1/a?x-b=c", 3, 1, "a" },
	{ "nbd+vsock://4294967294:4294967294/", 4294967294, 4294967294, "" },
};

#define N_VSOCK ((int)(sizeof vsock_rows / sizeof vsock_rows[0]))

START_TEST(a_vsock_uri_has_a_machine_and_a_port)
{
	const struct vsock_row *row = &vsock_rows[_i];
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;
	struct error e = { 0 };

	ck_assert_msg(nbd_uri_parse(row->text, &uri, &e) == 0, "%s", e.text);
	ck_assert_int_eq(uri->transport, NBD_TRANSPORT_VSOCK);
	ck_assert_uint_eq(uri->cid, row->cid);
	ck_assert_uint_eq(uri->port, row->port);
	ck_assert_str_eq(uri->export_name, row->export_name);
	ck_assert_ptr_null(uri->host);
}
END_TEST

START_TEST(a_socket_that_begins_with_a_zero_byte_is_abstract)
{
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;
	CLEANUP(nbd_uri_freep) struct nbd_uri *at = NULL;

	ck_assert_int_eq(nbd_uri_parse("nbd+unix:///e?socket=%00a%2fb", &uri,
	    NULL), 0);
	ck_assert(uri->socket_is_abstract);
	ck_assert_str_eq(uri->socket, "a/b");
	/* A file may be called so. */
	ck_assert_int_eq(nbd_uri_parse("nbd+unix:///?socket=@a", &at, NULL),
	    0);
	ck_assert(!at->socket_is_abstract);
	ck_assert_str_eq(at->socket, "@a");
}
END_TEST

START_TEST(a_bad_uri_is_refused_with_a_sentence)
{
	const struct bad_row *row = &bad_rows[_i];
	struct nbd_uri *uri = NULL;
	struct error e = { 0 };

	ck_assert_msg(nbd_uri_parse(row->text, &uri, &e) == -EINVAL, "%s",
	    row->text);
	ck_assert_ptr_null(uri);
	ck_assert_int_eq(e.code, -EINVAL);
	ck_assert_msg(strstr(e.text, row->says) != NULL,
	    "'%s' is not in \"%s\"", row->says, e.text);
	for (const char *p = e.text; *p != '\0'; p++)
		ck_assert_int_ge((unsigned char)*p, 0x20);
}
END_TEST

START_TEST(a_name_has_at_most_4096_bytes)
{
	char text[4200] = "nbd://h/";
	size_t n = strlen(text);
	struct nbd_uri *uri = NULL;
	struct error e;

	memset(text + n, 'a', 4097);
	ck_assert_int_eq(nbd_uri_parse(text, &uri, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "longer than 4096"));
	text[n + 4096] = '\0';
	ck_assert_int_eq(nbd_uri_parse(text, &uri, NULL), 0);
	ck_assert_uint_eq(strlen(uri->export_name), 4096);
	nbd_uri_free(uri);
	nbd_uri_free(NULL);
}
END_TEST

START_TEST(keys_without_end_are_refused)
{
	char text[512] = "nbd://h?x-0=1";
	size_t n = strlen(text);
	struct nbd_uri *uri = NULL;
	struct error e;

	for (int i = 1; i < 40; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "&x-%d=1",
		    i);
	ck_assert_int_eq(nbd_uri_parse(text, &uri, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "more than 32 keys"));
}
END_TEST

/* Where what is quoted ends, too. */
START_TEST(no_password_is_quoted_behind_a_name_of_any_length)
{
	char name[201];
	char text[256];
	struct nbd_uri *uri = NULL;
	struct error e;

	memset(name, 'a', sizeof name);
	for (size_t len = 1; len < sizeof name; len++) {
		(void)snprintf(text, sizeof text, "nbd://%.*s:SECRET@h",
		    (int)len, name);
		ck_assert_int_eq(nbd_uri_parse(text, &uri, &e), -EINVAL);
		ck_assert_ptr_null(strstr(e.text, "SECRET"));
	}
}
END_TEST

START_TEST(a_word_and_a_colon_look_like_a_uri)
{
	ck_assert(nbd_uri_is_uri("nbd://h"));
	ck_assert(nbd_uri_is_uri("nbd+unix:///?socket=s"));
	ck_assert(nbd_uri_is_uri("http://h"));
	ck_assert(nbd_uri_is_uri("nbd:h:10809"));
	ck_assert(!nbd_uri_is_uri("/dev/sda"));
	ck_assert(!nbd_uri_is_uri("disk.img"));
	ck_assert(!nbd_uri_is_uri("./a:b"));
	ck_assert(!nbd_uri_is_uri("1a:b"));
	ck_assert(!nbd_uri_is_uri("my disk:b"));
	ck_assert(!nbd_uri_is_uri(":b"));
	ck_assert(!nbd_uri_is_uri(""));
}
END_TEST

START_TEST(tls_is_told_with_all_its_settings)
{
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;

	ck_assert_int_eq(nbd_uri_parse("NBDS://al%40ice@[::1]:7/disk?"
	    "tls-certificates=/a%20b&tls-psk-file=/k&tls-hostname=h&"
	    "tls-verify-peer=0", &uri, NULL), 0);
	ck_assert(uri->tls);
	ck_assert_str_eq(uri->host, "::1");
	ck_assert_uint_eq(uri->port, 7);
	ck_assert_str_eq(uri->user, "al@ice");
	ck_assert_str_eq(uri->tls_certificates, "/a b");
	ck_assert_str_eq(uri->tls_psk_file, "/k");
	ck_assert_str_eq(uri->tls_hostname, "h");
	ck_assert(uri->tls_no_verify);
}
END_TEST

START_TEST(how_tls_proves_who_is_who_can_be_told)
{
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;

	ck_assert_int_eq(nbd_uri_parse("nbds://h", &uri, NULL), 0);
	ck_assert_int_eq(uri->tls_type, NBD_TLS_ANY);
	nbd_uri_free(STEAL(uri));
	ck_assert_int_eq(nbd_uri_parse("nbds://h?tls-type=x509&"
	    "tls-certificates=/d", &uri, NULL), 0);
	ck_assert_int_eq(uri->tls_type, NBD_TLS_X509);
	nbd_uri_free(STEAL(uri));
	ck_assert_int_eq(nbd_uri_parse("nbds://u@h?tls-psk-file=/k&"
	    "tls-type=psk", &uri, NULL), 0);
	ck_assert_int_eq(uri->tls_type, NBD_TLS_PSK);
}
END_TEST

START_TEST(tls_verifies_unless_told_not_to)
{
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;

	ck_assert_int_eq(nbd_uri_parse("nbds+unix://u@/x?socket=/s&"
	    "tls-verify-peer=1", &uri, NULL), 0);
	ck_assert(uri->tls);
	ck_assert(!uri->tls_no_verify);
	ck_assert_str_eq(uri->user, "u");
	ck_assert_str_eq(uri->socket, "/s");
	nbd_uri_free(STEAL(uri));
	ck_assert_int_eq(nbd_uri_parse("nbd://h", &uri, NULL), 0);
	ck_assert(!uri->tls);
	ck_assert(!uri->tls_no_verify);
	ck_assert_ptr_null(uri->user);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nbd/uri");
	TCase *tc = tcase_create("uri");

	tcase_add_test(tc, tls_is_told_with_all_its_settings);
	tcase_add_test(tc, how_tls_proves_who_is_who_can_be_told);
	tcase_add_test(tc, tls_verifies_unless_told_not_to);
	tcase_add_loop_test(tc, a_uri_is_cut_into_its_parts, 0, N_GOOD);
	tcase_add_loop_test(tc, a_vsock_uri_has_a_machine_and_a_port, 0,
	    N_VSOCK);
	tcase_add_test(tc, a_socket_that_begins_with_a_zero_byte_is_abstract);
	tcase_add_loop_test(tc, a_bad_uri_is_refused_with_a_sentence, 0,
	    N_BAD);
	tcase_add_test(tc, a_name_has_at_most_4096_bytes);
	tcase_add_test(tc, keys_without_end_are_refused);
	tcase_add_test(tc,
	    no_password_is_quoted_behind_a_name_of_any_length);
	tcase_add_test(tc, a_word_and_a_colon_look_like_a_uri);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
