/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync checkpoint: from where a job, or a copy with a file of its own,
 * would go on.  A job is asked of the daemon; a file, which has a slash in
 * its name or is there, is read here, by a store that makes nothing and sets
 * nothing aside.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"
#include "net/loop.h"
#include "store/store.h"
#include "transfer/report.h"

#define FILE_JOB     "copy"		/* the one job in such a file */
#define FILE_WAIT_MS 15000		/* longer than a lock is waited for */

const struct option_row options_checkpoint[] = {
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print JSON, as it does anyway" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

/* A file, and what it answers. */
struct file {
	const struct command *command;
	const char *path;
	struct net_loop *loop;
	struct net_timer timer;		/* its disk is waited for */
	struct mailbox *box;
	struct store *store;
	struct error error;
	struct store_checkpoint *checkpoint;
};

static void
on_done(struct store_call *call)
{
	struct file *file = call->arg;

	file->error = call->error;
	file->checkpoint = STEAL(call->checkpoint);
}

static void
on_closed(struct store_call *call)
{
	const struct file *file = call->arg;

	net_loop_stop(file->loop);
}

/* Its thread may hang in the kernel, so that nobody can wait for it. */
static void
on_silent(void *arg)
{
	const struct file *file = arg;

	message(file->command, "'%s': its disk does not answer", file->path);
	_exit(CLI_TIMED_OUT);
}

static int
file_open(struct file *file)
{
	struct store_options options = {
		.path = file->path,
		.must_exist = true,
		.is_exclusive = true,
		.keep_damaged = true,
	};
	int r = net_loop_new(&file->loop);

	if (r == 0)
		r = net_timer_init(&file->timer, file->loop, on_silent, file);
	if (r == 0)
		r = mailbox_new(file->loop, &file->box);
	if (r == 0)
		r = store_open(&options, &file->store);
	return r;
}

static int
file_ask(struct file *file, bool discard)
{
	struct store_call *call = store_call_new(file->box, on_done, file);
	struct store_call *close = store_call_new(file->box, on_closed, file);

	if (call == NULL || close == NULL) {
		store_call_free(call);
		store_call_free(close);
		return -ENOMEM;
	}
	if (discard)
		store_discard_checkpoint(file->store, call, FILE_JOB);
	else
		store_load_checkpoint(file->store, call, FILE_JOB);
	/* What has been asked for is done before. */
	store_close(file->store, close, UINT32_MAX);
	net_timer_start(&file->timer, FILE_WAIT_MS);
	return net_loop_run(file->loop);
}

static void
file_done(struct file *file)
{
	store_free(file->store);
	mailbox_free(file->box);
	net_timer_done(&file->timer);
	if (file->loop != NULL)
		net_loop_free(file->loop);
	store_checkpoint_free(file->checkpoint);
}

static int
command_on_file(const struct command *command, const char *path, bool discard)
{
	CLEANUP(file_done) struct file file = {
		.command = command,
		.path = path,
	};
	int r = file_open(&file);

	if (r == 0)
		r = file_ask(&file, discard);
	if (r < 0) {
		message(command, "'%s': %s", path, strerror(-r));
		return CLI_ERROR;
	}
	if (file.error.code == -EBUSY) {
		message(command, "'%s' is in use: a copy keeps its "
		    "checkpoint there, or another program holds it", path);
		return CLI_TRANSIENT;
	}
	if (file.error.code < 0) {
		message(command, "%s", file.error.text);
		return CLI_ERROR;
	}
	if (discard)
		return CLI_OK;
	if (file.checkpoint == NULL) {
		message(command, "'%s' has no checkpoint", path);
		return CLI_ERROR;
	}
	return output_json(report_checkpoint(file.checkpoint));
}

static bool
is_file(const char *name)
{
	return strchr(name, '/') != NULL || access(name, F_OK) == 0;
}

static int
read_options(struct options *o, struct control *control)
{
	const char *value = NULL;
	int id;

	while ((id = options_next(o, &value)) > OPTIONS_END)
		if (id == OPTION_SOCKET)
			control->socket_path = value;
	if (id == OPTIONS_END && strcmp(o->argv[0], "show") != 0 &&
	    strcmp(o->argv[0], "discard") != 0)
		return options_fail(o, "'%s' is neither 'show' nor 'discard'",
		    o->argv[0]);
	return id;
}

int
command_checkpoint(const struct command *command, int argc, char **argv)
{
	struct control control;
	json_t *answer = NULL;
	struct options o;
	int exit_code;
	bool discard;

	control_init(&control, command);
	options_init(&o, command, argc, argv);
	if (read_options(&o, &control) < 0)
		return o.exit_code;
	discard = strcmp(o.argv[0], "discard") == 0;
	if (is_file(o.argv[1]))
		return command_on_file(command, o.argv[1], discard);
	if (discard)
		return message_usage(command, "'%s' is no file; see 'nbdsync "
		    "reset' for jobs", o.argv[1]);
	exit_code = control_ask_job(&control, "GET", o.argv[1], "/checkpoint",
	    0, &answer);
	return exit_code == CLI_OK ? output_json(answer) : exit_code;
}
