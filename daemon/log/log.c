/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sink of all records, behind a lock: messages are few, and those of
 * workers are for debugging.  The first outlet is told when another one
 * loses records, once until it works again; standard error is told of the
 * first.  When it works again, it is told itself how many it has lost.  A
 * job that floods the log is cut short; that is told when it is over, with
 * whatever comes next.
 */

#include "log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "base/escape.h"
#include "log/kept.h"
#include "log/limit.h"
#include "log/outlet.h"
#include "log/repeat.h"

#define WORDS_SIZE 1024			/* of a line of a server */

struct override {
	bool is_set;
	enum log_level level;
	char job[CONF_NAME_SIZE];	/* "": all */
	int64_t until_ms;		/* 0: until told otherwise */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by it: */
static struct outlet *outlets;
static size_t n_outlets;
static struct override override;
static struct repeat repeat;
static struct limit limit;

static void
lock(void)
{
	(void)pthread_mutex_lock(&mutex);
}

static void
unlock(void)
{
	(void)pthread_mutex_unlock(&mutex);
}

/*
 * What the most talkative outlet wants.  That an override is over is noticed
 * by a record, so one that ends by itself keeps none from the sink.
 */
static void
update_level(void)
{
	bool is_for_all = override.is_set && override.job[0] == '\0' &&
	    override.until_ms == 0;
	enum log_level level = override.is_set ? override.level :
	    LOG_LEVEL_ERROR;

	for (size_t i = 0; i < n_outlets; i++)
		if (!is_for_all && outlets[i].level > level)
			level = outlets[i].level;
	log_set_level(level);
}

static void
end_override(int64_t now_ms)
{
	if (!override.is_set || override.until_ms == 0 ||
	    now_ms < override.until_ms)
		return;
	override.is_set = false;
	update_level();
}

static bool
is_overridden(const struct log_about *about)
{
	return override.is_set && (override.job[0] == '\0' ||
	    (about->job != NULL && strcmp(about->job, override.job) == 0));
}

static bool
is_wanted(const struct outlet *outlet, const struct log_record *record)
{
	return record->level <= (is_overridden(record->about) ?
	    override.level : outlet->level);
}

static const char *
outlet_name(const struct outlet *outlet)
{
	return outlet->path == NULL ? "standard error" : outlet->path;
}

/* That outlet i has lost a record. */
static void
complain(size_t i, int errnum, int64_t at_ms)
{
	const struct log_about about = { LOG_HERE,
		.message = &messages[MSG_OUTLET], .errnum = errnum };
	char text[512];
	struct log_record record = { LOG_LEVEL_WARNING, at_ms, text, &about };

	(void)snprintf(text, sizeof text, "log: cannot write to '%s': %s",
	    outlet_name(&outlets[i]), strerrordesc_np(errnum));
	if (i > 0)
		(void)outlet_write(&outlets[0], &record);
	else if (outlets[0].type != CONF_LOG_STDERR)
		(void)log_to_stderr(&record);
	kept_add(&record);
}

/* So many are missing here.  A negative errno: it does not work yet. */
static int
tell_lost(struct outlet *outlet, int64_t at_ms)
{
	const struct log_about about = { LOG_HERE,
		.message = &messages[MSG_OUTLET] };
	char text[64];
	struct log_record record = { LOG_LEVEL_WARNING, at_ms, text, &about };

	(void)snprintf(text, sizeof text, "log: %" PRIu64
	    " messages were lost here", outlet->n_lost);
	return outlet_write(outlet, &record);
}

static void
put_to(size_t i, const struct log_record *record)
{
	struct outlet *outlet = &outlets[i];
	int r = 0;

	if (outlet->n_lost > 0)
		r = tell_lost(outlet, record->at_ms);
	if (r == 0) {
		outlet->n_lost = 0;
		r = outlet_write(outlet, record);
	}
	if (r == 0)
		return;
	if (outlet->n_lost++ == 0)
		complain(i, -r, record->at_ms);
}

static void
put(const struct log_record *record)
{
	bool was_put = false;

	for (size_t i = 0; i < n_outlets; i++) {
		if (!is_wanted(&outlets[i], record))
			continue;
		was_put = true;
		put_to(i, record);
	}
	if (was_put)
		kept_add(record);
}

/* What has been left out of jobs whose time is over by over_ms. */
static void
tell_limited(int64_t now_ms, int64_t over_ms)
{
	char job[CONF_NAME_SIZE];
	const struct log_about about = { LOG_HERE,
		.message = &messages[MSG_LIMITED], .job = job };
	char text[192];
	struct log_record record = { LOG_LEVEL_WARNING, now_ms, text, &about };
	unsigned n;

	while (limit_next_over(&limit, over_ms, job, &n)) {
		(void)snprintf(text, sizeof text, "job '%s': %u messages were "
		    "left out, as there were more than %d in %d s", job, n,
		    LIMIT_MESSAGES, LIMIT_MS / 1000);
		put(&record);
	}
}

static void
sink(const struct log_record *record)
{
	struct log_record more = *record;
	char text[2048 + 64];
	unsigned n_held;

	lock();
	end_override(record->at_ms);
	tell_limited(record->at_ms, record->at_ms);
	if (limit_pass(&limit, record) &&
	    repeat_pass(&repeat, record, &n_held)) {
		if (n_held > 0) {
			(void)snprintf(text, sizeof text,
			    "%s (%u times more within a second)",
			    record->text, n_held);
			more.text = text;
		}
		put(&more);
	}
	unlock();
}

static void
free_outlets(struct outlet *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		outlet_done(&v[i]);
	free(v);
}

int
daemon_log_apply(const struct conf_logs *conf)
{
	struct outlet *v = calloc(conf->n + 1, sizeof *v);
	struct outlet *old;
	size_t n_old;

	if (v == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n; i++) {
		if (outlet_init(&v[i], &conf->v[i]) < 0) {
			free_outlets(v, i);
			return -ENOMEM;
		}
	}
	lock();
	old = outlets;
	n_old = n_outlets;
	outlets = v;
	n_outlets = conf->n;
	update_level();
	unlock();
	free_outlets(old, n_old);
	return 0;
}

int
daemon_log_open(const struct conf_logs *conf)
{
	int r = daemon_log_apply(conf);

	if (r == 0)
		log_set_sink(sink);
	return r;
}

void
daemon_log_reopen(void)
{
	lock();
	for (size_t i = 0; i < n_outlets; i++)
		outlet_reopen(&outlets[i]);
	unlock();
}

void
daemon_log_close(void)
{
	log_set_sink(NULL);
	lock();
	tell_limited((int64_t)time(NULL) * 1000, INT64_MAX);
	free_outlets(outlets, n_outlets);
	outlets = NULL;
	n_outlets = 0;
	override.is_set = false;
	kept_clear();
	unlock();
}

/* It says the same thing in a loop if it must: repeat.h is for that. */
static void
on_libevent_log(int severity, const char *text)
{
	LOG_AT(severity == EVENT_LOG_ERR ? LOG_LEVEL_ERROR :
	    severity == EVENT_LOG_WARN ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
	    "libevent: %s", text);
}

void
daemon_log_take_libevent(void)
{
	event_set_log_callback(on_libevent_log);
}

void
daemon_log_set_level(enum log_level level, const char *job, int64_t until_ms)
{
	lock();
	override = (struct override){ true, level, "", until_ms };
	(void)snprintf(override.job, sizeof override.job, "%s",
	    job == NULL ? "" : job);
	update_level();
	unlock();
}

void
daemon_log_reset_level(void)
{
	lock();
	override.is_set = false;
	update_level();
	unlock();
}

json_t *
daemon_log_level_to_json(void)
{
	char stamp[LOG_STAMP_SIZE];
	json_t *o;

	lock();
	end_override((int64_t)time(NULL) * 1000);
	o = json_pack("{s:s?, s:s?, s:s?}", "level", override.is_set ?
	    log_level_name(override.level) : NULL, "job", override.is_set &&
	    override.job[0] != '\0' ? override.job : NULL, "until",
	    override.is_set && override.until_ms != 0 ?
	    log_stamp(override.until_ms, stamp) : NULL);
	unlock();
	return o;
}

json_t *
daemon_log_recent(const struct daemon_log_filter *filter, uint64_t *ret_seq)
{
	json_t *list;

	lock();
	list = kept_recent(filter, ret_seq);
	unlock();
	return list;
}

void
daemon_log_server(const char *job, const char *run, const char *endpoint,
    const char *line)
{
	const struct log_about about = { LOG_HERE,
		.message = &messages[MSG_SERVER], .job = job, .run = run,
		.endpoint = endpoint };
	char printable[WORDS_SIZE];

	(void)escape_text(line, strlen(line), printable, sizeof printable);
	if (job == NULL)
		log_write(&about, LOG_LEVEL_INFO, "server of '%s': %s",
		    endpoint, printable);
	else
		log_write(&about, LOG_LEVEL_INFO, "job '%s': server of '%s': "
		    "%s", job, endpoint, printable);
}
