/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nbdsync configcheck: has nbdsyncd check a file.  Only the daemon knows what
 * a configuration means, so it is asked: it becomes this process, or, where
 * its words are to become JSON, a child of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/config-problems.h"
#include "cli/exit-codes.h"
#include "cli/message.h"
#include "cli/output.h"

extern char **environ;

/* The daemon's own. */
#define DEFAULT_FILE SYSCONFDIR "/nbdsync/nbdsync.conf"

enum { OPTION_SHOW = OPTION_OWN, OPTION_STRICT, OPTION_SCHEMA };

const struct option_row options_configcheck[] = {
	{ "show", OPTION_SHOW, "JOB",
	  "show the values of JOB and their origin" },
	{ "strict", OPTION_STRICT, NULL,
	  "also report what is unused, without effect, or a risk" },
	{ "schema", OPTION_SCHEMA, NULL,
	  "print all options of such a file as JSON, and check nothing" },
	{ "json", OPTION_JSON, NULL, "print JSON; not with --show" },
	{ "help", OPTION_HELP, NULL, "show this help" },
	{ NULL, 0, NULL, NULL },
};

/*
 * Beside this program, as in a build directory, or where it is installed
 * beside us: /usr/bin/nbdsync and /usr/sbin/nbdsyncd.
 */
static int
find_daemon(char path[PATH_MAX])
{
	static const char *const places[] = { "/nbdsyncd",
		"/../sbin/nbdsyncd" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (len <= 0)
		return -ENOENT;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return -ENOENT;
	*slash = '\0';
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int n = snprintf(path, PATH_MAX, "%s%s", self, places[i]);

		if (n < PATH_MAX && access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

static int
fail_no_daemon(const struct command *command, int r)
{
	message(command, "cannot run nbdsyncd, which checks it: %s",
	    strerror(-r));
	return CLI_ERROR;
}

/* All that comes from fd; the caller's. */
static char *
read_all(int fd)
{
	CLEANUP(cleanup_free) char *text = NULL;
	size_t len = 0;
	ssize_t n;

	do {
		char *more = realloc(text, len + 4096 + 1);

		if (more == NULL)
			return NULL;
		text = more;
		do
			n = read(fd, text + len, 4096);
		while (n < 0 && errno == EINTR);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0);
	text[len] = '\0';
	return STEAL(text);
}

/* Start nbdsyncd; *ret_fd is what it says on standard error. */
static int
spawn_daemon(char *path, const char *file, bool is_strict, pid_t *ret_pid,
    int *ret_fd)
{
	CLEANUP(cleanup_free) char *copy = strdup(file);
	char check[] = "--check";
	char strict[] = "--strict";
	char *argv[] = { path, check, copy, is_strict ? strict : NULL, NULL };
	posix_spawn_file_actions_t actions;
	int fds[2];
	int r;

	if (copy == NULL)
		return -ENOMEM;
	if (pipe(fds) < 0)
		return -errno;
	r = posix_spawn_file_actions_init(&actions);
	if (r == 0) {
		(void)posix_spawn_file_actions_adddup2(&actions, fds[1],
		    STDERR_FILENO);
		(void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
		    "/dev/null", O_WRONLY, 0);
		(void)posix_spawn_file_actions_addclose(&actions, fds[0]);
		(void)posix_spawn_file_actions_addclose(&actions, fds[1]);
		r = posix_spawn(ret_pid, path, &actions, NULL, argv, environ);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)close(fds[1]);
	if (r == 0)
		*ret_fd = fds[0];
	else
		(void)close(fds[0]);
	return -r;
}

static int
wait_for_exit(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return CLI_ERROR;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_ERROR;
}

static int
check_as_json(const struct command *command, char *path, const char *file,
    bool is_strict)
{
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(cleanup_free) char *said = NULL;
	pid_t pid;
	int exit_code;
	int r;

	r = spawn_daemon(path, file, is_strict, &pid, &fd);
	if (r < 0)
		return fail_no_daemon(command, r);
	said = read_all(fd);
	exit_code = wait_for_exit(pid);
	if (said == NULL) {
		message(command, "out of memory");
		return CLI_ERROR;
	}
	if (exit_code != CLI_OK && exit_code != CLI_CONFIGURATION) {
		message(command, "nbdsyncd could not check it: %s",
		    said[0] == '\0' ? "it was killed" : said);
		return CLI_ERROR;
	}
	r = output_json(json_pack("{s:o, s:b, s:o}", "file",
	    config_problems_text(file, strlen(file)), "ok",
	    exit_code == CLI_OK, "problems",
	    config_problems_to_json(file, said)));
	return r != CLI_OK ? r : exit_code;
}

static int
check(const struct command *command, char *path, const char *file,
    const char *job, bool is_strict)
{
	const char *argv[7] = { path, "--check", file };
	int n = 3;

	if (is_strict)
		argv[n++] = "--strict";
	if (job != NULL) {
		argv[n++] = "--show";
		argv[n++] = job;
	}
	/* Its words are ours, and so is its exit code. */
	(void)execv(path, (char *const *)(uintptr_t)argv);
	return fail_no_daemon(command, -errno);
}

static int
print_schema(const struct command *command, char *path)
{
	char schema[] = "--schema";
	char *argv[] = { path, schema, NULL };

	(void)execv(path, argv);
	return fail_no_daemon(command, -errno);
}

int
command_configcheck(const struct command *command, int argc, char **argv)
{
	const char *value = NULL;
	const char *job = NULL;
	const char *file;
	char path[PATH_MAX];
	struct options o;
	bool is_strict = false;
	bool json = false;
	bool schema = false;
	int id;
	int r;

	options_init(&o, command, argc, argv);
	while ((id = options_next(&o, &value)) > OPTIONS_END)
		if (id == OPTION_JSON)
			json = true;
		else if (id == OPTION_STRICT)
			is_strict = true;
		else if (id == OPTION_SCHEMA)
			schema = true;
		else
			job = value;
	if (id == OPTIONS_END && json && job != NULL)
		id = options_fail(&o, "--json and --show exclude each other");
	if (id == OPTIONS_END && schema && (o.argc > 0 || job != NULL))
		id = options_fail(&o, "--schema is about no file, and no job");
	if (id == OPTIONS_STOP)
		return o.exit_code;
	r = find_daemon(path);
	if (r < 0)
		return fail_no_daemon(command, r);
	if (schema)
		return print_schema(command, path);
	file = o.argc == 1 ? o.argv[0] : DEFAULT_FILE;
	return json ? check_as_json(command, path, file, is_strict) :
		      check(command, path, file, job, is_strict);
}
