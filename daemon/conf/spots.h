/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_SPOTS_H
#define CONF_SPOTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where in its file each setting stands.  Of a setting libconfig knows the
 * line alone, so the lint notes them, in their order, and here they come to
 * the settings of the tree that libconfig makes of the same text.
 */

struct config_t;
struct config_setting_t;

struct conf_spot {
	unsigned line;			/* from 1; 0: the file as a whole */
	unsigned column;		/* in bytes, from 1; 0: not known */
};

/* Born 0. */
struct conf_spots {
	struct conf_spot *v;
	size_t n;
	size_t size;
	bool is_incomplete;		/* there was no memory for it */
};

void conf_spots_add(struct conf_spots *spots, struct conf_spot spot);
void conf_spots_done(struct conf_spots *spots);

/*
 * From now on the settings of tree have these spots, which live as long as
 * they are asked for.  If they are not as many as the settings, none has one.
 */
void conf_spots_attach(const struct conf_spots *spots,
    const struct config_t *tree);

/* Without one: the line that libconfig knows.  Of NULL: zeroes. */
struct conf_spot conf_spot_of(const struct config_setting_t *setting);

#endif
