/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Haggling over options ("Fixed newstyle negotiation"): one option at a
 * time, any number of replies of the kind that belongs to it, then NBD_REP_ACK
 * or an error.  What each option means is in its opt-*.c; the order is the
 * ladder below.  Lengths are checked before anything of them is received.
 */

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/escape.h"
#include "nbd/session-private.h"

static const struct nbd_option_kind *const ladder[] = {
	&nbd_option_starttls,
	&nbd_option_list,
	&nbd_option_extended_headers,
	&nbd_option_structured_reply,
	&nbd_option_list_meta_context,
	&nbd_option_set_meta_context,
	&nbd_option_info,
	&nbd_option_go,
	&nbd_option_export_name,
};

#define N_STEPS (sizeof ladder / sizeof ladder[0])

/* What an error means for the session, if it cannot go on. */
static const struct refusal_row {
	uint32_t error;
	enum nbd_failure failure;
	const char *text;
} refusal_rows[] = {
	{ NBD_REP_ERR_UNSUP, NBD_FAILURE_UNSUPPORTED,
	    "the server is too old to be asked" },
	{ NBD_REP_ERR_POLICY, NBD_FAILURE_POLICY,
	    "the server's policy forbids it" },
	{ NBD_REP_ERR_INVALID, NBD_FAILURE_REFUSED,
	    "the server calls the question invalid" },
	{ NBD_REP_ERR_PLATFORM, NBD_FAILURE_REFUSED,
	    "the server's platform does not support it" },
	{ NBD_REP_ERR_TLS_REQD, NBD_FAILURE_TLS_REQUIRED,
	    "the server requires TLS: it is reached by nbds:// or "
	    "nbds+unix://" },
	{ NBD_REP_ERR_UNKNOWN, NBD_FAILURE_NO_EXPORT,
	    "the server has no such export" },
	{ NBD_REP_ERR_SHUTDOWN, NBD_FAILURE_SHUTDOWN,
	    "the server is shutting down" },
	{ NBD_REP_ERR_BLOCK_SIZE_REQD, NBD_FAILURE_REFUSED,
	    "the server insists on its block sizes" },
	{ NBD_REP_ERR_TOO_BIG, NBD_FAILURE_REFUSED,
	    "the server calls the question too big" },
	{ NBD_REP_ERR_EXT_HEADER_REQD, NBD_FAILURE_REFUSED,
	    "the server requires extended headers, which were not agreed on" },
};

#define N_REFUSALS (sizeof refusal_rows / sizeof refusal_rows[0])

static const struct refusal_row unknown_refusal = {
	.failure = NBD_FAILURE_REFUSED,
	.text = "the server refused, with an error this version does not know",
};

size_t
nbd_option_room(const struct nbd_session *s)
{
	size_t name = strlen(s->export_name);
	size_t room = 4;	/* client flags */

	room += NBD_OPTION_SIZE;			/* STARTTLS */
	room += NBD_OPTION_SIZE;			/* LIST */
	room += NBD_OPTION_SIZE;			/* EXTENDED_HEADERS */
	room += NBD_OPTION_SIZE;			/* STRUCTURED_REPLY */
	/* SET_META_CONTEXT or LIST_META_CONTEXT */
	room += NBD_OPTION_SIZE + 4 + name + 4;
	for (uint32_t i = 0; i < s->n_contexts; i++)
		room += 4 + strlen(s->contexts[i].name);
	room += NBD_OPTION_SIZE + 4 + name + 2 + 3 * 2; /* GO or INFO */
	room += NBD_OPTION_SIZE + name;			/* EXPORT_NAME */
	room += NBD_OPTION_SIZE;			/* ABORT */
	room += NBD_EXTENDED_REQUEST_SIZE;		/* NBD_CMD_DISC */
	return room;
}

bool
nbd_option_is_fixed_newstyle(const struct nbd_session *s)
{
	return (s->handshake_flags & NBD_FLAG_FIXED_NEWSTYLE) != 0;
}

