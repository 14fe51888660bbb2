/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a command from a process with threads.
 *
 * Between fork(2) and execve(2) only async-signal-safe functions may be
 * called: another thread may have held any lock at the fork.  So all that
 * needs memory is made before, as a `plan`: the environment, the paths that
 * PATH gives, the descriptors in a range where they cannot be in the way.
 * Only the digits of LISTEN_PID are filled in by the child.
 *
 * The child writes the errno of a failed execve(2) into a pipe that a
 * successful one closes; the parent waits for either.
 */
#include "net/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	FIRST_PASSED_FD = 3,		/* systemd's SD_LISTEN_FDS_START */
	PID_ROOM = 24,
};

#define LISTEN_PID_PREFIX "LISTEN_PID="
#define FALLBACK_PATH	  "/usr/local/bin:/usr/bin:/bin"

extern char **environ;

struct plan {
	char **argv;			/* the caller's strings */
	char **envp;			/* environ's strings and listen_* */
	char **paths;			/* to be tried in turn; ours */
	char listen_pid[sizeof LISTEN_PID_PREFIX + PID_ROOM];
	char *listen_fds;
	enum net_spawn_way way;
	int fd;				/* the socket, or -1 */
	int standard[3];		/* of NET_SPAWN_COMMAND, and the
					   last of NET_SPAWN_LISTENING; -1:
					   ours, or what the way says */
	int first_free_fd;
	int report_fd;
	pid_t parent;
};

static void
plan_done(struct plan *p)
{
	size_t i;

	for (i = 0; p->paths != NULL && p->paths[i] != NULL; i++)
		free(p->paths[i]);
	free(p->paths);
	free(p->envp);
	free(p->argv);
	if (p->fd >= 0)
		(void)close(p->fd);
	for (i = 0; i < 3; i++)
		if (p->standard[i] >= 0)
			(void)close(p->standard[i]);
	if (p->report_fd >= 0)
		(void)close(p->report_fd);
}

static int
plan_set_argv(struct plan *p, const char *const argv[])
{
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	p->argv = calloc(n + 1, sizeof *p->argv);
	if (p->argv == NULL)
		return -ENOMEM;
	/* execve(2) takes char *const[] and does not write to it. */
	memcpy(p->argv, argv, n * sizeof *p->argv);
	return 0;
}

static int
plan_set_environment(struct plan *p, const char *const *from)
{
	size_t n = 0;
	size_t used = 0;
	size_t i;

	while (from != NULL && from[n] != NULL)
		n++;
	p->envp = calloc(n + 3, sizeof *p->envp);
	if (p->envp == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		if (strncmp(from[i], "LISTEN_", 7) != 0)
			p->envp[used++] = (char *)(uintptr_t)from[i];
	if (p->way != NET_SPAWN_LISTENING)
		return 0;
	/* The child writes its digits behind it. */
	memcpy(p->listen_pid, LISTEN_PID_PREFIX, sizeof LISTEN_PID_PREFIX);
	p->envp[used++] = p->listen_fds;
	p->envp[used] = p->listen_pid;
	return 0;
}

static size_t
count_char(const char *text, char c)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

static int
plan_set_paths(struct plan *p, const char *name)
{
	const char *path = getenv("PATH");
	size_t n = 0;

	if (path == NULL)
		path = FALLBACK_PATH;
	if (strchr(name, '/') != NULL)
		path = "";
	p->paths = calloc(count_char(path, ':') + 2, sizeof *p->paths);
	if (p->paths == NULL)
		return -ENOMEM;
	if (path[0] == '\0') {
		p->paths[0] = strdup(name);
		return p->paths[0] == NULL ? -ENOMEM : 0;
	}
	for (;;) {
		size_t len = strcspn(path, ":");

		/* An empty element of PATH is the working directory. */
		if (asprintf(&p->paths[n], "%.*s%s%s", (int)len, path,
		    len > 0 ? "/" : "./", name) < 0) {
			p->paths[n] = NULL;
			return -ENOMEM;
		}
		n++;
		if (path[len] == '\0')
			return 0;
		path += len + 1;
	}
}

/* Out of the way of the descriptors that the child is going to set. */
static int
duplicate_high(const struct plan *p, int fd)
{
	int copy;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, p->first_free_fd);
	return copy < 0 ? -errno : copy;
}

static int
plan_set_standard(struct plan *p, const int fds[3])
{
	for (int i = 0; i < 3; i++) {
		p->standard[i] = duplicate_high(p, fds[i]);
		if (p->standard[i] < 0)
			return p->standard[i];
	}
	return 0;
}

/* As spawn(). */
static int
plan_set_descriptors(struct plan *p, const int *fds, int *ret_read_fd)
{
	CLEANUP(cleanup_close) int read_fd = -1;
	CLEANUP(cleanup_close) int write_fd = -1;
	int pipe_fds[2];
	int r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	read_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	if (p->way == NET_SPAWN_COMMAND)
		r = plan_set_standard(p, fds);
	else
		r = p->fd = duplicate_high(p, fds[0]);
	if (r >= 0 && p->way == NET_SPAWN_LISTENING && fds[1] >= 0)
		r = p->standard[2] = duplicate_high(p, fds[1]);
	if (r < 0)
		return r;
	p->report_fd = duplicate_high(p, write_fd);
	if (p->report_fd < 0)
		return p->report_fd;
	*ret_read_fd = STEAL_FD(read_fd);
	return 0;
}

static void
child_write_pid(struct plan *p)
{
	char digits[PID_ROOM];
	char *out = p->listen_pid + sizeof LISTEN_PID_PREFIX - 1;
	pid_t rest = getpid();
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	while (n > 0)
		*out++ = digits[--n];
	*out = '\0';
}

