/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop: tasks, timers, watches.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "net/loop.h"
#include "unit.h"

static struct net_loop *loop;
static char trace[64];

static void
set_up(void)
{
	memset(trace, 0, sizeof trace);
	ck_assert_int_eq(net_loop_new(&loop), 0);
}

static void
tear_down(void)
{
	net_loop_free(loop);
}

static void
note(char c)
{
	size_t n = strlen(trace);

	ck_assert_uint_lt(n, sizeof trace - 1);
	trace[n] = c;
}

static void
stop(void *arg)
{
	(void)arg;
	net_loop_stop(loop);
}

static void
run(void)
{
	ck_assert_int_eq(net_loop_run(loop), 0);
}

static void
note_and_stop(void *arg)
{
	note(*(const char *)arg);
	net_loop_stop(loop);
}

START_TEST(a_task_runs_once_and_not_inside_the_call)
{
	struct net_task t;
	char name = 'a';

	ck_assert_int_eq(net_task_init(&t, loop, note_and_stop, &name), 0);
	net_task_schedule(&t);
	net_task_schedule(&t);
	ck_assert_str_eq(trace, "");
	run();
	ck_assert_str_eq(trace, "a");
	net_task_done(&t);
}
END_TEST

struct pair {
	struct net_task first;
	struct net_task second;
};

static void
first_runs(void *arg)
{
	struct pair *p = arg;

	note('(');
	net_task_schedule(&p->second);
	note(')');
}

static void
second_runs(void *arg)
{
	(void)arg;
	note('2');
	net_loop_stop(loop);
}

START_TEST(a_task_scheduled_by_a_task_runs_after_it)
{
	struct pair p;

	ck_assert_int_eq(net_task_init(&p.first, loop, first_runs, &p), 0);
	ck_assert_int_eq(net_task_init(&p.second, loop, second_runs, &p), 0);
	net_task_schedule(&p.first);
	run();
	ck_assert_str_eq(trace, "()2");
	net_task_done(&p.first);
	net_task_done(&p.second);
}
END_TEST

/* A pipe that is watched at its reading end. */
struct channel {
	int fds[2];
	struct net_watch watch;
	struct net_task task;
	int n_readable;
	int n_writable;
};

static void
channel_on_readable(void *arg)
{
	struct channel *ch = arg;

	note('r');
	ch->n_readable++;
	net_loop_stop(loop);
}

static void
channel_on_writable(void *arg)
{
	struct channel *ch = arg;

	note('w');
	ch->n_writable++;
	net_loop_stop(loop);
}

static void
note_task(void *arg)
{
	(void)arg;
	note('t');
}

static void
channel_set_up(struct channel *ch)
{
	memset(ch, 0, sizeof *ch);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ch->fds), 0);
	ck_assert_int_eq(net_watch_init(&ch->watch, loop, ch->fds[0],
	    channel_on_readable, channel_on_writable, ch), 0);
	ck_assert_int_eq(net_task_init(&ch->task, loop, note_task, NULL), 0);
}

static void
channel_tear_down(struct channel *ch)
{
	net_task_done(&ch->task);
	net_watch_done(&ch->watch);
	(void)close(ch->fds[0]);
	(void)close(ch->fds[1]);
}

static void
channel_poke(struct channel *ch)
{
	ck_assert_int_eq(write(ch->fds[1], "x", 1), 1);
}

static void
poke_and_schedule(void *arg)
{
	struct channel *ch = arg;

	channel_poke(ch);
	net_task_schedule(&ch->task);
}

START_TEST(a_task_runs_before_descriptors_are_looked_at_again)
{
	struct net_timer timer;
	struct channel ch;

	channel_set_up(&ch);
	net_watch_read(&ch.watch, true);
	ck_assert_int_eq(net_timer_init(&timer, loop, poke_and_schedule, &ch),
	    0);
	net_timer_start(&timer, 1);
	run();
	ck_assert_str_eq(trace, "tr");
	net_timer_done(&timer);
	channel_tear_down(&ch);
}
END_TEST