/* The last of the ladder is always wanted: its answer ends the handshake. */
void
nbd_option_next(struct nbd_session *s)
{
	const struct nbd_option_kind *kind;

	do {
		kind = ladder[s->option.step++];
	} while (s->option.step < N_STEPS && !kind->wanted(s));
	s->option.kind = kind;
	s->option.n_replies = 0;
	s->option.n_bytes = 0;
	nbd_session_enter(s, SESSION_OPTION_REPLY);
	kind->send(s);
}

uint8_t *
nbd_option_append(struct nbd_session *s, enum nbd_option number, size_t len)
{
	uint8_t *p = nbd_session_append(s, NBD_OPTION_SIZE + len);

	put_be64(p, NBD_OPTION_MAGIC);
	put_be32(p + 8, (uint32_t)number);
	put_be32(p + 12, (uint32_t)len);
	return p + NBD_OPTION_SIZE;
}

uint8_t *
nbd_option_put_string(uint8_t *p, const char *text)
{
	size_t len = strlen(text);

	put_be32(p, (uint32_t)len);
	memcpy(p + 4, text, len);
	return p + 4 + len;
}

void
nbd_option_send_contexts(struct nbd_session *s, enum nbd_option number)
{
	size_t len = 4 + strlen(s->export_name) + 4;
	uint8_t *p;

	for (uint32_t i = 0; i < s->n_contexts; i++)
		len += 4 + strlen(s->contexts[i].name);
	p = nbd_option_append(s, number, len);
	p = nbd_option_put_string(p, s->export_name);
	put_be32(p, s->n_contexts);
	p += 4;
	for (uint32_t i = 0; i < s->n_contexts; i++)
		p = nbd_option_put_string(p, s->contexts[i].name);
}

/*
 * Once NBD_OPT_GO or NBD_OPT_EXPORT_NAME is on its way the server may be in
 * the transmission phase, and the option would not be one.
 */
void
nbd_option_abort(struct nbd_session *s)
{
	bool may_be_over = s->option.kind == &nbd_option_go ||
	    s->option.kind == &nbd_option_export_name;

	if (!nbd_option_is_fixed_newstyle(s) || may_be_over)
		return;
	(void)nbd_option_append(s, NBD_OPT_ABORT, 0);
}

/* Has a reply of this type this length?  Says so if not. */
static bool
check_length(struct nbd_session *s, uint32_t type, uint32_t length)
{
	const struct nbd_option_kind *kind = s->option.kind;
	uint32_t min = 0;
	uint32_t max = 0;

	if (type & NBD_REP_FLAG_ERROR) {
		max = NBD_MAX_STRING;
	} else if (type == kind->part && kind->part != 0) {
		min = kind->part_min;
		max = kind->part_max;
	} else if (type != NBD_REP_ACK) {
		nbd_session_violation(s,
		    "an answer of type %" PRIu32 " to %s", type, kind->name);
		return false;
	}
	if (length < min || length > max) {
		nbd_session_violation(s,
		    "an answer of type %" PRIu32 " to %s with %" PRIu32
		    " bytes of data",
		    type, kind->name, length);
		return false;
	}
	return true;
}

/* The reply behind the last part is not one of the parts that are counted. */
static bool
is_too_much(const struct nbd_option_state *option)
{
	bool is_last = option->type == NBD_REP_ACK ||
	    (option->type & NBD_REP_FLAG_ERROR) != 0;

	return (!is_last && option->n_replies == NBD_MAX_OPTION_REPLIES) ||
	    option->length > NBD_MAX_OPTION_BYTES - option->n_bytes;
}

bool
nbd_option_reply_step(struct nbd_session *s)
{
	struct nbd_option_state *option = &s->option;
	const uint8_t *p = nbd_session_take(s, 20);

	if (p == NULL)
		return false;
	if (get_be64(p) != NBD_OPTION_REPLY_MAGIC) {
		nbd_session_violation(s,
		    "an option reply begins with 0x%016" PRIx64, get_be64(p));
		return true;
	}
	if (get_be32(p + 8) != (uint32_t)option->kind->number) {
		nbd_session_violation(s,
		    "an answer to option %" PRIu32 " instead of %s",
		    get_be32(p + 8), option->kind->name);
		return true;
	}
	option->type = get_be32(p + 12);
	option->length = get_be32(p + 16);
	if (!check_length(s, option->type, option->length))
		return true;
	if (is_too_much(option)) {
		nbd_session_violation(s, "no end of answers to %s",
		    option->kind->name);
		return true;
	}
	option->n_replies++;
	option->n_bytes += option->length;
	nbd_session_enter(s, SESSION_OPTION_PAYLOAD);
	return true;
}

