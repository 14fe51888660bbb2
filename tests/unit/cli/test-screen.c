/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the screen's keys ask for, while what it shows changes.
 */
#include "cli/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define JOB(name)                                                             \
	"{\"job\":\"" name "\",\"state\":\"copying\",\"run\":{\"id\":\"r\","  \
	"\"progress\":{\"phase\":\"copying\",\"total_bytes\":100}}}"

static struct screen screen;

static void
show(const char *jobs)
{
	json_t *answer = json_loads(jobs, 0, NULL);

	ck_assert_ptr_nonnull(answer);
	screen_set_jobs(&screen, answer);
	json_decref(answer);
}

static void
setup(void)
{
	screen_init(&screen);
	show("{\"jobs\":[" JOB("one") "," JOB("two") "]}");
}

static void
teardown(void)
{
	screen_done(&screen);
}

/* What it draws; the caller's. */
static char *
drawn_on(size_t columns, size_t rows)
{
	char *text = NULL;
	size_t len = 0;
	struct canvas c = { .f = open_memstream(&text, &len),
		.columns = columns, .rows = rows };

	ck_assert_ptr_nonnull(c.f);
	screen_draw(&screen, &c, "12:00:00");
	ck_assert_int_eq(fclose(c.f), 0);
	return text;
}

static char *
drawn(size_t columns)
{
	return drawn_on(columns, 24);
}

static bool
shows(const char *wanted)
{
	char *text = drawn(80);
	bool is_there = strstr(text, wanted) != NULL;

	free(text);
	return is_there;
}

START_TEST(what_is_asked_is_of_the_job_that_was_selected)
{
	ck_assert_str_eq(screen.selected, "one");
	ck_assert_int_eq(screen_key(&screen, 'c'), SCREEN_NOTHING);
	show("{\"jobs\":[" JOB("zero") "," JOB("one") "]}");
	ck_assert_int_eq(screen_key(&screen, 'y'), SCREEN_CANCEL);
	ck_assert_str_eq(screen.selected, "one");
}
END_TEST

START_TEST(a_question_about_a_job_that_has_gone_is_not_answered)
{
	ck_assert_int_eq(screen_key(&screen, 'c'), SCREEN_NOTHING);
	show("{\"jobs\":[" JOB("two") "]}");
	ck_assert_str_eq(screen.selected, "two");
	ck_assert_int_eq(screen_key(&screen, 'y'), SCREEN_NOTHING);
	ck_assert_int_eq(screen_key(&screen, 'p'), SCREEN_NOTHING);
	show("{\"jobs\":[]}");
	ck_assert_int_eq(screen_key(&screen, 'y'), SCREEN_NOTHING);
}
END_TEST

/* Else the end of the disk would be beyond the last line. */
START_TEST(a_map_has_as_many_cells_as_are_shown)
{
	size_t n = 0;
	char *text;

	for (size_t rows = 10; rows < 50; rows += 13) {
		unsigned cells;
		struct job_map map = { .n_cells = 1, .n_runs = 1 };

		screen.view = SCREEN_MAP;
		cells = screen_map_cells(&screen, 80, rows);
		map.n_cells = cells;
		map.runs = calloc(1, sizeof *map.runs);
		ck_assert_ptr_nonnull(map.runs);
		map.runs[0].cell = MAP_DURABLE;
		map.runs[0].length = cells;
		screen_set_map(&screen, &map);
		text = drawn_on(80, rows);
		n = 0;
		for (const char *p = text; (p = strchr(p, '#')) != NULL; p++)
			n++;
		free(text);
		/* And one in the legend, where that has room. */
		ck_assert_uint_ge(n, cells);
		ck_assert_uint_le(n, cells + 1);
	}
}
END_TEST

