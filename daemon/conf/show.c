/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Effective values.  They are printed as the files have them, so what is
 * shown can be copied into a file.
 */

#include "conf/show.h"

#include <errno.h>
#include <libconfig.h>
#include <string.h>

#include "base/escape.h"
#include "conf/options.h"
#include "conf/origin.h"

static void
print_text(const char *text, FILE *out)
{
	char printable[4096];

	(void)fprintf(out, "\"%s\"", escape_text(text, strlen(text), printable,
	    sizeof printable));
}

static void print_setting(const config_setting_t *setting, FILE *out);

static void
print_items(const config_setting_t *setting, const char *brackets, FILE *out)
{
	int n = config_setting_length(setting);

	(void)fprintf(out, "%c ", brackets[0]);
	for (int i = 0; i < n; i++) {
		const config_setting_t *item =
		    config_setting_get_elem(setting, (unsigned)i);

		if (config_setting_name(item) != NULL)
			(void)fprintf(out, "%s = ", config_setting_name(item));
		print_setting(item, out);
		if (config_setting_is_group(setting))
			(void)fputs("; ", out);
		else
			(void)fputs(i + 1 < n ? ", " : " ", out);
	}
	(void)fputc(brackets[1], out);
}

/* The lint has seen to it that this is not deep. */
static void
print_setting(const config_setting_t *setting, FILE *out)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_STRING:
		print_text(config_setting_get_string(setting), out);
		break;
	case CONFIG_TYPE_BOOL:
		(void)fputs(config_setting_get_bool(setting) ? "true" :
		    "false", out);
		break;
	case CONFIG_TYPE_ARRAY:
		print_items(setting, "[]", out);
		break;
	case CONFIG_TYPE_LIST:
		print_items(setting, "()", out);
		break;
	case CONFIG_TYPE_GROUP:
		print_items(setting, "{}", out);
		break;
	default:
		(void)fprintf(out, "%lld", config_setting_get_int64(setting));
		break;
	}
}

static void
print_found(const struct conf *conf, const struct conf_origin *origin,
    FILE *out)
{
	print_setting(origin->place.setting, out);
	(void)fputs("  (", out);
	if (origin->template != NULL)
		(void)fprintf(out, "template \"%s\", ",
		    origin->template->name);
	(void)fprintf(out, "%s:%u)\n", conf->files[origin->place.file].name,
	    origin->place.spot.line);
}

static void
print_default(const struct option *option, FILE *out)
{
	if (option->fallback == NULL)
		(void)fputs("none", out);
	else if (option->type == OPTION_INT || option->type == OPTION_BOOL)
		(void)fputs(option->fallback, out);
	else
		print_text(option->fallback, out);
	(void)fputs("  (default)\n", out);
}

static void
show_option(const struct conf *conf, const struct conf_job *job,
    const struct option *option, FILE *out)
{
	struct conf_origin origin;

	(void)fprintf(out, "%s = ", option->key);
	if (conf_job_origin(conf, job, option->key, &origin))
		print_found(conf, &origin, out);
	else
		print_default(option, out);
}

int
conf_show_job(const struct conf *conf, const char *name, FILE *out)
{
	const struct conf_job *job = conf_find_job(conf, name);

	if (job == NULL)
		return -ENOENT;
	for (size_t i = 0; i < n_options; i++)
		if (options[i].group == OPTION_GROUP_JOBS)
			show_option(conf, job, &options[i], out);
	return 0;
}
