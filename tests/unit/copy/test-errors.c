/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/errors.h"

#include <errno.h>

#include "unit.h"

/* All that the protocol knows. */
static const struct {
	int error;
	enum copy_error_class class;
} errors[] = {
	{ EIO, COPY_ERROR_PLACE },
	{ ENOMEM, COPY_ERROR_TIME },
	{ ESHUTDOWN, COPY_ERROR_TIME },
	{ ENOSPC, COPY_ERROR_SPACE },
	{ EPERM, COPY_ERROR_ALWAYS },
	{ EINVAL, COPY_ERROR_ALWAYS },
	{ EOVERFLOW, COPY_ERROR_ALWAYS },
	{ EOPNOTSUPP, COPY_ERROR_ALWAYS },
};

START_TEST(each_error_says_what_another_try_needs)
{
	ck_assert_int_eq(copy_error_class(-errors[_i].error),
	    errors[_i].class);
}
END_TEST

START_TEST(what_nobody_knows_stays_as_it_is)
{
	ck_assert_int_eq(copy_error_class(-ENOTTY), COPY_ERROR_ALWAYS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("copy/errors");
	TCase *t = tcase_create("errors");

	tcase_add_loop_test(t, each_error_says_what_another_try_needs, 0,
	    sizeof errors / sizeof errors[0]);
	tcase_add_test(t, what_nobody_knows_stays_as_it_is);
	suite_add_tcase(s, t);
	return unit_main(s);
}
