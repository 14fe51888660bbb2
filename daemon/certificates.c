/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files may be on a disk that hangs, which nothing interrupts.  So a thread
 * reads them, with names of its own, as those of the configuration may go
 * meanwhile.  It owns one reference to the `look`, the loop's side the other;
 * whoever lets go last frees it.  The thread writes what it has found, sets
 * `is_done`, and makes the eventfd readable.
 */
#include "certificates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/log.h"
#include "log/messages.h"
#include "net/thread.h"
#include "net/tls.h"

/* Those that hang stay; a configuration that is read again begins another. */
#define THREADS_MAX 4

struct look {
	atomic_uint n_refs;
	atomic_bool is_done;
	int wake_fd;
	size_t n;
	struct look_set {
		struct conf_tls tls;	/* only its files; they are ours */
		struct conf_expiry found;	/* until is_done the thread's */
	} sets[];
};

struct certificates {
	struct net_loop *loop;
	const struct conf *conf;
	struct conf_expiry *expires;	/* of each set; NULL: no memory */
	struct look *look;		/* that goes on, or NULL */
	struct net_watch watch;		/* of its end */
	unsigned n_looks;		/* since the log was told */
	uint64_t look_ms;
	struct net_timer timer;
};

static atomic_uint n_threads;

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

static void
look_unref(struct look *look)
{
	if (look == NULL || atomic_fetch_sub(&look->n_refs, 1) != 1)
		return;
	for (size_t i = 0; i < look->n; i++) {
		free((void *)(uintptr_t)look->sets[i].tls.cert);
		free((void *)(uintptr_t)look->sets[i].tls.ca);
	}
	if (look->wake_fd >= 0)
		(void)close(look->wake_fd);
	free(look);
}

/* False: out of memory. */
static bool
take_names(struct look_set *set, const struct conf_tls *tls)
{
	if (tls->cert != NULL && (set->tls.cert = strdup(tls->cert)) == NULL)
		return false;
	return tls->ca == NULL || (set->tls.ca = strdup(tls->ca)) != NULL;
}

static struct look *
look_new(const struct conf *conf) ON_MAIN
{
	struct look *look = calloc(1, sizeof *look +
	    conf->n_tls * sizeof look->sets[0]);

	if (look == NULL)
		return NULL;
	atomic_init(&look->n_refs, 1);
	atomic_init(&look->is_done, false);
	look->n = conf->n_tls;
	look->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; look->wake_fd >= 0 && i < look->n; i++)
		if (!take_names(&look->sets[i], &conf->tls[i])) {
			look_unref(look);
			return NULL;
		}
	if (look->wake_fd < 0) {
		look_unref(look);
		return NULL;
	}
	return look;
}

static void *
look_thread(void *arg)
{
	struct look *look = arg;
	uint64_t one = 1;

	for (size_t i = 0; i < look->n; i++)
		look->sets[i].found = conf_read_expiry(&look->sets[i].tls);
	atomic_store(&look->is_done, true);
	(void)!write(look->wake_fd, &one, sizeof one);
	look_unref(look);
	tls_end_thread();
	(void)atomic_fetch_sub(&n_threads, 1);
	return NULL;
}

unsigned
certificates_count_readers(void)
{
	return atomic_load(&n_threads);
}

static int
start_thread(struct look *look)
{
	int r;

	if (atomic_load(&n_threads) == THREADS_MAX)
		return -EAGAIN;
	(void)atomic_fetch_add(&n_threads, 1);
	(void)atomic_fetch_add(&look->n_refs, 1);
	r = thread_start_detached(look_thread, look);
	if (r < 0) {
		look_unref(look);
		(void)atomic_fetch_sub(&n_threads, 1);
	}
	return r;
}

static void
let_go(struct certificates *c) ON_MAIN
{
	net_watch_done(&c->watch);
	look_unref(c->look);
	c->look = NULL;
}

/* What cannot be read, as it is being written perhaps, is as it was. */
static void
take_found(struct certificates *c) ON_MAIN
{
	for (size_t i = 0; c->expires != NULL && i < c->look->n; i++) {
		struct conf_expiry now = c->look->sets[i].found;

		if (now.cert_s > 0)
			c->expires[i].cert_s = now.cert_s;
		if (now.ca_s > 0)
			c->expires[i].ca_s = now.ca_s;
	}
}

/* The next one is begun a while after it, whatever became of it. */
static void
end_look(struct certificates *c) ON_MAIN
{
	if (++c->n_looks == CERTIFICATES_TELL) {
		c->n_looks = 0;
		tell_all(c);
	}
	net_timer_start(&c->timer, c->look_ms);
}

static void
on_look(void *arg)
{
	struct certificates *c = arg;

	on_main_entry();
	if (!atomic_load(&c->look->is_done))
		return;
	take_found(c);
	let_go(c);
	end_look(c);
}

static int
begin_look(struct certificates *c) ON_MAIN
{
	int r;

	c->look = look_new(c->conf);
	if (c->look == NULL)
		return -ENOMEM;
	r = net_watch_init(&c->watch, c->loop, c->look->wake_fd, on_look,
	    NULL, c);
	if (r == 0) {
		net_watch_read(&c->watch, true);
		r = start_thread(c->look);
	}
	if (r < 0)
		let_go(c);
	else
		net_timer_start(&c->timer, c->look_ms);
	return r;
}

static void
on_timeout(void *arg)
{
	struct certificates *c = arg;

	on_main_entry();
	if (c->look != NULL)
		log_warning("certificates have not been read for %" PRIu64
		    " s: the disk of one hangs", c->look_ms / 1000);
	if (c->look != NULL || begin_look(c) < 0)
		end_look(c);
}

int
certificates_new(struct net_loop *loop, uint64_t look_ms,
    struct certificates **ret_certificates)
{
	struct certificates *c = calloc(1, sizeof *c);
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->loop = loop;
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
	let_go(c);
	free(c->expires);
	c->conf = conf;
	c->expires = calloc(conf->n_tls + 1, sizeof *c->expires);
	for (size_t i = 0; c->expires != NULL && i < conf->n_tls; i++)
		c->expires[i] = conf->tls[i].expires;
	c->n_looks = 0;
	tell_all(c);
	net_timer_start(&c->timer, c->look_ms);
}

void
certificates_free(struct certificates *certificates)
{
	if (certificates == NULL)
		return;
	let_go(certificates);
	net_timer_done(&certificates->timer);
	free(certificates->expires);
	free(certificates);
}
