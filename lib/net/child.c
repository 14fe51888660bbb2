/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child server, from its socket's directory to its last breath.
 *
 * net_child_start() makes the directory and the socket, or just a socket, and
 * has net_spawn() start the command.  From then on the pidfd, or a timer, tells
 * of its end:
 *
 *   - it ends by itself: on_exit, and the object waits for net_child_stop();
 *   - it is stopped: SIGTERM to its process group, SIGKILL to the group when
 *     the grace is over, and on_stopped once the command itself is reaped;
 *   - whenever the command has ended, what it left in its group is killed
 *     before the zombie is reaped, as long as the group's id cannot have
 *     been given to others.
 *
 * The SIGTERM that the kernel sends when the parent dies follows the thread
 * that called net_child_start(): that thread must live as long as the child.
 * After a SIGKILL of ours the directory stays behind in TMPDIR.
 */
#include "net/child.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "net/lines.h"
#include "net/spawn.h"

enum {
	BACKLOG = 64,
	POLL_MS = 20,
	PATH_ROOM = sizeof ((struct sockaddr_un *)0)->sun_path,
};

#define DIR_TEMPLATE "/nbdsync-XXXXXX"
#define SOCKET_NAME  "/socket"

struct net_child {
	struct net_watch watch;
	struct net_timer poll;		/* where there is no pidfd */
	struct net_timer grace;
	struct net_task stopped;
	pid_t pid;			/* 0: none, or reaped */
	int pidfd;			/* -1: none; see child_watch() */
	char dir[PATH_ROOM];		/* "" when there is none */
	char socket[PATH_ROOM];
	char name[128];			/* of the command, for messages */
	int status;			/* of exit(3), or -1 */
	struct net_lines words;		/* where on_line is not NULL */
	void (*on_line)(void *arg, const char *line);
	net_child_exit_cb *on_exit;
	void *arg;
	void (*on_stopped)(void *arg);
	void *stop_arg;
};

static void
remove_directory(struct net_child *child)
{
	if (child->dir[0] == '\0')
		return;
	(void)unlink(child->socket);
	(void)rmdir(child->dir);
}

static void
child_free(struct net_child *child)
{
	net_watch_done(&child->watch);
	net_timer_done(&child->poll);
	net_timer_done(&child->grace);
	net_task_done(&child->stopped);
	net_lines_close(&child->words);
	if (child->pidfd >= 0)
		(void)close(child->pidfd);
	remove_directory(child);
	free(child);
}

/* For CLEANUP(): a child that is not running yet. */
static void
child_freep(struct net_child **child)
{
	if (*child != NULL)
		child_free(*child);
}

/*
 * TMPDIR may be so deep that a socket's path does not fit; /tmp does.
 */
static int
make_directory(struct net_child *child, struct error *e)
{
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_ROOM - sizeof SOCKET_NAME];
	char shown[200];

	if (tmp == NULL || tmp[0] == '\0' ||
	    strlen(tmp) + sizeof DIR_TEMPLATE > sizeof dir)
		tmp = "/tmp";
	(void)snprintf(dir, sizeof dir, "%s%s", tmp, DIR_TEMPLATE);
	if (mkdtemp(dir) == NULL)
		return error_set(e, -errno,
		    "cannot make a directory in '%s': %s",
		    escape_text(tmp, strlen(tmp), shown, sizeof shown),
		    strerrordesc_np(errno));
	(void)snprintf(child->dir, sizeof child->dir, "%s", dir);
	(void)snprintf(child->socket, sizeof child->socket, "%s%s", dir,
	    SOCKET_NAME);
	return 0;
}

static int
listen_on(const char *path, int *ret_fd)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&sun, sizeof sun) < 0 ||
	    chmod(path, S_IRUSR | S_IWUSR) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = STEAL_FD(fd);
	return 0;
}

static void
signal_group(const struct net_child *child, int sig)
{
	if (child->pid > 0)
		(void)kill(-child->pid, sig);
}

static void
describe_exit(const struct net_child *child, const siginfo_t *si,
    struct error *e)
{
	const char *signal_name;

	if (si->si_code == CLD_EXITED) {
		(void)error_set(e, -ECHILD,
		    "command '%s' exited with status %d", child->name,
		    si->si_status);
		return;
	}
	signal_name = sigabbrev_np(si->si_status);
	(void)error_set(e, -ECHILD, "command '%s' was killed by signal %d%s%s",
	    child->name, si->si_status, signal_name == NULL ? "" : " SIG",
	    signal_name == NULL ? "" : signal_name);
}

