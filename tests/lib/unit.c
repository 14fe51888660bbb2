/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a suite of check and turns its verdict into an exit status.
 */
#include "unit.h"

#include <stdlib.h>

int
unit_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int n_failed;

	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (getenv("CK_TAP_LOG_FILE_NAME") != NULL)
		return EXIT_SUCCESS;
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
