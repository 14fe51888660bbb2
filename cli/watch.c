/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The terminal's side of the screen: raw keys, its size, and looking at the
 * daemon now and then.  The terminal is left as it was found, whatever ends
 * the command.
 */
#include "cli/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/bar.h"
#include "cli/exit-codes.h"
#include "cli/http.h"
#include "cli/message.h"
#include "cli/screen.h"
#include "cli/signals.h"
#include "cli/terminal.h"

#define LOG_LINES      200
#define LATEST_LINES   10
#define WAIT_MAX_MS    60000
#define ESCAPE_WAIT_MS 50		/* a key's sequence comes at once */
#define GOODBYE_MS     1000

struct watcher {
	const struct watch *watch;
	struct control *control;
	struct screen screen;
	struct termios before;
	int out_fd;			/* the terminal; it does not wait */
	int signal_fd;
	int terminal_fd;		/* signals of resizing and stopping */
	int busy_fd;			/* who waits for the daemon is to
					   look: there is a signal, or a key */
	size_t columns;
	size_t rows;
	uint64_t next_ms;		/* when to look again */
	int next_key;			/* that was read already; 0: none */
	bool is_over;
	int exit_code;
};

bool
watch_has_terminal(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

static void
measure(struct watcher *w)
{
	struct winsize size;

	w->columns = 80;
	w->rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
	    size.ws_row > 0) {
		w->columns = size.ws_col;
		w->rows = size.ws_row;
	}
}

/*
 * A terminal that is stopped is waited for, but not when we are to end: then
 * it gets a moment, to be left as it was.
 */
static void
put(struct watcher *w, const char *text, size_t len)
{
	int r = terminal_write(w->out_fd, text, len,
	    w->is_over ? -1 : w->signal_fd, w->is_over ? GOODBYE_MS : -1);

	if (r < 0 && r != -EINTR)
		w->is_over = true;
}

static void
put_text(struct watcher *w, const char *text)
{
	put(w, text, strlen(text));
}

/* The cancel character ends what may have been cut. */
static void
close_terminal(struct watcher *w)
{
	put_text(w, "\030\033[?25h\033[?1049l");
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &w->before);
}

static int
take_terminal(struct watcher *w)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &w->before) < 0)
		return -errno;
	raw = w->before;
	raw.c_lflag &= (tcflag_t)~(ECHO | ICANON);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return -errno;
	/* The other screen, no cursor. */
	put_text(w, "\033[?1049h\033[?25l");
	return 0;
}

static int
add_to_busy(struct watcher *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(w->busy_fd, EPOLL_CTL_ADD, fd, &event);
}

static int
open_terminal(struct watcher *w)
{
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigaddset(&set, SIGTSTP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	w->out_fd = terminal_open();
	if (w->out_fd < 0)
		return w->out_fd;
	w->terminal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	w->busy_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->terminal_fd < 0 || w->busy_fd < 0 ||
	    add_to_busy(w, w->signal_fd) < 0 ||
	    add_to_busy(w, w->terminal_fd) < 0)
		return -errno;
	r = take_terminal(w);
	/* Only now: what was typed before is no line then, but keys. */
	if (r == 0 && add_to_busy(w, STDIN_FILENO) < 0) {
		r = -errno;
		close_terminal(w);
	}
	return r;
}

/* Ctrl-Z: whoever gets the terminal meanwhile finds it as it was. */
static void
stop(struct watcher *w)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTSTP);
	close_terminal(w);
	(void)raise(SIGTSTP);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* And on again. */
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (take_terminal(w) < 0)
		w->is_over = true;
}

static void
draw(struct watcher *w)
{
	char *text = NULL;
	size_t len = 0;
	struct canvas c = {
		.f = open_memstream(&text, &len),
		.columns = w->columns,
		.rows = w->rows,
		.colour = getenv("NO_COLOR") == NULL,
	};
	time_t now = time(NULL);
	char clock[16] = "";
	struct tm tm;

	if (c.f == NULL)
		return;
	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(clock, sizeof clock, "%H:%M:%S", &tm);
	screen_draw(&w->screen, &c, clock);
	if (fclose(c.f) == 0)
		put(w, text, len);
	free(text);
}

static void
look_at_map(struct watcher *w)
{
	unsigned n = screen_map_cells(&w->screen, w->columns, w->rows);
	char suffix[48];
	json_t *json = NULL;
	struct job_map map;

	if (n == 0)
		return;
	(void)snprintf(suffix, sizeof suffix, "/map?cells=%u", n);
	if (control_ask_job(w->control, "GET", w->screen.selected, suffix, 0,
		&json) != CLI_OK)
		return;
	if (job_map_read(json, &map) == 0)
		screen_set_map(&w->screen, &map);
	json_decref(json);
}

