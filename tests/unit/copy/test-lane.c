/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/lane.h"
#include "copy/digest.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "unit.h"

#define KIB 1024U
#define MIB (1024U * 1024)

static struct disk_shape source;
static struct disk_shape destination;
static struct copy_wish wish;
static struct copy_plan plan;
static struct copy_cursor cursor;
static struct copy_ledger ledger;
static struct copy_tuning tuning;
static struct copy_lane *lane;
static unsigned char memory[16][256 * 1024];	/* of each slot */

static void
setup(void)
{
	const struct disk_shape shape = {
		.size = 4ULL * MIB,
		.block_minimum = 1,
		.block_preferred = 4096,
		.block_maximum = 32 * MIB,
		.can_flush = true,
		.can_zero = true,
		.can_trim = true,
		.can_multi_conn = true,
		.can_status = true,
	};

	source = shape;
	destination = shape;
	memset(&wish, 0, sizeof wish);
	wish.queue_depth = 4;
	wish.request_size = 256 * KIB;
	lane = NULL;
}

static void
teardown(void)
{
	copy_lane_free(lane);
	copy_plan_done(&plan);
}

static void
make_lane_for(unsigned n)
{
	const struct disk_shape *shapes[] = { &destination, &destination };
	unsigned target;

	ck_assert_int_eq(copy_plan_make(&plan, &source, shapes, n, &wish,
	    &target, NULL), 0);
	copy_cursor_init(&cursor, plan.line_length);
	copy_ledger_init(&ledger, n);
	copy_ledger_plan(&ledger, plan.total_bytes);
	copy_tuning_init(&tuning, &plan, 0);
	ck_assert_int_eq(copy_lane_new(&plan, &cursor, &ledger, &tuning, &lane),
	    0);
}

static void
make_lane(void)
{
	make_lane_for(1);
}

static struct copy_request *
next_is(enum copy_op op, uint64_t offset, uint32_t length)
{
	struct copy_request *slot = copy_lane_next(lane);

	ck_assert_ptr_nonnull(slot);
	ck_assert_str_eq(copy_op_name(slot->op), copy_op_name(op));
	ck_assert_uint_eq(slot->offset, offset);
	ck_assert_uint_eq(slot->length, length);
	if (op == COPY_READ) {
		ck_assert_ptr_null(slot->buffer);
		slot->buffer = memset(memory[slot->index], 1, length);
	}
	return slot;
}

/* The first request asks for the map: answer that all is data. */
static void
map_is_all_data(void)
{
	struct copy_request *slot = copy_lane_next(lane);

	ck_assert_int_eq(slot->op, COPY_STATUS);
	copy_lane_add_extent(lane, slot, slot->length, COPY_DATA);
	copy_lane_done(lane, slot, 0, NULL);
}

START_TEST(the_map_is_asked_for_first)
{
	make_lane();
	(void)next_is(COPY_STATUS, 0, 4 * MIB);
	ck_assert_ptr_null(copy_lane_next(lane));
	ck_assert(!copy_lane_is_finished(lane));
}
END_TEST

START_TEST(what_is_read_is_written_next)
{
	struct copy_request *first;
	struct copy_request *second;

	make_lane();
	map_is_all_data();
	first = next_is(COPY_READ, 0, 256 * KIB);
	second = next_is(COPY_READ, 256 * KIB, 256 * KIB);
	copy_lane_done(lane, second, 0, NULL);
	ck_assert_ptr_eq(next_is(COPY_WRITE, 256 * KIB, 256 * KIB)->bytes,
	    second);
	copy_lane_done(lane, first, 0, NULL);
	ck_assert_ptr_eq(next_is(COPY_WRITE, 0, 256 * KIB)->bytes, first);
}
END_TEST

START_TEST(no_more_requests_are_in_flight_than_slots)
{
	unsigned n = 0;

	make_lane();
	map_is_all_data();
	while (copy_lane_next(lane) != NULL)
		n++;
	ck_assert_uint_eq(n, 4);
}
END_TEST

/* A disk of one request, all data, and the digest of its only block. */
static struct copy_request *
read_for_digest(struct copy_digests *digests)
{
	struct copy_request *read;

	source.size = 256 * KIB;
	wish.digests_blocks = true;
	make_lane();
	ck_assert_int_eq(copy_digests_init(digests, &plan), 0);
	ledger.digests = digests;
	map_is_all_data();
	read = next_is(COPY_READ, 0, 256 * KIB);
	copy_lane_done(lane, read, 0, NULL);
	(void)copy_lane_take_digested(lane);
	return next_is(COPY_WRITE, 0, 256 * KIB);
}

START_TEST(a_digest_is_of_what_the_destination_was_sent)
{
	struct copy_digests digests;

	copy_lane_done(lane, read_for_digest(&digests), 0, NULL);
	ck_assert_uint_eq(digests.n_blocks, 1);
	ck_assert(digests.blocks[0].is_known);
	ck_assert_uint_eq(digests.blocks[0].unlike, 0);
	copy_digests_done(&digests);
}
END_TEST

START_TEST(a_digest_is_not_of_what_was_read_again)
{
	struct copy_digests digests;
	struct copy_request *req;

	copy_lane_done(lane, read_for_digest(&digests), -EINVAL, NULL);
	req = next_is(COPY_READ, 0, 128 * KIB);
	ck_assert(digests.blocks[0].is_known);
	ck_assert_uint_eq(digests.blocks[0].unlike, 1);
	copy_lane_done(lane, req, 0, NULL);
	copy_digests_done(&digests);
}
END_TEST

/* What a disk with a bad block, and one that takes small requests, answer. */
static int
answer_to(const struct copy_request *req)
{
	const uint32_t bad = 72 * KIB;

	if (req->op != COPY_READ)
		return 0;
	if (req->side == COPY_SOURCE)
		return req->offset <= bad && bad < req->offset + req->length ?
		    -EIO : 0;
	return req->target == 1 && req->length > 8 * KIB ? -EOVERFLOW : 0;
}

/* Answer all that is asked, round after round; in each the first asked last. */
static void
answer_till_the_end(int (*answer)(const struct copy_request *req))
{
	struct copy_request *asked[64];
	unsigned n;

	do {
		for (n = 0; (asked[n] = copy_lane_next(lane)) != NULL; n++) {
			ck_assert_uint_lt(n, 63);
			if (asked[n]->op == COPY_READ)
				asked[n]->buffer = memory[0];
			if (asked[n]->op == COPY_STATUS)
				copy_lane_add_extent(lane, asked[n],
				    asked[n]->length, COPY_DATA);
		}
		for (unsigned i = n; i-- > 0;)
			copy_lane_done(lane, asked[i], answer(asked[i]),
			    NULL);
		while (copy_lane_take_digested(lane) != NULL)
			n++;
	} while (n > 0);
}

