/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection on an event loop.
 *
 * The happy path: DIALING until there is a socket, HANDSHAKE until the
 * session is through with the options (on_ready), with TLS in between if it
 * is wanted, READY while requests go out and replies come in
 * (on_completions), CLOSING after the goodbye until the server hangs up
 * (on_closed).
 *
 * What can happen on the way:
 *
 *   - the server hangs up on an option: dial once more, and use only
 *     NBD_OPT_EXPORT_NAME, the one option every server has;
 *   - the connection is refused, cut, or breaks the protocol, or a deadline
 *     passes: the session is made to fail, requests in flight complete with
 *     -ENOTCONN, and on_failed says why (FAILED);
 *   - conn_close() in any state, also from a callback: the object is freed
 *     later, from the loop, never under the feet of its caller (CLOSED).
 *
 * All callbacks come from conn_settle() and conn_report_failure(), at the end
 * of an event: bytes are moved first, then the owner hears of it, then what
 * it submitted is sent.  Sending waits for nothing but room in the socket,
 * and receiving never waits for sending, or both ends could wait for each
 * other with full buffers.
 */
#include "client/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "client/failure.h"
#include "client/security.h"
#include "client/stall.h"
#include "client/target.h"
#include "client/wire.h"
#include "net/dial.h"
#include "net/pipe.h"
#include "net/tls.h"

enum {
	GOODBYE_MS = 1000,		/* how long the peer's EOF may take */
};

enum conn_state {
	CONN_DIALING,
	CONN_HANDSHAKE,
	CONN_TLS,			/* TLS's own handshake */
	CONN_READY,
	CONN_FAILED,			/* reported, waits for conn_close() */
	CONN_CLOSING,			/* goodbye said, waits for EOF */
	CONN_CLOSED,			/* the task is going to free it */
};

struct conn {
	struct net_loop *loop;
	struct conn_events events;
	void *arg;
	enum conn_state state;
	bool in_event;			/* the event will flush at its end */
	bool is_draining;		/* sending failed, read the rest */
	bool can_redial;		/* not a passed socket, not yet done */
	bool has_place;			/* the task goes on receiving */
	int local_error;		/* negative errno of our own failure */

	struct target target;
	struct tls *tls;		/* NULL: not wanted */
	struct net_dial *dial;
	struct net_watch watch;
	struct net_task task;
	struct net_timer deadline;	/* of connecting, then of closing */
	struct net_timer step;		/* of a part of the handshake ... */
	uint64_t step_ms;
	enum conn_state step_state;	/* ... which is this one */
	size_t step_number;
	struct net_timer tick;		/* while requests are in flight */
	bool is_ticking;
	struct wire wire;
	bool is_local;		/* its socket */
	struct stall stall;
	struct nbd_request *next_done;	/* reaped here to see if there is one */
	const struct nbd_export *export;
	bool has_peer;
	bool suits_pipe;		/* the socket does */
	char peer[NET_PEER_SIZE];

	void (*on_closed)(void *arg);
	void *close_arg;
};

static bool
conn_is_open(const struct conn *c)
{
	return c->state == CONN_HANDSHAKE || c->state == CONN_READY;
}

static void
conn_drop_socket(struct conn *c)
{
	net_watch_done(&c->watch);
	if (c->wire.stream.tls != NULL)
		tls_say_goodbye(c->wire.stream.tls);
	if (c->wire.stream.fd >= 0)
		(void)close(c->wire.stream.fd);
	c->wire.stream.fd = -1;
	c->wire.stream.tls = NULL;
}

static struct nbd_request *
conn_take_done(struct conn *c)
{
	struct nbd_request *req;

	req = nbd_session_reap(c->wire.session);
	if (req != NULL)
		stall_completed(&c->stall, req->epoch);
	return req;
}

