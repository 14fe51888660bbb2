/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include "store/db.h"
#include "store/store.h"

/* What a call does, on the store's thread. */
struct store_op {
	int (*run)(struct store_call *call, struct db *db,
	    unsigned runs_per_job);
	bool is_write;
	/*
	 * Answered where nothing can be written.  Not so a place to go on
	 * from: it could not be removed when it is out of date.
	 */
	bool is_for_readers;
};

extern const struct store_op store_op_save;

/* Queue a call, or answer it at once when its error is set.  Any thread. */
void store_post(struct store *store, struct store_call *call);

/*
 * Put a damaged database out of the way, with what belongs to it: to
 * PATH.damaged-TIME.  ret_sentence, of ERROR_TEXT_SIZE, says so.
 */
int store_set_aside(const char *path, const char *why, char *ret_sentence);

#endif
