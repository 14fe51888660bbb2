/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ASSERT_ERR_H
#define ASSERT_ERR_H

#include <string.h>

#include "unit.h"

/*
 * What a call of the installed library has returned, and what it has put into
 * err, the test's struct nbdclient_error.
 */
#define assert_ok(call) ck_assert_msg((call) == 0, "%s", err.text)
#define assert_fails(call, want)                                               \
	do {                                                                   \
		int code_ = (call);                                            \
		ck_assert_msg(code_ == (want), "%d: %s", code_, err.text);     \
		ck_assert_int_eq(err.code, code_);                             \
	} while (0)
#define assert_says(part)                                                      \
	ck_assert_msg(strstr(err.text, part) != NULL, "'%s' is not in '%s'",   \
	    part, err.text)

#endif
