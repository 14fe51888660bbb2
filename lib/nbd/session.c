/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The life of a session: its states, and its bytes in and out.
 *
 * Greeting (greeting.c), options (option.c, opt-*.c), and then either the
 * list of exports or transmission (request.c, reply.c, chunk.c, status.c).
 * At any point the owner may say goodbye, after which what arrives is
 * ignored, or the session may fail: the server broke the protocol, closed
 * too early or refused, memory ran out, or the owner says so.  The first
 * reason stays, and all that was in flight completes.
 */

#include "nbd/session.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "nbd/session-private.h"

struct state_row {
	enum nbd_phase phase;
	const char *waiting_for;	/* NULL: the option under way says */
	bool (*step)(struct nbd_session *s);	/* NULL: ignore what comes */
	void (*eof)(struct nbd_session *s);	/* NULL: that is fine */
};

static void
transmission_eof(struct nbd_session *s)
{
	nbd_session_fail(s, NBD_FAILURE_CLOSED,
	    "the server closed the connection");
}

static void
starttls_eof(struct nbd_session *s)
{
	nbd_session_fail(s, NBD_FAILURE_TLS,
	    "the server closed the connection instead of beginning TLS");
}

/* clang-format off */
static const struct state_row state_rows[SESSION_N_STATES] = {
	[SESSION_GREETING] = { NBD_PHASE_HANDSHAKE,
	    "the server's greeting",
	    nbd_greeting_step, nbd_greeting_eof },
	[SESSION_GREETING_STYLE] = { NBD_PHASE_HANDSHAKE,
	    "the rest of the server's greeting",
	    nbd_greeting_style_step, nbd_greeting_eof },
	[SESSION_GREETING_FLAGS] = { NBD_PHASE_HANDSHAKE,
	    "the rest of the server's greeting",
	    nbd_greeting_flags_step, nbd_greeting_eof },
	[SESSION_OPTION_REPLY] = { NBD_PHASE_HANDSHAKE,
	    NULL, nbd_option_reply_step, nbd_option_eof },
	[SESSION_OPTION_PAYLOAD] = { NBD_PHASE_HANDSHAKE,
	    NULL, nbd_option_payload_step, nbd_option_eof },
	[SESSION_STARTTLS] = { NBD_PHASE_STARTTLS,
	    "the TLS handshake", NULL, starttls_eof },
	[SESSION_EXPORT_NAME_REPLY] = { NBD_PHASE_HANDSHAKE,
	    NULL, nbd_export_name_step, nbd_export_name_eof },
	[SESSION_LISTED] = { NBD_PHASE_LISTED,
	    "nothing", NULL, NULL },
	[SESSION_REPLY] = { NBD_PHASE_READY,
	    "a reply", nbd_reply_step, transmission_eof },
	[SESSION_SIMPLE_REPLY] = { NBD_PHASE_READY,
	    "the rest of a reply", nbd_reply_simple_step, transmission_eof },
	[SESSION_PAYLOAD] = { NBD_PHASE_READY,
	    "the data of a read", nbd_reply_payload_step, transmission_eof },
	[SESSION_CHUNK] = { NBD_PHASE_READY,
	    "the rest of a reply", nbd_chunk_step, transmission_eof },
	[SESSION_CHUNK_DATA] = { NBD_PHASE_READY,
	    "the data of a read", nbd_chunk_data_step, transmission_eof },
	[SESSION_CHUNK_HOLE] = { NBD_PHASE_READY,
	    "the rest of a reply", nbd_chunk_hole_step, transmission_eof },
	[SESSION_CHUNK_ERROR] = { NBD_PHASE_READY,
	    "the rest of a reply", nbd_chunk_error_step, transmission_eof },
	[SESSION_STATUS] = { NBD_PHASE_READY,
	    "a block status", nbd_status_step, transmission_eof },
	[SESSION_STATUS_EXTENT] = { NBD_PHASE_READY,
	    "a block status", nbd_status_extent_step, transmission_eof },
	[SESSION_DRAINING] = { NBD_PHASE_CLOSING,
	    "the server to close the connection", NULL, NULL },
	[SESSION_CLOSED] = { NBD_PHASE_CLOSING,
	    "nothing", NULL, NULL },
	[SESSION_FAILED] = { NBD_PHASE_FAILED,
	    "nothing", NULL, NULL },
};
/* clang-format on */

