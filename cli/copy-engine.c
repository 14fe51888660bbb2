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
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "net/loop.h"
#include "runtime/mailbox.h"
#include "runtime/worker.h"
#include "store/store.h"
#include "transfer/bad-ranges.h"
#include "transfer/report.h"
#include "transfer/series.h"

struct engine {
	const struct copy_engine_options *options;
	struct net_loop *loop;
	struct mailbox *mailbox;
	struct worker_pool *pool;
	struct series *run;
	struct store *store;
	bool has_no_checkpoint;		/* it cannot be used */
	struct net_watch signals;
	struct net_timer tick;
	struct net_timer store_timer;	/* the checkpoint's disk is waited
					   for */
	int exit_code;			/* when that has no end, or fails */
	struct bar bar;
	int signal_fd;
	bool is_interrupted;
	uint64_t n_complete;		/* a mirror's passes, as told */
	uint64_t n_failed;
	uint64_t shrunk_from;
	char pass_failure[ERROR_TEXT_SIZE];	/* "": the last was none */
};

/* A cause is told once, however many passes it lets fail. */
static void
tell_failing(struct engine *en, const struct run_mirror *m)
{
	if (en->is_interrupted || (en->pass_failure[0] != '\0' &&
		series_is_same_failure(en->pass_failure, m->failure)))
		return;
	(void)snprintf(en->pass_failure, sizeof en->pass_failure, "%s",
	    m->failure);
	bar_clear(&en->bar);
	message(en->options->command, "pass %u has failed and will be done "
	    "again: %s", m->pass, m->failure);
}

static void
tell_complete(struct engine *en, bool is_first)
{
	bool is_again = en->pass_failure[0] != '\0';

	en->pass_failure[0] = '\0';
	if (en->options->quiet || (!is_first && !is_again))
		return;
	bar_clear(&en->bar);
	message(en->options->command, is_first ?
	    "the first pass is complete; mirroring until interrupted" :
	    "a pass is complete again");
}

static void
tell_size(struct engine *en, const struct run_mirror *m)
{
	char was[UNITS_TEXT_SIZE];

	if (en->shrunk_from == m->shrunk_from)
		return;
	en->shrunk_from = m->shrunk_from;
	if (m->shrunk_from == 0)
		return;
	bar_clear(&en->bar);
	message(en->options->command, "the source has become smaller than the "
	    "%s it had: what lies behind that stays at the destinations as it "
	    "was", units_format_size(m->shrunk_from, was));
}

/* What cannot wait for the end. */
static void
tell_passes(struct engine *en, const struct run_mirror *m)
{
	bool is_first = en->n_complete == 0;

	if (m->n_failed > en->n_failed)
		tell_failing(en, m);
	else if (m->n_complete > en->n_complete)
		tell_complete(en, is_first);
	tell_size(en, m);
	en->n_complete = m->n_complete;
	en->n_failed = m->n_failed;
}

