/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Digests on the way.  To a slot, the digest is one more that needs its
 * bytes, and takes them when all before them on the line have been taken.
 * Zeroes are not read for it.
 *
 * A lane loads slots in the order of the line, and so the first that waits is
 * the next to be taken, once it is read.  That order is lost when a read has
 * to be done again: then what the digest waits for is loaded before all else.
 * While what has failed is tried again, in an order of its own, or where there
 * is no memory, slots that wait for the digest alone would be in its way: they
 * are put back, and read again later.
 *
 * What is given up voids the digest of the whole, and that of its block, which
 * never gets all its bytes; other blocks keep theirs.  Where bad blocks are
 * skipped, those of a block are not waited for: what can be read comes first.
 */

#include "copy/digest.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "copy/lane-private.h"

/* What is shared by the lanes. */

/* The end of what the source has on the line. */
static uint64_t
source_end(const struct copy_plan *plan)
{
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < plan->n_pieces; i++)
		if (!plan->pieces[i].is_rest)
			end = plan->pieces[i].position +
			    plan->pieces[i].length;
	return end;
}

static int
init_blocks(struct copy_digests *d, const struct copy_plan *plan)
{
	unsigned char value[DIGEST_MAX_SIZE];
	struct digest *zeroes = NULL;
	int r;

	d->n_blocks = (size_t)((source_end(plan) + plan->block_size - 1) /
	    plan->block_size);
	d->blocks = calloc(d->n_blocks + 1, sizeof *d->blocks);
	if (d->blocks == NULL)
		return -ENOMEM;
	r = digest_new(DIGEST_XXH3, &zeroes);
	if (r < 0)
		return r;
	digest_add_zeroes(zeroes, plan->block_size);
	r = digest_end(zeroes, value);
	digest_free(zeroes);
	memcpy(d->zeroes.value, value, COPY_BLOCK_VALUE);
	d->zeroes.is_known = r == 0;
	return r;
}

int
copy_digests_init(struct copy_digests *d, const struct copy_plan *plan)
{
	int r = 0;

	memset(d, 0, sizeof *d);
	if (plan->digest != DIGEST_NONE)
		r = digest_new(plan->digest, &d->whole);
	if (r == 0 && plan->digests_blocks)
		r = init_blocks(d, plan);
	return r;
}

void
copy_digests_done(struct copy_digests *d)
{
	digest_free(d->whole);
	free(d->blocks);
	memset(d, 0, sizeof *d);
}

/* A lane's. */

int
copy_digester_init(struct copy_lane *lane)
{
	struct copy_digester *d = &lane->digester;

	list_init(&d->waiting);
	list_init(&d->taken);
	d->block_index = UINT64_MAX;
	return lane->plan->digests_blocks ?
	    digest_new(DIGEST_XXH3, &d->block) : 0;
}

void
copy_digester_done(struct copy_lane *lane)
{
	digest_free(lane->digester.block);
}

static void
begin_block(struct copy_lane *lane, uint64_t index)
{
	struct copy_digester *d = &lane->digester;
	uint64_t from = index * lane->plan->block_size;
	unsigned char value[DIGEST_MAX_SIZE];

	/* One that was left unfinished: its lane has failed. */
	if (d->block_left > 0)
		(void)digest_end(d->block, value);
	d->block_index = index;
	d->block_left = copy_plan_bytes_in(lane->plan, from,
	    from + lane->plan->block_size);
}

static void
end_block(struct copy_lane *lane)
{
	struct copy_digester *d = &lane->digester;
	struct copy_block_digest *block =
	    &lane->ledger->digests->blocks[d->block_index];
	unsigned char value[DIGEST_MAX_SIZE];

	block->is_known = digest_end(d->block, value) == 0;
	memcpy(block->value, value, sizeof block->value);
}

/* bytes NULL: zeroes.  All of one block. */
static void
take_for_block(struct copy_lane *lane, uint64_t position,
    const unsigned char *bytes, uint64_t len)
{
	struct copy_digester *d = &lane->digester;
	struct copy_digests *all = lane->ledger->digests;
	uint64_t index = position / lane->plan->block_size;

	if (bytes == NULL && len == lane->plan->block_size) {
		memcpy(all->blocks[index].value, all->zeroes.value,
		    sizeof all->zeroes.value);
		all->blocks[index].is_known = all->zeroes.is_known;
		return;
	}
	if (index != d->block_index)
		begin_block(lane, index);
	if (bytes != NULL)
		digest_add(d->block, bytes, (size_t)len);
	else
		digest_add_zeroes(d->block, len);
	d->block_left -= len;
	if (d->block_left == 0)
		end_block(lane);
}

