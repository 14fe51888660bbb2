/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of GET /metrics: the daemon's process.
 */

#include "control/metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t
resident_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	(void)fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* -1: cannot be counted. */
static int
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = -3;			/* ".", "..", and the one in hand */

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

void
metrics_put_process(FILE *f, const struct ctl_facts *facts)
{
	struct rlimit limit;
	struct rusage u;
	double cpu = 0;

	if (getrusage(RUSAGE_SELF, &u) == 0)
		cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	metrics_single(f, "process_cpu_seconds_total", "counter",
	    "processor time used", cpu);
	metrics_single(f, "process_resident_memory_bytes", "gauge",
	    "memory in use", (double)resident_bytes());
	metrics_single(f, "process_open_fds", "gauge", "open files",
	    count_entries("/proc/self/fd"));
	metrics_single(f, "process_max_fds", "gauge", "files that may be open",
	    getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur :
	    0);
	metrics_single(f, "process_threads", "gauge", "threads",
	    count_entries("/proc/self/task") + 1);
	metrics_single(f, "process_start_time_seconds", "gauge",
	    "when the daemon was started",
	    (double)facts->started_at_ms / 1000.0);
}