static void
show_progress(struct engine *en)
{
	struct run_progress progress;

	series_get_progress(en->run, &progress);
	/* Later, if it is stopped: nothing waits for it. */
	if (terminal_takes(STDERR_FILENO, 0))
		tell_passes(en, &progress.mirror);
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

/* Its thread may hang in the kernel, so that nobody can wait for it. */
static void
on_checkpoint_silent(void *arg)
{
	const struct engine *en = arg;

	message(en->options->command, "%s: its disk does not answer",
	    en->options->checkpoint);
	(void)fflush(stdout);
	_exit(en->exit_code);
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
		r = net_timer_init(&en->store_timer, en->loop,
		    on_checkpoint_silent, en);
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
	net_timer_done(&en->store_timer);
	net_watch_done(&en->signals);
	mailbox_free(en->mailbox);
	net_loop_free(en->loop);
	if (en->signal_fd >= 0)
		(void)close(en->signal_fd);
}

static void
tell_gave_up(const struct engine *en, const struct run_result *result)
{
	if (en->options->quiet)
		return;
	for (size_t i = 0; i < result->n_gave_up; i++)
		message(en->options->command, "warning: %s",
		    result->gave_up[i]);
}

static int
tell_failure(const struct engine *en, const struct run_result *result)
{
	message(en->options->command, "%s", result->failure.error.text);
	if (en->options->spec->require_all)
		message(en->options->command,
		    "all destinations are required");
	/* An interrupted run may fail on the way out. */
	return en->is_interrupted ? CLI_INTERRUPTED : CLI_RUN_FAILED;
}

/* ", to 'nbd://host'" */
static const char *
name_destination(const struct engine *en, unsigned destination,
    const char *before, char *text, size_t size)
{
	const char *label =
	    en->options->spec->destinations[destination]->name;
	char name[128];

	(void)snprintf(text, size, "%s'%s'", before,
	    escape_text(label, strlen(label), name, sizeof name));
	return text;
}

static void
tell_not_copied(const struct engine *en, const struct run_result *result)
{
	const struct run_spec *spec = en->options->spec;
	bool compares = spec->mode == RUN_VERIFY;
	const struct run_gap *g;
	char name[160];

	for (size_t i = 0; i < result->n_not_copied; i++) {
		g = &result->not_copied[i];
		name[0] = '\0';
		if (spec->n_destinations > 1)
			(void)name_destination(en, g->destination,
			    compares ? ", with " : ", to ", name,
			    sizeof name);
		message(en->options->command,
		    "not %s: %" PRIu64 " bytes at offset %" PRIu64
		    " of the %s%s: %s",
		    compares ? "compared" : "copied", g->length, g->offset,
		    g->side, name, g->reason);
	}
}

/* Data, for standard output; JSON has them in the result. */
static int
tell_differences(const struct engine *en, const struct run_result *result)
{
	const struct run_difference *d;

	for (size_t i = 0; !en->options->json && i < result->n_differences;
	     i++) {
		d = &result->differences[i];
		if (en->options->spec->n_destinations > 1)
			(void)printf("disk %u: ", d->destination + 2);
		(void)printf("%" PRIu64 " bytes at offset %" PRIu64
		    " differ\n", d->length, d->offset);
	}
	if (result->differences_are_cut && !en->options->quiet)
		message(en->options->command,
		    "warning: there are more differences than are listed");
	return CLI_DIFFERENT;
}

static void
finish_bar(struct engine *en, const struct run_result *result)
{
	bar_finish(&en->bar, "", en->options->spec->mode, &result->progress);
}

static int
tell_repaired(const struct engine *en, const struct run_result *result)
{
	(void)tell_differences(en, result);
	if (!en->options->quiet)
		message(en->options->command,
		    "repaired: %" PRIu64 " bytes were written, and compared "
		    "again",
		    result->repaired_bytes);
	return CLI_OK;
}

/* Whatever else there is to be told; returns how many. */
static unsigned
tell_failed_destinations(const struct engine *en,
    const struct run_result *result)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RUN_MAX_DESTINATIONS; i++) {
		if (result->destination_failures[i] == NULL)
			continue;
		message(en->options->command, "%s",
		    result->destination_failures[i]);
		n++;
	}
	return n;
}

static int
tell_partial(struct engine *en, const struct run_result *result)
{
	if (result->repaired_bytes > 0)
		(void)tell_repaired(en, result);
	finish_bar(en, result);
	return CLI_WARNINGS;
}

#define MAX_BAD_RANGES_TOLD 20

static bool
is_of_source(const struct run_bad_range *b)
{
	return strcmp(b->side, "source") == 0;
}

/*
 * The result has what the source could not be read for once for each
 * destination; people read it once.  NULL: no memory.  The caller frees it.
 */
static struct run_bad_range *
join_bad_ranges(const struct run_result *result, size_t *ret_n)
{
	struct run_bad_range *v = calloc(result->n_bad_ranges + 1, sizeof *v);

	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < result->n_bad_ranges; i++) {
		v[i] = result->bad_ranges[i];
		if (is_of_source(&v[i]))
			v[i].destination = 0;
	}
	*ret_n = bad_ranges_sort(v, result->n_bad_ranges);
	return v;
}

static void
tell_bad_range(const struct engine *en, const struct run_bad_range *b)
{
	char name[160] = "";

	if (!is_of_source(b) && en->options->spec->n_destinations > 1)
		(void)name_destination(en, b->destination, " ", name,
		    sizeof name);
	message(en->options->command,
	    "skipped: %" PRIu64 " bytes at offset %" PRIu64 ": %s%s: %s",
	    b->length, b->offset, b->side, name, strerror(-b->errnum));
}

/* The first of them.  Returns how many bytes all are. */
static uint64_t
list_bad_ranges(const struct engine *en, const struct run_result *result,
    size_t *ret_n)
{
	CLEANUP(cleanup_free) void *joined = NULL;
	const struct run_bad_range *v = result->bad_ranges;
	size_t n = result->n_bad_ranges;
	uint64_t bytes = 0;
	size_t i;

	joined = join_bad_ranges(result, &n);
	if (joined != NULL)
		v = joined;
	for (i = 0; i < n; i++) {
		bytes += v[i].length;
		if (i < MAX_BAD_RANGES_TOLD)
			tell_bad_range(en, &v[i]);
	}
	if (n > MAX_BAD_RANGES_TOLD)
		message(en->options->command, "and %zu more ranges; --json "
		    "lists them all", n - MAX_BAD_RANGES_TOLD);
	*ret_n = n;
	return bytes;
}

