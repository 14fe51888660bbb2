/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint as JSON, for those who ask where a job would go on.
 */
#include "transfer/report.h"

#include <string.h>

#define MAX_RANGES 1000			/* of one destination */

static json_t *
side_to_json(const struct store_side *side)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "identity",
	    side->identity == NULL ? "" : side->identity, "size",
	    (json_int_t)side->size, "min_block", (json_int_t)side->min_block,
	    "preferred_block", (json_int_t)side->preferred_block,
	    "max_block", (json_int_t)side->max_block, "flags",
	    (json_int_t)side->flags, "read_only", side->is_read_only);
}

/* The first ones, [from, to) on the destination. */
static json_t *
ranges_to_json(const struct ranges *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->n && i < MAX_RANGES; i++)
		(void)json_array_append_new(list, json_pack("{s:I, s:I}",
		    "from", (json_int_t)set->v[i].offset, "to",
		    (json_int_t)(set->v[i].offset + set->v[i].len)));
	return list;
}

static json_t *
destinations_to_json(const struct store_checkpoint *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < c->n_destinations; i++) {
		const struct store_destination *d = &c->destinations[i];
		json_t *o = side_to_json(&d->side);

		(void)json_object_set_new(o, "durable_bytes",
		    json_integer((json_int_t)ranges_total(&d->durable)));
		(void)json_object_set_new(o, "durable",
		    ranges_to_json(&d->durable));
		(void)json_object_set_new(o, "durable_is_cut",
		    json_boolean(d->durable.n > MAX_RANGES));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
extents_to_json(const struct store_checkpoint *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_ranges && i < MAX_RANGES; i++)
		(void)json_array_append_new(list, json_pack(
		    "{s:I, s:I, s:I}", "from",
		    (json_int_t)c->ranges[i].from, "length",
		    (json_int_t)c->ranges[i].length, "to",
		    (json_int_t)c->ranges[i].to));
	return list;
}

static const char *
or_nothing(const char *text)
{
	return text == NULL ? "" : text;
}

json_t *
report_checkpoint(const struct store_checkpoint *c)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:o}", "job",
	    or_nothing(c->job), "generation", (json_int_t)c->generation,
	    "mode", or_nothing(c->mode), "settings",
	    or_nothing(c->settings), "saved_at", report_time(c->saved_at_ms),
	    "ranges", extents_to_json(c), "source", side_to_json(&c->source),
	    "destinations", destinations_to_json(c));
}