/* Take the zombie away, and with it all that is left of its group. */
static void
child_reap(struct net_child *child, siginfo_t *ret_si)
{
	signal_group(child, SIGKILL);
	while (waitid(P_PID, (id_t)child->pid, ret_si, WEXITED) < 0 &&
	    errno == EINTR)
		continue;
	child->pid = 0;
	net_watch_done(&child->watch);
}

static void
child_finish(struct net_child *child)
{
	void (*on_stopped)(void *arg) = child->on_stopped;
	void *arg = child->stop_arg;

	child_free(child);
	on_stopped(arg);
}

static void
child_on_end(void *arg)
{
	struct net_child *child = arg;
	siginfo_t si = { .si_code = CLD_EXITED };
	struct error e;

	child_reap(child, &si);
	net_lines_finish(&child->words);
	child->status = si.si_code == CLD_EXITED ? si.si_status : -1;
	if (child->on_stopped != NULL) {
		child_finish(child);
		return;
	}
	describe_exit(child, &si, &e);
	child->on_exit(child->arg, &e);
}

/* Looks without reaping: the group's id stays taken until it is killed. */
static bool
child_has_ended(const struct net_child *child)
{
	siginfo_t si = { .si_pid = 0 };

	return waitid(P_PID, (id_t)child->pid, &si,
	    WEXITED | WNOHANG | WNOWAIT) != 0 || si.si_pid != 0;
}

static void
child_on_poll(void *arg)
{
	struct net_child *child = arg;

	if (child->pid == 0)
		return;
	if (child_has_ended(child))
		child_on_end(child);
	else
		net_timer_start(&child->poll, POLL_MS);
}

static void
child_on_grace_over(void *arg)
{
	signal_group(arg, SIGKILL);
}

static void
child_on_stopped(void *arg)
{
	child_finish(arg);
}

static struct net_child *
child_new(struct net_loop *loop, const char *name)
{
	struct net_child *child;

	child = calloc(1, sizeof *child);
	if (child == NULL)
		return NULL;
	child->pidfd = -1;
	net_lines_init(&child->words);
	(void)escape_text(name, strlen(name), child->name, sizeof child->name);
	if (net_timer_init(&child->poll, loop, child_on_poll, child) < 0 ||
	    net_timer_init(&child->grace, loop, child_on_grace_over,
	    child) < 0 ||
	    net_task_init(&child->stopped, loop, child_on_stopped, child) < 0) {
		child_free(child);
		return NULL;
	}
	return child;
}

/* It runs, but we could not watch it: end it here and now. */
static int
child_abandon(struct net_child *child, int r, struct error *e)
{
	signal_group(child, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	child->pid = 0;
	return error_set(e, r, "cannot watch command '%s': %s", child->name,
	    strerrordesc_np(-r));
}

/*
 * Kernels before 5.3, valgrind and some sandboxes have no pidfd_open(2).
 * There the child is looked at every now and then; it cannot be missed, as
 * nobody but us reaps it.
 */
static int
child_watch(struct net_child *child, struct net_loop *loop, struct error *e)
{
	int r;

	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd < 0 && (errno == ENOSYS || errno == EPERM)) {
		net_timer_start(&child->poll, POLL_MS);
		return 0;
	}
	if (child->pidfd < 0)
		return child_abandon(child, -errno, e);
	r = net_watch_init(&child->watch, loop, child->pidfd, child_on_end,
	    NULL, child);
	if (r < 0)
		return child_abandon(child, r, e);
	net_watch_read(&child->watch, true);
	return 0;
}

/* A child that has its socket, fd. */
static int
child_spawn(struct net_child *child, struct net_loop *loop,
    const char *const argv[], enum net_spawn_way way, int fd, struct error *e)
{
	CLEANUP(cleanup_close) int words = -1;
	int r = 0;

	net_lines_close(&child->words);
	if (child->on_line != NULL)
		r = net_lines_open(&child->words, loop, child->on_line,
		    child->arg, &words);
	if (r == 0)
		r = net_spawn(argv, way, fd, words, &child->pid);
	if (r < 0)
		return error_set(e, r, "cannot run command '%s': %s",
		    child->name, strerrordesc_np(-r));
	return child_watch(child, loop, e);
}

static int
child_create(struct net_loop *loop, const char *const argv[],
    net_child_exit_cb *on_exit, void *arg, struct net_child **ret_child,
    struct error *e)
{
	struct net_child *child;

