/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOG_FORMAT_H
#define LOG_FORMAT_H

#include <jansson.h>
#include <stdio.h>

#include "base/log.h"

/*
 * Records as text.  What can stand in a record's text was made harmless by
 * who logs; that a record is one line is seen to here.
 */

/* "2026-11-23T02:13:05.120Z error: TEXT" */
void format_human(const struct log_record *record, FILE *f);

/* time=2026-11-23T02:13:05.120Z level=error msg="TEXT" job=vm1 ... */
void format_logfmt(const struct log_record *record, FILE *f);

/* {"time":"2026-11-23T02:13:05.120Z","level":"error","message":"TEXT",...} */
void format_json(const struct log_record *record, FILE *f);

/* "MESSAGE=TEXT", "PRIORITY=3", ...: systemd.journal-fields(7) */
void format_journal(const struct log_record *record, FILE *f);

/* "<27>Nov 23 02:13:05 nbdsyncd[12]: TEXT", as /dev/log wants it */
void format_syslog(const struct log_record *record, FILE *f);

#endif
