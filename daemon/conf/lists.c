/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the four lists of a configuration have in common, so that nobody
 * repeats it four times: growing, freeing, and looking a name up.
 */

#include "conf/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/value.h"

#define LIST(tag, type, member, group_)					\
	[tag] = {							\
		.group = (group_),					\
		.size = sizeof(struct type),				\
		.items = offsetof(struct conf, member),			\
		.n = offsetof(struct conf, n_##member),			\
		.name = offsetof(struct type, name),			\
	}

const struct conf_list conf_lists[CONF_LISTS] = {
	LIST(CONF_TLS, conf_tls, tls, OPTION_GROUP_TLS),
	LIST(CONF_TEMPLATES, conf_template, templates, OPTION_GROUP_TEMPLATES),
	LIST(CONF_ENDPOINTS, conf_endpoint, endpoints, OPTION_GROUP_ENDPOINTS),
	LIST(CONF_JOBS, conf_job, jobs, OPTION_GROUP_JOBS),
};

/* The items of one list by name. */
struct sorted {
	const void **v;
	size_t n;
};

struct conf_index {
	struct sorted lists[CONF_LISTS];
};

size_t
conf_list_length(const struct conf *conf, const struct conf_list *list)
{
	return *(const size_t *)(const void *)((const char *)conf + list->n);
}

static void **
items_of(const struct conf *conf, const struct conf_list *list)
{
	return (void **)(void *)((char *)(uintptr_t)conf + list->items);
}

static void *
item_at(const struct conf *conf, const struct conf_list *list,
    size_t i)
{
	char *first;

	/* A pointer to whatever the list is made of. */
	memcpy(&first, items_of(conf, list), sizeof first);
	return first + i * list->size;
}

const char *
conf_list_name(const struct conf_list *list, const void *item)
{
	return *(const char *const *)(const void *)((const char *)item +
	    list->name);
}

void *
conf_list_grow(struct conf *conf, const struct conf_list *list, size_t more)
{
	size_t n = conf_list_length(conf, list);
	char *items;

	memcpy(&items, items_of(conf, list), sizeof items);
	items = reallocarray(items, n + more + 1, list->size);
	if (items == NULL)
		return NULL;
	memset(items + n * list->size, 0, (more + 1) * list->size);
	memcpy(items_of(conf, list), &items, sizeof items);
	*(size_t *)(void *)((char *)conf + list->n) = n + more;
	return items + n * list->size;
}

void
conf_options_free(enum option_group group, void *target)
{
	for (size_t i = 0; i < n_options; i++)
		if (options[i].group == group)
			value_free(&options[i],
			    (char *)target + options[i].offset);
}

static int
compare(const void *a, const void *b, void *arg)
{
	const struct conf_list *list = arg;
	const char *x = *(const char *const *)a;
	const char *y = *(const char *const *)b;
	int r = strcmp(conf_list_name(list, x), conf_list_name(list, y));

	/* Of one name, the earlier one first. */
	return r != 0 ? r : x < y ? -1 : x > y;
}

static int
sort(const struct conf *conf, const struct conf_list *list, struct sorted *s)
{
	size_t n = conf_list_length(conf, list);

	s->v = calloc(n + 1, sizeof *s->v);
	if (s->v == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const void *item = item_at(conf, list, i);

		if (conf_list_name(list, item) != NULL)
			s->v[s->n++] = item;
	}
	qsort_r(s->v, s->n, sizeof *s->v, compare, (void *)(uintptr_t)list);
	return 0;
}

static void
free_index(struct conf *conf)
{
	for (int id = 0; conf->index != NULL && id < CONF_LISTS; id++)
		free(conf->index->lists[id].v);
	free(conf->index);
	conf->index = NULL;
}

int
conf_lists_sort(struct conf *conf)
{
	free_index(conf);
	conf->index = calloc(1, sizeof *conf->index);
	if (conf->index == NULL)
		return -ENOMEM;
	for (int id = 0; id < CONF_LISTS; id++)
		if (sort(conf, &conf_lists[id], &conf->index->lists[id]) < 0)
			return -ENOMEM;
	return 0;
}

const void *const *
conf_lists_sorted(const struct conf *conf, enum conf_list_id id,
    size_t *ret_n)
{
	*ret_n = conf->index->lists[id].n;
	return conf->index->lists[id].v;
}

/* The first item of this name. */
static const void *
find(const struct conf *conf, enum conf_list_id id, const char *name)
{
	const struct sorted *s = &conf->index->lists[id];
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(conf_list_name(&conf_lists[id], s->v[middle]),
		    name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == s->n || strcmp(conf_list_name(&conf_lists[id], s->v[low]),
	    name) != 0)
		return NULL;
	return s->v[low];
}

const struct conf_tls *
conf_find_tls(const struct conf *conf, const char *name)
{
	return find(conf, CONF_TLS, name);
}

const struct conf_template *
conf_find_template(const struct conf *conf, const char *name)
{
	return find(conf, CONF_TEMPLATES, name);
}

const struct conf_endpoint *
conf_find_endpoint(const struct conf *conf, const char *name)
{
	return find(conf, CONF_ENDPOINTS, name);
}

const struct conf_job *
conf_find_job(const struct conf *conf, const char *name)
{
	return find(conf, CONF_JOBS, name);
}

void
conf_lists_free(struct conf *conf)
{
	for (int id = 0; id < CONF_LISTS; id++) {
		const struct conf_list *list = &conf_lists[id];
		size_t n = conf_list_length(conf, list);
		char *items;

		for (size_t i = 0; i < n; i++)
			conf_options_free(list->group,
			    item_at(conf, list, i));
		memcpy(&items, items_of(conf, list), sizeof items);
		free(items);
	}
	free_index(conf);
}
