/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NBD_SESSION_PRIVATE_H
#define NBD_SESSION_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annotate.h"
#include "base/error.h"
#include "base/ranges.h"
#include "nbd/session.h"

/*
 * What the files of the session share.
 *
 * Received bytes lie in s->in until the state's function takes them; it
 * takes all it needs or nothing, so that no state knows how the stream was
 * cut.  The payload of a READ goes past the buffer, see reply.c.
 */

enum session_state {
	/* In the order of the wire. */
	SESSION_GREETING,
	SESSION_GREETING_STYLE,
	SESSION_GREETING_FLAGS,
	SESSION_OPTION_REPLY,
	SESSION_OPTION_PAYLOAD,
	SESSION_STARTTLS,
	SESSION_EXPORT_NAME_REPLY,
	SESSION_LISTED,
	SESSION_REPLY,
	SESSION_SIMPLE_REPLY,
	SESSION_PAYLOAD,
	SESSION_CHUNK,
	SESSION_CHUNK_DATA,
	SESSION_CHUNK_HOLE,
	SESSION_CHUNK_ERROR,
	SESSION_STATUS,
	SESSION_STATUS_EXTENT,
	SESSION_DRAINING,	/* we said goodbye: ignore what arrives */
	SESSION_CLOSED,	/* the peer has closed, and rightly so */
	SESSION_FAILED,
	SESSION_N_STATES,
};

enum {
	NBD_REQUEST_SIZE = 28,
	NBD_EXTENDED_REQUEST_SIZE = 32,
	NBD_OPTION_SIZE = 16,		/* of an option, without its data */
	NBD_MAX_IN_FLIGHT = 4096,
	NBD_COOKIE_INDEX_BITS = 12,
	/*
	 * The room for what arrives; while an option reply is larger, there
	 * is more.  Not more than that: bytes of payload that arrive here are
	 * copied, and it is most of what an idle connection costs.  But where
	 * payloads are small, to copy several of them costs less than a
	 * receive for each.
	 */
	NBD_IN_USUAL = 4096,
	NBD_IN_SMALL = 16384,
	NBD_SMALL_PAYLOAD = 8192,
	NBD_QUOTE_SIZE = 200,
};

struct nbd_in {
	uint8_t *buffer;	/* [start, end) is waiting */
	size_t size;		/* of buffer */
	size_t start;
	size_t end;
	size_t wanted;		/* what the state needs to go on */
	size_t usual;		/* the room that is offered otherwise */
	size_t direct;		/* offered last, of a READ's own buffers */
	size_t buffered;	/* offered last, of buffer */
};

/*
 * The handshake's bytes, and DISC.  Each option is sent at most once, so a
 * buffer for all of them is made at the start, and only appended to.
 */
struct nbd_out {
	uint8_t *buffer;
	size_t size;
	size_t len;
	size_t sent;
};

/* One option: what it sends and what it makes of the answers. */
struct nbd_option_kind {
	enum nbd_option number;
	const char *name;
	const char *waiting_for;
	bool (*wanted)(const struct nbd_session *s);
	void (*send)(struct nbd_session *s);
	/* The type of reply that comes any number of times; 0: none. */
	uint32_t part;
	uint32_t part_min;	/* bytes */
	uint32_t part_max;
	void (*on_part)(struct nbd_session *s, const uint8_t *p, uint32_t len);
	void (*on_ack)(struct nbd_session *s);
	/* Does the session go on after this error?  NULL: after none. */
	bool (*survives)(struct nbd_session *s, uint32_t error);
	/* Any error, with the server's words; NULL: as above. */
	void (*on_refusal)(struct nbd_session *s, const uint8_t *message);
};

/* The option under way. */
struct nbd_option_state {
	size_t step;		/* on the ladder of option.c */
	const struct nbd_option_kind *kind;
	uint32_t type;		/* of the reply that is coming in */
	uint32_t length;
	uint32_t n_replies;
	uint32_t n_bytes;
	bool refused_before;	/* some option before it was refused */
};

struct nbd_context {
	char *name;
	uint32_t id;
	bool selected;
};

struct nbd_inflight_slot {
	struct nbd_request *req;	/* NULL: free */
	struct ranges covered;		/* of a READ that comes out of order */
	uint32_t next_free;
};

struct nbd_inflight {
	struct nbd_inflight_slot *slots;
	uint32_t n_slots;
	uint32_t first_free;	/* n_slots: none */
	uint32_t n;
	uint64_t n_ever;	/* the part of a cookie that is never reused */
};

