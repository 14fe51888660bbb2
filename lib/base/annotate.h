/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ANNOTATE_H
#define BASE_ANNOTATE_H

/*
 * Notes for the compiler.  A thread role is "being on that thread": it is
 * claimed at the entry of an event handler and required by prototypes, never
 * locked.  Clang checks it (-Wthread-safety); other compilers see nothing.
 */

#if defined(__clang__)
# define TS_(x) __attribute__((x))
#else
# define TS_(x)
#endif

#define UNUSED		   __attribute__((unused))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

struct TS_(capability("thread")) thread_role {
	char unused;
};

extern struct thread_role role_main;
extern struct thread_role role_worker;

#define ON_MAIN TS_(requires_capability(role_main))

static inline void on_main_entry(void) TS_(assert_capability(role_main));
static inline void on_worker_entry(void) TS_(assert_capability(role_worker));

static inline void
on_main_entry(void)
{
}

static inline void
on_worker_entry(void)
{
}

#endif
