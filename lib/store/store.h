/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "runtime/mailbox.h"
#include "store/checkpoint.h"

/*
 * What has to survive the end of the process: checkpoints, the state
 * of jobs and the history of runs, in one SQLite database.
 *
 * A thread of the store's own does all of it.  Everybody else posts calls,
 * from any thread, and gets each back once, as a mail to the mailbox that the
 * call names; nobody ever waits for the disk.  Calls are done in the order of
 * posting, but for one thing: a checkpoint takes the place of an older one of
 * the same job that still waits, which is answered -ECANCELED.
 *
 * When the database cannot be used, calls fail with a sentence, and the store
 * tries again with the calls to come, at most once in retry_ms.  Whoever
 * copies goes on copying: what is lost is the place to go on from after a
 * crash, and store_get_health() says so.  From one that can only be read, the
 * states of jobs and the history are told.
 */

struct store;

#define STORE_NAME_SIZE	   64	/* of a job, with NUL */
#define STORE_QUEUE_MAX	   256
#define STORE_RETRY_MS	   5000
#define STORE_BUSY_MS	   2000
#define STORE_RUNS_PER_JOB 1000
#define STORE_MAX_LIST	   10000 /* runs in one answer */

struct store_options {
	const char *path;		/* of the database; its directory is
					   made if only that is missing */
	bool must_exist;		/* make nothing */
	bool is_exclusive;		/* keep other processes out */
	bool keep_damaged;		/* a damaged file is refused, else it is
					   set aside as PATH.damaged-TIME, and
					   a fresh one made */
	unsigned queue_max;		/* 0: STORE_QUEUE_MAX */
	unsigned retry_ms;		/* 0: STORE_RETRY_MS */
	unsigned busy_ms;		/* how long another process may hold
					   the lock; 0: STORE_BUSY_MS */
	unsigned runs_per_job;		/* kept; 0: STORE_RUNS_PER_JOB */
	const char *vfs;		/* of SQLite, in tests; NULL: its own */
	/* Told when the health has changed; may be NULL. */
	struct mailbox *owner;
	void (*on_health)(void *arg);
	void *arg;
};

/*
 * Start the thread, which opens the database.  That this may fail is a matter
 * of health; here it is -ENOMEM, -EINVAL (the path is too long) or what
 * starting a thread says.
 */
int store_open(const struct store_options *options, struct store **ret_store);

enum store_state {
	STORE_OK,		/* "ok" */
	STORE_STALE,		/* "stale": the last write failed */
	STORE_UNAVAILABLE,	/* "unavailable": it cannot be opened, or only
				   to be read */
};

/* The word in quotes above. */
const char *store_state_name(enum store_state state);

struct store_health {
	enum store_state state;
	struct error error;		/* why; code 0 and "" when ok */
	int64_t since_ms;		/* real time since the epoch */
	char set_aside[ERROR_TEXT_SIZE]; /* a sentence: a damaged database was
					   put away and begun afresh; or "" */
};

/* Any thread; never waits for the disk. */
void store_get_health(const struct store *store,
    struct store_health *ret_health);

/* The state of a job.  Times are real, in ms since the epoch; 0: never. */
struct store_job {
	char name[STORE_NAME_SIZE];
	char uuid[37];			/* the store's */
	bool is_paused;
	int64_t paused_until_ms;	/* 0: until somebody says otherwise */
	char paused_by[128];
	char paused_reason[256];
	int64_t last_fire_ms;		/* of its schedule */
	int64_t last_attempt_ms;
	int64_t last_success_ms;
	char counters[2048];		/* JSON, the caller's; "": none */
};

/* A run that has ended. */
struct store_run {
	char *id;			/* unique */
	char *job;
	char *trigger;
	char *result;
	char *digest;			/* may be NULL */
	char *report;			/* JSON; may be NULL */
	/*
	 * Or who makes it, on the store's thread, where it takes long; NULL:
	 * nobody.  The caller's for free(), or NULL: there is none.
	 */
	char *(*make_report)(void *arg);
	void *arg;
	void (*free_arg)(void *arg);
	size_t arg_bytes;		/* about so many */
	char *map;			/* what it has left, for the caller; not
					   of the run, but of its job: the last
					   one holds; NULL: as it was */
	int64_t started_at_ms;
	int64_t finished_at_ms;
	uint64_t bytes;
};

