/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lint meets settings, and items of lists, in the order in which a tree
 * has them from its root on, each before what is in it.  So the nth of one is
 * the nth of the other.
 */

#include "conf/spots.h"

#include <libconfig.h>
#include <stdlib.h>

void
conf_spots_add(struct conf_spots *spots, struct conf_spot spot)
{
	struct conf_spot *v = spots->v;

	if (spots->n == spots->size) {
		spots->size = spots->size == 0 ? 256 : 2 * spots->size;
		v = reallocarray(v, spots->size, sizeof *v);
		if (v == NULL) {
			spots->size = spots->n;
			spots->is_incomplete = true;
			return;
		}
		spots->v = v;
	}
	spots->v[spots->n++] = spot;
}

void
conf_spots_done(struct conf_spots *spots)
{
	free(spots->v);
	*spots = (struct conf_spots){ .v = NULL };
}

/* All that is in it; the lint has seen to it that this is not deep. */
static size_t
count(const config_setting_t *setting)
{
	int n = config_setting_length(setting);
	size_t sum = (size_t)n;

	for (int i = 0; i < n; i++)
		sum += count(config_setting_get_elem(setting, (unsigned)i));
	return sum;
}

static struct conf_spot *
attach(const config_setting_t *setting, struct conf_spot *next)
{
	int n = config_setting_length(setting);

	for (int i = 0; i < n; i++) {
		config_setting_t *member =
		    config_setting_get_elem(setting, (unsigned)i);

		config_setting_set_hook(member, next++);
		next = attach(member, next);
	}
	return next;
}

void
conf_spots_attach(const struct conf_spots *spots, const struct config_t *tree)
{
	const config_setting_t *root = config_root_setting(tree);

	if (!spots->is_incomplete && count(root) == spots->n)
		(void)attach(root, spots->v);
}

struct conf_spot
conf_spot_of(const struct config_setting_t *setting)
{
	const struct conf_spot *spot;

	if (setting == NULL)
		return (struct conf_spot){ 0, 0 };
	spot = config_setting_get_hook(setting);
	if (spot != NULL)
		return *spot;
	return (struct conf_spot){ config_setting_source_line(setting), 0 };
}