/* The requests are the owner's again at once; nobody hears of them. */
static void
conn_forget_requests(struct conn *c)
{
	nbd_session_fail(c->wire.session, NBD_FAILURE_LOCAL, "closed");
	while (conn_take_done(c) != NULL)
		continue;
	c->next_done = NULL;
}

static void
conn_free(struct conn *c)
{
	if (c->dial != NULL)
		net_dial_cancel(c->dial);
	conn_drop_socket(c);
	net_task_done(&c->task);
	net_timer_done(&c->deadline);
	net_timer_done(&c->step);
	net_timer_done(&c->tick);
	if (c->wire.session != NULL) {
		conn_forget_requests(c);
		nbd_session_free(c->wire.session);
	}
	target_done(&c->target);
	tls_free(c->tls);
	free(c);
}

/* For CLEANUP(). */
static void
conn_freep(struct conn **c)
{
	if (*c != NULL)
		conn_free(*c);
}

/* From the loop: the end of conn_close(). */
static void
conn_finish_close(struct conn *c)
{
	void (*on_closed)(void *arg) = c->on_closed;
	void *arg = c->close_arg;

	conn_free(c);
	if (on_closed != NULL)
		on_closed(arg);
}

static int
conn_new_session(struct conn *c, bool export_name_only)
{
	struct nbd_session *s;
	int r;

	r = target_new_session(&c->target, export_name_only, &s);
	if (r < 0)
		return r;
	nbd_session_free(c->wire.session);
	c->wire = (struct wire){
		.stream.fd = -1,
		.session = s,
		.find_place = c->events.find_place,
		.leave_pipe = c->events.leave_pipe,
		.place_arg = c->arg,
	};
	return 0;
}

static void
conn_fail(struct conn *c, int error, const char *text)
{
	c->local_error = error;
	nbd_session_fail(c->wire.session, NBD_FAILURE_LOCAL, "%s", text);
}

static int
conn_failure_errno(const struct conn *c, enum nbd_failure why)
{
	if (why == NBD_FAILURE_TLS && c->wire.error != 0)
		return c->wire.error;
	if (why != NBD_FAILURE_LOCAL)
		return failure_errno(why);
	if (c->local_error != 0)
		return c->local_error;
	return c->wire.error != 0 ? c->wire.error : -EIO;
}

static void conn_on_dialed(void *arg, int fd, const struct error *e);
static void conn_report_failure(struct conn *c);

static bool
conn_wants_redial(const struct conn *c, enum nbd_failure why)
{
	return why == NBD_FAILURE_CLOSED_ON_OPTION && c->can_redial &&
	    c->tls == NULL && c->target.goal == NBD_GOAL_TRANSMISSION;
}

static void
conn_redial(struct conn *c)
{
	struct error e;

	c->can_redial = false;
	c->is_draining = false;
	c->has_peer = false;
	conn_drop_socket(c);
	if (conn_new_session(c, true) == 0) {
		c->state = CONN_DIALING;
		if (target_dial(&c->target, c->loop, conn_on_dialed, c,
		    &c->dial, &e) == 0)
			return;
		conn_fail(c, e.code, e.text);
	}
	conn_report_failure(c);
}

static void
conn_report_failure(struct conn *c)
{
	const char *text;
	enum nbd_failure why;
	struct error e;

	why = nbd_session_failure(c->wire.session, &text);
	if (conn_wants_redial(c, why)) {
		conn_redial(c);
		return;
	}
	(void)error_set(&e, conn_failure_errno(c, why), "%s", text);
	c->state = CONN_FAILED;
	conn_drop_socket(c);
	net_timer_stop(&c->deadline);
	net_timer_stop(&c->step);
	net_timer_stop(&c->tick);
	if (c->next_done == NULL)
		c->next_done = conn_take_done(c);
	if (c->next_done != NULL)
		c->events.on_completions(c->arg);
	if (c->state == CONN_FAILED)
		c->events.on_failed(c->arg, &e);
}

