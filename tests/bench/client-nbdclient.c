/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libnbdclient: its event-driven face, all connections on one base. */

#include <err.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "client/nbdclient-event.h"
#include "client/nbdclient.h"
#include "tests/bench/client.h"

static struct event_base *base;
static struct nbdclient_event_disk **disks;
static size_t n_disks;
static uint32_t sector_size;
static uint64_t n_to_start;
static unsigned n_in_flight;

static void
run(void)
{
	if (event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
		errx(1, "the event loop failed");
}

static void
on_ready(void *arg)
{
	(void)arg;
	(void)event_base_loopbreak(base);
}

static void
on_failed(void *arg, const struct nbdclient_error *e)
{
	(void)arg;
	errx(1, "%s", e->text);
}

uint64_t
client_open(const char *uri)
{
	static const struct nbdclient_event_callbacks callbacks = {
		.on_ready = on_ready,
		.on_failed = on_failed,
	};
	struct nbdclient_info info;
	struct nbdclient_error e;

	if (base == NULL)
		base = event_base_new();
	disks = reallocarray(disks, n_disks + 1, sizeof(disks[0]));
	if (base == NULL || disks == NULL)
		err(1, "event_base_new");
	if (nbdclient_event_open(base, uri, NULL, &callbacks, NULL,
	    &disks[n_disks], &e) != 0)
		errx(1, "%s", e.text);
	run();
	nbdclient_event_get_info(disks[n_disks++], &info);
	sector_size = info.sector_size;
	return info.size;
}

static void on_read(void *arg, const struct nbdclient_error *e);

static void
start_read(struct iovec *buffer)
{
	struct nbdclient_error e;

	if (nbdclient_event_read(disks[n_disks - 1],
	    next_offset() / sector_size, buffer, 1, 0, on_read, buffer, &e) !=
	    0)
		errx(1, "%s", e.text);
	n_to_start--;
	n_in_flight++;
}

static void
on_read(void *arg, const struct nbdclient_error *e)
{
	if (e != NULL)
		errx(1, "%s", e->text);
	n_in_flight--;
	if (n_to_start > 0)
		start_read(arg);
	else if (n_in_flight == 0)
		(void)event_base_loopbreak(base);
}

void
client_read(const struct reads *reads)
{
	struct iovec *buffers = calloc(reads->depth, sizeof *buffers);

	if (buffers == NULL)
		err(1, "calloc");
	n_to_start = reads->count;
	for (unsigned i = 0; i < reads->depth && n_to_start > 0; i++) {
		buffers[i].iov_base = reads->buffers +
		    (size_t)i * reads->length;
		buffers[i].iov_len = reads->length;
		start_read(&buffers[i]);
	}
	run();
	free(buffers);
}

static void
on_closed(void *arg)
{
	(void)arg;
	if (--n_disks == 0)
		(void)event_base_loopbreak(base);
}

void
client_close(void)
{
	const size_t n = n_disks;

	for (size_t i = 0; i < n; i++)
		nbdclient_event_close(disks[i], on_closed, NULL);
	run();
	event_base_free(base);
	free(disks);
}
