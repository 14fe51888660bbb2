/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store's thread and its queue.
 *
 * The mutex guards the queue and the health, and is never held while the
 * database works.  The thread takes one call after the other, sees to it
 * that the database is open, does the call and posts it back.
 *
 * What goes wrong with the file becomes the health of the store here: what
 * cannot be opened is tried again later; what is damaged is put aside and
 * begun afresh, and the call is done again.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "store/store-private.h"

struct store {
	pthread_t thread;
	struct mailbox *owner;
	void (*on_health)(void *arg);
	void *arg;
	bool keep_damaged;
	unsigned queue_max;
	unsigned retry_ms;
	unsigned runs_per_job;

	pthread_mutex_t mutex;		/* guards what follows */
	pthread_cond_t not_empty;
	struct list queue;
	unsigned n_queued;
	bool is_closing;
	bool is_dropping;		/* nobody waits for answers */
	uint64_t deadline_ms;		/* monotonic; when closing */
	struct store_call *close_call;
	struct store_health health;
	struct mail health_mail;
	bool is_telling;		/* health_mail is under way */

	/* The thread's. */
	struct db db;
	struct db_options db_options;
	struct error opened_with;	/* code 0: it was opened well */
	uint64_t retry_at_ms;
	char path[PATH_MAX];
	char vfs[32];
};

static uint64_t
now_ms(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
lock(const struct store *store)
{
	(void)pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&store->mutex);
}

static void
unlock(const struct store *store)
{
	(void)pthread_mutex_unlock(
	    (pthread_mutex_t *)(uintptr_t)&store->mutex);
}

const char *
store_state_name(enum store_state state)
{
	static const char *const names[] = {
		[STORE_OK] = "ok",
		[STORE_STALE] = "stale",
		[STORE_UNAVAILABLE] = "unavailable",
	};

	return names[state];
}

void
store_get_health(const struct store *store, struct store_health *ret_health)
{
	lock(store);
	*ret_health = store->health;
	unlock(store);
}

static void
health_deliver(struct mail *mail)
{
	struct store *store = list_entry(mail, struct store, health_mail);

	lock(store);
	store->is_telling = false;
	unlock(store);
	store->on_health(store->arg);
}

/* set_aside NULL: that is as it was. */
static void
set_health(struct store *store, enum store_state state,
    const struct error *error, const char *set_aside)
{
	struct store_health *h = &store->health;
	bool is_new;

	lock(store);
	is_new = h->state != state || set_aside != NULL ||
	    strcmp(h->error.text, error->text) != 0;
	if (h->state != state)
		h->since_ms = (int64_t)now_ms(CLOCK_REALTIME);
	h->state = state;
	h->error = *error;
	if (set_aside != NULL)
		(void)snprintf(h->set_aside, sizeof h->set_aside, "%s",
		    set_aside);
	if (is_new && store->on_health != NULL && !store->is_telling &&
	    !store->is_dropping) {
		store->is_telling = true;
		mailbox_post(store->owner, &store->health_mail);
	}
	unlock(store);
}

static void
call_deliver(struct mail *mail)
{
	struct store_call *call = list_entry(mail, struct store_call, mail);

	if (call->on_done != NULL)
		call->on_done(call);
	store_call_free(call);
}

static void
answer(struct store_call *call)
{
	if (call->reply_to == NULL) {
		store_call_free(call);
		return;
	}
	call->mail.deliver = call_deliver;
	mailbox_post(call->reply_to, &call->mail);
}

static void
refuse(struct store_call *call, int code, const char *why)
{
	(void)error_set(&call->error, code, "%s", why);
	answer(call);
}

/*
 * The checkpoint that waits and is of the same job, if nothing else of this
 * job was asked for after it.
 */
static struct store_call *
find_older(const struct store *store, const struct store_call *call)
{
	struct list *node = store->queue.prev;

	for (; node != &store->queue; node = node->prev) {
		struct store_call *other =
		    list_entry(node, struct store_call, node);

		/* One without a name may concern all jobs. */
		if (other->job[0] != '\0' &&
		    strcmp(other->job, call->job) != 0)
			continue;
		if (other->op == &store_op_save &&
		    other->checkpoint->generation <
		    call->checkpoint->generation)
			return other;
		return NULL;
	}
	return NULL;
}

/* 0, with an older checkpoint that this one has displaced; or why not. */
static int
enqueue(struct store *store, struct store_call *call,
    struct store_call **ret_older)
{
	struct store_call *older;

	if (store->is_closing)
		return -ESHUTDOWN;
	older = call->op == &store_op_save ? find_older(store, call) : NULL;
	if (older != NULL) {
		/* In its place, not at the end: else it might starve. */
		list_append(&older->node, &call->node);
		list_remove(&older->node);
		*ret_older = older;
		return 0;
	}
	if (store->n_queued == store->queue_max)
		return -EAGAIN;
	store->n_queued++;
	list_append(&store->queue, &call->node);
	(void)pthread_cond_signal(&store->not_empty);
	return 0;
}

