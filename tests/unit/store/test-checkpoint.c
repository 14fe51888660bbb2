/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints as bytes.
 */
#include "store/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "unit.h"

static struct store_checkpoint *c;
static uint8_t *bytes;
static size_t len;

static void
set_up(void)
{
	c = ask_checkpoint("a", 5);
	ck_assert_int_eq(store_checkpoint_encode(c, &bytes, &len), 0);
}

static void
tear_down(void)
{
	store_checkpoint_free(c);
	free(bytes);
}

/* What is accepted would be written the same way again. */
static int
decode(const uint8_t *from, size_t n)
{
	struct store_checkpoint *d = NULL;
	uint8_t *again = NULL;
	size_t again_len = 0;
	int r = store_checkpoint_decode(from, n, &d);

	if (r < 0) {
		ck_assert_ptr_null(d);
		return r;
	}
	ck_assert_int_eq(store_checkpoint_encode(d, &again, &again_len), 0);
	ck_assert_uint_eq(again_len, n);
	ck_assert_mem_eq(again, from, n);
	store_checkpoint_free(d);
	free(again);
	return 0;
}

START_TEST(bytes_become_the_same_checkpoint)
{
	struct store_checkpoint *d = NULL;

	ck_assert_int_eq(store_checkpoint_decode(bytes, len, &d), 0);
	ck_assert_str_eq(d->job, "a");
	ck_assert_uint_eq(d->generation, 5);
	ck_assert_uint_eq(d->n_destinations, 2);
	ck_assert_str_eq(d->source.identity, "nbd://host/disk-5");
	ck_assert_uint_eq(d->destinations[1].durable.n,
	    c->destinations[1].durable.n);
	ck_assert_mem_eq(d->destinations[1].durable.v,
	    c->destinations[1].durable.v, c->destinations[1].durable.n *
	    sizeof(struct range));
	ck_assert_uint_eq(d->n_recent, STORE_MAX_RECENT);
	ck_assert_int_eq(decode(bytes, len), 0);
	store_checkpoint_free(d);
}
END_TEST

START_TEST(an_empty_one_is_one)
{
	struct store_checkpoint *empty = store_checkpoint_new();
	uint8_t *few = NULL;
	size_t n = 0;

	ck_assert_int_eq(store_checkpoint_encode(empty, &few, &n), 0);
	ck_assert_int_eq(decode(few, n), 0);
	store_checkpoint_free(empty);
	free(few);
}
END_TEST

START_TEST(a_regular_map_takes_few_bytes)
{
	struct store_checkpoint *map = store_checkpoint_new();
	uint8_t *few = NULL;
	size_t n = 0;

	map->n_destinations = 1;
	for (uint64_t i = 0; i < 10000; i++)
		ck_assert_int_eq(ranges_add(&map->destinations[0].durable,
		    i << 21, 1U << 20), 0);
	ck_assert_int_eq(store_checkpoint_encode(map, &few, &n), 0);
	ck_assert_uint_lt(n, 10000 * 6 + 100);
	store_checkpoint_free(map);
	free(few);
}
END_TEST

START_TEST(what_is_cut_off_is_refused)
{
	for (size_t n = 0; n < len; n++)
		ck_assert_int_eq(decode(bytes, n), -EBADMSG);
}
END_TEST

START_TEST(what_has_more_behind_it_is_refused)
{
	uint8_t *more = calloc(1, len + 1);

	memcpy(more, bytes, len);
	ck_assert_int_eq(decode(more, len + 1), -EBADMSG);
	free(more);
}
END_TEST

START_TEST(no_changed_byte_does_harm)
{
	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1U << bit);
			(void)decode(bytes, len);
			bytes[i] ^= (uint8_t)(1U << bit);
		}
}
END_TEST

static void
expect_refused(void)
{
	uint8_t *few = NULL;
	size_t n = 0;

	ck_assert_int_eq(store_checkpoint_encode(c, &few, &n), -EINVAL);
	ck_assert_ptr_null(few);
}

START_TEST(what_breaks_a_limit_is_not_written)
{
	struct ranges *set = &c->destinations[0].durable;
	struct range kept = set->v[1];

	set->v[1].len = 0;
	expect_refused();
	set->v[1] = (struct range){ set->v[0].offset, 1 };
	expect_refused();
	set->v[1] = (struct range){ UINT64_MAX - 1, 3 };
	expect_refused();
	set->v[1] = kept;
	c->n_destinations = STORE_MAX_DESTINATIONS + 1;
	expect_refused();
	c->n_destinations = 2;
	c->n_recent = STORE_MAX_RECENT + 1;
	expect_refused();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("checkpoint");
	TCase *tc = tcase_create("checkpoint");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, bytes_become_the_same_checkpoint);
	tcase_add_test(tc, an_empty_one_is_one);
	tcase_add_test(tc, a_regular_map_takes_few_bytes);
	tcase_add_test(tc, what_is_cut_off_is_refused);
	tcase_add_test(tc, what_has_more_behind_it_is_refused);
	tcase_add_test(tc, no_changed_byte_does_harm);
	tcase_add_test(tc, what_breaks_a_limit_is_not_written);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
