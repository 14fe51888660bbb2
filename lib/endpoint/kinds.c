/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of endpoint kinds, and what is the same for all of them.
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/kind.h"
#include "net/child.h"

static const struct endpoint_kind *const kinds[] = {
	&endpoint_kind_nbd,
	&endpoint_kind_command,
	&endpoint_kind_path,
	&endpoint_kind_null,
	&endpoint_kind_fill,
};

static const struct endpoint_kind *
find_kind(enum endpoint_type type)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i]->type == type)
			return kinds[i];
	return NULL;
}

static void
endpoint_free(struct endpoint *ep)
{
	net_task_done(&ep->closed_task);
	nbd_uri_free(ep->uri);
	endpoint_spec_free(ep->spec);
	free(ep->identity);
	for (size_t i = 0; ep->argv != NULL && ep->argv[i] != NULL; i++)
		free(ep->argv[i]);
	free(ep->argv);
	free(ep);
}

static void
endpoint_on_closed(void *arg)
{
	struct endpoint *ep = arg;
	void (*on_closed)(void *) = ep->on_closed;
	void *on_closed_arg = ep->on_closed_arg;

	endpoint_free(ep);
	on_closed(on_closed_arg);
}

int
endpoint_open(struct net_loop *loop, const struct endpoint_spec *spec,
    enum endpoint_role role, uint64_t create_size,
    const struct endpoint_words *words, struct endpoint **ret_endpoint,
    struct error *e)
{
	struct endpoint *ep = calloc(1, sizeof *ep);
	int r;

	if (ep == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	ep->kind = find_kind(spec->type);
	ep->loop = loop;
	ep->role = role;
	ep->create_size = create_size;
	if (words != NULL)
		ep->words = *words;
	ep->spec = endpoint_spec_copy(spec);
	ep->identity = strdup("");
	if (ep->spec == NULL || ep->identity == NULL ||
	    net_task_init(&ep->closed_task, loop, endpoint_on_closed, ep) < 0)
		r = error_set(e, -ENOMEM, "out of memory");
	else
		r = ep->kind->open(ep, e);
	if (r < 0) {
		endpoint_free(ep);
		return r;
	}
	*ret_endpoint = ep;
	return 0;
}

bool
endpoint_has_exited(const struct endpoint *ep, struct error *e)
{
	if (ep->exited.code == 0)
		return false;
	*e = ep->exited;
	return true;
}

unsigned
endpoint_n_starts(const struct endpoint *ep)
{
	return atomic_load(&ep->n_starts);
}

bool
endpoint_is_command(const struct endpoint *ep)
{
	return ep->child != NULL;
}

int
endpoint_connect(const struct endpoint *ep, struct net_loop *loop,
    const struct endpoint_limits *limits, const struct disk_events *events,
    void *arg, struct disk **ret_disk, struct error *e)
{
	return ep->kind->connect(ep, loop, limits, events, arg, ret_disk, e);
}

void
endpoint_close(struct endpoint *ep, void (*on_closed)(void *arg), void *arg)
{
	ep->on_closed = on_closed;
	ep->on_closed_arg = arg;
	ep->is_kept = false;
	net_timer_done(&ep->restart_timer);
	if (ep->child != NULL)
		endpoint_stop_child(ep, endpoint_on_closed);
	else
		net_task_schedule(&ep->closed_task);
}

const struct disk_shape *
disk_shape(const struct disk *disk)
{
	return &disk->shape;
}

const char *
disk_identity(const struct disk *disk)
{
	return disk->identity;
}

bool
disk_tls(const struct disk *disk, const char **ret_version,
    const char **ret_cipher)
{
	if (disk->tls_version == NULL)
		return false;
	*ret_version = disk->tls_version;
	*ret_cipher = disk->tls_cipher;
	return true;
}

int
disk_submit(struct disk *disk, struct nbd_request *req)
{
	return disk->ops->submit(disk, req);
}

struct nbd_request *
disk_reap(struct disk *disk)
{
	return disk->ops->reap(disk);
}

struct nbd_request *
disk_reap_sent(struct disk *disk)
{
	return disk->ops->reap_sent != NULL ? disk->ops->reap_sent(disk) : NULL;
}

void
disk_place_found(struct disk *disk)
{
	if (disk->ops->place_found != NULL)
		disk->ops->place_found(disk);
}

bool
disk_can_pipe(const struct disk *disk)
{
	return disk->ops->can_pipe != NULL && disk->ops->can_pipe(disk);
}

void
disk_load(const struct disk *disk, uint64_t *ret_network_us,
    uint64_t *ret_tls_us)
{
	*ret_network_us = *ret_tls_us = 0;
	if (disk->ops->load != NULL)
		disk->ops->load(disk, ret_network_us, ret_tls_us);
}

void
disk_close(struct disk *disk, void (*on_closed)(void *arg), void *arg)
{
	disk->ops->close(disk, on_closed, arg);
}
