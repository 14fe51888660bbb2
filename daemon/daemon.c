/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of the daemon, on the main thread.
 *
 * It starts from the inside out: configuration, workers, jobs, control
 * socket, signals; then it is ready.  SIGHUP reads the configuration again:
 * all of it is taken over, or nothing.  SIGTERM or SIGINT cancels all runs;
 * the control socket keeps answering until the last one has ended, which
 * also keeps a second daemon from starting too early.  Two things cut that
 * short, with a failure: another signal, and the end of shutdown_grace.
 */

#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/annotate.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/units.h"
#include "certificates.h"
#include "conf/conf.h"
#include "conf/options.h"
#include "conf/show.h"
#include "conf/strict.h"
#include "control/server.h"
#include "control/socket.h"
#include "job/job.h"
#include "log/log.h"
#include "net/loop.h"
#include "notify.h"
#include "reload/reload.h"
#include "runtime/worker.h"
#include "state.h"
#include "watchdog.h"

/* What there is to remember is here in a moment, or the disk hangs. */
#define OPEN_WAIT_MS 2000

struct daemon {
	const char *conf_path;
	const struct conf *conf;	/* reload's, once there is one */
	struct net_loop *loop;
	struct reload *reload;
	struct worker_pool *pool;
	struct jobs *jobs;
	struct state state;
	struct watchdog *dog;
	struct ctl_server *server;
	struct event *sigterm, *sigint, *sighup;
	struct net_timer grace_timer, open_timer;
	struct certificates *certificates;
	struct jobs_watch watch;
	struct notify *notify;
	bool is_open;			/* it answers */
	bool is_stopping;
	bool is_state_late;		/* closed after shutdown_grace */
};

static void
log_problems(const struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		log_error("%s", problems->v[i].text);
	if (problems->n_more > 0)
		log_error("%s: and %zu more problems", problems->file,
		    problems->n_more);
}

static enum daemon_exit
load_conf(const char *path, struct conf **ret_conf)
{
	struct conf_problems problems;
	int r;

	conf_problems_init(&problems, path);
	r = conf_load(path, ret_conf, &problems);
	log_problems(&problems);
	conf_problems_done(&problems);
	if (r == 0)
		return DAEMON_EXIT_OK;
	if (r == -EINVAL)
		return DAEMON_EXIT_CONFIG;
	log_error("%s: %s", path, strerror(-r));
	return DAEMON_EXIT_FAILURE;
}

/* What there is to say of a good configuration. */
static enum daemon_exit
report_conf(const struct conf *conf, const char *conf_path,
    const char *shown_job)
{
	char endpoints[UNITS_TEXT_SIZE], jobs[UNITS_TEXT_SIZE];

	if (shown_job == NULL) {
		(void)printf("%s: ok, %s, %s\n", conf_path,
		    units_format_count(conf->n_endpoints, "endpoint",
		    endpoints), units_format_count(conf->n_jobs, "job", jobs));
		return DAEMON_EXIT_OK;
	}
	if (conf_show_job(conf, shown_job, stdout) == 0)
		return DAEMON_EXIT_OK;
	(void)fprintf(stderr, "nbdsyncd: %s has no job '%s'\n", conf_path,
	    shown_job);
	return DAEMON_EXIT_FAILURE;
}

enum daemon_exit
daemon_check_conf(const char *conf_path, const char *shown_job, bool is_strict)
{
	enum daemon_exit status;
	struct conf_problems problems;
	struct conf *conf = NULL;
	int r;

	conf_problems_init(&problems, conf_path);
	r = conf_load(conf_path, &conf, &problems);
	if (r == 0 && is_strict)
		conf_check_strictly(conf, &problems);
	if (problems.n > 0 && r == 0)
		r = -EINVAL;
	for (size_t i = 0; i < problems.n; i++)
		(void)fprintf(stderr, "%s\n", problems.v[i].text);
	if (problems.n_more > 0)
		(void)fprintf(stderr, "%s: and %zu more problems\n", conf_path,
		    problems.n_more);
	conf_problems_done(&problems);
	if (r == -ENOMEM)
		(void)fprintf(stderr, "nbdsyncd: out of memory\n");
	if (r < 0)
		status = r == -EINVAL ? DAEMON_EXIT_CONFIG :
					DAEMON_EXIT_FAILURE;
	else
		status = report_conf(conf, conf_path, shown_job);
	conf_free(conf);
	return status;
}

