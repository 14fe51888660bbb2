/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A channel of the blocking face: a server's address, a server that was
 * started for it and has an address too, or a socket, with which
 * exports are listed and negotiated.  Nothing is connected before it has to
 * be, and each call on a URI's channel makes a connection of its own: a
 * server that has answered a list may not take another option.
 */
#include "client/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "client/disk.h"
#include "client/errors.h"
#include "client/served.h"
#include "client/transport.h"

static int
channel_copy_contexts(struct nbdclient_channel *ch,
    const struct nbdclient_options *options)
{
	static const char *const defaults[] = { "base:allocation" };
	const char *const *contexts = options->contexts;
	size_t n = options->n_contexts;
	size_t i;

	if (contexts == NULL) {
		contexts = defaults;
		n = 1;
	}
	for (i = 0; i < n; i++) {
		ch->contexts[i] = strdup(contexts[i]);
		if (ch->contexts[i] == NULL)
			return -ENOMEM;
		ch->n_contexts++;
	}
	return 0;
}

static void
channel_set_timeouts(struct nbdclient_channel *ch,
    const struct nbdclient_options *options)
{
	ch->connect_timeout_ms = options->connect_timeout_ms;
	ch->tls_timeout_ms = options->tls_timeout_ms;
	ch->option_timeout_ms = options->option_timeout_ms;
	ch->io_timeout_ms = options->io_timeout_ms;
	ch->request_timeout_ms = options->request_timeout_ms;
}

static int
channel_new(const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err)
{
	static const struct nbdclient_options defaults = {
		.contexts = NULL,
	};
	struct nbdclient_channel *ch;

	if (options == NULL)
		options = &defaults;
	if (options->contexts != NULL &&
	    options->n_contexts > NBD_MAX_CONTEXTS)
		return client_error_set(err, NBDCLIENT_INVALID, EINVAL,
		    "more than %u contexts", NBD_MAX_CONTEXTS);
	ch = calloc(1, sizeof *ch);
	if (ch != NULL) {
		ch->fd = -1;
		channel_set_timeouts(ch, options);
		if (channel_copy_contexts(ch, options) == 0 &&
		    (options->tls == NULL ||
		    security_copy(options->tls, &ch->security) == 0)) {
			*ret_channel = ch;
			return 0;
		}
	}
	nbdclient_channel_free(ch);
	return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
	    "out of memory");
}

int
nbdclient_connect(const char *uri, const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err)
{
	struct nbdclient_channel *ch;
	struct error e;
	int code;
	int r;

	code = channel_new(options, &ch, err);
	if (code != 0)
		return code;
	r = nbd_uri_parse(uri, &ch->uri, &e);
	if (r < 0) {
		nbdclient_channel_free(ch);
		return client_error_set(err, r == -ENOMEM ?
		    NBDCLIENT_NO_MEMORY : NBDCLIENT_INVALID, -r, "%s", e.text);
	}
	ch->uri->tls = ch->uri->tls || ch->security != NULL;
	(void)transport_describe(ch->uri, ch->server, sizeof ch->server);
	*ret_channel = ch;
	return 0;
}

/* The URI of a socket's default export. */
static struct nbd_uri *
uri_of_socket(const char *path)
{
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;

	uri = calloc(1, sizeof *uri);
	if (uri == NULL)
		return NULL;
	uri->transport = NBD_TRANSPORT_UNIX;
	uri->socket = strdup(path);
	uri->export_name = strdup("");
	if (uri->socket == NULL || uri->export_name == NULL)
		return NULL;
	return STEAL(uri);
}

static int
command_code(int r)
{
	if (r == -ENOMEM)
		return NBDCLIENT_NO_MEMORY;
	return r == -EINVAL ? NBDCLIENT_INVALID : NBDCLIENT_CANNOT_CONNECT;
}

static int
command_failure(struct nbdclient_channel *ch, const struct error *e,
    struct nbdclient_error *err)
{
	nbdclient_channel_free(ch);
	return client_error_set(err, command_code(e->code), -e->code, "%s",
	    e->text);
}

