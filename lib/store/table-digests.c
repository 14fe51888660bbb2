/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Digests of the source, one row for each 64 MiB of it.
 */
#include "store/tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void
cleanup_digests(struct store_digests **digests)
{
	store_digests_free(*digests);
}

static int
put_one(struct db *db, int64_t id, const char *algorithm,
    const struct store_digest *d)
{
	if (d->len > STORE_DIGEST_MAX || d->block > INT64_MAX)
		return error_set(&db->error, -EINVAL, "a digest of %zu bytes "
		    "is too long", d->len);
	return db_run(db, "INSERT OR REPLACE INTO digests"
	    " (job_id, block, algorithm, digest) VALUES (?, ?, ?, ?)",
	    "iitb", id, (int64_t)d->block, algorithm, (const void *)d->data,
	    d->len);
}

int
table_put_digests(struct db *db, const char *job,
    const struct store_digests *digests)
{
	int64_t id = 0;
	int r = db_begin(db);

	if (r < 0)
		return r;
	r = table_job_id(db, job, &id);
	for (size_t i = 0; r == 0 && i < digests->n; i++)
		r = put_one(db, id, digests->algorithm, &digests->v[i]);
	return db_end(db, r);
}

static int
add_row(struct db *db, sqlite3_stmt *row, struct store_digests *digests)
{
	struct store_digest *v = reallocarray(digests->v, digests->n + 1,
	    sizeof *v);
	const void *data;
	size_t len;

	if (v == NULL)
		return table_no_memory(db);
	digests->v = v;
	v += digests->n;
	data = sqlite3_column_blob(row, 1);
	len = (size_t)sqlite3_column_bytes(row, 1);
	v->block = (uint64_t)sqlite3_column_int64(row, 0);
	v->len = len;
	v->data = malloc(len > 0 ? len : 1);
	if (v->data == NULL || (data == NULL && len > 0)) {
		free(v->data);
		return table_no_memory(db);
	}
	if (len > 0)
		memcpy(v->data, data, len);
	digests->n++;
	return 0;
}

int
table_get_digests(struct db *db, const char *job, const char *algorithm,
    uint64_t first, uint64_t count, struct store_digests **ret_digests)
{
	CLEANUP(cleanup_digests) struct store_digests *digests = NULL;
	CLEANUP(cleanup_statement) sqlite3_stmt *row = NULL;
	uint64_t last = count > INT64_MAX - first ? INT64_MAX : first + count;
	int r;

	digests = store_digests_new(0);
	if (digests == NULL)
		return table_no_memory(db);
	(void)snprintf(digests->algorithm, sizeof digests->algorithm, "%s",
	    algorithm);
	r = db_prepare(db, &row, "SELECT block, digest FROM digests"
	    " JOIN jobs ON jobs.id = job_id WHERE name = ?"
	    " AND algorithm = ? AND block >= ? AND block < ?"
	    " ORDER BY block", "ttii", job, algorithm, (int64_t)first,
	    (int64_t)last);
	while (r == 0 && (r = db_step(db, row)) == 1)
		r = add_row(db, row, digests);
	if (r == 0)
		*ret_digests = STEAL(digests);
	return r;
}

int
table_drop_digests(struct db *db, const char *job)
{
	return db_run(db, "DELETE FROM digests WHERE job_id ="
	    " (SELECT id FROM jobs WHERE name = ?)", "t", job);
}