static void
take_for_blocks(struct copy_lane *lane, const struct copy_slot *slot,
    const unsigned char *bytes)
{
	uint64_t size = lane->plan->block_size;
	uint64_t position = slot->what.position;
	uint64_t left = slot->what.length;
	uint64_t n;

	for (; left > 0; left -= n) {
		n = size - position % size;
		if (n > left)
			n = left;
		take_for_block(lane, position, bytes, n);
		position += n;
		bytes = bytes == NULL ? NULL : bytes + n;
	}
}

static void
take(struct copy_lane *lane, struct copy_slot *slot)
{
	struct copy_digests *all = lane->ledger->digests;
	const unsigned char *bytes = slot->what.kind == COPY_DATA ?
	    slot->source.buffer : NULL;
	uint64_t len = slot->what.length;

	if (all->whole != NULL && !lane->digester.is_whole_void) {
		if (bytes != NULL)
			digest_add(all->whole, bytes, (size_t)len);
		else
			digest_add_zeroes(all->whole, len);
		all->whole_bytes += len;
	}
	if (all->blocks != NULL)
		take_for_blocks(lane, slot, bytes);
}

/* The order of the line. */

static struct copy_slot *
slot_of(struct list *node)
{
	return list_entry(node, struct copy_slot, digest_node);
}

static struct copy_slot *
first_waiting(struct copy_lane *lane)
{
	struct list *l = &lane->digester.waiting;

	return list_is_empty(l) ? NULL : slot_of(l->next);
}

/* Is stretch i of the map before this one of those that wait? */
static bool
is_before(const struct copy_lane *lane, size_t i, struct list *node)
{
	return i != SIZE_MAX && (node == &lane->digester.waiting ||
	    lane->map.v[i].position < slot_of(node)->what.position);
}

/*
 * The stretch for the digest that is first on the line, of those in the map.
 * Here the order may be lost: see whether it is.
 */
static size_t
find_first(const struct copy_map *m, bool *ret_is_sorted)
{
	size_t first = SIZE_MAX;
	uint64_t last = 0;
	size_t i;

	*ret_is_sorted = true;
	for (i = m->first; i < m->end; i++) {
		if ((m->v[i].targets & COPY_FOR_DIGEST) == 0)
			continue;
		if (m->v[i].position < last)
			*ret_is_sorted = false;
		last = m->v[i].position;
		if (first == SIZE_MAX ||
		    m->v[i].position < m->v[first].position)
			first = i;
	}
	return first;
}

/* The first on the line of what has failed; UINT64_MAX: nothing has. */
static uint64_t
first_bad(const struct copy_lane *lane)
{
	const struct copy_bads *b = &lane->bads;
	bool is_sorted;
	size_t i = find_first(&b->trying, &is_sorted);
	uint64_t first = i == SIZE_MAX ? UINT64_MAX : b->trying.v[i].position;

	for (i = 0; i < b->n; i++)
		if ((b->v[i].what.targets & COPY_FOR_DIGEST) != 0 &&
		    b->v[i].what.position < first)
			first = b->v[i].what.position;
	return first;
}

enum copy_order
copy_lane_order_for_digest(struct copy_lane *lane)
{
	const struct list *waiting = &lane->digester.waiting;
	struct copy_map *m = &lane->map;
	bool is_sorted;
	size_t i;

	if (!lane->digester.is_disordered)
		return COPY_ANY_ORDER;
	i = find_first(m, &is_sorted);
	if (is_before(lane, i, waiting->next)) {
		if (m->is_held && i >= m->held)
			return COPY_FIRST_IS_HELD;
		copy_map_bring_forward(m, i);
		return COPY_FIRST_IS_URGENT;
	}
	lane->digester.is_disordered = !is_sorted ||
	    is_before(lane, i, waiting->prev) ||
	    first_bad(lane) != UINT64_MAX;
	return COPY_ANY_ORDER;
}

/* Is there nothing before it on the line that has not been taken? */
static bool
is_next(struct copy_lane *lane, const struct copy_slot *slot)
{
	bool is_sorted;
	size_t i;

	if (!lane->digester.is_disordered)
		return true;
	i = find_first(&lane->map, &is_sorted);
	return (i == SIZE_MAX ||
		lane->map.v[i].position > slot->what.position) &&
	    first_bad(lane) > slot->what.position;
}

void
copy_slot_await_digest(struct copy_lane *lane, struct copy_slot *slot)
{
	struct list *l = lane->digester.waiting.prev;

	while (l != &lane->digester.waiting &&
	    slot_of(l)->what.position > slot->what.position)
		l = l->prev;
	list_remove(&slot->digest_node);
	list_append(l->next, &slot->digest_node);
	copy_lane_digest(lane);
}

