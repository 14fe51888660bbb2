/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENDPOINT_KIND_H
#define ENDPOINT_KIND_H

#include "endpoint/endpoint.h"
#include "nbd/uri.h"

/*
 * What a kind of endpoint has to provide: one file, endpoint-NAME.c, and one
 * row in kinds.c.  Only files of this directory include this header.
 */

struct net_child;

struct endpoint {
	const struct endpoint_kind *kind;
	struct net_loop *loop;
	struct endpoint_spec *spec;
	enum endpoint_role role;
	uint64_t create_size;
	struct nbd_uri *uri;		/* how to connect, but for null: */
	char *identity;			/* "": that of the connection */
	struct net_child *child;	/* NULL: none was started */
	char **argv;			/* its command */
	struct endpoint_words words;
	char last_line[160];		/* that it has said */
	uint64_t said_since_ms;		/* how much of it was passed on */
	unsigned n_said;
	unsigned n_unsaid;		/* and how much was not */
	struct error exited;		/* code not 0: the child has ended */
	bool is_kept;			/* and is started again then */
	struct net_timer restart_timer;
	uint64_t started_at_ms;
	unsigned n_short_lives;		/* in a row */
	_Atomic unsigned n_starts;
	struct net_task closed_task;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

struct endpoint_kind {
	enum endpoint_type type;

	/* Make ep ready; on failure nothing is left behind. */
	int (*open)(struct endpoint *ep, struct error *e);

	/* As endpoint_connect(). */
	int (*connect)(const struct endpoint *ep, struct net_loop *loop,
	    const struct endpoint_limits *limits,
	    const struct disk_events *events, void *arg,
	    struct disk **ret_disk, struct error *e);
};

extern const struct endpoint_kind endpoint_kind_nbd;
extern const struct endpoint_kind endpoint_kind_command;
extern const struct endpoint_kind endpoint_kind_path;
extern const struct endpoint_kind endpoint_kind_null;
extern const struct endpoint_kind endpoint_kind_fill;

/* Start argv as the endpoint's server (endpoint-command.c). */
int endpoint_start_child(struct endpoint *ep, const char *const argv[],
    struct error *e);
/* Stop it; on_stopped comes once, from the loop. */
void endpoint_stop_child(struct endpoint *ep, void (*on_stopped)(void *arg));

/* Connect by ep->uri (endpoint-nbd.c). */
int endpoint_connect_nbd(const struct endpoint *ep, struct net_loop *loop,
    const struct endpoint_limits *limits, const struct disk_events *events,
    void *arg, struct disk **ret_disk, struct error *e);

/* A disk is one of these; ops first in each kind's own struct. */
struct disk {
	const struct disk_ops *ops;
	struct disk_shape shape;
	char identity[512];
	const char *tls_version;	/* NULL: no TLS */
	const char *tls_cipher;
};

struct disk_ops {
	int (*submit)(struct disk *disk, struct nbd_request *req);
	struct nbd_request *(*reap)(struct disk *disk);
	/* The next four may be NULL: a disk that is only written, at once. */
	struct nbd_request *(*reap_sent)(struct disk *disk);
	void (*place_found)(struct disk *disk);
	bool (*can_pipe)(const struct disk *disk);
	void (*load)(const struct disk *disk, uint64_t *ret_network_us,
	    uint64_t *ret_tls_us);
	void (*close)(struct disk *disk, void (*on_closed)(void *arg),
	    void *arg);
};

#endif
