/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>

/*
 * What every unit test's main() returns: runs the suite, then 0 if all
 * passed.  Where the results go out as TAP (CK_TAP_LOG_FILE_NAME is set) it
 * is always 0: the harness counts the "not ok" lines, and a non-zero status
 * would be reported as one more error.
 */
int unit_main(Suite *suite);

#endif
