# SPDX-License-Identifier: LGPL-2.1-or-later

# All but main(): the unit tests link it too.
noinst_LTLIBRARIES += %D%/libdaemon.la
%C%_libdaemon_la_SOURCES = \
	%D%/conf/check.c \
	%D%/conf/check.h \
	%D%/conf/compare.c \
	%D%/conf/conf.c \
	%D%/conf/conf.h \
	%D%/conf/lint.c \
	%D%/conf/lint.h \
	%D%/conf/lists.c \
	%D%/conf/lists.h \
	%D%/conf/nearest.c \
	%D%/conf/nearest.h \
	%D%/conf/options.c \
	%D%/conf/options.h \
	%D%/conf/origin.c \
	%D%/conf/origin.h \
	%D%/conf/parse.c \
	%D%/conf/parse.h \
	%D%/conf/problems.c \
	%D%/conf/problems.h \
	%D%/conf/read.c \
	%D%/conf/read.h \
	%D%/conf/schema.c \
	%D%/conf/schema.h \
	%D%/conf/show.c \
	%D%/conf/show.h \
	%D%/conf/spots.c \
	%D%/conf/spots.h \
	%D%/conf/strict.c \
	%D%/conf/strict.h \
	%D%/conf/value-lists.c \
	%D%/conf/value-private.h \
	%D%/conf/value.c \
	%D%/conf/value.h \
	%D%/control/answer.c \
	%D%/control/arguments.c \
	%D%/control/auth.c \
	%D%/control/auth.h \
	%D%/control/cancel.c \
	%D%/control/checkpoint.c \
	%D%/control/connections.c \
	%D%/control/connections.h \
	%D%/control/counters.c \
	%D%/control/counters.h \
	%D%/control/endpoints.c \
	%D%/control/events.c \
	%D%/control/events.h \
	%D%/control/health.c \
	%D%/control/held.c \
	%D%/control/history.c \
	%D%/control/job.c \
	%D%/control/jobs.c \
	%D%/control/limits.c \
	%D%/control/log.c \
	%D%/control/map.c \
	%D%/control/metrics-process.c \
	%D%/control/metrics-requests.c \
	%D%/control/metrics.c \
	%D%/control/metrics.h \
	%D%/control/page.c \
	%D%/control/pause.c \
	%D%/control/probe.c \
	%D%/control/probe.h \
	%D%/control/problem.c \
	%D%/control/problem.h \
	%D%/control/reload.c \
	%D%/control/request-private.h \
	%D%/control/request.c \
	%D%/control/request.h \
	%D%/control/routes.c \
	%D%/control/routes.h \
	%D%/control/schema.c \
	%D%/control/server-private.h \
	%D%/control/server.c \
	%D%/control/server.h \
	%D%/control/shutdown.c \
	%D%/control/socket.c \
	%D%/control/socket.h \
	%D%/control/start.c \
	%D%/control/start.h \
	%D%/control/stream.c \
	%D%/control/tail.h \
	%D%/control/tcp.c \
	%D%/control/tcp.h \
	%D%/control/verify-stored.c \
	%D%/control/version.c \
	%D%/job/alarm.c \
	%D%/job/begun.c \
	%D%/job/connections.c \
	%D%/job/differing.c \
	%D%/job/disks.c \
	%D%/job/distrust.c \
	%D%/job/hooks.c \
	%D%/job/hooks.h \
	%D%/job/job-private.h \
	%D%/job/job.c \
	%D%/job/job.h \
	%D%/job/jobs.c \
	%D%/job/keep.c \
	%D%/job/kept-map.c \
	%D%/job/last-run.c \
	%D%/job/lost.c \
	%D%/job/memory.c \
	%D%/job/passes.c \
	%D%/job/pause.c \
	%D%/job/rate.c \
	%D%/job/result.c \
	%D%/job/rpo.c \
	%D%/job/schedule.c \
	%D%/job/shared.c \
	%D%/job/spec.c \
	%D%/job/stalled.c \
	%D%/job/status.c \
	%D%/job/success.c \
	%D%/job/trim.c \
	%D%/job/wish.c \
	%D%/log/format.c \
	%D%/log/format.h \
	%D%/log/kept.c \
	%D%/log/kept.h \
	%D%/log/limit.c \
	%D%/log/limit.h \
	%D%/log/log.c \
	%D%/log/log.h \
	%D%/log/messages.c \
	%D%/log/messages.h \
	%D%/log/outlet.c \
	%D%/log/outlet.h \
	%D%/log/repeat.c \
	%D%/log/repeat.h \
	%D%/reload/reload.c \
	%D%/reload/reload.h \
	%D%/schedule/cron.c \
	%D%/schedule/cron.h \
	%D%/schedule/schedule.c \
	%D%/schedule/schedule.h \
	%D%/certificates.c \
	%D%/certificates.h \
	%D%/daemon.c \
	%D%/daemon.h \
	%D%/notify.c \
	%D%/notify.h \
	%D%/state.c \
	%D%/state.h \
	%D%/watchdog.c \
	%D%/watchdog.h
%C%_libdaemon_la_LIBTOOLFLAGS = --tag=disable-shared

# Files that are built in, as bytes.
%D%/control/schema.json.inc: %D%/control/schema.json
	$(AM_V_GEN)$(MKDIR_P) %D%/control && od -An -v -tx1 \
	    $(srcdir)/%D%/control/schema.json | \
	    sed 's/ \(..\)/0x\1,/g' >$@.tmp && mv $@.tmp $@
%D%/control/status.html.inc: %D%/control/status.html
	$(AM_V_GEN)$(MKDIR_P) %D%/control && od -An -v -tx1 \
	    $(srcdir)/%D%/control/status.html | \
	    sed 's/ \(..\)/0x\1,/g' >$@.tmp && mv $@.tmp $@
BUILT_SOURCES += %D%/control/schema.json.inc %D%/control/status.html.inc
CLEANFILES += %D%/control/schema.json.inc %D%/control/status.html.inc
EXTRA_DIST += %D%/control/schema.json %D%/control/status.html

# What it was built from: of a release archive the archive knows, else git, and
# if that does not either, it is empty.  Only another one makes anything anew.
%D%/control/commit.inc: FORCE
	$(AM_V_at)$(MKDIR_P) %D%/control && { \
	    if [ -f $(srcdir)/.commit ]; then cat $(srcdir)/.commit; \
	    elif [ -e $(srcdir)/.git ]; then \
		git -C $(srcdir) rev-parse --short=12 HEAD 2>/dev/null; \
	    fi | sed 's/.*/"&"/'; echo '""'; } >$@.tmp && \
	if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi
FORCE:
.PHONY: FORCE
BUILT_SOURCES += %D%/control/commit.inc
CLEANFILES += %D%/control/commit.inc

nbdsyncd_libs = $(EVENT_EXTRA_LIBS) $(CONFIG_LIBS) $(JANSSON_LIBS) \
	$(SYSTEMD_LIBS)

sbin_PROGRAMS += nbdsyncd
nbdsyncd_SOURCES = %D%/main.c
nbdsyncd_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
nbdsyncd_LDADD = %D%/libdaemon.la lib/libnbdsync.la $(nbdsyncd_libs)
nbdsyncd_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)
