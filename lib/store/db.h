/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * The database file, as the store's thread sees it: opened, brought to the
 * schema of this version, and asked.  No threads in here.
 */

#define DB_APPLICATION_ID 0x4e424453	/* "NBDS" */

struct db_options {
	const char *path;
	const char *vfs;		/* NULL: SQLite's own */
	unsigned busy_ms;
	bool must_exist;
	bool is_exclusive;
};

struct db {
	sqlite3 *sql;			/* NULL: not open */
	bool is_read_only;
	struct error error;		/* of what failed last */
};

/*
 * Negative errno with a sentence in db->error; nothing is open then.
 * -EUCLEAN: the file is damaged, or no database at all.  -ENOTSUP: a newer
 * nbdsync made it.  -EMEDIUMTYPE: it is a database of something else.
 *
 * One that cannot be written is open to be read, if it is not to be
 * exclusive: is_read_only, and db->error says why (-EROFS).
 */
int db_open(struct db *db, const struct db_options *options);
/* Could it be written, if it was opened again? */
bool db_can_be_written(const struct db_options *options);
/* Also what is not open.  Negative errno: something was not written back. */
int db_close(struct db *db);

/*
 * A statement with its parameters; each letter of types is one: t text (NULL
 * is NULL), i int64_t, b const void * and size_t.
 */
int db_prepare(struct db *db, sqlite3_stmt **ret_statement, const char *sql,
    const char *types, ...);
/* 1: there is a row; 0: no more; negative errno. */
int db_step(struct db *db, sqlite3_stmt *statement);
/* The same, from start to end, for what has no rows. */
int db_run(struct db *db, const char *sql, const char *types, ...);
/* One number of one row.  -ENOENT: no row. */
int db_number(struct db *db, int64_t *ret_number, const char *sql,
    const char *types, ...);

/* A text of a row, a copy; NULL is NULL.  -ENOMEM. */
int db_text(sqlite3_stmt *statement, int column, char **ret_text);

/* A transaction, which db_end() is to end. */
int db_begin(struct db *db);
/* With r 0: commit; else: roll back.  Returns the first error. */
int db_end(struct db *db, int r);

/* For CLEANUP(). */
static inline void
cleanup_statement(sqlite3_stmt **statement)
{
	(void)sqlite3_finalize(*statement);
}

#endif
