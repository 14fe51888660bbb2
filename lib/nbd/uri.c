/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD URIs (the NBD project's doc/uri.md, RFC 3986), cut into their parts:
 *
 *	scheme "://" authority ["/" path] ["?" key "=" value *("&" ...)]
 *
 * URIs come from configuration files and strangers: what is not understood
 * is refused with a sentence, never skipped or guessed.
 */

#include "nbd/uri.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "nbd/protocol.h"

#define QUOTE_SIZE  200
#define MAX_KEYS    32U
#define MAX_KEY_LEN 32U

/* The largest CID, and port, of vsock: the last number means "any". */
#define VSOCK_MAX (UINT32_MAX - 1)

static const struct scheme_row {
	const char *name;
	enum nbd_transport transport;
	bool tls;
} scheme_rows[] = {
	{ "nbd", NBD_TRANSPORT_TCP, false },
	{ "nbd+unix", NBD_TRANSPORT_UNIX, false },
	{ "nbd+vsock", NBD_TRANSPORT_VSOCK, false },
	{ "nbds", NBD_TRANSPORT_TCP, true },
	{ "nbds+unix", NBD_TRANSPORT_UNIX, true },
	{ "nbds+vsock", NBD_TRANSPORT_VSOCK, true },
};

#define N_SCHEMES (sizeof scheme_rows / sizeof scheme_rows[0])

/* A part of the text. */
struct part {
	const char *p;
	size_t len;
};

/* A text under way to a URI, and who hears of its faults. */
struct parse {
	const char *text;
	struct error *e;
	struct nbd_uri *uri;
	struct part scheme;
	struct part authority;
	struct part path;	/* with its first "/" */
	struct part query;
	char keys[MAX_KEYS][MAX_KEY_LEN + 1];	/* seen so far */
	size_t n_keys;
};

/*
 * As a message may have it: "nbds://user:...@host".  There is no password in
 * a URI of ours, but who has written one is not to find it in a log.
 */
static const char *
quote_text(const char *text, char quote[QUOTE_SIZE])
{
	const char *host = strstr(text, "://");
	size_t len = host == NULL ? 0 : strcspn(host + 3, "/?#");
	const char *at = host == NULL ? NULL : memrchr(host + 3, '@', len);
	const char *colon = at == NULL ? NULL :
	    memchr(host + 3, ':', (size_t)(at - host) - 3);
	size_t used;

	if (colon == NULL)
		return escape_text(text, strlen(text), quote, QUOTE_SIZE);
	(void)escape_text(text, (size_t)(colon - text), quote, QUOTE_SIZE);
	used = strlen(quote);
	(void)snprintf(quote + used, QUOTE_SIZE - used, ":...");
	used = strlen(quote);
	/* It takes 8 bytes at least. */
	if (used + 8 <= QUOTE_SIZE)
		(void)escape_text(at, strlen(at), quote + used,
		    QUOTE_SIZE - used);
	return quote;
}

static int PRINTF(2, 3)
fault(const struct parse *parse, const char *fmt, ...)
{
	char quote[QUOTE_SIZE];
	char reason[ERROR_TEXT_SIZE - QUOTE_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof reason, fmt, args);
	va_end(args);
	return error_set(parse->e, -EINVAL, "bad NBD URI '%s': %s",
	    quote_text(parse->text, quote), reason);
}

static int
no_memory(const struct parse *parse)
{
	return error_set(parse->e, -ENOMEM, "out of memory");
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Of a hexadecimal digit; -1 for anything else. */
static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The length of text's scheme, without the ":"; 0 if it has none. */
static size_t
scheme_len(const char *text)
{
	size_t n = 0;

	if (!is_alpha(text[0]))
		return 0;
	while (is_alpha(text[n]) || is_digit(text[n]) || text[n] == '+' ||
	    text[n] == '-' || text[n] == '.')
		n++;
	return text[n] == ':' ? n : 0;
}

static int
check_characters(const struct parse *parse)
{
	for (const char *p = parse->text; *p != '\0'; p++) {
		if (*p == ' ')
			return fault(parse,
			    "it has a blank in it (write %%20 for one)");
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return fault(parse,
			    "it has a control character in it");
		if (*p == '#')
			return fault(parse,
			    "it has a '#' in it (write %%23 for one)");
	}
	return 0;
}

/* The piece of *rest before any of the characters in stop. */
static struct part
cut_before(const char **rest, const char *stop)
{
	struct part part = { *rest, strcspn(*rest, stop) };

	*rest += part.len;
	return part;
}

static int
split(struct parse *parse)
{
	const char *rest = parse->text;

	parse->scheme = (struct part){ rest, scheme_len(rest) };
	if (parse->scheme.len == 0)
		return fault(parse,
		    "it does not begin with nbd:// or nbd+unix://");
	rest += parse->scheme.len + 1;
	if (strncmp(rest, "//", 2) != 0)
		return fault(parse, "'//' is missing after '%.*s:'",
		    (int)parse->scheme.len, parse->scheme.p);
	rest += 2;
	parse->authority = cut_before(&rest, "/?");
	parse->path = cut_before(&rest, "?");
	if (*rest == '?')
		rest++;
	parse->query = (struct part){ rest, strlen(rest) };
	return 0;
}

static int
parse_scheme(const struct parse *parse)
{
	const struct part *scheme = &parse->scheme;
	const struct scheme_row *row = NULL;

	for (size_t i = 0; i < N_SCHEMES; i++) {
		if (strlen(scheme_rows[i].name) == scheme->len &&
		    strncasecmp(scheme_rows[i].name, scheme->p,
			scheme->len) == 0)
			row = &scheme_rows[i];
	}
	if (row == NULL)
		return fault(parse, "scheme '%.*s' is not one of NBD",
		    (int)scheme->len, scheme->p);
	parse->uri->transport = row->transport;
	parse->uri->tls = row->tls;
	return 0;
}

/* *ret_text: part without its percent-escapes.  "+" is no blank. */
static int
decode(const struct parse *parse, struct part part, char **ret_text)
{
	CLEANUP(cleanup_free) char *text = NULL;
	size_t n = 0;

	text = malloc(part.len + 1);
	if (text == NULL)
		return no_memory(parse);
	for (size_t i = 0; i < part.len; i++) {
		int high, low;

		if (part.p[i] != '%') {
			text[n++] = part.p[i];
			continue;
		}
		high = i + 1 < part.len ? hex_value(part.p[i + 1]) : -1;
		low = i + 2 < part.len ? hex_value(part.p[i + 2]) : -1;
		if (high < 0 || low < 0)
			return fault(parse,
			    "two hexadecimal digits must follow each '%%'");
		if (high == 0 && low == 0)
			return fault(parse, "it has a zero byte (%%00) in it");
		text[n++] = (char)(high << 4 | low);
		i += 2;
	}
	text[n] = '\0';
	*ret_text = STEAL(text);
	return 0;
}

/* A decimal number from 0 to max. */
static bool
parse_number(struct part part, uint32_t max, uint32_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < part.len; i++) {
		if (!is_digit(part.p[i]))
			return false;
		number = 10 * number + (uint64_t)(part.p[i] - '0');
		if (number > max)
			return false;
	}
	*ret_number = (uint32_t)number;
	return part.len > 0;
}

/* ":10809", or nothing, or a lone ":" (RFC 3986, 3.2.3). */
static int
parse_port(const struct parse *parse, struct part part)
{
	uint32_t max = parse->uri->transport == NBD_TRANSPORT_VSOCK ?
	    VSOCK_MAX : UINT16_MAX;
	char quote[QUOTE_SIZE / 2];
	uint32_t port = 0;

	parse->uri->port = NBD_DEFAULT_PORT;
	if (part.len > 0 && part.p[0] != ':')
		return fault(parse, "something other than a port follows ']'");
	if (part.len <= 1)
		return 0;
	part.p++;
	part.len--;
	if (!parse_number(part, max, &port) || port == 0)
		return fault(parse, "'%s' is not a port (1 to %u)",
		    escape_text(part.p, part.len, quote, sizeof quote),
		    (unsigned)max);
	parse->uri->port = port;
	return 0;
}

/* It is going to be shown to people and resolvers. */
static int
decode_host(const struct parse *parse, struct part part)
{
	int r;

	r = decode(parse, part, &parse->uri->host);
	if (r < 0)
		return r;
	for (const char *p = parse->uri->host; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return fault(parse, "its host has a blank or control "
			    "character in it");
	}
	return 0;
}

/* An IPv6 address, perhaps with a zone ("%25eth0"). */
static int
parse_bracketed(const struct parse *parse, struct part part)
{
	CLEANUP(cleanup_free) char *address = NULL;
	struct in6_addr in6;
	size_t len;
	char *zone;
	int r;

	r = decode_host(parse, part);
	if (r < 0)
		return r;
	address = strdup(parse->uri->host);
	if (address == NULL)
		return no_memory(parse);
	zone = strchr(address, '%');
	len = strlen(address);
	if (zone != NULL)
		*zone = '\0';
	if (inet_pton(AF_INET6, address, &in6) != 1 ||
	    (zone != NULL && zone == address + len - 1))
		return fault(parse, "what is in brackets is not an IPv6 "
		    "address");
	return 0;
}

/* What is in the part before the first c, or all of it. */
static struct part
cut_part_before(struct part part, char c)
{
	const char *end = memchr(part.p, c, part.len);

	if (end != NULL)
		part.len = (size_t)(end - part.p);
	return part;
}

static int
parse_host(const struct parse *parse, struct part part)
{
	if (part.len == 0)
		return fault(parse, "it names no host");
	if (memchr(part.p, '[', part.len) != NULL ||
	    memchr(part.p, ']', part.len) != NULL)
		return fault(parse, "brackets go around an IPv6 address, and "
		    "nothing else");
	return decode_host(parse, part);
}

static int
parse_tcp_authority(const struct parse *parse, struct part host)
{
	const char *host_end = host.p + host.len;
	struct part port;
	const char *end;
	int r;

	if (host.len > 0 && host.p[0] == '[') {
		end = memchr(host.p, ']', host.len);
		if (end == NULL)
			return fault(parse, "']' is missing");
		port = (struct part){ end + 1,
			(size_t)(host_end - end - 1) };
		r = parse_bracketed(parse,
		    (struct part){ host.p + 1, (size_t)(end - host.p) - 1 });
	} else {
		host = cut_part_before(host, ':');
		port = (struct part){ host.p + host.len,
			(size_t)(host_end - host.p) - host.len };
		if (port.len > 0 &&
		    memchr(port.p + 1, ':', port.len - 1) != NULL)
			return fault(parse,
			    "an IPv6 address must be in brackets");
		r = parse_host(parse, host);
	}
	if (r < 0)
		return r;
	return parse_port(parse, port);
}

/* *rest: what of the authority is behind the user's name. */
static int
parse_user(const struct parse *parse, struct part *rest)
{
	const char *at = memchr(rest->p, '@', rest->len);
	struct part user = *rest;

	if (at == NULL)
		return 0;
	if (!parse->uri->tls)
		return fault(parse, "a user name ('@') is only of use with "
		    "TLS (nbds)");
	user.len = (size_t)(at - rest->p);
	rest->p = at + 1;
	rest->len -= user.len + 1;
	if (memchr(rest->p, '@', rest->len) != NULL)
		return fault(parse, "it has more than one '@' (write %%40 for "
		    "one in a name)");
	if (user.len == 0 || memchr(user.p, ':', user.len) != NULL)
		return fault(parse, "the user name is empty, or has a ':' in "
		    "it");
	return decode(parse, user, &parse->uri->user);
}

static int
parse_vsock_authority(const struct parse *parse, struct part machine)
{
	struct part cid = cut_part_before(machine, ':');
	struct part port = { cid.p + cid.len, machine.len - cid.len };
	char quote[QUOTE_SIZE / 2];

	parse->uri->cid = NBD_DEFAULT_CID;
	if (cid.len > 0 && !parse_number(cid, VSOCK_MAX, &parse->uri->cid))
		return fault(parse,
		    "'%s' is not a CID, the number of a machine (0 to %u)",
		    escape_text(cid.p, cid.len, quote, sizeof quote),
		    (unsigned)VSOCK_MAX);
	return parse_port(parse, port);
}

static int
parse_authority(const struct parse *parse)
{
	struct part authority = parse->authority;
	int r;

	r = parse_user(parse, &authority);
	if (r < 0)
		return r;
	if (parse->uri->transport == NBD_TRANSPORT_TCP)
		return parse_tcp_authority(parse, authority);
	if (parse->uri->transport == NBD_TRANSPORT_VSOCK)
		return parse_vsock_authority(parse, authority);
	if (authority.len > 0)
		return fault(parse, "a Unix socket has no host: write "
		    "nbd+unix:///EXPORT?socket=PATH");
	return 0;
}

static int
parse_path(const struct parse *parse)
{
	struct part name = parse->path;
	int r;

	if (name.len > 0) {
		name.p++;
		name.len--;
	}
	r = decode(parse, name, &parse->uri->export_name);
	if (r < 0)
		return r;
	if (strlen(parse->uri->export_name) > NBD_MAX_STRING)
		return fault(parse, "the export's name is longer than %u bytes",
		    NBD_MAX_STRING);
	return 0;
}

/* Each key once.  quote is the key for people. */
static int
note_key(struct parse *parse, const char *key, const char *quote)
{
	for (size_t i = 0; i < parse->n_keys; i++) {
		if (strcmp(parse->keys[i], key) == 0)
			return fault(parse, "key '%s' appears twice", quote);
	}
	if (parse->n_keys == MAX_KEYS)
		return fault(parse, "it has more than %u keys", MAX_KEYS);
	(void)snprintf(parse->keys[parse->n_keys++], MAX_KEY_LEN + 1, "%s",
	    key);
	return 0;
}

static int
parse_socket(const struct parse *parse, struct part value)
{
	if (parse->uri->transport != NBD_TRANSPORT_UNIX)
		return fault(parse,
		    "key 'socket' goes with the scheme nbd+unix");
	if (value.len == 0)
		return fault(parse, "key 'socket' has no value");
	/* Elsewhere, also later in the name, a zero byte is a mistake. */
	if (value.len >= 3 && strncmp(value.p, "%00", 3) == 0) {
		parse->uri->socket_is_abstract = true;
		value.p += 3;
		value.len -= 3;
		if (value.len == 0)
			return fault(parse, "no name follows 'socket=%%00'");
	}
	return decode(parse, value, &parse->uri->socket);
}

static int
parse_verify_peer(const struct parse *parse, struct part value)
{
	if (value.len != 1 || (value.p[0] != '0' && value.p[0] != '1'))
		return fault(parse, "key 'tls-verify-peer' is 0 or 1");
	parse->uri->tls_no_verify = value.p[0] == '0';
	return 0;
}

/* The NBD project's URI has one more: without any authentication. */
static int
parse_tls_type(const struct parse *parse, struct part value)
{
	static const struct {
		const char *name;
		enum nbd_tls_type type;
	} rows[] = {
		{ "x509", NBD_TLS_X509 },
		{ "psk", NBD_TLS_PSK },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strlen(rows[i].name) == value.len &&
		    memcmp(rows[i].name, value.p, value.len) == 0) {
			parse->uri->tls_type = rows[i].type;
			return 0;
		}
	}
	if (value.len == 4 && memcmp(value.p, "anon", 4) == 0)
		return fault(parse, "tls-type=anon protects against nobody "
		    "who is in between, and is not supported");
	return fault(parse, "key 'tls-type' is x509 or psk");
}