/* Where in a READ's buffers the payload that is coming in goes. */
struct nbd_payload {
	uint64_t start;		/* of it, in the request */
	size_t length;
	bool is_hole;		/* nothing comes: it is zeroes */
	bool is_placed;		/* the request has buffers, and these hold: */
	const struct iovec *iov;
	size_t offset;		/* in *iov */
	size_t left;		/* to come into iov */
	size_t piped;		/* to come behind that, past the session */
};

/* The reply, or chunk of one, that is coming in. */
struct nbd_reply {
	struct nbd_request *req;
	bool done;		/* the reply ends with this */
	uint16_t type;
	uint32_t left;		/* bytes of payload not taken yet */
	uint64_t status_offset;	/* where the next extent begins */
	uint32_t context;	/* index in contexts */
	uint32_t n_extents;	/* of this chunk, so far */
	bool is_full;		/* no more extents are kept */
};

struct nbd_session {
	enum session_state state;
	bool closing;		/* nbd_session_disconnect() was called */
	bool eof;
	bool shutting_down;	/* the server said so: ask nothing more */
	bool says_goodbye;	/* what failed ends with what is in out */

	enum nbd_goal goal;
	bool no_structured;
	bool no_extended;
	bool export_name_only;
	bool tls_required;
	char *export_name;
	char quoted_name[NBD_QUOTE_SIZE];	/* escaped */
	struct nbd_context contexts[NBD_MAX_CONTEXTS];
	uint32_t n_contexts;

	struct nbd_in in;
	struct nbd_out out;

	/* The handshake. */
	uint16_t handshake_flags;	/* those both sides know */
	struct nbd_option_state option;
	bool got_export_info;

	/* What it led to. */
	struct nbd_export export;
	char *canonical_name;
	char *description;
	const char *context_names[NBD_MAX_CONTEXTS];
	struct nbd_listed_export *list;
	size_t n_list;
	size_t list_room;

	/* Transmission. */
	struct nbd_inflight inflight;
	struct list queue;	/* requests not sent, or in part */
	struct list sent;	/* WRITEs that want to tell so */
	struct list done;	/* requests to be reaped */
	struct nbd_payload payload;
	struct nbd_reply reply;

	enum nbd_failure failure;
	char failure_text[ERROR_TEXT_SIZE];
};

/* session.c */
void nbd_session_enter(struct nbd_session *s, enum session_state state);
/* The next n bytes received, taken; NULL if there are fewer. */
const uint8_t *nbd_session_take(struct nbd_session *s, size_t n);
/* n more bytes of the handshake's output, to be filled in. */
uint8_t *nbd_session_append(struct nbd_session *s, size_t n);
/* End the session: "the server broke the protocol: " and fmt. */
void nbd_session_violation(struct nbd_session *s, const char *fmt, ...)
    PRINTF(2, 3);
void nbd_session_no_memory(struct nbd_session *s);

/* One function a state.  False: more has to be received first. */
bool nbd_greeting_step(struct nbd_session *s);
bool nbd_greeting_style_step(struct nbd_session *s);
bool nbd_greeting_flags_step(struct nbd_session *s);
bool nbd_option_reply_step(struct nbd_session *s);
bool nbd_option_payload_step(struct nbd_session *s);
bool nbd_export_name_step(struct nbd_session *s);
bool nbd_reply_step(struct nbd_session *s);
bool nbd_reply_simple_step(struct nbd_session *s);
bool nbd_reply_payload_step(struct nbd_session *s);
bool nbd_chunk_step(struct nbd_session *s);
bool nbd_chunk_data_step(struct nbd_session *s);
bool nbd_chunk_hole_step(struct nbd_session *s);
bool nbd_chunk_error_step(struct nbd_session *s);
bool nbd_status_step(struct nbd_session *s);
bool nbd_status_extent_step(struct nbd_session *s);

/* The peer closed while a state of these files was waiting. */
void nbd_greeting_eof(struct nbd_session *s);
void nbd_option_eof(struct nbd_session *s);
void nbd_export_name_eof(struct nbd_session *s);

/* option.c, and one opt-*.c each */
extern const struct nbd_option_kind nbd_option_starttls;
extern const struct nbd_option_kind nbd_option_list;
extern const struct nbd_option_kind nbd_option_extended_headers;
extern const struct nbd_option_kind nbd_option_structured_reply;
extern const struct nbd_option_kind nbd_option_list_meta_context;
extern const struct nbd_option_kind nbd_option_set_meta_context;
extern const struct nbd_option_kind nbd_option_info;
extern const struct nbd_option_kind nbd_option_go;
extern const struct nbd_option_kind nbd_option_export_name;

