/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks over libconfig's trees with the table of options in hand.  A mistake
 * is noted and the walk goes on, so that one look at the files shows all of
 * them.
 *
 * A job is filled in three times over: with the defaults, with its templates
 * from the eldest to its own, with what it says itself.  What is wrong with
 * a template is said once, when it is read into a job that nobody sees.
 */

#include "conf/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "conf/lists.h"
#include "conf/nearest.h"
#include "conf/value.h"

void
parse_complain(struct parse *p, const config_setting_t *setting,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (p->is_muted)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	conf_problems_add(p->problems, conf_spot_of(setting), "%s%s",
	    p->where, text);
}

/* Of a job, what a template may have, too. */
static bool
is_for_templates(const struct option *option)
{
	return option->group == OPTION_GROUP_JOBS &&
	    strcmp(option->key, "name") != 0 &&
	    strcmp(option->key, "template") != 0;
}

static bool
belongs(const struct option *option, enum option_group group)
{
	return option->group == group || (group == OPTION_GROUP_TEMPLATES &&
	    is_for_templates(option));
}

static void
complain_unknown_key(struct parse *p, enum option_group group,
    const config_setting_t *setting)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	nearest_init(&nearest, config_setting_name(setting));
	for (size_t i = 0; i < n_options; i++)
		if (belongs(&options[i], group))
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
parse_option(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target)
{
	void *member = (char *)target + option->offset;

	if (option->type == OPTION_RANGES)
		parse_ranges(p, setting, member);
	else
		value_parse(p, option, setting, member);
}

static void
parse_member(struct parse *p, enum option_group group,
    const config_setting_t *setting, void *target)
{
	const struct option *option;

	if (is_private_key(setting))
		return;
	option = option_find(group, config_setting_name(setting));
	if (option == NULL)
		complain_unknown_key(p, group, setting);
	else
		parse_option(p, option, setting, target);
}

static void
set_defaults(enum option_group group, void *target)
{
	for (size_t i = 0; i < n_options; i++)
		if (options[i].group == group)
			value_set_default(&options[i],
			    (char *)target + options[i].offset);
}

/* What a job consists of, itself first; others just of themselves. */
struct sources {
	const config_setting_t *v[1 + CONF_TEMPLATE_DEPTH];
	unsigned n;
};

static bool
sources_have(const struct sources *s, const char *key)
{
	for (unsigned i = 0; i < s->n; i++)
		if (config_setting_is_group(s->v[i]) &&
		    config_setting_get_member(s->v[i], key) != NULL)
			return true;
	return false;
}

static void
check_required(struct parse *p, enum option_group group,
    const struct sources *sources)
{
	for (size_t i = 0; i < n_options; i++) {
		const struct option *option = &options[i];

		if (option->group == group && option->is_required &&
		    !sources_have(sources, option->key))
			parse_complain(p, sources->v[0], "\"%s\" is missing",
			    option->key);
	}
}

static bool
check_is_group(struct parse *p, const config_setting_t *setting)
{
	if (config_setting_is_group(setting))
		return true;
	parse_complain(p, setting,
	    "must be a group of settings in braces: { ... }");
	return false;
}

static void
parse_members(struct parse *p, enum option_group group,
    const config_setting_t *setting, void *target)
{
	int n = config_setting_length(setting);

	for (int i = 0; i < n; i++)
		parse_member(p, group,
		    config_setting_get_elem(setting, (unsigned)i), target);
}

/* The options of one group in braces. */
static void
parse_group(struct parse *p, enum option_group group,
    const config_setting_t *setting, void *target)
{
	const struct sources sources = { { setting }, 1 };

	set_defaults(group, target);
	if (!check_is_group(p, setting))
		return;
	parse_members(p, group, setting, target);
	check_required(p, group, &sources);
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
    const config_setting_t *item)
{
	const char *noun = option_group_noun(group);
	char printable[CONF_NAME_SIZE];
	const char *name = NULL;

	if (config_setting_is_group(item) && config_setting_lookup_string(item,
	    "name", &name) == CONFIG_TRUE)
		return enter(p, "%s \"%s\": ", noun, escape_text(name,
		    strlen(name), printable, sizeof printable));
	return enter(p, "%s %d: ", noun, config_setting_index(item) + 1);
}

