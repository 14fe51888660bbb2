/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_EVENTS_H
#define CONTROL_EVENTS_H

#include "control/request.h"
#include "net/loop.h"

/*
 * What has happened, numbered: the latest are kept, and clients that listen
 * are told at once.
 */

struct ctl_events;

#define EVENTS_KEPT 4096

/* jobs and loop must outlive it.  -ENOMEM. */
int events_new(struct net_loop *loop, struct jobs *jobs,
    struct ctl_events **ret_events) ON_MAIN;
void events_free(struct ctl_events *events) ON_MAIN;

/* A job has changed; both states are constants. */
void events_on_job(struct ctl_events *events, const struct job *job,
    const char *old_state, const char *new_state) ON_MAIN;

/* Something about no job: "config.reloaded", ... */
/* One that is no change of state. */
void events_on_event(struct ctl_events *events, const struct job *job,
    const char *what) ON_MAIN;
void events_add(struct ctl_events *events, const char *what) ON_MAIN;

/* End all streams: what has been told still arrives. */
void events_close(struct ctl_events *events) ON_MAIN;

size_t events_count_streams(const struct ctl_events *events);
/* Clients that were given up because they took too little. */
uint64_t events_count_dropped(const struct ctl_events *events);

#endif
