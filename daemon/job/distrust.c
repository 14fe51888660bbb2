/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Destinations that have refused a flush: what they read need not be on their
 * disk.  A job remembers its own until a run has written all once more, which
 * it notes as soon as it happens: the run may go on for long, and the daemon
 * be killed.  Those of other jobs count where the endpoint is the same: often
 * one job copies, and another one compares.  So a job that is configured no
 * more, perhaps as it is called otherwise, leaves them to those that write
 * there, too, or at least look.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/job-private.h"

/*
 * What was refused stays refused, till all is written once more.  That of
 * before a restart may have become known after the run had begun; and what
 * another job was refused is for that to settle, but for what this one has
 * been refused as well.
 */
static bool
note(struct job *job, uint32_t distrusted, uint32_t refused) ON_MAIN
{
	uint32_t old = job->distrusted;

	distrusted &= ~job->others_distrusted;
	distrusted |= refused | job->late_distrusted;
	if (job->mode == RUN_VERIFY || job_is_partial(job))
		distrusted |= old;
	job->distrusted = distrusted;
	return distrusted != old;
}

void
job_look_at_distrust(struct job *job, const struct run_progress *p)
{
	if (!job->has_ended && note(job, p->distrusted, p->refused))
		job_keep_state(job);
}

void
job_note_distrust(struct job *job, const struct run_result *result)
{
	(void)note(job, result->distrusted, result->refused);
}

#define ID_SIZE 17	/* " 0123456789abcdef" */

/*
 * Bits are about destinations in the order that a run had them in, which a
 * reload may change; names go with them, each with a newline behind it, and
 * before that, what the endpoint of the name stands for: it may get another
 * name.
 */
static char *
join_names(const char *const names[], const struct job_disk disks[],
    unsigned n)
{
	size_t size = (size_t)n * (CONF_NAME_SIZE + ID_SIZE) + 1;
	char *list = malloc(size);
	size_t used = 0;

	if (list == NULL)
		return NULL;
	list[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		used += (size_t)snprintf(list + used, size - used, "%s",
		    names[i]);
		if (disks[i].id != 0)
			used += (size_t)snprintf(list + used, size - used,
			    " %016" PRIx64, disks[i].id);
		used += (size_t)snprintf(list + used, size - used, "\n");
	}
	return list;
}

/* Of the same name, or the same disk by another one? */
static bool
is_same_entry(const char *a, const char *b)
{
	size_t name_a = strcspn(a, " \n");
	size_t name_b = strcspn(b, " \n");

	if (name_a == name_b && strncmp(a, b, name_a) == 0)
		return true;
	return a[name_a] == ' ' && b[name_b] == ' ' &&
	    strncmp(a + name_a, b + name_b, ID_SIZE + 1) == 0;
}

/* Is the entry one of the list's, that these bits are about?  NULL: of all. */
static bool
is_meant(uint32_t bits, const char *list, const char *entry)
{
	if (list == NULL)
		return bits != 0;
	for (; *list != '\0'; list = strchr(list, '\n') + 1, bits >>= 1)
		if ((bits & 1) != 0 && is_same_entry(list, entry))
			return true;
	return false;
}

/* The bits of a list as those of another one. */
static uint32_t
translate(uint32_t bits, const char *from, const char *to)
{
	uint32_t translated = 0;
	uint32_t bit = 1;

	for (; *to != '\0'; to = strchr(to, '\n') + 1, bit <<= 1)
		if (is_meant(bits, from, to))
			translated |= bit;
	return translated;
}

void
job_take_distrusted(struct job *job, uint32_t distrusted, const char *list)
{
	/* A state that was damaged may have anything: it is of all, then. */
	if (list != NULL && (*list == '\0' || list[strlen(list) - 1] != '\n'))
		list = NULL;
	if (job->distrusted_for == NULL) {
		job->distrusted = distrusted;
		job->distrusted_for = list == NULL ? NULL : strdup(list);
		return;
	}
	/* It was not known when the run began that goes on now, or went. */
	distrusted = translate(distrusted, list, job->distrusted_for);
	if (job->run != NULL)
		job->late_distrusted |= distrusted & ~job->distrusted;
	job->distrusted |= distrusted;
}

/* Of a job that is not known yet, all that it has may have refused some. */
static uint32_t
distrusted_by(const struct job *other, const char *list) ON_MAIN
{
	CLEANUP(cleanup_free) char *theirs = NULL;
	const char *names[RUN_MAX_DESTINATIONS];

	if (!job_is_unknown(other))
		return other->distrusted == 0 ? 0 :
		    translate(other->distrusted, other->distrusted_for, list);
	for (unsigned i = 0; i < other->n_destinations; i++)
		names[i] = other->destinations[i];
	theirs = join_names(names, other->disks.destinations,
	    other->n_destinations);
	return translate(UINT32_MAX, theirs, list);
}

int
job_get_distrusted(struct job *job, const char *const names[], unsigned n,
    uint32_t *ret_distrusted)
{
	const struct job *other = NULL;
	char *list = join_names(names, job->disks.destinations, n);
	uint32_t others = 0;

	if (list == NULL)
		return -ENOMEM;
	job->distrusted = translate(job->distrusted, job->distrusted_for, list);
	free(job->distrusted_for);
	job->distrusted_for = list;
	while ((other = jobs_next(job->jobs, other)) != NULL)
		if (other != job)
			others |= distrusted_by(other, list);
	job->others_distrusted = others & ~job->distrusted;
	*ret_distrusted = job->distrusted | others;
	return 0;
}

/* True: the heir has such a destination. */
static bool
give(const struct job *job, struct job *heir) ON_MAIN
{
	const char *names[RUN_MAX_DESTINATIONS];
	char *list;
	uint32_t bits;

	for (unsigned i = 0; i < heir->n_destinations; i++)
		names[i] = heir->destinations[i];
	list = join_names(names, heir->disks.destinations,
	    heir->n_destinations);
	if (list == NULL)
		return false;
	bits = translate(job->distrusted, job->distrusted_for, list);
	if (bits == 0) {
		free(list);
		return false;
	}
	if (heir->run != NULL) {
		job_take_distrusted(heir, bits, list);
		free(list);
	} else {
		heir->distrusted = bits | translate(heir->distrusted,
		    heir->distrusted_for, list);
		free(heir->distrusted_for);
		heir->distrusted_for = list;
	}
	job_keep_state(heir);
	return true;
}

void
job_leave_distrust(struct job *job)
{
	struct job *heir = NULL;
	bool has_heir = false;

	if (job->distrusted == 0)
		return;
	while ((heir = jobs_next(job->jobs, heir)) != NULL)
		if (heir != job && heir->is_configured &&
		    heir->mode != RUN_VERIFY)
			has_heir |= give(job, heir);
	while (!has_heir && (heir = jobs_next(job->jobs, heir)) != NULL)
		if (heir != job && heir->is_configured)
			(void)give(job, heir);
}
