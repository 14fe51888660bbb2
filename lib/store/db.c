/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SQLite, and what it says, as errno and sentence.
 *
 * The database is in WAL mode and synchronous: what was committed is on the
 * disk.  user_version counts the migrations that it has seen, each of which
 * is one transaction.  Nothing is written to a file before it is known to be
 * ours: one may be named by mistake.
 */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"

/* Migration n leads from user_version n to n + 1.  Never change one. */
static const char *const migrations[] = {
	"CREATE TABLE jobs ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" uuid TEXT NOT NULL UNIQUE,"
	" is_paused INTEGER NOT NULL DEFAULT 0,"
	" paused_until_ms INTEGER NOT NULL DEFAULT 0,"
	" paused_by TEXT NOT NULL DEFAULT '',"
	" paused_reason TEXT NOT NULL DEFAULT '',"
	" last_fire_ms INTEGER NOT NULL DEFAULT 0,"
	" last_attempt_ms INTEGER NOT NULL DEFAULT 0,"
	" last_success_ms INTEGER NOT NULL DEFAULT 0,"
	" counters TEXT NOT NULL DEFAULT '');"
	"CREATE TABLE checkpoints ("
	" job_id INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,"
	" run_id TEXT NOT NULL,"
	" generation INTEGER NOT NULL,"
	" mode TEXT NOT NULL,"
	" saved_at_ms INTEGER NOT NULL,"
	" body BLOB NOT NULL,"
	" sha256 BLOB NOT NULL);"
	"CREATE TABLE digests ("
	" job_id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,"
	" block INTEGER NOT NULL,"
	" algorithm TEXT NOT NULL,"
	" digest BLOB NOT NULL,"
	" PRIMARY KEY (job_id, block)) WITHOUT ROWID;"
	"CREATE TABLE runs ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" job TEXT NOT NULL,"
	" trigger TEXT NOT NULL,"
	" started_at_ms INTEGER NOT NULL,"
	" finished_at_ms INTEGER NOT NULL,"
	" result TEXT NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" digest TEXT,"
	" report TEXT);"
	"CREATE INDEX runs_of_job ON runs (job, seq);",

	"ALTER TABLE jobs ADD COLUMN map TEXT NOT NULL DEFAULT ''",
};

#define N_MIGRATIONS ((int)(sizeof migrations / sizeof migrations[0]))

static int
errno_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_TOOBIG:
		return -E2BIG;
	default:
		return -EIO;
	}
}

/* What the last call of SQLite said. */
static int
db_fail(struct db *db, int code)
{
	int error = errno_of(code);
	int system = sqlite3_system_errno(db->sql);
	char text[256];
	const char *message = sqlite3_errmsg(db->sql);

	/* -ENOENT is what an answer says that has found nothing. */
	if ((code & 0xff) == SQLITE_CANTOPEN && system != 0)
		error = system == ENOENT ? -ENXIO : -system;
	escape_text(message, strlen(message), text, sizeof text);
	return error_set(&db->error, error, "%s%s%s", text,
	    system == 0 ? "" : ": ", system == 0 ? "" : strerror(system));
}

static int
bind_one(sqlite3_stmt *statement, int i, char type, va_list *ap)
{
	const void *p;
	size_t len;

	switch (type) {
	case 'i':
		return sqlite3_bind_int64(statement, i, va_arg(*ap, int64_t));
	case 't':
		return sqlite3_bind_text(statement, i, va_arg(*ap,
		    const char *), -1, SQLITE_STATIC);
	default:
		p = va_arg(*ap, const void *);
		len = va_arg(*ap, size_t);
		return sqlite3_bind_blob64(statement, i, p == NULL ? "" : p,
		    len, SQLITE_STATIC);
	}
}

static int
prepare(struct db *db, sqlite3_stmt **ret_statement, const char *sql,
    const char *types, va_list *ap)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->sql, sql, -1, &statement, NULL);

	for (int i = 0; code == SQLITE_OK && types[i] != '\0'; i++)
		code = bind_one(statement, i + 1, types[i], ap);
	if (code == SQLITE_OK) {
		*ret_statement = statement;
		return 0;
	}
	code = db_fail(db, code);
	(void)sqlite3_finalize(statement);
	return code;
}

int
db_prepare(struct db *db, sqlite3_stmt **ret_statement, const char *sql,
    const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = prepare(db, ret_statement, sql, types, &ap);
	va_end(ap);
	return r;
}

