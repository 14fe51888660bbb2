/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file that says where to go on from: a store of one job.  What it answers
 * is waited for on the loop; its disk may not answer at all, and then nothing
 * is left but to leave.
 */
#include "cli/copy-checkpoint.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exit-codes.h"
#include "cli/message.h"

#define CLOSE_MS 10000
#define WAIT_MS	 15000			/* longer than that */

/* Its thread may hang in the kernel, so that nobody can wait for it. */
static void
on_silent(void *arg)
{
	const struct copy_checkpoint *c = arg;

	message(c->command, "%s: its disk does not answer", c->path);
	(void)fflush(stdout);
	_exit(c->exit_code);
}

int
copy_checkpoint_init(struct copy_checkpoint *c, struct net_loop *loop,
    struct mailbox *mailbox)
{
	c->loop = loop;
	c->mailbox = mailbox;
	return net_timer_init(&c->timer, loop, on_silent, c);
}

void
copy_checkpoint_done(struct copy_checkpoint *c)
{
	net_timer_done(&c->timer);
}

static void
on_tried(struct store_call *call)
{
	struct copy_checkpoint *c = call->arg;

	if (call->error.code != 0) {
		/* That begins with the file's name. */
		message(c->command, "%s", call->error.text);
		c->exit_code = call->error.code == -EBUSY ? CLI_TRANSIENT :
		    CLI_ERROR;
		c->is_unusable = true;
	}
	net_loop_stop(c->loop);
}

static void
wait_for_store(struct copy_checkpoint *c, int exit_code)
{
	c->exit_code = exit_code;
	net_timer_start(&c->timer, WAIT_MS);
	(void)net_loop_run(c->loop);
	net_timer_stop(&c->timer);
}

/* A file that cannot be used is told before anything is copied. */
static int
try_out(struct copy_checkpoint *c)
{
	struct store_call *call = store_call_new(c->mailbox, on_tried, c);

	if (call == NULL) {
		message(c->command, "out of memory");
		return CLI_ERROR;
	}
	store_load_checkpoint(c->store, call, COPY_CHECKPOINT_JOB);
	wait_for_store(c, CLI_TIMED_OUT);
	return c->is_unusable ? c->exit_code : CLI_OK;
}

/*
 * The store makes its directory, which is right for a daemon's state; here
 * one that is missing is a slip of the pen.
 */
static int
check_place(const char *path)
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

int
copy_checkpoint_open(struct copy_checkpoint *c)
{
	const struct store_options options = {
		.path = c->path,
		.is_exclusive = true,
		.keep_damaged = true,
	};
	int r;

	if (options.path == NULL)
		return CLI_OK;
	r = check_place(options.path);
	if (r == 0)
		r = store_open(&options, &c->store);
	if (r < 0) {
		message(c->command, "%s: %s", options.path, strerror(-r));
		return CLI_ERROR;
	}
	return try_out(c);
}

static void
on_closed(struct store_call *call)
{
	struct copy_checkpoint *c = call->arg;

	if (call->error.code != 0)
		message(c->command, "%s: %s", c->path, call->error.text);
	net_loop_stop(c->loop);
}

void
copy_checkpoint_close(struct copy_checkpoint *c, int exit_code)
{
	struct store_call *call;

	if (c->store == NULL)
		return;
	call = store_call_new(c->mailbox, on_closed, c);
	if (call != NULL) {
		store_close(c->store, call, CLOSE_MS);
		wait_for_store(c, exit_code);
	}
	store_free(c->store);
	c->store = NULL;
}
