/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "control/auth.h"
#include "job/job.h"

/*
 * A request of the control API as its handler sees it: no HTTP library, no
 * sockets.  A handler answers it with ctl_reply() or ctl_problem(), at once,
 * or puts it aside with ctl_hold(); after the answer the request is gone.
 * Handlers run on the main thread and never wait.
 */

enum ctl_method {
	CTL_GET,
	CTL_POST,
	CTL_PATCH,
	CTL_PUT,
	CTL_OTHER,
};

/* What the daemon is; the same for all requests. */
struct ctl_facts {
	char instance[32];		/* another one after each start */
	int64_t started_at_ms;
};

#define CTL_NAME_SIZE 64

/* How the daemon is ended. */
struct ctl_shutdown_call {
	void (*stop)(void *arg, uint64_t grace_ms);
	void *arg;
};

/* Who knows when the certificates of conf->tls[i] expire; NULL: nobody. */
struct ctl_expiry_call {
	struct conf_expiry (*get)(void *arg, size_t i);
	void *arg;
};

struct ctl_events;
struct ctl_probes;
struct ctl_counters;
struct ctl_tails;

struct ctl_request {
	const struct ctl_facts *facts;
	struct jobs *jobs;
	const struct conf *conf;
	const struct ctl_shutdown_call *shutdown;
	const struct ctl_expiry_call *expiry;
	struct ctl_probes *probes;
	struct ctl_events *events;
	struct ctl_tails *tails;
	const struct ctl_counters *counters;
	enum ctl_role role;
	uid_t uid;
	char job[CONF_NAME_SIZE];	/* the {job} of the path */
	char name[CTL_NAME_SIZE];	/* another {variable} of it */
	const json_t *body;		/* an object with keys of the route,
					   of the right types; or NULL */
	struct reload *reload;
	uint64_t reload_number;		/* that it waits for; 0: none */
};

/* From the body; NULL, or fallback, where it has no such key. */
const char *ctl_body_text(const struct ctl_request *req, const char *key);
bool ctl_body_bool(const struct ctl_request *req, const char *key,
    bool fallback);

/*
 * "ttl" of the body, a time; *ret_ms stays when it is not there.  -EINVAL: has
 * been answered.
 */
int ctl_body_ttl(struct ctl_request *req, uint64_t *ret_ms) ON_MAIN;

/*
 * "reason" of the body, words for people; "" when it is not there.  -EINVAL:
 * has been answered.
 */
int ctl_body_reason(struct ctl_request *req,
    char ret_reason[JOB_REASON_SIZE]) ON_MAIN;

/* Answer that the key's text must be something else. */
void ctl_refuse_text(struct ctl_request *req, const char *key,
    const char *text, const char *must_be) ON_MAIN;

/* Answer; body, stolen, NULL: out of memory. */
void ctl_reply(struct ctl_request *req, int status, json_t *body) ON_MAIN;

/* The same of what is JSON already; NULL: out of memory. */
void ctl_reply_json(struct ctl_request *req, int status, const char *text)
    ON_MAIN;

/* The same with a text that is no JSON; NULL: out of memory. */
void ctl_reply_text(struct ctl_request *req, int status, const char *type,
    const char *text, size_t len) ON_MAIN;

/*
 * Answer in pieces.  on_gone comes when the client has gone, and the stream
 * is gone by then; not after ctl_stream_end().  NULL: no memory; answered.
 */
struct ctl_stream;
struct ctl_stream *ctl_stream_start(struct ctl_request *req, const char *type,
    void (*on_gone)(void *arg), void *arg) ON_MAIN;

/* -ENOBUFS: the client takes so little that it is to be given up. */
int ctl_stream_write(struct ctl_stream *stream, const char *text,
    size_t len) ON_MAIN;

/* What there is at first has been written. */
void ctl_stream_begun(struct ctl_stream *stream) ON_MAIN;

/* The answer is complete.  Frees the stream. */
void ctl_stream_end(struct ctl_stream *stream) ON_MAIN;
/* Close the connection as it is; no on_gone.  Frees the stream. */
void ctl_stream_cut(struct ctl_stream *stream) ON_MAIN;

/* What can be wrong; the table is in problem.c. */
enum ctl_problem {
	CTL_BAD_REQUEST,
	CTL_FORBIDDEN,
	CTL_NOT_FOUND,
	CTL_NO_SUCH_JOB,
	CTL_NO_SUCH_RUN,
	CTL_NO_SUCH_ENDPOINT,
	CTL_NO_ANSWER,
	CTL_NO_CHECKPOINT,
	CTL_NO_DIGESTS,
	CTL_METHOD_NOT_ALLOWED,
	CTL_JOB_RUNNING,
	CTL_JOB_IDLE,
	CTL_CANNOT_START,
	CTL_JOB_PAUSED,
	CTL_BAD_CONFIGURATION,
	CTL_BUSY,
	CTL_STOPPING,
	CTL_NOT_STARTED,		/* we do not */
	CTL_NO_STATE,
	CTL_NO_MEMORY,
	CTL_PROBLEMS,
};

/* Answer with a problem; hint, a sentence what to do, may be NULL. */
void ctl_problem(struct ctl_request *req, enum ctl_problem problem,
    const char *hint, const char *fmt, ...) PRINTF(4, 5) ON_MAIN;

/* With a list of sentences, which stays the caller's, as "problems". */
void ctl_problem_list(struct ctl_request *req, enum ctl_problem problem,
    json_t *sentences, const char *fmt, ...) PRINTF(4, 5) ON_MAIN;

/* "No such job", with the nearest there is. */
void ctl_no_such_job(struct ctl_request *req) ON_MAIN;

/* The job, but for its connections. */
void ctl_reply_job(struct ctl_request *req, const struct job *job) ON_MAIN;

/*
 * The same of one that is named in the query or the body; NULL: there is none
 * to be found.  -ENOENT: has been answered.
 */
int ctl_find_job(struct ctl_request *req, const char *name) ON_MAIN;

/* The value of ?name= in the URI, or NULL. */
const char *ctl_query(const struct ctl_request *req, const char *name) ON_MAIN;

/*
 * The same as a number; *ret_value stays when it is not there.  -EINVAL: that
 * is none.
 */
int ctl_query_number(const struct ctl_request *req, const char *name,
    uint64_t *ret_value) ON_MAIN;

/*
 * A call of the store whose arg is the request, which waits for on_done to
 * answer it.  NULL: it has been answered, there is nobody to ask.
 */
struct store_call *ctl_store_call(struct ctl_request *req,
    void (*on_done)(struct store_call *call)) ON_MAIN;

/* A header of the answer to come. */
void ctl_set_header(struct ctl_request *req, const char *name,
    const char *value) ON_MAIN;

/*
 * Do not answer yet: call the handler again when a job has changed, and at
 * the latest after wait_ms (counted from the first call).
 */
void ctl_hold(struct ctl_request *req, uint64_t wait_ms) ON_MAIN;

/* It was held, and now has to be answered. */
bool ctl_is_last_call(const struct ctl_request *req) ON_MAIN;

#endif
