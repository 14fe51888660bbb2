/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs: starting, cancelling, ending, and what a reload does to them, with
 * runs that end when the test says so.
 */
#include "job/job.h"

#include <errno.h>
#include <libconfig.h>
#include <string.h>
#include <time.h>

#include "conf-text.h"
#include "fake-run.h"
#include "unit.h"

#define ENDPOINTS(b) \
	"endpoints = ( { name = \"a\"; path = \"/a\"; }," \
	" { name = \"" b "\"; path = \"/b\"; } );\n"
#define JOB(name, b, more) \
	" { name = \"" name "\"; source = \"a\"; destination = \"" b "\";" \
	more " }"

static const char one[] = ENDPOINTS("b") "jobs = (" JOB("one", "b", "") ");";
static const char one_deeper[] = ENDPOINTS("b") "jobs = ("
    JOB("one", "b", "queue_depth = 7;") ");";
static const char two_one[] = ENDPOINTS("b") "jobs = ("
    JOB("two", "b", "") "," JOB("one", "b", "") ");";
static const char none[] = ENDPOINTS("b") "jobs = ( );";

static struct net_loop *loop;
static struct jobs *jobs;
static struct conf *conf;
static struct jobs_watch watch;
static unsigned n_changes;
static bool is_stopped;
static struct error e;

static void
on_change(void *arg UNUSED)
{
	n_changes++;
}

static void
apply(const char *text)
{
	struct conf *next = conf_text_good(text);

	on_main_entry();
	ck_assert_int_eq(jobs_apply(jobs, next), 0);
	conf_free(conf);
	conf = next;
}

static void
set_up(void)
{
	on_main_entry();
	log_set_level(LOG_LEVEL_ERROR);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	ck_assert_int_eq(jobs_new(loop, NULL, &jobs), 0);
	apply(one);
	watch.on_change = on_change;
	jobs_add_watch(jobs, &watch);
}

static void
tear_down(void)
{
	on_main_entry();
	jobs_remove_watch(&watch);
	jobs_free(jobs);
	conf_free(conf);
	net_loop_free(loop);
}

/* Tests are the main thread; these say so, once for all. */

static struct job *
find(const char *name)
{
	on_main_entry();
	return jobs_find(jobs, name);
}

static struct job *
job_one(void)
{
	struct job *job = find("one");

	ck_assert_ptr_nonnull(job);
	return job;
}

static json_t *
job_json(void)
{
	char *text;
	json_t *o;

	on_main_entry();
	text = job_to_text(job_one(), NULL);
	ck_assert_ptr_nonnull(text);
	o = json_loads(text, 0, NULL);
	free(text);
	return o;
}

static struct job_view
view_of(const struct job *job)
{
	struct job_view view;

	on_main_entry();
	job_get_view(job, &view);
	return view;
}

static struct job_view
view_one(void)
{
	return view_of(job_one());
}

static int
start(struct job *job)
{
	on_main_entry();
	return job_start(job, "control", NULL, &e);
}

static int
start_one(void)
{
	return start(job_one());
}

static int
cancel_one(void)
{
	on_main_entry();
	return job_cancel(job_one());
}

static size_t
n_jobs(void)
{
	on_main_entry();
	return jobs_count(jobs);
}

static size_t
n_running(void)
{
	on_main_entry();
	return jobs_count_running(jobs);
}

START_TEST(new_job_is_idle_and_never_ran)
{
	struct job_view view = view_one();

	ck_assert_str_eq(view.state, "idle");
	ck_assert(!view.is_running);
	ck_assert(!view.has_last_run);
	ck_assert_str_eq(view.source, "a");
	ck_assert_str_eq(view.destination, "b");
	ck_assert_uint_eq(n_jobs(), 1);
	ck_assert_uint_eq(n_running(), 0);
	ck_assert_ptr_null(find("on"));
}
END_TEST