static int
child_set_socket(const struct plan *p)
{
	if (p->way == NET_SPAWN_LISTENING) {
		int words = p->standard[2];

		if (words >= 0 && (dup2(words, STDOUT_FILENO) < 0 ||
		    dup2(words, STDERR_FILENO) < 0))
			return -errno;
		return dup2(p->fd, FIRST_PASSED_FD) < 0 ? -errno : 0;
	}
	if (p->way == NET_SPAWN_COMMAND) {
		for (int i = 0; i < 3; i++)
			if (dup2(p->standard[i], i) < 0)
				return -errno;
		return 0;
	}
	if (dup2(p->fd, STDIN_FILENO) < 0 || dup2(p->fd, STDOUT_FILENO) < 0)
		return -errno;
	return 0;
}

static int
child_set_descriptors(const struct plan *p)
{
	int null;
	int flags;
	int r;

	null = open("/dev/null", O_RDWR);
	if (null < 0)
		return -errno;
	if (null != STDIN_FILENO && dup2(null, STDIN_FILENO) < 0)
		return -errno;
	/* Without standard error there is something else there, or none. */
	flags = fcntl(STDERR_FILENO, F_GETFD);
	if ((flags < 0 || (flags & FD_CLOEXEC) != 0) &&
	    dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		return -errno;
	/* Our standard output may be data; the child's words go to stderr. */
	if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return -errno;
	r = child_set_socket(p);
	if (r < 0)
		return r;
	/* CLOEXEC rather than closed: the report pipe has to live till then. */
	(void)close_range((unsigned)p->first_free_fd, ~0U,
	    CLOSE_RANGE_CLOEXEC);
	return 0;
}

static void
child_reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What the process of a command of its own needs not have from us. */
static void
child_set_limits(void)
{
	struct rlimit limit = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur > FD_SETSIZE) {
		limit.rlim_cur = FD_SETSIZE;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
child_exec(const struct plan *p)
{
	int result = -ENOENT;
	size_t i;

	for (i = 0; p->paths[i] != NULL; i++) {
		(void)execve(p->paths[i], p->argv, p->envp);
		if (errno == EACCES)
			result = -EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
	}
	return result;
}

static _Noreturn void
child_main(struct plan *p)
{
	int r;

	/* A group to be ended with, and no terminal to ask at. */
	(void)setsid();
	/* Then look whether the parent died before the call. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != p->parent)
		_exit(127);
	child_write_pid(p);
	child_reset_signals();
	if (p->way == NET_SPAWN_COMMAND)
		child_set_limits();
	r = child_set_descriptors(p);
	if (r == 0)
		r = child_exec(p);
	(void)!write(p->report_fd, &r, sizeof r);
	_exit(127);
}

/* No handler of ours may run in the child: block all signals meanwhile. */
static pid_t
fork_quietly(struct plan *p)
{
	sigset_t all;
	sigset_t before;
	pid_t pid;
	int errnum;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	errnum = errno;
	if (pid == 0)
		child_main(p);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -errnum : pid;
}

/* 0 when execve(2) has happened, else its errno. */
static int
read_report(int fd)
{
	int report = 0;
	ssize_t n;

	do
		n = read(fd, &report, sizeof report);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof report ? report : 0;
}

static int
run_plan(struct plan *p, const int *fds, pid_t *ret_pid)
{
	CLEANUP(cleanup_close) int read_fd = -1;
	pid_t pid;
	int r;

	r = plan_set_descriptors(p, fds, &read_fd);
	if (r < 0)
		return r;
	p->parent = getpid();
	pid = fork_quietly(p);
	if (pid < 0)
		return pid;
	(void)close(p->report_fd);
	p->report_fd = -1;
	r = read_report(read_fd);
	if (r < 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		return r;
	}
	*ret_pid = pid;
	return 0;
}

/*
 * fds is what NET_SPAWN_COMMAND wants; or the socket, and, to listen, where it
 * speaks, or -1.
 */
static int
spawn(const char *path, const char *const argv[], const char *const *envp,
    enum net_spawn_way way, const int *fds, pid_t *ret_pid)
{
	char listen_fds[] = "LISTEN_FDS=1";
	struct plan p = {
		.listen_fds = listen_fds,
		.way = way,
		.fd = -1,
		.standard = { -1, -1, -1 },
		.first_free_fd = FIRST_PASSED_FD +
		    (way == NET_SPAWN_LISTENING),
		.report_fd = -1,
	};
	int r;

	if (path == NULL)
		path = argv[0];
	if (path == NULL || path[0] == '\0')
		return -ENOENT;
	r = plan_set_argv(&p, argv);
	if (r == 0)
		r = plan_set_environment(&p, envp);
	if (r == 0)
		r = plan_set_paths(&p, path);
	if (r == 0)
		r = run_plan(&p, fds, ret_pid);
	plan_done(&p);
	return r;
}

int
net_spawn(const char *const argv[], enum net_spawn_way way, int fd,
    int words_fd, pid_t *ret_pid)
{
	const int fds[2] = { fd, words_fd };

	return spawn(NULL, argv, (const char *const *)environ, way, fds,
	    ret_pid);
}

int
net_spawn_command(const char *path, const char *const argv[],
    const char *const envp[], const int fds[3], pid_t *ret_pid)
{
	return spawn(path, argv,
	    envp != NULL ? envp : (const char *const *)environ,
	    NET_SPAWN_COMMAND, fds, ret_pid);
}