void
store_post(struct store *store, struct store_call *call)
{
	struct store_call *older = NULL;
	int r;

	if (call->error.code != 0) {
		answer(call);
		return;
	}
	lock(store);
	r = enqueue(store, call, &older);
	unlock(store);
	if (r == -ESHUTDOWN)
		refuse(call, r, "the store is being closed");
	else if (r < 0)
		refuse(call, r, "too much waits for the store");
	if (older != NULL)
		refuse(older, -ECANCELED, "a newer checkpoint took its "
		    "place");
}

/* The directory, if only that is missing; else opening will say why. */
static void
make_directory(const char *path)
{
	char dir[PATH_MAX];
	char *slash;

	(void)snprintf(dir, sizeof dir, "%s", path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		(void)mkdir(dir, 0700);
	}
}

/* The database is damaged, and closed: begin afresh, if we may. */
static int
begin_afresh(struct store *store)
{
	struct error why = store->db.error;
	char sentence[ERROR_TEXT_SIZE];
	int r;

	if (store->keep_damaged)
		return why.code;
	r = store_set_aside(store->path, why.text, sentence);
	if (r < 0) {
		(void)error_set(&store->db.error, r, "%.200s; it cannot be "
		    "set aside: %s", why.text, strerror(-r));
		return r;
	}
	r = db_open(&store->db, &store->db_options);
	set_health(store, r == 0 ? STORE_OK : STORE_UNAVAILABLE,
	    &store->db.error, sentence);
	return r;
}

static int
open_db(struct store *store)
{
	int r;

	if (!store->db_options.must_exist)
		make_directory(store->path);
	r = db_open(&store->db, &store->db_options);
	if (r == -EUCLEAN)
		r = begin_afresh(store);
	if (r < 0 || store->db.is_read_only)
		(void)error_prefix(&store->db.error, "%.200s", store->path);
	store->opened_with = store->db.error;
	set_health(store, store->db.error.code == 0 ? STORE_OK :
	    STORE_UNAVAILABLE, &store->db.error, NULL);
	store->retry_at_ms = now_ms(CLOCK_MONOTONIC) + store->retry_ms;
	return r;
}

static int
ensure_open(struct store *store)
{
	if (store->db.sql != NULL && !store->db.is_read_only)
		return 0;
	if (now_ms(CLOCK_MONOTONIC) < store->retry_at_ms)
		return store->db.sql != NULL ? 0 : store->db.error.code;
	if (store->db.sql != NULL &&
	    !db_can_be_written(&store->db_options)) {
		store->retry_at_ms = now_ms(CLOCK_MONOTONIC) +
		    store->retry_ms;
		return 0;
	}
	(void)db_close(&store->db);
	return open_db(store);
}

/* Is the database to blame, or the question? */
static bool
is_trouble(int error)
{
	static const int answers[] = {
		-ENOENT, -ESTALE, -EBADMSG, -EEXIST, -EINVAL, -E2BIG,
	};

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		if (error == answers[i])
			return false;
	return error < 0;
}

static int
do_call(struct store *store, struct store_call *call)
{
	store->db.error = (struct error){ 0 };
	return call->op->run(call, &store->db, store->runs_per_job);
}

/* What is there is read, but changes nothing of the health. */
static void
serve_reader(struct store *store, struct store_call *call)
{
	if (!call->op->is_for_readers) {
		call->error = store->opened_with;
	} else if (do_call(store, call) < 0) {
		call->error = store->db.error;
		(void)error_prefix(&call->error, "%.200s", store->path);
	}
}

static void
serve(struct store *store, struct store_call *call)
{
	static const struct error none = { 0 };
	int r = ensure_open(store);

	if (r < 0) {
		call->error = store->db.error;
		return;
	}
	if (store->db.is_read_only) {
		serve_reader(store, call);
		return;
	}
	r = do_call(store, call);
	if (r == -EUCLEAN) {
		(void)db_close(&store->db);
		r = begin_afresh(store);
		if (r == 0)
			r = do_call(store, call);
	}
	if (r < 0) {
		call->error = store->db.error;
		(void)error_prefix(&call->error, "%.200s", store->path);
	}
	/* Whatever has kept it from being begun afresh, nothing is there. */
	if (is_trouble(r) || store->db.sql == NULL)
		set_health(store, store->db.sql == NULL ? STORE_UNAVAILABLE :
		    STORE_STALE, &call->error, NULL);
	else if (call->op->is_write)
		set_health(store, STORE_OK, &none, NULL);
	/* What it knows of the file may be wrong now: look again. */
	if (r == -EIO)
		(void)db_close(&store->db);
}

/* NULL: closed, and nothing left. */
static struct store_call *
take(struct store *store, uint64_t *ret_deadline_ms, bool *ret_is_dropping)
{
	struct list *node;

	lock(store);
	while (list_is_empty(&store->queue) && !store->is_closing)
		(void)pthread_cond_wait(&store->not_empty, &store->mutex);
	node = list_take_first(&store->queue);
	if (node != NULL)
		store->n_queued--;
	*ret_deadline_ms = store->is_closing ? store->deadline_ms :
	    UINT64_MAX;
	*ret_is_dropping = store->is_dropping;
	unlock(store);
	return node == NULL ? NULL : list_entry(node, struct store_call,
	    node);
}

