/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gives a fuzz target the inputs that are named, files or directories of
 * them, or its corpus if none is: fuzzing without a fuzzer.  Speaks TAP.
 * What does harm ends the program; the last line says which input it was.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	REPLAY_MAX = 1024 * 1024,
};

static unsigned n_inputs;

/* The input lies in memory of its own size, so that ASan sees its end. */
static void
replay_file(const char *path)
{
	uint8_t *data = malloc(REPLAY_MAX);
	FILE *f = fopen(path, "r");
	size_t size;

	FUZZ_CHECK(data != NULL);
	if (f == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	size = fread(data, 1, REPLAY_MAX, f);
	(void)fclose(f);
	data = realloc(data, size > 0 ? size : 1);
	FUZZ_CHECK(data != NULL);
	(void)printf("# %s\n", path);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	n_inputs++;
}

static void
replay(const char *path)
{
	struct dirent **names = NULL;
	struct stat st;
	int n = 0;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		n = scandir(path, &names, NULL, alphasort);
	else
		replay_file(path);
	for (int i = 0; i < n; i++) {
		char file[4096];

		(void)snprintf(file, sizeof file, "%s/%s", path,
		    names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			replay_file(file);
		free(names[i]);
	}
	free(names);
}

static void
replay_corpus(void)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s",
	    srcdir != NULL ? srcdir : ".", fuzz_target);
	replay(path);
}

int
main(int argc, char **argv)
{
	(void)printf("1..1\n");
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc < 2)
		replay_corpus();
	(void)printf("%sok 1 - %s: %u inputs do no harm\n",
	    n_inputs > 0 ? "" : "not ", fuzz_target, n_inputs);
	return EXIT_SUCCESS;
}
