/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_PROBLEMS_H
#define CONF_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annotate.h"
#include "conf/spots.h"

/*
 * What is wrong with a configuration, all of it at once, in the order of its
 * files and their lines.
 */

#define CONF_PROBLEMS_MAX 50

struct conf_problem {
	unsigned file;			/* which: 0 is the main one */
	struct conf_spot spot;
	size_t nth;			/* keeps the order at a spot */
	char *text;			/* "FILE:LINE:COLUMN: what is wrong" */
};

struct conf_problems {
	const char *file;		/* what messages call it; borrowed */
	unsigned nth_file;
	struct conf_problem v[CONF_PROBLEMS_MAX];
	size_t n;
	size_t n_more;			/* found, but not kept */
};

void conf_problems_init(struct conf_problems *problems, const char *file);
void conf_problems_done(struct conf_problems *problems);

/* What is added from now on is about this file, the nth. */
void conf_problems_set_file(struct conf_problems *problems, unsigned nth,
    const char *file);

#define CONF_WHOLE_FILE ((struct conf_spot){ 0, 0 })

/*
 * Note a problem.  What the text quotes from the file has been through
 * escape_text().
 */
void conf_problems_add(struct conf_problems *problems, struct conf_spot spot,
    const char *fmt, ...) PRINTF(3, 4);

/* Is there one at this line of this file already? */
bool conf_problems_has_line(const struct conf_problems *problems,
    unsigned line);

void conf_problems_sort(struct conf_problems *problems);

#endif
