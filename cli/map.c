/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Printing the extents of a metadata context.
 *
 * A disk may have millions of them: a list is printed while it comes, also as
 * JSON, whose array is therefore written by hand; nothing in it needs quotes
 * but words of ours.  One that was not ended, because something failed, has no
 * closing bracket and is taken by nobody for the whole.
 */
#include "cli/map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/annotate.h"
#include "client/nbdclient.h"

static const char *
allocation_state(uint64_t flags, char *buf UNUSED)
{
	static const char *const states[] = { "data", "hole", "zero",
		"hole,zero" };

	return states[flags & (NBDCLIENT_STATE_HOLE | NBDCLIENT_STATE_ZERO)];
}

static const char *
bitmap_state(uint64_t flags, char *buf UNUSED)
{
	return (flags & 1) != 0 ? "dirty" : "clean";
}

static const char *
depth_state(uint64_t flags, char *buf)
{
	if (flags == 0)
		return "unallocated";
	if (flags == 1)
		return "local";
	(void)snprintf(buf, MAP_STATE_SIZE, "backing %" PRIu64, flags);
	return buf;
}

static const struct context_row {
	const char *name;
	bool is_prefix;
	const char *(*state)(uint64_t flags, char *buf);
} context_rows[] = {
	{ "base:allocation", false, allocation_state },
	{ "qemu:dirty-bitmap:", true, bitmap_state },
	{ "qemu:allocation-depth", false, depth_state },
};

#define N_CONTEXT_ROWS (sizeof context_rows / sizeof context_rows[0])

const char *
map_state(const char *context, uint64_t flags, char buf[MAP_STATE_SIZE])
{
	for (size_t i = 0; i < N_CONTEXT_ROWS; i++) {
		const struct context_row *row = &context_rows[i];

		if (row->is_prefix ?
			strncmp(context, row->name, strlen(row->name)) == 0 :
			strcmp(context, row->name) == 0)
			return row->state(flags, buf);
	}
	return NULL;
}

/* The columns of the longest number there can be. */
static int
number_width(struct map *m)
{
	if (m->width == 0)
		m->width = snprintf(NULL, 0, "%" PRIu64, m->size);
	return m->width;
}

/* The flags, and what they mean: the end of every line. */
static void
print_flags(const struct map *m, uint64_t flags)
{
	char buf[MAP_STATE_SIZE];
	const char *state = map_state(m->context, flags, buf);

	if (!m->json)
		(void)fprintf(m->out, "%" PRIu64 "%s%s\n", flags,
		    state != NULL ? "  " : "", state != NULL ? state : "");
	else if (state != NULL)
		(void)fprintf(m->out,
		    "\"flags\": %" PRIu64 ", \"state\": \"%s\"}", flags,
		    state);
	else
		(void)fprintf(m->out,
		    "\"flags\": %" PRIu64 ", \"state\": null}", flags);
}

/* What stands between two elements of the array, or before the first. */
static void
print_json_separator(struct map *m)
{
	(void)fputs(m->has_begun ? ",\n  " : "[\n  ", m->out);
	m->has_begun = true;
}

static void
print_extent(struct map *m, const struct map_extent *extent)
{
	int width = number_width(m);

	if (m->json) {
		print_json_separator(m);
		(void)fprintf(m->out,
		    "{\"offset_bytes\": %" PRIu64
		    ", \"length_bytes\": %" PRIu64 ", ",
		    extent->offset, extent->length);
	} else {
		(void)fprintf(m->out, "%*" PRIu64 "  %*" PRIu64 "  ", width,
		    extent->offset, width, extent->length);
	}
	print_flags(m, extent->flags);
}

static double
percent_of(const struct map *m, uint64_t length)
{
	return 100.0 * (double)length / (double)m->size;
}

static void
print_kind(struct map *m, const struct map_kind *kind)
{
	if (m->json) {
		print_json_separator(m);
		(void)fprintf(m->out,
		    "{\"total_bytes\": %" PRIu64 ", \"percent\": %.4f, ",
		    kind->length, percent_of(m, kind->length));
	} else {
		(void)fprintf(m->out, "%*" PRIu64 "  %5.1f%%  ",
		    number_width(m), kind->length,
		    percent_of(m, kind->length));
	}
	print_flags(m, kind->flags);
}

/* Where the kind is, or belongs. */
static size_t
find_kind(const struct map *m, uint64_t flags)
{
	size_t low = 0;
	size_t high = m->n_kinds;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->kinds[middle].flags < flags)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Make room for one more. */
static int
reserve_kind(struct map *m)
{
	struct map_kind *kinds;
	size_t room = m->room == 0 ? 16 : 2 * m->room;

	if (m->n_kinds == MAP_MAX_KINDS)
		return -E2BIG;
	if (m->n_kinds < m->room)
		return 0;
	kinds = reallocarray(m->kinds, room, sizeof *kinds);
	if (kinds == NULL)
		return -ENOMEM;
	m->kinds = kinds;
	m->room = room;
	return 0;
}

static void
sum_extent(struct map *m, const struct map_extent *extent)
{
	size_t i = find_kind(m, extent->flags);

	if (i == m->n_kinds || m->kinds[i].flags != extent->flags) {
		m->error = reserve_kind(m);
		if (m->error < 0)
			return;
		memmove(&m->kinds[i + 1], &m->kinds[i],
		    (m->n_kinds - i) * sizeof *m->kinds);
		m->kinds[i] = (struct map_kind){ .flags = extent->flags };
		m->n_kinds++;
	}
	m->kinds[i].length += extent->length;
}

static void
flush_extent(struct map *m)
{
	if (m->last.length == 0 || m->error < 0)
		return;
	if (m->totals)
		sum_extent(m, &m->last);
	else
		print_extent(m, &m->last);
	m->last.length = 0;
}

void
map_add(void *arg, const char *context UNUSED, uint64_t offset,
    uint64_t length, uint64_t flags)
{
	struct map *m = arg;

	m->n_added++;
	if (m->last.length > 0 && m->last.flags == flags) {
		m->last.length += length;
		return;
	}
	flush_extent(m);
	m->last = (struct map_extent){ offset, length, flags };
}

int
map_end(struct map *m)
{
	flush_extent(m);
	if (m->error < 0)
		return m->error;
	for (size_t i = 0; i < m->n_kinds; i++)
		print_kind(m, &m->kinds[i]);
	if (m->json)
		(void)fputs(m->has_begun ? "\n]\n" : "[]\n", m->out);
	return 0;
}

void
map_done(struct map *m)
{
	free(m->kinds);
	m->kinds = NULL;
	m->n_kinds = 0;
	m->room = 0;
}