START_TEST(connections_are_summed_up_for_each_disk)
{
	json_t *answer = json_loads("{\"connections\":["
	    "{\"side\":\"source\",\"endpoint\":\"a\",\"id\":1,"
	    "\"state\":\"ready\",\"in_flight\":3,\"latency_p99_ms\":0.25},"
	    "{\"side\":\"source\",\"endpoint\":\"a\",\"id\":2,"
	    "\"state\":\"ready\",\"in_flight\":4,\"latency_p99_ms\":12.6},"
	    "{\"side\":\"destination\",\"endpoint\":\"b\",\"id\":1,"
	    "\"state\":\"reconnecting\",\"in_flight\":0,"
	    "\"latency_p99_ms\":null,\"error\":\"Gone\","
	    "\"next_try_s\":4}]}", 0, NULL);

	ck_assert_ptr_nonnull(answer);
	screen_set_job(&screen, answer);
	json_decref(answer);
	ck_assert(shows("a: 2 ready, 7 in flight, p99 13 ms"));
	ck_assert(shows("b: 0 of 1 ready, #1 reconnecting: Gone; next try in "
	    "4 s"));
	screen_key(&screen, SCREEN_KEY_DOWN);
	ck_assert(!shows("2 ready"));
}
END_TEST

START_TEST(an_empty_list_says_why)
{
	ck_assert(shows("two"));
	for (const char *key = "/nosuch"; *key != '\0'; key++)
		ck_assert_int_eq(screen_key(&screen, *key), SCREEN_NOTHING);
	ck_assert(shows("no job has this in its name"));
	ck_assert_int_eq(screen_key(&screen, SCREEN_KEY_ESCAPE),
	    SCREEN_NOTHING);
	ck_assert(shows("two"));
	show("{\"jobs\":[]}");
	ck_assert(shows("no jobs are configured"));
}
END_TEST

START_TEST(a_narrow_terminal_is_drawn_as_well)
{
	for (size_t columns = 1; columns <= 8; columns++) {
		free(drawn(columns));
		ck_assert_int_eq(screen_key(&screen, 'm'), SCREEN_NOTHING);
	}
}
END_TEST

/* The bar, and what is behind it, as far as there is room for all of it. */
START_TEST(on_a_narrow_terminal_whole_columns_are_left_out)
{
	static const struct {
		size_t columns;
		bool rate, left, rpo;
	} v[] = {
		{ 36, false, false, false },
		{ 50, false, false, false },
		{ 61, true, false, false },
		{ 68, true, true, false },
		{ 80, true, true, true },
	};

	show("{\"jobs\":[{\"job\":\"one\",\"state\":\"copying\",\"rpo\":{"
	     "\"age_s\":3600,\"level\":\"ok\"},\"run\":{\"id\":\"r\","
	     "\"progress\":{\"phase\":\"copying\",\"total_bytes\":100,"
	     "\"done_bytes\":42,\"rate_bytes_per_s\":1024,"
	     "\"eta_s\":77}}}]}");
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		char *text = drawn_on(v[i].columns, 10);

		ck_assert_ptr_nonnull(strstr(text, " 42%"));
		ck_assert(v[i].rate == (strstr(text, "1.0 KiB/s") != NULL));
		ck_assert(v[i].left == (strstr(text, "1m17s") != NULL));
		ck_assert(v[i].rpo == (strstr(text, "1h00m ok") != NULL));
		ck_assert(v[i].rpo == (strstr(text, " RPO") != NULL));
		free(text);
	}
}
END_TEST

/* j0 to j29. */
static void
show_thirty(void)
{
	json_t *answer = json_pack("{s:[]}", "jobs");

	for (int i = 0; i < 30; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "j%d", i);
		(void)json_array_append_new(json_object_get(answer, "jobs"),
		    json_pack("{s:s, s:s}", "job", name, "state", "idle"));
	}
	screen_set_jobs(&screen, answer);
	json_decref(answer);
}

static const char *
selected_by(int key)
{
	(void)screen_key(&screen, key);
	free(drawn(80));
	return screen.selected;
}