static void
session_freep(struct nbd_session **s)
{
	nbd_session_free(*s);
}

/* A string of the protocol's, copied.  -EINVAL if it is too long for one. */
static int
copy_string(const char *text, char **ret_copy)
{
	if (strlen(text) > NBD_MAX_STRING)
		return -EINVAL;
	*ret_copy = strdup(text);
	return *ret_copy == NULL ? -ENOMEM : 0;
}

static int
copy_contexts(struct nbd_session *s, const struct nbd_session_options *options)
{
	int r;

	if (options->n_contexts > NBD_MAX_CONTEXTS)
		return -EINVAL;
	for (size_t i = 0; i < options->n_contexts; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(options->contexts[i],
				s->contexts[k].name) == 0)
				return -EINVAL;
		}
		r = copy_string(options->contexts[i], &s->contexts[i].name);
		if (r < 0)
			return r;
		s->n_contexts++;
	}
	return 0;
}

static int
copy_options(struct nbd_session *s, const struct nbd_session_options *options)
{
	const char *name = options->export_name;
	int r;

	s->goal = options->goal;
	s->no_structured = options->no_structured;
	s->no_extended = options->no_extended;
	s->export_name_only = options->export_name_only;
	s->tls_required = options->tls_required;
	r = copy_string(name != NULL ? name : "", &s->export_name);
	if (r < 0)
		return r;
	(void)escape_text(s->export_name, strlen(s->export_name),
	    s->quoted_name, sizeof s->quoted_name);
	return copy_contexts(s, options);
}

int
nbd_session_new(const struct nbd_session_options *options,
    struct nbd_session **ret_s)
{
	CLEANUP(session_freep) struct nbd_session *s = NULL;
	int r;

	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	list_init(&s->queue);
	list_init(&s->sent);
	list_init(&s->done);
	r = copy_options(s, options);
	if (r < 0)
		return r;
	nbd_export_reset(s);
	s->in.usual = NBD_IN_USUAL;
	s->in.size = NBD_IN_USUAL;
	s->in.buffer = malloc(s->in.size);
	s->out.size = nbd_option_room(s);
	s->out.buffer = malloc(s->out.size);
	if (s->in.buffer == NULL || s->out.buffer == NULL)
		return -ENOMEM;
	nbd_session_enter(s, SESSION_GREETING);
	*ret_s = STEAL(s);
	return 0;
}

static void
free_list(struct nbd_session *s)
{
	for (size_t i = 0; i < s->n_list; i++) {
		free(s->list[i].name);
		free(s->list[i].description);
	}
	free(s->list);
}

void
nbd_session_free(struct nbd_session *s)
{
	if (s == NULL)
		return;
	nbd_inflight_done(&s->inflight);
	free_list(s);
	for (uint32_t i = 0; i < s->n_contexts; i++)
		free(s->contexts[i].name);
	free(s->export_name);
	free(s->canonical_name);
	free(s->description);
	free(s->in.buffer);
	free(s->out.buffer);
	free(s);
}

enum nbd_phase
nbd_session_phase(const struct nbd_session *s)
{
	if (s->closing && s->state != SESSION_FAILED)
		return NBD_PHASE_CLOSING;
	return state_rows[s->state].phase;
}

enum nbd_failure
nbd_session_failure(const struct nbd_session *s, const char **ret_text)
{
	*ret_text = s->failure_text;
	return s->failure;
}

const struct nbd_export *
nbd_session_export(const struct nbd_session *s)
{
	return &s->export;
}

const struct nbd_listed_export *
nbd_session_list(const struct nbd_session *s, size_t *ret_n)
{
	*ret_n = s->n_list;
	return s->list;
}

const char *
nbd_session_waiting_for(const struct nbd_session *s)
{
	const char *text = state_rows[s->state].waiting_for;

	return text != NULL ? text : s->option.kind->waiting_for;
}

size_t
nbd_session_step(const struct nbd_session *s)
{
	return s->option.step;
}

void
nbd_session_enter(struct nbd_session *s, enum session_state state)
{
	s->state = state;
}

/* Nothing is to be received any more, nor sent, but for a goodbye. */
static bool
session_is_over(const struct nbd_session *s)
{
	return s->state == SESSION_FAILED || s->state == SESSION_CLOSED;
}

