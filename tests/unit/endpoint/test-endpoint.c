/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "endpoint/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char dir[] = "/tmp/nbdsync-unit-XXXXXX";
static char path[64];
static struct net_loop *loop;
static struct error err;

static void
setup(void)
{
	memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/disk.img", dir);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	err.text[0] = '\0';
}

static void
teardown(void)
{
	net_loop_free(loop);
	(void)unlink(path);
	(void)rmdir(dir);
}

static int
open_text(const char *text, enum endpoint_role role, struct endpoint **ret)
{
	struct endpoint_spec *spec;
	int r;

	ck_assert_int_eq(endpoint_spec_from_text(NULL, text, &spec, &err), 0);
	r = endpoint_open(loop, spec, role, 1000, NULL, ret, &err);
	endpoint_spec_free(spec);
	return r;
}

static void
stop_loop(void *arg UNUSED)
{
	net_loop_stop(loop);
}

static void
close_and_wait(struct endpoint *ep)
{
	endpoint_close(ep, stop_loop, NULL);
	ck_assert_int_eq(net_loop_run(loop), 0);
}

START_TEST(a_missing_source_file_is_an_error)
{
	struct endpoint *ep;

	ck_assert_int_eq(open_text(path, ENDPOINT_SOURCE, &ep), -ENOENT);
	ck_assert_str_eq(err.text, "cannot open it: No such file or directory");
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(a_missing_destination_file_is_created_with_the_size)
{
	struct endpoint *ep;
	struct stat st;

	ck_assert_int_eq(open_text(path, ENDPOINT_DESTINATION, &ep), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 1000);
	close_and_wait(ep);
}
END_TEST

START_TEST(an_existing_destination_file_keeps_its_size)
{
	struct endpoint *ep;
	struct stat st;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_eq(ftruncate(fd, 17), 0);
	(void)close(fd);
	ck_assert_int_eq(open_text(path, ENDPOINT_DESTINATION, &ep), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 17);
	close_and_wait(ep);
}
END_TEST

START_TEST(a_new_file_is_gone_again_if_it_cannot_be_served)
{
	struct endpoint *ep;

	ck_assert_int_eq(setenv("PATH", dir, 1), 0);
	ck_assert_int_lt(open_text(path, ENDPOINT_DESTINATION, &ep), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(an_old_file_stays_if_it_cannot_be_served)
{
	struct endpoint *ep;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)close(fd);
	ck_assert_int_eq(setenv("PATH", dir, 1), 0);
	ck_assert_int_lt(open_text(path, ENDPOINT_DESTINATION, &ep), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_directory_is_no_disk)
{
	struct endpoint *ep;

	ck_assert_int_lt(open_text(dir, ENDPOINT_SOURCE, &ep), 0);
	ck_assert_str_eq(err.text, "is neither a file nor a block device");
}
END_TEST

START_TEST(null_is_no_source)
{
	struct endpoint *ep;

	ck_assert_int_eq(open_text("null:", ENDPOINT_SOURCE, &ep), -EINVAL);
}
END_TEST

/* A null disk, asked to write once. */

static struct disk *disk;
static struct nbd_request request;
static bool is_ready;
static bool is_done;

static void
null_on_ready(void *arg UNUSED)
{
	is_ready = true;
	request.command = NBD_CMD_WRITE;
	request.length = 10;
	ck_assert_int_eq(disk_submit(disk, &request), 0);
	ck_assert_msg(!is_done, "completed inside the call");
}

static void
null_on_completions(void *arg UNUSED)
{
	ck_assert_ptr_eq(disk_reap(disk), &request);
	ck_assert_ptr_null(disk_reap(disk));
	ck_assert_int_eq(request.error, 0);
	is_done = true;
	net_loop_stop(loop);
}

START_TEST(null_has_the_size_of_the_source_and_swallows_writes)
{
	static const struct disk_events events = {
		.on_ready = null_on_ready,
		.on_completions = null_on_completions,
	};
	const struct endpoint_limits limits = { 1000, 1000, false };
	struct endpoint *ep;

	ck_assert_int_eq(open_text("null:", ENDPOINT_DESTINATION, &ep), 0);
	ck_assert_int_eq(endpoint_connect(ep, loop, &limits, &events, NULL,
			     &disk, &err),
	    0);
	ck_assert_msg(!is_ready, "ready inside the call");
	ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert(is_ready && is_done);
	ck_assert_uint_eq(disk_shape(disk)->size, 1000);
	disk_close(disk, stop_loop, NULL);
	ck_assert_int_eq(net_loop_run(loop), 0);
	close_and_wait(ep);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("endpoint");
	TCase *t = tcase_create("endpoint");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_missing_source_file_is_an_error);
	tcase_add_test(t, a_missing_destination_file_is_created_with_the_size);
	tcase_add_test(t, an_existing_destination_file_keeps_its_size);
	tcase_add_test(t,
	    a_new_file_is_gone_again_if_it_cannot_be_served);
	tcase_add_test(t, an_old_file_stays_if_it_cannot_be_served);
	tcase_add_test(t, a_directory_is_no_disk);
	tcase_add_test(t, null_is_no_source);
	tcase_add_test(t,
	    null_has_the_size_of_the_source_and_swallows_writes);
	suite_add_tcase(s, t);
	return unit_main(s);
}