static void
tell_filled(const struct engine *en, const struct run_result *result)
{
	if (result->filled_bytes == 0)
		return;
	if (en->options->spec->n_destinations > 1)
		message(en->options->command, "filled: %" PRIu64
		    " bytes, all destinations together",
		    result->filled_bytes);
	else
		message(en->options->command, "filled: %" PRIu64
		    " of these bytes", result->filled_bytes);
}

/*
 * A destination that has failed, or a tail that was left out, is more than
 * these ranges.
 */
static int
tell_bad_ranges(struct engine *en, const struct run_result *result,
    unsigned n_failed)
{
	const struct command *command = en->options->command;
	size_t n;
	uint64_t bytes = list_bad_ranges(en, result, &n);

	if (result->repaired_bytes > 0)
		(void)tell_differences(en, result);
	finish_bar(en, result);
	message(command, "finished, but for %" PRIu64 " bad bytes in %zu "
	    "ranges", bytes, n);
	tell_filled(en, result);
	if (result->repaired_bytes > 0)
		message(command, "repaired: %" PRIu64 " other bytes",
		    result->repaired_bytes);
	return n_failed > 0 || result->n_not_copied > 0 ? CLI_WARNINGS :
							  CLI_BAD_RANGES;
}

/* "2026-11-22T02:41:10Z" */
static const char *
format_time(int64_t at_ms, char text[32])
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	return text;
}

static int
tell_stopped(const struct engine *en, const struct run_result *result)
{
	const struct run_mirror *m = &result->progress.mirror;
	char text[32];

	if (!en->options->quiet)
		message(en->options->command,
		    "stopped after %" PRIu64 " complete passes; what the "
		    "source had at %s is at the destination",
		    m->n_complete, format_time(m->consistent_at_ms, text));
	return CLI_OK;
}

static int
tell_cancelled(const struct engine *en, const struct run_result *result)
{
	const struct run_mirror *m = &result->progress.mirror;
	char text[32];

	if (m->consistent_at_ms != 0)
		message(en->options->command,
		    "cancelled in pass %u; the destination was last complete "
		    "with what the source had at %s",
		    m->pass, format_time(m->consistent_at_ms, text));
	else if (en->options->spec->mode != RUN_VERIFY)
		message(en->options->command,
		    "cancelled; the destination is incomplete");
	else
		message(en->options->command, "cancelled; not all was %s",
		    en->options->spec->repair ? "compared and repaired" :
						"compared");
	return en->is_interrupted ? CLI_INTERRUPTED : CLI_CANCELLED;
}

/* Did it go on from an earlier run? */
static void
tell_resumed(struct engine *en, const struct run_result *result)
{
	char size[UNITS_TEXT_SIZE];

	if (en->options->quiet)
		return;
	if (result->is_resumed)
		message(en->options->command, "went on from %s: %s were done "
		    "already", en->options->checkpoint,
		    units_format_size(
			result->progress.destinations[0].resumed_bytes, size));
	else if (result->not_resumed.code != 0)
		message(en->options->command, "did not go on from %s: %s",
		    en->options->checkpoint, result->not_resumed.text);
}

/* Data, as the differences are. */
static void
tell_digest(const struct engine *en, const struct run_result *result)
{
	const struct run_digest *d = &result->digest;
	char text[DIGEST_TEXT_SIZE];

	if (d->is_known && !en->options->json)
		(void)printf("%s %s\n", digest_name(d->algorithm),
		    digest_format(d->algorithm, d->value, text));
}

/*
 * What has not been done to the end, or not at all destinations, leaves the
 * file as it is; a tail that was left out is in it as that.
 */
static int
note_in_mapfile(const struct engine *en, const struct run_result *result,
    int exit_code)
{
	struct error e;

	if (en->options->mapfile == NULL ||
	    (result->outcome != RUN_SUCCEEDED &&
		result->outcome != RUN_PARTIAL &&
		result->outcome != RUN_BAD_RANGES) ||
	    mapfile_write(en->options->mapfile, result, &e) == 0)
		return exit_code;
	message(en->options->command, "%s", e.text);
	return CLI_ERROR;
}

