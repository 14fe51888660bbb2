/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/canvas.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli/output.h"

#define TEXT_SIZE 1024

void
canvas_begin(struct canvas *c)
{
	c->row = 0;
	c->used = 0;
	(void)fputs("\033[H", c->f);
}

static void
set_style(const struct canvas *c, enum style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "0",
		[STYLE_BOLD] = "1",
		[STYLE_DIM] = "2",
		[STYLE_REVERSE] = "7",
		[STYLE_GOOD] = "32",
		[STYLE_WARN] = "33",
		[STYLE_BAD] = "31",
	};

	if (style >= STYLE_GOOD && !c->colour)
		return;
	(void)fprintf(c->f, "\033[%sm", codes[style]);
}

/* The bytes of text that fit into room columns; *ret_width: what they take. */
static size_t
fit(const char *text, size_t room, size_t *ret_width)
{
	mbstate_t state = { 0 };
	size_t width = 0, len = 0;

	while (text[len] != '\0') {
		wchar_t wc;
		size_t n = mbrtowc(&wc, text + len, MB_CUR_MAX, &state);
		int columns = 1;

		if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
			memset(&state, 0, sizeof state);
			n = 1;
		} else {
			columns = wcwidth(wc);
		}
		if (columns < 0)
			columns = 0;
		if (width + (size_t)columns > room)
			break;
		width += (size_t)columns;
		len += n;
	}
	*ret_width = width;
	return len;
}

void
canvas_put(struct canvas *c, enum style style, size_t width, const char *text)
{
	char printable[TEXT_SIZE];
	size_t room = c->columns > c->used ? c->columns - c->used : 0;
	size_t taken = 0;
	size_t len;

	if (c->row >= c->rows)
		return;
	(void)snprintf(printable, sizeof printable, "%s", text);
	output_make_printable(printable);
	len = fit(printable, room, &taken);
	set_style(c, style);
	(void)fwrite(printable, 1, len, c->f);
	for (; taken < width && taken < room; taken++)
		(void)fputc(' ', c->f);
	if (style != STYLE_PLAIN)
		set_style(c, STYLE_PLAIN);
	c->used += taken;
}

void
canvas_cell(struct canvas *c, enum style style, size_t width, const char *text)
{
	const char *mark = c->utf8 ? "\xe2\x80\xa6" : "~";
	size_t room = c->columns > c->used ? c->columns - c->used : 0;
	char cut[TEXT_SIZE];
	size_t taken = 0;
	size_t len;

	if (width > room)
		width = room;
	if (width == 0)
		return;
	if (output_width(text) <= width) {
		canvas_put(c, style, width, text);
		return;
	}
	len = fit(text, width - 1, &taken);
	(void)snprintf(cut, sizeof cut, "%.*s%s", (int)len, text, mark);
	canvas_put(c, style, width, cut);
}

void
canvas_printf(struct canvas *c, enum style style, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	canvas_put(c, style, 0, text);
}

void
canvas_to_column(struct canvas *c, size_t column, enum style style)
{
	if (column > c->used)
		canvas_put(c, style, column - c->used, "");
}

void
canvas_end_line(struct canvas *c)
{
	if (c->row >= c->rows)
		return;
	if (c->used < c->columns)
		(void)fputs("\033[K", c->f);
	c->row++;
	c->used = 0;
	/* A newline behind the last row would scroll. */
	if (c->row < c->rows)
		(void)fputs("\r\n", c->f);
}

void
canvas_end(struct canvas *c)
{
	if (c->row < c->rows)
		(void)fputs("\033[J", c->f);
}

void
canvas_box(struct canvas *c, const char *const *lines, size_t n_lines)
{
	size_t width = 0;
	size_t top, left;

	for (size_t i = 0; i < n_lines; i++)
		if (output_width(lines[i]) > width)
			width = output_width(lines[i]);
	if (width + 6 > c->columns)
		width = c->columns > 6 ? c->columns - 6 : 0;
	left = (c->columns - width - 4) / 2 + 1;
	top = c->rows > n_lines + 2 ? (c->rows - n_lines - 2) / 2 + 1 : 1;
	for (size_t i = 0; i < n_lines + 2 && top + i <= c->rows; i++) {
		bool is_edge = i == 0 || i == n_lines + 1;

		(void)fprintf(c->f, "\033[%zu;%zuH", top + i, left);
		c->row = top + i - 1;
		c->used = left - 1;
		canvas_put(c, STYLE_REVERSE, 2, "");
		canvas_put(c, STYLE_REVERSE, width, is_edge ? "" :
		    lines[i - 1]);
		canvas_put(c, STYLE_REVERSE, 2, "");
	}
}
