/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_PROBE_H
#define CONTROL_PROBE_H

#include <stdbool.h>

#include "base/annotate.h"
#include "base/list.h"
#include "net/loop.h"

/* Disks that are being looked at for who has asked. */

#define PROBES_MAX 4

struct ctl_probes {
	struct net_loop *loop;
	struct list all;		/* of struct probe */
	size_t n;
	void (*on_none)(void *arg);	/* the last one is gone */
	void *arg;
};

/* Answer all, and close what is open; on_none comes later. */
void probes_stop(struct ctl_probes *probes) ON_MAIN;

#endif