/*
 * One destination has compared a slot and the other has refused it for its
 * size: only the digest is left, which waits for the bad block.
 */
START_TEST(a_slot_that_only_the_digest_needs_does_not_hold_up_the_rest)
{
	struct copy_digests digests;

	source.size = MIB;
	destination.size = MIB;
	wish.mode = COPY_MODE_VERIFY;
	wish.request_size = 64 * KIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.max_bad_bytes = MIB;
	wish.max_bad_ranges = 16;
	wish.digests_blocks = true;
	make_lane_for(2);
	ck_assert_int_eq(copy_digests_init(&digests, &plan), 0);
	ledger.digests = &digests;
	answer_till_the_end(answer_to);
	ck_assert(copy_lane_is_finished(lane));
	for (unsigned i = 0; i < 2; i++)
		ck_assert_uint_eq(MIB, ledger.targets[i].done_bytes +
		    ledger.targets[i].failed_bytes);
	ck_assert_uint_gt(ledger.targets[1].failed_bytes, 0);
	copy_digests_done(&digests);
}
END_TEST

/* The first sector of the disk, on either side. */
static int
answer_neither(const struct copy_request *req)
{
	if (req->op != COPY_READ || req->offset >= 512)
		return 0;
	return req->side == COPY_SOURCE ? -EIO : -EPERM;
}

/* Destinations are asked first. */
static void
answer_in_order(int (*answer)(const struct copy_request *req))
{
	struct copy_request *asked[64];
	unsigned n;

	do {
		for (n = 0; (asked[n] = copy_lane_next(lane)) != NULL; n++) {
			ck_assert_uint_lt(n, 63);
			asked[n]->buffer = memory[0];
			if (asked[n]->op == COPY_STATUS)
				copy_lane_add_extent(lane, asked[n],
				    asked[n]->length, COPY_DATA);
		}
		for (unsigned i = 0; i < n; i++)
			copy_lane_done(lane, asked[i], answer(asked[i]),
			    NULL);
	} while (n > 0);
}

START_TEST(what_neither_side_can_read_is_skipped_once)
{
	source.size = MIB;
	destination.size = MIB;
	wish.mode = COPY_MODE_VERIFY;
	wish.request_size = 64 * KIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.on_error[COPY_DESTINATION] = COPY_SKIP;
	wish.max_bad_bytes = MIB;
	wish.max_bad_ranges = 16;
	make_lane();
	answer_in_order(answer_neither);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_uint_eq(ledger.targets[0].failed_bytes, 512);
	ck_assert_uint_eq(ledger.skipped.bytes +
	    ledger.targets[0].skipped.bytes, 512);
}
END_TEST

static const struct copy_failure *
only_failure(enum copy_side side)
{
	uint64_t n;
	const struct copy_failure *f = copy_lane_failure(lane, side, 0, &n);

	ck_assert_uint_eq(n, 1);
	return f;
}

/* Whose server may have ended is waited for, to hear why; not so here. */
START_TEST(too_many_bad_bytes_are_no_lost_connection)
{
	const struct copy_failure *f;

	source.size = destination.size = MIB;
	wish.request_size = 64 * KIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.max_bad_ranges = 16;
	make_lane();
	answer_in_order(answer_neither);
	ck_assert(copy_lane_is_finished(lane));
	f = only_failure(COPY_SOURCE);
	ck_assert_ptr_nonnull(strstr(f->message, "more than 0 bytes are bad"));
	ck_assert(f->is_told && !f->is_lost);
}
END_TEST

START_TEST(nor_are_too_many_bad_ranges)
{
	const struct copy_failure *f;

	source.size = destination.size = MIB;
	wish.request_size = 64 * KIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.max_bad_bytes = MIB;
	make_lane();
	answer_in_order(answer_neither);
	ck_assert(copy_lane_is_finished(lane));
	f = only_failure(COPY_SOURCE);
	ck_assert_ptr_nonnull(strstr(f->message, "more than 0 ranges"));
	ck_assert(f->is_told && !f->is_lost);
}
END_TEST

START_TEST(a_connection_that_stays_away_is)
{
	const struct copy_failure *f;

	make_lane();
	copy_lane_gone(lane, COPY_DESTINATION, 0, -ECONNRESET, "reset");
	f = only_failure(COPY_DESTINATION);
	ck_assert_str_eq(f->message, "reset");
	ck_assert(f->is_told && f->is_lost && !f->is_request);
}
END_TEST

/* A bad sector at the beginning, which is skipped, and two blocks of 64 MiB. */
static void
skip_with_digests(struct copy_digests *digests, enum digest_algorithm whole)
{
	source.size = 128 * MIB;
	destination.size = 128 * MIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.max_bad_bytes = MIB;
	wish.max_bad_ranges = 16;
	wish.digests_blocks = true;
	wish.digest = whole;
	make_lane();
	ck_assert_int_eq(copy_digests_init(digests, &plan), 0);
	ledger.digests = digests;
	answer_till_the_end(answer_to);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_uint_eq(ledger.targets[0].failed_bytes, 512);
	ck_assert_uint_eq(digests->n_blocks, 2);
	ck_assert(!digests->blocks[0].is_known);
	ck_assert(digests->blocks[1].is_known);
	ck_assert_uint_eq(digests->blocks[1].unlike, 0);
}

START_TEST(what_is_skipped_takes_the_digest_of_its_block_alone)
{
	struct copy_digests digests;

	skip_with_digests(&digests, DIGEST_NONE);
	copy_digests_done(&digests);
}
END_TEST

START_TEST(and_that_of_the_whole)
{
	struct copy_digests digests;

	skip_with_digests(&digests, DIGEST_SHA256);
	ck_assert_uint_lt(digests.whole_bytes, source.size);
	copy_digests_done(&digests);
}
END_TEST

/*
 * What has failed, and may be skipped in the end, is not read again before all
 * that has not been read yet.
 */
START_TEST(good_blocks_come_before_digests_of_bad_ones)
{
	struct copy_digests digests;
	struct copy_request *req;
	uint64_t to = 0;

	source.size = 16 * MIB;
	destination.size = 16 * MIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.max_bad_bytes = MIB;
	wish.max_bad_ranges = 16;
	wish.digests_blocks = true;
	make_lane();
	ck_assert_int_eq(copy_digests_init(&digests, &plan), 0);
	ledger.digests = &digests;
	while (to < source.size && (req = copy_lane_next(lane)) != NULL) {
		if (req->op == COPY_STATUS)
			copy_lane_add_extent(lane, req, req->length,
			    COPY_DATA);
		if (req->op == COPY_READ) {
			ck_assert_uint_eq(req->offset, to);
			to += req->length;
			req->buffer = memory[0];
		}
		copy_lane_done(lane, req, answer_to(req), NULL);
		while (copy_lane_take_digested(lane) != NULL)
			;
	}
	ck_assert_uint_eq(to, source.size);
	copy_digests_done(&digests);
}
END_TEST

