/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's control API as the commands use it.  A wait that was asked
 * for comes on top of the time that an answer may take.
 */
#include "cli/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"

#define DEFAULT_SOCKET	  "/run/nbdsync/control.sock"
#define ANSWER_TIMEOUT_MS 10000
#define TARGET_SIZE	  512

void
control_init(struct control *control, const struct command *command)
{
	const char *path = getenv("NBDSYNC_SOCKET");

	*control = (struct control){
		.command = command,
		.socket_path = path != NULL && path[0] != '\0' ?
		    path :
		    DEFAULT_SOCKET,
		.interrupt_fd = -1,
	};
}

int
control_open(struct control *control, const struct command *command,
    struct options *o, int argc, char **argv,
    int (*own)(struct options *o, void *arg, int id, const char *value),
    void *arg)
{
	const char *value = NULL;
	int id;

	control_init(control, command);
	options_init(o, command, argc, argv);
	while ((id = options_next(o, &value)) > OPTIONS_END) {
		if (id == OPTION_SOCKET)
			control->socket_path = value;
		else if (id == OPTION_JSON)
			control->json = true;
		else if (id == OPTION_QUIET)
			control->quiet = true;
		else if (own(o, arg, id, value) < 0)
			return OPTIONS_STOP;
	}
	return id;
}

/* To whoever asks; a screen shows it in a place of its own. */
static void
tell(const struct control *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
tell(const struct control *c, const char *fmt, ...)
{
	char text[CONTROL_SAID_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (c->said != NULL)
		memcpy(c->said, text, sizeof text);
	else
		message(c->command, "%s", text);
}

static int
fail_to_ask(const struct control *c, int r, const struct error *e)
{
	switch (-r) {
	case EINTR:
		return CLI_INTERRUPTED;
	case EACCES:
	case EPERM:
		tell(c, "you may not use the daemon's socket "
		    "'%s': %s", c->socket_path, e->text);
		return CLI_DENIED;
	case ENOMEM:
		tell(c, "%s", e->text);
		return CLI_ERROR;
	case ENAMETOOLONG:
		tell(c, "'%s': %s", c->socket_path, e->text);
		return CLI_ERROR;
	case EPROTO:
	case EMSGSIZE:
		tell(c, "what answers on '%s' is no nbdsyncd: %s",
		    c->socket_path, e->text);
		return CLI_UNREACHABLE;
	default:
		tell(c, "no nbdsyncd answers on '%s': %s; is the "
		    "daemon running?", c->socket_path, e->text);
		return CLI_UNREACHABLE;
	}
}

static int
exit_code_of_status(int status)
{
	switch (status) {
	case 400:
		return CLI_USAGE;
	case 403:
		return CLI_DENIED;
	case 404:
		return CLI_NO_JOB;
	case 409:
	case 423:
		return CLI_CONFLICT;
	case 422:
		return CLI_CONFIGURATION;
	case 503:
		return CLI_TRANSIENT;
	default:
		return CLI_ERROR;
	}
}

static void
tell_no_job(const struct control *c, const char *job)
{
	tell(c, "there is no job '%s'", job);
}

static int
tell_problem(const struct control *c, const struct http_response *response,
    const json_t *problem)
{
	const char *text = answer_text(problem, "detail");
	const char *hint = answer_text(problem, "hint");
	const json_t *list = json_object_get(problem, "problems");
	const json_t *item;
	size_t i;

	if (text[0] == '\0')
		text = answer_text(problem, "title");
	if (text[0] == '\0')
		tell(c, "the daemon answers with status %d",
		    response->status);
	else if (hint[0] == '\0')
		tell(c, "%s", text);
	else
		tell(c, "%s (%s)", text, hint);
	json_array_foreach(list, i, item)
		tell(c, "%s", json_string_value(item) != NULL ?
		    json_string_value(item) : "");
	/* It is systemd that listens. */
	if (strcmp(answer_text(problem, "type"), "urn:nbdsync:not-started") ==
	    0)
		return CLI_UNREACHABLE;
	return exit_code_of_status(response->status);
}

/* job NULL: it is about no job. */
static int
read_answer(const struct control *c, const struct http_response *response,
    const char *job, json_t **ret_json)
{
	json_t *json = json_loadb(response->body, response->len, 0, NULL);
	int exit_code;

	if (response->status >= 200 && response->status < 300 &&
	    json_is_object(json)) {
		*ret_json = json;
		return CLI_OK;
	}
	if (json == NULL && response->status < 400) {
		tell(c, "what answers on '%s' is no nbdsyncd: the "
		    "answer is no JSON", c->socket_path);
		return CLI_UNREACHABLE;
	}
	/* A name that no job can have is, for the daemon, not a job's. */
	if (job != NULL && response->status == 404 &&
	    answer_text(json, "job")[0] == '\0') {
		tell_no_job(c, job);
		exit_code = CLI_NO_JOB;
	} else {
		exit_code = tell_problem(c, response, json);
	}
	json_decref(json);
	return exit_code;
}

static int
ask(const struct control *control, const char *method, const char *target,
    const char *job, uint64_t wait_s, json_t **ret_json)
{
	struct http_request request = {
		.socket_path = control->socket_path,
		.method = method,
		.target = target,
		.body = control->body,
		.timeout_ms = ANSWER_TIMEOUT_MS + wait_s * 1000,
		.interrupt_fd = control->interrupt_fd,
	};
	struct http_response response = { 0 };
	struct error e;
	int exit_code;
	int r;

	r = http_ask(&request, &response, &e);
	if (r < 0)
		return fail_to_ask(control, r, &e);
	exit_code = read_answer(control, &response, job, ret_json);
	free(response.body);
	return exit_code;
}

int
control_ask(const struct control *control, const char *method,
    const char *target, uint64_t wait_s, json_t **ret_json)
{
	return ask(control, method, target, NULL, wait_s, ret_json);
}

int
control_ask_job(const struct control *control, const char *method,
    const char *job, const char *suffix, uint64_t wait_s, json_t **ret_json)
{
	char target[TARGET_SIZE];
	char segment[TARGET_SIZE - 128];

	/* Names are short: what does not fit cannot be one. */
	if (job[0] == '\0' ||
	    http_encode_segment(job, segment, sizeof segment) < 0) {
		tell_no_job(control, job);
		return CLI_NO_JOB;
	}
	(void)snprintf(target, sizeof target, "/v1/jobs/%s%s", segment, suffix);
	return ask(control, method, target, job, wait_s, ret_json);
}

int
control_follow(const struct control *control, const char *target,
    uint64_t silence_ms, int (*on_line)(void *arg, char *line), void *arg)
{
	struct http_request request = {
		.socket_path = control->socket_path,
		.method = "GET",
		.target = target,
		.timeout_ms = ANSWER_TIMEOUT_MS,
		.silence_ms = silence_ms,
		.interrupt_fd = control->interrupt_fd,
	};
	struct http_response response = { 0 };
	json_t *json = NULL;
	struct error e;
	int exit_code;
	int r;

	r = http_follow(&request, on_line, arg, &response, &e);
	if (r == -ECONNRESET) {
		tell(control, "the nbdsyncd on '%s' has ended",
		    control->socket_path);
		return CLI_UNREACHABLE;
	}
	if (r < 0)
		return fail_to_ask(control, r, &e);
	if (response.body == NULL)
		return CLI_OK;
	exit_code = read_answer(control, &response, NULL, &json);
	json_decref(json);
	free(response.body);
	return exit_code;
}
