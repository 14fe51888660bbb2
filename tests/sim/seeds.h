/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEEDS_H
#define SEEDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A simulator's command line, and its seeds one after the other:
 *
 *	PROGRAM [--seeds N] [--seed S] [--trace]
 */
struct seeds {
	uint64_t first;
	uint64_t n;
	bool with_trace;
};

/* n: how many there are if nobody says.  -EINVAL: another option. */
int seeds_parse(int argc, char **argv, uint64_t n, struct seeds *ret_seeds);

/*
 * simulate runs one seed, and returns the promise that was broken, or NULL.
 * Those that have broken one are printed.  Returns how many.
 */
uint64_t seeds_run(const struct seeds *seeds, const char *program,
    const char *(*simulate)(uint64_t seed, bool with_trace, void *arg),
    void *arg);

#endif
