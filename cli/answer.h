/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include <jansson.h>

/*
 * The text that an answer of the daemon has under key; "" where it has none,
 * or something else: a daemon of another version may know more, or less.
 */
const char *answer_text(const json_t *o, const char *key);

#endif
