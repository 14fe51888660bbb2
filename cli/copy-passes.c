/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said of a mirror's passes while they follow each other, as it cannot
 * wait for the end: that the first is complete, that they fail, and why, and
 * that one is complete again; and that the source has become smaller.
 */
#include "cli/copy-passes.h"

#include <stdio.h>

#include "cli/message.h"
#include "transfer/series.h"

/* A cause is told once, however many passes it lets fail. */
static void
tell_failing(struct copy_passes *p, const struct run_mirror *m, bool is_ending)
{
	if (is_ending || (p->failure[0] != '\0' &&
		series_is_same_failure(p->failure, m->failure)))
		return;
	(void)snprintf(p->failure, sizeof p->failure, "%s", m->failure);
	bar_clear(p->bar);
	message(p->command, "pass %u has failed and will be done again: %s",
	    m->pass, m->failure);
}

static void
tell_complete(struct copy_passes *p, bool is_first)
{
	bool is_again = p->failure[0] != '\0';

	p->failure[0] = '\0';
	if (p->is_quiet || (!is_first && !is_again))
		return;
	bar_clear(p->bar);
	message(p->command, is_first ?
	    "the first pass is complete; mirroring until interrupted" :
	    "a pass is complete again");
}

static void
tell_size(struct copy_passes *p, const struct run_mirror *m)
{
	char text[SERIES_SENTENCE_SIZE];

	if (p->shrunk_from == m->shrunk_from)
		return;
	p->shrunk_from = m->shrunk_from;
	if (m->shrunk_from == 0)
		return;
	bar_clear(p->bar);
	message(p->command, "%s", series_say_shrunk(m, text));
}

void
copy_passes_tell(struct copy_passes *p, const struct run_mirror *m,
    bool is_ending)
{
	bool is_first = p->n_complete == 0;

	if (m->n_failed > p->n_failed)
		tell_failing(p, m, is_ending);
	else if (m->n_complete > p->n_complete)
		tell_complete(p, is_first);
	tell_size(p, m);
	p->n_complete = m->n_complete;
	p->n_failed = m->n_failed;
}
