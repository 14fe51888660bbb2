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

/* In the order in which they are run. */
enum hook_kind {
	HOOK_PRE,			/* "pre" */
	HOOK_POST,			/* "post" */
	HOOK_FAILURE,			/* "on_failure" */
	HOOK_RPO,			/* "on_rpo" */
	HOOK_STALLED,			/* "on_stalled" */
	HOOK_MIRROR_FAILING,		/* "on_mirror_failing" */
	HOOK_KINDS,
};

const char *hook_kind_name(enum hook_kind kind);

enum hook_result {
	HOOK_SUCCEEDED,			/* "succeeded" */
	HOOK_SKIPPED,			/* "skipped": exited with 75 */
	HOOK_FAILED,			/* "failed" */
	HOOK_RESULTS,
};

const char *hook_result_name(enum hook_result result);


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
	/* After hooks_after() or hooks_alarm(): all has been done.  From the
	 * loop. */
	void (*on_after)(void *arg);
	void *arg;
	/* How often a hook has ended so; counted up. */
	uint64_t (*counts)[HOOK_RESULTS];	/* [HOOK_KINDS] */
};

/* All that they may need of conf is copied.  *ret_hooks NULL: there are
 * none.  -ENOMEM. */
int hooks_new(struct net_loop *loop, const struct conf *conf,
    const struct conf_job *job, const struct hooks_events *events,
    struct hooks **ret_hooks) ON_MAIN;
/* HOOK_RPO, or one of those behind it, alone, for hooks_alarm(). */
int hooks_new_alarm(struct net_loop *loop, const struct conf *conf,
    const struct conf_job *job, enum hook_kind kind,
    const struct hooks_events *events, struct hooks **ret_hooks) ON_MAIN;
/* One that runs is killed. */
void hooks_free(struct hooks *hooks) ON_MAIN;

/* run: an object that tells of the run, for the environment and for standard
 * input; borrowed. */
void hooks_before(struct hooks *hooks, const json_t *run) ON_MAIN;

/* Those for after the run, whatever became of it. */
void hooks_after(struct hooks *hooks, const json_t *run,
    bool has_failed) ON_MAIN;

/* what: as run. */
void hooks_alarm(struct hooks *hooks, const json_t *what) ON_MAIN;

/* No further hook before the run; one that runs is ended. */
void hooks_stop(struct hooks *hooks) ON_MAIN;

#endif