static void
open_up(struct daemon *d) ON_MAIN
{
	char jobs[UNITS_TEXT_SIZE];

	d->is_open = true;
	net_timer_stop(&d->open_timer);
	log_message(&messages[MSG_DAEMON_READY], LOG_LEVEL_INFO,
	    "nbdsyncd " PACKAGE_VERSION " is ready: %s, control socket '%s'",
	    units_format_count(jobs_count(d->jobs), "job", jobs),
	    d->conf->control.socket);
	notify_tell(d->notify, "READY=1\n");
	ctl_server_accept(d->server);
}

static void
on_open_wait_over(void *arg)
{
	on_main_entry();
	open_up(arg);
}

/*
 * Who asks is not to hear that jobs never ran, as long as it is only not known
 * yet.
 */
static void
open_when_known(struct daemon *d) ON_MAIN
{
	if (!d->is_open && !d->is_stopping && !jobs_have_unknown(d->jobs))
		open_up(d);
}

static void
on_jobs_change(void *arg)
{
	struct daemon *d = arg;

	on_main_entry();
	open_when_known(d);
	if (d->is_open)
		notify_look(d->notify);
}

/* What a reload cannot change. */
static void
warn_fixed(const struct conf *now, const struct conf *next)
{
	const struct option *fixed[CONF_FIXED_MAX];
	unsigned n = conf_list_fixed(now, next, fixed);

	for (unsigned i = 0; i < n; i++)
		log_warning("%s.%s: the change counts after a restart",
		    option_group_name(fixed[i]->group), fixed[i]->key);
}

/* What is right, and yet nothing to be glad of. */
static void
warn_risks(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_tls; i++)
		if (!conf->tls[i].verify)
			log_warning("tls \"%s\": any certificate is believed",
			    conf->tls[i].name);
	for (size_t i = 0; i < conf->n_endpoints; i++)
		if (conf->endpoints[i].allow_plaintext)
			log_warning("endpoint \"%s\": goes without TLS",
			    conf->endpoints[i].name);
}

/* All of a configuration; reload keeps it. */
static int
take_conf(void *arg, const struct conf *conf)
{
	struct daemon *d = arg;
	char endpoints[UNITS_TEXT_SIZE], jobs[UNITS_TEXT_SIZE];
	int r;

	on_main_entry();
	r = jobs_apply(d->jobs, conf);
	if (r < 0)
		return r;
	warn_fixed(d->conf, conf);
	ctl_server_set_conf(d->server, conf);
	(void)daemon_log_apply(&conf->logs);
	d->conf = conf;
	certificates_take(d->certificates, conf);
	warn_risks(conf);
	log_message(&messages[MSG_CONF_TAKEN], LOG_LEVEL_INFO,
	    "%s: taken over: %s, %s", d->conf_path,
	    units_format_count(conf->n_endpoints, "endpoint", endpoints),
	    units_format_count(conf->n_jobs, "job", jobs));
	return 0;
}

static void
on_rejected(void *arg)
{
	struct daemon *d = arg;

	on_main_entry();
	ctl_server_tell_rejected_conf(d->server);
}

static void
on_reload_start(void *arg, bool is_dry)
{
	struct daemon *d = arg;

	on_main_entry();
	if (is_dry)
		return;
	/* So that files can be moved away. */
	daemon_log_reopen();
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)net_loop_now_ms(d->loop) * 1000);
}

static void
on_reload_done(void *arg, bool is_dry)
{
	struct daemon *d = arg;

	on_main_entry();
	if (!is_dry)
		notify_tell(d->notify, d->is_stopping ? "" : "READY=1\n");
	/* Requests wait for it. */
	jobs_tell_watches(d->jobs);
}

static void
on_sighup(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct daemon *d = arg;

	on_main_entry();
	if (!d->is_stopping)
		(void)reload_start(d->reload, false);
}

/*
 * Runs live on threads that cannot be stopped from here, so the process goes
 * as it stands.  Servers it has started get a signal from the kernel.
 */
