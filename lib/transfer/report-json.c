/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JSON that is whole, or not there.  json_dumps() goes on when there was no
 * memory for a key, and returns what is no JSON without it: here the first
 * failure is remembered.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/report.h"

#define FIRST_SIZE 512

struct text {
	char *bytes;
	size_t len;
	size_t size;
	bool has_failed;
};

static int
make_room(struct text *t, size_t more)
{
	size_t size = t->size == 0 ? FIRST_SIZE : t->size;
	char *bytes;

	/* With the 0 at its end. */
	while (size - t->len <= more)
		size *= 2;
	if (size == t->size)
		return 0;
	bytes = realloc(t->bytes, size);
	if (bytes == NULL)
		return -ENOMEM;
	t->bytes = bytes;
	t->size = size;
	return 0;
}

static int
append(const char *bytes, size_t n, void *arg)
{
	struct text *t = arg;

	if (t->has_failed || make_room(t, n) < 0) {
		t->has_failed = true;
		return -1;
	}
	memcpy(t->bytes + t->len, bytes, n);
	t->len += n;
	t->bytes[t->len] = '\0';
	return 0;
}

char *
report_text(const json_t *o)
{
	struct text t = { .bytes = NULL };

	if (o == NULL || json_dump_callback(o, append, &t,
	    JSON_COMPACT | JSON_PRESERVE_ORDER) != 0 || t.has_failed) {
		free(t.bytes);
		return NULL;
	}
	return t.bytes;
}

void
report_put(json_t **o, const char *key, json_t *value)
{
	if (json_object_set_new(*o, key, value) == 0)
		return;
	json_decref(*o);
	*o = NULL;
}

void
report_put_number(json_t **o, const char *key, uint64_t value)
{
	report_put(o, key, json_integer((json_int_t)value));
}
