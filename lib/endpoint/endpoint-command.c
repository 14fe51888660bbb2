/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A command that is started for the run and spoken to over a Unix socket,
 * which it is given by socket activation: nbdkit and qemu-nbd then serve any
 * number of connections on it.
 *
 * One that ends while it is needed is started again, soon at first.  Whether
 * it still has what was written to it is for those to see who connect again.
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/escape.h"
#include "endpoint/kind.h"
#include "net/child.h"

/* Between an end and the next start. */
#define MIN_DELAY_MS 100
#define MAX_DELAY_MS 10000

/* Between SIGTERM and SIGKILL. */
#define GRACE_MS 5000

/* What is passed on of what it says; of what is more, how much. */
#define LINES_PER_SPAN 100
#define SPAN_MS 10000

static void
tell_rest(struct endpoint *ep)
{
	char text[64];

	if (ep->n_unsaid == 0)
		return;
	(void)snprintf(text, sizeof text, "and %u more lines", ep->n_unsaid);
	ep->n_unsaid = 0;
	ep->words.on_line(ep->words.arg, ep->spec->name, text);
}

static void
begin_span(struct endpoint *ep)
{
	tell_rest(ep);
	ep->said_since_ms = net_loop_now_ms(ep->loop);
	ep->n_said = 0;
}

static void
on_line(void *arg, const char *line)
{
	struct endpoint *ep = arg;

	(void)escape_text(line, strlen(line), ep->last_line,
	    sizeof ep->last_line);
	if (net_loop_now_ms(ep->loop) - ep->said_since_ms >= SPAN_MS)
		begin_span(ep);
	if (ep->n_said == LINES_PER_SPAN) {
		ep->n_unsaid++;
		return;
	}
	ep->n_said++;
	ep->words.on_line(ep->words.arg, ep->spec->name, line);
}

/* Its last words are why, more often than not. */
static void
note_exit(struct endpoint *ep, const struct error *e)
{
	tell_rest(ep);
	if (ep->last_line[0] == '\0')
		ep->exited = *e;
	else
		(void)error_set(&ep->exited, e->code, "%s: %s", e->text,
		    ep->last_line);
	ep->last_line[0] = '\0';
}

static void
start_again_later(struct endpoint *ep)
{
	/* One that has lived for long is not to blame for the last time. */
	if (net_loop_now_ms(ep->loop) - ep->started_at_ms > MAX_DELAY_MS)
		ep->n_short_lives = 0;
	net_timer_start(&ep->restart_timer, backoff_ms(MIN_DELAY_MS,
	    MAX_DELAY_MS, ep->n_short_lives++, arc4random()));
}

static void
restart_on_timeout(void *arg)
{
	struct endpoint *ep = arg;

	ep->started_at_ms = net_loop_now_ms(ep->loop);
	atomic_fetch_add(&ep->n_starts, 1);
	if (net_child_restart(ep->child, ep->loop,
	    (const char *const *)ep->argv, &ep->exited) < 0)
		start_again_later(ep);
}

static void
child_on_exit(void *arg, const struct error *e)
{
	struct endpoint *ep = arg;

	note_exit(ep, e);
	if (ep->is_kept)
		start_again_later(ep);
}

void
endpoint_keep(struct endpoint *ep)
{
	if (ep->child == NULL || ep->is_kept ||
	    net_timer_init(&ep->restart_timer, ep->loop, restart_on_timeout,
		ep) < 0)
		return;
	ep->is_kept = true;
	if (ep->exited.code != 0)
		start_again_later(ep);
}

/* The URI of the child's socket; exports by name are for URIs. */
static struct nbd_uri *
uri_of_socket(const char *path)
{
	struct nbd_uri *uri = calloc(1, sizeof *uri);

	if (uri == NULL)
		return NULL;
	uri->transport = NBD_TRANSPORT_UNIX;
	uri->socket = strdup(path);
	uri->export_name = strdup("");
	if (uri->socket == NULL || uri->export_name == NULL) {
		nbd_uri_free(uri);
		return NULL;
	}
	return uri;
}

static void
child_on_stopped(void *arg UNUSED)
{
}

static int
keep_argv(struct endpoint *ep, const char *const argv[])
{
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	ep->argv = calloc(n + 1, sizeof *ep->argv);
	if (ep->argv == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		ep->argv[i] = strdup(argv[i]);
		if (ep->argv[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
endpoint_start_child(struct endpoint *ep, const char *const argv[],
    struct error *e)
{
	int r;

	if (keep_argv(ep, argv) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	ep->started_at_ms = net_loop_now_ms(ep->loop);
	atomic_store(&ep->n_starts, 1);
	r = net_child_start(ep->loop, argv, ep->words.on_line == NULL ? NULL :
	    on_line, child_on_exit, ep, &ep->child, e);
	if (r < 0)
		return r;
	ep->uri = uri_of_socket(net_child_socket(ep->child));
	if (ep->uri == NULL) {
		net_child_stop(ep->child, 0, child_on_stopped, NULL);
		ep->child = NULL;
		return error_set(e, -ENOMEM, "out of memory");
	}
	return 0;
}

void
endpoint_stop_child(struct endpoint *ep, void (*on_stopped)(void *arg))
{
	net_child_stop(ep->child, GRACE_MS, on_stopped, ep);
	tell_rest(ep);
}

static int
command_open(struct endpoint *ep, struct error *e)
{
	return endpoint_start_child(ep, (const char *const *)ep->spec->argv,
	    e);
}

const struct endpoint_kind endpoint_kind_command = {
	.type = ENDPOINT_COMMAND,
	.open = command_open,
	.connect = endpoint_connect_nbd,
};
