/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Printing data: JSON, tables, times.  Errors of standard output are sticky
 * in stdio, so they are looked at once, by output_close().
 */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "cli/exit-codes.h"
#include "cli/message.h"

int
output_json(json_t *value)
{
	if (value == NULL) {
		message(NULL, "out of memory");
		return CLI_ERROR;
	}
	(void)json_dumpf(value, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(value);
	return CLI_OK;
}

int
output_close(int exit_code)
{
	int had_failed = ferror(stdout);
	size_t n_pending = __fpending(stdout);
	int errnum = 0;

	if (fclose(stdout) != 0)
		errnum = errno;
	/* Closed by the caller (">&-"), but never needed, is no error. */
	if (!had_failed && (errnum == 0 || (errnum == EBADF && n_pending == 0)))
		return exit_code;
	if (errnum == 0)
		message(NULL, "cannot write to standard output");
	else
		message(NULL, "cannot write to standard output: %s",
		    strerror(errnum));
	return exit_code == CLI_OK ? CLI_ERROR : exit_code;
}

void
output_make_printable(char *text)
{
	unsigned char before = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		/* U+0080 to U+009F are control characters, too. */
		if (before == 0xc2 && c < 0xa0) {
			text[-1] = '?';
			*text = '?';
		} else if (c < 0x20 || c == 0x7f) {
			*text = '?';
		}
		before = c;
	}
}

size_t
output_width(const char *text)
{
	mbstate_t state = { 0 };
	size_t width = 0;

	while (*text != '\0') {
		wchar_t wc;
		size_t n = mbrtowc(&wc, text, MB_CUR_MAX, &state);
		int columns;

		/* Not text in this locale: a byte a column. */
		if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
			memset(&state, 0, sizeof state);
			n = 1;
			columns = 1;
		} else {
			columns = wcwidth(wc);
		}
		width += columns > 0 ? (size_t)columns : 0;
		text += n;
	}
	return width;
}

void
output_table(const char *const (*cells)[OUTPUT_TABLE_COLUMNS], size_t n_rows,
    size_t n_columns)
{
	size_t widths[OUTPUT_TABLE_COLUMNS] = { 0 };

	for (size_t i = 0; i < n_rows; i++) {
		for (size_t j = 0; j < n_columns; j++) {
			size_t width = output_width(cells[i][j]);

			if (width > widths[j])
				widths[j] = width;
		}
	}
	for (size_t i = 0; i < n_rows; i++) {
		for (size_t j = 0; j < n_columns; j++) {
			size_t pad = widths[j] - output_width(cells[i][j]);

			if (j + 1 < n_columns)
				(void)printf("%s%*s  ", cells[i][j], (int)pad,
				    "");
			else
				(void)puts(cells[i][j]);
		}
	}
}

static void
fill_row(const json_t *value, struct output_row *row, const char **cells,
    size_t n_columns,
    void (*read_row)(const json_t *value, struct output_row *row))
{
	read_row(value, row);
	for (size_t k = 0; k < n_columns; k++) {
		output_make_printable(row->cell[k]);
		cells[k] = row->cell[k];
	}
}

int
output_list(const struct command *command, const json_t *list,
    const char *const *heading, size_t n_columns,
    void (*read_row)(const json_t *value, struct output_row *row))
{
	size_t n = json_array_size(list);
	CLEANUP(cleanup_free) struct output_row *rows = calloc(n + 1,
	    sizeof *rows);
	CLEANUP(cleanup_free) void *room = calloc(n + 1,
	    sizeof(const char *[OUTPUT_TABLE_COLUMNS]));
	const char *(*cells)[OUTPUT_TABLE_COLUMNS] = room;

	if (rows == NULL || cells == NULL) {
		message(command, "out of memory");
		return CLI_ERROR;
	}
	for (size_t k = 0; k < n_columns; k++)
		cells[0][k] = heading[k];
	for (size_t i = 0; i < n; i++)
		fill_row(json_array_get(list, i), &rows[i], cells[i + 1],
		    n_columns, read_row);
	output_table((const char *const (*)[OUTPUT_TABLE_COLUMNS])room,
	    n + 1, n_columns);
	return CLI_OK;
}

void
output_cell(const json_t *object, const char *key, char *cell)
{
	const char *text = json_string_value(json_object_get(object, key));

	(void)snprintf(cell, OUTPUT_CELL_SIZE, "%s", text == NULL ? "-" : text);
}

char *
output_local_time(const char *utc, char buf[OUTPUT_TIME_SIZE])
{
	struct tm tm = { 0 };
	struct tm local;
	const char *rest = strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t at;

	if (rest != NULL && (*rest == '.' || *rest == 'Z')) {
		at = timegm(&tm);
		if (localtime_r(&at, &local) != NULL &&
		    strftime(buf, OUTPUT_TIME_SIZE, "%Y-%m-%d %H:%M:%S",
			&local) > 0)
			return buf;
	}
	(void)snprintf(buf, OUTPUT_TIME_SIZE, "%s", utc);
	return buf;
}
