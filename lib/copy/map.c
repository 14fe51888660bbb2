/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The most one claim grows to on a disk that is all zero. */
#define MAX_CLAIM (1024ULL * 1024 * 1024)

static uint64_t
round_down(uint64_t n, uint32_t align)
{
	return n & ~(uint64_t)(align - 1);
}

static uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
copy_map_init(struct copy_map *m, const struct copy_plan *plan,
    struct copy_cursor *cursor, struct copy_ledger *ledger)
{
	memset(m, 0, sizeof *m);
	m->plan = plan;
	m->cursor = cursor;
	m->ledger = ledger;
	m->claim_size = plan->claim_size;
	m->claim_has_data = true;
}

void
copy_map_done(struct copy_map *m)
{
	free(m->v);
	m->v = NULL;
}

static bool
reserve(struct copy_map *m)
{
	struct copy_stretch *v;
	size_t room;

	if (m->first == m->end)
		m->first = m->end = m->held = 0;
	if (m->end < m->room)
		return true;
	if (m->first > 0) {
		m->end -= m->first;
		m->held -= m->first < m->held ? m->first : m->held;
		memmove(m->v, m->v + m->first, m->end * sizeof *m->v);
		m->first = 0;
		return true;
	}
	room = m->room ? m->room * 2 : 64;
	v = reallocarray(m->v, room, sizeof *v);
	if (v == NULL)
		return false;
	m->v = v;
	m->room = room;
	return true;
}

static uint64_t *
waiting(struct copy_map *m, enum copy_kind kind)
{
	return kind == COPY_ZEROES || kind == COPY_HOLE ? &m->zero_bytes :
							  &m->data_bytes;
}

void
copy_map_put(struct copy_map *m, const struct copy_stretch *stretch)
{
	struct copy_stretch *last;

	if (stretch->length == 0 || stretch->targets == 0)
		return;
	*waiting(m, stretch->kind) += stretch->length;
	if (m->end > m->first && m->end != m->held) {
		last = &m->v[m->end - 1];
		if (last->kind == stretch->kind &&
		    last->targets == stretch->targets &&
		    last->from + last->length == stretch->from &&
		    last->to + last->length == stretch->to &&
		    last->position + last->length == stretch->position) {
			last->length += stretch->length;
			return;
		}
	}
	if (reserve(m))
		m->v[m->end++] = *stretch;
	else
		m->has_no_memory = true;
}

void
copy_map_put_first(struct copy_map *m, const struct copy_stretch *stretch)
{
	if (stretch->length == 0 || stretch->targets == 0)
		return;
	if (!reserve(m)) {
		m->has_no_memory = true;
		return;
	}
	if (m->first == 0) {
		memmove(m->v + 1, m->v, m->end * sizeof *m->v);
		m->first++;
		m->end++;
		m->held++;
	}
	*waiting(m, stretch->kind) += stretch->length;
	m->v[--m->first] = *stretch;
}

const struct copy_stretch *
copy_map_peek(const struct copy_map *m)
{
	if (m->is_held && m->first >= m->held)
		return NULL;
	return m->first < m->end ? &m->v[m->first] : NULL;
}

void
copy_map_take(struct copy_map *m, uint64_t length)
{
	struct copy_stretch *s = &m->v[m->first];

	*waiting(m, s->kind) -= length;
	s->from += length;
	s->to += length;
	s->position += length;
	s->length -= length;
	if (s->length == 0)
		m->first++;
}

void
copy_map_take_end(struct copy_map *m, uint64_t length)
{
	struct copy_stretch *s = &m->v[m->first];

	*waiting(m, s->kind) -= length;
	s->length -= length;
	if (s->length == 0)
		m->first++;
}

void
copy_map_forget(struct copy_map *m, const struct copy_stretch *stretch)
{
	*waiting(m, stretch->kind) -= stretch->length;
}

void
copy_map_bring_forward(struct copy_map *m, size_t i)
{
	struct copy_stretch s = m->v[i];

	memmove(&m->v[m->first + 1], &m->v[m->first],
	    (i - m->first) * sizeof s);
	m->v[m->first] = s;
}

bool
copy_map_is_empty(const struct copy_map *m)
{
	return m->exhausted && m->first == m->end;
}

bool
copy_map_is_empty_for(const struct copy_map *m, uint32_t targets)
{
	size_t i;

	if (!m->exhausted)
		return false;
	for (i = m->first; i < m->end; i++)
		if ((m->v[i].targets & targets) != 0)
			return false;
	return true;
}