static void
conn_check_ready(struct conn *c)
{
	enum nbd_phase phase = nbd_session_phase(c->wire.session);

	if (phase != NBD_PHASE_READY && phase != NBD_PHASE_LISTED)
		return;
	c->state = CONN_READY;
	net_timer_stop(&c->deadline);
	if (phase == NBD_PHASE_READY || c->target.goal == NBD_GOAL_INFO)
		c->export = nbd_session_export(c->wire.session);
	c->events.on_ready(c->arg);
}

/*
 * The server agreed to TLS: from here on the socket is TLS's, and with it
 * everything that has not been read yet.
 */
static void
conn_begin_tls(struct conn *c)
{
	if (nbd_session_phase(c->wire.session) != NBD_PHASE_STARTTLS)
		return;
	c->state = CONN_TLS;
	if (tls_attach(c->tls, c->wire.stream.fd) < 0)
		conn_fail(c, -ENOMEM, "out of memory");
	else
		net_task_schedule(&c->task);
}

static void
conn_shake_hands(struct conn *c)
{
	int r;

	r = tls_handshake(c->tls);
	net_watch_write(&c->watch, r == -EAGAIN && tls_wants_write(c->tls));
	if (r == 0) {
		c->wire.stream.tls = c->tls;
		c->state = CONN_HANDSHAKE;
		nbd_session_tls_started(c->wire.session);
	} else if (r != -EAGAIN) {
		c->wire.error = r;
		nbd_session_fail(c->wire.session, NBD_FAILURE_TLS, "%s",
		    tls_error(c->tls)->text);
	}
}

/* When nothing can be sent any more, read to the end, and that is the end. */
static void
conn_receive(struct conn *c)
{
	bool may_be_more = wire_receive(&c->wire);

	if (c->wire.send_error != 0 && !may_be_more)
		nbd_session_fail(c->wire.session, NBD_FAILURE_CLOSED,
		    "cannot send: %s", strerrordesc_np(-c->wire.send_error));
	/* A listed server may hang up; its EOF stays readable for ever. */
	net_watch_read(&c->watch, !c->wire.is_at_end && !c->wire.is_starving);
}

/* Move on: TLS's handshake, or what there is to receive. */
static void
conn_advance(struct conn *c)
{
	if (c->state == CONN_TLS)
		conn_shake_hands(c);
	if (c->state != CONN_TLS)
		conn_receive(c);
}

static void
conn_send(struct conn *c)
{
	bool is_full = wire_send(&c->wire);

	net_watch_write(&c->watch,
	    is_full || stream_wants_write(&c->wire.stream));
	if (c->state == CONN_CLOSING && !is_full &&
	    c->wire.stream.tls != NULL)
		tls_say_goodbye(c->wire.stream.tls);
}

/* Each part of the handshake has its time. */
static void
conn_time_step(struct conn *c)
{
	size_t number = nbd_session_step(c->wire.session);

	if (c->state == c->step_state && number == c->step_number)
		return;
	c->step_state = c->state;
	c->step_number = number;
	c->step_ms = c->state == CONN_TLS ? c->target.tls_timeout_ms :
	    c->target.option_timeout_ms;
	if (c->state == CONN_TLS || c->state == CONN_HANDSHAKE)
		net_timer_start(&c->step, c->step_ms);
	else
		net_timer_stop(&c->step);
}

/* Idle, and not only for a moment: while it ticks, more may follow soon. */
static void
conn_rest(struct conn *c)
{
	if (c->state == CONN_READY && c->wire.stream.tls != NULL &&
	    !c->is_ticking && nbd_session_in_flight(c->wire.session) == 0)
		tls_rest(c->wire.stream.tls);
}

/*
 * The end of every event: tell the owner what happened, send what it, or the
 * session, has to say, and see whether that was the end.
 */