/* Returns the number of items, or -1. */
static int
check_is_list(struct parse *p, enum option_group group,
    const config_setting_t *setting, size_t n_before)
{
	int n = config_setting_length(setting);

	if (config_setting_is_list(setting) &&
	    n_before + (size_t)n <= CONF_LIST_MAX)
		return n;
	parse_complain(p, setting, "\"%s\" must be a list of at most %d "
	    "groups: ( { ... }, { ... } )", option_group_name(group),
	    CONF_LIST_MAX);
	return -1;
}

static void
parse_ranges(struct parse *p, const config_setting_t *setting,
    struct conf_ranges *ranges)
{
	int n = check_is_list(p, OPTION_GROUP_RANGES, setting, 0);

	if (n < 0)
		return;
	free(ranges->v);
	*ranges = (struct conf_ranges){ calloc((size_t)n + 1,
	    sizeof *ranges->v), 0 };
	if (ranges->v == NULL) {
		p->is_out_of_memory = true;
		return;
	}
	ranges->n = (size_t)n;
	for (int i = 0; i < n; i++) {
		const config_setting_t *item =
		    config_setting_get_elem(setting, (unsigned)i);
		size_t outer = enter_item(p, OPTION_GROUP_RANGES, item);

		parse_group(p, OPTION_GROUP_RANGES, item, &ranges->v[i]);
		leave(p, outer);
	}
}

static void
parse_template(struct parse *p, const config_setting_t *setting,
    struct conf_template *template)
{
	const struct sources sources = { { setting }, 1 };
	struct conf_job unseen = { .name = NULL };

	if (!check_is_group(p, setting))
		return;
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member =
		    config_setting_get_elem(setting, (unsigned)i);
		const struct option *option = option_find(OPTION_GROUP_JOBS,
		    config_setting_name(member));

		if (option != NULL && is_for_templates(option))
			parse_option(p, option, member, &unseen);
		else
			parse_member(p, OPTION_GROUP_TEMPLATES, member,
			    template);
	}
	check_required(p, OPTION_GROUP_TEMPLATES, &sources);
	conf_options_free(OPTION_GROUP_JOBS, &unseen);
}

static void
parse_item(struct parse *p, const struct conf_list *list,
    const config_setting_t *setting, void *item)
{
	size_t outer = enter_item(p, list->group, setting);

	if (list->group == OPTION_GROUP_TEMPLATES)
		parse_template(p, setting, item);
	else if (list->group != OPTION_GROUP_JOBS)
		parse_group(p, list->group, setting, item);
	leave(p, outer);
}

static void
parse_list(struct parse *p, struct conf *conf, const struct conf_list *list,
    unsigned file, const config_setting_t *setting)
{
	int n = check_is_list(p, list->group, setting,
	    conf_list_length(conf, list));
	char *items;

	if (n < 0)
		return;
	items = conf_list_grow(conf, list, (size_t)n);
	if (items == NULL) {
		p->is_out_of_memory = true;
		return;
	}
	for (int i = 0; i < n; i++) {
		const config_setting_t *member =
		    config_setting_get_elem(setting, (unsigned)i);
		char *item = items + (size_t)i * list->size;
		struct conf_place place = { file, conf_spot_of(member),
			member };

		memcpy(item, &place, sizeof place);
		parse_item(p, list, member, item);
	}
}

/* The groups of the main file, and the options outside of them. */
static void *
main_group(struct conf *conf, enum option_group group)
{
	void *const groups[OPTION_GROUPS] = {
		[OPTION_GROUP_MAIN] = &conf->main,
		[OPTION_GROUP_DAEMON] = &conf->daemon,
		[OPTION_GROUP_CONTROL] = &conf->control,
		[OPTION_GROUP_LOG] = &conf->logs,
		[OPTION_GROUP_METRICS] = &conf->metrics,
		[OPTION_GROUP_WEB] = &conf->web,
	};

	return groups[group];
}

static void
complain_unknown_group(struct parse *p, const config_setting_t *setting)
{
	struct nearest nearest;
	char hint[NEAREST_HINT_SIZE];

	nearest_init(&nearest, config_setting_name(setting));
	for (unsigned g = OPTION_GROUP_MAIN + 1; g < OPTION_GROUP_RANGES; g++)
		nearest_offer(&nearest, option_group_name(g));
	for (size_t i = 0; i < n_options; i++)
		if (options[i].group == OPTION_GROUP_MAIN)
			nearest_offer(&nearest, options[i].key);
	parse_complain(p, setting, "unknown group \"%s\"%s",
	    config_setting_name(setting), nearest_hint(&nearest, hint));
}