static const struct refusal_row *
find_refusal(uint32_t error)
{
	for (size_t i = 0; i < N_REFUSALS; i++) {
		if (refusal_rows[i].error == error)
			return &refusal_rows[i];
	}
	return &unknown_refusal;
}

/* What cannot be done; behind it comes the export's name, but for a list. */
static const char *const goal_words[] = {
	[NBD_GOAL_TRANSMISSION] = "cannot open export '",
	[NBD_GOAL_LIST] = "cannot list the exports",
	[NBD_GOAL_LIST_CONTEXTS] = "cannot list the contexts of export '",
	[NBD_GOAL_INFO] = "cannot ask about export '",
};

/*
 * A server that refuses an option is in step, also after NBD_OPT_GO, and told
 * goodbye.
 */
void
nbd_option_fail(struct nbd_session *s, uint32_t error, const void *message,
    size_t len)
{
	const struct refusal_row *row = find_refusal(error);
	const char *what = goal_words[s->goal];
	bool is_list = s->goal == NBD_GOAL_LIST;
	char words[NBD_MESSAGE_SIZE];

	if (nbd_option_is_fixed_newstyle(s)) {
		(void)nbd_option_append(s, NBD_OPT_ABORT, 0);
		s->says_goodbye = true;
	}
	(void)escape_text(message, len, words, sizeof words);
	nbd_session_fail(s, row->failure, "%s%s%s: %s%s%s%s",
	    what, is_list ? "" : s->quoted_name, is_list ? "" : "'", row->text,
	    len > 0 ? " (it says '" : "", len > 0 ? words : "",
	    len > 0 ? "')" : "");
}

/*
 * A server that wants TLS, or is about to go, says so to any option; there
 * is no way around that.
 */
static void
option_refused(struct nbd_session *s, const uint8_t *message)
{
	const struct nbd_option_kind *kind = s->option.kind;
	uint32_t error = s->option.type;

	s->option.refused_before = true;
	if (kind->on_refusal != NULL)
		kind->on_refusal(s, message);
	else if (error != NBD_REP_ERR_TLS_REQD &&
	    error != NBD_REP_ERR_SHUTDOWN && kind->survives != NULL &&
	    kind->survives(s, error))
		nbd_option_next(s);
	else
		nbd_option_fail(s, error, message, s->option.length);
}

bool
nbd_option_payload_step(struct nbd_session *s)
{
	const struct nbd_option_kind *kind = s->option.kind;
	const uint8_t *p = nbd_session_take(s, s->option.length);

	if (p == NULL)
		return false;
	nbd_session_enter(s, SESSION_OPTION_REPLY);
	if (s->option.type & NBD_REP_FLAG_ERROR)
		option_refused(s, p);
	else if (s->option.type == NBD_REP_ACK)
		kind->on_ack(s);
	else
		kind->on_part(s, p, s->option.length);
	return true;
}

void
nbd_option_eof(struct nbd_session *s)
{
	bool said_nothing = s->state == SESSION_OPTION_REPLY &&
	    s->option.n_replies == 0 && s->in.start == s->in.end;

	/* Where TLS is required there is no other try with less. */
	if (said_nothing)
		nbd_session_fail(s, s->tls_required ? NBD_FAILURE_CLOSED :
		    NBD_FAILURE_CLOSED_ON_OPTION,
		    "the server closed the connection when sent %s",
		    s->option.kind->name);
	else
		nbd_session_fail(s, NBD_FAILURE_CLOSED,
		    "the server closed the connection in the middle of its "
		    "answer to %s",
		    s->option.kind->name);
}
