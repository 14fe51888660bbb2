/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sizes and times as people write them.  A number is digits and nothing
 * else; what follows it is looked up in a table of units.
 */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

#define KIB UINT64_C(1024)
#define KB  UINT64_C(1000)

static const struct unit size_units[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", KIB },
	{ "M", KIB * KIB },
	{ "G", KIB * KIB * KIB },
	{ "T", KIB * KIB * KIB * KIB },
	{ "P", KIB * KIB * KIB * KIB * KIB },
	{ "KiB", KIB },
	{ "MiB", KIB * KIB },
	{ "GiB", KIB * KIB * KIB },
	{ "TiB", KIB * KIB * KIB * KIB },
	{ "PiB", KIB * KIB * KIB * KIB * KIB },
	{ "kB", KB },
	{ "MB", KB * KB },
	{ "GB", KB * KB * KB },
	{ "TB", KB * KB * KB * KB },
	{ "PB", KB * KB * KB * KB * KB },
	{ NULL, 0 },
};

/* Of bits, in eighths. */
static const struct unit bit_units[] = {
	{ "bit/s", 1 },
	{ "kbit/s", KB },
	{ "Mbit/s", KB * KB },
	{ "Gbit/s", KB * KB * KB },
	{ NULL, 0 },
};

#define MS_PER_SECOND UINT64_C(1000)
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR   (60 * MS_PER_MINUTE)
#define MS_PER_DAY    (24 * MS_PER_HOUR)

static const struct unit time_units[] = {
	{ "ms", 1 },
	{ "s", MS_PER_SECOND },
	{ "m", MS_PER_MINUTE },
	{ "h", MS_PER_HOUR },
	{ "d", MS_PER_DAY },
	{ "w", 7 * MS_PER_DAY },
	{ NULL, 0 },
};

/*
 * The digits at the beginning of text.  A number that does not fit is read
 * to its end all the same: what follows decides between "too large" and
 * "not a number".
 */
static int
parse_number(const char *text, uint64_t *ret_number, const char **ret_rest)
{
	uint64_t number = 0;
	int r = 0;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'),
			&number))
			r = -ERANGE;
	}
	*ret_number = number;
	*ret_rest = text;
	return r;
}

static uint64_t
find_factor(const struct unit *units, const char *name)
{
	for (; units->name != NULL; units++) {
		if (strcmp(units->name, name) == 0)
			return units->factor;
	}
	return 0;
}

static int
multiply(uint64_t number, uint64_t factor, uint64_t *ret)
{
	uint64_t product;

	if (__builtin_mul_overflow(number, factor, &product))
		return -ERANGE;
	*ret = product;
	return 0;
}

int
units_parse_size(const char *text, uint32_t sector_size, uint64_t *ret_bytes)
{
	uint64_t number = 0;
	uint64_t factor;
	const char *unit = "";
	int r;

	r = parse_number(text, &number, &unit);
	if (r == -EINVAL)
		return r;
	if (strcmp(unit, "s") == 0)
		factor = sector_size;
	else
		factor = find_factor(size_units, unit);
	if (factor == 0)
		return -EINVAL;
	if (r < 0)
		return r;
	return multiply(number, factor, ret_bytes);
}

/* What it is without "/s", which it ends with; 0: it does not. */
static uint64_t
find_rate_factor(const char *unit)
{
	size_t len = strlen(unit);
	char name[8];

	if (len < 2 || len - 2 >= sizeof name ||
	    strcmp(unit + len - 2, "/s") != 0)
		return 0;
	memcpy(name, unit, len - 2);
	name[len - 2] = '\0';
	return name[0] == '\0' ? 0 : find_factor(size_units, name);
}

int
units_parse_rate(const char *text, uint64_t *ret_bytes_per_s)
{
	uint64_t number = 0;
	uint64_t bits;
	uint64_t factor;
	const char *unit = "";
	int r;

	r = parse_number(text, &number, &unit);
	if (r == -EINVAL)
		return r;
	bits = find_factor(bit_units, unit);
	factor = bits != 0 ? bits : find_rate_factor(unit);
	if (factor == 0 && *unit == '\0' && number == 0 && r == 0)
		factor = 1;
	if (factor == 0)
		return -EINVAL;
	if (r == 0)
		r = multiply(number, factor, &number);
	if (r < 0)
		return r;
	/* A rate that is too small for a byte is still not "none". */
	*ret_bytes_per_s = bits != 0 ? number / 8 + (number % 8 != 0) : number;
	return 0;
}

