/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: runs that have ended, newest first.
 */
#include "store/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define COLUMNS "id, job, trigger, started_at_ms, finished_at_ms, result," \
    " bytes, digest"

static int
put_map(struct db *db, const struct store_run *run)
{
	int64_t id = 0;
	int r = table_job_id(db, run->job, &id);

	return r < 0 ? r : db_run(db, "UPDATE jobs SET map = ? WHERE id = ?",
	    "ti", run->map, id);
}

int
table_add_run(struct db *db, const struct store_run *run,
    unsigned runs_per_job)
{
	int r = db_begin(db);

	if (r < 0)
		return r;
	r = db_run(db, "INSERT INTO runs (" COLUMNS ", report)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "tttiititt",
	    run->id, run->job, run->trigger, run->started_at_ms,
	    run->finished_at_ms, run->result, (int64_t)run->bytes,
	    run->digest, run->report);
	if (r == 0 && run->map != NULL)
		r = put_map(db, run);
	if (r == 0)
		r = db_run(db, "DELETE FROM runs WHERE job = ? AND seq <="
		    " (SELECT seq FROM runs WHERE job = ?"
		    " ORDER BY seq DESC LIMIT 1 OFFSET ?)", "tti", run->job,
		    run->job, (int64_t)runs_per_job);
	return db_end(db, r);
}

static int
run_of_row(struct db *db, sqlite3_stmt *row, bool has_report,
    struct store_run **ret_run)
{
	struct store_run *run = store_run_new();

	if (run == NULL)
		return table_no_memory(db);
	run->started_at_ms = sqlite3_column_int64(row, 3);
	run->finished_at_ms = sqlite3_column_int64(row, 4);
	run->bytes = (uint64_t)sqlite3_column_int64(row, 6);
	if (db_text(row, 0, &run->id) < 0 || db_text(row, 1, &run->job) < 0 ||
	    db_text(row, 2, &run->trigger) < 0 ||
	    db_text(row, 5, &run->result) < 0 ||
	    db_text(row, 7, &run->digest) < 0 ||
	    (has_report && db_text(row, 8, &run->report) < 0)) {
		store_run_free(run);
		return table_no_memory(db);
	}
	*ret_run = run;
	return 0;
}

static int
prepare_list(struct db *db, sqlite3_stmt **ret_row, const char *job,
    uint64_t limit, int64_t before)
{
	if (job[0] == '\0')
		return db_prepare(db, ret_row, "SELECT " COLUMNS " FROM runs"
		    " WHERE seq < ? ORDER BY seq DESC LIMIT ?", "ii", before,
		    (int64_t)limit);
	return db_prepare(db, ret_row, "SELECT " COLUMNS " FROM runs"
	    " WHERE job = ? AND seq < ? ORDER BY seq DESC LIMIT ?", "tii",
	    job, before, (int64_t)limit);
}

static int
no_such_run(struct db *db, const char *id)
{
	return error_set(&db->error, -ENOENT, "there is no run '%s'", id);
}

int
table_list_runs(struct db *db, const char *job, uint64_t limit,
    const char *before, struct store_run ***ret_runs, size_t *ret_n)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *row = NULL;
	int64_t seq = INT64_MAX;
	int r = 0;

	if (before[0] != '\0')
		r = db_number(db, &seq, "SELECT seq FROM runs WHERE id = ?",
		    "t", before);
	if (r == -ENOENT)
		return no_such_run(db, before);
	if (limit > STORE_MAX_LIST)
		limit = STORE_MAX_LIST;
	if (r == 0)
		r = prepare_list(db, &row, job, limit, seq);
	if (r == 0 && limit > 0) {
		*ret_runs = calloc(limit, sizeof **ret_runs);
		if (*ret_runs == NULL)
			return table_no_memory(db);
	}
	/* What there is when it fails is freed with the call. */
	while (r == 0 && (r = db_step(db, row)) == 1) {
		r = run_of_row(db, row, false, &(*ret_runs)[*ret_n]);
		if (r == 0)
			++*ret_n;
	}
	return r;
}

int
table_get_run(struct db *db, const char *id, struct store_run **ret_run)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *row = NULL;
	/* An older version may have had no memory for some of it. */
	int r = db_prepare(db, &row, "SELECT " COLUMNS
	    ", CASE WHEN json_valid(report) THEN report END FROM runs"
	    " WHERE id = ?", "t", id);

	if (r == 0)
		r = db_step(db, row);
	if (r < 0)
		return r;
	return r == 0 ? no_such_run(db, id) :
	    run_of_row(db, row, true, ret_run);
}

int
table_get_last_run(struct db *db, const char *job, struct store_run **ret_run)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *row = NULL;
	int r = db_prepare(db, &row, "SELECT " COLUMNS ", report,"
	    " (SELECT map FROM jobs WHERE name = job) FROM runs"
	    " WHERE job = ? ORDER BY seq DESC LIMIT 1", "t", job);

	if (r == 0)
		r = db_step(db, row);
	if (r == 1)
		r = run_of_row(db, row, true, ret_run);
	else if (r <= 0)
		return r;
	if (r == 0 && db_text(row, 9, &(*ret_run)->map) < 0) {
		store_run_free(STEAL(*ret_run));
		return table_no_memory(db);
	}
	return r;
}
