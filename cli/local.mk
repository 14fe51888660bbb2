# SPDX-License-Identifier: LGPL-2.1-or-later

# All but main(): the unit tests link it too.
noinst_LTLIBRARIES += %D%/libcli.la
%C%_libcli_la_SOURCES = \
	%D%/answer.c \
	%D%/answer.h \
	%D%/bar.c \
	%D%/bar.h \
	%D%/cancel.c \
	%D%/canvas.c \
	%D%/canvas.h \
	%D%/check.c \
	%D%/command-map.c \
	%D%/checkpoint.c \
	%D%/command-wait.c \
	%D%/commands.c \
	%D%/commands.h \
	%D%/compare.c \
	%D%/completion.c \
	%D%/config-problems.c \
	%D%/config-problems.h \
	%D%/configcheck.c \
	%D%/control.c \
	%D%/control.h \
	%D%/copy-checkpoint.c \
	%D%/copy-checkpoint.h \
	%D%/copy-engine.c \
	%D%/copy-engine.h \
	%D%/copy-passes.c \
	%D%/copy-passes.h \
	%D%/copy-request.c \
	%D%/copy-request.h \
	%D%/copy-result.c \
	%D%/copy-result.h \
	%D%/copy-words.c \
	%D%/copy-words.h \
	%D%/copy.c \
	%D%/diff.c \
	%D%/dirty.c \
	%D%/dirty.h \
	%D%/endpoints.c \
	%D%/events.c \
	%D%/exit-codes.h \
	%D%/help.c \
	%D%/help.h \
	%D%/history.c \
	%D%/http-response.c \
	%D%/http-response.h \
	%D%/http.c \
	%D%/http.h \
	%D%/info-map.c \
	%D%/info-map.h \
	%D%/info.c \
	%D%/job-command.c \
	%D%/job-command.h \
	%D%/job-map.c \
	%D%/job-map.h \
	%D%/job-mapfile.c \
	%D%/job-mapfile.h \
	%D%/job-status.c \
	%D%/job-status.h \
	%D%/limits.c \
	%D%/list.c \
	%D%/log.c \
	%D%/loglevel.c \
	%D%/map.c \
	%D%/map.h \
	%D%/mapfile.c \
	%D%/mapfile.h \
	%D%/message.c \
	%D%/message.h \
	%D%/mirror.c \
	%D%/options.c \
	%D%/options.h \
	%D%/output.c \
	%D%/output.h \
	%D%/pause.c \
	%D%/rate.c \
	%D%/probe.c \
	%D%/progress.c \
	%D%/progress.h \
	%D%/reload.c \
	%D%/screen-detail.c \
	%D%/screen-draw.c \
	%D%/screen-list.c \
	%D%/screen-private.h \
	%D%/screen.c \
	%D%/screen.h \
	%D%/report.c \
	%D%/reset.c \
	%D%/run-text.c \
	%D%/run-text.h \
	%D%/server.c \
	%D%/server.h \
	%D%/signals.c \
	%D%/signals.h \
	%D%/start.c \
	%D%/status-connections.c \
	%D%/status-connections.h \
	%D%/status.c \
	%D%/terminal.c \
	%D%/terminal.h \
	%D%/wait.c \
	%D%/wait.h \
	%D%/watch.c \
	%D%/watch.h
%C%_libcli_la_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
%C%_libcli_la_LIBTOOLFLAGS = --tag=disable-shared

bin_PROGRAMS += nbdsync
nbdsync_SOURCES = %D%/main.c
nbdsync_LDADD = %D%/libcli.la lib/libnbdsync.la $(JANSSON_LIBS)
nbdsync_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)

# From the table of commands.  Another machine's program cannot be asked.
if !CROSS_COMPILING
bashcompletiondir = $(datadir)/bash-completion/completions
bashcompletion_DATA = %D%/bash/nbdsync
%D%/bash/nbdsync: nbdsync
	$(AM_V_GEN)$(MKDIR_P) %D%/bash && \
	./nbdsync completion bash >$@.tmp && mv $@.tmp $@
CLEANFILES += %D%/bash/nbdsync
endif
