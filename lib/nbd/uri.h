/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NBD_URI_H
#define NBD_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * NBD URIs, as the NBD project's doc/uri.md defines them:
 *
 *	nbd://HOST[:PORT]/[EXPORT]
 *	nbd+unix:///[EXPORT]?socket=PATH
 *	nbd+vsock://[CID][:PORT]/[EXPORT]
 *	nbds://[USER@]HOST[:PORT]/[EXPORT][?KEY=VALUE[&...]]
 *	nbds+unix://[USER@]/[EXPORT]?socket=PATH[&KEY=VALUE...]
 *	nbds+vsock://[USER@][CID][:PORT]/[EXPORT][?KEY=VALUE[&...]]
 *
 * where the keys are tls-type (x509 or psk), tls-hostname and tls-verify-peer
 * (0 or 1), and, as libnbd has them, tls-certificates and tls-psk-file.
 *
 * EXPORT is the path without its first "/", percent-decoded, and nothing
 * else is done to it; an empty one is the server's default export.  A PATH
 * that begins with %00 is a name in Linux's abstract namespace.
 */

#define NBD_DEFAULT_PORT 10809
#define NBD_DEFAULT_CID  2		/* of vsock: the host */

enum nbd_transport {
	NBD_TRANSPORT_TCP,
	NBD_TRANSPORT_UNIX,
	NBD_TRANSPORT_VSOCK,
};

/* How both sides prove who they are. */
enum nbd_tls_type {
	NBD_TLS_ANY,			/* what there are files for */
	NBD_TLS_X509,			/* certificates */
	NBD_TLS_PSK,			/* a pre-shared key */
};

struct nbd_uri {
	enum nbd_transport transport;
	char *host;			/* TCP: without brackets */
	uint32_t port;			/* TCP (16 bits), vsock */
	uint32_t cid;			/* vsock: the machine */
	char *socket;			/* Unix: a path, or the name behind the
					   zero byte if it is abstract */
	bool socket_is_abstract;
	char *export_name;		/* never NULL */
	bool tls;			/* nbds: TLS or nothing */
	enum nbd_tls_type tls_type;
	char *user;			/* TLS: whose key of tls_psk_file, or
					   NULL */
	char *tls_certificates;		/* a directory, or NULL */
	char *tls_psk_file;		/* a path, or NULL */
	char *tls_hostname;		/* instead of host, or NULL */
	bool tls_no_verify;		/* believe any certificate */
};

/*
 * Parse text.  *ret_uri is the caller's, to be given to nbd_uri_free().
 * -EINVAL with a sentence that quotes the text and says what is wrong with
 * it: a blank, a scheme that is not NBD's, a missing socket=, an unknown or
 * repeated key, one for TLS without TLS, a bad escape, CID or port.
 */
int nbd_uri_parse(const char *text, struct nbd_uri **ret_uri,
    struct error *e);
void nbd_uri_free(struct nbd_uri *uri);

/* For CLEANUP(). */
void nbd_uri_freep(struct nbd_uri **uri);

/* Does text look like a URI of any scheme ("word:" or "word+word://")? */
bool nbd_uri_is_uri(const char *text);

#endif
