/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An intrusive, circular, doubly linked list.  An element that is on no list
 * points at itself, so list_remove() is always safe after list_init().
 */

struct list {
	struct list *next;
	struct list *prev;
};

#define list_entry(node, type, member)                                         \
	((type *)(void *)((char *)(node) - offsetof(type, member)))

static inline void
list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool
list_is_empty(const struct list *l)
{
	return l->next == l;
}

static inline void
list_append(struct list *l, struct list *node)
{
	node->prev = l->prev;
	node->next = l;
	l->prev->next = node;
	l->prev = node;
}

static inline void
list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The first element, taken off the list; NULL when it is empty. */
static inline struct list *
list_take_first(struct list *l)
{
	struct list *node = l->next;

	if (node == l)
		return NULL;
	list_remove(node);
	return node;
}

#endif