START_TEST(many_jobs_are_paged_through)
{
	show_thirty();
	ck_assert(shows("JOB 1-9/30"));
	ck_assert_str_eq(selected_by(SCREEN_KEY_PAGE_DOWN), "j9");
	ck_assert(shows("JOB 2-10/30"));
	ck_assert_str_eq(selected_by(SCREEN_KEY_PAGE_DOWN), "j18");
	ck_assert_str_eq(selected_by(SCREEN_KEY_PAGE_DOWN), "j27");
	ck_assert_str_eq(selected_by(SCREEN_KEY_PAGE_DOWN), "j29");
	ck_assert(shows("JOB 22-30/30"));
	ck_assert_str_eq(selected_by(SCREEN_KEY_PAGE_UP), "j20");
	ck_assert_str_eq(selected_by(SCREEN_KEY_HOME), "j0");
	ck_assert_str_eq(selected_by(SCREEN_KEY_PAGE_UP), "j0");
	ck_assert_str_eq(selected_by(SCREEN_KEY_END), "j29");
	ck_assert_str_eq(selected_by(SCREEN_KEY_UP), "j28");
	ck_assert(!shows("j18"));
}
END_TEST

/* No job of a daemon has such a name, but who knows what answers. */
START_TEST(a_job_whose_name_is_too_long_is_not_moved_away_from)
{
	char name[2 * SCREEN_NAME_SIZE] = "";
	json_t *answer;

	memset(name, 'x', sizeof name - 1);
	answer = json_pack("{s:[{s:s, s:s}]}", "jobs", "job", name, "state",
	    "idle");
	screen_set_jobs(&screen, answer);
	json_decref(answer);
	name[SCREEN_NAME_SIZE - 1] = '\0';
	ck_assert_str_eq(selected_by(SCREEN_KEY_DOWN), name);
	ck_assert_str_eq(selected_by(SCREEN_KEY_PAGE_UP), name);
}
END_TEST

START_TEST(the_heading_has_what_there_is_room_for)
{
	char *text;

	(void)strcpy(screen.host, "dr1");
	screen.up_s = 100 * 3600;
	ck_assert(shows("nbdsync " PACKAGE_VERSION));
	ck_assert(shows("  dr1"));
	ck_assert(shows("12:00:00 "));
	text = drawn(100);
	ck_assert_ptr_nonnull(strstr(text, "  dr1"));
	ck_assert_ptr_nonnull(strstr(text, "  up 4d04h"));
	free(text);
	(void)strcpy(screen.host, "a-host-with-a-very-long-name");
	ck_assert(!shows("a-host"));
	ck_assert(shows("  2 jobs"));
	ck_assert(shows("12:00:00 "));
	text = drawn(60);
	ck_assert_ptr_nonnull(strstr(text, "in trouble"));
	ck_assert_ptr_null(strstr(text, "12:00"));
	free(text);
}
END_TEST

START_TEST(a_narrow_legend_has_what_the_map_has)
{
	struct job_map map = { .n_cells = 2, .n_runs = 1 };
	char *text;

	map.runs = calloc(1, sizeof *map.runs);
	ck_assert_ptr_nonnull(map.runs);
	map.runs[0].cell = MAP_DIFFERS;
	map.runs[0].length = 2;
	screen_set_map(&screen, &map);
	ck_assert(shows("x failed"));
	ck_assert(shows("to do"));
	text = drawn(50);
	ck_assert_ptr_nonnull(strstr(text, "! differs"));
	ck_assert_ptr_null(strstr(text, "failed"));
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("screen");
	TCase *tc = tcase_create("keys");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_asked_is_of_the_job_that_was_selected);
	tcase_add_test(tc,
	    a_question_about_a_job_that_has_gone_is_not_answered);
	tcase_add_test(tc, a_map_has_as_many_cells_as_are_shown);
	tcase_add_test(tc, connections_are_summed_up_for_each_disk);
	tcase_add_test(tc, an_empty_list_says_why);
	tcase_add_test(tc, a_narrow_terminal_is_drawn_as_well);
	tcase_add_test(tc, on_a_narrow_terminal_whole_columns_are_left_out);
	tcase_add_test(tc, many_jobs_are_paged_through);
	tcase_add_test(tc, a_job_whose_name_is_too_long_is_not_moved_away_from);
	tcase_add_test(tc, the_heading_has_what_there_is_room_for);
	tcase_add_test(tc, a_narrow_legend_has_what_the_map_has);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
