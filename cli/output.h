/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct command;

/*
 * Standard output: the data somebody asked for.
 */

/*
 * Print a value, indented, and drop the reference; NULL means that memory
 * ran out while it was made.  Returns CLI_OK, or CLI_ERROR with a message.
 */
int output_json(json_t *value);

/*
 * Everything printed has to have arrived: the last call of the program.
 * Returns exit_code, or CLI_ERROR with a message where a success could not
 * be told.
 */
int output_close(int exit_code);

#define OUTPUT_TABLE_COLUMNS 7

/*
 * Print rows of n_columns cells as aligned columns, as wide as they have to
 * be: nothing is cut.  cells[0] is the heading.
 */
void output_table(const char *const (*cells)[OUTPUT_TABLE_COLUMNS],
    size_t n_rows, size_t n_columns);

/* Enough for the names of all that a job may have of destinations. */
#define OUTPUT_CELL_SIZE 640

/* One row of output_list(). */
struct output_row {
	char cell[OUTPUT_TABLE_COLUMNS][OUTPUT_CELL_SIZE];
};

/*
 * Print a JSON list as such a table: read_row makes a row of each of its
 * values, and need not care for what is printable.  Returns an exit code.
 */
int output_list(const struct command *command, const json_t *list,
    const char *const *heading, size_t n_columns,
    void (*read_row)(const json_t *value, struct output_row *row));

/* What the object has under key as a cell; "-": nothing. */
void output_cell(const json_t *object, const char *key, char *cell);

/*
 * Put '?' for control characters.  For text that is made of characters and
 * may be escaped already; see escape_text() for bytes from a peer.
 */
void output_make_printable(char *text);

/* The columns that a text takes on a terminal. */
size_t output_width(const char *text);

#define OUTPUT_TIME_SIZE 32

/*
 * "2026-11-23 02:13:05" in local time, of "2026-11-23T02:13:05.120Z".  A
 * text that is none is copied, cut.  Returns buf.
 */
char *output_local_time(const char *utc, char buf[OUTPUT_TIME_SIZE]);

#endif
