/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stddef.h>

/*
 * Copy len bytes of text from outside into buf (size bytes, at least 8) so
 * that it can be printed: control characters, DEL, backslash and bytes that
 * are not valid UTF-8 become \xNN.  What does not fit is cut, never in the
 * middle of a character, and ends in "...".  buf is always terminated.
 * Returns buf.
 */
char *escape_text(const void *text, size_t len, char *buf, size_t size);

/* In place: bytes that are not valid UTF-8 become question marks. */
void escape_keep_utf8(char *text);

/*
 * In place: what begins another line, or is no matter of text to a terminal,
 * becomes a space, or a question mark.
 */
void escape_keep_line(char *text);

#endif
