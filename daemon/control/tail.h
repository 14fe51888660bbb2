/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_TAIL_H
#define CONTROL_TAIL_H

#include "base/annotate.h"
#include "net/loop.h"

/* Clients that follow the log. */
struct ctl_tails;

/* -ENOMEM */
int tails_new(struct net_loop *loop, struct ctl_tails **ret_tails) ON_MAIN;
/* End all streams. */
void tails_close(struct ctl_tails *tails) ON_MAIN;
void tails_free(struct ctl_tails *tails) ON_MAIN;

#endif
