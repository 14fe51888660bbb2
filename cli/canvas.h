/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_CANVAS_H
#define CLI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A screen's worth of lines for a terminal, with escape sequences that every
 * ANSI terminal knows.  What does not fit is cut by columns, so that no line
 * ever wraps.
 */

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_REVERSE,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
};

struct canvas {
	FILE *f;
	size_t columns;
	size_t rows;
	bool colour;
	bool utf8;
	size_t row;			/* that is being drawn, from 0 */
	size_t used;			/* columns of it */
};

/* From the first line on. */
void canvas_begin(struct canvas *c);

/*
 * Add text to the line, padded with blanks to at least width columns.
 * Control characters become '?'.
 */
void canvas_put(struct canvas *c, enum style style, size_t width,
    const char *text);
void canvas_printf(struct canvas *c, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The same in exactly width columns, or what is left of the line: a text that
 * is cut ends with the mark of c->utf8.
 */
void canvas_cell(struct canvas *c, enum style style, size_t width,
    const char *text);

/* Blanks up to a column. */
void canvas_to_column(struct canvas *c, size_t column, enum style style);

/* The line is complete; beyond the last row nothing is drawn. */
void canvas_end_line(struct canvas *c);

/* Clear what is left of the screen. */
void canvas_end(struct canvas *c);

/* Lines in a box in the middle, over what has been drawn. */
void canvas_box(struct canvas *c, const char *const *lines, size_t n_lines);

#endif