/*
 * Bytes that are read for a destination and not for the digest, or the other
 * way round: what has become of the source between the two, nobody knows.
 */
void
copy_slot_note_unlike(struct copy_lane *lane, const struct copy_slot *slot)
{
	const struct copy_stretch *s = &slot->what;
	uint32_t unlike = s->targets;
	uint64_t size = lane->plan->block_size;
	uint64_t i;

	if (!lane->plan->digests_blocks || s->kind != COPY_DATA)
		return;
	if ((s->targets & COPY_FOR_DIGEST) != 0)
		unlike = ~s->targets & (copy_bit(lane->plan->n_targets) - 1);
	if (unlike == 0)
		return;
	for (i = s->position / size;
	     i <= (s->position + s->length - 1) / size; i++)
		(void)atomic_fetch_or(&lane->ledger->digests->blocks[i].unlike,
		    unlike);
}

void
copy_slot_leave_digest(struct copy_lane *lane, struct copy_slot *slot)
{
	list_remove(&slot->digest_node);
	lane->digester.is_disordered = true;
}

/* The digest needs the slot no more. */
static void
release(struct copy_lane *lane, struct copy_slot *slot)
{
	list_remove(&slot->digest_node);
	if (slot->what.kind == COPY_DATA)
		list_append(&lane->digester.taken, &slot->digest_node);
	slot->what.targets &= ~COPY_FOR_DIGEST;
	copy_slot_settle(lane, slot);
}

void
copy_lane_digest(struct copy_lane *lane)
{
	struct copy_slot *slot;

	while ((slot = first_waiting(lane)) != NULL) {
		if ((slot->what.kind == COPY_DATA && !slot->is_source_here) ||
		    !is_next(lane, slot))
			return;
		take(lane, slot);
		release(lane, slot);
	}
}

void
copy_lane_leave_out_of_digest(struct copy_lane *lane)
{
	struct copy_slot *slot;

	lane->digester.is_whole_void = true;
	if (lane->plan->digests_blocks)
		return;
	lane->digester.is_void = true;
	lane->digester.is_disordered = false;
	while ((slot = first_waiting(lane)) != NULL)
		release(lane, slot);
}

bool
copy_lane_digest_awaits(const struct copy_lane *lane,
    enum copy_error_class class)
{
	return lane->plan->on_error[COPY_SOURCE] != COPY_SKIP ||
	    class == COPY_ERROR_TIME ||
	    (lane->plan->digest != DIGEST_NONE &&
		!lane->digester.is_whole_void);
}

static bool
waits_for_digest_alone(const struct copy_slot *slot)
{
	return slot->what.targets == COPY_FOR_DIGEST &&
	    slot->n_given_out == 0 && slot->again == 0 &&
	    (slot->what.kind != COPY_DATA || slot->is_source_here);
}

/*
 * Nothing else is under way, and what they wait for has to be before that can
 * be: it is being tried again, or needs memory, or a slot.
 */
static bool
is_in_the_way(struct copy_lane *lane)
{
	struct list *waiting = &lane->digester.waiting;
	struct list *l;
	unsigned n = 0;

	if (list_is_empty(waiting) ||
	    (!copy_bads_go_first(lane) && !lane->digester.is_held &&
		!list_is_empty(&lane->free_slots) &&
		(lane->in_flight > 0 || copy_lane_has_depth(lane))))
		return false;
	for (l = waiting->next; l != waiting; l = l->next)
		if (waits_for_digest_alone(slot_of(l)))
			n++;
	return n > 0 && n == copy_lane_n_in_progress(lane);
}

/* Read it again, when what has failed is done with. */
static void
put_back(struct copy_lane *lane)
{
	struct list *waiting = &lane->digester.waiting;
	struct list *l;
	struct list *next;
	struct copy_slot *slot;

	for (l = waiting->next; l != waiting; l = next) {
		next = l->next;
		if (!waits_for_digest_alone(slot_of(l)))
			continue;
		slot = slot_of(l);
		copy_map_put(&lane->map, &slot->what);
		release(lane, slot);
		/* Whatever its kind, tell that there is a free one. */
		list_remove(&slot->digest_node);
		list_append(&lane->digester.taken, &slot->digest_node);
	}
	lane->digester.is_disordered = true;
}

struct copy_request *
copy_lane_take_digested(struct copy_lane *lane)
{
	struct list *node;

	if (is_in_the_way(lane))
		put_back(lane);
	node = list_take_first(&lane->digester.taken);
	return node == NULL ? NULL : &slot_of(node)->source;
}