static void
parse_main_group(struct parse *p, struct conf *conf, enum option_group group,
    const config_setting_t *setting)
{
	size_t outer = enter(p, "%s: ", option_group_name(group));

	if (check_is_group(p, setting))
		parse_members(p, group, setting, main_group(conf, group));
	leave(p, outer);
}

/* That many, as the defaults have them. */
static int
set_log_count(struct parse *p, struct conf_logs *logs, size_t n)
{
	struct conf_log *v = calloc(n, sizeof *v);

	if (v == NULL) {
		p->is_out_of_memory = true;
		return -ENOMEM;
	}
	free(logs->v);
	*logs = (struct conf_logs){ v, n };
	for (size_t i = 0; i < n; i++)
		set_defaults(OPTION_GROUP_LOG, &v[i]);
	return 0;
}

static void
parse_log(struct parse *p, const config_setting_t *setting,
    struct conf_log *log)
{
	parse_group(p, OPTION_GROUP_LOG, setting, log);
	if (log->type == CONF_LOG_FILE && log->path == NULL)
		parse_complain(p, setting, "\"path\" is missing: which file?");
	if (log->type == CONF_LOG_STDERR && log->path != NULL)
		parse_complain(p, setting, "\"path\" is of use with another "
		    "\"type\" only");
}

/* One group, or a list of them. */
static void
parse_logs(struct parse *p, const config_setting_t *setting,
    struct conf_logs *logs)
{
	bool is_list = !config_setting_is_group(setting);
	int n = is_list ? check_is_list(p, OPTION_GROUP_LOG, setting, 0) : 1;
	size_t outer;

	if (n == 0)
		parse_complain(p, setting, "\"log\" is an empty list");
	if (n <= 0 || set_log_count(p, logs, (size_t)n) < 0)
		return;
	for (int i = 0; i < n; i++) {
		const config_setting_t *item = is_list ?
		    config_setting_get_elem(setting, (unsigned)i) : setting;

		outer = is_list ? enter(p, "log %d: ", i + 1) :
		    enter(p, "log: ");
		parse_log(p, item, &logs->v[i]);
		leave(p, outer);
	}
}

/* The list that name names, or NULL. */
static const struct conf_list *
find_list(const char *name)
{
	for (int id = 0; id < CONF_LISTS; id++)
		if (strcmp(option_group_name(conf_lists[id].group),
		    name) == 0)
			return &conf_lists[id];
	return NULL;
}

/* The group of the main file that name names, or OPTION_GROUPS. */
static enum option_group
find_main_group(const struct conf *conf, const char *name)
{
	for (unsigned g = OPTION_GROUP_MAIN + 1; g < OPTION_GROUPS; g++)
		if (main_group((struct conf *)(uintptr_t)conf, g) != NULL &&
		    strcmp(option_group_name(g), name) == 0)
			return g;
	return option_find(OPTION_GROUP_MAIN, name) != NULL ?
	    OPTION_GROUP_MAIN : OPTION_GROUPS;
}

static void
parse_top(struct parse *p, struct conf *conf, unsigned nth,
    const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	const struct conf_list *list = find_list(name);
	enum option_group group = find_main_group(conf, name);

	if (is_private_key(setting))
		return;
	if (list != NULL)
		parse_list(p, conf, list, nth, setting);
	else if (group == OPTION_GROUPS)
		complain_unknown_group(p, setting);
	else if (nth > 0)
		parse_complain(p, setting, "\"%s\" belongs into the main "
		    "file; here are only tls, templates, endpoints and jobs",
		    name);
	else if (group == OPTION_GROUP_MAIN)
		parse_member(p, group, setting, &conf->main);
	else if (group == OPTION_GROUP_LOG)
		parse_logs(p, setting, &conf->logs);
	else
		parse_main_group(p, conf, group, setting);
}

int
parse_file(struct conf *conf, unsigned nth, struct conf_problems *problems)
{
	const config_setting_t *root =
	    config_root_setting(conf->files[nth].tree);
	struct parse p = { .problems = problems };
	int n = config_setting_length(root);

	for (unsigned g = 0; nth == 0 && g < OPTION_GROUPS; g++)
		if (g == OPTION_GROUP_LOG)
			(void)set_log_count(&p, &conf->logs, 1);
		else if (main_group(conf, g) != NULL)
			set_defaults(g, main_group(conf, g));
	for (int i = 0; i < n; i++)
		parse_top(&p, conf, nth,
		    config_setting_get_elem(root, (unsigned)i));
	return p.is_out_of_memory ? -ENOMEM : 0;
}

