/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POST /v1/endpoints/{endpoint}/probe: connect to a disk, say what its server
 * tells of it, and go.  Nothing is read or written.
 *
 * It happens on the main loop: it is a handshake.  The answer is sent at the
 * end of it, and what was opened is closed afterwards.
 */

#include "control/probe.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/nearest.h"
#include "control/routes.h"
#include "endpoint/endpoint.h"
#include "log/log.h"

#define CONNECT_TIMEOUT_MS 10000
#define IO_TIMEOUT_MS	   10000

struct probe {
	struct list node;
	struct ctl_probes *probes;
	struct ctl_request *req;	/* NULL: has been answered */
	struct endpoint_spec *spec;	/* outlives the configuration */
	struct endpoint *endpoint;
	struct disk *disk;
	uint64_t started_ms;
};

static void
probe_free(struct probe *probe)
{
	endpoint_spec_free(probe->spec);
	free(probe);
}

static struct probe *
probe_new(const struct endpoint_spec *spec)
{
	struct probe *probe = calloc(1, sizeof *probe);

	if (probe == NULL)
		return NULL;
	list_init(&probe->node);
	probe->spec = endpoint_spec_copy(spec);
	if (probe->spec != NULL)
		return probe;
	free(probe);
	return NULL;
}

static void
on_endpoint_closed(void *arg)
{
	struct probe *probe = arg;
	struct ctl_probes *probes = probe->probes;

	on_main_entry();
	list_remove(&probe->node);
	probe_free(probe);
	if (--probes->n == 0 && probes->on_none != NULL)
		probes->on_none(probes->arg);
}

static void
on_disk_closed(void *arg)
{
	struct probe *probe = arg;

	on_main_entry();
	endpoint_close(probe->endpoint, on_endpoint_closed, probe);
}

static void
finish(struct probe *probe) ON_MAIN
{
	struct disk *disk = probe->disk;

	probe->req = NULL;
	probe->disk = NULL;
	if (disk != NULL)
		disk_close(disk, on_disk_closed, probe);
	else
		on_disk_closed(probe);
}

static json_t *
to_json(const struct probe *probe) ON_MAIN
{
	const struct disk_shape *s = disk_shape(probe->disk);
	const char *tls = NULL, *cipher = NULL;

	(void)disk_tls(probe->disk, &tls, &cipher);
	return json_pack("{s:s, s:I, s:b, s:b, s:b, s:b, s:b, s:b, "
	    "s:{s:I, s:I, s:I}, s:s?, s:s?, s:I}", "endpoint", probe->req->name,
	    "size_bytes", (json_int_t)s->size, "read_only", s->read_only,
	    "flush", s->can_flush, "write_zeroes", s->can_zero, "fast_zero",
	    s->can_fast_zero, "multi_conn", s->can_multi_conn,
	    "base_allocation", s->can_status, "block_size", "minimum_bytes",
	    (json_int_t)s->block_minimum, "preferred_bytes",
	    (json_int_t)s->block_preferred, "maximum_bytes",
	    (json_int_t)s->block_maximum, "tls", tls, "tls_cipher", cipher,
	    "took_ms", (json_int_t)(net_loop_now_ms(probe->probes->loop) -
	    probe->started_ms));
}

static void
disk_on_ready(void *arg)
{
	struct probe *probe = arg;

	on_main_entry();
	if (probe->req == NULL)
		return;
	ctl_reply(probe->req, 200, to_json(probe));
	finish(probe);
}

static void
disk_on_completions(void *arg UNUSED)
{
	/* Nothing was asked for. */
}

static void
disk_on_failed(void *arg, const struct error *e)
{
	struct probe *probe = arg;

	on_main_entry();
	if (probe->req == NULL)
		return;
	ctl_problem(probe->req, CTL_NO_ANSWER, NULL, "endpoint '%s': %s",
	    probe->req->name, e->text);
	finish(probe);
}

static void
on_words(void *arg UNUSED, const char *endpoint, const char *line)
{
	daemon_log_server(NULL, NULL, endpoint, line);
}

static void
start(struct probe *probe) ON_MAIN
{
	static const struct endpoint_words words = { .on_line = on_words };
	static const struct disk_events events = {
		.on_ready = disk_on_ready,
		.on_completions = disk_on_completions,
		.on_failed = disk_on_failed,
	};
	const struct endpoint_limits limits = { CONNECT_TIMEOUT_MS,
		IO_TIMEOUT_MS, true };
	struct ctl_probes *probes = probe->probes;
	struct error e;

	if (endpoint_open(probes->loop, probe->spec, ENDPOINT_SOURCE, 0,
	    &words, &probe->endpoint, &e) < 0) {
		ctl_problem(probe->req, CTL_NO_ANSWER, NULL,
		    "endpoint '%s': %s", probe->req->name, e.text);
		probe_free(probe);
		return;
	}
	list_append(&probes->all, &probe->node);
	probes->n++;
	if (endpoint_connect(probe->endpoint, probes->loop, &limits, &events,
	    probe, &probe->disk, &e) < 0)
		disk_on_failed(probe, &e);
}

static void
no_such_endpoint(struct ctl_request *req) ON_MAIN
{
	const struct conf *conf = req->conf;
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	if (req->name[0] == '\0') {
		ctl_problem(req, CTL_NO_SUCH_ENDPOINT, NULL, "no endpoint can "
		    "have that name");
		return;
	}
	nearest_init(&nearest, req->name);
	for (size_t i = 0; i < conf->n_endpoints; i++)
		nearest_offer(&nearest, conf->endpoints[i].name);
	if (nearest.best != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean '%s'?",
		    nearest.best);
	ctl_problem(req, CTL_NO_SUCH_ENDPOINT, nearest.best != NULL ? hint :
	    "nbdsync endpoints", "there is no endpoint '%s'", req->name);
}

void
ctl_probe(struct ctl_request *req)
{
	const struct conf_endpoint *ep = req->name[0] == '\0' ? NULL :
	    conf_find_endpoint(req->conf, req->name);
	struct probe *probe;

	if (ep == NULL) {
		no_such_endpoint(req);
		return;
	}
	if (jobs_is_stopping(req->jobs)) {
		ctl_problem(req, CTL_STOPPING, NULL, "the daemon is "
		    "stopping");
		return;
	}
	if (req->probes->n >= PROBES_MAX) {
		ctl_problem(req, CTL_BUSY, NULL, "%d endpoints are being "
		    "probed already; try again", PROBES_MAX);
		return;
	}
	probe = probe_new(ep->spec);
	if (probe == NULL) {
		ctl_reply(req, 500, NULL);
		return;
	}
	probe->probes = req->probes;
	probe->req = req;
	probe->started_ms = net_loop_now_ms(req->probes->loop);
	start(probe);
}

void
probes_stop(struct ctl_probes *probes)
{
	struct list *node, *next;

	for (node = probes->all.next; node != &probes->all; node = next) {
		struct probe *probe = list_entry(node, struct probe, node);

		next = node->next;
		if (probe->req == NULL)
			continue;
		ctl_problem(probe->req, CTL_STOPPING, NULL, "the daemon is "
		    "stopping");
		finish(probe);
	}
}
