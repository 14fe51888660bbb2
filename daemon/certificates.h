/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_CERTIFICATES_H
#define DAEMON_CERTIFICATES_H

#include "conf/conf.h"
#include "net/loop.h"

/*
 * The certificates of a configuration that have expired, or will soon: the
 * log tells of each when the configuration is taken, and once a day, as a
 * daemon may run for longer than a certificate is good.
 *
 * The files are looked at again and again: whoever connects reads them, so
 * that one that was renewed is good, without a reload.
 */

#define CERTIFICATES_SOON_S  (21 * 86400)
#define CERTIFICATES_LOOK_MS UINT64_C(3600000)
#define CERTIFICATES_TELL    24		/* looks */

struct certificates;

int certificates_new(struct net_loop *loop, uint64_t look_ms,
    struct certificates **ret_certificates) ON_MAIN;
/* From now on those of conf, which stays until there is another. */
void certificates_take(struct certificates *certificates,
    const struct conf *conf) ON_MAIN;
/* Of conf->tls[i], at the last look. */
struct conf_expiry certificates_get(void *certificates, size_t i) ON_MAIN;
/* Threads that still read, also for a configuration that has gone. */
unsigned certificates_count_readers(void);
/* Also of NULL. */
void certificates_free(struct certificates *certificates) ON_MAIN;

#endif
