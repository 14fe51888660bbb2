/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options by getopt_long(3), from a command's table.  getopt's own messages
 * are off: ours are sentences and end in a pointer to the help.
 */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/exit-codes.h"
#include "cli/help.h"
#include "cli/message.h"

#define FIRST_LONG_ID OPTION_JSON

void
options_init(struct options *o, const struct command *command, int argc,
    char **argv)
{
	o->command = command;
	o->argc = argc;
	o->argv = argv;
	o->exit_code = CLI_OK;
	/* 0 and not 1: GNU getopt starts afresh. */
	optind = 0;
	opterr = 0;
}

static int
value_kind(const struct option_row *row)
{
	if (row->value == NULL)
		return no_argument;
	return row->value[0] == '[' ? optional_argument : required_argument;
}

static void
make_tables(const struct option_row *rows, struct option *longs, char *shorts)
{
	/* A value that is missing is told apart from an unknown option. */
	*shorts++ = ':';
	for (; rows->name != NULL; rows++, longs++) {
		longs->name = rows->name;
		longs->has_arg = value_kind(rows);
		longs->flag = NULL;
		longs->val = rows->id;
		if (rows->id >= FIRST_LONG_ID)
			continue;
		*shorts++ = (char)rows->id;
		if (longs->has_arg == required_argument)
			*shorts++ = ':';
	}
	memset(longs, 0, sizeof *longs);
	*shorts = '\0';
}

int
options_fail(struct options *o, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	o->exit_code = message_usage(o->command, "%s", text);
	return OPTIONS_STOP;
}

/* getopt points behind the word, or at it where letters are left in it. */
static int
fail_unknown(struct options *o)
{
	const char *word = o->argv[optind > 0 ? optind - 1 : 0];
	int name_len = (int)strcspn(word, "=");
	const char *near = NULL;
	char name[64];

	if (optopt != 0 && optopt < FIRST_LONG_ID &&
	    strncmp(word, "--", 2) != 0)
		return options_fail(o, "there is no option '-%c'", optopt);
	if (optopt != 0)
		return options_fail(o, "option '%.*s' takes no value",
		    name_len, word);
	(void)snprintf(name, sizeof name, "%.*s", name_len, word);
	if (strncmp(name, "--", 2) == 0)
		near = commands_find_nearest_option(o->command, name + 2);
	if (near != NULL)
		return options_fail(o, "there is no option '%s'; did you mean "
		    "'--%s'?", name, near);
	return options_fail(o, "there is no option '%.*s'", name_len, word);
}

static int
check_operands(struct options *o)
{
	const struct command *command = o->command;

	o->argc -= optind;
	o->argv += optind;
	if (o->argc > command->max_operands)
		return options_fail(o, "there is one argument too many: '%s'",
		    o->argv[command->max_operands]);
	if (o->argc < command->min_operands)
		return options_fail(o, "an argument is missing: nbdsync %s %s",
		    command->name, command->synopsis);
	return OPTIONS_END;
}

int
options_next(struct options *o, const char **ret_value)
{
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 2];
	int id;

	make_tables(o->command->options, longs, shorts);
	id = getopt_long(o->argc, o->argv, shorts, longs, NULL);
	switch (id) {
	case -1:
		return check_operands(o);
	case '?':
		return fail_unknown(o);
	case ':':
		return options_fail(o, "option '%s' needs a value",
		    o->argv[optind - 1]);
	case OPTION_HELP:
		help_print_command(o->command);
		o->exit_code = CLI_OK;
		return OPTIONS_STOP;
	default:
		*ret_value = optarg;
		return id;
	}
}

int
options_number(struct options *o, const char *name, const char *value,
    unsigned max, unsigned *ret_number)
{
	unsigned number = 0;
	const char *p;

	for (p = value; *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (unsigned)(*p - '0');
		if (number > max)
			break;
	}
	if (p == value || *p != '\0' || number < 1)
		return options_fail(o,
		    "--%s: '%s' is not a whole number from 1 to %u", name,
		    value, max);
	*ret_number = number;
	return 0;
}

int
options_time(struct options *o, const char *name, const char *value,
    uint64_t *ret_ms)
{
	uint64_t ms;

	if (units_parse_time_ms(value, &ms) < 0 || ms == 0)
		return options_fail(o,
		    "--%s: '%s' is not a time above 0, such as '10s' or '5m'",
		    name, value);
	*ret_ms = ms;
	return 0;
}

int
options_past(struct options *o, const char *name, const char *value,
    time_t *ret_at)
{
	time_t at = time(NULL);
	struct tm tm = { .tm_isdst = -1 };
	const char *rest = strptime(value, "%Y-%m-%d", &tm);
	uint64_t ms;

	if (rest != NULL && (*rest == ' ' || *rest == 'T'))
		rest = strptime(rest + 1, "%H:%M", &tm);
	if (rest != NULL && *rest == '\0')
		at = mktime(&tm);
	else if (units_parse_time_ms(value, &ms) == 0 &&
	    ms / 1000 <= (uint64_t)at)
		at -= (time_t)(ms / 1000);
	else
		return options_fail(o, "--%s: '%s' is neither how long ago, "
		    "as '2h', nor a time, as '2026-11-23 06:00'", name,
		    value);
	*ret_at = at;
	return 0;
}
