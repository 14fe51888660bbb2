/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of the configuration file that are lists: read, freed, compared.
 */

#include "conf/value-private.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "conf/read.h"
#include "conf/value.h"
#include "schedule/schedule.h"

/* Item i of a list of strings, or NULL after complaining. */
static const char *
list_string(struct parse *p, const struct option *option,
    const config_setting_t *setting, int i)
{
	const char *text = config_setting_get_string_elem(setting, i);

	if (text == NULL || *text == '\0') {
		parse_complain(p, config_setting_get_elem(setting,
		    (unsigned)i), "\"%s\": item %d must be a string "
		    "that is not empty", option->key, i + 1);
		return NULL;
	}
	return text;
}

/* What is wrong with it is told; false: it is not what it must be. */
static bool
take_words(struct parse *p, const struct option *option,
    const config_setting_t *setting, struct conf_words *words)
{
	int n = config_setting_length(setting);

	if (n == 0) {
		parse_complain(p, setting, "\"%s\" must be %s", option->key,
		    value_must_be(option));
		return false;
	}
	words->v = calloc((size_t)n + 1, sizeof *words->v);
	if (words->v == NULL) {
		p->is_out_of_memory = true;
		return false;
	}
	for (int i = 0; i < n; i++) {
		const char *text = list_string(p, option, setting, i);

		if (text != NULL)
			words->v[words->n++] = text;
	}
	return words->n > 0;
}

void
value_words_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target)
{
	struct conf_words words = { NULL, 0 };

	(void)take_words(p, option, setting, &words);
	if (words.v == NULL)
		return;
	value_free(option, target);
	*(struct conf_words *)target = words;
}

void
value_rates_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target)
{
	char printable[VALUE_QUOTE_SIZE];
	struct schedule_rate rate;

	value_words_from_list(p, option, setting, target);
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *item =
		    config_setting_get_elem(setting, (unsigned)i);
		const char *text = config_setting_get_string(item);

		/* What is no string has been told. */
		if (text == NULL || *text == '\0' ||
		    schedule_rate_parse(text, &rate) == 0)
			continue;
		parse_complain(p, item, "\"%s\": item %d is \"%s\", but must "
		    "be a time and a rate, such as \"06:00 50MB/s\"",
		    option->key, i + 1, escape_text(text, strlen(text),
		    printable, sizeof printable));
	}
}

/* A program that only root and we can change. */
static void
take_hook(struct parse *p, const struct option *option,
    const config_setting_t *setting, struct conf_words *words)
{
	CLEANUP(cleanup_free) char *real = NULL;
	struct error e;

	if (!take_words(p, option, setting, words))
		return;
	if (words->v[0][0] != '/')
		parse_complain(p, setting, "\"%s\" must be %s", option->key,
		    value_must_be(option));
	else if (read_check_program(words->v[0], &real, &e) < 0)
		parse_complain(p, setting, "\"%s\": %s", option->key, e.text);
}

static bool
is_list(const config_setting_t *setting)
{
	int type = config_setting_type(setting);

	return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
}

/* One command, or a list of them. */
void
value_hooks_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target)
{
	struct conf_hooks *hooks = target;
	const config_setting_t *first = config_setting_get_elem(setting, 0);
	bool are_several = first != NULL && is_list(first);
	int n = are_several ? config_setting_length(setting) : 1;

	value_free(option, target);
	hooks->v = calloc((size_t)n, sizeof *hooks->v);
	if (hooks->v == NULL) {
		p->is_out_of_memory = true;
		return;
	}
	hooks->n = (size_t)n;
	for (int i = 0; i < n; i++) {
		const config_setting_t *item = are_several ?
		    config_setting_get_elem(setting, (unsigned)i) : setting;

		if (is_list(item))
			take_hook(p, option, item, &hooks->v[i]);
		else
			parse_complain(p, item, "\"%s\" must be %s",
			    option->key, value_must_be(option));
	}
}

static int
peer_from_text(const char *text, struct conf_peer *ret_peer)
{
	const struct passwd *user;
	const struct group *group;

	if (*text == '@') {
		group = getgrnam(text + 1);
		if (group == NULL)
			return -ENOENT;
		*ret_peer = (struct conf_peer){ true, group->gr_gid };
		return 0;
	}
	user = getpwnam(text);
	if (user == NULL)
		return -ENOENT;
	*ret_peer = (struct conf_peer){ false, user->pw_uid };
	return 0;
}

static void
complain_peer(struct parse *p, const struct option *option,
    const config_setting_t *setting, const char *text)
{
	char printable[VALUE_QUOTE_SIZE];

	parse_complain(p, setting, "\"%s\": there is no %s \"%s\" on this "
	    "system", option->key, *text == '@' ? "group" : "user",
	    escape_text(text, strlen(text), printable, sizeof printable));
}

void
value_peers_from_list(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target)
{
	struct conf_peers *peers = target;
	int n = config_setting_length(setting);

	value_free(option, target);
	peers->v = calloc((size_t)n + 1, sizeof *peers->v);
	if (peers->v == NULL) {
		p->is_out_of_memory = true;
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *text = list_string(p, option, setting, i);

		if (text == NULL)
			continue;
		if (peer_from_text(text, &peers->v[peers->n]) == 0)
			peers->n++;
		else
			complain_peer(p, option, config_setting_get_elem(
			    setting, (unsigned)i), text);
	}
}

void
value_words_free(void *target)
{
	struct conf_words *words = target;

	free(words->v);
	*words = (struct conf_words){ NULL, 0 };
}

void
value_hooks_free(void *target)
{
	struct conf_hooks *hooks = target;

	for (size_t i = 0; i < hooks->n; i++)
		free(hooks->v[i].v);
	free(hooks->v);
	*hooks = (struct conf_hooks){ NULL, 0 };
}

void
value_peers_free(void *target)
{
	struct conf_peers *peers = target;

	free(peers->v);
	*peers = (struct conf_peers){ NULL, 0 };
}

void
value_ranges_free(void *target)
{
	struct conf_ranges *ranges = target;

	free(ranges->v);
	*ranges = (struct conf_ranges){ NULL, 0 };
}

bool
value_words_are_same(const void *a, const void *b)
{
	const struct conf_words *x = a, *y = b;

	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->v[i], y->v[i]) != 0)
			return false;
	return true;
}

bool
value_hooks_are_same(const void *a, const void *b)
{
	const struct conf_hooks *x = a, *y = b;

	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (!value_words_are_same(&x->v[i], &y->v[i]))
			return false;
	return true;
}

bool
value_peers_are_same(const void *a, const void *b)
{
	const struct conf_peers *x = a, *y = b;

	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].is_group != y->v[i].is_group ||
		    x->v[i].id != y->v[i].id)
			return false;
	return true;
}

bool
value_ranges_are_same(const void *a, const void *b)
{
	const struct conf_ranges *x = a, *y = b;

	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].from != y->v[i].from ||
		    x->v[i].length != y->v[i].length ||
		    x->v[i].to != y->v[i].to)
			return false;
	return true;
}
