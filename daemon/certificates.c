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
	struct conf_expiry *expires;	/* of each set; NULL: no memory */
	size_t next;			/* to be looked at; 0: a new look */
	unsigned n_looks;		/* since the log was told */
	uint64_t look_ms;
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

struct conf_expiry
certificates_get(void *arg, size_t i)
{
	const struct certificates *c = arg;

	return c->expires == NULL ? c->conf->tls[i].expires : c->expires[i];
}

static void
tell_all(struct certificates *c) ON_MAIN
{
	for (size_t i = 0; i < c->conf->n_tls; i++) {
		const struct conf_tls *tls = &c->conf->tls[i];
		struct conf_expiry now = certificates_get(c, i);

		tell(tls, "cert", now.cert_s);
		tell(tls, "ca", now.ca_s);
	}
}

/* What cannot be read, as it is being written perhaps, is as it was. */
static void
look_at(struct certificates *c, size_t i) ON_MAIN
{
	struct conf_expiry now = conf_read_expiry(&c->conf->tls[i]);

	if (now.cert_s > 0)
		c->expires[i].cert_s = now.cert_s;
	if (now.ca_s > 0)
		c->expires[i].ca_s = now.ca_s;
}

static void
on_timeout(void *arg)
{
	struct certificates *c = arg;

	on_main_entry();
	/* One a turn: what else goes on does not wait for all of them. */
	if (c->expires != NULL && c->next < c->conf->n_tls) {
		look_at(c, c->next++);
		net_timer_start(&c->timer, 0);
		return;
	}
	c->next = 0;
	if (++c->n_looks == CERTIFICATES_TELL) {
		c->n_looks = 0;
		tell_all(c);
	}
	net_timer_start(&c->timer, c->look_ms);
}

int
certificates_new(struct net_loop *loop, uint64_t look_ms,
    struct certificates **ret_certificates)
{
	struct certificates *c = calloc(1, sizeof *c);
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->look_ms = look_ms;
	r = net_timer_init(&c->timer, loop, on_timeout, c);
	if (r < 0)
		free(c);
	else
		*ret_certificates = c;
	return r;
}

void
certificates_take(struct certificates *c, const struct conf *conf)
{
	free(c->expires);
	c->conf = conf;
	c->expires = calloc(conf->n_tls + 1, sizeof *c->expires);
	for (size_t i = 0; c->expires != NULL && i < conf->n_tls; i++)
		c->expires[i] = conf->tls[i].expires;
	c->next = 0;
	c->n_looks = 0;
	tell_all(c);
	net_timer_start(&c->timer, c->look_ms);
}

void
certificates_free(struct certificates *certificates)
{
	if (certificates == NULL)
		return;
	net_timer_done(&certificates->timer);
	free(certificates->expires);
	free(certificates);
}
