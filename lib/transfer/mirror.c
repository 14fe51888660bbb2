/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pass after pass of a mirror, and what may be said of it meanwhile.
 *
 * A pass is complete when it has succeeded, at all destinations, its flush
 * included.  Then all that had been written to the source when it began is at
 * the destinations: that time is the last consistent one.  A source that is
 * written meanwhile makes no image of one moment of it.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/units.h"
#include "transfer/series-private.h"

#define RETRY_MS     1000
#define MAX_RETRY_MS 60000
/* One of several destinations holds up the next pass of the others no longer,
   while it is lost. */
#define STRAGGLER_MS 10000

/* What stays as it is until somebody does something about it. */
static bool
is_for_good(const struct run_result *r)
{
	if (r->outcome != RUN_FAILED || r->failure.is_request)
		return false;
	switch (r->failure.errnum) {
	case -EINVAL:
	case -EROFS:
	case -ENOSPC:
	case -ERANGE:
	case -EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

static bool
lacks_some(const struct run_result *r, unsigned target)
{
	for (size_t i = 0; i < r->n_not_copied; i++)
		if (r->not_copied[i].destination == target)
			return true;
	return r->destination_failures[target] != NULL;
}

/* Of each destination that a pass has brought all to. */
static void
note_each(struct series *s)
{
	const struct run_result *r = &s->result;
	unsigned n = s->spec.n_destinations;
	unsigned n_lack = 0;
	unsigned i;

	s->mirror.n_destinations = n;
	for (i = 0; i < n; i++)
		n_lack += lacks_some(r, i);
	/* What some lack has to be known. */
	if (r->outcome != RUN_SUCCEEDED &&
	    (r->outcome != RUN_PARTIAL || n_lack == 0))
		return;
	for (i = 0; i < n; i++)
		if (!lacks_some(r, i))
			s->mirror.consistent_at_each_ms[i] = r->started_at_ms;
}

/* What a source had that is smaller now stays at the destinations. */
static void
note_size(struct series *s)
{
	uint64_t size = s->result.progress.source_size;

	if (size > s->largest_size)
		s->largest_size = size;
	s->mirror.shrunk_from = size < s->largest_size ? s->largest_size : 0;
}

static void
note_complete(struct series *s)
{
	struct run_mirror *m = &s->mirror;

	m->n_complete++;
	m->n_failed = 0;
	m->is_in_sync = true;
	m->consistent_at_ms = s->result.started_at_ms;
	m->failure[0] = '\0';
	note_size(s);
	s->retry_ms = 0;
	s->delay_ms = s->spec.interval_ms;
}

static const char *
failure_text(const struct run_result *r)
{
	for (unsigned i = 0; r->outcome == RUN_PARTIAL &&
	     i < RUN_MAX_DESTINATIONS; i++)
		if (r->destination_failures[i] != NULL)
			return r->destination_failures[i];
	return r->outcome == RUN_FAILED ? r->failure.error.text :
					  run_outcome_name(r->outcome);
}

static void
note_failed(struct series *s)
{
	struct run_mirror *m = &s->mirror;

	m->n_failed++;
	m->is_in_sync = false;
	(void)snprintf(m->failure, sizeof m->failure, "%s",
	    failure_text(&s->result));
	s->retry_ms = s->retry_ms == 0	      ? RETRY_MS :
	    s->retry_ms * 2 > MAX_RETRY_MS    ? MAX_RETRY_MS :
						s->retry_ms * 2;
	s->delay_ms = s->retry_ms;
	/* The others are well, and wait for no one. */
	if (s->result.outcome == RUN_PARTIAL &&
	    s->delay_ms > s->spec.interval_ms)
		s->delay_ms = s->spec.interval_ms > RETRY_MS ?
		    s->spec.interval_ms : RETRY_MS;
}

/*
 * Before the first complete pass a failure is taken for a mistake of who has
 * started it, unless some destination has got all.
 */
static bool
is_hopeless(const struct series *s)
{
	const struct run_result *r = &s->result;

	if (is_for_good(r))
		return true;
	if (s->mirror.n_complete > 0)
		return false;
	for (unsigned i = 0; r->outcome == RUN_PARTIAL &&
	     i < s->spec.n_destinations; i++)
		if (r->destination_failures[i] != NULL)
			return false;
	return true;
}

/* Behind a number of its own: that of "at offset 512", and not of "b2". */
static const char *
skip_number(const char *at, const char *start)
{
	if (at == start || at[-1] == ' ')
		while (isdigit((unsigned char)*at))
			at++;
	return at;
}

/* Each pass may fail at another place, for the same reason. */
bool
series_is_same_failure(const char *a, const char *b)
{
	const char *i = skip_number(a, a), *k = skip_number(b, b);

	while (*i == *k && *i != '\0') {
		i = skip_number(i + 1, a);
		k = skip_number(k + 1, b);
	}
	return *i == *k;
}

const char *
series_say_shrunk(const struct run_mirror *m, char text[SERIES_SENTENCE_SIZE])
{
	char was[UNITS_TEXT_SIZE];

	(void)snprintf(text, SERIES_SENTENCE_SIZE, "the source has become "
	    "smaller than the %s it had: what lies behind that stays at the "
	    "destinations as it was", units_format_size(m->shrunk_from, was));
	return text;
}

static enum series_step
after_pass(struct series *s)
{
	s->spec.mode = RUN_SYNC;
	s->spec.straggler_ms = STRAGGLER_MS;
	note_each(s);
	if (s->result.outcome == RUN_SUCCEEDED) {
		note_complete(s);
	} else {
		note_failed(s);
		if (s->is_cancelled || is_hopeless(s))
			return SERIES_END;
	}
	s->mirror.next_pass_at_ms = run_wall_clock_ms() +
	    (int64_t)s->delay_ms;
	return SERIES_PASS;
}

/* Between two passes: is what is at the destinations a whole one? */
static void
on_stopped(struct series *s)
{
	s->mirror.next_pass_at_ms = 0;
	s->result.outcome = s->mirror.is_in_sync ? RUN_STOPPED :
						   RUN_CANCELLED;
}

const struct series_kind series_mirror = {
	.after = after_pass,
	.on_stopped = on_stopped,
};
