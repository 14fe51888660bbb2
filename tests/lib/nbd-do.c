/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "nbd-do URI [CONTEXT...] <SCRIPT": does to an export what the lines of a
 * script say, with the installed library's calls, and answers each of them
 * with a line: its first word, and "yes", "no" where the server does not
 * offer it, "refused" where it offers nothing, or the library's sentence.
 *
 *	list			the exports are listed
 *	contexts		those asked for, where the server has them, are
 *				listed
 *	open			the export is opened, and answered with what
 *				was agreed on
 *	second			another connection reads, too, if offered
 *	read FILE		all of the disk, into the file
 *	read-df LENGTH FILE	so much of its beginning, in one piece
 *	write OFFSET FILE	the file's bytes are written
 *	write-fua OFFSET FILE
 *	zero OFFSET LENGTH
 *	zero-no-hole OFFSET LENGTH
 *	zero-fast OFFSET LENGTH
 *	trim OFFSET LENGTH
 *	cache OFFSET LENGTH
 *	flush
 *	status CONTEXT FILE	"OFFSET LENGTH FLAGS" for each extent
 *
 * All after "open" is about its disk.
 */

#include <inttypes.h>
#include <nbdclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS  3
#define MULTI_CONN 256	/* "NBD_FLAG_CAN_MULTI_CONN" */

static struct nbdclient_channel *channel;
static struct nbdclient_disk *disk;
static struct nbdclient_info info;
static struct nbdclient_error err;
static const char *const *contexts;
static size_t n_contexts;

static void
die(const char *what)
{
	(void)fprintf(stderr, "nbd-do: %s\n", what);
	exit(1);
}

static FILE *
open_file(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (f == NULL)
		die(path);
	return f;
}

static void
answer(const char *word, int code)
{
	if (code == 0)
		(void)printf("%s yes\n", word);
	else if (code == NBDCLIENT_UNIMPLEMENTED)
		(void)printf("%s no\n", word);
	else
		(void)printf("%s failed: %s\n", word, err.text);
}

/* For what asks a server that may not know the option. */
static void
answer_list(const char *word, int code)
{
	if (code == NBDCLIENT_TOO_OLD || code == NBDCLIENT_REFUSED)
		(void)printf("%s no\n", word);
	else
		answer(word, code);
}

static void
do_list(char **words)
{
	struct nbdclient_listing *listing = NULL;
	size_t n = 0;
	int code = nbdclient_list(channel, &listing, &n, &err);

	if (code == 0 && n == 0)
		(void)printf("%s failed: there is none\n", words[0]);
	else
		answer_list(words[0], code);
	nbdclient_listing_free(listing, n);
}

static void
do_contexts(char **words)
{
	struct nbdclient_listing *listing = NULL;
	size_t n = 0;
	int code = nbdclient_list_contexts(channel, NULL, contexts, n_contexts,
	    &listing, &n, &err);

	answer_list(words[0], code);
	for (size_t i = 0; i < n; i++)
		(void)printf("listed %s\n", listing[i].name);
	nbdclient_listing_free(listing, n);
}

static const char *
replies(void)
{
	if (info.extended_headers)
		return "ext.";
	return info.structured_replies ? "struct." : "simple";
}

static void
do_open(char **words)
{
	int code = nbdclient_negotiate(channel, NULL, &disk, &err);

	if (code == NBDCLIENT_TOO_OLD)
		(void)printf("%s refused\n", words[0]);
	else
		answer(words[0], code);
	if (code != 0)
		exit(0);
	nbdclient_get_info(disk, &info);
	(void)printf("size %" PRIu64 "\n", info.size);
	(void)printf("replies %s\n", replies());
	(void)printf("tls %s\n",
	    info.tls_version != NULL ? info.tls_version : "no");
	for (size_t i = 0; i < info.n_contexts; i++)
		(void)printf("context %s %s\n", contexts[i],
		    info.contexts[i] != NULL ? "yes" : "no");
}

static void
do_second(char **words)
{
	struct nbdclient_disk *second = NULL;
	char *buf = malloc(info.sector_size);
	struct iovec iov = { buf, info.sector_size };
	int code = NBDCLIENT_UNIMPLEMENTED;

	/* Without multi-conn a server may let it wait for ever. */
	if ((info.flags & MULTI_CONN) != 0)
		code = nbdclient_negotiate(channel, NULL, &second, &err);
	if (code == 0)
		code = nbdclient_read(second, 0, &iov, 1, &err);
	answer(words[0], code);
	nbdclient_disconnect(second);
	free(buf);
}