static void
look_at_job(struct watcher *w)
{
	json_t *json = NULL;

	if (w->screen.selected[0] != '\0' && control_ask_job(w->control,
	    "GET", w->screen.selected, "", 0, &json) == CLI_OK)
		screen_set_job(&w->screen, json);
	json_decref(json);
}

static void
look_at_log(struct watcher *w)
{
	char target[192], name[128];
	json_t *json = NULL;

	if (w->screen.selected[0] == '\0' || http_encode_segment(
	    w->screen.selected, name, sizeof name) < 0)
		return;
	/* Below the list there is the last one. */
	(void)snprintf(target, sizeof target, "/v1/log?job=%s&limit=%d", name,
	    w->screen.view == SCREEN_LOG ? LOG_LINES : LATEST_LINES);
	if (control_ask(w->control, "GET", target, 0, &json) == CLI_OK)
		screen_set_log(&w->screen, json);
	json_decref(json);
}

/* How long the daemon is up, by its own clock, which is ours. */
static void
look_at_daemon(struct watcher *w)
{
	json_t *json = NULL;
	struct tm tm = { 0 };
	const char *text;
	time_t now = time(NULL);

	w->screen.up_s = 0;
	if (control_ask(w->control, "GET", "/v1/version", 0, &json) != CLI_OK)
		return;
	text = json_string_value(json_object_get(json, "started_at"));
	if (text != NULL && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) != NULL &&
	    timegm(&tm) < now)
		w->screen.up_s = (uint64_t)(now - timegm(&tm));
	json_decref(json);
}

static void
look(struct watcher *w)
{
	char said[CONTROL_SAID_SIZE] = "";
	json_t *json = NULL;
	int exit_code;

	w->control->said = said;
	w->control->interrupt_fd = w->busy_fd;
	exit_code = control_ask(w->control, "GET", "/v1/jobs", 0, &json);
	if (exit_code == CLI_OK) {
		screen_set_jobs(&w->screen, json);
		json_decref(json);
		look_at_daemon(w);
		look_at_job(w);
		look_at_map(w);
		look_at_log(w);
	} else if (exit_code != CLI_INTERRUPTED) {
		(void)snprintf(w->screen.trouble, sizeof w->screen.trouble,
		    "%s", said);
	}
	w->control->said = NULL;
	w->control->interrupt_fd = w->signal_fd;
	w->next_ms = bar_now_ms() + w->watch->every_ms;
}

static void
do_action(struct watcher *w, enum screen_action action)
{
	static const char *const suffixes[] = {
		[SCREEN_START] = "/start",
		[SCREEN_VERIFY] = "/verify",
		[SCREEN_PAUSE] = "/pause",
		[SCREEN_RESUME] = "/resume",
		[SCREEN_CANCEL] = "/cancel",
		[SCREEN_RATE] = "/limits",
	};
	static const char *const done[] = {
		[SCREEN_START] = "started",
		[SCREEN_VERIFY] = "started",
		[SCREEN_PAUSE] = "paused",
		[SCREEN_RESUME] = "resumed",
		[SCREEN_CANCEL] = "being cancelled",
	};
	struct screen *s = &w->screen;
	json_t *json = NULL;
	char body[64];

	if (action == SCREEN_QUIT)
		w->is_over = true;
	if (action == SCREEN_QUIT || action == SCREEN_NOTHING)
		return;
	w->control->said = s->said;
	(void)snprintf(body, sizeof body, "{\"rate\":\"%" PRIu64 "KiB/s\"}",
	    s->rate / 1024);
	w->control->body = action == SCREEN_RATE ? body : NULL;
	if (control_ask_job(w->control, action == SCREEN_RATE ? "PATCH" :
	    "POST", s->selected, suffixes[action], 0, &json) == CLI_OK &&
	    action != SCREEN_RATE)
		(void)snprintf(s->said, sizeof s->said, "job '%s' is %s",
		    s->selected, done[action]);
	w->control->said = NULL;
	w->control->body = NULL;
	json_decref(json);
	w->next_ms = 0;
}

static bool
read_next(char *c)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&fd, 1, ESCAPE_WAIT_MS) > 0 &&
	    read(STDIN_FILENO, c, 1) == 1;
}

