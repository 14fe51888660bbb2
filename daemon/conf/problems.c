/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of what is wrong with a configuration file.  A list of fixed
 * length: a file with more than fifty mistakes is not helped by the rest,
 * so those are only counted.
 */

#include "conf/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 512
/* ":LINE:COLUMN", as far as they are known. */
#define SPOT_SIZE 32

void
conf_problems_init(struct conf_problems *problems, const char *file)
{
	memset(problems, 0, sizeof *problems);
	problems->file = file;
}

void
conf_problems_set_file(struct conf_problems *problems, unsigned nth,
    const char *file)
{
	problems->nth_file = nth;
	problems->file = file;
}

void
conf_problems_done(struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		free(problems->v[i].text);
	conf_problems_init(problems, problems->file);
}

static void
write_spot(struct conf_spot spot, char buf[SPOT_SIZE])
{
	buf[0] = '\0';
	if (spot.line != 0 && spot.column != 0)
		(void)snprintf(buf, SPOT_SIZE, ":%u:%u", spot.line,
		    spot.column);
	else if (spot.line != 0)
		(void)snprintf(buf, SPOT_SIZE, ":%u", spot.line);
}

void
conf_problems_add(struct conf_problems *problems, struct conf_spot spot,
    const char *fmt, ...)
{
	struct conf_problem *problem = &problems->v[problems->n];
	char text[TEXT_SIZE], where[SPOT_SIZE];
	va_list ap;

	if (problems->n == CONF_PROBLEMS_MAX) {
		problems->n_more++;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	write_spot(spot, where);
	if (asprintf(&problem->text, "%s%s: %s", problems->file, where,
	    text) < 0) {
		problems->n_more++;
		return;
	}
	problem->file = problems->nth_file;
	problem->spot = spot;
	problem->nth = problems->n++;
}

bool
conf_problems_has_line(const struct conf_problems *problems, unsigned line)
{
	for (size_t i = 0; i < problems->n; i++)
		if (problems->v[i].file == problems->nth_file &&
		    problems->v[i].spot.line == line)
			return true;
	return false;
}

static int
compare(const void *a, const void *b)
{
	const struct conf_problem *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->spot.line != y->spot.line)
		return x->spot.line < y->spot.line ? -1 : 1;
	if (x->spot.column != y->spot.column)
		return x->spot.column < y->spot.column ? -1 : 1;
	return x->nth < y->nth ? -1 : x->nth > y->nth;
}

void
conf_problems_sort(struct conf_problems *problems)
{
	qsort(problems->v, problems->n, sizeof problems->v[0], compare);
}
