/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections of a run that are lost while it copies, and come back: the log
 * says so, however quickly that is over, at most twice a second.  One that
 * stays away fails the run, and that is said as such.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "job/job-private.h"

static const char *
endpoint_of(const struct job *job, const struct run_loss *loss)
{
	return loss->is_destination && loss->destination < job->n_destinations ?
	    job->destinations[loss->destination] : job->source;
}

static void
say(struct job *job, const struct run_loss *loss) ON_MAIN
{
	const struct log_about about = { LOG_HERE,
		.message = &messages[MSG_LOST],
		.endpoint = endpoint_of(job, loss),
		.connection = loss->connection,
		.errnum = loss->error.code < 0 ? -loss->error.code : 0 };
	char more[64] = "";

	if (loss->n_more > 0)
		(void)snprintf(more, sizeof more, " (and %" PRIu64 " more)",
		    loss->n_more);
	job_say_about(job, about, LOG_LEVEL_WARNING, "connection %u to the %s "
	    "'%s' is lost%s, and tried again: %s", loss->connection,
	    loss->is_destination ? "destination" : "source",
	    about.endpoint, more, loss->error.text);
}

void
job_look_at_losses(struct job *job, const struct run_progress *p)
{
	CLEANUP(cleanup_free) struct run_loss *loss =
	    series_take_loss(job->run);

	if (loss != NULL) {
		say(job, loss);
		job->has_lost = true;
	}
	if (!job->has_lost || p->n_away > 0 || loss != NULL)
		return;
	job->has_lost = false;
	if (p->phase < RUN_STOPPING)
		job_say(job, MSG_BACK, LOG_LEVEL_INFO,
		    "all connections are there again");
}