/* Give the buffer size bytes, of which what waits fills the beginning. */
static bool
session_in_resize(struct nbd_in *in, size_t size)
{
	uint8_t *buffer = realloc(in->buffer, size);

	if (buffer == NULL)
		return false;
	in->buffer = buffer;
	in->size = size;
	return true;
}

const uint8_t *
nbd_session_take(struct nbd_session *s, size_t n)
{
	const uint8_t *p = s->in.buffer + s->in.start;

	if (s->in.end - s->in.start >= n) {
		s->in.start += n;
		return p;
	}
	assert(n <= NBD_MAX_OPTION_REPLY);
	s->in.wanted = n;
	if (n > s->in.size && !session_in_resize(&s->in, n))
		nbd_session_no_memory(s);
	return NULL;
}

/* Where bytes go that have no better place: fewer than size are there. */
static struct iovec
session_in_room(struct nbd_in *in)
{
	const size_t size = in->wanted > in->usual ? in->wanted : in->usual;
	const size_t len = in->end - in->start;

	if (in->start > 0) {
		memmove(in->buffer, in->buffer + in->start, len);
		in->start = 0;
		in->end = len;
	}
	/* It can stay as it is just as well. */
	if (in->size < size || (in->size > NBD_IN_SMALL &&
	    size <= NBD_IN_SMALL))
		(void)session_in_resize(in, size);
	in->buffered = (in->size < size ? in->size : size) - len;
	return (struct iovec){
		.iov_base = in->buffer + len,
		.iov_len = in->buffered,
	};
}

/*
 * A READ's payload goes straight to its buffers.  Where they end, the same
 * receive may bring the replies behind it.  It has to wait if there are no
 * buffers yet, and what is piped is not ours.
 */
int
nbd_session_input(struct nbd_session *s, struct iovec iov[2])
{
	int n = 0;

	s->in.direct = 0;
	s->in.buffered = 0;
	if (s->eof || session_is_over(s) || s->state == SESSION_STARTTLS)
		return 0;
	if (s->state == SESSION_PAYLOAD) {
		if (!s->payload.is_placed || s->payload.left == 0)
			return 0;
		iov[n] = nbd_payload_piece(&s->payload);
		s->in.direct = iov[n++].iov_len;
		if (s->in.direct < s->payload.left || s->payload.piped > 0)
			return n;
	}
	iov[n++] = session_in_room(&s->in);
	return n;
}

/*
 * "Terminating the transmission phase": with nothing in flight, when we want
 * to or the server is about to.
 */
static void
say_goodbye_if_idle(struct nbd_session *s)
{
	bool is_idle = s->state == SESSION_REPLY && s->inflight.n == 0;

	if (!is_idle || (!s->closing && !s->shutting_down))
		return;
	nbd_request_disconnect(s);
	if (s->closing) {
		nbd_session_enter(s, SESSION_DRAINING);
	} else {
		s->says_goodbye = true;
		nbd_session_fail(s, NBD_FAILURE_SHUTDOWN,
		    "the server is shutting down");
	}
}

static void
session_run(struct nbd_session *s)
{
	bool (*step)(struct nbd_session *);

	do {
		s->in.wanted = 0;
		step = state_rows[s->state].step;
	} while (step != NULL && step(s));
	say_goodbye_if_idle(s);
	if (state_rows[s->state].step == NULL)
		s->in.start = s->in.end = 0;
}

void
nbd_session_received(struct nbd_session *s, size_t n)
{
	size_t direct = n < s->in.direct ? n : s->in.direct;

	if (session_is_over(s))
		return;
	assert(n - direct <= s->in.buffered);
	if (direct > 0)
		nbd_payload_advance(&s->payload, direct);
	s->in.end += n - direct;
	s->in.direct = 0;
	s->in.buffered = 0;
	session_run(s);
}

void
nbd_session_placed(struct nbd_session *s)
{
	if (s->state == SESSION_PAYLOAD && !s->payload.is_placed)
		session_run(s);
}

void
nbd_session_received_piped(struct nbd_session *s, size_t n)
{
	if (session_is_over(s))
		return;
	assert(s->state == SESSION_PAYLOAD && n <= s->payload.piped);
	s->payload.piped -= n;
	if (s->payload.piped == 0)
		session_run(s);
}

void
nbd_session_received_eof(struct nbd_session *s)
{
	if (s->eof || session_is_over(s))
		return;
	s->eof = true;
	if (s->closing) {
		nbd_session_enter(s, SESSION_CLOSED);
		nbd_inflight_complete_all(s, -ENOTCONN);
	} else if (state_rows[s->state].eof != NULL) {
		state_rows[s->state].eof(s);
	}
}

