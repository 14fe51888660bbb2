/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "seeds.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int
seeds_parse(int argc, char **argv, uint64_t n, struct seeds *ret_seeds)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "trace", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	struct seeds seeds = { .first = 1, .n = n };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n') {
			seeds.n = strtoull(optarg, NULL, 0);
		} else if (c == 's') {
			seeds.first = strtoull(optarg, NULL, 0);
			seeds.n = 1;
		} else if (c == 't') {
			seeds.with_trace = true;
		} else {
			return -EINVAL;
		}
	}
	*ret_seeds = seeds;
	return 0;
}

uint64_t
seeds_run(const struct seeds *seeds, const char *program,
    const char *(*simulate)(uint64_t seed, bool with_trace, void *arg),
    void *arg)
{
	uint64_t n_broken = 0;
	const char *broken;
	uint64_t seed;

	for (seed = seeds->first; seed < seeds->first + seeds->n; seed++) {
		broken = simulate(seed, seeds->with_trace, arg);
		if (broken == NULL)
			continue;
		n_broken++;
		printf("# seed %" PRIu64 ": broken: %s; see it with "
		       "%s --seed %" PRIu64 " --trace\n",
		    seed, broken, program, seed);
	}
	return n_broken;
}
