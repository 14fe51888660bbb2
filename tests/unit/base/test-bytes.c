/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/bytes.h"

#include "unit.h"

START_TEST(integers_lie_big_end_first_at_any_address)
{
	unsigned char buf[9] = { 0 };

	put_be64(buf + 1, UINT64_C(0x0102030405060708));
	for (unsigned i = 1; i <= 8; i++)
		ck_assert_uint_eq(buf[i], i);
	ck_assert_uint_eq(get_be64(buf + 1), UINT64_C(0x0102030405060708));
	ck_assert_uint_eq(get_be32(buf + 1), 0x01020304);
	ck_assert_uint_eq(get_be16(buf + 1), 0x0102);
	put_be32(buf + 1, 0xa1a2a3a4);
	ck_assert_uint_eq(get_be32(buf + 1), 0xa1a2a3a4);
	ck_assert_uint_eq(buf[5], 5);
	put_be16(buf + 1, 0xb1b2);
	ck_assert_uint_eq(get_be16(buf + 1), 0xb1b2);
	ck_assert_uint_eq(buf[3], 0xa3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/bytes");
	TCase *tc = tcase_create("bytes");

	tcase_add_test(tc, integers_lie_big_end_first_at_any_address);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