static int
all_is_well(const struct copy_request *req)
{
	(void)req;
	return 0;
}

/*
 * One of two destinations comes back, has something queued behind the flush
 * that is to be first, and then fails on another lane.
 */
START_TEST(what_has_failed_on_another_lane_is_waited_for_no_more)
{
	struct copy_request *flush;
	struct copy_request *read;
	struct copy_request *write;

	wish.reconnects = true;
	make_lane_for(2);
	map_is_all_data();
	copy_lane_lost(lane, COPY_DESTINATION, 1);
	copy_lane_back(lane, COPY_DESTINATION, 1);
	flush = next_is(COPY_FLUSH, 0, 0);
	ck_assert_uint_eq(flush->target, 1);
	read = next_is(COPY_READ, 0, 256 * KIB);
	copy_lane_done(lane, read, 0, NULL);
	write = next_is(COPY_WRITE, 0, 256 * KIB);
	ck_assert_uint_eq(write->target, 0);
	ledger.targets[1].is_failed = true;
	copy_lane_done(lane, flush, 0, NULL);
	copy_lane_done(lane, write, 0, NULL);
	answer_till_the_end(all_is_well);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_uint_eq(ledger.targets[0].done_bytes, 4 * MIB);
}
END_TEST

/* What others need to go on with is not kept for those that are away. */
START_TEST(destinations_that_are_lost_keep_no_slot)
{
	struct copy_request *reads[4];

	wish.reconnects = true;
	make_lane_for(2);
	map_is_all_data();
	for (unsigned i = 0; i < 4; i++)
		reads[i] = next_is(COPY_READ, i * 256 * KIB, 256 * KIB);
	for (unsigned i = 0; i < 4; i++)
		copy_lane_done(lane, reads[i], 0, NULL);
	copy_lane_lost(lane, COPY_DESTINATION, 1);
	ck_assert_uint_eq(copy_lane_n_loaded(lane), 4);
	copy_lane_lost(lane, COPY_DESTINATION, 0);
	ck_assert_uint_eq(copy_lane_n_loaded(lane), 0);
	copy_lane_back(lane, COPY_DESTINATION, 0);
	copy_lane_back(lane, COPY_DESTINATION, 1);
	answer_till_the_end(all_is_well);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_uint_eq(ledger.targets[0].done_bytes, 4 * MIB);
	ck_assert_uint_eq(ledger.targets[1].done_bytes, 4 * MIB);
}
END_TEST

/*
 * A server that was started again may have forgotten what it had read from its
 * cache, and an earlier run had written.
 */
START_TEST(what_was_read_of_a_destination_is_read_again_when_it_is_lost)
{
	struct copy_request *reads[2];

	wish.mode = COPY_MODE_SYNC;
	wish.reconnects = true;
	source.can_status = false;
	destination.can_status = false;
	make_lane();
	for (unsigned i = 0; i < 2; i++)
		reads[i] = next_is(COPY_READ, 0, 256 * KIB);
	ck_assert_int_eq(reads[0]->side, COPY_DESTINATION);
	ck_assert_int_eq(reads[1]->side, COPY_SOURCE);
	copy_lane_done(lane, reads[0], 0, NULL);
	copy_lane_lost(lane, COPY_DESTINATION, 0);
	copy_lane_done(lane, reads[1], 0, NULL);
	ck_assert_uint_eq(ledger.targets[0].equal_bytes, 0);
	ck_assert_uint_eq(ledger.targets[0].done_bytes, 0);
	copy_lane_back(lane, COPY_DESTINATION, 0);
	answer_till_the_end(all_is_well);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_uint_eq(ledger.targets[0].done_bytes, 4 * MIB);
}
END_TEST

/* Each place of the source fails once, while other reads are on their way. */
START_TEST(failures_that_heal_do_not_add_up)
{
	struct copy_request *asked[64];
	struct copy_request *req;
	bool has_failed[64] = { false };
	unsigned n = 0;
	int error;

	wish.on_error[COPY_SOURCE] = COPY_RETRY;
	wish.retries = 1;
	make_lane();
	for (;;) {
		while ((req = copy_lane_next(lane)) != NULL) {
			asked[n++] = req;
			if (req->op == COPY_READ)
				req->buffer = memory[0];
			if (req->op == COPY_STATUS)
				copy_lane_add_extent(lane, req, req->length,
				    COPY_DATA);
		}
		ck_assert_uint_eq(copy_lane_pause_ms(lane, COPY_SOURCE, 0), 0);
		if (n == 0)
			break;
		req = asked[0];
		memmove(asked, asked + 1, --n * sizeof *asked);
		error = req->op == COPY_READ &&
		    !has_failed[req->offset / (256 * KIB)] ? -EIO : 0;
		if (req->op == COPY_READ)
			has_failed[req->offset / (256 * KIB)] = true;
		copy_lane_done(lane, req, error, NULL);
	}
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_uint_eq(ledger.targets[0].done_bytes, 4 * MIB);
	ck_assert_uint_eq(ledger.n_retrying, 0);
}
END_TEST

/* Asked to flush, a server says that it shuts down, so many times. */
static unsigned
flush_in_vain(unsigned n_times)
{
	const struct copy_failure *f;
	struct copy_request *req;
	uint64_t n_failures = 0;

	source.size = 256 * KIB;
	destination.size = 256 * KIB;
	wish.reconnects = true;
	make_lane();
	for (unsigned n = 0; (req = copy_lane_next(lane)) != NULL;) {
		if (req->op == COPY_READ)
			req->buffer = memory[0];
		if (req->op == COPY_STATUS)
			copy_lane_add_extent(lane, req, req->length,
			    COPY_DATA);
		if (req->op != COPY_FLUSH || n++ >= n_times) {
			copy_lane_done(lane, req, 0, NULL);
			continue;
		}
		copy_lane_done(lane, req, -ESHUTDOWN, "shutting down");
		ck_assert_ptr_null(copy_lane_next(lane));
		copy_lane_lost(lane, COPY_DESTINATION, 0);
		copy_lane_back(lane, COPY_DESTINATION, 0);
	}
	f = copy_lane_failure(lane, COPY_DESTINATION, 0, &n_failures);
	ck_assert(n_failures == 0 || f->error == -ESHUTDOWN);
	return (unsigned)n_failures;
}

START_TEST(a_server_that_shuts_down_is_waited_for)
{
	ck_assert_uint_eq(flush_in_vain(1), 0);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_uint_eq(ledger.targets[0].durable_bytes, 256 * KIB);
}
END_TEST

