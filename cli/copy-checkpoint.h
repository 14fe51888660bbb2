/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COPY_CHECKPOINT_H
#define CLI_COPY_CHECKPOINT_H

#include "cli/commands.h"
#include "net/loop.h"
#include "runtime/mailbox.h"
#include "store/store.h"

/*
 * The file of `nbdsync copy --checkpoint`.  Calls return exit codes, and have
 * said why; they run the loop, which belongs to the caller.
 */

/* The job that the store knows. */
#define COPY_CHECKPOINT_JOB "copy"

/* Born 0, but for the first two. */
struct copy_checkpoint {
	const struct command *command;	/* for messages */
	const char *path;		/* NULL: there is none */
	struct net_loop *loop;
	struct mailbox *mailbox;
	struct store *store;		/* NULL: not open */
	struct net_timer timer;		/* the file's disk is waited for */
	bool is_unusable;
	int exit_code;			/* when that has no end, or fails */
};

/* loop and mailbox stay the caller's.  -ENOMEM. */
int copy_checkpoint_init(struct copy_checkpoint *c, struct net_loop *loop,
    struct mailbox *mailbox);
void copy_checkpoint_done(struct copy_checkpoint *c);

/* Open it, if there is one; what cannot be used is told at once. */
int copy_checkpoint_open(struct copy_checkpoint *c);

/* Have it written; exit_code is for leaving if its disk does not answer. */
void copy_checkpoint_close(struct copy_checkpoint *c, int exit_code);

#endif
