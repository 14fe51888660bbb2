/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log/format.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"

#define FACILITY_DAEMON (3 << 3)

/* As syslog(3) counts. */
static int
priority_of(enum log_level level)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = 3,
		[LOG_LEVEL_WARNING] = 4,
		[LOG_LEVEL_INFO] = 6,
		[LOG_LEVEL_DEBUG] = 7,
	};

	return priorities[level];
}

/* One line, whatever it is. */
static void
put_line(const char *text, FILE *f)
{
	for (; *text != '\0'; text++)
		(void)fputc(*text == '\n' ? ' ' : *text, f);
}

void
format_human(const struct log_record *record, FILE *f)
{
	char stamp[LOG_STAMP_SIZE];

	(void)fprintf(f, "%s %s: ", log_stamp(record->at_ms, stamp),
	    log_level_name(record->level));
	put_line(record->text, f);
	(void)fputc('\n', f);
}

static void
put_quoted(const char *key, const char *text, FILE *f)
{
	(void)fprintf(f, " %s=\"", key);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', f);
		(void)fputc(*text == '\n' ? ' ' : *text, f);
	}
	(void)fputc('"', f);
}

/* Names and numbers need no quotes. */
static void
put_word(const char *key, const char *word, FILE *f)
{
	if (word != NULL && word[0] != '\0')
		(void)fprintf(f, " %s=%s", key, word);
}

static void
put_number(const char *key, uint64_t number, FILE *f)
{
	(void)fprintf(f, " %s=%" PRIu64, key, number);
}

void
format_logfmt(const struct log_record *record, FILE *f)
{
	const struct log_about *a = record->about;
	char stamp[LOG_STAMP_SIZE];

	(void)fprintf(f, "time=%s level=%s", log_stamp(record->at_ms, stamp),
	    log_level_name(record->level));
	put_quoted("msg", record->text, f);
	put_word("id", a->message == NULL ? NULL : a->message->name, f);
	put_word("job", a->job, f);
	put_word("run", a->run, f);
	put_word("endpoint", a->endpoint, f);
	if (a->connection > 0)
		put_number("connection", a->connection, f);
	if (a->length > 0) {
		put_number("offset", a->offset, f);
		put_number("length", a->length, f);
	}
	if (a->errnum != 0)
		put_number("errno", (uint64_t)a->errnum, f);
	(void)fputc('\n', f);
}

static void
set_text(json_t *o, const char *key, const char *text)
{
	char printable[2100];
	json_t *value;

	if (text == NULL || text[0] == '\0')
		return;
	value = json_string(text);
	if (value == NULL)
		value = json_string(escape_text(text, strlen(text), printable,
		    sizeof printable));
	(void)json_object_set_new(o, key, value);
}

void
format_json(const struct log_record *record, FILE *f)
{
	const struct log_about *a = record->about;
	char stamp[LOG_STAMP_SIZE];
	json_t *o = json_object();

	set_text(o, "time", log_stamp(record->at_ms, stamp));
	set_text(o, "level", log_level_name(record->level));
	set_text(o, "message", record->text);
	set_text(o, "id", a->message == NULL ? NULL : a->message->name);
	set_text(o, "job", a->job);
	set_text(o, "job_uuid", a->job_uuid);
	set_text(o, "run", a->run);
	set_text(o, "endpoint", a->endpoint);
	if (a->connection > 0)
		(void)json_object_set_new(o, "connection",
		    json_integer(a->connection));
	if (a->length > 0) {
		(void)json_object_set_new(o, "offset",
		    json_integer((json_int_t)a->offset));
		(void)json_object_set_new(o, "length",
		    json_integer((json_int_t)a->length));
	}
	if (a->errnum != 0)
		(void)json_object_set_new(o, "errno", json_integer(a->errnum));
	(void)json_dumpf(o, f, JSON_COMPACT | JSON_PRESERVE_ORDER);
	(void)fputc('\n', f);
	json_decref(o);
}

static void
put_field(const char *key, const char *text, FILE *f)
{
	if (text == NULL || text[0] == '\0')
		return;
	(void)fprintf(f, "%s=", key);
	put_line(text, f);
	(void)fputc('\n', f);
}

/*
 * "daemon/job/job.c", from wherever it was built: what this file's name has
 * before its own, all have.
 */
static const char *
source_name(const char *file)
{
	static const char here[] = __FILE__;
	static const char own[] = "daemon/log/format.c";
	size_t prefix = sizeof here - sizeof own;

	return file != NULL && strncmp(file, here, prefix) == 0 ?
	    file + prefix :
	    file;
}

void
format_journal(const struct log_record *record, FILE *f)
{
	const struct log_about *a = record->about;

	put_field("MESSAGE", record->text, f);
	(void)fprintf(f, "PRIORITY=%d\nSYSLOG_IDENTIFIER=nbdsync\n"
	    "SYSLOG_FACILITY=3\nSYSLOG_PID=%d\n",
	    priority_of(record->level), (int)getpid());
	put_field("MESSAGE_ID", a->message == NULL ? NULL : a->message->id, f);
	put_field("NBDSYNC_JOB", a->job, f);
	put_field("NBDSYNC_JOB_UUID", a->job_uuid, f);
	put_field("NBDSYNC_RUN", a->run, f);
	put_field("NBDSYNC_ENDPOINT", a->endpoint, f);
	if (a->connection > 0)
		(void)fprintf(f, "NBDSYNC_CONN=%u\n", a->connection);
	if (a->length > 0)
		(void)fprintf(f, "NBDSYNC_OFFSET=%" PRIu64 "\n"
		    "NBDSYNC_LENGTH=%" PRIu64 "\n", a->offset, a->length);
	if (a->errnum != 0)
		(void)fprintf(f, "ERRNO=%d\n", a->errnum);
	put_field("CODE_FILE", source_name(a->file), f);
	if (a->line > 0)
		(void)fprintf(f, "CODE_LINE=%d\n", a->line);
}

void
format_syslog(const struct log_record *record, FILE *f)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(record->at_ms / 1000);
	struct tm tm = { .tm_mday = 1 };

	(void)localtime_r(&seconds, &tm);
	(void)fprintf(f, "<%d>%s %2d %02d:%02d:%02d nbdsyncd[%d]: ",
	    FACILITY_DAEMON | priority_of(record->level),
	    months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    (int)getpid());
	put_line(record->text, f);
}
