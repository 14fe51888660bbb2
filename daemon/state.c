/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's store: opened at the start in daemon.state_dir, closed when
 * the last run has ended.  What becomes of it is logged, once each time it
 * changes: without it jobs run, but what they have done is forgotten.  A disk
 * that hangs says nothing at all, which is logged, too.
 */

#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "log/messages.h"

#define DEFAULT_DIR "/var/lib/nbdsync"
#define SLOW_MS	    5000

static void
on_health(void *arg)
{
	struct state *state = arg;
	struct store_health health;
	bool is_afresh;

	on_main_entry();
	if (state->store == NULL)
		return;
	store_get_health(state->store, &health);
	is_afresh = strcmp(health.set_aside, state->set_aside) != 0;
	if (is_afresh)
		log_message(&messages[MSG_STATE], LOG_LEVEL_ERROR,
		    "state: %s; jobs that would go on compare all of "
		    "their disks", health.set_aside);
	if (health.state != STORE_OK)
		log_message(&messages[MSG_STATE], LOG_LEVEL_ERROR,
		    "state: %s: %s; jobs run, but what they have done "
		    "would be forgotten", store_state_name(health.state),
		    health.error.text);
	else if (state->is_ill)
		log_info("state: ok again");
	net_timer_stop(&state->slow_timer);
	memcpy(state->set_aside, health.set_aside, sizeof state->set_aside);
	state->is_ill = health.state != STORE_OK;
	if (is_afresh)
		jobs_keep_afresh(state->jobs);
}

static void
on_slow(void *arg)
{
	struct state *state = arg;

	on_main_entry();
	state->is_ill = true;
	log_message(&messages[MSG_STATE], LOG_LEVEL_WARNING,
	    "state: the database has not been opened within %d s; jobs wait "
	    "for it for half a minute, and then run without it",
	    SLOW_MS / 1000);
}

/* What the configuration says, or systemd, or what is usual. */
static const char *
directory_of(const struct conf *conf)
{
	const char *dir = conf->daemon.state_dir;

	if (dir == NULL)
		dir = getenv("STATE_DIRECTORY");
	return dir == NULL || dir[0] == '\0' ? DEFAULT_DIR : dir;
}

int
state_lock(const struct conf *conf, int *ret_fd)
{
	const char *dir = directory_of(conf);
	int fd;

	/* Should the directory hang, this is the last that is heard of us. */
	log_info("state: in '%s'", dir);
	/* As the store would; what is wrong with it, it will say. */
	(void)mkdir(dir, 0700);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_fd = fd;
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0 ||
	    errno != EWOULDBLOCK)
		return 0;
	log_error("another nbdsyncd keeps its state in '%s'", dir);
	*ret_fd = -1;
	(void)close(fd);
	return -EBUSY;
}

int
state_open(struct state *state, const struct conf *conf,
    struct net_loop *loop, struct jobs *jobs)
{
	struct store_options options = {
		.owner = jobs_mailbox(jobs),
		.on_health = on_health,
		.arg = state,
	};
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof path, "%s/state.db",
	    directory_of(conf)) >= PATH_MAX)
		return -ENAMETOOLONG;
	options.path = path;
	state->jobs = jobs;
	r = net_timer_init(&state->slow_timer, loop, on_slow, state);
	if (r == 0)
		r = store_open(&options, &state->store);
	if (r == 0)
		net_timer_start(&state->slow_timer, SLOW_MS);
	return r;
}

static void
on_close(struct store_call *call)
{
	struct state *state = call->arg;

	on_main_entry();
	if (call->error.code < 0)
		log_message(&messages[MSG_STATE], LOG_LEVEL_WARNING,
		    "state: %s", call->error.text);
	store_free(STEAL(state->store));
	state->on_closed(state->arg);
}

void
state_close(struct state *state, struct mailbox *owner,
    void (*on_closed)(void *arg), void *arg)
{
	struct store_call *call = store_call_new(owner, on_close, state);

	state->on_closed = on_closed;
	state->arg = arg;
	net_timer_stop(&state->slow_timer);
	if (call == NULL || state->store == NULL) {
		store_call_free(call);
		on_closed(arg);
		return;
	}
	store_close(state->store, call, STATE_CLOSE_MS);
}

void
state_free(struct state *state)
{
	net_timer_done(&state->slow_timer);
	store_free(STEAL(state->store));
}