/* The keys of one way to authenticate exclude the other. */
static int
check_tls_type(const struct parse *parse)
{
	const struct nbd_uri *uri = parse->uri;

	if (uri->tls_type == NBD_TLS_X509 && uri->tls_psk_file != NULL)
		return fault(parse, "key 'tls-psk-file' goes with "
		    "tls-type=psk");
	if (uri->tls_type == NBD_TLS_PSK && uri->tls_certificates != NULL)
		return fault(parse, "key 'tls-certificates' goes with "
		    "tls-type=x509");
	return 0;
}

/* quote is the key for people. */
static int
parse_tls_key(const struct parse *parse, const char *key, const char *quote,
    struct part value)
{
	struct nbd_uri *uri = parse->uri;
	char **text = NULL;

	if (!uri->tls)
		return fault(parse, "key '%s' goes with the schemes nbds and "
		    "nbds+unix", quote);
	if (strcmp(key, "tls-verify-peer") == 0)
		return parse_verify_peer(parse, value);
	if (strcmp(key, "tls-type") == 0)
		return parse_tls_type(parse, value);
	if (strcmp(key, "tls-certificates") == 0)
		text = &uri->tls_certificates;
	else if (strcmp(key, "tls-psk-file") == 0)
		text = &uri->tls_psk_file;
	else if (strcmp(key, "tls-hostname") == 0)
		text = &uri->tls_hostname;
	else
		return fault(parse, "unknown key '%s'", quote);
	if (value.len == 0)
		return fault(parse, "key '%s' has no value", quote);
	return decode(parse, value, text);
}