static void
name_command(struct nbdclient_channel *ch, const char *name)
{
	char shown[CHANNEL_SERVER_SIZE - 16];

	(void)snprintf(ch->server, sizeof ch->server, "command '%s'",
	    escape_text(name, strlen(name), shown, sizeof shown));
}

int
nbdclient_connect_command(const char *const argv[],
    const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err)
{
	struct nbdclient_channel *ch;
	struct error e;
	int code;
	int r;

	code = channel_new(options, &ch, err);
	if (code != 0)
		return code;
	r = served_start(argv, &ch->served, &e);
	if (r == 0) {
		ch->uri = uri_of_socket(served_socket(ch->served));
		if (ch->uri == NULL)
			r = error_set(&e, -ENOMEM, "out of memory");
	}
	if (r < 0)
		return command_failure(ch, &e, err);
	name_command(ch, argv[0]);
	*ret_channel = ch;
	return 0;
}

int
nbdclient_connect_command_stdio(const char *const argv[],
    const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err)
{
	struct nbdclient_channel *ch;
	struct error e;
	int code;

	code = channel_new(options, &ch, err);
	if (code != 0)
		return code;
	if (served_start_stdio(argv, &ch->fd, &ch->served, &e) < 0)
		return command_failure(ch, &e, err);
	name_command(ch, argv[0]);
	*ret_channel = ch;
	return 0;
}

static int
check_stream_socket(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	int type = 0;
	socklen_t type_len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return -EPROTOTYPE;
	if (getpeername(fd, (struct sockaddr *)&addr, &len) < 0)
		return -errno;
	return 0;
}

int
nbdclient_connect_fd(int fd, const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err)
{
	CLEANUP(cleanup_close) int owned = fd;
	struct nbdclient_channel *ch;
	int r;

	r = check_stream_socket(fd);
	if (r < 0)
		return client_error_set(err, NBDCLIENT_INVALID, -r,
		    "descriptor %d is not a connected stream socket: %s", fd,
		    strerrordesc_np(-r));
	r = channel_new(options, &ch, err);
	if (r != 0)
		return r;
	ch->fd = STEAL_FD(owned);
	(void)snprintf(ch->server, sizeof ch->server, "descriptor %d", fd);
	*ret_channel = ch;
	return 0;
}

void
nbdclient_channel_free(struct nbdclient_channel *channel)
{
	size_t i;

	if (channel == NULL)
		return;
	for (i = 0; i < channel->n_contexts; i++)
		free(channel->contexts[i]);
	nbd_uri_free(channel->uri);
	security_free(channel->security);
	if (channel->fd >= 0)
		(void)close(channel->fd);
	served_unref(channel->served);
	free(channel);
}

/* A socket serves one call; *ret_fd is the caller's then, else -1. */
static int
take_socket(struct nbdclient_channel *ch, int *ret_fd,
    struct nbdclient_error *err)
{
	if (ch->uri == NULL && ch->fd < 0)
		return client_error_set(err, NBDCLIENT_INVALID, EBADF,
		    "%s has been used by an earlier call", ch->server);
	*ret_fd = STEAL_FD(ch->fd);
	return 0;
}

/* The sentence may say already what could not be done. */
int
channel_failure(const char *server, int code, const struct error *e,
    const char *what, struct nbdclient_error *err)
{
	if (strncmp(e->text, "cannot ", 7) == 0)
		return client_error_set(err, code, -e->code, "%s: %s", server,
		    e->text);
	return client_error_set(err, code, -e->code, "%s: cannot %s: %s",
	    server, what, e->text);
}

/*
 * A server of ours that has ended, as one does whose arguments are wrong, has
 * more to say than the connection it cut.
 */
bool
channel_may_have_ended(const struct served *served, int code)
{
	return served != NULL && (code == NBDCLIENT_CANNOT_CONNECT ||
	    code == NBDCLIENT_DISCONNECTED);
}

int
channel_ended(const struct error *e, const char *what,
    struct nbdclient_error *err)
{
	return client_error_set(err, NBDCLIENT_CANNOT_CONNECT, -e->code,
	    "cannot %s: %s", what, e->text);
}