START_TEST(started_job_runs_by_its_configuration)
{
	const struct fake_run *run;

	apply(one_deeper);
	ck_assert_int_eq(start_one(), 0);
	run = fake_run_get(0);
	ck_assert_ptr_nonnull(run);
	ck_assert(run->is_started);
	ck_assert_str_eq(run->source, "a");
	ck_assert_str_eq(run->destination, "b");
	ck_assert_uint_eq(run->spec.queue_depth, 7);
	ck_assert_uint_eq(run->spec.io_timeout_ms, 60000);
	ck_assert_uint_eq(n_running(), 1);
	ck_assert_str_eq(view_one().state, "connecting");
	ck_assert_str_eq(view_one().trigger, "control");
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(state_follows_the_phase_of_the_run)
{
	ck_assert_int_eq(start_one(), 0);
	fake_run_set_phase(0, RUN_COPYING);
	ck_assert_str_eq(view_one().state, "copying");
	fake_run_set_phase(0, RUN_FLUSHING);
	ck_assert_str_eq(view_one().state, "flushing");
	/* On its worker it has ended, but we have not been told yet. */
	fake_run_set_phase(0, RUN_FINISHED);
	ck_assert_str_eq(view_one().state, "stopping");
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_str_eq(view_one().state, "idle");
}
END_TEST

static bool
is_listed(const char *state)
{
	for (const char *const *s = job_states; *s != NULL; s++)
		if (strcmp(*s, state) == 0)
			return true;
	return false;
}

START_TEST(state_of_every_phase_is_in_the_list_of_all)
{
	ck_assert(is_listed(view_one().state));
	ck_assert_int_eq(start_one(), 0);
	for (int phase = RUN_CONNECTING; phase <= RUN_FINISHED; phase++) {
		fake_run_set_phase(0, (enum run_phase)phase);
		ck_assert_msg(is_listed(view_one().state), "%s",
		    view_one().state);
	}
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert(!is_listed("finished"));
}
END_TEST

START_TEST(running_job_is_not_started_twice)
{
	ck_assert_int_eq(start_one(), 0);
	ck_assert_int_eq(start_one(), -EBUSY);
	ck_assert_str_eq(e.text, "job 'one' is running");
	ck_assert_ptr_null(fake_run_get(1));
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_int_eq(start_one(), 0);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(runs_have_ids_of_their_own)
{
	char first[JOB_RUN_ID_SIZE];

	ck_assert_int_eq(start_one(), 0);
	strcpy(first, view_one().run_id);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_int_eq(start_one(), 0);
	ck_assert_str_ne(first, view_one().run_id);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(refused_run_leaves_the_job_idle)
{
	fake_run_refuse_next("too many of everything");
	ck_assert_int_eq(start_one(), -EINVAL);
	ck_assert_str_eq(e.text, "job 'one': too many of everything");
	ck_assert(!view_one().is_running);
	ck_assert_uint_eq(n_running(), 0);
}
END_TEST

START_TEST(result_of_the_last_run_is_kept)
{
	json_t *last;

	ck_assert_int_eq(start_one(), 0);
	fake_run_finish(0, RUN_FAILED, "destination: write: I/O error");
	ck_assert(fake_run_get(0)->is_freed);
	ck_assert(view_one().has_last_run);
	ck_assert_int_eq(view_one().last_outcome, RUN_FAILED);
	last = json_loads(view_one().last_run, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(last, "result")),
	    "failed");
	ck_assert_ptr_nonnull(json_object_get(last, "id"));
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(
	    last, "failure"), "message")), "destination: write: I/O error");
	json_decref(last);
}
END_TEST

START_TEST(cancel_asks_the_run_once_and_waits_for_its_end)
{
	ck_assert_int_eq(cancel_one(), -ESRCH);
	ck_assert_int_eq(start_one(), 0);
	fake_run_set_phase(0, RUN_COPYING);
	ck_assert_int_eq(cancel_one(), 0);
	ck_assert(fake_run_get(0)->is_cancelled);
	ck_assert_str_eq(view_one().state, "stopping");
	ck_assert_int_eq(cancel_one(), 0);
	ck_assert(view_one().is_running);
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_int_eq(view_one().last_outcome, RUN_CANCELLED);
	ck_assert_int_eq(cancel_one(), -ESRCH);
}
END_TEST

START_TEST(abort_may_follow_cancel)
{
	on_main_entry();
	ck_assert_int_eq(job_abort(job_one()), -ESRCH);
	ck_assert_int_eq(start_one(), 0);
	ck_assert_int_eq(cancel_one(), 0);
	ck_assert(!fake_run_get(0)->is_aborted);
	ck_assert_int_eq(job_abort(job_one()), 0);
	ck_assert(fake_run_get(0)->is_aborted);
	fake_run_finish(0, RUN_CANCELLED, NULL);
}
END_TEST

START_TEST(every_change_of_state_raises_rev_and_is_told)
{
	uint64_t rev = view_one().rev;

	n_changes = 0;
	ck_assert_int_eq(start_one(), 0);
	ck_assert_uint_eq(n_changes, 1);
	ck_assert_uint_gt(view_one().rev, rev);
	rev = view_one().rev;
	ck_assert_int_eq(cancel_one(), 0);
	ck_assert_uint_gt(view_one().rev, rev);
	rev = view_one().rev;
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_uint_gt(view_one().rev, rev);
	ck_assert_uint_eq(n_changes, 3);
}
END_TEST

START_TEST(reload_that_changes_nothing_leaves_rev_alone)
{
	uint64_t rev = view_one().rev;

	apply(one);
	ck_assert_uint_eq(view_one().rev, rev);
	apply(one_deeper);
	ck_assert_uint_gt(view_one().rev, rev);
}
END_TEST

START_TEST(reload_adds_jobs_in_the_order_of_the_file)
{
	apply(two_one);
	ck_assert_uint_eq(n_jobs(), 2);
	on_main_entry();
	ck_assert_str_eq(view_of(jobs_next(jobs, NULL)).name, "two");
}
END_TEST

