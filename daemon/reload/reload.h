/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RELOAD_RELOAD_H
#define RELOAD_RELOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/annotate.h"
#include "conf/conf.h"
#include "net/loop.h"

/*
 * Reading the configuration again, as a transaction: all of it is taken over,
 * or nothing.  A child process reads it first, so that no file can do this
 * process any harm.
 */

struct reload;

struct reload_events {
	/*
	 * Use this configuration from now on.  It lives until the next one is
	 * taken, or reload_free().  A negative errno: all is as before.
	 */
	int (*take)(void *arg, const struct conf *conf);
	/* Nothing was taken, as something is wrong. */
	void (*on_rejected)(void *arg);
	/* A reload begins, and has ended; is_dry: it changes nothing. */
	void (*on_start)(void *arg, bool is_dry);
	void (*on_done)(void *arg, bool is_dry);
	void *arg;
};

/*
 * checker is what is run with "--check PATH": nbdsyncd.  conf, which is
 * reload's from now on, is what path was the first time; checker and path are
 * borrowed.  -ENOMEM.
 */
int reload_new(struct net_loop *loop, const char *checker, const char *path,
    struct conf *conf, const struct reload_events *events,
    struct reload **ret_reload) ON_MAIN;
void reload_free(struct reload *reload) ON_MAIN;

/*
 * Read it again; is_dry: only say what would change.  Returns a number to ask
 * for the result with.  Those who ask while another reload goes on share the
 * next one.
 */
uint64_t reload_start(struct reload *reload, bool is_dry) ON_MAIN;
bool reload_is_done(const struct reload *reload, uint64_t number) ON_MAIN;

/*
 * What became of it, borrowed; NULL: too long ago, or out of memory.
 *
 *	{ "ok": true, "dry_run", "added": [ NAMES ], "removed", "changed",
 *	  "unchanged" }
 *	{ "ok": false, "problems": [ SENTENCES ] }
 */
const json_t *reload_result(const struct reload *reload,
    uint64_t number) ON_MAIN;

#endif
