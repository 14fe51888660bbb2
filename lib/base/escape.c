/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text from outside made safe for a terminal and a log.  A server's error
 * message must not be able to move the cursor or fake a line.
 */
#include "base/escape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The longest thing one character becomes: \xNN, or four bytes of UTF-8. */
#define PIECE_MAX 4

static const char ellipsis[] = "...";

/* How many bytes a character that begins with lead has; 0: none does. */
static size_t
utf8_len(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
static bool
utf8_second_is_valid(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	default:
		return true;
	}
}

/* The length of the valid, printable character at p; 0 if there is none. */
static size_t
printable_len(const uint8_t *p, size_t len)
{
	size_t n = utf8_len(p[0]);

	if (n == 0 || n > len)
		return 0;
	if (n == 1)
		return p[0] >= 0x20 && p[0] != 0x7f && p[0] != '\\' ? 1 : 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* U+0080 to U+009F: the 8-bit control characters. */
	if (p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return utf8_second_is_valid(p[0], p[1]) ? n : 0;
}

/* Write one piece of p; returns the bytes taken from p. */
static size_t
escape_one(const uint8_t *p, size_t len, char piece[PIECE_MAX + 1],
    size_t *ret_piece_len)
{
	size_t n = printable_len(p, len);

	if (n == 0) {
		(void)snprintf(piece, PIECE_MAX + 1, "\\x%02X", p[0]);
		*ret_piece_len = PIECE_MAX;
		return 1;
	}
	memcpy(piece, p, n);
	*ret_piece_len = n;
	return n;
}

char *
escape_text(const void *text, size_t len, char *buf, size_t size)
{
	const uint8_t *p = text;
	char piece[PIECE_MAX + 1];
	size_t used = 0;
	size_t cut = 0;		/* where the ellipsis still fits */

	assert(size >= 8);
	while (len > 0) {
		size_t piece_len;
		size_t taken = escape_one(p, len, piece, &piece_len);

		if (used + piece_len >= size) {
			memcpy(buf + cut, ellipsis, sizeof ellipsis);
			return buf;
		}
		memcpy(buf + used, piece, piece_len);
		used += piece_len;
		if (used + sizeof ellipsis <= size)
			cut = used;
		p += taken;
		len -= taken;
	}
	buf[used] = '\0';
	return buf;
}

void
escape_keep_utf8(char *text)
{
	size_t len = strlen(text);
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = (*text & 0x80) == 0 ? 1 :
					  printable_len((uint8_t *)text, len);
		if (n == 0) {
			*text = '?';
			n = 1;
		}
	}
}

void
escape_keep_line(char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n' || c == '\r' || c == '\t') {
			*text = ' ';
		} else if (c < 0x20 || c == 0x7f) {
			*text = '?';
		} else if (c == 0xc2 && (text[1] & 0xe0) == 0x80) {
			/* U+0080 to U+009F. */
			*text++ = '?';
			*text = '?';
		}
	}
}
