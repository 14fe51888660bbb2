/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync map: a picture of what of a job's disk is done.
 */
#include <errno.h>
#include <langinfo.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/exit-codes.h"
#include "cli/job-map.h"
#include "cli/job-mapfile.h"
#include "cli/message.h"
#include "cli/output.h"

enum {
	OPTION_CELLS = OPTION_OWN,
	OPTION_SVG,
	OPTION_DDRESCUE,
	OPTION_ASCII,
	PRINT_COLUMNS = 64,
};

const struct option_row options_map[] = {
	{ "cells", OPTION_CELLS, "N", "into how many parts the disk is cut" },
	{ "svg", OPTION_SVG, "FILE", "write a picture as SVG" },
	{ "ddrescue", OPTION_DDRESCUE, "FILE",
	    "write a mapfile, as of ddrescue(1)" },
	{ "ascii", OPTION_ASCII, NULL, "use no characters but ASCII" },
	{ "socket", OPTION_SOCKET, "PATH",
	    "the daemon's socket (or NBDSYNC_SOCKET)" },
	{ "json", OPTION_JSON, NULL, "print what the daemon tells, as JSON" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

struct request {
	struct control control;
	const char *job;
	const char *svg;
	const char *ddrescue;
	unsigned n_cells;
	bool ascii;
};

static int
set_option(struct options *o, void *arg, int id, const char *value)
{
	struct request *r = arg;

	switch (id) {
	case OPTION_CELLS:
		return options_number(o, "cells", value, JOB_MAP_CELLS_MAX,
		    &r->n_cells);
	case OPTION_SVG:
		r->svg = value;
		return 0;
	case OPTION_DDRESCUE:
		r->ddrescue = value;
		return 0;
	default:
		r->ascii = true;
		return 0;
	}
}

static int
tell_unknown(const struct request *r)
{
	message(r->control.command,
	    "nothing is known of the disk of job '%s' yet", r->job);
	return CLI_ERROR;
}

static int
tell_no_map(const struct request *r)
{
	message(r->control.command, "the daemon's answer has no map in it");
	return CLI_ERROR;
}

/* What write makes of the map goes to the file. */
static int
write_file(const struct request *r, const char *path, const void *map,
    void (*write)(const void *map, const char *job, FILE *f))
{
	FILE *f = fopen(path, "we");
	bool is_good;

	if (f == NULL) {
		message(r->control.command, "cannot write '%s': %s", path,
		    strerror(errno));
		return CLI_ERROR;
	}
	write(map, r->job, f);
	is_good = ferror(f) == 0;
	if (fclose(f) == 0 && is_good)
		return CLI_OK;
	message(r->control.command, "cannot write '%s': %s", path,
	    strerror(errno));
	return CLI_ERROR;
}

static void
write_svg(const void *map, const char *job, FILE *f)
{
	job_map_write_svg(map, job, f);
}

static void
write_mapfile(const void *map, const char *job, FILE *f)
{
	job_mapfile_write(map, job, f);
}

static int
show_cells(const struct request *r, const json_t *json)
{
	bool utf8 = !r->ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	int exit_code = CLI_OK;
	struct job_map map;

	if (job_map_read(json, &map) < 0)
		return tell_no_map(r);
	if (map.n_cells == 0)
		exit_code = tell_unknown(r);
	else if (r->svg != NULL)
		exit_code = write_file(r, r->svg, &map, write_svg);
	else
		job_map_print(&map, PRINT_COLUMNS, utf8);
	job_map_done(&map);
	return exit_code;
}

static int
show_mapfile(const struct request *r, const json_t *json)
{
	struct job_mapfile map;
	int exit_code;

	if (job_mapfile_read(json, &map) < 0)
		return tell_no_map(r);
	exit_code = map.n == 0 ? tell_unknown(r) :
	    write_file(r, r->ddrescue, &map, write_mapfile);
	job_mapfile_done(&map);
	return exit_code;
}

static int
ask(const struct request *r, const char *query,
    int (*show)(const struct request *r, const json_t *json))
{
	json_t *json = NULL;
	char suffix[48];
	int exit_code;

	(void)snprintf(suffix, sizeof suffix, "/map?%s", query);
	exit_code = control_ask_job(&r->control, "GET", r->job, suffix, 0,
	    &json);
	if (exit_code != CLI_OK)
		return exit_code;
	if (r->control.json)
		return output_json(json);
	exit_code = show(r, json);
	json_decref(json);
	return exit_code;
}

int
command_map(const struct command *command, int argc, char **argv)
{
	struct request r = { .n_cells = 1024 };
	int exit_code = CLI_OK;
	struct options o;
	char query[32];

	if (control_open(&r.control, command, &o, argc, argv, set_option,
	    &r) < 0)
		return o.exit_code;
	r.job = o.argv[0];
	(void)snprintf(query, sizeof query, "cells=%u", r.n_cells);
	if (r.ddrescue != NULL)
		exit_code = ask(&r, "exact=1", show_mapfile);
	if (exit_code == CLI_OK && (r.ddrescue == NULL || r.svg != NULL))
		exit_code = ask(&r, query, show_cells);
	return exit_code;
}
