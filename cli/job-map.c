/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/job-map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

struct kind {
	const char *word;		/* of the API */
	const char *ascii;
	const char *shade;
	const char *colour;		/* of the SVG */
	char ddrescue;
	const char *meaning;
};

static const struct kind kinds[MAP_KINDS] = {
	[MAP_TODO] = { "todo", ".", "\xc2\xb7", "#e3e6ea", '?', "to do" },
	[MAP_CLAIMED] = { "claimed", "-", "\xe2\x96\x92", "#f2b84b", '?',
	    "in flight" },
	[MAP_DONE] = { "done", "=", "\xe2\x96\x93", "#6aa8e0", '?',
	    "not flushed" },
	[MAP_DURABLE] = { "durable", "#", "\xe2\x96\x88", "#2c6fb3", '+',
	    "durable" },
	[MAP_ZERO] = { "zero", "0", "\xe2\x96\x91", "#86b8a5", '+', "zeroes" },
	[MAP_DIFFERS] = { "differs", "!", "\xe2\x89\xa0", "#8e4ec6", '?',
	    "differs" },
	[MAP_ERROR] = { "error", "x", "x", "#c8332b", '-', "failed" },
};

const char *
job_map_glyph(enum map_cell cell, bool utf8)
{
	return utf8 ? kinds[cell].shade : kinds[cell].ascii;
}

const char *
job_map_word(enum map_cell cell)
{
	return kinds[cell].meaning;
}

/* A word that is not known yet is something that is not done. */
static enum map_cell
cell_of(const char *word)
{
	for (int i = 0; word != NULL && i < MAP_KINDS; i++)
		if (strcmp(kinds[i].word, word) == 0)
			return (enum map_cell)i;
	return MAP_TODO;
}

char
job_map_letter(const char *word)
{
	return kinds[cell_of(word)].ddrescue;
}

int
job_map_read(const json_t *json, struct job_map *ret_map)
{
	const json_t *list = json_object_get(json, "runs");
	json_int_t size = json_integer_value(json_object_get(json,
	    "size_bytes"));
	struct job_map map = { .size = size > 0 ? (uint64_t)size : 0 };
	const json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > JOB_MAP_CELLS_MAX)
		return -EPROTO;
	map.runs = calloc(json_array_size(list) + 1, sizeof *map.runs);
	if (map.runs == NULL)
		return -ENOMEM;
	json_array_foreach(list, i, item) {
		json_int_t length = json_integer_value(json_array_get(item,
		    1));

		if (length <= 0 || length > JOB_MAP_CELLS_MAX ||
		    map.n_cells + (uint64_t)length > JOB_MAP_CELLS_MAX) {
			free(map.runs);
			return -EPROTO;
		}
		map.runs[i].cell = cell_of(json_string_value(json_array_get(
		    item, 0)));
		map.runs[i].length = (uint64_t)length;
		map.n_cells += (uint64_t)length;
		map.n_runs++;
	}
	*ret_map = map;
	return 0;
}

void
job_map_done(struct job_map *map)
{
	free(map->runs);
}

enum map_cell
job_map_at(const struct job_map *map, uint64_t i)
{
	for (size_t j = 0; j < map->n_runs; j++) {
		if (i < map->runs[j].length)
			return map->runs[j].cell;
		i -= map->runs[j].length;
	}
	return MAP_TODO;
}

bool
job_map_has(const struct job_map *map, enum map_cell cell)
{
	for (size_t i = 0; i < map->n_runs; i++)
		if (map->runs[i].cell == cell)
			return true;
	return false;
}

/* Where cell i begins, in bytes. */
static uint64_t
offset_of(const struct job_map *map, uint64_t i)
{
	return map->size / map->n_cells * i + map->size % map->n_cells * i /
	    map->n_cells;
}

static void
print_legend(bool utf8)
{
	for (int i = MAP_KINDS - 1; i >= 0; i--)
		(void)printf("%s%s %s", i == MAP_KINDS - 1 ? "" : "   ",
		    job_map_glyph((enum map_cell)i, utf8), kinds[i].meaning);
	(void)putchar('\n');
}

void
job_map_print(const struct job_map *map, unsigned columns, bool utf8)
{
	char text[UNITS_TEXT_SIZE];

	for (uint64_t i = 0; i < map->n_cells; i++) {
		if (i % columns == 0)
			(void)printf("%10s  ", units_format_size(
			    offset_of(map, i), text));
		(void)fputs(job_map_glyph(job_map_at(map, i), utf8), stdout);
		if (i % columns == columns - 1 || i + 1 == map->n_cells)
			(void)putchar('\n');
	}
	if (map->n_cells > 0)
		print_legend(utf8);
}

#define SVG_COLUMNS 128
#define SVG_CELL    8

static void
svg_run(const struct job_map *map, const struct job_map_run *run,
    uint64_t first, FILE *f)
{
	uint64_t at = first;
	uint64_t end = first + run->length;

	(void)fprintf(f, "<g fill=\"%s\"><title>%s: %" PRIu64 " to %" PRIu64
	    "</title>\n", kinds[run->cell].colour, kinds[run->cell].meaning,
	    offset_of(map, first), offset_of(map, end));
	while (at < end) {
		uint64_t column = at % SVG_COLUMNS;
		uint64_t n = SVG_COLUMNS - column;

		if (n > end - at)
			n = end - at;
		(void)fprintf(f, "<rect x=\"%" PRIu64 "\" y=\"%" PRIu64
		    "\" width=\"%" PRIu64 "\" height=\"%d\"/>\n",
		    column * SVG_CELL, at / SVG_COLUMNS * SVG_CELL + 24,
		    n * SVG_CELL, SVG_CELL - 1);
		at += n;
	}
	(void)fputs("</g>\n", f);
}

static void
svg_legend(unsigned y, FILE *f)
{
	unsigned x = 0;

	for (int i = MAP_KINDS - 1; i >= 0; i--, x += 145)
		(void)fprintf(f, "<rect x=\"%u\" y=\"%u\" width=\"12\" "
		    "height=\"12\" fill=\"%s\"/><text x=\"%u\" "
		    "y=\"%u\">%s</text>\n", x, y, kinds[i].colour, x + 18,
		    y + 11, kinds[i].meaning);
}

void
job_map_write_svg(const struct job_map *map, const char *job, FILE *f)
{
	uint64_t rows = (map->n_cells + SVG_COLUMNS - 1) / SVG_COLUMNS;
	unsigned height = (unsigned)rows * SVG_CELL + 24;
	char size[UNITS_TEXT_SIZE];
	uint64_t first = 0;

	/* The name of a job has no character that XML minds. */
	(void)fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "viewBox=\"0 0 %d %u\" font-family=\"sans-serif\" "
	    "font-size=\"13\">\n<title>%s</title>\n"
	    "<text x=\"0\" y=\"15\">%s, %s</text>\n",
	    SVG_COLUMNS * SVG_CELL, height + 28, job, job,
	    units_format_size(map->size, size));
	for (size_t i = 0; i < map->n_runs; i++) {
		svg_run(map, &map->runs[i], first, f);
		first += map->runs[i].length;
	}
	svg_legend(height + 8, f);
	(void)fputs("</svg>\n", f);
}
