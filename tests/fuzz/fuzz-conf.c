/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A configuration file.
 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"

const char fuzz_target[] = "conf";

const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the string it was in the middle of. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_problems problems;
	struct conf *conf = NULL;
	char path[64];
	int fd = memfd_create("conf", MFD_CLOEXEC);
	int r;

	FUZZ_CHECK(fd >= 0);
	FUZZ_CHECK(fchmod(fd, 0600) == 0);
	FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	conf_problems_init(&problems, "f");
	r = conf_load(path, &conf, &problems);
	(void)close(fd);
	FUZZ_CHECK((r == 0) == (conf != NULL));
	FUZZ_CHECK(r == 0 || problems.n > 0);
	conf_problems_done(&problems);
	conf_free(conf);
	return 0;
}