START_TEST(but_not_without_end)
{
	ck_assert_uint_eq(flush_in_vain(1000), 1);
}
END_TEST

/* What an earlier run has written is read for the digest alone. */
START_TEST(a_digest_is_not_of_what_an_earlier_run_has_written)
{
	struct copy_digests digests;
	struct ranges done;

	wish.digests_blocks = true;
	make_lane();
	ck_assert_int_eq(copy_digests_init(&digests, &plan), 0);
	ledger.digests = &digests;
	ranges_init(&done);
	ck_assert_int_eq(ranges_add(&done, 0, 256 * KIB), 0);
	ck_assert_int_eq(copy_plan_resume(&plan, &done), 0);
	map_is_all_data();
	copy_lane_done(lane, next_is(COPY_READ, 0, 256 * KIB), 0, NULL);
	ck_assert_uint_eq(digests.blocks[0].unlike, 1);
	ranges_done(&done);
	copy_digests_done(&digests);
}
END_TEST

/* A first read of 256 KiB ends: zero but for these bytes. */
static struct copy_request *
read_mostly_zeroes(uint32_t from, uint32_t to)
{
	struct copy_request *read;

	make_lane();
	map_is_all_data();
	read = next_is(COPY_READ, 0, 256 * KIB);
	memset(read->buffer, 0, read->length);
	memset(read->buffer + from, 1, to - from);
	copy_lane_done(lane, read, 0, NULL);
	return read;
}

static void
ends_well(struct copy_request *req)
{
	copy_request_sent(req);
	copy_lane_done(lane, req, 0, NULL);
}

START_TEST(zeroes_among_data_are_written_as_such)
{
	struct copy_request *read = read_mostly_zeroes(100 * KIB, 101 * KIB);
	struct copy_request *req;

	ck_assert(plan.sparse_grain == 32 * KIB);
	ends_well(next_is(COPY_ZERO, 0, 96 * KIB));
	ck_assert(copy_request_is_needed(lane, read));
	req = next_is(COPY_WRITE, 96 * KIB, 32 * KIB);
	ck_assert_ptr_eq(req->bytes, read);
	ck_assert_uint_eq(req->skip, 96 * KIB);
	ends_well(req);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 0);
	ends_well(next_is(COPY_ZERO, 128 * KIB, 128 * KIB));
	ck_assert(!copy_request_is_needed(lane, read));
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 256 * KIB);
	ck_assert_uint_eq(copy_ledger_get(&ledger.targets[0].written_bytes),
	    32 * KIB);
}
END_TEST

/* Whoever says that bytes are not needed does not look at them, either. */
START_TEST(zeroes_are_not_looked_for_when_all_is_over)
{
	struct copy_request *read;
	struct copy_request *write;
	unsigned char *bytes = mmap(NULL, 256 * KIB, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(bytes, MAP_FAILED);
	make_lane();
	map_is_all_data();
	read = next_is(COPY_READ, 0, 256 * KIB);
	read->buffer = memset(bytes, 1, 64 * KIB);
	copy_lane_done(lane, read, 0, NULL);
	write = next_is(COPY_WRITE, 0, 64 * KIB);
	copy_request_sent(write);
	ck_assert(copy_request_is_needed(lane, read));
	copy_ledger_stop(&ledger);
	ck_assert(!copy_request_is_needed(lane, read));
	ck_assert_int_eq(munmap(bytes, 256 * KIB), 0);
	copy_lane_done(lane, write, 0, NULL);
	ck_assert(copy_lane_is_finished(lane));
}
END_TEST

START_TEST(zeroes_finer_than_the_grain_are_data)
{
	wish.sparse_grain = 4096;
	(void)read_mostly_zeroes(4096 - 1, 256 * KIB - 4095);
	(void)next_is(COPY_WRITE, 0, 256 * KIB);
}
END_TEST

START_TEST(zeroes_are_not_looked_for_unless_wanted)
{
	wish.sparse_grain = COPY_SPARSE_OFF;
	(void)read_mostly_zeroes(0, 0);
	(void)next_is(COPY_WRITE, 0, 256 * KIB);
}
END_TEST

START_TEST(zeroes_among_data_need_no_request_where_they_are_already)
{
	wish.is_zero_before = true;
	(void)read_mostly_zeroes(64 * KIB, 65 * KIB);
	ends_well(next_is(COPY_WRITE, 64 * KIB, 32 * KIB));
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 256 * KIB);
}
END_TEST

START_TEST(zeroes_among_data_that_are_refused_are_data)
{
	struct copy_request *req;

	(void)read_mostly_zeroes(0, 1);
	ends_well(next_is(COPY_WRITE, 0, 32 * KIB));
	req = next_is(COPY_ZERO, 32 * KIB, 224 * KIB);
	copy_lane_done(lane, req, -EOPNOTSUPP, NULL);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 0);
	ck_assert(atomic_load(&ledger.targets[0].zero.is_total));
}
END_TEST

/* Ask for the map, and answer: 64 KiB of data at the start of each 512 KiB. */
static void
map_has_holes(void)
{
	struct copy_request *req = copy_lane_next(lane);
	int i;

	ck_assert_int_eq(req->op, COPY_STATUS);
	for (i = 0; i < 8; i++) {
		copy_lane_add_extent(lane, req, 64 * KIB, COPY_DATA);
		copy_lane_add_extent(lane, req, 448 * KIB, COPY_ZEROES);
	}
	copy_lane_done(lane, req, 0, NULL);
}

START_TEST(many_holes_are_zeroed_before_the_data_are_read)
{
	struct copy_request *clear;
	unsigned n = 0;

	destination.can_fast_zero = true;
	make_lane();
	map_has_holes();
	clear = next_is(COPY_FAST_ZERO, 64 * KIB, 4 * MIB - 64 * KIB);
	ck_assert_ptr_null(copy_lane_next(lane));
	copy_lane_done(lane, clear, 0, NULL);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 8 * 448 * KIB);
	while (n < 4) {
		(void)next_is(COPY_READ, n * 512 * KIB, 64 * KIB);
		n++;
	}
	ck_assert_ptr_null(copy_lane_next(lane));
}
END_TEST

START_TEST(a_refused_fast_zero_leaves_each_hole_to_itself)
{
	struct copy_request *clear;

	destination.can_fast_zero = true;
	make_lane();
	map_has_holes();
	clear = next_is(COPY_FAST_ZERO, 64 * KIB, 4 * MIB - 64 * KIB);
	copy_lane_done(lane, clear, -EOPNOTSUPP, NULL);
	ck_assert(atomic_load(&ledger.targets[0].has_no_fast_zero));
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 0);
	(void)next_is(COPY_READ, 0, 64 * KIB);
	(void)next_is(COPY_ZERO, 64 * KIB, 448 * KIB);
}
END_TEST

