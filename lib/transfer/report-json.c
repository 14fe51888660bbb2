/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JSON that is whole, or not there.  json_dumps() goes on when there was no
 * memory for a key, and returns what is no JSON without it: here the first
 * failure is remembered.
 */

#include <errno.h>
#include <stdint.h>
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

static void
put_value(struct text *t, const json_t *value)
{
	if (value == NULL || json_dump_callback(value, append, t,
	    JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY) != 0)
		t->has_failed = true;
}

/* The value is stolen. */
static void
put_new_value(struct text *t, json_t *value)
{
	put_value(t, value);
	json_decref(value);
}

static char *
finish(struct text *t)
{
	if (!t->has_failed)
		return t->bytes;
	free(t->bytes);
	return NULL;
}

char *
report_text(const json_t *o)
{
	struct text t = { .bytes = NULL };

	put_value(&t, o);
	return finish(&t);
}

static const struct report_list *
find_list(const struct report_list *lists, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(lists[i].key, key) == 0)
			return &lists[i];
	return NULL;
}

static void
put_list(struct text *t, const struct report_list *list,
    const struct run_result *r)
{
	(void)append("[", 1, t);
	for (size_t i = 0; i < list->n && !t->has_failed; i++) {
		if (i > 0)
			(void)append(",", 1, t);
		put_new_value(t, list->make(r, i));
	}
	(void)append("]", 1, t);
}

char *
report_text_with(const json_t *o, const struct report_list *lists,
    size_t n_lists, const struct run_result *r)
{
	struct text t = { .has_failed = o == NULL };
	const char *before = "", *key;
	json_t *value;

	(void)append("{", 1, &t);
	json_object_foreach((json_t *)(uintptr_t)o, key, value) {
		const struct report_list *list = find_list(lists, n_lists,
		    key);

		(void)append(before, strlen(before), &t);
		put_new_value(&t, json_string(key));
		(void)append(":", 1, &t);
		if (list != NULL)
			put_list(&t, list, r);
		else
			put_value(&t, value);
		before = ",";
	}
	(void)append("}", 1, &t);
	return finish(&t);
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