/* All 0.  NULL: out of memory. */
struct store_run *store_run_new(void);
void store_run_free(struct store_run *run);

struct store_op;

/*
 * A call.  It belongs to the store once posted, and is freed, with all that
 * is still in it, when on_done has returned: STEAL() what you keep.
 */
struct store_call {
	struct mail mail;
	struct mailbox *reply_to;
	void (*on_done)(struct store_call *call);	/* may be NULL */
	void *arg;
	/*
	 * On the store's thread, when it is done, to make of the answer what
	 * takes too long on the thread that waits; may be NULL.
	 */
	void (*on_store)(struct store_call *call);
	void *made;			/* by that */
	void (*free_made)(void *made);
	struct error error;		/* code 0: it is done, and on disk */

	/* Answers. */
	struct store_checkpoint *checkpoint;
	struct store_job *jobs;
	size_t n_jobs;
	struct store_run **runs;
	size_t n_runs;

	/* The store's. */
	const struct store_op *op;
	struct list node;
	char job[STORE_NAME_SIZE];
	char id[128];
	size_t count;
};

/* NULL: out of memory.  reply_to must outlive the call. */
struct store_call *store_call_new(struct mailbox *reply_to,
    void (*on_done)(struct store_call *call), void *arg);
/* One that was never posted. */
void store_call_free(struct store_call *call);
/*
 * On the thread of reply_to, before the answer: it will be for nobody, and
 * on_done is not called.  What was asked for is done all the same.
 */
void store_call_forget(struct store_call *call);

/*
 * Calls.  Any thread.  What fails everywhere: -EAGAIN, the queue is full;
 * -ESHUTDOWN, the store is being closed; -ETIMEDOUT, it was closed before the
 * turn of this call; -ENOSPC, -EROFS, -EIO, -EBUSY, -ENOMEM, -EUCLEAN (the
 * file is damaged), -ENOTSUP (of a newer nbdsync), -ENXIO (no such file or
 * directory).
 * Names that are too long or empty: -EINVAL.
 */

/*
 * The job and its row are made if need be, with a new UUID.  Answers with
 * one in jobs, and with its newest run, and the report of that, in runs, if
 * there is one; its map is that of the job.
 */
void store_get_job(struct store *store, struct store_call *call,
    const char *job);
/* Write all of it but the UUID, which stays; answers with it in jobs. */
void store_put_job(struct store *store, struct store_call *call,
    const struct store_job *job);

/*
 * checkpoint becomes the call's.  -ESTALE: the one that is stored is not of
 * a lower generation.  -ECANCELED: a newer one took its place.  -EINVAL:
 * what would not be read again is not written.
 */
void store_save_checkpoint(struct store *store, struct store_call *call,
    struct store_checkpoint *checkpoint);
/*
 * checkpoint NULL: there is none.  -EBADMSG: it does not match its checksum;
 * it is dropped, and the next answer is that there is none.
 */
void store_load_checkpoint(struct store *store, struct store_call *call,
    const char *job);
void store_discard_checkpoint(struct store *store, struct store_call *call,
    const char *job);

/* run becomes the call's.  The oldest of too many of this job go. */
void store_add_run(struct store *store, struct store_call *call,
    struct store_run *run);
/*
 * Newest first, at most limit; of all jobs if job is NULL; before: only those
 * older than the run of this id, if not NULL.  Without their reports.
 * -ENOENT: no such run.
 */
void store_list_runs(struct store *store, struct store_call *call,
    const char *job, size_t limit, const char *before);
/* One, with its report, if that is JSON.  -ENOENT. */
void store_get_run(struct store *store, struct store_call *call,
    const char *id);

/*
 * Take no more calls, do those that wait, as far as that takes no longer than
 * deadline_ms, and close the database.  The answer to this call is the last;
 * its error says what could not be closed or written.
 */
void store_close(struct store *store, struct store_call *call,
    uint64_t deadline_ms);

/*
 * After the answer to store_close(); or instead of it, when the mailboxes of
 * those who wait are not served any more: calls that wait are dropped.
 */
void store_free(struct store *store);

#endif
