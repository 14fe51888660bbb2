/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conf/origin.h"

#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* False: place does not say it. */
static bool
look(const struct conf_place *place, const char *key, struct conf_place *ret)
{
	const config_setting_t *member;

	if (!config_setting_is_group(place->setting))
		return false;
	member = config_setting_get_member(place->setting, key);
	if (member == NULL)
		return false;
	*ret = (struct conf_place){ place->file, conf_spot_of(member),
		member };
	return true;
}

bool
conf_item_origin(const struct conf_place *item, const char *key,
    struct conf_origin *ret)
{
	*ret = (struct conf_origin){ NULL, *item };
	return key != NULL && look(item, key, &ret->place);
}

bool
conf_job_origin(const struct conf *conf, const struct conf_job *job,
    const char *key, struct conf_origin *ret)
{
	const struct conf_template *chain[CONF_TEMPLATE_DEPTH];
	unsigned n;

	if (conf_item_origin(&job->place, key, ret))
		return true;
	/* Those two are not for jobs. */
	if (strcmp(key, "name") == 0 || strcmp(key, "template") == 0)
		return false;
	n = conf_job_templates(conf, job, chain);
	for (unsigned i = 0; i < n; i++)
		if (look(&chain[i]->place, key, &ret->place)) {
			ret->template = chain[i];
			return true;
		}
	return false;
}

void
conf_origin_of_item(struct conf_origin *origin, unsigned n)
{
	const config_setting_t *list = origin->place.setting;
	const config_setting_t *item;

	if (!config_setting_is_list(list) && !config_setting_is_array(list))
		return;
	item = config_setting_get_elem(list, n);
	if (item != NULL)
		origin->place.spot = conf_spot_of(item);
}

void
conf_complain(const struct conf *conf, struct conf_problems *problems,
    const struct conf_place *place, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	conf_problems_set_file(problems, place->file,
	    conf->files[place->file].name);
	conf_problems_add(problems, place->spot, "%s", text);
}
