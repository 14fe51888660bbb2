/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs change in more ways than the service manager is told: at once if their
 * numbers do, and how far they are every ten seconds.
 */

#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/units.h"
#include "transfer/progress.h"

#define TELL_MS	  10000
#define TEXT_SIZE 512
/* How many running jobs are named. */
#define NAMED_MAX 3

struct notify {
	bool is_on;			/* there is a service manager */
	struct jobs *jobs;
	struct net_timer timer;
	bool is_ticking;
	size_t n_jobs, n_running;	/* as it was told */
	char text[TEXT_SIZE];
};

/* What does not fit is left out. */
static void PRINTF(2, 3)
add(char text[TEXT_SIZE], const char *fmt, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text + used, TEXT_SIZE - used, fmt, args);
	va_end(args);
}

/* "; vm1 45% 393 MiB/s ETA 4m26s" */
static void
add_run(char text[TEXT_SIZE], const struct job_view *view)
{
	char rate[UNITS_TEXT_SIZE], left[UNITS_TEXT_SIZE];

	add(text, "; %s", view->name);
	if (view->progress.mirror.is_in_sync) {
		add(text, " in sync");
		return;
	}
	if (view->progress.mirror.n_failed > 0) {
		add(text, " failing");
		return;
	}
	add(text, " %u%% %s/s", progress_percent(&view->progress),
	    units_format_size(view->rate, rate));
	if (view->has_time_left)
		add(text, " ETA %s",
		    units_format_time_ms(view->time_left_ms, left));
}

static void
make_text(const struct notify *n, char text[TEXT_SIZE]) ON_MAIN
{
	size_t n_running = jobs_count_running(n->jobs);
	const struct job *job = NULL;
	struct job_view view;
	char jobs[UNITS_TEXT_SIZE];
	size_t n_named = 0;

	text[0] = '\0';
	add(text, "%s, %zu running%s",
	    units_format_count(jobs_count(n->jobs), "job", jobs), n_running,
	    jobs_is_stopping(n->jobs) ? ", stopping" : "");
	while (n_named < NAMED_MAX && n_named < n_running &&
	    (job = jobs_next(n->jobs, job)) != NULL) {
		job_get_view(job, &view);
		if (!view.is_running)
			continue;
		add_run(text, &view);
		n_named++;
	}
	if (n_running > n_named)
		add(text, "; ...");
}

static void
start_timer(struct notify *n) ON_MAIN
{
	if (n->n_running == 0 || n->is_ticking)
		return;
	n->is_ticking = true;
	net_timer_start(&n->timer, TELL_MS);
}

void
notify_tell(struct notify *n, const char *state)
{
	if (!n->is_on)
		return;
	n->n_jobs = jobs_count(n->jobs);
	n->n_running = jobs_count_running(n->jobs);
	make_text(n, n->text);
	(void)sd_notifyf(0, "%sSTATUS=%s", state, n->text);
	start_timer(n);
}

void
notify_look(struct notify *n)
{
	if (n->is_on && (jobs_count(n->jobs) != n->n_jobs ||
	    jobs_count_running(n->jobs) != n->n_running))
		notify_tell(n, "");
}

static void
on_timeout(void *arg)
{
	struct notify *n = arg;
	char text[TEXT_SIZE];

	on_main_entry();
	n->is_ticking = false;
	make_text(n, text);
	if (strcmp(text, n->text) != 0)
		notify_tell(n, "");
	else
		start_timer(n);
}

int
notify_new(struct net_loop *loop, struct jobs *jobs,
    struct notify **ret_notify)
{
	struct notify *n = calloc(1, sizeof *n);
	int r;

	if (n == NULL)
		return -ENOMEM;
	n->jobs = jobs;
	n->is_on = getenv("NOTIFY_SOCKET") != NULL;
	r = net_timer_init(&n->timer, loop, on_timeout, n);
	if (r < 0)
		free(n);
	else
		*ret_notify = n;
	return r;
}

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	net_timer_done(&n->timer);
	free(n);
}
