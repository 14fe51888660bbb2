/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RUNTIME_MAILBOX_H
#define RUNTIME_MAILBOX_H

#include "net/loop.h"

/*
 * How one thread tells another something.  A mail is embedded in the
 * sender's object and belongs to the mailbox from mailbox_post() until its
 * deliver() is called, on the thread of the mailbox's loop, in the order of
 * posting.  Posting never blocks and never fails.
 */

struct mail {
	struct mail *next;		/* the mailbox's */
	void (*deliver)(struct mail *mail);
};

struct mailbox;

/* -ENOMEM, -EMFILE, ... */
int mailbox_new(struct net_loop *loop, struct mailbox **ret_box);
/* On the loop's thread; what is still in it is dropped undelivered. */
void mailbox_free(struct mailbox *box);

/* Any thread.  deliver() runs soon on the mailbox's thread. */
void mailbox_post(struct mailbox *box, struct mail *mail);

#endif
