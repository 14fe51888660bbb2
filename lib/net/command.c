/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child (net/child.c) with a file and two pipes.  Its input is in memory that
 * looks like a file, so that all of it is there before there is anybody to
 * read it, however much it is.  When the command has ended, what it has said by
 * then is read; a descendant that has left the process group, and keeps the
 * pipes open, is not waited for.
 */
#include "net/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/child.h"
#include "net/lines.h"

struct output {
	struct net_lines lines;
	struct net_command *command;
	bool is_error;
};

struct net_command {
	struct net_child *child;
	struct net_timer timeout;
	uint64_t grace_ms;
	struct output outputs[2];
	bool is_ending;
	struct net_command_end end;
	void (*on_line)(void *arg, bool is_error, const char *line);
	void (*on_end)(void *arg, const struct net_command_end *end);
	void *arg;
};

static void
on_line(void *arg, const char *line)
{
	const struct output *o = arg;

	o->command->on_line(o->command->arg, o->is_error, line);
}

static void
command_free(struct net_command *c)
{
	net_timer_done(&c->timeout);
	for (int i = 0; i < 2; i++)
		net_lines_close(&c->outputs[i].lines);
	free(c);
}

/* For CLEANUP(): one that has no child. */
static void
command_freep(struct net_command **c)
{
	if (*c != NULL)
		command_free(*c);
}

static void
on_child_gone(void *arg)
{
	struct net_command *c = arg;
	void (*on_end)(void *arg, const struct net_command_end *end) =
	    c->on_end;
	struct net_command_end end = c->end;

	for (int i = 0; i < 2; i++)
		net_lines_finish(&c->outputs[i].lines);
	arg = c->arg;
	command_free(c);
	on_end(arg, &end);
}

static void
on_child_exit(void *arg, const struct error *e)
{
	struct net_command *c = arg;

	net_timer_stop(&c->timeout);
	c->is_ending = true;
	c->end.status = net_child_status(c->child);
	c->end.e = *e;
	net_child_stop(c->child, 0, on_child_gone, c);
}

static void
on_timeout(void *arg)
{
	struct net_command *c = arg;

	c->is_ending = true;
	c->end.has_timed_out = true;
	c->end.status = -1;
	(void)error_set(&c->end.e, -ETIMEDOUT, "it took too long and was "
	    "ended");
	net_child_stop(c->child, c->grace_ms, on_child_gone, c);
}

void
net_command_stop(struct net_command *command)
{
	if (!command->is_ending)
		net_timer_start(&command->timeout, 0);
}

void
net_command_kill(struct net_command *command)
{
	if (command == NULL)
		return;
	net_child_kill(command->child);
	command_free(command);
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* From the start of it the command reads. */
static int
make_input(const struct net_command_spec *spec, int *ret_fd)
{
	int r;

	*ret_fd = memfd_create("input", MFD_CLOEXEC);
	if (*ret_fd < 0)
		return -errno;
	r = write_all(*ret_fd, spec->input, spec->input_len);
	if (r == 0 && lseek(*ret_fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r;
}

/* The three descriptors of the child; they are the caller's. */
static int
make_files(struct net_command *c, struct net_loop *loop,
    const struct net_command_spec *spec, int fds[3])
{
	int r = make_input(spec, &fds[0]);

	for (int i = 0; r == 0 && i < 2; i++)
		r = net_lines_open(&c->outputs[i].lines, loop, on_line,
		    &c->outputs[i], &fds[1 + i]);
	return r;
}

static struct net_command *
command_new(struct net_loop *loop, const struct net_command_spec *spec)
{
	struct net_command *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	for (int i = 0; i < 2; i++) {
		net_lines_init(&c->outputs[i].lines);
		c->outputs[i].command = c;
		c->outputs[i].is_error = i == 1;
	}
	c->grace_ms = spec->grace_ms;
	c->on_line = spec->on_line;
	c->on_end = spec->on_end;
	c->arg = spec->arg;
	if (net_timer_init(&c->timeout, loop, on_timeout, c) < 0) {
		free(c);
		return NULL;
	}
	return c;
}

int
net_command_start(struct net_loop *loop, const struct net_command_spec *spec,
    struct net_command **ret_command, struct error *e)
{
	CLEANUP(command_freep) struct net_command *c = NULL;
	int fds[3] = { -1, -1, -1 };
	int r;

	c = command_new(loop, spec);
	if (c == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	r = make_files(c, loop, spec, fds);
	if (r < 0)
		(void)error_set(e, r, "cannot give a command its "
		    "files: %s",
		    strerrordesc_np(-r));
	else
		r = net_child_start_command(loop, spec->path, spec->argv,
		    spec->envp, fds, on_child_exit, c, &c->child, e);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	if (r < 0)
		return r;
	net_timer_start(&c->timeout, spec->timeout_ms);
	*ret_command = STEAL(c);
	return 0;
}