static void
read_into(const char *word, const char *path, uint64_t length, unsigned flags)
{
	struct iovec iov = { malloc(length), length };
	int code = nbdclient_read_flags(disk, 0, &iov, 1, flags, &err);
	FILE *f = open_file(path, "w");

	if (code == 0 && fwrite(iov.iov_base, length, 1, f) != 1)
		die("cannot write");
	answer(word, code);
	(void)fclose(f);
	free(iov.iov_base);
}

static void
do_read(char **words)
{
	read_into(words[0], words[1], info.size, 0);
}

static void
do_read_df(char **words)
{
	read_into(words[0], words[2], strtoull(words[1], NULL, 10),
	    NBDCLIENT_DF);
}

static uint64_t
sector_of(const char *bytes)
{
	uint64_t n = strtoull(bytes, NULL, 10);

	if (n % info.sector_size != 0)
		die("not a whole number of sectors");
	return n / info.sector_size;
}

static void
do_write(char **words)
{
	FILE *f = open_file(words[2], "r");
	struct iovec iov = { NULL, 0 };
	bool fua = strcmp(words[0], "write-fua") == 0;

	(void)fseek(f, 0, SEEK_END);
	iov.iov_len = (size_t)ftell(f);
	iov.iov_base = malloc(iov.iov_len);
	rewind(f);
	if (fread(iov.iov_base, iov.iov_len, 1, f) != 1)
		die("cannot read");
	answer(words[0], nbdclient_write_flags(disk, sector_of(words[1]), &iov,
	    1, fua ? NBDCLIENT_FUA : 0, &err));
	(void)fclose(f);
	free(iov.iov_base);
}

static void
zero(char **words, unsigned flags)
{
	answer(words[0], nbdclient_write_zeroes(disk, sector_of(words[1]),
	    sector_of(words[2]), flags, &err));
}

static void
do_zero(char **words)
{
	zero(words, 0);
}

static void
do_zero_no_hole(char **words)
{
	zero(words, NBDCLIENT_NO_HOLE);
}

static void
do_zero_fast(char **words)
{
	zero(words, NBDCLIENT_FAST_ZERO);
}

static void
do_trim(char **words)
{
	answer(words[0], nbdclient_trim(disk, sector_of(words[1]),
	    sector_of(words[2]), 0, &err));
}

static void
do_cache(char **words)
{
	answer(words[0], nbdclient_cache(disk, sector_of(words[1]),
	    sector_of(words[2]), &err));
}

static void
do_flush(char **words)
{
	answer(words[0], nbdclient_flush(disk, &err));
}

static void
print_extent(void *arg, const char *context, uint64_t offset, uint64_t length,
    uint64_t flags)
{
	(void)context;
	(void)fprintf(arg, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", offset,
	    length, flags);
}

static void
do_status(char **words)
{
	FILE *f = open_file(words[2], "w");
	int code = nbdclient_block_status(disk, 0, info.n_sectors, words[1],
	    print_extent, f, &err);

	(void)fclose(f);
	(void)printf("%s ", words[0]);
	answer(words[1], code);
}

static const struct row {
	const char *word;
	int n_words;
	void (*run)(char **words);
} rows[] = {
	{ "list", 1, do_list },
	{ "contexts", 1, do_contexts },
	{ "open", 1, do_open },
	{ "second", 1, do_second },
	{ "read", 2, do_read },
	{ "read-df", 3, do_read_df },
	{ "write", 3, do_write },
	{ "write-fua", 3, do_write },
	{ "zero", 3, do_zero },
	{ "zero-no-hole", 3, do_zero_no_hole },
	{ "zero-fast", 3, do_zero_fast },
	{ "trim", 3, do_trim },
	{ "cache", 3, do_cache },
	{ "flush", 1, do_flush },
	{ "status", 3, do_status },
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static void
run_line(char *line)
{
	char *words[MAX_WORDS];
	char *rest = line;
	int n = 0;

	while (n < MAX_WORDS && (words[n] = strsep(&rest, " \n")) != NULL &&
	    words[n][0] != '\0')
		n++;
	for (size_t i = 0; i < N_ROWS; i++) {
		if (n != rows[i].n_words || strcmp(words[0], rows[i].word) != 0)
			continue;
		rows[i].run(words);
		return;
	}
	die("there is no such line");
}

int
main(int argc, char **argv)
{
	struct nbdclient_options options = { .contexts = NULL };
	char line[1024];

	if (argc < 2)
		return 2;
	contexts = (const char *const *)argv + 2;
	n_contexts = (size_t)argc - 2;
	options.contexts = contexts;
	options.n_contexts = n_contexts;
	if (nbdclient_connect(argv[1], &options, &channel, &err) != 0)
		die(err.text);
	while (fgets(line, sizeof line, stdin) != NULL) {
		run_line(line);
		(void)fflush(stdout);
	}
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	return 0;
}