static void
conn_settle(struct conn *c)
{
	c->in_event = true;
	if (c->state == CONN_HANDSHAKE)
		conn_check_ready(c);
	if (c->state == CONN_HANDSHAKE)
		conn_begin_tls(c);
	if (c->state == CONN_READY && c->next_done == NULL)
		c->next_done = conn_take_done(c);
	if (c->state == CONN_READY && c->next_done != NULL &&
	    nbd_session_phase(c->wire.session) != NBD_PHASE_FAILED)
		c->events.on_completions(c->arg);
	if (conn_is_open(c)) {
		conn_send(c);
		if (c->wire.send_error != 0 && !c->is_draining) {
			c->is_draining = true;
			net_task_schedule(&c->task);
		}
		/* What TLS has taken in no event of the socket tells of. */
		if (!c->wire.is_at_end && !c->wire.is_starving &&
		    stream_has_pending(&c->wire.stream))
			net_task_schedule(&c->task);
		if (c->state == CONN_READY &&
		    nbd_session_has_sent(c->wire.session))
			c->events.on_sent(c->arg);
	}
	conn_rest(c);
	c->in_event = false;
	if (c->state <= CONN_READY &&
	    nbd_session_phase(c->wire.session) == NBD_PHASE_FAILED)
		conn_report_failure(c);
	conn_time_step(c);
}

static void
conn_on_readable(void *arg)
{
	struct conn *c = arg;

	if (c->state == CONN_CLOSING) {
		if (wire_discard(&c->wire))
			conn_finish_close(c);
		return;
	}
	conn_advance(c);
	conn_settle(c);
}

static void
conn_on_writable(void *arg)
{
	struct conn *c = arg;

	if (c->state == CONN_CLOSING) {
		conn_send(c);
		return;
	}
	if (c->state == CONN_TLS || stream_wants_write(&c->wire.stream))
		conn_advance(c);
	conn_settle(c);
}

static void
conn_on_task(void *arg)
{
	struct conn *c = arg;

	if (c->state == CONN_CLOSED) {
		conn_finish_close(c);
	} else if (c->state == CONN_CLOSING) {
		conn_send(c);
	} else if (c->state == CONN_TLS || conn_is_open(c)) {
		if (c->wire.send_error != 0 || c->state == CONN_TLS ||
		    c->has_place || stream_has_pending(&c->wire.stream))
			conn_advance(c);
		c->has_place = false;
		conn_settle(c);
	}
}

/* Nothing came for ms. */
static void
conn_give_up(struct conn *c, uint64_t ms)
{
	char time[UNITS_TEXT_SIZE];
	struct error e;

	(void)units_format_time_ms(ms, time);
	if (c->dial != NULL) {
		(void)error_set(&e, -ETIMEDOUT,
		    "cannot connect to %s: no answer for %s",
		    net_dial_target(c->dial), time);
		net_dial_cancel(STEAL(c->dial));
	} else {
		(void)error_set(&e, -ETIMEDOUT,
		    "gave up after %s, waiting for %s", time,
		    nbd_session_waiting_for(c->wire.session));
	}
	conn_fail(c, e.code, e.text);
	conn_settle(c);
}

static void
conn_on_deadline(void *arg)
{
	struct conn *c = arg;

	if (c->state == CONN_CLOSING)
		conn_finish_close(c);
	else
		conn_give_up(c, c->target.connect_timeout_ms);
}

static void
conn_on_step(void *arg)
{
	struct conn *c = arg;

	conn_give_up(c, c->step_ms);
}

static void
conn_fail_stalled(struct conn *c, enum stall_verdict verdict)
{
	struct error e;

	stall_describe(&c->stall, verdict,
	    nbd_session_in_flight(c->wire.session), &e);
	conn_fail(c, e.code, e.text);
	conn_settle(c);
}

