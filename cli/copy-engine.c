/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine in this process: worker threads copy, this thread waits for the
 * end on a loop of its own and shows how it goes.
 *
 * series_start() lets the run go; its end arrives as on_finished(), in any
 * case, and ends the loop.  The first SIGINT or SIGTERM asks the run to end, so
 * that servers that were started are stopped in order; the second does not
 * wait for them: they get a signal when we are gone.
 */
#include "cli/copy-engine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/copy-checkpoint.h"
#include "cli/copy-passes.h"
#include "cli/copy-result.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "net/loop.h"
#include "runtime/mailbox.h"
#include "runtime/worker.h"
#include "transfer/series.h"

struct engine {
	const struct copy_engine_options *options;
	struct net_loop *loop;
	struct mailbox *mailbox;
	struct worker_pool *pool;
	struct series *run;
	struct copy_checkpoint checkpoint;
	struct net_watch signals;
	struct net_timer tick;
	struct bar bar;
	int signal_fd;
	bool is_interrupted;
	struct copy_passes passes;
};

static void
show_progress(struct engine *en)
{
	struct run_progress progress;

	series_get_progress(en->run, &progress);
	/* Later, if it is stopped: nothing waits for it. */
	if (terminal_takes(STDERR_FILENO, 0))
		copy_passes_tell(&en->passes, &progress.mirror,
		    en->is_interrupted);
	bar_update(&en->bar, &progress, bar_now_ms());
}

static void
engine_on_tick(void *arg)
{
	struct engine *en = arg;

	show_progress(en);
	net_timer_start(&en->tick, BAR_REDRAW_MS);
}

/* "copy": what is ended, in words. */
static const char *
work_name(const struct engine *en)
{
	return en->options->spec->mode != RUN_VERIFY ? "copy" :
	    en->options->spec->repair		     ? "repair" :
						       "comparison";
}

static void
interrupt(struct engine *en)
{
	if (en->is_interrupted) {
		bar_clear(&en->bar);
		_exit(CLI_INTERRUPTED);
	}
	en->is_interrupted = true;
	series_cancel(en->run);
	terminal_hurry();
	message(en->options->command,
	    "interrupted: ending the %s; once more ends it at once",
	    work_name(en));
}

static void
engine_on_signal(void *arg)
{
	struct engine *en = arg;
	int sig;

	while ((sig = signals_take(en->signal_fd)) != 0) {
		if (signals_is_interrupt(sig)) {
			interrupt(en);
		} else {
			show_progress(en);
			bar_print_line(&en->bar);
		}
	}
}

static void
engine_on_finished(struct series *run UNUSED, void *arg)
{
	struct engine *en = arg;

	net_loop_stop(en->loop);
}

/* The loop, and what hangs on it.  Signals first: threads inherit them. */
static int
engine_init(struct engine *en)
{
	int r;

	r = signals_open(&en->signal_fd);
	if (r < 0)
		return r;
	r = net_loop_new(&en->loop);
	if (r < 0)
		return r;
	r = mailbox_new(en->loop, &en->mailbox);
	if (r < 0)
		return r;
	r = net_watch_init(&en->signals, en->loop, en->signal_fd,
	    engine_on_signal, NULL, en);
	if (r < 0)
		return r;
	r = net_timer_init(&en->tick, en->loop, engine_on_tick, en);
	if (r == 0)
		r = copy_checkpoint_init(&en->checkpoint, en->loop,
		    en->mailbox);
	if (r < 0)
		return r;
	return worker_pool_start(0, &en->pool);
}

static void
engine_done(struct engine *en)
{
	series_free(en->run);
	worker_pool_stop(en->pool);
	net_timer_done(&en->tick);
	copy_checkpoint_done(&en->checkpoint);
	net_watch_done(&en->signals);
	mailbox_free(en->mailbox);
	net_loop_free(en->loop);
	if (en->signal_fd >= 0)
		(void)close(en->signal_fd);
}

static int
engine_run(struct engine *en)
{
	const struct copy_engine_options *o = en->options;
	struct run_spec spec = *o->spec;
	struct error e;
	int r;

	r = copy_checkpoint_open(&en->checkpoint);
	if (r != CLI_OK)
		return r;
	spec.store = en->checkpoint.store;
	spec.store_job = COPY_CHECKPOINT_JOB;
	r = series_new(&spec, en->pool, en->mailbox, en->loop,
	    engine_on_finished, en, &en->run, &e);
	if (r == -EINVAL)
		return message_usage(o->command, "%s", e.text);
	if (r < 0) {
		message(o->command, "%s", e.text);
		return CLI_ERROR;
	}
	bar_init(&en->bar, o->bar_mode, o->bar_every_ms, bar_now_ms());
	net_watch_read(&en->signals, true);
	net_timer_start(&en->tick, BAR_REDRAW_MS);
	series_start(en->run);
	show_progress(en);
	r = net_loop_run(en->loop);
	if (r < 0) {
		/* The run may still go on: there is nothing to clean up. */
		message(o->command, "the event loop failed: %s", strerror(-r));
		_exit(CLI_ERROR);
	}
	return copy_result_tell(o, series_result(en->run), &en->bar,
	    en->is_interrupted);
}

int
copy_engine_run(const struct copy_engine_options *options)
{
	struct engine en = {
		.options = options,
		.signal_fd = -1,
		.checkpoint = { .command = options->command,
			.path = options->checkpoint },
		.passes = { .command = options->command, .bar = &en.bar,
			.is_quiet = options->quiet },
	};
	int exit_code;
	int r;

	r = engine_init(&en);
	if (r == 0) {
		exit_code = engine_run(&en);
		copy_checkpoint_close(&en.checkpoint, exit_code);
	} else {
		message(options->command, "cannot start: %s", strerror(-r));
		exit_code = CLI_ERROR;
	}
	engine_done(&en);
	return exit_code;
}