static int
parse_key(struct parse *parse, const char *key, struct part value)
{
	CLEANUP(cleanup_free) char *ignored = NULL;
	char quote[QUOTE_SIZE / 2];
	int r;

	(void)escape_text(key, strlen(key), quote, sizeof quote);
	if (strlen(key) > MAX_KEY_LEN)
		return fault(parse, "unknown key '%s'", quote);
	r = note_key(parse, key, quote);
	if (r < 0)
		return r;
	if (strcmp(key, "socket") == 0)
		return parse_socket(parse, value);
	if (strncmp(key, "x-", 2) == 0)
		return decode(parse, value, &ignored);
	if (strncmp(key, "tls-", 4) == 0)
		return parse_tls_key(parse, key, quote, value);
	return fault(parse, "unknown key '%s'", quote);
}

static int
parse_pair(struct parse *parse, struct part pair)
{
	CLEANUP(cleanup_free) char *key = NULL;
	const char *equals = memchr(pair.p, '=', pair.len);
	struct part name = pair;
	struct part value = { "", 0 };
	int r;

	if (equals != NULL) {
		name.len = (size_t)(equals - pair.p);
		value.p = equals + 1;
		value.len = pair.len - name.len - 1;
	}
	r = decode(parse, name, &key);
	if (r < 0)
		return r;
	return parse_key(parse, key, value);
}

