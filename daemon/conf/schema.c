/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of options as JSON.  All of its texts are constants of ours.
 */

#include "conf/schema.h"

#include "conf/options.h"

static const char *const types[] = {
	[OPTION_INT] = "integer",
	[OPTION_BOOL] = "boolean",
	[OPTION_SIZE] = "size",
	[OPTION_SPARSE] = "size",
	[OPTION_LENGTH] = "size",
	[OPTION_RATE] = "rate",
	[OPTION_TIME] = "time",
	[OPTION_AGE] = "time",
	[OPTION_TEXT] = "text",
	[OPTION_NAME] = "name",
	[OPTION_PATH] = "path",
	[OPTION_FILE] = "file",
	[OPTION_SECRET] = "text",
	[OPTION_LEVEL] = "word",
	[OPTION_MODE] = "word",
	[OPTION_POLICY] = "word",
	[OPTION_FILL] = "word",
	[OPTION_ROLE] = "word",
	[OPTION_TLS_VERSION] = "word",
	[OPTION_LOG_TYPE] = "word",
	[OPTION_LOG_FORMAT] = "word",
	[OPTION_CRON] = "cron",
	[OPTION_WINDOW] = "window",
	[OPTION_DIGEST] = "word",
	[OPTION_VERIFY] = "word",
	[OPTION_WORDS] = "list of names",
	[OPTION_HOOKS] = "command",
	[OPTION_RATES] = "list of times and rates",
	[OPTION_PEERS] = "list of users and @groups",
	[OPTION_RANGES] = "list of ranges",
};

static void
put(FILE *out, const char *key, const char *text)
{
	(void)fprintf(out, ",\"%s\":", key);
	if (text == NULL) {
		(void)fputs("null", out);
		return;
	}
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void
put_option(FILE *out, const struct option *o)
{
	(void)fprintf(out, "{\"required\":%s", o->is_required ? "true" :
	    "false");
	put(out, "group", o->group == OPTION_GROUP_MAIN ? NULL :
	    option_group_name(o->group));
	put(out, "key", o->key);
	put(out, "type", types[o->type]);
	put(out, "default", o->fallback);
	put(out, "minimum", o->min);
	put(out, "maximum", o->max);
	put(out, "doc", o->doc);
	(void)fputc('}', out);
}

void
conf_print_schema(FILE *out)
{
	(void)fputs("{\"options\":[\n", out);
	for (size_t i = 0; i < n_options; i++) {
		(void)fputs(i == 0 ? "" : ",\n", out);
		put_option(out, &options[i]);
	}
	(void)fputs("\n]}\n", out);
}