static int
link_failed(const struct nbdclient_channel *ch, const struct link *l, int code,
    const char *what, struct nbdclient_error *err)
{
	struct error e;

	if (channel_may_have_ended(ch->served, code) &&
	    served_has_exited(ch->served, &e))
		return channel_ended(&e, what, err);
	return channel_failure(ch->server, code, &l->error, what, err);
}

struct conn_options
channel_conn_options(const struct nbdclient_channel *ch, enum nbd_goal goal)
{
	return (struct conn_options){
		.uri = ch->uri,
		.fd = -1,
		.goal = goal,
		.contexts = (const char *const *)ch->contexts,
		.n_contexts = goal == NBD_GOAL_TRANSMISSION ? ch->n_contexts :
		    0,
		.connect_timeout_ms = ch->connect_timeout_ms,
		.tls_timeout_ms = ch->tls_timeout_ms,
		.option_timeout_ms = ch->option_timeout_ms,
		.io_timeout_ms = ch->io_timeout_ms,
		.request_timeout_ms = ch->request_timeout_ms,
		.tls = ch->security != NULL ? &ch->security->settings : NULL,
	};
}

int
channel_aim(struct nbdclient_channel *ch, char *export_name,
    struct conn_options *o, struct nbd_uri *uri, struct nbdclient_error *err)
{
	*uri = (struct nbd_uri){ .transport = NBD_TRANSPORT_UNIX };
	if (ch->uri != NULL)
		*uri = *ch->uri;
	uri->export_name = export_name;
	o->uri = uri;
	return take_socket(ch, &o->fd, err);
}

int
channel_open_link(struct nbdclient_channel *ch, struct conn_options *o,
    const char *export_name, const char *what, struct link *l,
    struct nbdclient_error *err)
{
	CLEANUP(cleanup_free) char *name = strdup(export_name);
	struct nbd_uri uri;
	int code;

	if (name == NULL)
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	code = channel_aim(ch, name, o, &uri, err);
	if (code != 0)
		return code;
	code = link_open(l, o);
	if (code != 0)
		return link_failed(ch, l, code, what, err);
	return 0;
}

const char *
channel_export_name(const struct nbdclient_channel *ch, const char *name)
{
	if (name != NULL)
		return name;
	return ch->uri != NULL ? ch->uri->export_name : "";
}

void
channel_quote_export(const char *export_name,
    char quoted[CHANNEL_QUOTED_SIZE])
{
	char shown[CHANNEL_QUOTED_SIZE - 16];

	if (export_name[0] == '\0')
		(void)snprintf(quoted, CHANNEL_QUOTED_SIZE, "%s",
		    "the default export");
	else
		(void)snprintf(quoted, CHANNEL_QUOTED_SIZE, "export '%s'",
		    escape_text(export_name, strlen(export_name), shown,
		    sizeof shown));
}

int
nbdclient_negotiate(struct nbdclient_channel *channel,
    const char *export_name, struct nbdclient_disk **ret_disk,
    struct nbdclient_error *err)
{
	struct conn_options o = channel_conn_options(channel,
	    NBD_GOAL_TRANSMISSION);
	struct nbdclient_disk *disk;
	char quoted[CHANNEL_QUOTED_SIZE];
	char what[CHANNEL_QUOTED_SIZE + 8];
	int code;

	disk = calloc(1, sizeof *disk);
	if (disk == NULL)
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "out of memory");
	export_name = channel_export_name(channel, export_name);
	channel_quote_export(export_name, quoted);
	(void)snprintf(disk->name, sizeof disk->name, "%s of %s", quoted,
	    channel->server);
	(void)snprintf(what, sizeof what, "open %s", quoted);
	code = channel_open_link(channel, &o, export_name, what, &disk->link,
	    err);
	if (code != 0) {
		nbdclient_disconnect(disk);
		return code;
	}
	if (io_init(&disk->io, disk->link.loop, disk->link.conn, disk->name,
	    DISK_MAX_REQUESTS) < 0) {
		nbdclient_disconnect(disk);
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "%s: cannot %s: out of memory", channel->server, what);
	}
	if (channel->served != NULL)
		disk->served = served_ref(channel->served);
	*ret_disk = disk;
	return 0;
}