static void
conn_on_tick(void *arg)
{
	struct conn *c = arg;
	enum stall_verdict verdict;

	/* It is we who do not move: the server's clock stands still. */
	if (c->wire.is_starving) {
		stall_start(&c->stall, net_loop_now_ms(c->loop));
		net_timer_start(&c->tick, c->stall.tick_ms);
		return;
	}
	verdict = stall_tick(&c->stall, net_loop_now_ms(c->loop),
	    c->wire.n_moved);
	c->is_ticking = verdict == STALL_NONE && c->stall.n_in_flight > 0;
	if (c->is_ticking)
		net_timer_start(&c->tick, c->stall.tick_ms);
	else
		conn_rest(c);
	if (verdict != STALL_NONE && conn_is_open(c))
		conn_fail_stalled(c, verdict);
}

/* There is a socket: the server speaks first. */
static int
conn_attach(struct conn *c, int fd)
{
	int r;

	c->wire.stream.fd = fd;
	c->is_local = net_peer_is_local(fd);
	r = net_watch_init(&c->watch, c->loop, fd, conn_on_readable,
	    conn_on_writable, c);
	if (r < 0)
		return r;
	/* A peer that cannot be told is equal to no other. */
	if (net_peer_identity(fd, c->peer) < 0)
		(void)snprintf(c->peer, sizeof c->peer, "unknown:%p",
		    (void *)c);
	c->has_peer = true;
	c->suits_pipe = net_pipe_suits(fd);
	c->state = CONN_HANDSHAKE;
	net_watch_read(&c->watch, true);
	conn_time_step(c);
	return 0;
}

static void
conn_on_dialed(void *arg, int fd, const struct error *e)
{
	struct conn *c = arg;

	c->dial = NULL;
	if (fd < 0)
		conn_fail(c, e->code, e->text);
	else if (conn_attach(c, fd) < 0)
		conn_fail(c, -ENOMEM, "out of memory");
	conn_settle(c);
}

static int
conn_init_events(struct conn *c)
{
	int r;

	r = net_task_init(&c->task, c->loop, conn_on_task, c);
	if (r == 0)
		r = net_timer_init(&c->deadline, c->loop, conn_on_deadline, c);
	if (r == 0)
		r = net_timer_init(&c->step, c->loop, conn_on_step, c);
	if (r == 0)
		r = net_timer_init(&c->tick, c->loop, conn_on_tick, c);
	return r;
}

static int
conn_init(struct conn *c, const struct conn_options *o)
{
	int r;

	c->wire.stream.fd = -1;
	r = target_init(&c->target, o);
	stall_init(&c->stall, c->target.io_timeout_ms,
	    c->target.request_timeout_ms);
	if (r == 0)
		r = conn_init_events(c);
	if (r == 0)
		r = conn_new_session(c, false);
	return r;
}

static int
conn_init_tls(struct conn *c, const struct conn_options *o, struct error *e)
{
	if (!c->target.wants_tls)
		return 0;
	return security_new(o, &c->tls, e);
}

static int
conn_adopt(struct conn *c, int fd)
{
	int flags;

	c->wire.stream.fd = fd;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return conn_attach(c, fd);
}

int
conn_open(struct net_loop *loop, const struct conn_options *options,
    const struct conn_events *events, void *arg, struct conn **ret_conn,
    struct error *e)
{
	CLEANUP(cleanup_close) int fd = options->fd;
	CLEANUP(conn_freep) struct conn *c = NULL;
	int r;

