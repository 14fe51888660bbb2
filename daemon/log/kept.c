/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

#define RUN_SIZE 40

struct kept {
	char *text;			/* NULL: there is none yet */
	const struct log_message *message;
	int64_t at_ms;
	enum log_level level;
	char job[CONF_NAME_SIZE];	/* or "" */
	char run[RUN_SIZE];
};

static struct kept ring[DAEMON_LOG_KEPT];
static uint64_t next_seq = 1;

void
kept_add(const struct log_record *record)
{
	struct kept *k = &ring[next_seq % DAEMON_LOG_KEPT];
	const struct log_about *a = record->about;
	char *text = strdup(record->text);

	if (text == NULL)
		return;
	free(k->text);
	*k = (struct kept){ text, a->message, record->at_ms, record->level,
		"", "" };
	(void)snprintf(k->job, sizeof k->job, "%s",
	    a->job == NULL ? "" : a->job);
	(void)snprintf(k->run, sizeof k->run, "%s",
	    a->run == NULL ? "" : a->run);
	next_seq++;
}

static bool
is_wanted(const struct kept *k, const struct daemon_log_filter *filter)
{
	return k->level <= filter->level &&
	    (filter->job == NULL || strcmp(filter->job, k->job) == 0) &&
	    (filter->run == NULL || strcmp(filter->run, k->run) == 0);
}

/* JSON has to be UTF-8. */
static json_t *
text_to_json(const char *text)
{
	char printable[2100];
	json_t *value = json_string(text);

	return value != NULL ? value : json_string(escape_text(text,
	    strlen(text), printable, sizeof printable));
}

static json_t *
to_json(const struct kept *k, uint64_t seq)
{
	char stamp[LOG_STAMP_SIZE];

	return json_pack("{s:I, s:s, s:s, s:o, s:s*, s:s*, s:s*}", "seq",
	    (json_int_t)seq, "at", log_stamp(k->at_ms, stamp), "level",
	    log_level_name(k->level), "message", text_to_json(k->text), "id",
	    k->message == NULL ? NULL : k->message->name, "job",
	    k->job[0] == '\0' ? NULL : k->job, "run",
	    k->run[0] == '\0' ? NULL : k->run);
}

json_t *
kept_recent(const struct daemon_log_filter *filter, uint64_t *ret_seq)
{
	uint64_t oldest = next_seq > DAEMON_LOG_KEPT ?
	    next_seq - DAEMON_LOG_KEPT : 1;
	uint64_t since = filter->since < next_seq ? filter->since : next_seq;
	uint64_t first = since + 1 > oldest ? since + 1 : oldest;
	json_t *list = json_array();
	uint64_t seq = next_seq;
	size_t n = 0;

	/* Back to where the last of them begin, then forth. */
	while (seq > first && n < filter->limit)
		n += is_wanted(&ring[--seq % DAEMON_LOG_KEPT], filter);
	for (; seq < next_seq; seq++) {
		const struct kept *k = &ring[seq % DAEMON_LOG_KEPT];

		if (seq >= first && is_wanted(k, filter))
			(void)json_array_append_new(list, to_json(k, seq));
	}
	*ret_seq = next_seq - 1;
	return list;
}

void
kept_clear(void)
{
	for (size_t i = 0; i < DAEMON_LOG_KEPT; i++) {
		free(ring[i].text);
		ring[i].text = NULL;
	}
	next_seq = 1;
}
