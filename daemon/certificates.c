/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/annotate.h"
#include "base/log.h"
#include "log/messages.h"

struct certificates {
	const struct conf *conf;
	uint64_t again_ms;
	struct net_timer timer;
};

static void
tell(const struct conf_tls *tls, const char *key, int64_t at_s)
{
	int64_t left_s = at_s - (int64_t)time(NULL);
	char stamp[LOG_STAMP_SIZE];

	if (at_s <= 0 || left_s >= CERTIFICATES_SOON_S)
		return;
	(void)log_stamp(at_s * 1000, stamp);
	if (left_s < 0)
		log_message(&messages[MSG_CERTIFICATE], LOG_LEVEL_WARNING,
		    "tls \"%s\": a certificate of \"%s\" has expired, at %s",
		    tls->name, key, stamp);
	else
		log_message(&messages[MSG_CERTIFICATE], LOG_LEVEL_WARNING,
		    "tls \"%s\": a certificate of \"%s\" expires in %" PRId64
		    " %s, at %s", tls->name, key,
		    left_s / (left_s < 2 * 86400 ? 3600 : 86400),
		    left_s < 2 * 86400 ? "hours" : "days", stamp);
}

static void
look(struct certificates *c) ON_MAIN
{
	for (size_t i = 0; i < c->conf->n_tls; i++) {
		const struct conf_tls *tls = &c->conf->tls[i];

		tell(tls, "cert", tls->cert_expires_s);
		tell(tls, "ca", tls->ca_expires_s);
	}
	net_timer_start(&c->timer, c->again_ms);
}

static void
on_timeout(void *arg)
{
	on_main_entry();
	look(arg);
}

int
certificates_new(struct net_loop *loop, uint64_t again_ms,
    struct certificates **ret_certificates)
{
	struct certificates *c = calloc(1, sizeof *c);
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->again_ms = again_ms;
	r = net_timer_init(&c->timer, loop, on_timeout, c);
	if (r < 0)
		free(c);
	else
		*ret_certificates = c;
	return r;
}

void
certificates_take(struct certificates *certificates, const struct conf *conf)
{
	certificates->conf = conf;
	look(certificates);
}

void
certificates_free(struct certificates *certificates)
{
	if (certificates == NULL)
		return;
	net_timer_done(&certificates->timer);
	free(certificates);
}
