/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/units.h"

#include <errno.h>

#include "unit.h"

#define UNTOUCHED 77

struct accepted {
	const char *text;
	uint64_t value;
};

static const struct accepted sizes[] = {
	{ "0", 0 },
	{ "512", 512 },
	{ "7B", 7 },
	{ "64K", 65536 },
	{ "64KiB", 65536 },
	{ "1M", 1048576 },
	{ "3MiB", 3145728 },
	{ "1G", UINT64_C(1) << 30 },
	{ "1TiB", UINT64_C(1) << 40 },
	{ "1P", UINT64_C(1) << 50 },
	{ "5kB", 5000 },
	{ "5MB", 5000000 },
	{ "5GB", UINT64_C(5000000000) },
	{ "5TB", UINT64_C(5000000000000) },
	{ "2PB", UINT64_C(2000000000000000) },
	{ "3s", 12288 },
	{ "000018446744073709551615", UINT64_MAX },
};

START_TEST(sizes_are_read_in_all_their_units)
{
	uint64_t bytes = UNTOUCHED;

	ck_assert_int_eq(units_parse_size(sizes[_i].text, 4096, &bytes), 0);
	ck_assert_uint_eq(bytes, sizes[_i].value);
}
END_TEST

static const char *const not_sizes[] = { "", " 1", "1 ", "1 K", "-1", "+1",
	"K", "1k", "1KB", "1kib", "1KiBs", "0x10", "1.5G", "1ss", "1e3",
	"99999999999999999999x" };

START_TEST(what_is_no_size_is_refused)
{
	uint64_t bytes = UNTOUCHED;

	ck_assert_int_eq(units_parse_size(not_sizes[_i], 512, &bytes),
	    -EINVAL);
	ck_assert_uint_eq(bytes, UNTOUCHED);
}
END_TEST

static const struct accepted rates[] = {
	{ "0", 0 },
	{ "0B/s", 0 },
	{ "200MB/s", 200000000 },
	{ "64KiB/s", 65536 },
	{ "1G/s", UINT64_C(1) << 30 },
	{ "1bit/s", 1 },
	{ "9kbit/s", 1125 },
	{ "100Mbit/s", 12500000 },
	{ "10Gbit/s", UINT64_C(1250000000) },
};

START_TEST(rates_are_read_in_all_their_units)
{
	uint64_t rate = UNTOUCHED;

	ck_assert_int_eq(units_parse_rate(rates[_i].text, &rate), 0);
	ck_assert_uint_eq(rate, rates[_i].value);
}
END_TEST

static const char *const not_rates[] = { "", "1", "/s", "5/s", "5MB", "5s/s",
	"5MB/m", "5 MB/s", "-5MB/s", "5MB/s ", "5mbit/s", "5Mbit",
	"5verylongunit/s" };

START_TEST(what_is_no_rate_is_refused)
{
	uint64_t rate = UNTOUCHED;

	ck_assert_int_eq(units_parse_rate(not_rates[_i], &rate), -EINVAL);
	ck_assert_uint_eq(rate, UNTOUCHED);
}
END_TEST

START_TEST(a_rate_that_does_not_fit_is_refused)
{
	uint64_t rate = UNTOUCHED;

	ck_assert_int_eq(units_parse_rate("16384P/s", &rate), -ERANGE);
	ck_assert_int_eq(units_parse_rate("18446744073709551616B/s", &rate),
	    -ERANGE);
	ck_assert_uint_eq(rate, UNTOUCHED);
}
END_TEST

static const char *const too_large[] = { "18446744073709551616",
	"16384P", "18446744073709551615K", "36028797018963968s",
	"99999999999999999999999" };

START_TEST(a_size_that_does_not_fit_is_out_of_range)
{
	uint64_t bytes = UNTOUCHED;

	ck_assert_int_eq(units_parse_size(too_large[_i], 512, &bytes),
	    -ERANGE);
	ck_assert_uint_eq(bytes, UNTOUCHED);
}
END_TEST

static const struct accepted times[] = {
	{ "0", 0 },
	{ "250ms", 250 },
	{ "10s", 10000 },
	{ "5m", 300000 },
	{ "2h", 7200000 },
	{ "1d", 86400000 },
	{ "1w", 604800000 },
};

START_TEST(times_are_read_in_all_their_units)
{
	uint64_t ms = UNTOUCHED;

	ck_assert_int_eq(units_parse_time_ms(times[_i].text, &ms), 0);
	ck_assert_uint_eq(ms, times[_i].value);
}
END_TEST

static const char *const not_times[] = { "", "5", "s", "-5s", "5 s", "5M",
	"5min", "1.5s" };

START_TEST(what_is_no_time_is_refused)
{
	uint64_t ms = UNTOUCHED;

	ck_assert_int_eq(units_parse_time_ms(not_times[_i], &ms), -EINVAL);
	ck_assert_uint_eq(ms, UNTOUCHED);
}
END_TEST