	c = calloc(1, sizeof *c);
	if (c == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	c->loop = loop;
	c->events = *events;
	c->arg = arg;
	r = conn_init(c, options);
	if (r < 0)
		return error_set(e, r, "%s", r == -ENOMEM ? "out of memory" :
		    "the name of the export or of a context is too long, or "
		    "a context is named twice");
	r = conn_init_tls(c, options, e);
	if (r < 0)
		return r;
	c->can_redial = fd < 0;
	if (fd >= 0) {
		r = conn_adopt(c, STEAL_FD(fd));
		if (r < 0)
			return error_set(e, r, "cannot use the socket: %s",
			    strerrordesc_np(-r));
	} else {
		r = target_dial(&c->target, loop, conn_on_dialed, c,
		    &c->dial, e);
		if (r < 0)
			return r;
	}
	net_timer_start(&c->deadline, c->target.connect_timeout_ms);
	*ret_conn = STEAL(c);
	return 0;
}

const struct nbd_export *
conn_export(const struct conn *c)
{
	return c->export;
}

const struct nbd_listed_export *
conn_list(const struct conn *c, size_t *ret_n)
{
	return nbd_session_list(c->wire.session, ret_n);
}

enum nbd_failure
conn_failure(const struct conn *c)
{
	const char *text;

	if (c->state != CONN_FAILED)
		return NBD_FAILURE_NONE;
	return nbd_session_failure(c->wire.session, &text);
}

bool
conn_tls(const struct conn *c, const char **ret_version,
    const char **ret_cipher)
{
	if (c->wire.stream.tls == NULL)
		return false;
	*ret_version = tls_version(c->tls);
	*ret_cipher = tls_cipher(c->tls);
	return true;
}

const char *
conn_peer(const struct conn *c)
{
	return c->has_peer ? c->peer : NULL;
}

int
conn_submit(struct conn *c, struct nbd_request *req)
{
	int r;

	if (c->state != CONN_READY)
		return -ENOTCONN;
	r = nbd_session_submit(c->wire.session, req);
	if (r < 0)
		return r;
	if (c->stall.n_in_flight == 0)
		stall_start(&c->stall, net_loop_now_ms(c->loop));
	req->epoch = stall_submitted(&c->stall);
	if (!c->is_ticking)
		net_timer_start(&c->tick, c->stall.tick_ms);
	c->is_ticking = true;
	if (!c->in_event)
		net_task_schedule(&c->task);
	return 0;
}

struct nbd_request *
conn_reap(struct conn *c)
{
	if (c->next_done != NULL)
		return STEAL(c->next_done);
	return conn_take_done(c);
}

struct nbd_request *
conn_reap_sent(struct conn *c)
{
	return nbd_session_reap_sent(c->wire.session);
}

void
conn_place_found(struct conn *c)
{
	if (!c->wire.is_starving || c->has_place || !conn_is_open(c))
		return;
	c->has_place = true;
	net_task_schedule(&c->task);
}

void
conn_load(const struct conn *c, uint64_t *ret_network_us, uint64_t *ret_tls_us)
{
	*ret_network_us = c->is_local ? 0 : c->wire.waited_us;
	*ret_tls_us = c->wire.tls_us;
}

bool
conn_can_pipe(const struct conn *c)
{
	return c->wire.stream.tls == NULL && c->suits_pipe;
}

static bool
conn_can_say_goodbye(const struct conn *c)
{
	return c->state == CONN_READY && c->wire.send_error == 0 &&
	    nbd_session_phase(c->wire.session) != NBD_PHASE_FAILED &&
	    nbd_session_in_flight(c->wire.session) == 0;
}

void
conn_close(struct conn *c, void (*on_closed)(void *arg), void *arg)
{
	c->on_closed = on_closed;
	c->close_arg = arg;
	net_timer_stop(&c->tick);
	net_timer_stop(&c->step);
	net_timer_stop(&c->deadline);
	if (conn_can_say_goodbye(c)) {
		nbd_session_disconnect(c->wire.session);
		net_timer_start(&c->deadline, GOODBYE_MS);
		net_watch_read(&c->watch, true);
		c->state = CONN_CLOSING;
	} else {
		if (c->dial != NULL)
			net_dial_cancel(STEAL(c->dial));
		conn_drop_socket(c);
		conn_forget_requests(c);
		c->state = CONN_CLOSED;
	}
	net_task_schedule(&c->task);
}

void
conn_drop(struct conn *c)
{
	conn_free(c);
}
