/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A parser of whole responses: called again with more bytes until it is
 * content.  Responses of the control socket are small, so starting over is
 * cheaper than remembering.
 */
#include "cli/http-response.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* What is left to be parsed. */
struct cursor {
	const char *at;
	const char *end;
};

struct head {
	int status;
	bool is_chunked;
	bool has_length;
	size_t length;
};

static int
fail(struct error *e, const char *what)
{
	return error_set(e, -EPROTO, "the answer is no HTTP: %s", what);
}

/* A line without its CR LF (a bare LF will do); false: not complete. */
static bool
take_line(struct cursor *c, const char **ret_line, size_t *ret_len)
{
	const char *newline;
	size_t len;

	if (c->at == c->end)
		return false;
	newline = memchr(c->at, '\n', (size_t)(c->end - c->at));
	if (newline == NULL)
		return false;
	len = (size_t)(newline - c->at);
	if (len > 0 && c->at[len - 1] == '\r')
		len--;
	*ret_line = c->at;
	*ret_len = len;
	c->at = newline + 1;
	return true;
}

static int
digit_value(char c, unsigned base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

/*
 * Digits and nothing else: no sign, no "0x", nothing that two readers could
 * understand differently.
 */
static int
parse_size(const char *text, size_t len, unsigned base, size_t *ret_size,
    struct error *e)
{
	size_t size = 0;

	if (len == 0)
		return fail(e, "a length is empty");
	for (size_t i = 0; i < len; i++) {
		int digit = digit_value(text[i], base);

		if (digit < 0)
			return fail(e, "a length is no number");
		size = size * base + (size_t)digit;
		if (size > HTTP_RESPONSE_MAX)
			return error_set(e, -EMSGSIZE,
			    "the answer is too long");
	}
	*ret_size = size;
	return 0;
}

/* "HTTP/1.1 200 OK" */
static int
parse_status_line(const char *line, size_t len, struct head *head,
    struct error *e)
{
	int status = 0;

	if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return fail(e, "there is no status line");
	for (size_t i = 9; i < 12; i++) {
		int digit = digit_value(line[i], 10);

		if (digit < 0)
			return fail(e, "the status is no number");
		status = status * 10 + digit;
	}
	if (status < 100 || (len > 12 && line[12] != ' '))
		return fail(e, "the status is no number");
	head->status = status;
	return 0;
}

static bool
is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && (**text == ' ' || **text == '\t')) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && ((*text)[*len - 1] == ' ' ||
	    (*text)[*len - 1] == '\t'))
		(*len)--;
}

static int
parse_header(const char *line, size_t len, struct head *head, struct error *e)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len;
	const char *value;
	size_t value_len;

	if (colon == NULL || colon == line)
		return fail(e, "a header has no name");
	name_len = (size_t)(colon - line);
	value = colon + 1;
	value_len = len - name_len - 1;
	trim(&value, &value_len);
	if (is_word(line, name_len, "Content-Length")) {
		head->has_length = true;
		return parse_size(value, value_len, 10, &head->length, e);
	}
	if (is_word(line, name_len, "Transfer-Encoding")) {
		if (!is_word(value, value_len, "chunked"))
			return fail(e, "its encoding is unknown");
		head->is_chunked = true;
	}
	return 0;
}

/* 0, -EAGAIN (not complete), or an error. */
static int
parse_head(struct cursor *c, struct head *head, struct error *e)
{
	const char *start = c->at;
	const char *line;
	size_t len;
	int r;

	memset(head, 0, sizeof *head);
	if (!take_line(c, &line, &len))
		return -EAGAIN;
	r = parse_status_line(line, len, head, e);
	while (r == 0) {
		if ((size_t)(c->at - start) > HTTP_HEAD_MAX)
			return fail(e, "its headers never end");
		if (!take_line(c, &line, &len))
			return -EAGAIN;
		if (len == 0)
			break;
		r = parse_header(line, len, head, e);
	}
	if (r == 0 && head->is_chunked && head->has_length)
		return fail(e, "it has two lengths");
	return r;
}

/* The length before a chunk; what follows ';' is of no interest. */
static int
take_chunk_size(struct cursor *c, size_t *ret_size, struct error *e)
{
	const char *line;
	const char *semicolon;
	size_t len;

	if (!take_line(c, &line, &len))
		return -EAGAIN;
	semicolon = memchr(line, ';', len);
	if (semicolon != NULL)
		len = (size_t)(semicolon - line);
	trim(&line, &len);
	return parse_size(line, len, 16, ret_size, e);
}

/* Trailers: headers behind the last chunk, up to an empty line. */
static int
skip_trailers(struct cursor *c)
{
	const char *line;
	size_t len;

	do {
		if (!take_line(c, &line, &len))
			return -EAGAIN;
	} while (len > 0);
	return 0;
}

/* body has room for all that is left. */
static int
take_chunks(struct cursor *c, char *body, size_t *ret_len, struct error *e)
{
	size_t used = 0;
	size_t size;
	const char *line;
	size_t len;
	int r;

	for (;;) {
		r = take_chunk_size(c, &size, e);
		if (r < 0)
			return r;
		if (size == 0)
			break;
		if ((size_t)(c->end - c->at) < size)
			return -EAGAIN;
		memcpy(body + used, c->at, size);
		used += size;
		c->at += size;
		if (!take_line(c, &line, &len))
			return -EAGAIN;
		if (len != 0)
			return fail(e, "a chunk is longer than it said");
	}
	*ret_len = used;
	return skip_trailers(c);
}

static int
take_body(struct cursor *c, const struct head *head, bool at_end, char *body,
    size_t *ret_len, struct error *e)
{
	size_t left = (size_t)(c->end - c->at);
	size_t len;

	if (head->status == 204 || head->status == 304) {
		*ret_len = 0;
		return 0;
	}
	if (head->is_chunked)
		return take_chunks(c, body, ret_len, e);
	if (head->has_length ? left < head->length : !at_end)
		return -EAGAIN;
	len = head->has_length ? head->length : left;
	memcpy(body, c->at, len);
	*ret_len = len;
	return 0;
}

static int
parse(struct cursor *c, bool at_end, struct http_response *ret,
    struct error *e)
{
	CLEANUP(cleanup_free) char *body = NULL;
	struct head head;
	size_t body_len = 0;
	int r;

	do {
		r = parse_head(c, &head, e);
		if (r < 0)
			return r;
	} while (head.status < 200);
	body = malloc((size_t)(c->end - c->at) + 1);
	if (body == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	r = take_body(c, &head, at_end, body, &body_len, e);
	if (r < 0)
		return r;
	body[body_len] = '\0';
	ret->status = head.status;
	ret->body = STEAL(body);
	ret->len = body_len;
	return 0;
}

int
http_response_parse(const char *data, size_t len, bool at_end,
    struct http_response *ret, struct error *e)
{
	struct cursor c = { data, data + len };
	int r;

	if (len > HTTP_RESPONSE_MAX)
		return error_set(e, -EMSGSIZE, "the answer is too long");
	r = parse(&c, at_end, ret, e);
	if (r == -EAGAIN && len == 0 && at_end)
		return error_set(e, -EPROTO,
		    "the connection was closed without an answer");
	if (r == -EAGAIN && at_end)
		return error_set(e, -EPROTO, "the answer breaks off");
	return r;
}