START_TEST(reload_does_not_disturb_a_running_job)
{
	ck_assert_int_eq(start_one(), 0);
	apply(two_one);
	apply(one_deeper);
	ck_assert(!fake_run_get(0)->is_cancelled);
	ck_assert(view_one().is_running);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	/* The next run has what the reload brought. */
	ck_assert_int_eq(start_one(), 0);
	ck_assert_uint_eq(fake_run_get(1)->spec.queue_depth, 7);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(whoever_asks_for_a_comparison_says_whether_to_repair)
{
	const struct job_wish wishes[] = {
		{ .has_mode = true, .mode = RUN_VERIFY, .has_repair = true,
		    .repair = true },
		{ .has_mode = true, .mode = RUN_VERIFY, .has_repair = true },
		{ .has_mode = true, .mode = RUN_VERIFY },
	};

	apply(ENDPOINTS("b") "jobs = (" JOB("one", "b", "repair = true;")
	    ");");
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(job_start(job_one(), "test", &wishes[i], &e),
		    0);
		ck_assert_int_eq(fake_run_get(i)->spec.repair, i != 1);
		fake_run_finish(i, RUN_SUCCEEDED, NULL);
	}
}
END_TEST

START_TEST(only_what_is_written_is_read_back)
{
	const enum run_mode modes[] = { RUN_COPY, RUN_SYNC, RUN_VERIFY,
		RUN_MIRROR };

	apply(ENDPOINTS("b") "jobs = (" JOB("one", "b",
	    "verify = \"after\";") ");");
	for (unsigned i = 0; i < 4; i++) {
		const struct job_wish wish = { .has_mode = true,
			.mode = modes[i] };

		ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
		ck_assert_int_eq(fake_run_get(i)->spec.verify_after, i < 2);
		fake_run_finish(i, RUN_CANCELLED, NULL);
	}
}
END_TEST

/* From 8 to 24 KiB of the source. */
#define PART_OF_B ENDPOINTS("b") "jobs = (" JOB("one", "b", \
    "ranges = ( { from = \"8KiB\"; length = \"16KiB\"; to = \"1MiB\"; } );") \
    ");"

START_TEST(ranges_are_joined_and_cut_to_those_of_the_job)
{
	static const struct run_range asked[] = {
		{ 20 << 10, RUN_LENGTH_ALL, 7 }, { 4 << 10, 6 << 10, 7 },
		{ 9 << 10, 2 << 10, 7 },
	};
	const struct job_wish wish = { .has_mode = true, .mode = RUN_VERIFY,
		.ranges = asked, .n_ranges = 3 };
	const struct run_spec *spec;

	apply(PART_OF_B);
	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
	spec = &fake_run_get(0)->spec;
	ck_assert_int_eq(spec->mode, RUN_VERIFY);
	ck_assert_uint_eq(spec->n_ranges, 2);
	ck_assert_uint_eq(spec->ranges[0].from, 8 << 10);
	ck_assert_uint_eq(spec->ranges[0].length, 3 << 10);
	ck_assert_uint_eq(spec->ranges[0].to, 1 << 20);
	ck_assert_uint_eq(spec->ranges[1].from, 20 << 10);
	ck_assert_uint_eq(spec->ranges[1].length, 4 << 10);
	ck_assert_uint_eq(spec->ranges[1].to, (1 << 20) + (12 << 10));
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_ptr_null(view_one().success);
	ck_assert_int_eq(start_one(), 0);
	ck_assert_uint_eq(fake_run_get(1)->spec.n_ranges, 1);
	ck_assert_int_eq(fake_run_get(1)->spec.mode, RUN_COPY);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
	ck_assert_ptr_nonnull(view_one().success);
}
END_TEST

/* To read or write somewhere else would be worse than any error. */
START_TEST(a_part_that_no_disk_has_does_not_begin_anew_at_its_start)
{
	static const struct run_range asked = { 2ULL << 50, RUN_LENGTH_ALL, 0 };
	const struct job_wish wish = { .ranges = &asked, .n_ranges = 1 };

	apply(ENDPOINTS("b") "jobs = (" JOB("one", "b", "ranges = ( { "
	    "to = \"16383P\"; } );") ");");
	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
	ck_assert_uint_eq(fake_run_get(0)->spec.ranges[0].to, UINT64_MAX);
	fake_run_finish(0, RUN_FAILED, "too small");
}
END_TEST

START_TEST(ranges_that_the_job_has_not_are_refused)
{
	static const struct run_range asked = { 24 << 10, RUN_LENGTH_ALL, 0 };
	const struct job_wish wish = { .ranges = &asked, .n_ranges = 1 };

	apply(PART_OF_B);
	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), -ERANGE);
	ck_assert_ptr_null(fake_run_get(0));
	ck_assert_str_eq(view_one().reason, "");
}
END_TEST

/* Nor that it was made right, or was begun. */
START_TEST(that_a_part_is_right_does_not_make_up_for_a_failure)
{
	static const enum run_outcome ends[] = { RUN_SUCCEEDED, RUN_REPAIRED,
		RUN_CANCELLED };
	static const struct run_range asked = { 0, 4096, 0 };
	const struct job_wish wish = { .has_mode = true, .mode = RUN_VERIFY,
		.ranges = &asked, .n_ranges = 1 };

	ck_assert_int_eq(start_one(), 0);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_int_eq(start_one(), 0);
	fake_run_finish(1, RUN_FAILED, "no");
	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
	fake_run_finish(2, ends[_i], NULL);
	ck_assert(!view_one().is_consistent);
	ck_assert_int_eq(view_one().health, JOB_WARN);
	ck_assert_int_eq(view_one().ended_with, ends[_i]);
}
END_TEST

