/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H

#include "store/db.h"
#include "store/store.h"

/*
 * What each call does to the database; on the store's thread.  They fail
 * with a sentence in db->error.
 */

int table_get_job(struct db *db, const char *name, struct store_job *ret_job);
int table_put_job(struct db *db, const struct store_job *job);
/* The row of this job, made if need be; in a transaction. */
int table_job_id(struct db *db, const char *name, int64_t *ret_id);

int table_save_checkpoint(struct db *db, const struct store_checkpoint *c);
int table_load_checkpoint(struct db *db, const char *job,
    struct store_checkpoint **ret_checkpoint);
int table_discard_checkpoint(struct db *db, const char *job);

int table_add_run(struct db *db, const struct store_run *run,
    unsigned runs_per_job);
/* job "": of all; before "": from the newest on. */
int table_list_runs(struct db *db, const char *job, uint64_t limit,
    const char *before, struct store_run ***ret_runs, size_t *ret_n);
int table_get_run(struct db *db, const char *id, struct store_run **ret_run);
/* The newest of this job, as the one above; *ret_run stays if it has none. */
int table_get_last_run(struct db *db, const char *job,
    struct store_run **ret_run);

/* Say so in db->error.  Returns -ENOMEM. */
int table_no_memory(struct db *db);

#endif
