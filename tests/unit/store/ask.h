/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ASK_H
#define ASK_H

#include "store/store.h"

/*
 * A store to ask, in a directory of its own, and a thread that waits for the
 * answers.
 */

extern char ask_path[64];		/* of the database */
extern char ask_dir[48];
extern struct store *ask_store;		/* NULL: not open */
extern struct mailbox *ask_box;
extern struct store_call ask_answer;	/* the one waited for last */

void ask_setup(void);
void ask_teardown(void);

/* Open ask_path with what else options say. */
void ask_open(struct store_options options);
/* Close it, in order. */
void ask_close(void);

/* A call whose answer goes to ask_answer. */
struct store_call *ask_call(void);
/* Wait for the next n answers; ask_answer is the last of them. */
void ask_wait(unsigned n);
/* Free all answers so far: there is room for 64. */
void ask_forget(void);
/* One answer with this code. */
void ask_expect(int code);

/* A checkpoint with something in every member. */
struct store_checkpoint *ask_checkpoint(const char *job, uint64_t generation);
/* They are the same, byte for byte. */
void ask_same(const struct store_checkpoint *a,
    const struct store_checkpoint *b);
/* What is stored for this job is ask_checkpoint(job, generation). */
void ask_expect_checkpoint(const char *job, uint64_t generation);
struct store_run *ask_run(const char *id, const char *job);

/* What the sqlite3 program reads there, and what it leaves behind. */
void ask_sqlite(const char *sql, char *ret_text, size_t size);

#endif