int
db_step(struct db *db, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : db_fail(db, code);
}

int
db_run(struct db *db, const char *sql, const char *types, ...)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *statement = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	r = prepare(db, &statement, sql, types, &ap);
	va_end(ap);
	while (r == 0 && (r = db_step(db, statement)) == 1)
		r = 0;
	return r;
}

int
db_number(struct db *db, int64_t *ret_number, const char *sql,
    const char *types, ...)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *statement = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	r = prepare(db, &statement, sql, types, &ap);
	va_end(ap);
	if (r == 0)
		r = db_step(db, statement);
	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret_number = sqlite3_column_int64(statement, 0);
	return 0;
}

int
db_text(sqlite3_stmt *statement, int column, char **ret_text)
{
	const unsigned char *text;
	char *copy;

	if (sqlite3_column_type(statement, column) == SQLITE_NULL) {
		*ret_text = NULL;
		return 0;
	}
	text = sqlite3_column_text(statement, column);
	copy = text == NULL ? NULL : strdup((const char *)text);
	if (copy == NULL)
		return -ENOMEM;
	*ret_text = copy;
	return 0;
}

int
db_begin(struct db *db)
{
	return db_run(db, "BEGIN IMMEDIATE", "");
}

int
db_end(struct db *db, int r)
{
	if (r == 0)
		r = db_run(db, "COMMIT", "");
	/* Some errors have rolled back already. */
	if (r < 0 && sqlite3_get_autocommit(db->sql) == 0)
		(void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* A row of one text, which must be this. */
static int
expect(struct db *db, const char *sql, const char *wanted, int otherwise)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *statement = NULL;
	CLEANUP(cleanup_free) char *text = NULL;
	char printable[256];
	int r = db_prepare(db, &statement, sql, "");

	if (r == 0)
		r = db_step(db, statement);
	if (r == 1)
		r = db_text(statement, 0, &text);
	if (r < 0)
		return r == -ENOMEM ? error_set(&db->error, r,
		    "out of memory") : r;
	if (text == NULL || strcmp(text, wanted) != 0)
		return error_set(&db->error, otherwise, "%s: %s", sql,
		    text == NULL ? "" : escape_text(text, strlen(text),
		    printable, sizeof printable));
	return 0;
}

/* Ours, of a version that we know, or nothing yet? */
static int
check_owner(struct db *db, int64_t *ret_version)
{
	int64_t id = 0, version = 0, n_tables = 0;
	int r;

	if ((r = db_number(db, &id, "PRAGMA application_id", "")) < 0 ||
	    (r = db_number(db, &version, "PRAGMA user_version", "")) < 0 ||
	    (r = db_number(db, &n_tables,
	    "SELECT count(*) FROM sqlite_master", "")) < 0)
		return r;
	if (id != DB_APPLICATION_ID && (id != 0 || version != 0 ||
	    n_tables != 0))
		return error_set(&db->error, -EMEDIUMTYPE, "this is a "
		    "database of another program");
	if (version > N_MIGRATIONS)
		return error_set(&db->error, -ENOTSUP, "a newer nbdsync has "
		    "made it: its version is %lld, and this one knows %d",
		    (long long)version, N_MIGRATIONS);
	*ret_version = version;
	return 0;
}

static int
migrate(struct db *db, int64_t version)
{
	char pragmas[96];
	int r = db_begin(db);
	int code;

	if (r < 0)
		return r;
	code = sqlite3_exec(db->sql, migrations[version], NULL, NULL, NULL);
	(void)snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d;"
	    "PRAGMA user_version=%lld", DB_APPLICATION_ID,
	    (long long)version + 1);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db->sql, pragmas, NULL, NULL, NULL);
	return db_end(db, code == SQLITE_OK ? 0 : db_fail(db, code));
}

static int
prepare_file(struct db *db, const struct db_options *o)
{
	int64_t version = 0;
	int r = 0;

	if (o->is_exclusive)
		r = db_run(db, "PRAGMA locking_mode=EXCLUSIVE", "");
	if (r < 0 || (r = check_owner(db, &version)) < 0 ||
	    (version > 0 && (r = expect(db, "PRAGMA quick_check(1)", "ok",
	    -EUCLEAN)) < 0) ||
	    (r = expect(db, "PRAGMA journal_mode=WAL", "wal", -EIO)) < 0 ||
	    (r = db_run(db, "PRAGMA synchronous=FULL", "")) < 0 ||
	    (r = db_run(db, "PRAGMA foreign_keys=ON", "")) < 0)
		return r;
	for (; r == 0 && version < N_MIGRATIONS; version++)
		r = migrate(db, version);
	return r;
}

