/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_H
#define DAEMON_H

#include <stdbool.h>

/*
 * The daemon from start to end.
 */

/* Exit codes of nbdsyncd; nbdsyncd(8) promises them. */
enum daemon_exit {
	DAEMON_EXIT_OK = 0,
	DAEMON_EXIT_FAILURE = 1,
	DAEMON_EXIT_USAGE = 2,
	DAEMON_EXIT_HURRY = 3,		/* told to end, it gave up runs */
	DAEMON_EXIT_CONFIG = 78,
};

/*
 * Run until a signal ends it.  Logs what happens.
 */
enum daemon_exit daemon_run(const char *conf_path);

/*
 * Read a configuration and say what is wrong with it on standard error, or on
 * standard output that nothing is; or there, the values of the job of this
 * name, if it is not NULL.
 */
enum daemon_exit daemon_check_conf(const char *conf_path,
    const char *shown_job, bool is_strict);

#endif
