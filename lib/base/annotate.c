/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The thread roles.  They exist for Clang's -Wthread-safety and are never
 * read or written.
 */
#include "base/annotate.h"

struct thread_role role_main;
struct thread_role role_worker;
