/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One value of the configuration file.  A scalar is brought to the text one
 * would write, and parsed from that: so the file's values, the table's
 * defaults and its limits all go the same way.  Lists: value-lists.c.
 */

#include "conf/value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "conf/value-private.h"
#include "schedule/schedule.h"

/* "2048s" in a configuration means sectors of this size. */
#define SECTOR_SIZE 512

struct kind {
	const char *must_be;
	size_t size;			/* of a scalar, as it is stored */
	int config_type;
	int (*from_text)(const char *text, void *target);
	void (*from_list)(struct parse *p, const struct option *option,
	    const config_setting_t *setting, void *target);
	void (*free_list)(void *target);
	/* NULL: as bytes of the size. */
	bool (*is_same)(const void *a, const void *b);
};

static int
int_from_text(const char *text, void *target)
{
	char *rest;
	long long value;

	errno = 0;
	value = strtoll(text, &rest, 10);
	if (*text == '\0' || *rest != '\0')
		return -EINVAL;
	if (errno != 0 || value < 0 || value > INT32_MAX)
		return -ERANGE;
	*(unsigned *)target = (unsigned)value;
	return 0;
}

static int
bool_from_text(const char *text, void *target)
{
	*(bool *)target = strcmp(text, "true") == 0;
	return 0;
}

static int
size_from_text(const char *text, void *target)
{
	return units_parse_size(text, SECTOR_SIZE, target);
}

static int
sparse_from_text(const char *text, void *target)
{
	uint64_t size;
	int r;

	if (strcmp(text, "auto") == 0) {
		*(uint32_t *)target = 0;
		return 0;
	}
	r = units_parse_size(text, SECTOR_SIZE, &size);
	if (r < 0)
		return r;
	if (size != 0 && (size < SECTOR_SIZE || size > RUN_MAX_REQUEST_SIZE ||
		(size & (size - 1)) != 0))
		return -EINVAL;
	*(uint32_t *)target = size == 0 ? RUN_SPARSE_OFF : (uint32_t)size;
	return 0;
}

static int
length_from_text(const char *text, void *target)
{
	if (strcmp(text, "all") == 0) {
		*(uint64_t *)target = RUN_LENGTH_ALL;
		return 0;
	}
	return size_from_text(text, target);
}

static int
rate_from_text(const char *text, void *target)
{
	return units_parse_rate(text, target);
}

static int
time_from_text(const char *text, void *target)
{
	return units_parse_time_ms(text, target);
}

static int
age_from_text(const char *text, void *target)
{
	uint64_t *ms = target;
	int r;

	if (strcmp(text, "auto") == 0) {
		*ms = CONF_AGE_AUTO;
		return 0;
	}
	r = units_parse_time_ms(text, ms);
	return r == 0 && *ms > CONF_MAX_AGE_MS ? -ERANGE : r;
}

static int
text_from_text(const char *text, void *target)
{
	if (*text == '\0')
		return -EINVAL;
	*(const char **)target = text;
	return 0;
}

static int
name_from_text(const char *text, void *target)
{
	if (!conf_name_is_valid(text))
		return -EINVAL;
	return text_from_text(text, target);
}

static int
path_from_text(const char *text, void *target)
{
	if (*text != '/')
		return -EINVAL;
	return text_from_text(text, target);
}

const char *
value_credential(const char *text)
{
	static const char prefix[] = "credential:";

	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return NULL;
	return text + strlen(prefix);
}

static int
file_from_text(const char *text, void *target)
{
	const char *credential = value_credential(text);

	if (credential == NULL)
		return path_from_text(text, target);
	if (!conf_name_is_valid(credential))
		return -EINVAL;
	return text_from_text(text, target);
}

