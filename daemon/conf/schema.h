/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stdio.h>

/* Every option as JSON, for programs: {"options":[{"group":"daemon", ...}]}. */
void conf_print_schema(FILE *out);

#endif
