/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_CONFIG_PROBLEMS_H
#define CLI_CONFIG_PROBLEMS_H

#include <jansson.h>
#include <stddef.h>

/*
 * What `nbdsyncd --check FILE` says, one problem a line, as JSON:
 * [{"line": 7, "message": "..."}], line null where it names none.  A new
 * reference; NULL: out of memory.
 */
json_t *config_problems_to_json(const char *file, const char *said);

/* Bytes from outside as a JSON text, made printable if they have to be. */
json_t *config_problems_text(const char *text, size_t len);

#endif
