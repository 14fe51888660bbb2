/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NOTIFY_H
#define NOTIFY_H

#include "base/annotate.h"
#include "job/job.h"
#include "net/loop.h"

/*
 * What the service manager is told, and shows: how many jobs there are, and how
 * far those are that run.  Without one, nothing.
 */
struct notify;

/* -ENOMEM */
int notify_new(struct net_loop *loop, struct jobs *jobs,
    struct notify **ret_notify) ON_MAIN;
void notify_free(struct notify *notify) ON_MAIN;

/* state: lines as of sd_notify(3), or "". */
void notify_tell(struct notify *notify, const char *state) ON_MAIN;
/* Jobs have changed. */
void notify_look(struct notify *notify) ON_MAIN;

#endif