static int
tell_result(struct engine *en)
{
	const struct run_result *result = series_result(en->run);
	int exit_code = CLI_ERROR;
	unsigned n_failed = 0;
	size_t n_bad;

	bar_clear(&en->bar);
	tell_resumed(en, result);
	tell_gave_up(en, result);
	tell_not_copied(en, result);
	if (result->outcome != RUN_FAILED)
		n_failed = tell_failed_destinations(en, result);
	switch (result->outcome) {
	case RUN_SUCCEEDED:
		finish_bar(en, result);
		exit_code = CLI_OK;
		break;
	case RUN_PARTIAL:
		exit_code = tell_partial(en, result);
		break;
	case RUN_DIFFERENT:
		(void)list_bad_ranges(en, result, &n_bad);
		exit_code = tell_differences(en, result);
		break;
	case RUN_BAD_RANGES:
		exit_code = tell_bad_ranges(en, result, n_failed);
		break;
	case RUN_FAILED:
		exit_code = tell_failure(en, result);
		break;
	case RUN_STOPPED:
		exit_code = tell_stopped(en, result);
		break;
	case RUN_REPAIRED:
		exit_code = tell_repaired(en, result);
		break;
	case RUN_CANCELLED:
		exit_code = tell_cancelled(en, result);
		break;
	}
	tell_digest(en, result);
	if (n_failed == 0)
		exit_code = note_in_mapfile(en, result, exit_code);
	if (en->options->json &&
	    output_json(report_result_in_full(result)) != CLI_OK &&
	    exit_code == CLI_OK)
		exit_code = CLI_ERROR;
	return exit_code;
}

/* The file that says where to go on from, as a store of one job. */

#define CHECKPOINT_JOB	    "copy"
#define CHECKPOINT_CLOSE_MS 10000
#define CHECKPOINT_WAIT_MS  15000	/* longer than that */

static void
on_checkpoint_tried(struct store_call *call)
{
	struct engine *en = call->arg;

	if (call->error.code != 0) {
		/* That begins with the file's name. */
		message(en->options->command, "%s", call->error.text);
		en->exit_code = call->error.code == -EBUSY ? CLI_TRANSIENT :
		    CLI_ERROR;
		en->has_no_checkpoint = true;
	}
	net_loop_stop(en->loop);
}

static void
wait_for_checkpoint(struct engine *en, int exit_code)
{
	en->exit_code = exit_code;
	net_timer_start(&en->store_timer, CHECKPOINT_WAIT_MS);
	(void)net_loop_run(en->loop);
	net_timer_stop(&en->store_timer);
}

/* A file that cannot be used is told before anything is copied. */
static int
try_checkpoint(struct engine *en)
{
	struct store_call *call = store_call_new(en->mailbox,
	    on_checkpoint_tried, en);

	if (call == NULL) {
		message(en->options->command, "out of memory");
		return CLI_ERROR;
	}
	store_load_checkpoint(en->store, call, CHECKPOINT_JOB);
	wait_for_checkpoint(en, CLI_TIMED_OUT);
	return en->has_no_checkpoint ? en->exit_code : CLI_OK;
}

/*
 * The store makes its directory, which is right for a daemon's state; here
 * one that is missing is a slip of the pen.
 */
static int
check_checkpoint_place(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (slash == NULL || slash == path)
		return 0;
	if (slash - path >= (ptrdiff_t)sizeof dir)
		return -ENAMETOOLONG;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return stat(dir, &st) < 0 ? -errno : 0;
}

static int
open_checkpoint(struct engine *en)
{
	const struct store_options options = {
		.path = en->options->checkpoint,
		.is_exclusive = true,
		.keep_damaged = true,
	};
	int r;

	if (options.path == NULL)
		return CLI_OK;
	r = check_checkpoint_place(options.path);
	if (r == 0)
		r = store_open(&options, &en->store);
	if (r < 0) {
		message(en->options->command, "%s: %s", options.path,
		    strerror(-r));
		return CLI_ERROR;
	}
	return try_checkpoint(en);
}

static void
on_store_closed(struct store_call *call)
{
	struct engine *en = call->arg;

	if (call->error.code != 0)
		message(en->options->command, "%s: %s",
		    en->options->checkpoint, call->error.text);
	net_loop_stop(en->loop);
}

static void
close_checkpoint(struct engine *en, int exit_code)
{
	struct store_call *call;

	if (en->store == NULL)
		return;
	call = store_call_new(en->mailbox, on_store_closed, en);
	if (call != NULL) {
		store_close(en->store, call, CHECKPOINT_CLOSE_MS);
		wait_for_checkpoint(en, exit_code);
	}
	store_free(en->store);
	en->store = NULL;
}

static int
engine_run(struct engine *en)
{
	const struct copy_engine_options *o = en->options;
	struct run_spec spec = *o->spec;
	struct error e;
	int r;

	r = open_checkpoint(en);
	if (r != CLI_OK)
		return r;
	spec.store = en->store;
	spec.store_job = CHECKPOINT_JOB;
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
	return tell_result(en);
}

int
copy_engine_run(const struct copy_engine_options *options)
{
	struct engine en = { .options = options, .signal_fd = -1 };
	int exit_code;
	int r;

	r = engine_init(&en);
	if (r == 0) {
		exit_code = engine_run(&en);
		close_checkpoint(&en, exit_code);
	} else {
		message(options->command, "cannot start: %s", strerror(-r));
		exit_code = CLI_ERROR;
	}
	engine_done(&en);
	return exit_code;
}