START_TEST(a_task_that_is_done_does_not_run)
{
	struct net_task t;
	struct net_task end;
	char name = 'a';

	ck_assert_int_eq(net_task_init(&t, loop, note_and_stop, &name), 0);
	ck_assert_int_eq(net_task_init(&end, loop, stop, NULL), 0);
	net_task_schedule(&t);
	net_task_done(&t);
	net_task_schedule(&end);
	run();
	ck_assert_str_eq(trace, "");
	net_task_done(&end);
}
END_TEST

START_TEST(a_watch_is_level_triggered_and_can_be_switched)
{
	struct channel ch;

	channel_set_up(&ch);
	channel_poke(&ch);
	net_watch_read(&ch.watch, true);
	net_watch_read(&ch.watch, true);
	run();
	run();
	ck_assert_int_eq(ch.n_readable, 2);
	ck_assert_int_eq(ch.n_writable, 0);
	net_watch_read(&ch.watch, false);
	net_watch_write(&ch.watch, true);
	run();
	ck_assert_int_eq(ch.n_readable, 2);
	ck_assert_int_eq(ch.n_writable, 1);
	net_watch_write(&ch.watch, false);
	net_watch_read(&ch.watch, true);
	run();
	ck_assert_int_eq(ch.n_readable, 3);
	ck_assert_int_eq(ch.n_writable, 1);
	channel_tear_down(&ch);
}
END_TEST

START_TEST(a_timer_fires_once_and_not_early_by_more_than_a_tick)
{
	struct net_timer timer;
	uint64_t before = net_loop_now_ms(loop);
	char name = 'a';

	ck_assert_int_eq(net_timer_init(&timer, loop, note_and_stop, &name), 0);
	net_timer_start(&timer, 50);
	run();
	ck_assert_str_eq(trace, "a");
	ck_assert_uint_ge(net_loop_now_ms(loop) - before, 40);
	net_timer_done(&timer);
}
END_TEST

START_TEST(timers_fire_in_order_and_can_be_moved_and_stopped)
{
	struct net_timer t[4];
	static char names[] = "abcd";
	int i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(net_timer_init(&t[i], loop, i < 3 ?
		    note_task : note_and_stop, &names[i]), 0);
	net_timer_start(&t[0], 10);
	net_timer_stop(&t[0]);
	net_timer_start(&t[1], 1);
	net_timer_start(&t[3], 5);
	net_timer_start(&t[3], 60);
	net_timer_start(&t[2], 20);
	run();
	/* b and c, then d, which was moved behind them; a was stopped. */
	ck_assert_str_eq(trace, "ttd");
	for (i = 0; i < 4; i++)
		net_timer_done(&t[i]);
}
END_TEST

static void
note_task_and_stop(void *arg)
{
	(void)arg;
	note('k');
	net_loop_stop(loop);
}

static void
note_byte(void *arg)
{
	char byte;

	ck_assert_int_eq(read(*(int *)arg, &byte, 1), 1);
	note('b');
	net_loop_stop(loop);
}

