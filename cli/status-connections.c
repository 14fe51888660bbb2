/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connections of a run, as the control API lists them: those to one disk
 * together in a line, or each in a row.
 */
#include "cli/status-connections.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/answer.h"
#include "cli/output.h"

static void
add(struct connections *c, const json_t *o)
{
	const char *state = answer_text(o, "state");
	double p99 = json_number_value(json_object_get(o, "latency_p99_ms"));

	c->n++;
	c->n_reconnects += json_integer_value(json_object_get(o,
	    "reconnects"));
	if (strcmp(state, "ready") != 0) {
		if (strcmp(state, "connecting") == 0)
			return;
		if (c->lost == NULL)
			c->lost = o;
		c->n_lost++;
		return;
	}
	if (c->n_ready++ == 0)
		c->tls = answer_text(o, "tls");
	c->in_flight += json_integer_value(json_object_get(o, "in_flight"));
	if (p99 > c->p99_ms)
		c->p99_ms = p99;
}

int
connections_next(const json_t *list, size_t *i, struct connections *ret)
{
	const json_t *o = json_array_get(list, *i);
	struct connections c = { .tls = "" };

	if (o == NULL)
		return -ENOENT;
	c.endpoint = answer_text(o, "endpoint");
	c.is_destination = strcmp(answer_text(o, "side"), "destination") == 0;
	for (const char *side = answer_text(o, "side"); o != NULL &&
	     strcmp(answer_text(o, "side"), side) == 0 &&
	     strcmp(answer_text(o, "endpoint"), c.endpoint) == 0;
	     o = json_array_get(list, *i)) {
		add(&c, o);
		(*i)++;
	}
	*ret = c;
	return 0;
}

static void __attribute__((format(printf, 3, 4)))
append(char buf[CONNECTIONS_TEXT_SIZE], size_t *used, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf + *used, CONNECTIONS_TEXT_SIZE - *used, fmt, ap);
	va_end(ap);
	if (n > 0)
		*used += (size_t)n;
	if (*used >= CONNECTIONS_TEXT_SIZE)
		*used = CONNECTIONS_TEXT_SIZE - 1;
}

const char *
connections_state(const struct connections *c, char buf[CONNECTIONS_TEXT_SIZE])
{
	size_t used = 0;

	append(buf, &used, "%s: ", c->endpoint);
	if (c->n_ready < c->n)
		append(buf, &used, "%u of ", c->n_ready);
	append(buf, &used, "%u ready", c->n);
	if (c->n_ready > 0)
		append(buf, &used, ", %" JSON_INTEGER_FORMAT " in flight",
		    c->in_flight);
	if (c->p99_ms > 0)
		append(buf, &used, ", p99 %.*f ms", c->p99_ms < 10 ? 1 : 0,
		    c->p99_ms);
	output_make_printable(buf);
	return buf;
}

const char *
connections_text(const struct connections *c, char buf[CONNECTIONS_TEXT_SIZE])
{
	size_t used = strlen(connections_state(c, buf));
	char reconnects[UNITS_TEXT_SIZE];

	if (c->n_ready > 0)
		append(buf, &used, ", %s", c->tls[0] == '\0' ? "no TLS" :
		    c->tls);
	if (c->n_reconnects > 0)
		append(buf, &used, ", %s", units_format_count(
		    (uint64_t)c->n_reconnects, "reconnect", reconnects));
	output_make_printable(buf);
	return buf;
}

const char *
connections_trouble(const struct connections *c,
    char buf[CONNECTIONS_TEXT_SIZE])
{
	const json_t *next;
	size_t used = 0;

	buf[0] = '\0';
	if (c->lost == NULL)
		return buf;
	append(buf, &used, "#%" JSON_INTEGER_FORMAT " %s: %s",
	    json_integer_value(json_object_get(c->lost, "id")),
	    answer_text(c->lost, "state"), answer_text(c->lost, "error"));
	next = json_object_get(c->lost, "next_try_s");
	if (json_is_integer(next))
		append(buf, &used, "; next try in %" JSON_INTEGER_FORMAT " s",
		    json_integer_value(next));
	if (c->n_lost > 1)
		append(buf, &used, "; and %u more", c->n_lost - 1);
	output_make_printable(buf);
	return buf;
}

enum {
	COLUMN_ENDPOINT,
	COLUMN_STATE,
	COLUMN_IN_FLIGHT,
	COLUMN_LATENCY,
	COLUMN_P99,
	COLUMN_RECONNECTS,
	COLUMN_TLS,
	N_COLUMNS,
};

static void
number_cell(const json_t *o, const char *key, char *cell)
{
	(void)snprintf(cell, OUTPUT_CELL_SIZE, "%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(o, key)));
}

static void
latency_cell(const json_t *o, const char *key, char *cell)
{
	const json_t *latency = json_object_get(o, key);

	if (json_is_number(latency))
		(void)snprintf(cell, OUTPUT_CELL_SIZE, "%.1f ms",
		    json_number_value(latency));
	else
		(void)snprintf(cell, OUTPUT_CELL_SIZE, "-");
}

static void
read_row(const json_t *o, struct output_row *row)
{
	const char *error = answer_text(o, "error");

	(void)snprintf(row->cell[COLUMN_ENDPOINT], OUTPUT_CELL_SIZE,
	    "%s #%" JSON_INTEGER_FORMAT, answer_text(o, "endpoint"),
	    json_integer_value(json_object_get(o, "id")));
	(void)snprintf(row->cell[COLUMN_STATE], OUTPUT_CELL_SIZE, "%s%s%s",
	    answer_text(o, "state"), error[0] != '\0' ? ": " : "", error);
	number_cell(o, "in_flight", row->cell[COLUMN_IN_FLIGHT]);
	latency_cell(o, "latency_ms", row->cell[COLUMN_LATENCY]);
	latency_cell(o, "latency_p99_ms", row->cell[COLUMN_P99]);
	number_cell(o, "reconnects", row->cell[COLUMN_RECONNECTS]);
	if (answer_text(o, "tls")[0] == '\0')
		(void)snprintf(row->cell[COLUMN_TLS], OUTPUT_CELL_SIZE, "-");
	else
		(void)snprintf(row->cell[COLUMN_TLS], OUTPUT_CELL_SIZE,
		    "%s %s", answer_text(o, "tls"),
		    answer_text(o, "tls_cipher"));
}

int
connections_print(const struct command *command, const json_t *list)
{
	static const char *const heading[] = { "CONNECTION", "STATE",
		"IN FLIGHT", "LATENCY", "P99", "RECONNECTS", "TLS" };

	return output_list(command, list, heading, N_COLUMNS, read_row);
}