/* Which of n words it is, as the value of an enum. */
static int
choice_from_text(const char *text, const char *const *words, unsigned n,
    void *target)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0) {
			*(unsigned *)target = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int
role_from_text(const char *text, void *target)
{
	static const char *const words[] = {
		[CONF_ROLE_ANY] = "any",
		[CONF_ROLE_SOURCE] = "source",
		[CONF_ROLE_DESTINATION] = "destination",
	};

	return choice_from_text(text, words, 3, target);
}

static int
tls_version_from_text(const char *text, void *target)
{
	static const char *const words[] = {
		[CONF_TLS_1_2] = "1.2",
		[CONF_TLS_1_3] = "1.3",
	};

	return choice_from_text(text, words, 2, target);
}

static int
log_type_from_text(const char *text, void *target)
{
	static const char *const words[] = {
		[CONF_LOG_STDERR] = "stderr",
		[CONF_LOG_JOURNAL] = "journal",
		[CONF_LOG_SYSLOG] = "syslog",
		[CONF_LOG_FILE] = "file",
	};

	return choice_from_text(text, words, 4, target);
}

static int
log_format_from_text(const char *text, void *target)
{
	static const char *const words[] = {
		[CONF_LOG_HUMAN] = "human",
		[CONF_LOG_LOGFMT] = "logfmt",
		[CONF_LOG_JSON] = "json",
	};

	return choice_from_text(text, words, 3, target);
}

static int
cron_from_text(const char *text, void *target)
{
	struct cron cron;
	int r = cron_parse(text, &cron);

	return r < 0 ? r : text_from_text(text, target);
}

static int
window_from_text(const char *text, void *target)
{
	struct schedule_window window;
	int r = schedule_window_parse(text, &window);

	return r < 0 ? r : text_from_text(text, target);
}

static int
level_from_text(const char *text, void *target)
{
	return log_level_parse(text, target);
}

static int
mode_from_text(const char *text, void *target)
{
	return run_mode_parse(text, target);
}

static int
fill_from_text(const char *text, void *target)
{
	return run_fill_parse(text, target);
}

static int
policy_from_text(const char *text, void *target)
{
	const char *word;
	int i;

	for (i = 0; (word = run_on_error_name((enum run_on_error)i)) != NULL;
	     i++) {
		if (strcmp(text, word) == 0) {
			*(enum run_on_error *)target = (enum run_on_error)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int
digest_from_text(const char *text, void *target)
{
	if (strcmp(text, digest_name(DIGEST_NONE)) != 0)
		return digest_find(text, target);
	*(enum digest_algorithm *)target = DIGEST_NONE;
	return 0;
}

static int
verify_from_text(const char *text, void *target)
{
	bool is_after = strcmp(text, "after") == 0;

	if (!is_after && strcmp(text, "none") != 0)
		return -EINVAL;
	*(bool *)target = is_after;
	return 0;
}

static bool
texts_are_same(const void *a, const void *b)
{
	const char *x = *(const char *const *)a;
	const char *y = *(const char *const *)b;

	return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
}

static const struct kind kinds[] = {
	[OPTION_INT] = {
		.must_be = "an integer",
		.size = sizeof(unsigned),
		.config_type = CONFIG_TYPE_INT,
		.from_text = int_from_text,
	},
	[OPTION_BOOL] = {
		.must_be = "true or false",
		.size = sizeof(bool),
		.config_type = CONFIG_TYPE_BOOL,
		.from_text = bool_from_text,
	},
	[OPTION_SIZE] = {
		.must_be = "a string with a unit, such as \"64MiB\"",
		.size = sizeof(uint64_t),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = size_from_text,
	},
	[OPTION_SPARSE] = {
		.must_be = "\"auto\", \"0\" or a power of two from 512 bytes "
			   "to 32MiB",
		.size = sizeof(uint32_t),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = sparse_from_text,
	},
	[OPTION_LENGTH] = {
		.must_be = "\"all\" or a string with a unit, such as \"64MiB\"",
		.size = sizeof(uint64_t),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = length_from_text,
	},
	[OPTION_RATE] = {
		.must_be = "a string with a unit, such as \"200MB/s\"",
		.size = sizeof(uint64_t),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = rate_from_text,
	},
	[OPTION_TIME] = {
		.must_be = "a string with a unit, such as \"10s\"",
		.size = sizeof(uint64_t),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = time_from_text,
	},
	[OPTION_AGE] = {
		.must_be = "\"auto\" or a time of 365d at most, such as \"1h\"",
		.size = sizeof(uint64_t),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = age_from_text,
	},
	[OPTION_TEXT] = {
		.must_be = "a string that is not empty",
		.size = sizeof(char *),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = text_from_text,
		.is_same = texts_are_same,
	},
	[OPTION_NAME] = {
		.must_be = "a name: a string of up to 63 letters, digits, "
		    "\".\", \"_\" and \"-\" that begins with a letter or digit",
		.size = sizeof(char *),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = name_from_text,
		.is_same = texts_are_same,
	},
	[OPTION_PATH] = {
		.must_be = "a string with an absolute path",
		.size = sizeof(char *),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = path_from_text,
		.is_same = texts_are_same,
	},
	[OPTION_FILE] = {
		.must_be = "a string with an absolute path, or "
		    "\"credential:NAME\"",
		.size = sizeof(char *),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = file_from_text,
		.is_same = texts_are_same,
	},
	[OPTION_SECRET] = {
		.must_be = "a string that is not empty",
		.size = sizeof(char *),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = text_from_text,
		.is_same = texts_are_same,
	},
	[OPTION_LEVEL] = {
		.must_be = "\"error\", \"warning\", \"info\" or \"debug\"",
		.size = sizeof(enum log_level),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = level_from_text,
	},
	[OPTION_MODE] = {
		.must_be = "\"copy\", \"sync\", \"verify\" or \"mirror\"",
		.size = sizeof(enum run_mode),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = mode_from_text,
	},
	[OPTION_POLICY] = {
		.must_be = "\"stop\", \"retry\" or \"skip\"",
		.size = sizeof(enum run_on_error),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = policy_from_text,
	},
	[OPTION_FILL] = {
		.must_be = "\"leave\", \"zeroes\" or \"pattern\"",
		.size = sizeof(enum run_fill),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = fill_from_text,
	},
	[OPTION_ROLE] = {
		.must_be = "\"source\", \"destination\" or \"any\"",
		.size = sizeof(enum conf_role),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = role_from_text,
	},
	[OPTION_TLS_VERSION] = {
		.must_be = "\"1.2\" or \"1.3\"",
		.size = sizeof(enum conf_tls_version),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = tls_version_from_text,
	},
	[OPTION_LOG_TYPE] = {
		.must_be = "\"stderr\", \"journal\", \"syslog\" or "
		    "\"file\"",
		.size = sizeof(enum conf_log_type),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = log_type_from_text,
	},
	[OPTION_LOG_FORMAT] = {
		.must_be = "\"human\", \"logfmt\" or \"json\"",
		.size = sizeof(enum conf_log_format),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = log_format_from_text,
	},
	[OPTION_CRON] = {
		.must_be = "a time as cron(8) has it, such as \"30 2 * * *\" "
		    "or \"@daily\"",
		.size = sizeof(char *),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = cron_from_text,
		.is_same = texts_are_same,
	},
	[OPTION_WINDOW] = {
		.must_be = "two times of the day, such as \"22:00-06:00\"",
		.size = sizeof(char *),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = window_from_text,
		.is_same = texts_are_same,
	},
	[OPTION_DIGEST] = {
		.must_be = "\"none\", \"sha256\" or \"xxh3\"",
		.size = sizeof(enum digest_algorithm),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = digest_from_text,
	},
	[OPTION_VERIFY] = {
		.must_be = "\"none\" or \"after\"",
		.size = sizeof(bool),
		.config_type = CONFIG_TYPE_STRING,
		.from_text = verify_from_text,
	},
	[OPTION_WORDS] = {
		.must_be = "a list of strings, such as "
		    "[ \"nbdkit\", \"null\", \"1G\" ]",
		.config_type = CONFIG_TYPE_LIST,
		.from_list = value_words_from_list,
		.free_list = value_words_free,
		.is_same = value_words_are_same,
	},
	[OPTION_HOOKS] = {
		.must_be = "a list of strings, the first of them an absolute "
		    "path, such as [ \"/usr/local/sbin/snapshot\", \"vm1\" ], "
		    "or several of these: ( [ ... ], [ ... ] )",
		.config_type = CONFIG_TYPE_LIST,
		.from_list = value_hooks_from_list,
		.free_list = value_hooks_free,
		.is_same = value_hooks_are_same,
	},
	[OPTION_RATES] = {
		.must_be = "a list of times and rates, such as "
		    "[ \"06:00 50MB/s\", \"22:00 0\" ]",
		.config_type = CONFIG_TYPE_LIST,
		.from_list = value_rates_from_list,
		.free_list = value_words_free,
		.is_same = value_words_are_same,
	},
	[OPTION_PEERS] = {
		.must_be = "a list of strings, such as "
		    "[ \"root\", \"@nbdsync\" ]",
		.config_type = CONFIG_TYPE_LIST,
		.from_list = value_peers_from_list,
		.free_list = value_peers_free,
		.is_same = value_peers_are_same,
	},
	[OPTION_RANGES] = {
		.must_be = "a list of groups: ( { ... }, { ... } )",
		.config_type = CONFIG_TYPE_LIST,
		.free_list = value_ranges_free,
		.is_same = value_ranges_are_same,
	},
};

const char *
value_must_be(const struct option *option)
{
	return kinds[option->type].must_be;
}

static bool
type_matches(const struct kind *kind, const config_setting_t *setting)
{
	int type = config_setting_type(setting);

	if (kind->config_type == CONFIG_TYPE_LIST)
		return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
	if (kind->config_type == CONFIG_TYPE_INT)
		return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	return type == kind->config_type;
}

#define SCALAR_SIZE 32

/* The value as text: the setting's own string, or written into buf. */
static const char *
scalar_text(const config_setting_t *setting, char buf[SCALAR_SIZE])
{
	int type = config_setting_type(setting);

	if (type == CONFIG_TYPE_STRING)
		return config_setting_get_string(setting);
	if (type == CONFIG_TYPE_BOOL)
		return config_setting_get_bool(setting) ? "true" : "false";
	(void)snprintf(buf, SCALAR_SIZE, "%lld",
	    config_setting_get_int64(setting));
	return buf;
}

/* Big enough for any scalar, and aligned for it. */
union scalar {
	unsigned number;
	uint64_t amount;
	const char *text;
	bool flag;
	enum log_level level;
};

static uint64_t
scalar_number(const struct option *option, const union scalar *value)
{
	return option->type == OPTION_INT ? value->number : value->amount;
}

static uint64_t
limit_number(const struct option *option, const char *text)
{
	union scalar value = { .amount = 0 };

	(void)kinds[option->type].from_text(text, &value);
	return scalar_number(option, &value);
}

static bool
is_in_range(const struct option *option, const union scalar *value)
{
	uint64_t number = scalar_number(option, value);

	return option->min == NULL ||
	    (number >= limit_number(option, option->min) &&
	    number <= limit_number(option, option->max));
}

static void
complain_range(struct parse *p, const struct option *option,
    const config_setting_t *setting, const char *text)
{
	if (option->min != NULL)
		parse_complain(p, setting, "\"%s\" is %s, but must be from %s "
		    "to %s", option->key, text, option->min, option->max);
	else
		parse_complain(p, setting, "\"%s\" is %s, which is too large",
		    option->key, text);
}

static void
parse_scalar(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target)
{
	char buf[SCALAR_SIZE];
	const char *text = scalar_text(setting, buf);
	char quoted[VALUE_QUOTE_SIZE];
	union scalar value = { .amount = 0 };
	int r = kinds[option->type].from_text(text, &value);

	escape_text(text, strlen(text), quoted, sizeof quoted);
	if (r == -ERANGE || (r == 0 && !is_in_range(option, &value)))
		complain_range(p, option, setting, quoted);
	else if (r < 0)
		parse_complain(p, setting, "\"%s\" is \"%s\", but must be %s",
		    option->key, quoted, value_must_be(option));
	else
		memcpy(target, &value, kinds[option->type].size);
}

void
value_parse(struct parse *p, const struct option *option,
    const config_setting_t *setting, void *target)
{
	const struct kind *kind = &kinds[option->type];

	if (!type_matches(kind, setting))
		parse_complain(p, setting, "\"%s\" must be %s", option->key,
		    kind->must_be);
	else if (kind->from_text != NULL)
		parse_scalar(p, option, setting, target);
	else
		kind->from_list(p, option, setting, target);
}

void
value_free(const struct option *option, void *target)
{
	if (kinds[option->type].free_list != NULL)
		kinds[option->type].free_list(target);
}

bool
value_is_same(const struct option *option, const void *a, const void *b)
{
	const struct kind *kind = &kinds[option->type];

	if (kind->is_same != NULL)
		return kind->is_same(a, b);
	return memcmp(a, b, kind->size) == 0;
}

void
value_set_default(const struct option *option, void *target)
{
	int r;

	if (option->fallback == NULL)
		return;
	r = kinds[option->type].from_text(option->fallback, target);
	assert(r == 0);
	(void)r;
}