static int
parse_query(struct parse *parse)
{
	const char *rest = parse->query.p;
	int r;

	while (*rest != '\0') {
		r = parse_pair(parse, cut_before(&rest, "&"));
		if (r < 0)
			return r;
		if (*rest == '&')
			rest++;
	}
	if (parse->uri->transport == NBD_TRANSPORT_UNIX &&
	    parse->uri->socket == NULL)
		return fault(parse, "'?socket=PATH' is missing");
	return check_tls_type(parse);
}

static int
parse_parts(struct parse *parse)
{
	int r;

	r = check_characters(parse);
	if (r == 0)
		r = split(parse);
	if (r == 0)
		r = parse_scheme(parse);
	if (r == 0)
		r = parse_authority(parse);
	if (r == 0)
		r = parse_path(parse);
	if (r == 0)
		r = parse_query(parse);
	return r;
}

int
nbd_uri_parse(const char *text, struct nbd_uri **ret_uri, struct error *e)
{
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;
	struct parse parse = { .text = text, .e = e };
	int r;

	uri = calloc(1, sizeof *uri);
	if (uri == NULL)
		return no_memory(&parse);
	parse.uri = uri;
	r = parse_parts(&parse);
	if (r < 0)
		return r;
	*ret_uri = STEAL(uri);
	return 0;
}

void
nbd_uri_free(struct nbd_uri *uri)
{
	if (uri == NULL)
		return;
	free(uri->host);
	free(uri->socket);
	free(uri->export_name);
	free(uri->user);
	free(uri->tls_certificates);
	free(uri->tls_psk_file);
	free(uri->tls_hostname);
	free(uri);
}

void
nbd_uri_freep(struct nbd_uri **uri)
{
	nbd_uri_free(*uri);
}

bool
nbd_uri_is_uri(const char *text)
{
	return scheme_len(text) > 0;
}