/* Another process that holds the lock must not hold up the end. */
static void
limit_waiting(struct store *store, uint64_t deadline_ms, uint64_t now)
{
	if (store->db.sql != NULL && deadline_ms != UINT64_MAX &&
	    deadline_ms - now < store->db_options.busy_ms)
		(void)sqlite3_busy_timeout(store->db.sql,
		    (int)(deadline_ms - now));
}

static void *
store_main(void *arg)
{
	struct store *store = arg;
	uint64_t deadline_ms;
	struct store_call *call;
	bool is_dropping = false;
	int r;

	(void)pthread_setname_np(pthread_self(), "nbdsync-store");
	(void)open_db(store);
	while ((call = take(store, &deadline_ms, &is_dropping)) != NULL) {
		uint64_t now = now_ms(CLOCK_MONOTONIC);

		if (is_dropping) {
			store_call_free(call);
			continue;
		}
		if (now >= deadline_ms) {
			refuse(call, -ETIMEDOUT, "the store was closed "
			    "before this could be done");
			continue;
		}
		limit_waiting(store, deadline_ms, now);
		serve(store, call);
		if (call->error.code == 0 && call->on_store != NULL)
			call->on_store(call);
		answer(call);
	}
	r = db_close(&store->db);
	if (store->close_call == NULL)
		return NULL;
	if (is_dropping)
		store_call_free(store->close_call);
	else if (r < 0)
		refuse(store->close_call, r, "the database could not be "
		    "closed");
	else
		answer(store->close_call);
	return NULL;
}

/* Signals are the main thread's. */
static int
create_thread(struct store *store)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	r = -pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r < 0)
		return r;
	r = -pthread_create(&store->thread, NULL, store_main, store);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static unsigned
or_default(unsigned value, unsigned otherwise)
{
	return value == 0 ? otherwise : value;
}

static int
set_options(struct store *store, const struct store_options *o)
{
	if (strlen(o->path) >= sizeof store->path - 64 ||
	    (o->vfs != NULL && strlen(o->vfs) >= sizeof store->vfs))
		return -EINVAL;
	(void)snprintf(store->path, sizeof store->path, "%s", o->path);
	(void)snprintf(store->vfs, sizeof store->vfs, "%s",
	    o->vfs == NULL ? "" : o->vfs);
	store->owner = o->owner;
	store->on_health = o->on_health;
	store->arg = o->arg;
	store->keep_damaged = o->keep_damaged;
	store->queue_max = or_default(o->queue_max, STORE_QUEUE_MAX);
	store->retry_ms = or_default(o->retry_ms, STORE_RETRY_MS);
	store->runs_per_job = or_default(o->runs_per_job, STORE_RUNS_PER_JOB);
	store->db_options = (struct db_options){
		.path = store->path,
		.vfs = o->vfs == NULL ? NULL : store->vfs,
		.busy_ms = or_default(o->busy_ms, STORE_BUSY_MS),
		.must_exist = o->must_exist,
		.is_exclusive = o->is_exclusive,
	};
	return 0;
}

int
store_open(const struct store_options *options, struct store **ret_store)
{
	CLEANUP(cleanup_free) struct store *store = calloc(1, sizeof *store);
	int r;

	if (store == NULL)
		return -ENOMEM;
	r = set_options(store, options);
	if (r < 0)
		return r;
	list_init(&store->queue);
	store->health_mail.deliver = health_deliver;
	store->health.state = STORE_UNAVAILABLE;
	store->health.since_ms = (int64_t)now_ms(CLOCK_REALTIME);
	(void)error_set(&store->health.error, -EINPROGRESS, "%.200s is being "
	    "opened", store->path);
	(void)pthread_mutex_init(&store->mutex, NULL);
	(void)pthread_cond_init(&store->not_empty, NULL);
	r = create_thread(store);
	if (r < 0) {
		(void)pthread_cond_destroy(&store->not_empty);
		(void)pthread_mutex_destroy(&store->mutex);
		return r;
	}
	*ret_store = STEAL(store);
	return 0;
}

void
store_close(struct store *store, struct store_call *call,
    uint64_t deadline_ms)
{
	lock(store);
	assert(!store->is_closing);
	store->is_closing = true;
	store->close_call = call;
	store->deadline_ms = now_ms(CLOCK_MONOTONIC) + deadline_ms;
	(void)pthread_cond_signal(&store->not_empty);
	unlock(store);
}

void
store_free(struct store *store)
{
	if (store == NULL)
		return;
	lock(store);
	/* After store_close() the thread has ended, or is about to. */
	if (!store->is_closing)
		store->is_dropping = true;
	store->is_closing = true;
	(void)pthread_cond_signal(&store->not_empty);
	unlock(store);
	(void)pthread_join(store->thread, NULL);
	(void)pthread_cond_destroy(&store->not_empty);
	(void)pthread_mutex_destroy(&store->mutex);
	free(store);
}