static int
open_file(struct db *db, const struct db_options *o, const char *name,
    int flags)
{
	int code = sqlite3_open_v2(name, &db->sql, flags |
	    SQLITE_OPEN_NOMUTEX, o->vfs);

	if (db->sql == NULL)
		return error_set(&db->error, -ENOMEM, "out of memory");
	if (code != SQLITE_OK)
		return db_fail(db, code);
	(void)sqlite3_extended_result_codes(db->sql, 1);
	(void)sqlite3_busy_timeout(db->sql, (int)o->busy_ms);
	return 0;
}

/* What has been written last may be there only. */
static bool
has_log(const char *path)
{
	char log[PATH_MAX];
	struct stat st;

	if (snprintf(log, sizeof log, "%s-wal", path) >= PATH_MAX)
		return true;
	return stat(log, &st) < 0 ? errno != ENOENT : st.st_size > 0;
}

/* The file, which nobody changes; NULL: out of memory. */
static char *
immutable_uri(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	CLEANUP(cleanup_free) char *escaped = malloc(3 * strlen(path) + 1);
	char *uri = NULL;
	size_t n = 0;

	if (escaped == NULL)
		return NULL;
	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;

		if (strchr("%?#", c) == NULL) {
			escaped[n++] = *path;
			continue;
		}
		escaped[n++] = '%';
		escaped[n++] = hex[c >> 4];
		escaped[n++] = hex[c & 15];
	}
	escaped[n] = '\0';
	/* Two slashes at its start would be followed by a host. */
	if (asprintf(&uri, "file:%s%s?immutable=1",
	    escaped[0] == '/' ? "//" : "", escaped) < 0)
		return NULL;
	return uri;
}

/*
 * SQLite needs a file beside a database in WAL mode, even to read it, unless
 * it is told that nobody changes it; but then it does not look at the log.
 */
static int
reopen_to_read(struct db *db, const struct db_options *o)
{
	CLEANUP(cleanup_free) char *uri = NULL;

	if (has_log(o->path))
		return 0;
	(void)db_close(db);
	uri = immutable_uri(o->path);
	if (uri == NULL)
		return error_set(&db->error, -ENOMEM, "out of memory");
	return open_file(db, o, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

/* It cannot be written: what is there may be of use. */
static int
open_to_read(struct db *db, const struct db_options *o)
{
	int64_t version = 0;
	int r = o->is_exclusive ? -EROFS : reopen_to_read(db, o);

	if (r == 0)
		r = check_owner(db, &version);
	if (r == 0 && version != N_MIGRATIONS)
		r = -ENOTSUP;
	if (r == 0)
		r = expect(db, "PRAGMA quick_check(1)", "ok", -EUCLEAN);
	db->is_read_only = r == 0;
	(void)error_set(&db->error, -EROFS, "it, or its disk, is read-only");
	return r == 0 ? 0 : -EROFS;
}

bool
db_can_be_written(const struct db_options *o)
{
	/* One that is gone may be made again. */
	return faccessat(AT_FDCWD, o->path, W_OK, AT_EACCESS) == 0 ||
	    errno == ENOENT;
}

int
db_open(struct db *db, const struct db_options *o)
{
	int r;

	db->error = (struct error){ 0 };
	db->is_read_only = false;
	r = open_file(db, o, o->path, SQLITE_OPEN_READWRITE |
	    (o->must_exist ? 0 : SQLITE_OPEN_CREATE));
	/* Else what comes of that is told, and not that. */
	if (r == 0 && sqlite3_db_readonly(db->sql, "main") == 1)
		r = open_to_read(db, o);
	else if (r == 0)
		r = prepare_file(db, o);
	if (r < 0)
		(void)db_close(db);
	return r;
}

int
db_close(struct db *db)
{
	sqlite3 *sql = STEAL(db->sql);

	db->is_read_only = false;
	return sqlite3_close(sql) == SQLITE_OK ? 0 : -EIO;
}
