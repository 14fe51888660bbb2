/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANUAL_H
#define MANUAL_H

#include <stdlib.h>

/*
 * The manual pages, as tests that hold a table against them need them.
 */

/* A file below $srcdir; the caller's to free.  Missing: the test fails. */
char *manual_read(const char *path);

/*
 * The text of the item ".It Cm KEY" in the section ".Ss SECTION" (NULL: in
 * any), up to the next item: a pointer into the manual, which is cut behind
 * it.  NULL: there is none.
 */
char *manual_has_item(char *manual, const char *section, const char *key);

#endif
