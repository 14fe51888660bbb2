/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/list.h"

#include "unit.h"

struct item {
	int number;
	struct list node;
};

static struct list head;
static struct item a = { .number = 1 };
static struct item b = { .number = 2 };

static void
setup(void)
{
	list_init(&head);
	list_init(&a.node);
	list_init(&b.node);
}

START_TEST(elements_come_off_in_the_order_they_were_put_on)
{
	list_append(&head, &a.node);
	list_append(&head, &b.node);
	ck_assert_ptr_eq(list_take_first(&head), &a.node);
	ck_assert_ptr_eq(list_take_first(&head), &b.node);
	ck_assert_ptr_null(list_take_first(&head));
	ck_assert(list_is_empty(&head));
}
END_TEST

START_TEST(removing_twice_does_no_harm)
{
	list_append(&head, &a.node);
	list_append(&head, &b.node);
	list_remove(&a.node);
	list_remove(&a.node);
	ck_assert_ptr_eq(head.next, &b.node);
	ck_assert_ptr_eq(head.prev, &b.node);
}
END_TEST

START_TEST(an_entry_is_found_from_its_node)
{
	list_append(&head, &b.node);
	ck_assert_int_eq(list_entry(head.next, struct item, node)->number, 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/list");
	TCase *tc = tcase_create("list");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, elements_come_off_in_the_order_they_were_put_on);
	tcase_add_test(tc, removing_twice_does_no_harm);
	tcase_add_test(tc, an_entry_is_found_from_its_node);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
