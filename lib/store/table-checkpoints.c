/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints: one row a job.  All of it is the body, whose checksum catches
 * what a disk did to it; the other columns repeat some for who looks with
 * another program.
 */
#include "store/tables.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SUM_SIZE 32

static int
make_sum(struct db *db, const void *bytes, size_t len, uint8_t sum[SUM_SIZE])
{
	if (EVP_Digest(bytes, len, sum, NULL, EVP_sha256(), NULL) != 1)
		return table_no_memory(db);
	return 0;
}

/* Only a newer one may take the place of what is there. */
static int
check_generation(struct db *db, int64_t id, uint64_t generation)
{
	int64_t stored = 0;
	int r = db_number(db, &stored, "SELECT generation FROM checkpoints"
	    " WHERE job_id = ?", "i", id);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (generation <= (uint64_t)stored)
		return error_set(&db->error, -ESTALE, "checkpoint %llu comes "
		    "after %llu", (unsigned long long)generation,
		    (unsigned long long)stored);
	return 0;
}

static int
write_checkpoint(struct db *db, const struct store_checkpoint *c,
    const uint8_t *body, size_t len, const uint8_t *sum)
{
	int64_t id = 0;
	int r = db_begin(db);

	if (r < 0)
		return r;
	r = table_job_id(db, c->job, &id);
	if (r == 0)
		r = check_generation(db, id, c->generation);
	if (r == 0)
		r = db_run(db, "INSERT OR REPLACE INTO checkpoints"
		    " (job_id, run_id, generation, mode, saved_at_ms, body,"
		    " sha256) VALUES (?, ?, ?, ?, ?, ?, ?)", "ititibb", id,
		    "", (int64_t)c->generation,
		    c->mode == NULL ? "" : c->mode, c->saved_at_ms,
		    (const void *)body, len, (const void *)sum,
		    (size_t)SUM_SIZE);
	return db_end(db, r);
}

int
table_save_checkpoint(struct db *db, const struct store_checkpoint *c)
{
	CLEANUP(cleanup_free) uint8_t *body = NULL;
	uint8_t sum[SUM_SIZE];
	size_t len = 0;
	int r = store_checkpoint_encode(c, &body, &len);

	if (r == 0 && c->generation > INT64_MAX)
		r = -EINVAL;
	if (r == -ENOMEM)
		return table_no_memory(db);
	if (r < 0)
		return error_set(&db->error, r, "this is no checkpoint that "
		    "could be read again");
	r = make_sum(db, body, len, sum);
	return r < 0 ? r : write_checkpoint(db, c, body, len, sum);
}

/* -EBADMSG, or what the row says of this job. */
static int
checkpoint_of_row(struct db *db, sqlite3_stmt *row, const char *job,
    struct store_checkpoint **ret_checkpoint)
{
	const void *body = sqlite3_column_blob(row, 0);
	size_t len = (size_t)sqlite3_column_bytes(row, 0);
	const void *stored_sum = sqlite3_column_blob(row, 1);
	size_t sum_len = (size_t)sqlite3_column_bytes(row, 1);
	struct store_checkpoint *c = NULL;
	uint8_t sum[SUM_SIZE];
	int r;

	if (sqlite3_errcode(db->sql) == SQLITE_NOMEM)
		return table_no_memory(db);
	r = make_sum(db, body, len, sum);
	if (r < 0)
		return r;
	if (sum_len == SUM_SIZE && memcmp(sum, stored_sum, SUM_SIZE) == 0)
		r = store_checkpoint_decode(body, len, &c);
	else
		r = -EBADMSG;
	if (r == -ENOMEM)
		return table_no_memory(db);
	if (r == 0 && strcmp(c->job, job) != 0)
		r = -EBADMSG;
	if (r < 0) {
		store_checkpoint_free(c);
		return error_set(&db->error, r, "the checkpoint of job '%s' "
		    "is damaged", job);
	}
	*ret_checkpoint = c;
	return 0;
}

static int
read_checkpoint(struct db *db, const char *job,
    struct store_checkpoint **ret_checkpoint)
{
	CLEANUP(cleanup_statement) sqlite3_stmt *row = NULL;
	int r = db_prepare(db, &row, "SELECT body, sha256 FROM checkpoints"
	    " JOIN jobs ON jobs.id = job_id WHERE name = ?", "t", job);

	if (r == 0)
		r = db_step(db, row);
	return r <= 0 ? r : checkpoint_of_row(db, row, job, ret_checkpoint);
}

int
table_load_checkpoint(struct db *db, const char *job,
    struct store_checkpoint **ret_checkpoint)
{
	struct error error;
	int r;

	*ret_checkpoint = NULL;
	r = read_checkpoint(db, job, ret_checkpoint);
	if (r != -EBADMSG)
		return r;
	/* Else its generation would stand in the way of new ones. */
	error = db->error;
	if (table_discard_checkpoint(db, job) == 0)
		db->error = error;
	return db->error.code;
}

int
table_discard_checkpoint(struct db *db, const char *job)
{
	return db_run(db, "DELETE FROM checkpoints WHERE job_id ="
	    " (SELECT id FROM jobs WHERE name = ?)", "t", job);
}
