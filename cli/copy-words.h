/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_COPY_WORDS_H
#define CLI_COPY_WORDS_H

#include "base/error.h"
#include "endpoint/spec.h"
#include "transfer/run.h"

/*
 * The words of `nbdsync copy`: ranges, and commands in brackets.
 */

/*
 * "FROM:LENGTH[:TO]", sizes with units; without LENGTH ("1GiB:") to the end
 * of the source; TO is FROM unless given.  -EINVAL, -ERANGE with a sentence.
 */
int copy_range_parse(const char *text, struct run_range *ret_range,
    struct error *e);

/* At most this many commands in brackets: all disks of a run. */
#define COPY_BRACKETS_MAX (1 + RUN_MAX_DESTINATIONS)

struct copy_bracket {
	char mark[2];			/* "[": what is in argv for it */
	const char *const *argv;	/* argc words, up to the "]" */
	int argc;
};

struct copy_brackets {
	struct copy_bracket v[COPY_BRACKETS_MAX];
	int n;
	char **words;			/* where argv points into; ours */
};

/*
 * Take what is between "[" and "]" out of argv, so that one word, the
 * bracket's mark, stays for the whole command and nothing of it looks like an
 * option.  *argc shrinks.  brackets must stay where it is.  -EINVAL with a
 * sentence; -ENOMEM.
 */
int copy_brackets_fold(struct copy_brackets *brackets, int *argc, char **argv,
    struct error *e);
void copy_brackets_done(struct copy_brackets *brackets);

/*
 * The endpoint that an operand means; one of argv after the fold.  As
 * endpoint_spec_from_text().
 */
int copy_brackets_to_spec(const struct copy_brackets *brackets,
    const char *operand, struct endpoint_spec **ret_spec, struct error *e);

#endif
