/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/config-problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

json_t *
config_problems_text(const char *text, size_t len)
{
	json_t *value = json_stringn(text, len);
	char printable[1024];

	if (value != NULL)
		return value;
	return json_string(escape_text(text, len, printable,
	    sizeof printable));
}

/* The number in "7: what is wrong" or "7:3: ..."; 0: none. */
static json_int_t
take_number(const char **text)
{
	json_int_t number = 0;
	const char *p = *text;

	for (; *p >= '0' && *p <= '9' && number < 1000000000; p++)
		number = number * 10 + (*p - '0');
	if (p == *text || *p != ':')
		return 0;
	*text = p + 1;
	return number;
}

static json_t *
number_or_null(json_int_t number)
{
	return number > 0 ? json_integer(number) : json_null();
}

/* "FILE:7:3: what is wrong", "FILE:7: ...", "FILE: ...", or anything. */
static json_t *
problem_to_json(const char *file, const char *text, size_t len)
{
	const char *end = text + len;
	size_t file_len = strlen(file);
	json_int_t line = 0, column = 0;

	if (len > file_len + 2 && memcmp(text, file, file_len) == 0 &&
	    text[file_len] == ':') {
		text += file_len + 1;
		line = take_number(&text);
		if (line > 0)
			column = take_number(&text);
		if (*text == ' ')
			text++;
	}
	return json_pack("{s:o, s:o, s:o}", "line", number_or_null(line),
	    "column", number_or_null(column), "message",
	    config_problems_text(text, (size_t)(end - text)));
}

json_t *
config_problems_to_json(const char *file, const char *said)
{
	json_t *list = json_array();

	while (list != NULL && *said != '\0') {
		size_t len = strcspn(said, "\n");

		if (len > 0 &&
		    json_array_append_new(list,
			problem_to_json(file, said, len)) < 0) {
			json_decref(list);
			return NULL;
		}
		said += len + (said[len] == '\n' ? 1 : 0);
	}
	return list;
}
