/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-event URI: copy an export to standard output, with several reads under
 * way on an event base of our own.
 *
 *	cc read-event.c $(pkg-config --cflags --libs nbdclient) -levent_core
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include <nbdclient-event.h>

#define N_SLOTS	  8
#define SLOT_SIZE (256 * 1024)

/* A read, and then its data, waiting for those before it to be printed. */
struct slot {
	int is_read;
	size_t len;
	char data[SLOT_SIZE];
};

static struct nbdclient_event_disk *disk;
static struct nbdclient_info info;
static struct slot slots[N_SLOTS];
static uint64_t next_read;		/* numbers of slots' worths */
static uint64_t next_print;
static int exit_code;

static void
stop(const char *why)
{
	if (why != NULL) {
		fprintf(stderr, "read-event: %s\n", why);
		exit_code = 1;
	}
	if (disk != NULL)
		nbdclient_event_close(disk, NULL, NULL);
	disk = NULL;
}

static void on_read(void *arg, const struct nbdclient_error *err);

static void
read_on(void)
{
	struct nbdclient_error err;
	uint64_t offset;

	while (disk != NULL && next_read < next_print + N_SLOTS &&
	    (offset = next_read * SLOT_SIZE) < info.size) {
		struct slot *slot = &slots[next_read % N_SLOTS];
		struct iovec iov = { slot->data, SLOT_SIZE };

		if (iov.iov_len > info.size - offset)
			iov.iov_len = (size_t)(info.size - offset);
		slot->len = iov.iov_len;
		slot->is_read = 0;
		next_read++;
		if (nbdclient_event_read(disk, offset / info.sector_size,
		    &iov, 1, 0, on_read, slot, &err) != 0)
			stop(err.text);
	}
}

static void
on_read(void *arg, const struct nbdclient_error *err)
{
	struct slot *slot = arg;

	if (disk == NULL)
		return;
	if (err != NULL) {
		stop(err->text);
		return;
	}
	slot->is_read = 1;
	while (next_print < next_read && slots[next_print % N_SLOTS].is_read) {
		slot = &slots[next_print++ % N_SLOTS];
		if (fwrite(slot->data, 1, slot->len, stdout) != slot->len) {
			stop("cannot write");
			return;
		}
	}
	if (next_print * SLOT_SIZE >= info.size)
		stop(NULL);
	else
		read_on();
}

static void
on_ready(void *arg)
{
	(void)arg;
	nbdclient_event_get_info(disk, &info);
	if (info.size == 0)
		stop(NULL);
	read_on();
}

static void
on_failed(void *arg, const struct nbdclient_error *err)
{
	(void)arg;
	stop(err->text);
}

int
main(int argc, char **argv)
{
	static const struct nbdclient_event_callbacks callbacks = {
		on_ready,
		on_failed,
	};
	struct nbdclient_error err;
	struct event_base *base;

	if (argc != 2) {
		fprintf(stderr, "usage: read-event URI\n");
		return 2;
	}
	base = event_base_new();
	if (base == NULL)
		return 1;
	if (nbdclient_event_open(base, argv[1], NULL, &callbacks, NULL, &disk,
	    &err) != 0)
		stop(err.text);
	/* Nothing is left to wait for once the disk is closed. */
	event_base_dispatch(base);
	event_base_free(base);
	return fflush(stdout) == 0 ? exit_code : 1;
}
