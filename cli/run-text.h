/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_RUN_TEXT_H
#define CLI_RUN_TEXT_H

#include <jansson.h>

#include "cli/job-status.h"

/*
 * Lines about a run, to standard output: what it is, in a column of its own,
 * and a text, which may come from anywhere.
 */
void run_text_line(const char *what, const char *text);
/* A time as the daemon writes it, as a local one. */
void run_text_time(const char *what, const char *utc);

/* What an earlier run had done already, if any. */
void run_text_resumed(const char *what, const struct job_run *run);
/* The first of what a report says was skipped; the rest is for programs. */
void run_text_skipped(const json_t *report);
/* What the servers lack, and what was done instead. */
void run_text_notes(const json_t *report);

#endif