START_TEST(that_a_part_is_right_does_no_harm)
{
	static const struct run_range asked = { 0, 4096, 0 };
	const struct job_wish wish = { .has_mode = true, .mode = RUN_VERIFY,
		.ranges = &asked, .n_ranges = 1 };

	ck_assert_int_eq(start_one(), 0);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
	ck_assert(view_one().is_consistent);
	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
	fake_run_finish(2, RUN_DIFFERENT, NULL);
	ck_assert(!view_one().is_consistent);
	ck_assert_int_eq(view_one().health, JOB_WARN);
}
END_TEST

START_TEST(run_that_a_pause_has_ended_goes_on_as_it_was)
{
	const struct job_wish wish = { .has_mode = true, .mode = RUN_VERIFY,
		.has_rate = true, .rate = 7, .is_full = true,
		.reason = "a try" };

	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
	ck_assert_uint_eq(fake_run_get(0)->spec.rate, 7);
	ck_assert(fake_run_get(0)->spec.full);
	fake_run_set_phase(0, RUN_COPYING);
	job_pause(job_one(), NULL, 0);
	fake_run_finish(0, RUN_CANCELLED, NULL);
	job_resume(job_one());
	ck_assert_int_eq(fake_run_get(1)->spec.mode, RUN_VERIFY);
	ck_assert_uint_eq(fake_run_get(1)->spec.rate, 7);
	/* What it has done before the pause is not done again. */
	ck_assert(!fake_run_get(1)->spec.full);
	ck_assert_str_eq(view_one().reason, "a try");
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
	ck_assert_str_eq(view_one().reason, "");
	ck_assert_uint_eq(view_one().rate_limit, 0);
}
END_TEST

START_TEST(reload_changes_the_rate_of_a_running_job)
{
	struct job *job = jobs_find(jobs, "one");

	ck_assert_int_eq(job_start(job, "test", NULL, &e), 0);
	ck_assert_uint_eq(fake_run_get(0)->rate, 0);
	apply(ENDPOINTS("b") "jobs = ("
	    JOB("one", "b", "rate = \"5MB/s\";") ");");
	ck_assert_uint_eq(fake_run_get(0)->rate, 5000000);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_int_eq(job_start(job, "test", NULL, &e), 0);
	ck_assert_uint_eq(fake_run_get(1)->spec.rate, 5000000);
	ck_assert_ptr_nonnull(fake_run_get(1)->spec.budget);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(running_job_shows_the_endpoints_of_its_run)
{
	ck_assert_int_eq(start_one(), 0);
	apply(ENDPOINTS("c") "jobs = (" JOB("one", "c", "") ");");
	ck_assert_str_eq(view_one().destination, "b");
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_str_eq(view_one().destination, "c");
}
END_TEST

START_TEST(removed_idle_job_is_gone_at_once)
{
	apply(none);
	ck_assert_ptr_null(find("one"));
	ck_assert_uint_eq(n_jobs(), 0);
}
END_TEST

START_TEST(removed_running_job_ends_and_then_vanishes)
{
	ck_assert_int_eq(start_one(), 0);
	apply(none);
	ck_assert(!fake_run_get(0)->is_cancelled);
	ck_assert(view_one().is_running);
	ck_assert_int_eq(start_one(), -EBUSY);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_ptr_null(find("one"));
	ck_assert_uint_eq(n_running(), 0);
}
END_TEST

static const char *last_state;

static void
on_change_look(void *arg UNUSED)
{
	if (find("one") != NULL)
		last_state = view_one().state;
}

START_TEST(who_watches_sees_the_result_before_the_job_vanishes)
{
	struct jobs_watch look = { .on_change = on_change_look };

	ck_assert_int_eq(start_one(), 0);
	apply(none);
	on_main_entry();
	jobs_add_watch(jobs, &look);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_str_eq(last_state, "idle");
	jobs_remove_watch(&look);
}
END_TEST

START_TEST(removed_job_that_comes_back_while_running_stays)
{
	ck_assert_int_eq(start_one(), 0);
	apply(none);
	apply(two_one);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_ptr_nonnull(find("one"));
	ck_assert_uint_eq(n_jobs(), 2);
}
END_TEST

static void
on_stopped(void *arg UNUSED)
{
	is_stopped = true;
	net_loop_stop(loop);
}

START_TEST(stopping_cancels_all_and_waits_for_the_last)
{
	apply(two_one);
	ck_assert_int_eq(start_one(), 0);
	ck_assert_int_eq(start(find("two")), 0);
	on_main_entry();
	jobs_stop(jobs, on_stopped, NULL);
	ck_assert(jobs_is_stopping(jobs));
	ck_assert(fake_run_get(0)->is_cancelled);
	ck_assert(fake_run_get(1)->is_cancelled);
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_int_eq(start_one(), -ESHUTDOWN);
	fake_run_finish(1, RUN_CANCELLED, NULL);
	/* Not from within a call of ours, but from the loop. */
	ck_assert(!is_stopped);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert(is_stopped);
}
END_TEST

START_TEST(stopping_with_nothing_running_is_soon_over)
{
	on_main_entry();
	jobs_stop(jobs, on_stopped, NULL);
	ck_assert(!is_stopped);
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert(is_stopped);
}
END_TEST

START_TEST(job_as_json_has_what_the_manual_says)
{
	static const char *const keys[] = { "job", "rev", "generated_at",
		"state", "source", "destination", "run", "last_run" };
	json_t *o;

	on_main_entry();
	o = job_json();
	ck_assert_ptr_nonnull(o);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		ck_assert_msg(json_object_get(o, keys[i]) != NULL, "%s",
		    keys[i]);
	ck_assert(json_is_null(json_object_get(o, "run")));
	ck_assert(json_is_null(json_object_get(o, "last_run")));
	json_decref(o);

	ck_assert_int_eq(start_one(), 0);
	o = job_json();
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(o,
	    "run"), "trigger")), "control");
	ck_assert(json_is_object(json_object_get(json_object_get(o, "run"),
	    "progress")));
	json_decref(o);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
}
END_TEST