enum copy_kind
copy_map_kind(const struct copy_plan *plan, unsigned target,
    enum copy_kind kind)
{
	if (kind != COPY_ZEROES)
		return kind;
	return plan->mode == COPY_MODE_COPY ||
		plan->targets[target].use_status ?
	    COPY_ZEROES :
	    COPY_SUSPECT;
}

/*
 * Where a destination is looked at before it is written, each goes its own
 * way through the zeroes.
 */
static void
put_zeroes(struct copy_map *m, struct copy_stretch *s)
{
	uint32_t all = s->targets;
	unsigned i;

	if (m->plan->mode == COPY_MODE_COPY) {
		copy_map_put(m, s);
		return;
	}
	s->targets = all & COPY_FOR_DIGEST;
	copy_map_put(m, s);
	for (i = 0; i < m->plan->n_targets; i++) {
		s->targets = all & (1U << i);
		s->kind = copy_map_kind(m->plan, i, COPY_ZEROES);
		copy_map_put(m, s);
	}
}

/*
 * How many bytes of a stretch are done for the same destinations, and which
 * those are.
 */
static uint64_t
done_run(const struct copy_plan *plan, uint64_t to, uint64_t length,
    uint32_t *ret_done)
{
	uint64_t run;
	unsigned i;
	bool is_in;

	*ret_done = 0;
	for (i = 0; i < plan->n_targets; i++) {
		run = ranges_run_at(&plan->targets[i].done, to, length,
		    &is_in);
		if (is_in)
			*ret_done |= 1U << i;
		length = min_u64(length, run);
	}
	return length;
}

/* What of it is still to be done. */
static void
put_undone(struct copy_map *m, const struct copy_stretch *stretch)
{
	struct copy_stretch rest = *stretch;
	struct copy_stretch s;
	uint32_t done;

	while (rest.length > 0) {
		s = rest;
		s.length = done_run(m->plan, rest.to, rest.length, &done);
		s.targets &= ~done;
		rest.from += s.length;
		rest.to += s.length;
		rest.position += s.length;
		rest.length -= s.length;
		if (s.kind == COPY_ZEROES)
			put_zeroes(m, &s);
		else
			copy_map_put(m, &s);
	}
}

/* Sort the answer's bytes from m->sorted up to end into the map. */
static void
sort_answer(struct copy_map *m, uint64_t end, enum copy_kind kind)
{
	struct copy_stretch s = {
		.from = m->sorted,
		.to = m->answer_to + (m->sorted - m->answer_from),
		.position = m->answer_position +
		    (m->sorted - m->answer_from),
		.length = end - m->sorted,
		.kind = kind,
		.targets = m->answer_targets,
	};

	if (end <= m->sorted)
		return;
	if (m->sorted == m->answer_from)
		m->held = m->end;
	put_undone(m, &s);
	m->claim_has_data |= kind == COPY_DATA;
	m->sorted = end;
}

/*
 * A run of extents is over.  Of zeroes, or of a hole, what is whole grains is
 * that; the rest stays for the data that follow.
 */
static void
sort_run(struct copy_map *m)
{
	uint32_t grain = m->plan->grain;
	uint64_t from = m->run_from;
	uint64_t end = m->run_end;

	m->run_from = m->run_end;
	if (m->run_kind == COPY_DATA)
		return;
	if (from != m->answer_from)
		from = round_down(from + grain - 1, grain);
	if (end != m->answer_end)
		end = round_down(end, grain);
	if (from >= end)
		return;
	sort_answer(m, from, COPY_DATA);
	sort_answer(m, end, m->run_kind);
}

void
copy_map_add_extent(struct copy_map *m, uint64_t length, enum copy_kind kind)
{
	if (kind == COPY_HOLE && !m->plan->skip_holes)
		kind = COPY_DATA;
	if (kind != m->run_kind)
		sort_run(m);
	m->run_kind = kind;
	m->answered += min_u64(length, m->answer_end - m->answered);
	m->run_end = m->answered;
}

/*
 * The answer is complete.  It may be shorter than what was asked for: the
 * next question begins at the last whole grain that was told.  Where not
 * even one was told, the first one is taken for data, so that each answer
 * makes progress.
 */