/* The bytes all options together need. */
size_t nbd_option_room(const struct nbd_session *s);
bool nbd_option_is_fixed_newstyle(const struct nbd_session *s);
/* Send the next option that is wanted. */
void nbd_option_next(struct nbd_session *s);
/* Begin an option with len bytes of data; returns where they go. */
uint8_t *nbd_option_append(struct nbd_session *s, enum nbd_option number,
    size_t len);
/* Put a string with its length before it; returns the place behind it. */
uint8_t *nbd_option_put_string(uint8_t *p, const char *text);
/* Send an option about the export and the contexts asked for. */
void nbd_option_send_contexts(struct nbd_session *s, enum nbd_option number);
/* opt-list.c: a new, empty entry of the session's list.  NULL: no memory. */
struct nbd_listed_export *nbd_list_add(struct nbd_session *s);
/*
 * The session cannot go on after this error; the server said len bytes about
 * it at message.
 */
void nbd_option_fail(struct nbd_session *s, uint32_t error,
    const void *message, size_t len);
/* Send NBD_OPT_ABORT, where the server would take it for that. */
void nbd_option_abort(struct nbd_session *s);

/* export.c: what the server says of the export, checked. */
void nbd_export_reset(struct nbd_session *s);
void nbd_export_set(struct nbd_session *s, uint64_t size, uint16_t flags);
void nbd_export_set_block_size(struct nbd_session *s, uint32_t minimum,
    uint32_t preferred, uint32_t maximum);
/* *text, and *shown, become len bytes at p, escaped. */
void nbd_export_set_text(struct nbd_session *s, char **text,
    const char **shown, const void *p, size_t len);
/* All is known: transmission begins, or with goal INFO nothing does. */
void nbd_export_ready(struct nbd_session *s);

/* inflight.c */
/* Gives req its cookie.  -ENOMEM. */
int nbd_inflight_add(struct nbd_session *s, struct nbd_request *req);
struct nbd_request *nbd_inflight_find(const struct nbd_session *s,
    uint64_t cookie);
struct ranges *nbd_inflight_covered(struct nbd_session *s,
    const struct nbd_request *req);
void nbd_inflight_complete(struct nbd_session *s, struct nbd_request *req);
void nbd_inflight_complete_all(struct nbd_session *s, int error);
void nbd_inflight_done(struct nbd_inflight *inflight);

/* request.c */
const char *nbd_request_name(const struct nbd_request *req);
bool nbd_request_is_sent(const struct nbd_request *req);
/* As nbd_session_output() and nbd_session_sent(), for requests. */
int nbd_request_output(const struct nbd_session *s, struct iovec *iov, int n,
    int max);
void nbd_request_sent(struct nbd_session *s, size_t n);
uint64_t nbd_request_output_piped(const struct nbd_session *s,
    struct nbd_request **ret_req);
/* Send NBD_CMD_DISC. */
void nbd_request_disconnect(struct nbd_session *s);

/* payload.c: the data of a READ on its way to the request's buffers. */
/*
 * The payload that comes next is len bytes of the request from offset (in it)
 * on, or so many zeroes that do not come.
 */
void nbd_payload_begin(struct nbd_session *s, uint64_t offset, size_t len,
    bool is_hole);
/* It goes to the buffers that its request has now. */
void nbd_payload_place(struct nbd_payload *payload,
    const struct nbd_request *req);
/* The next of them that lie in one piece. */
struct iovec nbd_payload_piece(const struct nbd_payload *payload);
/* n bytes of that piece are there. */
void nbd_payload_advance(struct nbd_payload *payload, size_t n);
/* Copy up to n bytes from p; returns how many. */
size_t nbd_payload_copy(struct nbd_payload *payload, const uint8_t *p,
    size_t n);
void nbd_payload_zero(struct nbd_payload *payload);

/* reply.c */
/* The request of a reply; NULL, and the session failed, if it has none. */
struct nbd_request *nbd_reply_find(struct nbd_session *s, uint64_t cookie);
/* The reply, or chunk, in s->reply is complete. */
void nbd_reply_end(struct nbd_session *s);
/* The request has failed; the first reason stays. */
void nbd_reply_error(struct nbd_request *req, int error, const void *message,
    size_t len);

/* errors.c */
/* The negative errno for an error on the wire other than 0. */
int nbd_error_to_errno(uint32_t error);

#endif
