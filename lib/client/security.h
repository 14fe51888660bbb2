/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_SECURITY_H
#define CLIENT_SECURITY_H

#include "client/conn.h"
#include "client/nbdclient.h"
#include "net/tls.h"

enum {
	SECURITY_N_TEXTS = 10,
};

/* The settings of a caller, copied: one is a secret. */
struct security {
	struct tls_settings settings;	/* points to the texts */
	char *texts[SECURITY_N_TEXTS];
	size_t n_texts;
};

/* -ENOMEM.  The secret is wiped when it is given back; NULL is fine. */
int security_copy(const struct nbdclient_tls *tls,
    struct security **ret_security);
void security_free(struct security *security);

/*
 * What TLS needs to know, of a connection's options: options->tls, and where
 * that says nothing, options->uri.  As tls_new().
 */
int security_new(const struct conn_options *options, struct tls **ret_tls,
    struct error *e);

#endif
