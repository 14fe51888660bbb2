/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_CERTIFICATES_H
#define DAEMON_CERTIFICATES_H

#include "conf/conf.h"
#include "net/loop.h"

/*
 * The certificates of a configuration that have expired, or will soon: the
 * log tells of each when the configuration is taken, and again and again, as a
 * daemon may run for longer than a certificate is good.
 */

#define CERTIFICATES_SOON_S   (21 * 86400)
#define CERTIFICATES_AGAIN_MS (24 * UINT64_C(3600000))

struct certificates;

int certificates_new(struct net_loop *loop, uint64_t again_ms,
    struct certificates **ret_certificates) ON_MAIN;
/* From now on those of conf, which stays until there is another. */
void certificates_take(struct certificates *certificates,
    const struct conf *conf) ON_MAIN;
/* Also of NULL. */
void certificates_free(struct certificates *certificates) ON_MAIN;

#endif
