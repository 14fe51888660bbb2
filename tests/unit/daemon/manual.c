/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Just enough of mdoc(7).
 */
#include "manual.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

char *
manual_read(const char *path)
{
	const char *srcdir = getenv("srcdir");
	char *name = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	ck_assert_int_ge(asprintf(&name, "%s/%s", srcdir == NULL ? "." :
	    srcdir, path), 0);
	file = fopen(name, "re");
	ck_assert_msg(file != NULL, "%s is missing", name);
	ck_assert_int_gt(getdelim(&text, &size, '\0', file), 0);
	(void)fclose(file);
	free(name);
	return text;
}

/* After the line that begins with start and goes on with a blank or ends. */
static char *
find_line(char *text, const char *start)
{
	char *at = text;
	size_t len = strlen(start);

	while ((at = strstr(at, start)) != NULL) {
		if ((at == text || at[-1] == '\n') &&
		    strchr(" \n", at[len]) != NULL)
			return at + len;
		at += len;
	}
	return NULL;
}

char *
manual_has_item(char *manual, const char *section, const char *key)
{
	char line[128];
	char *item = manual;
	char *end;

	if (section != NULL) {
		(void)snprintf(line, sizeof line, ".Ss %s", section);
		item = find_line(manual, line);
		if (item == NULL)
			return NULL;
		end = strstr(item, "\n.Ss ");
		if (end != NULL)
			*end = '\0';
	}
	(void)snprintf(line, sizeof line, ".It Cm %s", key);
	item = find_line(item, line);
	if (item == NULL)
		return NULL;
	end = strstr(item, "\n.It ");
	if (end != NULL)
		*end = '\0';
	return item;
}
