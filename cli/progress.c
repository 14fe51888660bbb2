/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The line that shows rates, the time left, and how far a run is.
 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)

#define BAR_MIN 8
#define BAR_MAX 40

/* "stalled 45 s", "stalled 45 s, destination: No space left on device" */
static void
write_stall(const struct progress *p, uint64_t stalled, char *buf, size_t size)
{
	const char *cause = p->last.trying_again;
	char text[UNITS_TEXT_SIZE];

	if (stalled < MINUTE_MS)
		(void)snprintf(text, sizeof text, "%" PRIu64 " s",
		    stalled / SECOND_MS);
	else
		(void)units_format_time_ms(stalled, text);
	(void)snprintf(buf, size, "stalled %s%s%s", text,
	    cause[0] != '\0' ? ", " : "", cause);
}

/* "1m05s left", "stalled 45 s", "reconnecting", "flushing" */
static void
write_outlook(const struct progress *p, char *buf, size_t size)
{
	uint64_t stalled = progress_stalled_ms(p);
	char text[UNITS_TEXT_SIZE];
	uint64_t left;

	if (p->last.phase != RUN_COPYING && p->last.phase != RUN_STALLED)
		(void)snprintf(buf, size, "%s", run_phase_name(p->last.phase));
	else if (stalled > 0)
		write_stall(p, stalled, buf, size);
	else if (progress_is_too_early(p))
		buf[0] = '\0';
	else if (!progress_time_left(p, &left))
		(void)snprintf(buf, size, "ETA ?");
	else if (left < MINUTE_MS)
		(void)snprintf(buf, size, "ETA %" PRIu64 " s",
		    left / SECOND_MS);
	else
		(void)snprintf(buf, size, "ETA %s",
		    units_format_time_ms(left, text));
}

/* What was given up counts as seen to, and is not good. */
static void
write_bad(const struct run_progress *s, char *buf, size_t size)
{
	char bad[UNITS_TEXT_SIZE];
	size_t used = strlen(buf);

	if (s->failed_bytes > 0)
		(void)snprintf(buf + used, size - used, ", %s bad",
		    units_format_size(s->failed_bytes, bad));
}

/* "1.8 GiB/4.0 GiB", of what is copied or, after that, read back. */
static void
write_amount(const struct progress *p, char *buf, size_t size)
{
	char done[UNITS_TEXT_SIZE];
	char total[UNITS_TEXT_SIZE];
	uint64_t done_bytes = p->last.done_bytes;
	uint64_t total_bytes = p->last.total_bytes;

	if (p->last.phase == RUN_VERIFYING) {
		done_bytes = p->last.verified_bytes;
		total_bytes *= p->last.n_destinations;
	}
	(void)snprintf(buf, size, "%s/%s",
	    units_format_size(done_bytes, done),
	    units_format_size(total_bytes, total));
	write_bad(&p->last, buf, size);
}

/* Which of a bar's cells are filled: durable, then done, then to do. */
static size_t
cells_of(uint64_t bytes, uint64_t total, size_t n_cells)
{
	double share;

	if (total == 0)
		return 0;
	share = bytes >= total ? 1.0 : (double)bytes / (double)total;
	return (size_t)(share * (double)n_cells);
}

static void
write_bar(const struct run_progress *s, bool utf8, size_t n_cells, char *buf,
    size_t size)
{
	const char *solid = utf8 ? "\xe2\x96\x88" : "#";
	const char *shaded = utf8 ? "\xe2\x96\x93" : "=";
	const char *bad = utf8 ? "\xe2\x9c\x97" : "x";
	const char *empty = utf8 ? "\xc2\xb7" : ".";
	size_t n_durable = cells_of(s->durable_bytes, s->total_bytes, n_cells);
	size_t n_done = cells_of(s->done_bytes, s->total_bytes, n_cells);
	size_t n_settled = cells_of(progress_settled(s), s->total_bytes,
	    n_cells);
	size_t used = 0;

	for (size_t i = 0; i < n_cells; i++) {
		const char *cell = i < n_durable ? solid :
		    i < n_done			 ? shaded :
		    i < n_settled		 ? bad :
						   empty;

		used += (size_t)snprintf(buf + used, size - used, "%s", cell);
	}
}

enum {
	PART_PERCENT,
	PART_AMOUNT,
	PART_RATE,
	PART_OUTLOOK,
	N_PARTS,
	PART_SIZE = 136,
};

/* What has not begun has no numbers. */
static bool
has_numbers(const struct progress *p)
{
	return p->last.total_bytes != 0 && p->last.phase != RUN_CONNECTING;
}

static void
write_parts(const struct progress *p, char parts[N_PARTS][PART_SIZE])
{
	char rate[UNITS_TEXT_SIZE];

	memset(parts, 0, N_PARTS * (size_t)PART_SIZE);
	write_outlook(p, parts[PART_OUTLOOK], PART_SIZE);
	if (!has_numbers(p))
		return;
	(void)snprintf(parts[PART_PERCENT], PART_SIZE, "%3u%%",
	    progress_percent(&p->last));
	write_amount(p, parts[PART_AMOUNT], PART_SIZE);
	if (p->last.phase == RUN_COPYING && p->shown.weight > 0.0)
		(void)snprintf(parts[PART_RATE], PART_SIZE, "%s/s",
		    units_format_size(progress_rate(p), rate));
}