START_TEST(a_fast_zero_that_fails_is_a_failure)
{
	struct copy_request *clear;
	uint64_t n;

	destination.can_fast_zero = true;
	make_lane();
	map_has_holes();
	clear = next_is(COPY_FAST_ZERO, 64 * KIB, 4 * MIB - 64 * KIB);
	copy_lane_done(lane, clear, -EIO, NULL);
	(void)copy_lane_failure(lane, COPY_DESTINATION, 0, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 0);
	ck_assert(copy_lane_is_finished(lane));
}
END_TEST

START_TEST(a_fast_zero_for_which_there_is_no_room_may_wait)
{
	struct copy_request *clear;
	uint64_t n;

	destination.can_fast_zero = true;
	wish.waits_for_space = true;
	make_lane();
	map_has_holes();
	clear = next_is(COPY_FAST_ZERO, 64 * KIB, 4 * MIB - 64 * KIB);
	copy_lane_done(lane, clear, -ENOSPC, NULL);
	(void)copy_lane_failure(lane, COPY_DESTINATION, 0, &n);
	ck_assert_uint_eq(n, 0);
	(void)next_is(COPY_READ, 0, 64 * KIB);
}
END_TEST

START_TEST(zero_stretches_are_not_read)
{
	struct copy_request *slot;

	make_lane();
	slot = next_is(COPY_STATUS, 0, 4 * MIB);
	copy_lane_add_extent(lane, slot, 1 * MIB, COPY_ZEROES);
	copy_lane_add_extent(lane, slot, 1 * MIB, COPY_DATA);
	copy_lane_add_extent(lane, slot, 2 * MIB, COPY_ZEROES);
	copy_lane_done(lane, slot, 0, NULL);
	slot = next_is(COPY_ZERO, 0, 1 * MIB);
	copy_lane_done(lane, slot, 0, NULL);
	ck_assert_uint_eq(copy_ledger_get(&ledger.targets[0].zeroed_bytes),
	    MIB);
	(void)next_is(COPY_READ, 1 * MIB, 256 * KIB);
}
END_TEST

START_TEST(zero_stretches_are_rounded_inwards)
{
	struct copy_request *slot;

	make_lane();
	slot = next_is(COPY_STATUS, 0, 4 * MIB);
	copy_lane_add_extent(lane, slot, 100, COPY_DATA);
	copy_lane_add_extent(lane, slot, 10000, COPY_ZEROES);
	copy_lane_add_extent(lane, slot, 4 * MIB, COPY_DATA);
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_READ, 0, 4096);
	(void)next_is(COPY_ZERO, 4096, 4096);
	(void)next_is(COPY_READ, 8192, 256 * KIB - 8192);
}
END_TEST

START_TEST(a_map_in_small_change_is_joined)
{
	struct copy_request *slot;
	int i;

	make_lane();
	slot = next_is(COPY_STATUS, 0, 4 * MIB);
	for (i = 0; i < 8192; i++)
		copy_lane_add_extent(lane, slot, 1, COPY_ZEROES);
	copy_lane_add_extent(lane, slot, 4 * MIB, COPY_DATA);
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_ZERO, 0, 8192);
}
END_TEST

START_TEST(a_short_map_is_asked_on)
{
	struct copy_request *slot;

	make_lane();
	slot = next_is(COPY_STATUS, 0, 4 * MIB);
	copy_lane_add_extent(lane, slot, 10000, COPY_DATA);
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_STATUS, 8192, 4 * MIB - 8192);
	(void)next_is(COPY_READ, 0, 8192);
}
END_TEST

START_TEST(a_failed_map_means_data)
{
	struct copy_request *slot;

	make_lane();
	slot = next_is(COPY_STATUS, 0, 4 * MIB);
	copy_lane_done(lane, slot, -EINVAL, "no");
	(void)next_is(COPY_READ, 0, 256 * KIB);
	ck_assert(ledger.status_failed);
}
END_TEST

START_TEST(what_is_refused_at_any_size_is_not_refused_for_its_size)
{
	struct copy_request *req;
	uint32_t smallest = UINT32_MAX;

	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.queue_depth = 1;
	make_lane();
	map_is_all_data();
	while (smallest > 4 * KIB) {
		req = copy_lane_next(lane);
		ck_assert_ptr_nonnull(req);
		if (req->op == COPY_READ && req->offset == 0) {
			ck_assert_uint_lt(req->length, smallest);
			smallest = req->length;
			copy_lane_done(lane, req, -EINVAL, NULL);
			ck_assert_uint_eq(ledger.size_limit,
			    smallest > 4 * KIB ? smallest / 2 : 0);
		} else {
			if (req->op == COPY_READ)
				req->buffer = memory[req->index];
			copy_lane_done(lane, req, 0, NULL);
		}
	}
}
END_TEST

START_TEST(an_empty_map_means_data)
{
	struct copy_request *slot;

	make_lane();
	slot = next_is(COPY_STATUS, 0, 4 * MIB);
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_READ, 0, 256 * KIB);
}
END_TEST

START_TEST(data_that_is_zero_is_sent_as_zero)
{
	struct copy_request *slot;

	source.can_status = false;
	make_lane();
	slot = next_is(COPY_READ, 0, 256 * KIB);
	memset(slot->buffer, 0, slot->length);
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_ZERO, 0, 256 * KIB);
	slot = next_is(COPY_READ, 256 * KIB, 256 * KIB);
	memset(slot->buffer, 0, slot->length);
	slot->buffer[slot->length - 1] = 1;
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_ZERO, 256 * KIB, 224 * KIB);
}
END_TEST

START_TEST(data_out_of_reach_are_taken_for_no_zeroes)
{
	struct copy_request *slot;

	source.can_status = false;
	make_lane();
	slot = next_is(COPY_READ, 0, 256 * KIB);
	slot->buffer = NULL;
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_WRITE, 0, 256 * KIB);
}
END_TEST

START_TEST(zeroes_are_written_where_nothing_better_is_offered)
{
	struct copy_request *slot;

	destination.can_zero = false;
	make_lane();
	slot = next_is(COPY_STATUS, 0, 4 * MIB);
	copy_lane_add_extent(lane, slot, 4 * MIB, COPY_ZEROES);
	copy_lane_done(lane, slot, 0, NULL);
	slot = next_is(COPY_WRITE, 0, 256 * KIB);
	ck_assert_ptr_null(slot->bytes);
	copy_lane_done(lane, slot, 0, NULL);
	ck_assert_uint_eq(copy_ledger_get(&ledger.targets[0].zeroed_bytes),
	    256 * KIB);
	ck_assert_uint_eq(copy_ledger_get(&ledger.read_bytes), 0);
}
END_TEST