static void
exit_in_a_hurry(const struct daemon *d) ON_MAIN
{
	ctl_server_unlink(d->server);
	/* Not as other failures, after which it would be started again. */
	_exit(DAEMON_EXIT_HURRY);
}

/* The service manager's own patience may be shorter. */
static void
ask_for_time(uint64_t ms) ON_MAIN
{
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu",
	    ((unsigned long long)ms + 5000) * 1000);
}

static void
on_grace_over(void *arg)
{
	struct daemon *d = arg;
	const struct job *job = NULL;

	on_main_entry();
	/* All that is left is to note what they have done. */
	if (jobs_count_running(d->jobs) == 0 && !d->is_state_late) {
		d->is_state_late = true;
		ask_for_time(3 * STATE_CLOSE_MS);
		net_timer_start(&d->grace_timer, 3 * STATE_CLOSE_MS);
		return;
	}
	while ((job = jobs_next(d->jobs, job)) != NULL) {
		struct job_view view;

		job_get_view(job, &view);
		if (view.is_running)
			log_error("job '%s': has not ended within "
			    "shutdown_grace; giving it up", view.name);
	}
	exit_in_a_hurry(d);
}

static void
on_server_closed(void *arg)
{
	struct daemon *d = arg;

	net_loop_stop(d->loop);
}

static void
on_state_closed(void *arg)
{
	struct daemon *d = arg;

	on_main_entry();
	net_timer_stop(&d->grace_timer);
	jobs_set_store(d->jobs, NULL);
	ctl_server_close(d->server, on_server_closed, d);
}

static void
on_jobs_stopped(void *arg)
{
	struct daemon *d = arg;

	on_main_entry();
	state_close(&d->state, jobs_mailbox(d->jobs), on_state_closed, d);
}

static void
stop(struct daemon *d, const char *why, uint64_t grace_ms) ON_MAIN
{
	d->is_stopping = true;
	net_timer_stop(&d->open_timer);
	log_message(&messages[MSG_DAEMON_STOPPING], LOG_LEVEL_INFO,
	    "%s: stopping, %zu running jobs", why,
	    jobs_count_running(d->jobs));
	notify_tell(d->notify, "STOPPING=1\n");
	ask_for_time(grace_ms);
	net_timer_start(&d->grace_timer, grace_ms);
	jobs_stop(d->jobs, on_jobs_stopped, d);
}

static void
on_shutdown(void *arg, uint64_t grace_ms)
{
	struct daemon *d = arg;

	on_main_entry();
	if (!d->is_stopping)
		stop(d, "control", grace_ms);
}

static void
on_sigterm(evutil_socket_t sig, short what UNUSED, void *arg)
{
	struct daemon *d = arg;
	char why[32];

	on_main_entry();
	if (d->is_stopping) {
		log_error("SIG%s again: ending at once", sigabbrev_np(sig));
		exit_in_a_hurry(d);
	}
	(void)snprintf(why, sizeof why, "SIG%s", sigabbrev_np(sig));
	stop(d, why, d->conf->daemon.shutdown_grace_ms);
}

