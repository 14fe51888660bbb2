/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_HOOKS_H
#define JOB_HOOKS_H

#include <jansson.h>

#include "base/annotate.h"
#include "base/error.h"
#include "conf/conf.h"
#include "net/loop.h"

/*
 * The commands of one run: before it, those of the job, of its source and of
 * its destinations, one after the other; after it, the same in the opposite
 * order; and then those for a failure.
 */

struct hooks;

/* Of "skip this run, nothing is wrong". */
#define HOOKS_EXIT_SKIP 75

enum hooks_verdict {
	HOOKS_GO,
	HOOKS_SKIP,			/* one has exited with 75 */
	HOOKS_FAIL,
	HOOKS_STOPPED,			/* hooks_stop() */
};

struct hooks_events {
	/* After hooks_before(); e: why not.  From the loop. */
	void (*on_before)(void *arg, enum hooks_verdict verdict,
	    const struct error *e);
	/* After hooks_after(): all has been done.  From the loop. */
	void (*on_after)(void *arg);
	void *arg;
};

/* All that they may need of conf is copied.  *ret_hooks NULL: there are
 * none.  -ENOMEM. */
int hooks_new(struct net_loop *loop, const struct conf *conf,
    const struct conf_job *job, const struct hooks_events *events,
    struct hooks **ret_hooks) ON_MAIN;
/* The hook on_rpo alone, for hooks_after(). */
int hooks_new_rpo(struct net_loop *loop, const struct conf *conf,
    const struct conf_job *job, const struct hooks_events *events,
    struct hooks **ret_hooks) ON_MAIN;
/* One that runs is killed. */
void hooks_free(struct hooks *hooks) ON_MAIN;

/* run: an object that tells of the run, for the environment and for standard
 * input; borrowed. */
void hooks_before(struct hooks *hooks, const json_t *run) ON_MAIN;

/* Those for after the run, whatever became of it. */
void hooks_after(struct hooks *hooks, const json_t *run,
    bool has_failed) ON_MAIN;

/* No further hook before the run; one that runs is ended. */
void hooks_stop(struct hooks *hooks) ON_MAIN;

#endif
