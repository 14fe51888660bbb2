/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What commands take out of the daemon's answers.
 */
#include "cli/answer.h"

const char *
answer_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "";
}
