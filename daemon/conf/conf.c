/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations: from files to a struct conf, in steps that each note what
 * they find: read (is it a file of a sane size that is ours alone), lint
 * (what libconfig would not say), parse (libconfig, then the table of
 * options), and when all files are read, check (across values).
 *
 * Each file has a tree of its own, so libconfig includes nothing and every
 * message has the right file and line.
 */

#include "conf/conf.h"

#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "conf/check.h"
#include "conf/lint.h"
#include "conf/lists.h"
#include "conf/parse.h"
#include "conf/read.h"

static int
parse_text(struct config_t *tree, const char *text,
    struct conf_problems *problems)
{
	unsigned line;

	if (config_read_string(tree, text) == CONFIG_TRUE)
		return 0;
	line = (unsigned)config_error_line(tree);
	if (!conf_problems_has_line(problems, line))
		conf_problems_add(problems, (struct conf_spot){ line, 0 },
		    "%s (a setting is written "
		    "name = value; strings and values with units stand in "
		    "quotes; no \",\" after the last item of a list)",
		    config_error_text(tree));
	return -EINVAL;
}

/* Add a file without a tree. */
static struct conf_file *
add_file(struct conf *conf, const char *name)
{
	struct conf_file *file = &conf->files[conf->n_files];

	*file = (struct conf_file){ .name = strdup(name) };
	if (file->name == NULL)
		return NULL;
	file->tree = malloc(sizeof *file->tree);
	if (file->tree == NULL) {
		free(file->name);
		return NULL;
	}
	config_init(file->tree);
	conf->n_files++;
	return file;
}

/* A password that everybody can read is none. */
static void
check_secrets(const struct conf *conf, unsigned nth,
    struct conf_problems *problems)
{
	for (size_t i = 0; i < conf->n_tls; i++)
		if (conf->tls[i].place.file == nth &&
		    conf->tls[i].key_password != NULL)
			conf_problems_add(problems, conf->tls[i].place.spot,
			    "\"key_password\" is a secret, but everybody can "
			    "read this file: its mode must be 0640 or less");
}

/*
 * name is what messages call it.  What it has is added to sum.  -EINVAL:
 * nothing could be made of it.
 */
static int
load_file(struct conf *conf, const char *path, const char *name,
    struct digest *sum, struct conf_problems *problems)
{
	static const char bom[] = "\xef\xbb\xbf";
	CLEANUP(cleanup_free) char *text = NULL;
	struct conf_file *file = add_file(conf, name);
	unsigned nth = (unsigned)conf->n_files - 1;
	bool is_world_readable;
	const char *start;
	size_t len;
	int r;

	if (file == NULL)
		return -ENOMEM;
	conf_problems_set_file(problems, nth, file->name);
	r = read_conf_file(path, &text, &len, &is_world_readable, problems);
	if (r < 0)
		return r;
	digest_add(sum, text, len);
	start = text;
	if (strncmp(start, bom, strlen(bom)) == 0)
		start += strlen(bom);
	if (!lint_text(start, len - (size_t)(start - text), &file->spots,
	    problems))
		return -EINVAL;
	r = parse_text(file->tree, start, problems);
	if (r == 0) {
		conf_spots_attach(&file->spots, file->tree);
		r = parse_file(conf, nth, problems);
	}
	if (r == 0 && is_world_readable)
		check_secrets(conf, nth, problems);
	return r;
}

static void
free_paths(char ***paths)
{
	for (size_t i = 0; *paths != NULL && (*paths)[i] != NULL; i++)
		free((*paths)[i]);
	free(*paths);
}

/* All files are looked at, so that all their mistakes are known. */
static int
load_included(struct conf *conf, struct digest *sum,
    struct conf_problems *problems)
{
	CLEANUP(free_paths) char **paths = NULL;
	const char *dir = conf->main.include_dir;
	const config_setting_t *setting;
	int result = 0;
	int r;

	if (dir == NULL)
		return 0;
	setting = config_lookup(conf->files[0].tree, "include_dir");
	r = read_conf_dir(dir, conf_spot_of(setting), &paths,
	    problems);
	for (size_t i = 0; r == 0 && paths[i] != NULL; i++) {
		r = load_file(conf, paths[i], paths[i], sum, problems);
		if (r == -EINVAL) {
			result = r;
			r = 0;
		}
	}
	return r < 0 ? r : result;
}

static int
load(const char *path, const char *name, struct conf *conf,
    struct digest *sum, struct conf_problems *problems)
{
	int r, result;

	conf->files = calloc(1 + CONF_FILES_MAX, sizeof *conf->files);
	if (conf->files == NULL)
		return -ENOMEM;
	r = load_file(conf, path, name, sum, problems);
	if (r < 0)
		return r;
	result = load_included(conf, sum, problems);
	if (result < 0 && result != -EINVAL)
		return result;
	if ((r = conf_lists_sort(conf)) < 0 ||
	    (r = parse_jobs(conf, problems)) < 0 ||
	    (r = conf_lists_sort(conf)) < 0)
		return r;
	/* What a broken file has would be missed everywhere. */
	return result < 0 ? result : check_conf(conf, problems);
}

int
conf_load(const char *path, struct conf **ret_conf,
    struct conf_problems *problems)
{
	CLEANUP(conf_freep) struct conf *conf = calloc(1, sizeof *conf);
	unsigned char value[DIGEST_MAX_SIZE];
	const char *name = problems->file;
	struct digest *sum = NULL;
	int r;

	if (conf == NULL || digest_new(DIGEST_SHA256, &sum) < 0)
		return -ENOMEM;
	r = load(path, name, conf, sum, problems);
	conf_problems_set_file(problems, 0, name);
	conf_problems_sort(problems);
	if (r == 0)
		r = digest_end(sum, value);
	digest_free(sum);
	if (r < 0)
		return r;
	(void)digest_format(DIGEST_SHA256, value, conf->sha256);
	*ret_conf = STEAL(conf);
	return 0;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->n_endpoints; i++)
		endpoint_spec_free(conf->endpoints[i].spec);
	conf_lists_free(conf);
	conf_options_free(OPTION_GROUP_CONTROL, &conf->control);
	conf_options_free(OPTION_GROUP_DAEMON, &conf->daemon);
	for (size_t i = 0; i < conf->n_files; i++) {
		config_destroy(conf->files[i].tree);
		free(conf->files[i].tree);
		conf_spots_done(&conf->files[i].spots);
		free(conf->files[i].name);
	}
	free(conf->files);
	free(conf->logs.v);
	free(conf);
}

void
conf_freep(struct conf **conf)
{
	conf_free(*conf);
}

unsigned
conf_job_templates(const struct conf *conf, const struct conf_job *job,
    const struct conf_template *chain[CONF_TEMPLATE_DEPTH])
{
	const struct conf_template *t = conf_find_template(conf,
	    job->template != NULL ? job->template : CONF_TEMPLATE_DEFAULT);
	unsigned n = 0;

	while (t != NULL && n < CONF_TEMPLATE_DEPTH) {
		chain[n++] = t;
		t = t->inherit == NULL ? NULL :
		    conf_find_template(conf, t->inherit);
	}
	return n;
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
