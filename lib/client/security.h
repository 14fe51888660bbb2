/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_SECURITY_H
#define CLIENT_SECURITY_H

#include "client/conn.h"
#include "net/tls.h"

/*
 * What TLS needs to know, of a connection's options: options->tls, and where
 * that says nothing, options->uri.  As tls_new().
 */
int security_new(const struct conn_options *options, struct tls **ret_tls,
    struct error *e);

#endif
