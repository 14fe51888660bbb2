/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "transfer/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of what became durable last, so much of each range is looked at again. */
#define RECENT_BYTES (64U * 1024)

void
keeper_init(struct keeper *k)
{
	memset(k, 0, sizeof *k);
	(void)pthread_mutex_init(&k->lock, NULL);
}

void
keeper_done(struct keeper *k)
{
	unsigned i;

	for (i = 0; i < COPY_MAX_TARGETS; i++)
		ranges_done(&k->durable[i]);
	for (i = 0; i <= COPY_MAX_TARGETS; i++)
		free(k->sides[i].identity);
	(void)pthread_mutex_destroy(&k->lock);
}

/* The end of a range is what was written last. */
static void
note_recent(struct keeper *k, const struct range *r)
{
	struct range *slot = &k->recent[k->n_recent++ % STORE_MAX_RECENT];
	uint64_t len = r->len < RECENT_BYTES ? r->len : RECENT_BYTES;

	slot->offset = r->offset + r->len - len;
	slot->len = len;
}

int
keeper_take(struct keeper *k, struct copy_lane *lane, unsigned target)
{
	struct ranges news;
	size_t i;
	int r;

	ranges_init(&news);
	r = copy_lane_take_durable(lane, target, &news);
	if (r == 0 && news.n > 0) {
		(void)pthread_mutex_lock(&k->lock);
		if ((k->distrusted >> target & 1) == 0) {
			r = ranges_add_all(&k->durable[target], &news);
			for (i = 0; i < news.n; i++)
				note_recent(k, &news.v[i]);
			k->has_news = true;
		}
		(void)pthread_mutex_unlock(&k->lock);
	}
	ranges_done(&news);
	return r;
}

void
keeper_distrust(struct keeper *k, unsigned target)
{
	(void)pthread_mutex_lock(&k->lock);
	k->distrusted |= (uint32_t)1 << target;
	ranges_clear(&k->durable[target]);
	k->has_news = true;
	(void)pthread_mutex_unlock(&k->lock);
}

void
keeper_has_news(struct keeper *k)
{
	(void)pthread_mutex_lock(&k->lock);
	k->has_news = true;
	(void)pthread_mutex_unlock(&k->lock);
}

bool
keeper_is_empty(struct keeper *k)
{
	bool is_empty = true;
	unsigned i;

	(void)pthread_mutex_lock(&k->lock);
	for (i = 0; i < COPY_MAX_TARGETS; i++)
		is_empty = is_empty && k->durable[i].n == 0;
	(void)pthread_mutex_unlock(&k->lock);
	return is_empty;
}
