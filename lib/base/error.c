/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors as sentences.  A text that does not fit is cut: the code is what
 * decides, the text is for people.  It is UTF-8, also where it names a file
 * that is not, or is cut inside a character: JSON is made of it.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

int
error_set(struct error *e, int code, const char *fmt, ...)
{
	char text[ERROR_TEXT_SIZE];
	va_list args;

	if (e == NULL)
		return code;
	/* By way of a copy: an argument may be the text e has. */
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	escape_keep_utf8(text);
	memcpy(e->text, text, sizeof text);
	e->code = code;
	return code;
}

int
error_prefix(struct error *e, const char *fmt, ...)
{
	char text[ERROR_TEXT_SIZE];
	va_list args;
	size_t len;

	if (e == NULL)
		return 0;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	len = strlen(text);
	if (snprintf(text + len, sizeof text - len, ": %s", e->text) < 0)
		return e->code;
	escape_keep_utf8(text);
	memcpy(e->text, text, sizeof text);
	return e->code;
}