uint8_t *
nbd_session_append(struct nbd_session *s, size_t n)
{
	uint8_t *p = s->out.buffer + s->out.len;

	assert(n <= s->out.size - s->out.len);
	s->out.len += n;
	return p;
}

/* The handshake's bytes, ABORT and DISC are still to be sent, if any are. */
static bool
session_may_send(const struct nbd_session *s)
{
	return !session_is_over(s) ||
	    (s->state == SESSION_FAILED && s->says_goodbye && !s->eof);
}

int
nbd_session_output(struct nbd_session *s, struct iovec *iov, int max)
{
	int n = 0;

	if (!session_may_send(s))
		return 0;
	if (s->out.sent < s->out.len && n < max) {
		iov[n].iov_base = s->out.buffer + s->out.sent;
		iov[n++].iov_len = s->out.len - s->out.sent;
	}
	return nbd_request_output(s, iov, n, max);
}

void
nbd_session_sent(struct nbd_session *s, size_t n)
{
	size_t left = s->out.len - s->out.sent;

	if (!session_may_send(s))
		return;
	if (n < left)
		left = n;
	s->out.sent += left;
	nbd_request_sent(s, n - left);
}

bool
nbd_session_has_output(const struct nbd_session *s)
{
	return session_may_send(s) &&
	    (s->out.sent < s->out.len || !list_is_empty(&s->queue));
}

void
nbd_session_tls_started(struct nbd_session *s)
{
	if (s->state == SESSION_STARTTLS)
		nbd_option_next(s);
}

uint64_t
nbd_session_output_piped(const struct nbd_session *s,
    struct nbd_request **ret_req)
{
	if (!session_may_send(s) || s->out.sent < s->out.len)
		return 0;
	return nbd_request_output_piped(s, ret_req);
}

bool
nbd_session_has_sent(const struct nbd_session *s)
{
	return !list_is_empty(&s->sent);
}

struct nbd_request *
nbd_session_reap_sent(struct nbd_session *s)
{
	struct list *node = list_take_first(&s->sent);

	return node == NULL ? NULL :
			      list_entry(node, struct nbd_request, node);
}

struct nbd_request *
nbd_session_reap(struct nbd_session *s)
{
	struct list *node = list_take_first(&s->done);

	return node == NULL ? NULL :
			      list_entry(node, struct nbd_request, node);
}

size_t
nbd_session_in_flight(const struct nbd_session *s)
{
	return s->inflight.n;
}

void
nbd_session_disconnect(struct nbd_session *s)
{
	enum nbd_phase phase = nbd_session_phase(s);

	if (phase == NBD_PHASE_CLOSING || phase == NBD_PHASE_FAILED)
		return;
	s->closing = true;
	if (s->eof || phase == NBD_PHASE_STARTTLS) {
		nbd_session_enter(s, SESSION_CLOSED);
	} else if (phase == NBD_PHASE_READY) {
		say_goodbye_if_idle(s);
	} else {
		nbd_option_abort(s);
		nbd_session_enter(s, SESSION_DRAINING);
	}
}

static void PRINTF(3, 0)
session_vfail(struct nbd_session *s, enum nbd_failure why, const char *fmt,
    va_list args)
{
	if (s->state == SESSION_FAILED)
		return;
	assert(why != NBD_FAILURE_NONE);
	s->failure = why;
	(void)vsnprintf(s->failure_text, sizeof s->failure_text, fmt, args);
	nbd_session_enter(s, SESSION_FAILED);
	nbd_inflight_complete_all(s, -ENOTCONN);
}

void
nbd_session_fail(struct nbd_session *s, enum nbd_failure why, const char *fmt,
    ...)
{
	va_list args;

	va_start(args, fmt);
	session_vfail(s, why, fmt, args);
	va_end(args);
}

void
nbd_session_violation(struct nbd_session *s, const char *fmt, ...)
{
	char text[ERROR_TEXT_SIZE / 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	nbd_session_fail(s, NBD_FAILURE_PROTOCOL,
	    "the server broke the protocol: %s", text);
}

void
nbd_session_no_memory(struct nbd_session *s)
{
	nbd_session_fail(s, NBD_FAILURE_LOCAL, "out of memory");
}
