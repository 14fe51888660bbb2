/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "base/annotate.h"
#include "base/list.h"
#include "unit.h"

#define N_WORKERS 3

/* What a worker says about itself, sent back to the test's loop. */
struct question {
	struct mail mail;
	struct worker *worker;
	char thread_name[16];
	bool signals_blocked;
	bool on_own_thread;
};

static struct net_loop *loop;
static struct mailbox *box;
static struct worker_pool *pool;
static pthread_t test_thread;
static unsigned n_answers;
static unsigned n_wanted;

static void
setup(void)
{
	test_thread = pthread_self();
	n_answers = 0;
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(mailbox_new(loop, &box), 0);
	ck_assert_int_eq(worker_pool_start(N_WORKERS, &pool), 0);
}

static void
teardown(void)
{
	worker_pool_stop(pool);
	mailbox_free(box);
	net_loop_free(loop);
}

static void
answered(struct mail *mail UNUSED)
{
	if (++n_answers == n_wanted)
		net_loop_stop(loop);
}

static void
answer(struct mail *mail)
{
	struct question *q = list_entry(mail, struct question, mail);
	sigset_t blocked;

	(void)pthread_getname_np(pthread_self(), q->thread_name,
	    sizeof q->thread_name);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	q->signals_blocked = sigismember(&blocked, SIGTERM) == 1 &&
	    sigismember(&blocked, SIGHUP) == 1;
	q->on_own_thread = !pthread_equal(pthread_self(), test_thread);
	mail->deliver = answered;
	mailbox_post(box, mail);
}

static void
ask_all(struct question questions[N_WORKERS])
{
	n_wanted = N_WORKERS;
	for (unsigned i = 0; i < N_WORKERS; i++) {
		questions[i] = (struct question){
			.mail.deliver = answer,
			.worker = worker_pool_get(pool, i),
		};
		worker_post(questions[i].worker, &questions[i].mail);
	}
	ck_assert_int_eq(net_loop_run(loop), 0);
}

START_TEST(each_worker_runs_on_a_thread_of_its_own_name)
{
	struct question questions[N_WORKERS];

	ask_all(questions);
	for (unsigned i = 0; i < N_WORKERS; i++) {
		ck_assert(questions[i].on_own_thread);
		ck_assert_uint_eq(strlen(questions[i].thread_name),
		    strlen("nbdsync-w0"));
	}
	ck_assert_str_eq(questions[0].thread_name, "nbdsync-w0");
	ck_assert_str_eq(questions[2].thread_name, "nbdsync-w2");
}
END_TEST

START_TEST(workers_take_no_signals_and_leave_ours_alone)
{
	struct question questions[N_WORKERS];
	sigset_t blocked;

	ask_all(questions);
	for (unsigned i = 0; i < N_WORKERS; i++)
		ck_assert(questions[i].signals_blocked);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	ck_assert_int_eq(sigismember(&blocked, SIGTERM), 0);
}
END_TEST

START_TEST(each_worker_has_a_loop_of_its_own)
{
	ck_assert_ptr_ne(worker_loop(worker_pool_get(pool, 0)),
	    worker_loop(worker_pool_get(pool, 1)));
	ck_assert_ptr_eq(worker_pool_get(pool, 1),
	    worker_pool_get(pool, 1 + N_WORKERS));
	ck_assert_uint_eq(worker_pool_size(pool), N_WORKERS);
}
END_TEST

START_TEST(work_goes_round)
{
	unsigned first = worker_pool_next(pool);

	ck_assert_uint_eq(worker_pool_next(pool), first + 1);
	ck_assert_uint_eq(worker_pool_next(pool), first + 2);
}
END_TEST

START_TEST(mail_posted_before_the_stop_is_delivered)
{
	struct question q = { .mail.deliver = answer };
	struct worker_pool *other;

	ck_assert_int_eq(worker_pool_start(1, &other), 0);
	worker_post(worker_pool_get(other, 0), &q.mail);
	worker_pool_stop(other);
	ck_assert(q.on_own_thread);
	n_wanted = 1;
	ck_assert_int_eq(net_loop_run(loop), 0);
}
END_TEST

START_TEST(a_pool_of_no_given_size_has_a_worker_per_processor)
{
	struct worker_pool *other;

	ck_assert_int_eq(worker_pool_start(0, &other), 0);
	ck_assert_uint_ge(worker_pool_size(other), 1);
	ck_assert_uint_le(worker_pool_size(other), 8);
	worker_pool_stop(other);
	worker_pool_stop(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("runtime/worker");
	TCase *tc = tcase_create("worker");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_worker_runs_on_a_thread_of_its_own_name);
	tcase_add_test(tc, workers_take_no_signals_and_leave_ours_alone);
	tcase_add_test(tc, each_worker_has_a_loop_of_its_own);
	tcase_add_test(tc, work_goes_round);
	tcase_add_test(tc, mail_posted_before_the_stop_is_delivered);
	tcase_add_test(tc, a_pool_of_no_given_size_has_a_worker_per_processor);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
