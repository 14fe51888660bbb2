/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks over libconfig's tree with the table of options in hand.  A mistake
 * is noted and the walk goes on, so that one look at a file shows all of
 * them.
 */

#include "conf/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "conf/nearest.h"
#include "conf/value.h"

void
parse_complain(struct parse *p, const config_setting_t *setting,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	conf_problems_add(p->problems, config_setting_source_line(setting),
	    "%s%s", p->where, text);
}

static void
complain_unknown_key(struct parse *p, enum option_group group,
    const config_setting_t *setting)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	nearest_init(&nearest, config_setting_name(setting));
	for (size_t i = 0; i < n_options; i++)
		if (options[i].group == group)
			nearest_offer(&nearest, options[i].key);
	parse_complain(p, setting, "unknown key \"%s\"%s",
	    config_setting_name(setting), nearest_hint(&nearest, hint));
}

/* Names that begin so are for other programs. */
static bool
is_private_key(const config_setting_t *setting)
{
	return strncmp(config_setting_name(setting), "x-", 2) == 0;
}

static void parse_ranges(struct parse *p, const config_setting_t *setting,
    struct conf_ranges *ranges);

static void
parse_member(struct parse *p, enum option_group group,
    const config_setting_t *setting, void *target)
{
	const struct option *option;
	void *member;

	if (is_private_key(setting))
		return;
	option = option_find(group, config_setting_name(setting));
	if (option == NULL) {
		complain_unknown_key(p, group, setting);
		return;
	}
	member = (char *)target + option->offset;
	if (option->type == OPTION_RANGES)
		parse_ranges(p, setting, member);
	else
		value_parse(p, option, setting, member);
}

static void
set_defaults(enum option_group group, void *target)
{
	for (size_t i = 0; i < n_options; i++)
		if (options[i].group == group)
			value_set_default(&options[i],
			    (char *)target + options[i].offset);
}

static void
check_required(struct parse *p, enum option_group group,
    const config_setting_t *setting)
{
	for (size_t i = 0; i < n_options; i++) {
		const struct option *option = &options[i];

		if (option->group == group && option->is_required &&
		    config_setting_get_member(setting, option->key) == NULL)
			parse_complain(p, setting, "\"%s\" is missing",
			    option->key);
	}
}

/* The options of one group in braces. */
static void
parse_group(struct parse *p, enum option_group group,
    const config_setting_t *setting, void *target)
{
	int n = config_setting_length(setting);

	if (!config_setting_is_group(setting)) {
		parse_complain(p, setting,
		    "must be a group of settings in braces: { ... }");
		return;
	}
	for (int i = 0; i < n; i++)
		parse_member(p, group,
		    config_setting_get_elem(setting, (unsigned)i), target);
	check_required(p, group, setting);
}

/* Add to what p->where says; leave() takes it away again. */
static size_t PRINTF(2, 3)
enter(struct parse *p, const char *fmt, ...)
{
	size_t outer = strlen(p->where);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->where + outer, sizeof p->where - outer, fmt, ap);
	va_end(ap);
	return outer;
}

static void
leave(struct parse *p, size_t outer)
{
	p->where[outer] = '\0';
}

/* An item of a list goes by its name, or by its place. */
static size_t
enter_item(struct parse *p, enum option_group group,
    const config_setting_t *item, int i)
{
	const char *noun = option_group_noun(group);
	char printable[CONF_NAME_SIZE];
	const char *name = NULL;

	if (config_setting_is_group(item) && config_setting_lookup_string(item,
	    "name", &name) == CONFIG_TRUE)
		return enter(p, "%s \"%s\": ", noun, escape_text(name,
		    strlen(name), printable, sizeof printable));
	return enter(p, "%s %d: ", noun, i + 1);
}

/*
 * A list of groups.  Returns an array of *ret_n items of the given size, or
 * NULL for none.
 */
