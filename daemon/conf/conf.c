/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations: from a file to a struct conf, in four steps that each note
 * what they find: read (is it a file of a sane size), lint (what libconfig
 * would not say), parse (libconfig, then the table of options), check
 * (across values).
 */

#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "conf/check.h"
#include "conf/lint.h"
#include "conf/parse.h"

static int
open_file(const char *path, struct conf_problems *problems)
{
	struct stat st;
	/* O_NONBLOCK: opening a fifo must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		conf_problems_add(problems, 0, "cannot be read: %s",
		    strerror(errno));
		return -EINVAL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		conf_problems_add(problems, 0, "is not a regular file");
		(void)close(fd);
		return -EINVAL;
	}
	return fd;
}

/* The whole text, terminated. */
static int
read_file(const char *path, char **ret_text, size_t *ret_len,
    struct conf_problems *problems)
{
	CLEANUP(cleanup_close) int fd = open_file(path, problems);
	CLEANUP(cleanup_free) char *text = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	text = malloc(CONF_FILE_MAX + sizeof "\n" + 1);
	if (text == NULL)
		return -ENOMEM;
	do {
		n = read(fd, text + len, CONF_FILE_MAX + 1 - len);
		if (n < 0) {
			conf_problems_add(problems, 0, "cannot be read: %s",
			    strerror(errno));
			return -EINVAL;
		}
		len += (size_t)n;
	} while (n > 0);
	if (len > CONF_FILE_MAX) {
		conf_problems_add(problems, 0, "is larger than 1 MiB");
		return -EINVAL;
	}
	/* To libconfig a comment without a line's end is a syntax error. */
	memcpy(text + len, "\n", sizeof "\n");
	*ret_text = STEAL(text);
	*ret_len = len;
	return 0;
}

static int
parse_text(struct conf *conf, const char *text,
    struct conf_problems *problems)
{
	unsigned line;

	conf->tree = malloc(sizeof *conf->tree);
	if (conf->tree == NULL)
		return -ENOMEM;
	config_init(conf->tree);
	if (config_read_string(conf->tree, text) == CONFIG_TRUE)
		return 0;
	line = (unsigned)config_error_line(conf->tree);
	if (!conf_problems_has_line(problems, line))
		conf_problems_add(problems, line, "%s (a setting is written "
		    "name = value; strings and values with units stand in "
		    "quotes; no \",\" after the last item of a list)",
		    config_error_text(conf->tree));
	return -EINVAL;
}

static int
load(const char *path, struct conf *conf, struct conf_problems *problems)
{
	CLEANUP(cleanup_free) char *text = NULL;
	static const char bom[] = "\xef\xbb\xbf";
	const char *start;
	size_t len;
	int r;

	r = read_file(path, &text, &len, problems);
	if (r < 0)
		return r;
	start = text;
	if (strncmp(start, bom, strlen(bom)) == 0)
		start += strlen(bom);
	if (!lint_text(start, len - (size_t)(start - text), problems))
		return -EINVAL;
	r = parse_text(conf, start, problems);
	if (r < 0)
		return r;
	r = parse_conf(conf, config_root_setting(conf->tree), problems);
	if (r < 0 && r != -EINVAL)
		return r;
	return check_conf(conf, problems);
}

int
conf_load(const char *path, struct conf **ret_conf,
    struct conf_problems *problems)
{
	CLEANUP(conf_freep) struct conf *conf = calloc(1, sizeof *conf);
	int r;

	if (conf == NULL)
		return -ENOMEM;
	r = load(path, conf, problems);
	conf_problems_sort(problems);
	if (r < 0)
		return r;
	*ret_conf = STEAL(conf);
	return 0;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		free(conf->endpoints[i].command.v);
		endpoint_spec_free(conf->endpoints[i].spec);
	}
	free(conf->endpoints);
	for (size_t i = 0; i < conf->n_jobs; i++) {
		free(conf->jobs[i].ranges.v);
		free(conf->jobs[i].destinations.v);
	}
	free(conf->jobs);
	free(conf->control.viewers.v);
	free(conf->control.operators.v);
	free(conf->control.admins.v);
	if (conf->tree != NULL)
		config_destroy(conf->tree);
	free(conf->tree);
	free(conf);
}

void
conf_freep(struct conf **conf)
{
	conf_free(*conf);
}

const struct conf_endpoint *
conf_find_endpoint(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_endpoints; i++)
		if (conf->endpoints[i].name != NULL &&
		    strcmp(conf->endpoints[i].name, name) == 0)
			return &conf->endpoints[i];
	return NULL;
}

const struct conf_job *
conf_find_job(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_jobs; i++)
		if (conf->jobs[i].name != NULL &&
		    strcmp(conf->jobs[i].name, name) == 0)
			return &conf->jobs[i];
	return NULL;
}

bool
conf_name_is_valid(const char *name)
{
	static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < CONF_NAME_SIZE &&
	    strspn(name, alnum) == len && strchr("._-", name[0]) == NULL;
}

unsigned
conf_job_destinations(const struct conf_job *job,
    const char *names[RUN_MAX_DESTINATIONS])
{
	unsigned n = 0;

	if (job->destination != NULL)
		names[n++] = job->destination;
	for (size_t i = 0; i < job->destinations.n &&
	     n < RUN_MAX_DESTINATIONS; i++)
		names[n++] = job->destinations.v[i];
	return n;
}
