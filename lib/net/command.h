/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NET_COMMAND_H
#define NET_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/lines.h"
#include "net/loop.h"

/*
 * A command that is run to its end: it reads what it is given, says something
 * on standard output and standard error, and exits.  No shell, a process
 * group of its own, and a time by which it has ended: what is left of the
 * group then is killed.  It gets no other descriptors of ours, leaves no core
 * dump, and has as many descriptors as select(2) can take.
 */

struct net_command;

#define NET_COMMAND_LINE_SIZE NET_LINE_SIZE

struct net_command_end {
	int status;			/* of exit(3); -1: see e */
	bool has_timed_out;
	struct error e;			/* status is not 0: how it ended, a
					   sentence */
};

struct net_command_spec {
	const char *path;		/* of the program; NULL: argv[0], looked
					   up in PATH */
	const char *const *argv;	/* NULL-terminated */
	const char *const *envp;	/* NULL: ours */
	const char *input;
	size_t input_len;
	uint64_t timeout_ms;		/* then SIGTERM */
	uint64_t grace_ms;		/* then SIGKILL */
	/*
	 * A line of what it says, without its end; longer ones are cut.
	 * Comes from the loop.
	 */
	void (*on_line)(void *arg, bool is_error, const char *line);
	/* Once, from the loop; the command is gone then. */
	void (*on_end)(void *arg, const struct net_command_end *end);
	void *arg;
};

/* spec is not needed afterwards.  What exec said, with a sentence. */
int net_command_start(struct net_loop *loop,
    const struct net_command_spec *spec, struct net_command **ret_command,
    struct error *e);

/* End it now, as if its time were over; on_end comes. */
void net_command_stop(struct net_command *command);

/* Kill it, and wait for that; on_end does not come.  NULL is fine. */
void net_command_kill(struct net_command *command);

#endif