static void
finish_answer(struct copy_map *m)
{
	uint64_t end = m->answered;

	sort_run(m);
	if (end < m->answer_end) {
		end = round_down(end, m->plan->grain);
		if (end <= m->answer_from)
			end = min_u64(m->answer_end,
			    round_down(m->answer_from, m->plan->grain) +
				m->plan->grain);
	}
	sort_answer(m, end, COPY_DATA);
	m->position += m->sorted - m->answer_from;
}

/*
 * A server that cannot tell its map any more is no reason to fail: what
 * follows is data, here and in the other lanes.
 */
void
copy_map_answered(struct copy_map *m, int error)
{
	if (error < 0 || m->answered == m->answer_from) {
		atomic_store_explicit(&m->ledger->status_failed, true,
		    memory_order_relaxed);
		m->answered = m->answer_end;
	}
	finish_answer(m);
}

void
copy_map_unanswered(struct copy_map *m)
{
	m->position += m->sorted - m->answer_from;
}

/* Go on behind what is done for all; false: it is not. */
static bool
skip_done(struct copy_map *m, const struct copy_piece *p)
{
	uint64_t offset = m->position - p->position;
	uint32_t done;
	uint64_t run;

	/* A digest is of all, whatever earlier runs have read. */
	if (copy_plan_digests(m->plan) && !p->is_rest)
		return false;
	run = done_run(m->plan, p->to + offset,
	    min_u64(p->length - offset, m->claim_end - m->position), &done);
	if ((p->targets & ~done) != 0)
		return false;
	m->position = min_u64(m->claim_end, m->position + run);
	return true;
}

/*
 * Find the next part of the line that is to be mapped, claiming more when
 * the last claim is used up.  On a disk that is all zero claims grow: there
 * is little to share out, and much to ask.
 */
static bool
find_unmapped(struct copy_map *m, const struct copy_piece **ret_piece)
{
	const struct copy_plan *plan = m->plan;
	const struct copy_piece *p;

	for (;;) {
		if (m->position >= m->claim_end) {
			m->claim_size = m->claim_has_data ?
			    plan->claim_size :
			    min_u64(m->claim_size * 2, MAX_CLAIM);
			m->claim_has_data = false;
			if (m->exhausted ||
			    !copy_cursor_claim(m->cursor, m->claim_size,
				&m->position, &m->claim_end)) {
				m->exhausted = true;
				return false;
			}
		}
		p = copy_plan_piece_at(plan, m->position);
		if (m->position - p->position < p->length) {
			if (!skip_done(m, p))
				break;
			continue;
		}
		/* Between the end of a piece and the start of the next. */
		m->position = min_u64(m->claim_end,
		    p->position +
			round_down(p->length + plan->align - 1, plan->align));
	}
	*ret_piece = p;
	return true;
}

static void
begin_answer(struct copy_map *m, const struct copy_piece *p)
{
	uint64_t offset = m->position - p->position;

	m->answer_from = p->from + offset;
	m->answer_to = p->to + offset;
	m->answer_targets = p->targets;
	if (copy_plan_digests(m->plan) && !p->is_rest)
		m->answer_targets |= COPY_FOR_DIGEST;
	m->answer_position = m->position;
	m->answer_end = m->answer_from +
	    min_u64(p->length - offset, m->claim_end - m->position);
	m->answered = m->answer_from;
	m->run_kind = COPY_DATA;
	m->run_from = m->answer_from;
	m->run_end = m->answer_from;
	m->sorted = m->answer_from;
}

static bool
may_ask_status(const struct copy_map *m)
{
	return m->plan->use_status &&
	    !atomic_load_explicit(&m->ledger->status_failed,
		memory_order_relaxed);
}

bool
copy_map_extend(struct copy_map *m, uint64_t data_ahead, uint64_t zeroes_ahead,
    uint64_t *ret_offset, uint32_t *ret_length)
{
	const struct copy_piece *p;

	while (!m->is_held && m->data_bytes < data_ahead &&
	    m->zero_bytes < zeroes_ahead && !m->has_no_memory &&
	    find_unmapped(m, &p)) {
		begin_answer(m, p);
		if (p->is_rest) {
			copy_map_add_extent(m, p->length, COPY_ZEROES);
		} else if (may_ask_status(m)) {
			*ret_offset = m->answer_from;
			*ret_length = (uint32_t)(m->answer_end -
			    m->answer_from);
			return true;
		} else {
			m->answered = m->answer_end;
		}
		finish_answer(m);
	}
	return false;
}
