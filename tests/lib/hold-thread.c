/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hold-thread PID NAME: stops the one thread of that name, as a debugger
 * does, says so, and lets it go on when standard input ends.  When the thread
 * is killed, this ends: until then its process cannot.
 */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int
is_named(const char *pid, const char *tid, const char *name)
{
	char path[64];
	char text[64] = "";
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%.16s/task/%.16s/comm", pid,
	    tid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fgets(text, sizeof text, f) != NULL)
		text[strcspn(text, "\n")] = '\0';
	(void)fclose(f);
	return strcmp(text, name) == 0;
}

static pid_t
find_thread(const char *pid, const char *name)
{
	char path[64];
	const struct dirent *entry;
	pid_t found = 0;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%.16s/task", pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (found == 0 && (entry = readdir(dir)) != NULL)
		if (is_named(pid, entry->d_name, name))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	(void)closedir(dir);
	return found;
}

/* So that read() is interrupted. */
static void
on_child(int sig)
{
	(void)sig;
}

int
main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_child };
	pid_t tid = argc == 3 ? find_thread(argv[1], argv[2]) : 0;
	int status;
	char c;

	if (tid <= 0) {
		(void)fprintf(stderr, "hold-thread: no such thread\n");
		return 2;
	}
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ||
	    waitpid(tid, &status, __WALL) != tid) {
		perror("hold-thread");
		return 1;
	}
	(void)sigaction(SIGCHLD, &action, NULL);
	(void)printf("held\n");
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return ptrace(PTRACE_DETACH, tid, NULL, NULL) < 0;
}