static size_t
width_of_parts(char parts[N_PARTS][PART_SIZE])
{
	size_t width = 0;

	/* Two columns before each but the first; all of it is ASCII. */
	for (size_t i = 0; i < N_PARTS; i++) {
		if (parts[i][0] != '\0')
			width += strlen(parts[i]) + (width > 0 ? 2 : 0);
	}
	return width;
}

/* The least needed go first. */
static void
drop_parts(char parts[N_PARTS][PART_SIZE], size_t room)
{
	static const int order[] = { PART_RATE, PART_AMOUNT, PART_OUTLOOK,
		PART_PERCENT };

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (width_of_parts(parts) > room)
			parts[order[i]][0] = '\0';
	}
}

static void
append(char buf[PROGRESS_LINE_SIZE], const char *part)
{
	size_t used = strlen(buf);

	if (part[0] != '\0')
		(void)snprintf(buf + used, PROGRESS_LINE_SIZE - used, "%s%s",
		    used > 0 ? "  " : "", part);
}

char *
progress_line(const struct progress *p, const struct progress_style *style,
    char buf[PROGRESS_LINE_SIZE])
{
	size_t room = style->columns > 0 ? style->columns - 1 : SIZE_MAX;
	char bar[BAR_MAX * 3 + 1] = "";
	char parts[N_PARTS][PART_SIZE];
	size_t width;

	write_parts(p, parts);
	drop_parts(parts, room);
	width = width_of_parts(parts) + 2;
	if (style->columns > 0 && has_numbers(p) && room >= width + BAR_MIN)
		write_bar(&p->last, style->utf8,
		    room - width < BAR_MAX ? room - width : BAR_MAX, bar,
		    sizeof bar);
	buf[0] = '\0';
	append(buf, parts[PART_PERCENT]);
	append(buf, bar);
	for (int i = PART_AMOUNT; i < N_PARTS; i++)
		append(buf, parts[i]);
	return buf;
}

/* What did not go there as bytes, if there is any. */
static const char *
write_share(char part[PART_SIZE], uint64_t bytes, const char *what)
{
	char size[UNITS_TEXT_SIZE];

	if (bytes == 0)
		return "";
	(void)snprintf(part, PART_SIZE, ", %s of it %s",
	    units_format_size(bytes, size), what);
	return part;
}

/* What became of the bytes, after the rate. */
static void
write_outcome(enum run_mode mode, const struct run_progress *end, char *buf,
    size_t size)
{
	char zeroed[PART_SIZE];
	char trimmed[PART_SIZE];
	char untouched[PART_SIZE];
	char written[UNITS_TEXT_SIZE];

	if (mode == RUN_VERIFY) {
		(void)snprintf(buf, size, "%s", end->differing_bytes == 0 ?
		    ", equal" : "");
		return;
	}
	if (mode == RUN_SYNC)
		(void)snprintf(buf, size, ", %s of it written",
		    units_format_size(end->written_bytes + end->zeroed_bytes,
		    written));
	else
		(void)snprintf(buf, size, "%s%s%s",
		    write_share(zeroed, end->zeroed_bytes, "zeroes"),
		    write_share(trimmed, end->trimmed_bytes, "trimmed"),
		    write_share(untouched, end->untouched_bytes,
		    "left as it was"));
	(void)snprintf(buf + strlen(buf), size - strlen(buf), ", %s%s",
	    end->durable_bytes >= end->done_bytes ? "flushed" : "not flushed",
	    end->verified_bytes > 0 &&
		    end->verified_bytes >= end->done_bytes ?
		", verified" :
		"");
}

char *
progress_summary(enum run_mode mode, const struct run_progress *end,
    char buf[PROGRESS_LINE_SIZE])
{
	uint64_t ms = end->elapsed_ms > 0 ? end->elapsed_ms : 1;
	double rate = (double)end->done_bytes * 1000.0 / (double)ms;
	char done[UNITS_TEXT_SIZE];
	char rate_text[UNITS_TEXT_SIZE];
	char elapsed[UNITS_TEXT_SIZE];
	char outcome[4 * PART_SIZE];

	write_outcome(mode, end, outcome, sizeof outcome);
	(void)snprintf(buf, PROGRESS_LINE_SIZE, "%s %s in %s (%s/s)%s",
	    units_format_size(end->done_bytes, done),
	    mode == RUN_COPY || mode == RUN_MIRROR ? "copied" : "compared",
	    units_format_time_ms(end->elapsed_ms, elapsed),
	    units_format_size((uint64_t)rate, rate_text), outcome);
	write_bad(end, buf, PROGRESS_LINE_SIZE);
	return buf;
}
