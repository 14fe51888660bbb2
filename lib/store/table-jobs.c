/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs: a name, a UUID that stays, and what was last heard of them.
 */
#include "store/tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"

#define COLUMNS "name, uuid, is_paused, paused_until_ms, paused_by," \
    " paused_reason, last_fire_ms, last_attempt_ms, last_success_ms," \
    " counters"

int
table_no_memory(struct db *db)
{
	return error_set(&db->error, -ENOMEM, "out of memory");
}

/* Version 4: random. */
static int
make_uuid(struct db *db, char ret_uuid[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof b, 0) != sizeof b)
		return error_set(&db->error, -EIO, "no random numbers for a "
		    "UUID: %s", strerror(errno));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(ret_uuid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
	    b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15]);
	return 0;
}

int
table_job_id(struct db *db, const char *name, int64_t *ret_id)
{
	char uuid[37];
	int r = db_number(db, ret_id, "SELECT id FROM jobs WHERE name = ?",
	    "t", name);

	if (r != -ENOENT)
		return r;
	r = make_uuid(db, uuid);
	if (r == 0)
		r = db_run(db, "INSERT INTO jobs (name, uuid) VALUES (?, ?)",
		    "tt", name, uuid);
	if (r == 0)
		*ret_id = sqlite3_last_insert_rowid(db->sql);
	return r;
}

/* What is too long has not been written by us, and is cut. */
static int
copy_text(sqlite3_stmt *row, int column, char *ret, size_t size)
{
	CLEANUP(cleanup_free) char *text = NULL;
	int r = db_text(row, column, &text);

	if (r == 0)
		(void)snprintf(ret, size, "%s", text == NULL ? "" : text);
	return r;
}

static int
job_of_row(struct db *db, sqlite3_stmt *row, struct store_job *job)
{
	*job = (struct store_job){ 0 };
	if (copy_text(row, 0, job->name, sizeof job->name) < 0 ||
	    copy_text(row, 1, job->uuid, sizeof job->uuid) < 0 ||
	    copy_text(row, 4, job->paused_by, sizeof job->paused_by) < 0 ||
	    copy_text(row, 5, job->paused_reason,
	    sizeof job->paused_reason) < 0 ||
	    copy_text(row, 9, job->counters, sizeof job->counters) < 0)
		return table_no_memory(db);
	job->is_paused = sqlite3_column_int64(row, 2) != 0;
	job->paused_until_ms = sqlite3_column_int64(row, 3);
	job->last_fire_ms = sqlite3_column_int64(row, 6);
	job->last_attempt_ms = sqlite3_column_int64(row, 7);
	job->last_success_ms = sqlite3_column_int64(row, 8);
	return 0;
}

static int
read_job(struct db *db, int64_t id, struct store_job *ret_job)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *row = NULL;
	int r = db_prepare(db, &row, "SELECT " COLUMNS
	    " FROM jobs WHERE id = ?", "i", id);

	if (r == 0)
		r = db_step(db, row);
	if (r < 0)
		return r;
	return r == 0 ? error_set(&db->error, -ENOENT, "the job is gone") :
	    job_of_row(db, row, ret_job);
}

int
table_get_job(struct db *db, const char *name, struct store_job *ret_job)
{
	int64_t id = 0;
	int r = db_number(db, &id, "SELECT id FROM jobs WHERE name = ?", "t",
	    name);

	/* What is there can be read while others write. */
	if (r != -ENOENT)
		return r < 0 ? r : read_job(db, id, ret_job);
	r = db_begin(db);
	if (r < 0)
		return r;
	r = table_job_id(db, name, &id);
	if (r == 0)
		r = read_job(db, id, ret_job);
	return db_end(db, r);
}

int
table_put_job(struct db *db, const struct store_job *job)
{
	int64_t id = 0;
	int r = db_begin(db);

	if (r < 0)
		return r;
	r = table_job_id(db, job->name, &id);
	if (r == 0)
		r = db_run(db, "UPDATE jobs SET is_paused = ?,"
		    " paused_until_ms = ?, paused_by = ?, paused_reason = ?,"
		    " last_fire_ms = ?, last_attempt_ms = ?,"
		    " last_success_ms = ?, counters = ? WHERE id = ?",
		    "iittiiiti", (int64_t)job->is_paused,
		    job->paused_until_ms, job->paused_by, job->paused_reason,
		    job->last_fire_ms, job->last_attempt_ms,
		    job->last_success_ms, job->counters, id);
	return db_end(db, r);
}