static void
pause_one(const char *reason, int64_t until_ms)
{
	on_main_entry();
	job_pause(job_one(), reason, until_ms);
}

static void
resume_one(void)
{
	on_main_entry();
	job_resume(job_one());
}

START_TEST(a_paused_job_starts_no_run)
{
	pause_one("no link", 0);
	ck_assert_str_eq(view_one().state, "paused");
	ck_assert_str_eq(view_one().pause_reason, "no link");
	ck_assert_int_eq(start_one(), -ECANCELED);
	ck_assert_str_eq(e.text, "job 'one' is paused: no link");
	resume_one();
	ck_assert_str_eq(view_one().state, "idle");
	ck_assert_ptr_null(fake_run_get(0));
	ck_assert_int_eq(start_one(), 0);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(pausing_twice_or_resuming_what_is_not_paused_does_no_harm)
{
	resume_one();
	ck_assert(!view_one().is_paused);
	pause_one("a", 0);
	pause_one("b", 0);
	ck_assert_str_eq(view_one().pause_reason, "b");
	resume_one();
	resume_one();
	ck_assert(!view_one().is_paused);
}
END_TEST

START_TEST(a_pause_ends_the_run_and_resuming_begins_it_again)
{
	ck_assert_int_eq(start_one(), 0);
	pause_one(NULL, 0);
	ck_assert(fake_run_get(0)->is_cancelled);
	ck_assert_str_eq(view_one().state, "stopping");
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_str_eq(view_one().state, "paused");
	ck_assert_ptr_null(fake_run_get(1));
	resume_one();
	ck_assert_ptr_nonnull(fake_run_get(1));
	ck_assert_str_eq(view_one().trigger, "resume");
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(a_run_that_still_ends_is_begun_again_afterwards)
{
	ck_assert_int_eq(start_one(), 0);
	pause_one(NULL, 0);
	resume_one();
	ck_assert_ptr_null(fake_run_get(1));
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_ptr_nonnull(fake_run_get(1));
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(what_is_left_of_a_paused_run_can_be_cancelled)
{
	ck_assert_int_eq(start_one(), 0);
	pause_one(NULL, 0);
	ck_assert(view_one().goes_on);
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_int_eq(cancel_one(), 0);
	ck_assert(!view_one().goes_on);
	ck_assert_int_eq(cancel_one(), -ESRCH);
	ck_assert_str_eq(view_one().state, "paused");
	resume_one();
	ck_assert_ptr_null(fake_run_get(1));
	ck_assert_str_eq(view_one().state, "idle");
}
END_TEST

START_TEST(a_run_that_a_pause_ends_can_be_cancelled_for_good)
{
	ck_assert_int_eq(start_one(), 0);
	pause_one(NULL, 0);
	ck_assert_int_eq(cancel_one(), 0);
	resume_one();
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_ptr_null(fake_run_get(1));
	ck_assert_str_eq(view_one().state, "idle");
}
END_TEST

static void
start_full(void)
{
	const struct job_wish wish = { .is_full = true };

	on_main_entry();
	ck_assert_int_eq(job_start(job_one(), "control", &wish, &e), 0);
	ck_assert(fake_run_get(0)->spec.full);
}

START_TEST(a_full_run_that_is_paused_before_it_has_begun_is_full_afterwards)
{
	start_full();
	pause_one(NULL, 0);
	fake_run_finish(0, RUN_CANCELLED, NULL);
	resume_one();
	ck_assert(fake_run_get(1)->spec.full);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
	ck_assert_int_eq(start_one(), 0);
	ck_assert(!fake_run_get(2)->spec.full);
	fake_run_finish(2, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(a_full_run_goes_on_from_what_it_has_done_itself)
{
	start_full();
	fake_run_set_phase(0, RUN_COPYING);
	pause_one(NULL, 0);
	fake_run_finish(0, RUN_CANCELLED, NULL);
	resume_one();
	ck_assert(!fake_run_get(1)->spec.full);
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(a_run_that_is_complete_when_the_pause_comes_is_not_begun_again)
{
	ck_assert_int_eq(start_one(), 0);
	pause_one(NULL, 0);
	ck_assert(fake_run_get(0)->is_cancelled);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	resume_one();
	ck_assert_ptr_null(fake_run_get(1));
	ck_assert_str_eq(view_one().state, "idle");
}
END_TEST

START_TEST(a_mirror_that_a_pause_has_stopped_goes_on)
{
	ck_assert_int_eq(start_one(), 0);
	pause_one(NULL, 0);
	fake_run_finish(0, RUN_STOPPED, NULL);
	resume_one();
	ck_assert_ptr_nonnull(fake_run_get(1));
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(a_part_that_is_no_more_does_not_become_the_whole)
{
	const struct run_range range = { .from = 8192, .length = 4096 };
	const struct job_wish wish = { .has_mode = true, .mode = RUN_VERIFY,
		.ranges = &range, .n_ranges = 1 };

	on_main_entry();
	ck_assert_int_eq(job_start(job_one(), "test", &wish, &e), 0);
	pause_one(NULL, 0);
	fake_run_finish(0, RUN_CANCELLED, NULL);
	apply(ENDPOINTS("b") "jobs = (" JOB("one", "b",
	    "ranges = ( { from = \"0\"; length = \"4KiB\"; to = \"0\"; } );")
	    ");");
	resume_one();
	ck_assert_ptr_null(fake_run_get(1));
	pause_one(NULL, 0);
	resume_one();
	ck_assert_ptr_null(fake_run_get(1));
}
END_TEST

START_TEST(what_was_cancelled_before_the_pause_stays_so)
{
	ck_assert_int_eq(start_one(), 0);
	ck_assert_int_eq(cancel_one(), 0);
	pause_one(NULL, 0);
	resume_one();
	fake_run_finish(0, RUN_CANCELLED, NULL);
	ck_assert_ptr_null(fake_run_get(1));
}
END_TEST

START_TEST(health_and_consistency_follow_the_runs)
{
	ck_assert_int_eq(view_one().health, JOB_UNKNOWN);
	ck_assert(!view_one().is_consistent);
	ck_assert_int_eq(start_one(), 0);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	ck_assert_int_eq(view_one().health, JOB_OK);
	ck_assert(view_one().is_consistent);
	ck_assert_ptr_nonnull(view_one().success);
	ck_assert_int_eq(start_one(), 0);
	ck_assert(!view_one().is_consistent);
	fake_run_finish(1, RUN_FAILED, "no");
	ck_assert_int_eq(view_one().health, JOB_WARN);
	ck_assert(!view_one().is_consistent);
	ck_assert_ptr_nonnull(view_one().success);
	ck_assert_uint_eq(view_one().totals.runs[RUN_SUCCEEDED], 1);
	ck_assert_uint_eq(view_one().totals.runs[RUN_FAILED], 1);
}
END_TEST

static void
stop_loop(void *arg UNUSED)
{
	net_loop_stop(loop);
}

/* Lets the loop run until the state is this, or ten seconds are over. */
static void
wait_state(const char *state)
{
	struct net_timer timer = { .ev = NULL };

	for (int i = 0; i < 100 && strcmp(view_one().state, state) != 0; i++) {
		ck_assert_int_eq(net_timer_init(&timer, loop, stop_loop,
		    NULL), 0);
		net_timer_start(&timer, 100);
		ck_assert_int_eq(net_loop_run(loop), 0);
		net_timer_done(&timer);
	}
	ck_assert_str_eq(view_one().state, state);
}

START_TEST(a_pause_ends_at_its_time)
{
	pause_one(NULL, 1);
	wait_state("idle");
}
END_TEST

START_TEST(a_change_of_phase_is_told)
{
	struct net_timer timer = { .ev = NULL };
	uint64_t rev;

	ck_assert_int_eq(start_one(), 0);
	rev = view_one().rev;
	fake_run_set_phase(0, RUN_COPYING);
	ck_assert_int_eq(net_timer_init(&timer, loop, stop_loop, NULL), 0);
	for (int i = 0; i < 100 && view_one().rev == rev; i++) {
		net_timer_start(&timer, 100);
		ck_assert_int_eq(net_loop_run(loop), 0);
	}
	net_timer_done(&timer);
	ck_assert_uint_gt(view_one().rev, rev);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
}
END_TEST

static void
add_runs(TCase *tc)
{
	tcase_add_test(tc, new_job_is_idle_and_never_ran);
	tcase_add_test(tc, started_job_runs_by_its_configuration);
	tcase_add_test(tc, state_follows_the_phase_of_the_run);
	tcase_add_test(tc, state_of_every_phase_is_in_the_list_of_all);
	tcase_add_test(tc, running_job_is_not_started_twice);
	tcase_add_test(tc, runs_have_ids_of_their_own);
	tcase_add_test(tc, refused_run_leaves_the_job_idle);
	tcase_add_test(tc, result_of_the_last_run_is_kept);
	tcase_add_test(tc, cancel_asks_the_run_once_and_waits_for_its_end);
	tcase_add_test(tc, abort_may_follow_cancel);
	tcase_add_test(tc, every_change_of_state_raises_rev_and_is_told);
	tcase_add_test(tc, job_as_json_has_what_the_manual_says);
}

static void
add_reloads(TCase *tc)
{
	tcase_add_test(tc, reload_that_changes_nothing_leaves_rev_alone);
	tcase_add_test(tc, reload_adds_jobs_in_the_order_of_the_file);
	tcase_add_test(tc, reload_does_not_disturb_a_running_job);
	tcase_add_test(tc,
	    whoever_asks_for_a_comparison_says_whether_to_repair);
	tcase_add_test(tc, only_what_is_written_is_read_back);
	tcase_add_test(tc, ranges_are_joined_and_cut_to_those_of_the_job);
	tcase_add_test(tc, ranges_that_the_job_has_not_are_refused);
	tcase_add_test(tc,
	    a_part_that_no_disk_has_does_not_begin_anew_at_its_start);
	tcase_add_loop_test(tc,
	    that_a_part_is_right_does_not_make_up_for_a_failure, 0, 3);
	tcase_add_test(tc, that_a_part_is_right_does_no_harm);
	tcase_add_test(tc, run_that_a_pause_has_ended_goes_on_as_it_was);
	tcase_add_test(tc, reload_changes_the_rate_of_a_running_job);
	tcase_add_test(tc, running_job_shows_the_endpoints_of_its_run);
	tcase_add_test(tc, removed_idle_job_is_gone_at_once);
	tcase_add_test(tc, removed_running_job_ends_and_then_vanishes);
	tcase_add_test(tc,
	    who_watches_sees_the_result_before_the_job_vanishes);
	tcase_add_test(tc, removed_job_that_comes_back_while_running_stays);
}

static void
add_stops(TCase *tc)
{
	tcase_add_test(tc, stopping_cancels_all_and_waits_for_the_last);
	tcase_add_test(tc, stopping_with_nothing_running_is_soon_over);
	tcase_add_test(tc, a_paused_job_starts_no_run);
	tcase_add_test(tc,
	    pausing_twice_or_resuming_what_is_not_paused_does_no_harm);
	tcase_add_test(tc, a_pause_ends_the_run_and_resuming_begins_it_again);
	tcase_add_test(tc, a_run_that_still_ends_is_begun_again_afterwards);
	tcase_add_test(tc,
	    a_run_that_is_complete_when_the_pause_comes_is_not_begun_again);
	tcase_add_test(tc, what_is_left_of_a_paused_run_can_be_cancelled);
	tcase_add_test(tc, a_run_that_a_pause_ends_can_be_cancelled_for_good);
	tcase_add_test(tc,
	    a_full_run_that_is_paused_before_it_has_begun_is_full_afterwards);
	tcase_add_test(tc, a_full_run_goes_on_from_what_it_has_done_itself);
	tcase_add_test(tc, a_mirror_that_a_pause_has_stopped_goes_on);
	tcase_add_test(tc, a_part_that_is_no_more_does_not_become_the_whole);
	tcase_add_test(tc, what_was_cancelled_before_the_pause_stays_so);
	tcase_add_test(tc, health_and_consistency_follow_the_runs);
	tcase_add_test(tc, a_pause_ends_at_its_time);
	tcase_add_test(tc, a_change_of_phase_is_told);
}

static const char hourly[] = ENDPOINTS("b") "jobs = ("
    JOB("one", "b", "interval = \"1h\";") ");";
static const char each_hour[] = ENDPOINTS("b") "jobs = ("
    JOB("one", "b", "schedule = \"0 * * * *\";") ");";

#define HOUR_S 3600

static void
look_at(int64_t now_s)
{
	on_main_entry();
	jobs_look_at_schedules(jobs, now_s);
}

static json_t *
schedule_json(void)
{
	json_t *o, *schedule;

	on_main_entry();
	o = job_json();
	schedule = json_incref(json_object_get(o, "schedule"));
	json_decref(o);
	return schedule;
}

START_TEST(job_with_an_interval_runs_at_once_and_then_again_and_again)
{
	int64_t now = (int64_t)time(NULL) + 2;

	look_at(now);
	ck_assert_ptr_null(fake_run_get(0));
	apply(hourly);
	for (unsigned i = 0; i < 3; i++, now += HOUR_S) {
		look_at(now);
		ck_assert_ptr_nonnull(fake_run_get(i));
		ck_assert_str_eq(view_one().trigger, "schedule");
		fake_run_finish(i, RUN_SUCCEEDED, NULL);
		look_at(now + 1);
		look_at(now + HOUR_S - 1);
		ck_assert_ptr_null(fake_run_get(i + 1));
	}
}
END_TEST

START_TEST(run_that_is_due_while_one_runs_is_skipped_with_a_record)
{
	int64_t now = (int64_t)time(NULL) + 2;
	json_t *schedule;

	apply(hourly);
	look_at(now);
	look_at(now + HOUR_S);
	look_at(now + HOUR_S + 1);
	schedule = schedule_json();
	ck_assert_int_eq(json_integer_value(json_object_get(schedule,
	    "skipped")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(
	    schedule, "last_skip"), "reason")),
	    "the one before is still running");
	json_decref(schedule);
	/* It is not made up for. */
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	look_at(now + HOUR_S + 2);
	ck_assert_ptr_null(fake_run_get(1));
	look_at(now + 2 * HOUR_S);
	ck_assert_ptr_nonnull(fake_run_get(1));
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(run_that_is_due_while_the_job_is_paused_is_skipped)
{
	int64_t now = (int64_t)time(NULL) + 2;
	json_t *schedule;

	apply(hourly);
	on_main_entry();
	job_pause(job_one(), "x", 0);
	look_at(now);
	ck_assert_ptr_null(fake_run_get(0));
	schedule = schedule_json();
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(
	    schedule, "last_skip"), "reason")), "the job is paused");
	json_decref(schedule);
	job_resume(job_one());
	look_at(now + HOUR_S);
	ck_assert_ptr_nonnull(fake_run_get(0));
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
}
END_TEST

START_TEST(clock_that_jumps_a_day_runs_nothing_twice)
{
	int64_t now = ((int64_t)time(NULL) / HOUR_S + 1) * HOUR_S;

	apply(each_hour);
	look_at(now);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	for (int64_t t = now - 86400; t < now + HOUR_S; t += 60)
		look_at(t);
	ck_assert_ptr_null(fake_run_get(1));
	/* And forward: once for all that was missed. */
	look_at(now + 86400 + 600);
	ck_assert_str_eq(view_one().trigger, "catch-up");
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
	look_at(now + 86400 + 660);
	ck_assert_ptr_null(fake_run_get(2));
}
END_TEST

START_TEST(clock_that_jumps_a_day_does_not_stop_an_interval)
{
	int64_t now = (int64_t)time(NULL) + 2;

	apply(hourly);
	look_at(now);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	now -= 86400;
	for (int64_t t = now; t < now + HOUR_S; t += 60)
		look_at(t);
	ck_assert_ptr_null(fake_run_get(1));
	look_at(now + HOUR_S);
	ck_assert_str_eq(view_one().trigger, "schedule");
	fake_run_finish(1, RUN_SUCCEEDED, NULL);
	/* And forward: once for all that was missed. */
	look_at(now + 86400);
	ck_assert_str_eq(view_one().trigger, "catch-up");
	fake_run_finish(2, RUN_SUCCEEDED, NULL);
	look_at(now + 86400 + 60);
	ck_assert_ptr_null(fake_run_get(3));
}
END_TEST

START_TEST(reload_does_not_make_a_schedule_run_again)
{
	int64_t now = (int64_t)time(NULL) + 2;

	apply(hourly);
	look_at(now);
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
	apply(hourly);
	look_at(now + 1);
	ck_assert_ptr_null(fake_run_get(1));
}
END_TEST

START_TEST(times_of_day_that_a_reload_brings_were_not_missed)
{
	time_t now = time(NULL);
	time_t half_an_hour_ago = now - HOUR_S / 2;
	char text[512];
	struct tm tm;

	ck_assert_ptr_nonnull(localtime_r(&half_an_hour_ago, &tm));
	(void)snprintf(text, sizeof text, ENDPOINTS("b") "jobs = ("
	    JOB("one", "b", "schedule = \"%d * * * *\";") ");", tm.tm_min);
	apply(hourly);
	apply(text);
	look_at(now);
	ck_assert_ptr_null(fake_run_get(0));
	look_at(now + HOUR_S);
	ck_assert_ptr_nonnull(fake_run_get(0));
	fake_run_finish(0, RUN_SUCCEEDED, NULL);
}
END_TEST

static void
add_schedules(TCase *tc)
{
	tcase_add_test(tc,
	    job_with_an_interval_runs_at_once_and_then_again_and_again);
	tcase_add_test(tc,
	    run_that_is_due_while_one_runs_is_skipped_with_a_record);
	tcase_add_test(tc, run_that_is_due_while_the_job_is_paused_is_skipped);
	tcase_add_test(tc, clock_that_jumps_a_day_runs_nothing_twice);
	tcase_add_test(tc, clock_that_jumps_a_day_does_not_stop_an_interval);
	tcase_add_test(tc, reload_does_not_make_a_schedule_run_again);
	tcase_add_test(tc, times_of_day_that_a_reload_brings_were_not_missed);
}

int
main(void)
{
	static const struct {
		const char *name;
		void (*add)(TCase *tc);
	} cases[] = {
		{ "runs", add_runs },
		{ "reloads", add_reloads },
		{ "stops", add_stops },
		{ "schedules", add_schedules },
	};
	Suite *s = suite_create("daemon/job/jobs");

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		TCase *tc = tcase_create(cases[i].name);

		tcase_add_checked_fixture(tc, set_up, tear_down);
		cases[i].add(tc);
		suite_add_tcase(s, tc);
	}
	return unit_main(s);
}