/* "A", "5~", "1;5B": of a sequence, behind its beginning. */
static int
key_of(const char *sequence)
{
	static const struct {
		const char *sequence;
		int key;
	} keys[] = {
		{ "A", SCREEN_KEY_UP },
		{ "B", SCREEN_KEY_DOWN },
		{ "5~", SCREEN_KEY_PAGE_UP },
		{ "6~", SCREEN_KEY_PAGE_DOWN },
		{ "H", SCREEN_KEY_HOME },
		{ "1~", SCREEN_KEY_HOME },
		{ "7~", SCREEN_KEY_HOME },
		{ "F", SCREEN_KEY_END },
		{ "4~", SCREEN_KEY_END },
		{ "8~", SCREEN_KEY_END },
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strcmp(keys[i].sequence, sequence) == 0)
			return keys[i].key;
	return 0;
}

/*
 * What follows an escape character; it may be a key of its own.  A sequence
 * that means nothing to us is taken to its end all the same.
 */
static int
read_sequence(struct watcher *w)
{
	char sequence[8] = "";
	size_t n = 0;
	char c;

	if (!read_next(&c))
		return SCREEN_KEY_ESCAPE;
	if (c != '[' && c != 'O') {
		w->next_key = (unsigned char)c;
		return SCREEN_KEY_ESCAPE;
	}
	do {
		if (!read_next(&c))
			return n == 0 ? SCREEN_KEY_ESCAPE : 0;
		if (n + 1 < sizeof sequence)
			sequence[n++] = c;
	} while (c < 0x40 || c > 0x7e);
	return key_of(sequence);
}

static void
take_key(struct watcher *w, int key)
{
	if (key == 27)
		key = read_sequence(w);
	else if (key == '\r' || key == '\n')
		key = SCREEN_KEY_ENTER;
	else if (key == 127 || key == 8)
		key = SCREEN_KEY_BACKSPACE;
	do_action(w, screen_key(&w->screen, key));
	/* Another job, or another view, wants another map, or its log. */
	if (!w->screen.has_map || w->screen.view == SCREEN_LOG)
		w->next_ms = 0;
}

static void
take_keys(struct watcher *w)
{
	unsigned char c;
	ssize_t n;
	int key;

	n = read(STDIN_FILENO, &c, 1);
	/* The terminal has gone. */
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		w->is_over = true;
	for (key = n == 1 ? c : 0; key != 0; key = w->next_key) {
		w->next_key = 0;
		take_key(w, key);
	}
}

static void
take_signals(struct watcher *w)
{
	struct signalfd_siginfo info;
	int sig;

	while ((sig = signals_take(w->signal_fd)) != 0) {
		if (!signals_is_interrupt(sig))
			continue;
		w->is_over = true;
		w->exit_code = CLI_INTERRUPTED;
	}
	while (read(w->terminal_fd, &info, sizeof info) ==
	    (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTSTP)
			stop(w);
		measure(w);
		put_text(w, "\033[2J");
		w->next_ms = 0;
	}
}

static void
turn(struct watcher *w)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = w->signal_fd, .events = POLLIN },
		{ .fd = w->terminal_fd, .events = POLLIN },
	};
	uint64_t now = bar_now_ms();
	uint64_t wait_ms;

	if (now >= w->next_ms) {
		look(w);
		now = bar_now_ms();
	}
	draw(w);
	wait_ms = now < w->next_ms ? w->next_ms - now : 0;
	if (poll(fds, 3, wait_ms < WAIT_MAX_MS ? (int)wait_ms :
						 WAIT_MAX_MS) < 0)
		return;
	take_signals(w);
	if (fds[0].revents != 0)
		take_keys(w);
}

int
watch_run(const struct watch *watch)
{
	struct watcher w = {
		.watch = watch,
		.control = watch->control,
		.out_fd = -1,
		.signal_fd = -1,
		.terminal_fd = -1,
		.busy_fd = -1,
	};
	int r;

	screen_init(&w.screen);
	if (gethostname(w.screen.host, sizeof w.screen.host) < 0)
		w.screen.host[0] = '\0';
	w.screen.host[strcspn(w.screen.host, ".")] = '\0';
	w.screen.utf8 = !watch->ascii &&
	    strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (watch->job != NULL)
		(void)snprintf(w.screen.only, sizeof w.screen.only, "%s",
		    watch->job);
	r = signals_open(&w.signal_fd);
	if (r == 0)
		r = open_terminal(&w);
	if (r < 0) {
		message(w.control->command, "cannot use the terminal: %s",
		    strerror(-r));
		return CLI_ERROR;
	}
	w.control->interrupt_fd = w.signal_fd;
	measure(&w);
	while (!w.is_over)
		turn(&w);
	close_terminal(&w);
	screen_done(&w.screen);
	(void)close(w.out_fd);
	(void)close(w.signal_fd);
	(void)close(w.terminal_fd);
	(void)close(w.busy_fd);
	return w.exit_code;
}
