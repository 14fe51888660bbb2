/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The terminal's side of progress.  Only a carriage return and blanks are
 * used, which every terminal understands; its width is asked for at each
 * redraw, so that a new one counts from the next line on.  A terminal that is
 * stopped is not drawn on, so that nothing waits for it.
 */
#include "cli/bar.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/terminal.h"

#define DEFAULT_COLUMNS 80

/* There is one terminal: the bar whose line the cursor is on, or NULL. */
static struct bar *on_terminal;

uint64_t
bar_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

bool
bar_has_terminal(void)
{
	return isatty(STDERR_FILENO) == 1;
}

void
bar_init(struct bar *bar, enum bar_mode mode, uint64_t every_ms,
    uint64_t now_ms)
{
	memset(bar, 0, sizeof *bar);
	progress_init(&bar->progress);
	bar->mode = mode;
	bar->every_ms = every_ms;
	/* Not at once: a short run needs no bar, and a rate takes two looks. */
	bar->next_ms = now_ms + (mode == BAR_LINES ? every_ms : BAR_REDRAW_MS);
	bar->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static size_t
terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return DEFAULT_COLUMNS;
	return size.ws_col;
}

static void
draw(struct bar *bar)
{
	struct progress_style style = { terminal_columns(), bar->utf8 };
	char line[PROGRESS_LINE_SIZE];
	size_t width;
	size_t pad;

	if (!terminal_takes(STDERR_FILENO, 0))
		return;
	(void)progress_line(&bar->progress, &style, line);
	width = output_width(line);
	if (bar->shown >= style.columns)
		bar->shown = style.columns - 1;
	pad = bar->shown > width ? bar->shown - width : 0;
	(void)fprintf(stderr, "\r%s%*s", line, (int)pad, "");
	(void)fflush(stderr);
	bar->shown = width;
	on_terminal = bar;
}

void
bar_print_line(struct bar *bar)
{
	struct progress_style style = { 0, false };
	char line[PROGRESS_LINE_SIZE];

	if (!terminal_wait(STDERR_FILENO))
		return;
	bar_clear(bar);
	(void)fprintf(stderr, "%s\n",
	    progress_line(&bar->progress, &style, line));
	(void)fflush(stderr);
}

void
bar_update(struct bar *bar, const struct run_progress *snapshot,
    uint64_t now_ms)
{
	progress_update(&bar->progress, snapshot, now_ms);
	if (now_ms < bar->next_ms)
		return;
	switch (bar->mode) {
	case BAR_OFF:
		break;
	case BAR_TERMINAL:
		draw(bar);
		bar->next_ms = now_ms + BAR_REDRAW_MS;
		break;
	case BAR_LINES:
		bar_print_line(bar);
		bar->next_ms = now_ms + bar->every_ms;
		break;
	}
}

void
bar_clear(struct bar *bar)
{
	if (on_terminal == bar)
		on_terminal = NULL;
	if (bar->shown == 0 || !terminal_wait(STDERR_FILENO))
		return;
	(void)fprintf(stderr, "\r%*s\r", (int)bar->shown, "");
	(void)fflush(stderr);
	bar->shown = 0;
}

void
bar_make_way(void)
{
	if (on_terminal != NULL)
		bar_clear(on_terminal);
}

void
bar_finish(struct bar *bar, const char *before, enum run_mode mode,
    const struct run_progress *end)
{
	char line[PROGRESS_LINE_SIZE];

	if (bar->mode == BAR_OFF || !terminal_wait(STDERR_FILENO))
		return;
	bar_clear(bar);
	(void)fprintf(stderr, "%s%s\n", before, progress_summary(mode, end,
	    line));
	(void)fflush(stderr);
}