static int
add_signal(struct daemon *d, int signum, event_callback_fn on_signal,
    struct event **ret_event)
{
	*ret_event = evsignal_new(net_loop_base(d->loop), signum, on_signal,
	    d);
	if (*ret_event == NULL || event_add(*ret_event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

/* What this process was started from, also after an upgrade. */
#define OURSELVES "/proc/self/exe"

/* conf is reload's from here on, or freed. */
static int
start_loop(struct daemon *d, struct conf *conf) ON_MAIN
{
	const struct reload_events events = { take_conf, on_rejected,
		on_reload_start, on_reload_done, d };
	int r = net_loop_new(&d->loop);

	if (r == 0)
		r = reload_new(d->loop, OURSELVES, d->conf_path, conf,
		    &events, &d->reload);
	if (r < 0)
		conf_free(conf);
	d->conf = conf;
	return r;
}

static int
start(struct daemon *d, struct conf *conf) ON_MAIN
{
	struct error e;
	int r;

	if ((r = start_loop(d, conf)) < 0 ||
	    (r = net_timer_init(&d->grace_timer, d->loop, on_grace_over,
	    d)) < 0 ||
	    (r = net_timer_init(&d->open_timer, d->loop, on_open_wait_over,
	    d)) < 0 ||
	    (r = certificates_new(d->loop, CERTIFICATES_LOOK_MS,
	    &d->certificates)) < 0 ||
	    (r = worker_pool_start(d->conf->daemon.workers, &d->pool)) < 0 ||
	    (r = watchdog_start(d->loop, d->pool, &d->dog)) < 0 ||
	    (r = jobs_new(d->loop, d->pool, &d->jobs)) < 0 ||
	    (r = notify_new(d->loop, d->jobs, &d->notify)) < 0 ||
	    (r = jobs_apply(d->jobs, d->conf)) < 0 ||
	    (r = state_open(&d->state, d->conf, d->loop, d->jobs)) < 0 ||
	    (r = add_signal(d, SIGTERM, on_sigterm, &d->sigterm)) < 0 ||
	    (r = add_signal(d, SIGINT, on_sigterm, &d->sigint)) < 0 ||
	    (r = add_signal(d, SIGHUP, on_sighup, &d->sighup)) < 0) {
		log_error("cannot start: %s", strerror(-r));
		return r;
	}
	r = ctl_server_open(d->loop, d->jobs, d->conf, &d->server, &e);
	if (r < 0) {
		log_error("%s", e.text);
		return r;
	}
	ctl_server_set_reload(d->server, d->reload);
	ctl_server_set_shutdown(d->server, on_shutdown, d);
	ctl_server_set_expiry(d->server, certificates_get, d->certificates);
	d->watch.on_change = on_jobs_change;
	d->watch.arg = d;
	jobs_add_watch(d->jobs, &d->watch);
	certificates_take(d->certificates, d->conf);
	/* Last: what is asked from now on is waited for. */
	jobs_set_store(d->jobs, d->state.store);
	return 0;
}

static void
free_event(struct event *ev)
{
	if (ev != NULL)
		event_free(ev);
}

/* Also after half a start(). */
static void
finish(struct daemon *d) ON_MAIN
{
	jobs_remove_watch(&d->watch);
	ctl_server_free(d->server);
	free_event(d->sigterm);
	free_event(d->sigint);
	free_event(d->sighup);
	state_free(&d->state);
	jobs_free(d->jobs);
	if (d->pool != NULL)
		worker_pool_stop(d->pool);
	watchdog_free(d->dog);
	notify_free(d->notify);
	net_timer_done(&d->grace_timer);
	net_timer_done(&d->open_timer);
	certificates_free(d->certificates);
	reload_free(d->reload);
	net_loop_free(d->loop);
}

static enum daemon_exit
run(const char *conf_path) ON_MAIN
{
	struct daemon d = { .conf_path = conf_path };
	struct conf *conf = NULL;
	enum daemon_exit status;
	int lock = -1;

	list_init(&d.watch.node);
	log_init();
	/* A peer that goes away is an error of write(), not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	daemon_log_take_libevent();
	status = load_conf(conf_path, &conf);
	if (status != DAEMON_EXIT_OK)
		return status;
	(void)daemon_log_open(&conf->logs);
	warn_risks(conf);
	status = DAEMON_EXIT_FAILURE;
	if (state_lock(conf, &lock) < 0) {
		conf_free(conf);
		daemon_log_close();
		return status;
	}
	if (start(&d, conf) == 0) {
		net_timer_start(&d.open_timer, OPEN_WAIT_MS);
		open_when_known(&d);
		if (net_loop_run(d.loop) == 0)
			status = DAEMON_EXIT_OK;
		log_info("ended");
	}
	finish(&d);
	if (lock >= 0)
		(void)close(lock);
	daemon_log_close();
	return status;
}

enum daemon_exit
daemon_run(const char *conf_path)
{
	CLEANUP(cleanup_close) int passed = control_socket_keep();
	enum daemon_exit status;

	on_main_entry();
	status = run(conf_path);
	if (status == DAEMON_EXIT_CONFIG)
		control_socket_refuse(passed, "nbdsyncd does not start: its "
		    "configuration is wrong", "nbdsync configcheck");
	else if (status != DAEMON_EXIT_OK)
		control_socket_refuse(passed, "nbdsyncd does not start",
		    "its log says why");
	return status;
}
