/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sizes and times as people write them.  All parsers want the whole string,
 * accept no sign and no blanks inside, and check for overflow:
 *
 *	size	"0", "512", "64KiB", "64K" (1024^n: K M G T P, KiB..PiB),
 *		"5MB", "5kB" (1000^n), "2048s" (sectors of sector_size bytes)
 *	rate	a size and "/s" ("200MB/s"), or bits: "100Mbit/s"
 *		(1000^n: k M G); "0" needs no unit
 *	time	"250ms", "10s", "5m", "2h", "1d", "1w"; "0" needs no unit
 *
 * Return 0, -EINVAL (not such a text) or -ERANGE (does not fit).
 */
int units_parse_size(const char *text, uint32_t sector_size,
    uint64_t *ret_bytes);
int units_parse_rate(const char *text, uint64_t *ret_bytes_per_s);
int units_parse_time_ms(const char *text, uint64_t *ret_ms);
/* "1%", "0.25%"; above 0, at most 100%, at most 4 decimals: in millionths. */
int units_parse_share(const char *text, uint32_t *ret_ppm);

#define UNITS_TEXT_SIZE 32

/*
 * Write bytes as people read them ("4.0 GiB", "512 B") or a duration
 * ("1.4 s", "2m05s", "3h07m") into buf.  Return buf.
 */
char *units_format_size(uint64_t bytes, char buf[UNITS_TEXT_SIZE]);
char *units_format_time_ms(uint64_t ms, char buf[UNITS_TEXT_SIZE]);
/* "1 job", "2 jobs", "3 flushes". */
char *units_format_count(uint64_t n, const char *thing,
    char buf[UNITS_TEXT_SIZE]);

#endif
