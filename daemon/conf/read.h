/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONF_READ_H
#define CONF_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/problems.h"

/*
 * The files of a configuration, as far as the file system goes.
 */

/*
 * The whole text, at most CONF_FILE_MAX and terminated; the caller's.
 * -EINVAL: cannot be read, is no regular file, too large, or others than root
 * and ourselves may write to it, see problems; -ENOMEM.
 */
int read_conf_file(const char *path, char **ret_text, size_t *ret_len,
    bool *ret_is_world_readable, struct conf_problems *problems);

/*
 * The paths of the files in dir that end in ".conf", sorted; names that
 * begin with a dot are left out.  *ret_paths and what it points to are the
 * caller's, NULL at the end.  What is wrong is said of spot.  -EINVAL,
 * -ENOMEM.
 */
int read_conf_dir(const char *dir, struct conf_spot spot, char ***ret_paths,
    struct conf_problems *problems);

/*
 * May nobody but root and ourselves change what is at path, a file to be
 * run, or put another there?  It must be a regular file that can be executed.
 * 0, or a negative errno with a sentence.
 *
 * *ret_real, the caller's, is where it lies, without symbolic links: to run
 * that is to run what has been looked at.  (To run an open descriptor would
 * be to run a script by another name: its interpreter opens it once more.)
 */
struct error;
int read_check_program(const char *path, char **ret_real, struct error *e);

#endif