START_TEST(a_time_that_does_not_fit_is_out_of_range)
{
	uint64_t ms = UNTOUCHED;

	ck_assert_int_eq(units_parse_time_ms("18446744073709551615s", &ms),
	    -ERANGE);
	ck_assert_uint_eq(ms, UNTOUCHED);
}
END_TEST

struct shown {
	uint64_t value;
	const char *text;
};

static const struct shown shown_sizes[] = {
	{ 0, "0 B" },
	{ 1023, "1023 B" },
	{ 1024, "1.0 KiB" },
	{ 1536, "1.5 KiB" },
	{ 1048575, "1023.9 KiB" },
	{ UINT64_C(4) << 30, "4.0 GiB" },
	{ UINT64_MAX, "15.9 EiB" },
};

START_TEST(sizes_are_shown_rounded_down)
{
	char buf[UNITS_TEXT_SIZE];

	ck_assert_str_eq(units_format_size(shown_sizes[_i].value, buf),
	    shown_sizes[_i].text);
}
END_TEST

static const struct shown shown_times[] = {
	{ 0, "0.0 s" },
	{ 1449, "1.4 s" },
	{ 59999, "59.9 s" },
	{ 125000, "2m05s" },
	{ 11220000, "3h07m" },
	{ 90000000, "1d01h" },
};

START_TEST(times_are_shown_with_their_two_largest_units)
{
	char buf[UNITS_TEXT_SIZE];

	ck_assert_str_eq(units_format_time_ms(shown_times[_i].value, buf),
	    shown_times[_i].text);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof(a)[0]))

START_TEST(shares_are_told_in_millionths)
{
	static const struct {
		const char *text;
		int result;
		uint32_t ppm;
	} cases[] = {
		{ "1%", 0, 10000 }, { "100%", 0, 1000000 },
		{ "0.0001%", 0, 1 }, { "0.25%", 0, 2500 },
		{ "12.5%", 0, 125000 }, { "007%", 0, 70000 },
		{ "", -EINVAL, 0 }, { "%", -EINVAL, 0 }, { "1", -EINVAL, 0 },
		{ "-1%", -EINVAL, 0 }, { "1.%", -EINVAL, 0 },
		{ ".5%", -EINVAL, 0 }, { "1%%", -EINVAL, 0 },
		{ "1 %", -EINVAL, 0 }, { "0.00001%", -EINVAL, 0 },
		{ "1,5%", -EINVAL, 0 }, { "0%", -ERANGE, 0 },
		{ "0.0000%", -ERANGE, 0 }, { "100.0001%", -ERANGE, 0 },
		{ "101%", -ERANGE, 0 }, { "4294967297%", -ERANGE, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint32_t ppm = 7;

		ck_assert_msg(units_parse_share(cases[i].text, &ppm) ==
		    cases[i].result, "'%s'", cases[i].text);
		ck_assert_uint_eq(ppm, cases[i].result == 0 ? cases[i].ppm :
							      7);
	}
}
END_TEST

START_TEST(one_of_a_thing_is_one_and_others_are_many)
{
	char buf[UNITS_TEXT_SIZE];

	ck_assert_str_eq(units_format_count(0, "job", buf), "0 jobs");
	ck_assert_str_eq(units_format_count(1, "job", buf), "1 job");
	ck_assert_str_eq(units_format_count(2, "job", buf), "2 jobs");
	ck_assert_str_eq(units_format_count(1, "flush", buf), "1 flush");
	ck_assert_str_eq(units_format_count(3, "flush", buf), "3 flushes");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/units");
	TCase *tc = tcase_create("units");

	tcase_add_loop_test(tc, sizes_are_read_in_all_their_units, 0,
	    N(sizes));
	tcase_add_loop_test(tc, what_is_no_size_is_refused, 0, N(not_sizes));
	tcase_add_loop_test(tc, rates_are_read_in_all_their_units, 0,
	    N(rates));
	tcase_add_loop_test(tc, what_is_no_rate_is_refused, 0, N(not_rates));
	tcase_add_test(tc, one_of_a_thing_is_one_and_others_are_many);
	tcase_add_test(tc, shares_are_told_in_millionths);
	tcase_add_test(tc, a_rate_that_does_not_fit_is_refused);
	tcase_add_loop_test(tc, a_size_that_does_not_fit_is_out_of_range, 0,
	    N(too_large));
	tcase_add_loop_test(tc, times_are_read_in_all_their_units, 0,
	    N(times));
	tcase_add_loop_test(tc, what_is_no_time_is_refused, 0, N(not_times));
	tcase_add_test(tc, a_time_that_does_not_fit_is_out_of_range);
	tcase_add_loop_test(tc, sizes_are_shown_rounded_down, 0,
	    N(shown_sizes));
	tcase_add_loop_test(tc, times_are_shown_with_their_two_largest_units,
	    0, N(shown_times));
	suite_add_tcase(s, tc);
	return unit_main(s);
}