/* Ask for the map, and answer: data, a hole, zeroes, MiB by MiB, data. */
static void
map_has_a_hole(void)
{
	struct copy_request *req = next_is(COPY_STATUS, 0, 4 * MIB);

	copy_lane_add_extent(lane, req, MIB, COPY_DATA);
	copy_lane_add_extent(lane, req, MIB, COPY_HOLE);
	copy_lane_add_extent(lane, req, MIB, COPY_ZEROES);
	copy_lane_add_extent(lane, req, MIB, COPY_DATA);
	copy_lane_done(lane, req, 0, NULL);
}

/* Its first MiB of data is copied; the hole comes next. */
static void
copy_up_to_the_hole(void)
{
	struct copy_request *reads[4];
	unsigned i;

	map_has_a_hole();
	for (i = 0; i < 4; i++)
		reads[i] = next_is(COPY_READ, i * 256 * KIB, 256 * KIB);
	for (i = 0; i < 4; i++) {
		copy_lane_done(lane, reads[i], 0, NULL);
		ends_well(next_is(COPY_WRITE, i * 256 * KIB, 256 * KIB));
	}
}

static uint64_t
trimmed(void)
{
	return copy_ledger_get(&ledger.targets[0].trimmed_bytes);
}

static uint64_t
untouched(void)
{
	return copy_ledger_get(&ledger.targets[0].untouched_bytes);
}

/* All goes well up to the next one; NULL: there is none. */
static struct copy_request *
next_trim(void)
{
	struct copy_request *req;

	while ((req = copy_lane_next(lane)) != NULL && req->op != COPY_TRIM) {
		if (req->op == COPY_READ)
			req->buffer = memset(memory[req->index], 1,
			    req->length);
		ends_well(req);
	}
	return req;
}

START_TEST(a_hole_is_trimmed_where_it_does_not_matter)
{
	wish.skips_holes = true;
	make_lane();
	copy_up_to_the_hole();
	ends_well(next_is(COPY_TRIM, MIB, MIB));
	(void)next_is(COPY_ZERO, 2 * MIB, MIB);
	ck_assert_uint_eq(trimmed(), MIB);
	ck_assert_uint_eq(untouched(), 0);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 2 * MIB);
	ck_assert_uint_eq(copy_ledger_get(&ledger.read_bytes), MIB);
}
END_TEST

START_TEST(a_trimmed_hole_counts_after_the_flush)
{
	struct copy_request *flush;

	source.size = MIB;
	wish.skips_holes = true;
	make_lane();
	flush = next_is(COPY_STATUS, 0, MIB);
	copy_lane_add_extent(lane, flush, MIB, COPY_HOLE);
	copy_lane_done(lane, flush, 0, NULL);
	ends_well(next_is(COPY_TRIM, 0, MIB));
	ck_assert(!copy_ledger_is_success(&ledger, 0, true));
	flush = copy_lane_next(lane);
	ck_assert_int_eq(flush->op, COPY_FLUSH);
	copy_lane_done(lane, flush, 0, NULL);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert(copy_ledger_is_success(&ledger, 0, true));
}
END_TEST

START_TEST(a_hole_is_data_unless_it_is_said_not_to_matter)
{
	struct copy_request *read;

	make_lane();
	copy_up_to_the_hole();
	read = next_is(COPY_READ, MIB, 256 * KIB);
	copy_lane_done(lane, read, 0, NULL);
	(void)next_is(COPY_WRITE, MIB, 256 * KIB);
}
END_TEST

START_TEST(a_hole_is_rounded_inwards)
{
	struct copy_request *req;

	wish.skips_holes = true;
	make_lane();
	req = next_is(COPY_STATUS, 0, 4 * MIB);
	copy_lane_add_extent(lane, req, 100, COPY_DATA);
	copy_lane_add_extent(lane, req, 10000, COPY_HOLE);
	copy_lane_add_extent(lane, req, 6284, COPY_ZEROES);
	copy_lane_add_extent(lane, req, 4 * MIB, COPY_DATA);
	copy_lane_done(lane, req, 0, NULL);
	(void)next_is(COPY_READ, 0, 4096);
	(void)next_is(COPY_TRIM, 4096, 4096);
	(void)next_is(COPY_READ, 8192, 4096);
	(void)next_is(COPY_ZERO, 12288, 4096);
}
END_TEST

START_TEST(holes_are_left_where_trim_is_not_offered)
{
	destination.can_trim = false;
	wish.skips_holes = true;
	make_lane();
	copy_up_to_the_hole();
	(void)next_is(COPY_ZERO, 2 * MIB, MIB);
	ck_assert_uint_eq(untouched(), MIB);
	ck_assert_uint_eq(trimmed(), 0);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 2 * MIB);
}
END_TEST

START_TEST(holes_are_left_where_trim_is_refused)
{
	struct copy_request *req;

	wish.skips_holes = true;
	make_lane();
	copy_up_to_the_hole();
	req = next_is(COPY_TRIM, MIB, MIB);
	copy_lane_done(lane, req, -EOPNOTSUPP, NULL);
	ck_assert(atomic_load(&ledger.targets[0].trim.is_total));
	ck_assert(!atomic_load(&ledger.targets[0].zero.is_total));
	ck_assert_ptr_null(next_trim());
	ck_assert_uint_eq(untouched(), MIB);
	ck_assert_uint_eq(trimmed(), 0);
}
END_TEST

START_TEST(a_trim_refused_for_its_size_becomes_smaller)
{
	struct copy_request *req;

	wish.skips_holes = true;
	make_lane();
	copy_up_to_the_hole();
	req = next_is(COPY_TRIM, MIB, MIB);
	copy_lane_done(lane, req, -EINVAL, NULL);
	req = next_trim();
	ck_assert_ptr_nonnull(req);
	ck_assert_uint_eq(req->offset, MIB);
	ck_assert_uint_eq(req->length, 512 * KIB);
	ends_well(req);
	ends_well(next_is(COPY_TRIM, MIB + 512 * KIB, 512 * KIB));
	ck_assert_uint_eq(trimmed(), MIB);
}
END_TEST