int
units_parse_share(const char *text, uint32_t *ret_ppm)
{
	uint32_t ppm = 0;
	uint32_t unit = 10000;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && ppm <= 100; p++)
		ppm = ppm * 10 + (uint32_t)(*p - '0');
	if (p == text || ppm > 100)
		return p == text ? -EINVAL : -ERANGE;
	ppm *= unit;
	if (*p == '.' && p[1] == '%')
		return -EINVAL;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++)
			ppm += (uint32_t)(*p - '0') * (unit /= 10);
	if (p[0] != '%' || p[1] != '\0')
		return -EINVAL;
	if (ppm == 0 || ppm > 1000000)
		return -ERANGE;
	*ret_ppm = ppm;
	return 0;
}

int
units_parse_time_ms(const char *text, uint64_t *ret_ms)
{
	uint64_t number = 0;
	uint64_t factor;
	const char *unit = "";
	int r;

	r = parse_number(text, &number, &unit);
	if (r == -EINVAL)
		return r;
	factor = find_factor(time_units, unit);
	if (factor == 0 && *unit == '\0' && number == 0 && r == 0)
		factor = 1;
	if (factor == 0)
		return -EINVAL;
	if (r < 0)
		return r;
	return multiply(number, factor, ret_ms);
}

/*
 * Rounded down, in integers: "1024.0 MiB" and a copy that shows its full
 * size before the last byte are both wrong.
 */
char *
units_format_size(uint64_t bytes, char buf[UNITS_TEXT_SIZE])
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB",
		"PiB", "EiB" };
	uint64_t whole = bytes;
	uint64_t rest = 0;
	unsigned i = 0;

	while (whole >= KIB) {
		rest = whole % KIB;
		whole /= KIB;
		i++;
	}
	if (i == 0)
		(void)snprintf(buf, UNITS_TEXT_SIZE, "%" PRIu64 " B", bytes);
	else
		(void)snprintf(buf, UNITS_TEXT_SIZE,
		    "%" PRIu64 ".%" PRIu64 " %s", whole, rest * 10 / KIB,
		    names[i]);
	return buf;
}

char *
units_format_time_ms(uint64_t ms, char buf[UNITS_TEXT_SIZE])
{
	if (ms < MS_PER_MINUTE)
		(void)snprintf(buf, UNITS_TEXT_SIZE,
		    "%" PRIu64 ".%" PRIu64 " s", ms / MS_PER_SECOND,
		    ms % MS_PER_SECOND / 100);
	else if (ms < MS_PER_HOUR)
		(void)snprintf(buf, UNITS_TEXT_SIZE,
		    "%" PRIu64 "m%02" PRIu64 "s", ms / MS_PER_MINUTE,
		    ms % MS_PER_MINUTE / MS_PER_SECOND);
	else if (ms < MS_PER_DAY)
		(void)snprintf(buf, UNITS_TEXT_SIZE,
		    "%" PRIu64 "h%02" PRIu64 "m", ms / MS_PER_HOUR,
		    ms % MS_PER_HOUR / MS_PER_MINUTE);
	else
		(void)snprintf(buf, UNITS_TEXT_SIZE,
		    "%" PRIu64 "d%02" PRIu64 "h", ms / MS_PER_DAY,
		    ms % MS_PER_DAY / MS_PER_HOUR);
	return buf;
}

char *
units_format_count(uint64_t n, const char *thing, char buf[UNITS_TEXT_SIZE])
{
	const char *end = strchr(thing, '\0');
	bool hisses = end - thing >= 2 && strcmp(end - 2, "sh") == 0;

	(void)snprintf(buf, UNITS_TEXT_SIZE, "%" PRIu64 " %s%s", n, thing,
	    n == 1 ? "" : hisses ? "es" : "s");
	return buf;
}