	if (argv[0] == NULL)
		return error_set(e, -EINVAL, "the command is empty");
	child = child_new(loop, argv[0]);
	if (child == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	child->on_exit = on_exit;
	child->arg = arg;
	*ret_child = child;
	return 0;
}

int
net_child_start(struct net_loop *loop, const char *const argv[],
    void (*on_line)(void *arg, const char *line), net_child_exit_cb *on_exit,
    void *arg, struct net_child **ret_child, struct error *e)
{
	CLEANUP(child_freep) struct net_child *child = NULL;
	CLEANUP(cleanup_close) int fd = -1;
	int r;

	r = child_create(loop, argv, on_exit, arg, &child, e);
	if (r == 0)
		r = make_directory(child, e);
	if (r < 0)
		return r;
	child->on_line = on_line;
	r = listen_on(child->socket, &fd);
	if (r < 0)
		return error_set(e, r, "cannot listen on '%s': %s",
		    child->socket, strerrordesc_np(-r));
	r = child_spawn(child, loop, argv, NET_SPAWN_LISTENING, fd, e);
	if (r < 0)
		return r;
	*ret_child = STEAL(child);
	return 0;
}

int
net_child_start_stdio(struct net_loop *loop, const char *const argv[],
    net_child_exit_cb *on_exit, void *arg, int *ret_fd,
    struct net_child **ret_child, struct error *e)
{
	CLEANUP(child_freep) struct net_child *child = NULL;
	CLEANUP(cleanup_close) int ours = -1;
	CLEANUP(cleanup_close) int its = -1;
	int fds[2];
	int r;

	r = child_create(loop, argv, on_exit, arg, &child, e);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set(e, -errno, "cannot make a socket: %s",
		    strerrordesc_np(errno));
	ours = fds[0];
	its = fds[1];
	r = child_spawn(child, loop, argv, NET_SPAWN_STDIO, its, e);
	if (r < 0)
		return r;
	*ret_fd = STEAL_FD(ours);
	*ret_child = STEAL(child);
	return 0;
}

int
net_child_start_command(struct net_loop *loop, const char *path,
    const char *const argv[], const char *const envp[], const int fds[3],
    net_child_exit_cb *on_exit, void *arg, struct net_child **ret_child,
    struct error *e)
{
	CLEANUP(child_freep) struct net_child *child = NULL;
	int r;

	r = child_create(loop, argv, on_exit, arg, &child, e);
	if (r < 0)
		return r;
	r = net_spawn_command(path, argv, envp, fds, &child->pid);
	if (r < 0)
		return error_set(e, r, "cannot run command '%s': %s",
		    child->name, strerrordesc_np(-r));
	r = child_watch(child, loop, e);
	if (r < 0)
		return r;
	*ret_child = STEAL(child);
	return 0;
}

int
net_child_restart(struct net_child *child, struct net_loop *loop,
    const char *const argv[], struct error *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	int r;

	if (child->pidfd >= 0)
		(void)close(STEAL_FD(child->pidfd));
	(void)unlink(child->socket);
	r = listen_on(child->socket, &fd);
	if (r < 0)
		return error_set(e, r, "cannot listen on '%s': %s",
		    child->socket, strerrordesc_np(-r));
	return child_spawn(child, loop, argv, NET_SPAWN_LISTENING, fd, e);
}

int
net_child_status(const struct net_child *child)
{
	return child->status;
}

const char *
net_child_socket(const struct net_child *child)
{
	return child->socket;
}

void
net_child_look(struct net_child *child)
{
	if (child->pid != 0 && child_has_ended(child))
		child_on_end(child);
}

void
net_child_move(struct net_child *child, struct net_loop *loop)
{
	net_timer_move(&child->poll, loop);
	net_timer_move(&child->grace, loop);
	net_task_move(&child->stopped, loop);
	net_lines_move(&child->words, loop);
	if (child->pid == 0)
		return;
	if (child->pidfd >= 0)
		net_watch_move(&child->watch, loop);
	else
		net_timer_start(&child->poll, POLL_MS);
}

void
net_child_stop(struct net_child *child, uint64_t grace_ms,
    void (*on_stopped)(void *arg), void *arg)
{
	child->on_stopped = on_stopped;
	child->stop_arg = arg;
	/* Still read: one that nobody reads stands still, or dies of it. */
	net_lines_ignore(&child->words);
	if (child->pid == 0) {
		net_task_schedule(&child->stopped);
		return;
	}
	signal_group(child, SIGTERM);
	net_timer_start(&child->grace, grace_ms);
}

void
net_child_kill(struct net_child *child)
{
	siginfo_t si;

	if (child->pid > 0)
		child_reap(child, &si);
	child_free(child);
}
