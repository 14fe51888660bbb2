/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_VALUE_PRIVATE_H
#define CONF_VALUE_PRIVATE_H

#include "conf/options.h"
#include "conf/parse.h"

/*
 * What value.c (the table of kinds of values) and value-lists.c (those that
 * are lists) share.
 */

/* How much of a value a message quotes. */
#define VALUE_QUOTE_SIZE 80

void value_words_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target);
void value_rates_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target);
void value_hooks_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target);
void value_peers_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target);
void value_words_free(void *target);
void value_hooks_free(void *target);
void value_peers_free(void *target);
void value_ranges_free(void *target);
bool value_words_are_same(const void *a, const void *b);
bool value_hooks_are_same(const void *a, const void *b);
bool value_peers_are_same(const void *a, const void *b);
bool value_ranges_are_same(const void *a, const void *b);

#endif
