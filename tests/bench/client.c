/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a client library costs:
 *
 *	client-LIBRARY reads URI COUNT DEPTH LENGTH
 *	client-LIBRARY idle URI COUNT
 *
 * The first reads all over the disk and prints "wall=1.5 user=0.2 sys=0.4
 * cpu_per=6.2": seconds without the connecting, and microseconds of processor
 * time for a request.  The second opens idle connections and prints
 * "heap_per=9000 rss_per=12000", the bytes that each of them costs.
 */

#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/client.h"

enum {
	FIRST_IDLE = 4,			/* before it is counted: what one
					   process needs once */
};

static uint64_t n_places;
static uint64_t place_size;
static uint64_t place;

/* A walk that visits all places, if the step has no factor of theirs. */
uint64_t
next_offset(void)
{
	place = (place + 7919) % n_places;
	return place * place_size;
}

struct costs {
	double wall;
	double user;
	double sys;
};

static double
seconds_of(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static struct costs
costs_now(void)
{
	struct rusage usage;
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0 ||
	    getrusage(RUSAGE_SELF, &usage) < 0)
		err(1, "clock");
	return (struct costs){
		.wall = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9,
		.user = seconds_of(usage.ru_utime),
		.sys = seconds_of(usage.ru_stime),
	};
}

static void
measure_reads(const char *uri, struct reads *reads)
{
	struct costs before;
	struct costs after;

	if (reads->count == 0 || reads->depth == 0 || reads->length == 0)
		errx(2, "no reads");
	reads->buffers = calloc(reads->depth, reads->length);
	if (reads->buffers == NULL)
		err(1, "calloc");
	n_places = client_open(uri) / reads->length;
	place_size = reads->length;
	if (n_places == 0)
		errx(1, "the disk is too small");
	before = costs_now();
	client_read(reads);
	after = costs_now();
	client_close();
	free(reads->buffers);
	(void)printf("wall=%.6f user=%.6f sys=%.6f cpu_per=%.3f\n",
	    after.wall - before.wall, after.user - before.user,
	    after.sys - before.sys, (after.user - before.user + after.sys -
	    before.sys) * 1e6 / (double)reads->count);
}

static size_t
heap_size(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static size_t
resident_size(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1)
		err(1, "/proc/self/statm");
	(void)fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void
measure_idle(const char *uri, unsigned long count)
{
	size_t heap;
	size_t resident;

	for (int i = 0; i < FIRST_IDLE; i++)
		(void)client_open(uri);
	resident = resident_size();
	heap = heap_size();
	for (unsigned long i = 0; i < count; i++)
		(void)client_open(uri);
	(void)printf("heap_per=%.0f rss_per=%.0f\n",
	    (double)(heap_size() - heap) / (double)count,
	    (double)(resident_size() - resident) / (double)count);
	client_close();
}

int
main(int argc, char **argv)
{
	struct reads reads;

	if (argc == 6 && strcmp(argv[1], "reads") == 0) {
		reads = (struct reads){
			.count = strtoull(argv[3], NULL, 10),
			.depth = (unsigned)strtoul(argv[4], NULL, 10),
			.length = (uint32_t)strtoul(argv[5], NULL, 10),
		};
		measure_reads(argv[2], &reads);
	} else if (argc == 4 && strcmp(argv[1], "idle") == 0) {
		measure_idle(argv[2], strtoul(argv[3], NULL, 10));
	} else {
		errx(2, "Usage: %s reads URI COUNT DEPTH LENGTH\n"
		    "       %s idle URI COUNT", argv[0], argv[0]);
	}
	return 0;
}
