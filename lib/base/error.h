/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/annotate.h"

/*
 * An error with the sentence a person reads.  Functions that can say more
 * than an errno take a `struct error *` last, fill it on failure and return
 * its code.  The text holds no trailing newline and no terminal control
 * characters: what comes from a peer goes through escape_text() first.
 */

#define ERROR_TEXT_SIZE 512

struct error {
	int code;			/* negative errno, 0 for none */
	char text[ERROR_TEXT_SIZE];
};

/*
 * Set e (which may be NULL) to code, a negative errno, and the formatted
 * sentence, cut at ERROR_TEXT_SIZE.  Returns code.
 */
int error_set(struct error *e, int code, const char *fmt, ...) PRINTF(3, 4);

/*
 * Put "prefix: " before the text e has.  Returns e's code.
 */
int error_prefix(struct error *e, const char *fmt, ...) PRINTF(2, 3);

#endif
