/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "unit.h"

#define N_SENDERS 4
#define N_MAILS   2000

struct letter {
	struct mail mail;
	unsigned sender;
	unsigned number;
};

static struct net_loop *loop;
static struct mailbox *box;
static unsigned n_delivered;
static unsigned n_wanted;
static unsigned next_number[N_SENDERS];
static pthread_t reader;
static struct letter letters[N_SENDERS][N_MAILS];

static void
setup(void)
{
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(mailbox_new(loop, &box), 0);
	n_delivered = 0;
	memset(next_number, 0, sizeof next_number);
	reader = pthread_self();
}

static void
teardown(void)
{
	mailbox_free(box);
	net_loop_free(loop);
}

static void
count(void)
{
	if (++n_delivered == n_wanted)
		net_loop_stop(loop);
}

static void
letter_deliver(struct mail *mail)
{
	const struct letter *l = list_entry(mail, struct letter, mail);

	ck_assert(pthread_equal(pthread_self(), reader));
	ck_assert_uint_eq(l->number, next_number[l->sender]);
	next_number[l->sender]++;
	count();
}

static void
letter_post(unsigned sender, unsigned number)
{
	struct letter *l = &letters[sender][number];

	*l = (struct letter){
		.mail.deliver = letter_deliver,
		.sender = sender,
		.number = number,
	};
	mailbox_post(box, &l->mail);
}

START_TEST(mails_come_in_the_order_of_posting)
{
	n_wanted = 3;
	for (unsigned i = 0; i < n_wanted; i++)
		letter_post(0, i);
	ck_assert_uint_eq(n_delivered, 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_uint_eq(n_delivered, 3);
}
END_TEST

static void *
sender_main(void *arg)
{
	const unsigned *sender = arg;

	for (unsigned i = 0; i < N_MAILS; i++)
		letter_post(*sender, i);
	return NULL;
}

START_TEST(none_is_lost_when_many_threads_post)
{
	pthread_t threads[N_SENDERS];
	unsigned senders[N_SENDERS];

	n_wanted = N_SENDERS * N_MAILS;
	for (unsigned i = 0; i < N_SENDERS; i++) {
		senders[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
		    sender_main, &senders[i]), 0);
	}
	ck_assert_int_eq(net_loop_run(loop), 0);
	for (unsigned i = 0; i < N_SENDERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(n_delivered, n_wanted);
}
END_TEST

static void
post_again(struct mail *mail)
{
	if (n_delivered + 1 < n_wanted)
		mailbox_post(box, mail);
	count();
}

START_TEST(a_mail_may_be_posted_again_while_it_is_delivered)
{
	struct mail mail = { .deliver = post_again };

	n_wanted = 3;
	mailbox_post(box, &mail);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_uint_eq(n_delivered, 3);
}
END_TEST

static void
free_itself(struct mail *mail)
{
	free(list_entry(mail, struct letter, mail));
	count();
}

START_TEST(a_mail_may_be_freed_while_it_is_delivered)
{
	n_wanted = 2;
	for (unsigned i = 0; i < n_wanted; i++) {
		struct letter *l = calloc(1, sizeof *l);

		ck_assert_ptr_nonnull(l);
		l->mail.deliver = free_itself;
		mailbox_post(box, &l->mail);
	}
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_uint_eq(n_delivered, 2);
}
END_TEST

START_TEST(what_is_left_at_the_end_is_dropped)
{
	struct mailbox *other;
	struct mail mail = { .deliver = post_again };

	ck_assert_int_eq(mailbox_new(loop, &other), 0);
	mailbox_post(other, &mail);
	mailbox_free(other);
	n_wanted = 1;
	letter_post(0, 0);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_uint_eq(n_delivered, 1);
}
END_TEST

START_TEST(no_mailbox_is_freed_without_harm)
{
	mailbox_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("runtime/mailbox");
	TCase *tc = tcase_create("mailbox");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, mails_come_in_the_order_of_posting);
	tcase_add_test(tc, none_is_lost_when_many_threads_post);
	tcase_add_test(tc, a_mail_may_be_posted_again_while_it_is_delivered);
	tcase_add_test(tc, a_mail_may_be_freed_while_it_is_delivered);
	tcase_add_test(tc, what_is_left_at_the_end_is_dropped);
	tcase_add_test(tc, no_mailbox_is_freed_without_harm);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