/* What ran on the old one is stopped, watches go on. */
START_TEST(all_can_be_moved_to_another_loop)
{
	static char name[] = "t";
	struct net_loop *old = loop;
	struct net_timer timer;
	struct net_watch watch;
	struct net_task task;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(net_timer_init(&timer, old, note_and_stop, name), 0);
	ck_assert_int_eq(net_task_init(&task, old, note_task_and_stop, NULL),
	    0);
	ck_assert_int_eq(net_watch_init(&watch, old, fds[0], note_byte, NULL,
	    fds), 0);
	net_watch_read(&watch, true);
	net_timer_start(&timer, 1);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	net_timer_move(&timer, loop);
	net_task_move(&task, loop);
	net_watch_move(&watch, loop);
	net_loop_free(old);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	run();
	net_task_schedule(&task);
	run();
	net_timer_start(&timer, 1);
	run();
	ck_assert_str_eq(trace, "bkt");
	net_watch_done(&watch);
	net_task_done(&task);
	net_timer_done(&timer);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

/* Tasks of which each schedules the next, for ever. */
struct ring {
	struct net_task tasks[2];
	int n;
	int at;
	struct net_timer timer;
	struct net_loop *loop;
};

static void
ring_runs(void *arg)
{
	struct ring *ring = arg;

	ring->at = (ring->at + 1) % ring->n;
	net_task_schedule(&ring->tasks[ring->at]);
}

static void
ring_ends(void *arg)
{
	struct ring *ring = arg;

	for (int i = 0; i < ring->n; i++)
		net_task_done(&ring->tasks[i]);
	net_timer_done(&ring->timer);
	(void)event_base_loopbreak(net_loop_base(ring->loop));
}

static void
run_ring(struct net_loop *on, int n)
{
	struct ring ring = { .n = n, .loop = on };

	for (int i = 0; i < n; i++)
		ck_assert_int_eq(net_task_init(&ring.tasks[i], on, ring_runs,
		    &ring), 0);
	ck_assert_int_eq(net_timer_init(&ring.timer, on, ring_ends, &ring), 0);
	net_timer_start(&ring.timer, 1);
	net_task_schedule(&ring.tasks[0]);
	ck_assert_int_ge(event_base_dispatch(net_loop_base(on)), 0);
}

START_TEST(a_timer_fires_though_tasks_schedule_each_other)
{
	run_ring(loop, _i);
}
END_TEST

START_TEST(a_task_that_schedules_itself_leaves_room_on_a_borrowed_base)
{
	struct event_base *base = event_base_new();
	struct net_loop *borrowed;

	ck_assert_int_eq(net_loop_new_on(base, &borrowed), 0);
	run_ring(borrowed, 1);
	net_loop_free(borrowed);
	event_base_free(base);
}
END_TEST

static void
task_is_done_within(void *arg)
{
	struct net_task *t = arg;

	net_task_done(t);
	memset(t, 0x5a, sizeof *t);
	net_loop_stop(loop);
}

START_TEST(a_task_may_be_gone_when_it_has_run)
{
	struct net_task t;

	ck_assert_int_eq(net_task_init(&t, loop, task_is_done_within, &t), 0);
	net_task_schedule(&t);
	run();
	for (size_t i = 0; i < sizeof t; i++)
		ck_assert_uint_eq(((unsigned char *)&t)[i], 0x5a);
}
END_TEST

START_TEST(what_is_all_zero_can_be_done_with)
{
	struct net_timer timer = { .ev = NULL };
	struct net_task task = { .ev = NULL };
	struct net_watch watch = { .read_ev = NULL };

	net_timer_done(&timer);
	net_task_done(&task);
	net_watch_done(&watch);
	net_watch_done(&watch);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("net/loop");
	TCase *tc = tcase_create("loop");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_task_runs_once_and_not_inside_the_call);
	tcase_add_test(tc, a_task_scheduled_by_a_task_runs_after_it);
	tcase_add_test(tc, a_task_runs_before_descriptors_are_looked_at_again);
	tcase_add_test(tc, a_task_that_is_done_does_not_run);
	tcase_add_loop_test(tc,
	    a_timer_fires_though_tasks_schedule_each_other, 1, 3);
	tcase_add_test(tc,
	    a_task_that_schedules_itself_leaves_room_on_a_borrowed_base);
	tcase_add_test(tc, a_task_may_be_gone_when_it_has_run);
	tcase_add_test(tc, a_watch_is_level_triggered_and_can_be_switched);
	tcase_add_test(tc,
	    a_timer_fires_once_and_not_early_by_more_than_a_tick);
	tcase_add_test(tc, timers_fire_in_order_and_can_be_moved_and_stopped);
	tcase_add_test(tc, all_can_be_moved_to_another_loop);
	tcase_add_test(tc, what_is_all_zero_can_be_done_with);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