static void
complain_no_template(struct parse *p, const struct conf *conf,
    const config_setting_t *setting, const char *key, const char *name)
{
	char printable[CONF_NAME_SIZE];
	char hint[NEAREST_HINT_SIZE];
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < conf->n_templates; i++)
		if (conf->templates[i].name != NULL)
			nearest_offer(&nearest, conf->templates[i].name);
	parse_complain(p, setting, "\"%s\" names template \"%s\", which does "
	    "not exist%s", key, escape_text(name, strlen(name), printable,
	    sizeof printable), nearest_hint(&nearest, hint));
}

/* Does it inherit what there is, and not too much? */
static void
check_inheritance(struct parse *p, const struct conf *conf,
    const struct conf_template *template)
{
	const config_setting_t *setting =
	    config_setting_get_member(template->place.setting, "inherit");
	const struct conf_template *t = template;
	unsigned n = 1;

	if (t->inherit != NULL && conf_find_template(conf, t->inherit) == NULL)
		complain_no_template(p, conf, setting, "inherit", t->inherit);
	while (t != NULL && t->inherit != NULL) {
		t = conf_find_template(conf, t->inherit);
		if (t == template) {
			parse_complain(p, setting, "it inherits from itself");
			return;
		}
		if (t != NULL && ++n > CONF_TEMPLATE_DEPTH) {
			parse_complain(p, setting, "it inherits from more "
			    "than %d templates, one from the other",
			    CONF_TEMPLATE_DEPTH - 1);
			return;
		}
	}
}

static void
use_file_of(struct parse *p, const struct conf *conf,
    const struct conf_place *place)
{
	conf_problems_set_file(p->problems, place->file,
	    conf->files[place->file].name);
}

static void
check_templates(struct parse *p, const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_templates; i++) {
		const struct conf_template *t = &conf->templates[i];
		size_t outer = enter_item(p, OPTION_GROUP_TEMPLATES,
		    t->place.setting);

		use_file_of(p, conf, &t->place);
		check_inheritance(p, conf, t);
		leave(p, outer);
	}
}

/* Templates, the eldest first, into a job. */
static void
apply_templates(struct parse *p, struct sources *sources,
    const struct conf_template *const *chain, unsigned n,
    struct conf_job *job)
{
	p->is_muted = true;
	for (unsigned i = n; i-- > 0;) {
		const config_setting_t *setting = chain[i]->place.setting;

		for (int k = 0; k < config_setting_length(setting); k++) {
			const config_setting_t *member =
			    config_setting_get_elem(setting, (unsigned)k);
			const struct option *option = option_find(
			    OPTION_GROUP_JOBS, config_setting_name(member));

			if (option != NULL && is_for_templates(option))
				parse_option(p, option, member, job);
		}
	}
	p->is_muted = false;
	for (unsigned i = 0; i < n; i++)
		sources->v[sources->n++] = chain[i]->place.setting;
}

static void
parse_job(struct parse *p, const struct conf *conf, struct conf_job *job)
{
	const config_setting_t *setting = job->place.setting;
	const struct conf_template *chain[CONF_TEMPLATE_DEPTH];
	struct sources sources = { { setting }, 1 };
	unsigned n;

	set_defaults(OPTION_GROUP_JOBS, job);
	if (!check_is_group(p, setting))
		return;
	(void)config_setting_lookup_string(setting, "template",
	    &job->template);
	if (job->template != NULL &&
	    conf_find_template(conf, job->template) == NULL)
		complain_no_template(p, conf,
		    config_setting_get_member(setting, "template"), "template",
		    job->template);
	n = conf_job_templates(conf, job, chain);
	apply_templates(p, &sources, chain, n, job);
	parse_members(p, OPTION_GROUP_JOBS, setting, job);
	check_required(p, OPTION_GROUP_JOBS, &sources);
}

int
parse_jobs(struct conf *conf, struct conf_problems *problems)
{
	struct parse p = { .problems = problems };

	check_templates(&p, conf);
	for (size_t i = 0; i < conf->n_jobs; i++) {
		struct conf_job *job = &conf->jobs[i];
		size_t outer = enter_item(&p, OPTION_GROUP_JOBS,
		    job->place.setting);

		use_file_of(&p, conf, &job->place);
		parse_job(&p, conf, job);
		leave(&p, outer);
	}
	return p.is_out_of_memory ? -ENOMEM : 0;
}