START_TEST(a_trim_that_fails_is_a_failure)
{
	const struct copy_failure *f;
	uint64_t n;

	wish.skips_holes = true;
	make_lane();
	copy_up_to_the_hole();
	copy_lane_done(lane, next_is(COPY_TRIM, MIB, MIB), -EIO, NULL);
	f = copy_lane_failure(lane, COPY_DESTINATION, 0, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(f->op, COPY_TRIM);
	ck_assert_uint_eq(trimmed(), 0);
}
END_TEST

START_TEST(what_was_trimmed_is_trimmed_again_when_it_is_lost)
{
	struct copy_request *req;

	source.size = MIB;
	wish.skips_holes = true;
	wish.reconnects = true;
	make_lane();
	req = next_is(COPY_STATUS, 0, MIB);
	copy_lane_add_extent(lane, req, MIB, COPY_HOLE);
	copy_lane_done(lane, req, 0, NULL);
	ends_well(next_is(COPY_TRIM, 0, MIB));
	req = copy_lane_next(lane);
	ck_assert_int_eq(req->op, COPY_FLUSH);
	copy_lane_done(lane, req, -ENOTCONN, NULL);
	copy_lane_lost(lane, COPY_DESTINATION, 0);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 0);
	copy_lane_back(lane, COPY_DESTINATION, 0);
	req = copy_lane_next(lane);
	ck_assert_int_eq(req->op, COPY_FLUSH);
	copy_lane_done(lane, req, 0, NULL);
	ends_well(next_is(COPY_TRIM, 0, MIB));
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), MIB);
}
END_TEST

START_TEST(a_hole_that_does_not_matter_is_not_zeroed_with_others)
{
	struct copy_request *req;
	int i;

	destination.can_fast_zero = true;
	wish.skips_holes = true;
	make_lane();
	req = next_is(COPY_STATUS, 0, 4 * MIB);
	for (i = 0; i < 8; i++) {
		copy_lane_add_extent(lane, req, 64 * KIB, COPY_DATA);
		copy_lane_add_extent(lane, req, 448 * KIB,
		    i == 4 ? COPY_HOLE : COPY_ZEROES);
	}
	copy_lane_done(lane, req, 0, NULL);
	while ((req = copy_lane_next(lane)) != NULL)
		ck_assert_int_ne(req->op, COPY_FAST_ZERO);
}
END_TEST

START_TEST(a_failed_read_is_never_written)
{
	struct copy_request *slot;
	const struct copy_failure *f;
	uint64_t n;

	make_lane();
	map_is_all_data();
	slot = next_is(COPY_READ, 0, 256 * KIB);
	copy_lane_done(lane, slot, -EIO, "bad sector");
	ck_assert_ptr_null(copy_lane_next(lane));
	ck_assert(copy_lane_is_finished(lane));
	f = copy_lane_failure(lane, COPY_SOURCE, 0, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert(f->is_request && !f->is_told && !f->is_lost);
	ck_assert_int_eq(f->error, -EIO);
	ck_assert_int_eq(f->side, COPY_SOURCE);
	ck_assert_uint_eq(f->offset, 0);
	ck_assert_uint_eq(f->length, 256 * KIB);
	ck_assert_str_eq(f->message, "bad sector");
}
END_TEST

START_TEST(after_a_failure_what_is_in_flight_is_waited_for)
{
	struct copy_request *a;
	struct copy_request *b;

	make_lane();
	map_is_all_data();
	a = next_is(COPY_READ, 0, 256 * KIB);
	b = next_is(COPY_READ, 256 * KIB, 256 * KIB);
	copy_lane_done(lane, a, -EIO, NULL);
	ck_assert(!copy_lane_is_finished(lane));
	copy_lane_done(lane, b, 0, NULL);
	ck_assert(copy_lane_is_finished(lane));
	ck_assert_ptr_null(copy_lane_next(lane));
}
END_TEST

START_TEST(a_failed_write_is_counted_on_the_destination)
{
	struct copy_request *slot;
	const struct copy_failure *f;
	uint64_t n;

	make_lane();
	map_is_all_data();
	slot = next_is(COPY_READ, 0, 256 * KIB);
	copy_lane_done(lane, slot, 0, NULL);
	slot = next_is(COPY_WRITE, 0, 256 * KIB);
	copy_lane_done(lane, slot, -ENOSPC, NULL);
	f = copy_lane_failure(lane, COPY_DESTINATION, 0, &n);
	ck_assert_int_eq(f->side, COPY_DESTINATION);
	ck_assert_int_eq(f->op, COPY_WRITE);
	ck_assert_uint_eq(copy_ledger_done_bytes(&ledger), 0);
}
END_TEST

START_TEST(a_stopped_ledger_starts_nothing_new)
{
	struct copy_request *slot;

	make_lane();
	map_is_all_data();
	slot = next_is(COPY_READ, 0, 256 * KIB);
	copy_ledger_stop(&ledger);
	ck_assert_ptr_null(copy_lane_next(lane));
	ck_assert(!copy_lane_is_finished(lane));
	copy_lane_done(lane, slot, 0, NULL);
	ck_assert_ptr_null(copy_lane_next(lane));
	ck_assert(copy_lane_is_finished(lane));
}
END_TEST

START_TEST(an_empty_disk_is_finished_at_once)
{
	source.size = 0;
	make_lane();
	ck_assert_ptr_null(copy_lane_next(lane));
	ck_assert(copy_lane_is_finished(lane));
}
END_TEST

START_TEST(the_odd_tail_is_one_short_request)
{
	struct copy_request *slot;

	source.size = 256 * KIB + 1;
	source.can_status = false;
	make_lane();
	(void)next_is(COPY_READ, 0, 256 * KIB);
	slot = next_is(COPY_READ, 256 * KIB, 1);
	copy_lane_done(lane, slot, 0, NULL);
	(void)next_is(COPY_WRITE, 256 * KIB, 1);
}
END_TEST

/* A piece goes through: read, written, both well. */
static void
copy_piece(uint64_t offset)
{
	struct copy_request *req = next_is(COPY_READ, offset, 256 * KIB);

	copy_lane_done(lane, req, 0, NULL);
	req = next_is(COPY_WRITE, offset, 256 * KIB);
	copy_request_sent(req);
	copy_lane_done(lane, req, 0, NULL);
}

START_TEST(so_many_bytes_are_flushed_before_more_are_written)
{
	wish.queue_depth = 1;
	make_lane();
	plan.epoch_bytes = 512 * KIB;
	map_is_all_data();
	copy_piece(0);
	copy_piece(256 * KIB);
	ck_assert_int_eq(copy_lane_next(lane)->op, COPY_FLUSH);
	copy_piece(512 * KIB);
}
END_TEST

START_TEST(what_could_not_be_read_is_tried_from_the_end_first)
{
	struct copy_request *first;
	struct copy_request *second;

	source.size = destination.size = 512 * KIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.retries = 1;
	wish.max_bad_bytes = MIB;
	wish.max_bad_ranges = 16;
	make_lane();
	map_is_all_data();
	first = next_is(COPY_READ, 0, 256 * KIB);
	second = next_is(COPY_READ, 256 * KIB, 256 * KIB);
	copy_lane_done(lane, first, -EIO, "bad");
	copy_lane_done(lane, second, -EIO, "bad");
	first = copy_lane_next(lane);
	ck_assert_int_eq(first->op, COPY_READ);
	ck_assert_uint_ge(first->offset, 256 * KIB);
	ck_assert_uint_lt(first->length, 256 * KIB);
}
END_TEST

/* Whatever order they have failed in: else a large bad area takes memory. */
START_TEST(what_is_bad_side_by_side_is_one_stretch)
{
	static const unsigned order[] = { 0, 2, 3, 1 };
	struct copy_request *reads[4];
	uint64_t end = MIB;
	unsigned i;

	source.size = destination.size = MIB;
	wish.on_error[COPY_SOURCE] = COPY_SKIP;
	wish.max_bad_bytes = MIB;
	wish.max_bad_ranges = 16;
	make_lane();
	map_is_all_data();
	for (i = 0; i < 4; i++)
		reads[i] = next_is(COPY_READ, (uint64_t)i * 256 * KIB,
		    256 * KIB);
	for (i = 0; i < 4; i++)
		copy_lane_done(lane, reads[order[i]], -EIO, "bad");
	for (; end > 0; end -= 32 * KIB)
		copy_lane_done(lane, next_is(COPY_READ, end - 32 * KIB,
		    32 * KIB), -EIO, "bad");
}
END_TEST

START_TEST(requests_end_on_multiples_of_their_size)
{
	const struct copy_range range = { 4096, 1 * MIB, 0 };

	source.can_status = false;
	wish.ranges = &range;
	wish.n_ranges = 1;
	make_lane();
	(void)next_is(COPY_READ, 4096, 256 * KIB - 4096);
	(void)next_is(COPY_READ, 256 * KIB, 256 * KIB);
}
END_TEST

static TCase *
sparse_tests(void)
{
	TCase *t = tcase_create("sparse");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, zeroes_among_data_are_written_as_such);
	tcase_add_test(t, zeroes_are_not_looked_for_when_all_is_over);
	tcase_add_test(t, zeroes_finer_than_the_grain_are_data);
	tcase_add_test(t, zeroes_are_not_looked_for_unless_wanted);
	tcase_add_test(t,
	    zeroes_among_data_need_no_request_where_they_are_already);
	tcase_add_test(t, zeroes_among_data_that_are_refused_are_data);
	return t;
}