static void *
parse_list(struct parse *p, enum option_group group,
    const config_setting_t *setting, size_t size, size_t *ret_n)
{
	int n = config_setting_length(setting);
	char *items;

	if (!config_setting_is_list(setting) || n > CONF_LIST_MAX) {
		parse_complain(p, setting, "\"%s\" must be a list of at most "
		    "%d groups: ( { ... }, { ... } )",
		    option_group_name(group), CONF_LIST_MAX);
		return NULL;
	}
	items = calloc((size_t)n + 1, size);
	if (items == NULL) {
		p->is_out_of_memory = true;
		return NULL;
	}
	for (int i = 0; i < n; i++) {
		const config_setting_t *item =
		    config_setting_get_elem(setting, (unsigned)i);
		char *target = items + (size_t)i * size;
		size_t outer = enter_item(p, group, item, i);

		set_defaults(group, target);
		parse_group(p, group, item, target);
		leave(p, outer);
	}
	*ret_n = (size_t)n;
	return items;
}

static void
parse_ranges(struct parse *p, const config_setting_t *setting,
    struct conf_ranges *ranges)
{
	ranges->v = parse_list(p, OPTION_GROUP_RANGES, setting,
	    sizeof *ranges->v, &ranges->n);
}

static void
parse_endpoints(struct parse *p, const config_setting_t *setting,
    struct conf *conf)
{
	conf->endpoints = parse_list(p, OPTION_GROUP_ENDPOINTS, setting,
	    sizeof *conf->endpoints, &conf->n_endpoints);
	for (size_t i = 0; i < conf->n_endpoints; i++)
		conf->endpoints[i].line = config_setting_source_line(
		    config_setting_get_elem(setting, (unsigned)i));
}

static void
parse_jobs(struct parse *p, const config_setting_t *setting,
    struct conf *conf)
{
	conf->jobs = parse_list(p, OPTION_GROUP_JOBS, setting,
	    sizeof *conf->jobs, &conf->n_jobs);
	for (size_t i = 0; i < conf->n_jobs; i++)
		conf->jobs[i].line = config_setting_source_line(
		    config_setting_get_elem(setting, (unsigned)i));
}

static void
complain_unknown_group(struct parse *p, const config_setting_t *setting)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	nearest_init(&nearest, config_setting_name(setting));
	for (unsigned g = 0; g < OPTION_GROUP_RANGES; g++)
		nearest_offer(&nearest, option_group_name(g));
	parse_complain(p, setting, "unknown group \"%s\"%s",
	    config_setting_name(setting), nearest_hint(&nearest, hint));
}

static void
parse_top(struct parse *p, enum option_group group, void *target,
    const config_setting_t *root)
{
	const char *name = option_group_name(group);
	const config_setting_t *setting = config_setting_get_member(root, name);
	size_t outer;

	set_defaults(group, target);
	if (setting == NULL)
		return;
	outer = enter(p, "%s: ", name);
	parse_group(p, group, setting, target);
	leave(p, outer);
}

static void
check_top_names(struct parse *p, const config_setting_t *root)
{
	int n = config_setting_length(root);

	for (int i = 0; i < n; i++) {
		const config_setting_t *setting =
		    config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(setting);
		unsigned g = 0;

		while (g < OPTION_GROUP_RANGES &&
		    strcmp(option_group_name(g), name) != 0)
			g++;
		if (g == OPTION_GROUP_RANGES && !is_private_key(setting))
			complain_unknown_group(p, setting);
	}
}

int
parse_conf(struct conf *conf, const config_setting_t *root,
    struct conf_problems *problems)
{
	struct parse p = { .problems = problems };
	const config_setting_t *setting;

	check_top_names(&p, root);
	parse_top(&p, OPTION_GROUP_DAEMON, &conf->daemon, root);
	parse_top(&p, OPTION_GROUP_CONTROL, &conf->control, root);
	parse_top(&p, OPTION_GROUP_LOG, &conf->log, root);
	parse_top(&p, OPTION_GROUP_METRICS, &conf->metrics, root);
	parse_top(&p, OPTION_GROUP_WEB, &conf->web, root);
	setting = config_setting_get_member(root, "endpoints");
	if (setting != NULL)
		parse_endpoints(&p, setting, conf);
	setting = config_setting_get_member(root, "jobs");
	if (setting != NULL)
		parse_jobs(&p, setting, conf);
	if (p.is_out_of_memory)
		return -ENOMEM;
	return problems->n > 0 ? -EINVAL : 0;
}
