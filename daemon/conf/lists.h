/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_LISTS_H
#define CONF_LISTS_H

#include "conf/conf.h"
#include "conf/options.h"

/*
 * The lists that a configuration is made of: items with a place and a name,
 * from all files.
 */

struct conf_list {
	enum option_group group;
	size_t size;			/* of an item; it begins with its
					   struct conf_place */
	size_t items;			/* offsets in struct conf */
	size_t n;
	size_t name;			/* offset in an item */
};

extern const struct conf_list conf_lists[CONF_LISTS];

size_t conf_list_length(const struct conf *conf, const struct conf_list *list);
const char *conf_list_name(const struct conf_list *list, const void *item);

/*
 * Make room for more items, all zero.  Returns the first of them; NULL: out
 * of memory.
 */
void *conf_list_grow(struct conf *conf, const struct conf_list *list,
    size_t more);

/* Free what an item's options hold. */
void conf_options_free(enum option_group group, void *target);

/*
 * Sort the items of each list by name, for conf_find_...(); again after
 * something has got its name.  -ENOMEM.
 */
int conf_lists_sort(struct conf *conf);

/* The items of list i in the order of their names, NULL names left out. */
const void *const *conf_lists_sorted(const struct conf *conf,
    enum conf_list_id id, size_t *ret_n);

void conf_lists_free(struct conf *conf);

#endif