static TCase *
digest_tests(void)
{
	TCase *t = tcase_create("digest");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_digest_is_of_what_the_destination_was_sent);
	tcase_add_test(t, a_digest_is_not_of_what_was_read_again);
	tcase_add_test(t,
	    a_slot_that_only_the_digest_needs_does_not_hold_up_the_rest);
	tcase_add_test(t,
	    what_is_skipped_takes_the_digest_of_its_block_alone);
	tcase_add_test(t, and_that_of_the_whole);
	tcase_add_test(t, good_blocks_come_before_digests_of_bad_ones);
	tcase_add_test(t,
	    a_digest_is_not_of_what_an_earlier_run_has_written);
	return t;
}

static TCase *
bad_tests(void)
{
	TCase *t = tcase_create("bad");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_neither_side_can_read_is_skipped_once);
	tcase_add_test(t, too_many_bad_bytes_are_no_lost_connection);
	tcase_add_test(t, nor_are_too_many_bad_ranges);
	tcase_add_test(t, a_connection_that_stays_away_is);
	return t;
}

int
main(void)
{
	Suite *s = suite_create("copy/lane");
	TCase *t = tcase_create("lane");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_map_is_asked_for_first);
	tcase_add_test(t, what_is_read_is_written_next);
	tcase_add_test(t,
	    what_has_failed_on_another_lane_is_waited_for_no_more);
	tcase_add_test(t, destinations_that_are_lost_keep_no_slot);
	tcase_add_test(t,
	    what_was_read_of_a_destination_is_read_again_when_it_is_lost);
	tcase_add_test(t, failures_that_heal_do_not_add_up);
	tcase_add_test(t, a_server_that_shuts_down_is_waited_for);
	tcase_add_test(t, but_not_without_end);
	tcase_add_test(t, no_more_requests_are_in_flight_than_slots);
	tcase_add_test(t, many_holes_are_zeroed_before_the_data_are_read);
	tcase_add_test(t, a_refused_fast_zero_leaves_each_hole_to_itself);
	tcase_add_test(t, a_fast_zero_that_fails_is_a_failure);
	tcase_add_test(t, a_fast_zero_for_which_there_is_no_room_may_wait);
	tcase_add_test(t, zero_stretches_are_not_read);
	tcase_add_test(t, zero_stretches_are_rounded_inwards);
	tcase_add_test(t, a_map_in_small_change_is_joined);
	tcase_add_test(t, a_short_map_is_asked_on);
	tcase_add_test(t, a_failed_map_means_data);
	tcase_add_test(t,
	    what_is_refused_at_any_size_is_not_refused_for_its_size);
	tcase_add_test(t, an_empty_map_means_data);
	tcase_add_test(t, data_that_is_zero_is_sent_as_zero);
	tcase_add_test(t, data_out_of_reach_are_taken_for_no_zeroes);
	tcase_add_test(t, zeroes_are_written_where_nothing_better_is_offered);
	tcase_add_test(t, a_hole_is_trimmed_where_it_does_not_matter);
	tcase_add_test(t, a_trimmed_hole_counts_after_the_flush);
	tcase_add_test(t, a_hole_is_data_unless_it_is_said_not_to_matter);
	tcase_add_test(t, a_hole_is_rounded_inwards);
	tcase_add_test(t, holes_are_left_where_trim_is_not_offered);
	tcase_add_test(t, holes_are_left_where_trim_is_refused);
	tcase_add_test(t, a_trim_refused_for_its_size_becomes_smaller);
	tcase_add_test(t, a_trim_that_fails_is_a_failure);
	tcase_add_test(t, what_was_trimmed_is_trimmed_again_when_it_is_lost);
	tcase_add_test(t,
	    a_hole_that_does_not_matter_is_not_zeroed_with_others);
	tcase_add_test(t, a_failed_read_is_never_written);
	tcase_add_test(t, after_a_failure_what_is_in_flight_is_waited_for);
	tcase_add_test(t, a_failed_write_is_counted_on_the_destination);
	tcase_add_test(t, a_stopped_ledger_starts_nothing_new);
	tcase_add_test(t, an_empty_disk_is_finished_at_once);
	tcase_add_test(t, the_odd_tail_is_one_short_request);
	tcase_add_test(t, requests_end_on_multiples_of_their_size);
	tcase_add_test(t, so_many_bytes_are_flushed_before_more_are_written);
	tcase_add_test(t, what_could_not_be_read_is_tried_from_the_end_first);
	tcase_add_test(t, what_is_bad_side_by_side_is_one_stretch);
	suite_add_tcase(s, t);
	suite_add_tcase(s, sparse_tests());
	suite_add_tcase(s, digest_tests());
	suite_add_tcase(s, bad_tests());
	return unit_main(s);
}
