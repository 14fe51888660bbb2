/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libnbd, as its manual says it is to be used for many requests. */

#include <err.h>
#include <libnbd.h>
#include <stdlib.h>

#include "tests/bench/client.h"

static struct nbd_handle **handles;
static size_t n_handles;
static unsigned n_in_flight;

static _Noreturn void
fail(void)
{
	errx(1, "%s", nbd_get_error());
}

uint64_t
client_open(const char *uri)
{
	struct nbd_handle *nbd;
	int64_t size;

	handles = reallocarray(handles, n_handles + 1, sizeof(handles[0]));
	if (handles == NULL)
		err(1, "reallocarray");
	nbd = nbd_create();
	if (nbd == NULL || nbd_set_uri_allow_local_file(nbd, true) < 0 ||
	    nbd_connect_uri(nbd, uri) < 0)
		fail();
	handles[n_handles++] = nbd;
	size = nbd_get_size(nbd);
	if (size < 0)
		fail();
	return (uint64_t)size;
}

struct slot {
	char *buffer;
	struct slot *next_free;
};

static struct slot *first_free;

/* 1: the command retires by itself. */
static int
on_read(void *arg, int *error)
{
	struct slot *slot = arg;

	if (*error != 0)
		errx(1, "a read failed");
	n_in_flight--;
	slot->next_free = first_free;
	first_free = slot;
	return 1;
}

static void
read_all(struct nbd_handle *nbd, const struct reads *reads)
{
	uint64_t n_started = 0;
	struct slot *slot;

	while (n_started < reads->count || n_in_flight > 0) {
		while (n_started < reads->count && first_free != NULL) {
			slot = first_free;
			first_free = slot->next_free;
			n_started++;
			n_in_flight++;
			if (nbd_aio_pread(nbd, slot->buffer, reads->length,
			    next_offset(), (nbd_completion_callback){
			    .callback = on_read, .user_data = slot }, 0) < 0)
				fail();
		}
		if (n_in_flight > 0 && nbd_poll(nbd, -1) < 0)
			fail();
	}
}

void
client_read(const struct reads *reads)
{
	struct slot *slots = calloc(reads->depth, sizeof *slots);

	if (slots == NULL)
		err(1, "calloc");
	for (unsigned i = 0; i < reads->depth; i++) {
		slots[i].buffer = reads->buffers + (size_t)i * reads->length;
		slots[i].next_free = first_free;
		first_free = &slots[i];
	}
	read_all(handles[n_handles - 1], reads);
	free(slots);
}

void
client_close(void)
{
	for (size_t i = 0; i < n_handles; i++) {
		if (nbd_shutdown(handles[i], 0) < 0)
			fail();
		nbd_close(handles[i]);
	}
	free(handles);
}
