# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every test speaks TAP.  To run one:
#
#	make check TESTS=tests/unit/base/test-units
#	make check TESTS=tests/integration/copy-basic.t VERBOSE=1

TEST_EXTENSIONS = .t .sh

# Seconds for a script, and all that it has started.  They take a minute at
# most; what waits for ever fails with this.
TEST_LIMIT = 900

LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
T_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_DRIVER = $(LOG_DRIVER)
T_LOG_COMPILER = timeout -k 60 $(TEST_LIMIT) $(SHELL)
SH_LOG_COMPILER = $(SHELL)

# 99 tells a sanitizer's report from an orderly failure.
AM_TESTS_ENVIRONMENT = \
	CK_TAP_LOG_FILE_NAME=-; export CK_TAP_LOG_FILE_NAME; \
	CK_VERBOSITY=silent; export CK_VERBOSITY; \
	CK_DEFAULT_TIMEOUT=120; export CK_DEFAULT_TIMEOUT; \
	ASAN_OPTIONS=exitcode=99; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=exitcode=99:print_stacktrace=1; export UBSAN_OPTIONS; \
	TSAN_OPTIONS=exitcode=99; export TSAN_OPTIONS; \
	CC='$(CC)'; export CC; \
	COMPILE_FLAGS='$(DEFAULT_INCLUDES) $(AM_CPPFLAGS) -std=gnu17'; \
	export COMPILE_FLAGS; \
	PKG_CONFIG='$(PKG_CONFIG)'; export PKG_CONFIG; \
	SANITIZE_FLAGS='$(SANITIZE_FLAGS)'; export SANITIZE_FLAGS; \
	srcdir='$(abs_top_srcdir)'; export srcdir; \
	builddir='$(abs_top_builddir)'; export builddir; \
	all_tests='$(unit_tests) $(simulations) $(fuzz_targets) \
	    $(integration_tests) $(fault_tests) $(lint_tests) \
	    $(package_tests)'; \
	export all_tests;

# What unit tests and simulator link, unless they say otherwise.
LDADD = %D%/lib/libunit.la daemon/libdaemon.la cli/libcli.la \
	lib/libnbdsync.la $(nbdsyncd_libs) $(CHECK_LIBS)

check_LTLIBRARIES += %D%/lib/libunit.la
%C%_lib_libunit_la_SOURCES = \
	%D%/lib/unit.c \
	%D%/lib/unit.h
%C%_lib_libunit_la_LIBTOOLFLAGS = --tag=disable-shared

unit_tests = \
	%D%/unit/base/test-backoff \
	%D%/unit/base/test-bytes \
	%D%/unit/base/test-error \
	%D%/unit/base/test-escape \
	%D%/unit/base/test-list \
	%D%/unit/base/test-log \
	%D%/unit/base/test-ranges \
	%D%/unit/base/test-units \
	%D%/unit/cli/test-commands \
	%D%/unit/cli/test-config-problems \
	%D%/unit/cli/test-copy-words \
	%D%/unit/cli/test-dirty \
	%D%/unit/cli/test-http-response \
	%D%/unit/cli/test-http \
	%D%/unit/cli/test-job-status \
	%D%/unit/cli/test-map \
	%D%/unit/cli/test-output \
	%D%/unit/cli/test-progress \
	%D%/unit/cli/test-screen \
	%D%/unit/client/test-command \
	%D%/unit/client/test-conn \
	%D%/unit/client/test-cuts \
	%D%/unit/client/test-hostile-handshake \
	%D%/unit/client/test-hostile-replies \
	%D%/unit/client/test-hostile-tls \
	%D%/unit/client/test-disk-commands \
	%D%/unit/client/test-event-channel \
	%D%/unit/client/test-event-disk \
	%D%/unit/client/test-event-list \
	%D%/unit/client/test-listing \
	%D%/unit/client/test-link \
	%D%/unit/client/test-nbdclient \
	%D%/unit/client/test-places \
	%D%/unit/client/test-stall \
	%D%/unit/client/test-tls-required \
	%D%/unit/client/test-tls-traffic \
	%D%/unit/copy/test-cursor \
	%D%/unit/copy/test-epoch \
	%D%/unit/copy/test-errors \
	%D%/unit/copy/test-lane \
	%D%/unit/copy/test-ledger \
	%D%/unit/copy/test-pace \
	%D%/unit/copy/test-plan \
	%D%/unit/copy/test-sample \
	%D%/unit/copy/test-tuning \
	%D%/unit/daemon/test-auth \
	%D%/unit/daemon/test-conf \
	%D%/unit/daemon/test-certificates \
	%D%/unit/daemon/test-conf-files \
	%D%/unit/daemon/test-history \
	%D%/unit/daemon/test-jobs \
	%D%/unit/daemon/test-repeat \
	%D%/unit/daemon/test-limit \
	%D%/unit/daemon/test-lint \
	%D%/unit/daemon/test-log \
	%D%/unit/daemon/test-nearest \
	%D%/unit/daemon/test-options \
	%D%/unit/daemon/test-problem \
	%D%/unit/daemon/test-routes \
	%D%/unit/daemon/test-schedule \
	%D%/unit/daemon/test-tcp \
	%D%/unit/digest/test-digest \
	%D%/unit/endpoint/test-endpoint \
	%D%/unit/endpoint/test-spec \
	%D%/unit/nbd/test-chunk \
	%D%/unit/nbd/test-extended \
	%D%/unit/nbd/test-handshake \
	%D%/unit/nbd/test-info \
	%D%/unit/nbd/test-late \
	%D%/unit/nbd/test-list \
	%D%/unit/nbd/test-reply \
	%D%/unit/nbd/test-request \
	%D%/unit/nbd/test-session \
	%D%/unit/nbd/test-starttls \
	%D%/unit/nbd/test-status \
	%D%/unit/nbd/test-uri \
	%D%/unit/net/test-address \
	%D%/unit/net/test-child \
	%D%/unit/net/test-command \
	%D%/unit/net/test-dial \
	%D%/unit/net/test-loop \
	%D%/unit/net/test-pipe \
	%D%/unit/net/test-race \
	%D%/unit/net/test-tls \
	%D%/unit/runtime/test-mailbox \
	%D%/unit/runtime/test-worker \
	%D%/unit/store/test-checkpoint \
	%D%/unit/store/test-crash \
	%D%/unit/store/test-health \
	%D%/unit/store/test-memory \
	%D%/unit/store/test-store \
	%D%/unit/store/test-tables \
	%D%/unit/transfer/test-carrier \
	%D%/unit/transfer/test-latency \
	%D%/unit/transfer/test-marks \
	%D%/unit/transfer/test-report \
	%D%/unit/transfer/test-run-map \
	%D%/unit/transfer/test-run \
	%D%/unit/transfer/test-series \
	%D%/unit/transfer/test-silent-store

simulations = \
	%D%/sim/sim-copy \
	%D%/sim/sim-tuning

%C%_sim_sim_copy_SOURCES = \
	%D%/sim/sim-copy.c \
	%D%/sim/seeds.c \
	%D%/sim/seeds.h

%C%_sim_sim_tuning_SOURCES = \
	%D%/sim/sim-tuning.c \
	%D%/sim/seeds.c \
	%D%/sim/seeds.h

%C%_unit_client_test_conn_SOURCES = \
	%D%/unit/client/test-conn.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h

%C%_unit_client_test_hostile_handshake_SOURCES = \
	%D%/unit/client/test-hostile-handshake.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h \
	%D%/unit/client/hostile.c \
	%D%/unit/client/hostile.h

%C%_unit_client_test_hostile_replies_SOURCES = \
	%D%/unit/client/test-hostile-replies.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h \
	%D%/unit/client/hostile.c \
	%D%/unit/client/hostile.h

%C%_unit_client_test_hostile_tls_SOURCES = \
	%D%/unit/client/test-hostile-tls.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h \
	%D%/unit/client/fake-tls.c \
	%D%/unit/client/fake-tls.h \
	%D%/unit/client/hostile.c \
	%D%/unit/client/hostile.h

%C%_unit_client_test_disk_commands_SOURCES = \
	%D%/unit/client/test-disk-commands.c \
	%D%/unit/client/assert-err.h \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h \
	%D%/unit/client/nbdkit.c \
	%D%/unit/client/nbdkit.h

%C%_unit_client_test_event_channel_SOURCES = \
	%D%/unit/client/test-event-channel.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h

%C%_unit_client_test_event_disk_SOURCES = \
	%D%/unit/client/test-event-disk.c \
	%D%/unit/client/nbdkit.c \
	%D%/unit/client/nbdkit.h

%C%_unit_client_test_event_list_SOURCES = \
	%D%/unit/client/test-event-list.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h

%C%_unit_client_test_listing_SOURCES = \
	%D%/unit/client/test-listing.c \
	%D%/unit/client/assert-err.h \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h \
	%D%/unit/client/nbdkit.c \
	%D%/unit/client/nbdkit.h

%C%_unit_client_test_link_SOURCES = \
	%D%/unit/client/test-link.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h

%C%_unit_client_test_nbdclient_SOURCES = \
	%D%/unit/client/test-nbdclient.c \
	%D%/unit/client/assert-err.h \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h \
	%D%/unit/client/nbdkit.c \
	%D%/unit/client/nbdkit.h

%C%_unit_client_test_places_SOURCES = \
	%D%/unit/client/test-places.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h

%C%_unit_client_test_tls_required_SOURCES = \
	%D%/unit/client/test-tls-required.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h

%C%_unit_client_test_tls_traffic_SOURCES = \
	%D%/unit/client/test-tls-traffic.c \
	%D%/unit/client/fake-server.c \
	%D%/unit/client/fake-server.h \
	%D%/unit/client/fake-tls.c \
	%D%/unit/client/fake-tls.h

%C%_unit_daemon_test_certificates_SOURCES = \
	%D%/unit/daemon/test-certificates.c \
	%D%/unit/daemon/conf-text.c \
	%D%/unit/daemon/conf-text.h
%C%_unit_daemon_test_certificates_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=tls_certificates_expire

%C%_unit_daemon_test_conf_files_SOURCES = \
	%D%/unit/daemon/test-conf-files.c \
	%D%/unit/daemon/conf-text.c \
	%D%/unit/daemon/conf-text.h \
	%D%/unit/daemon/manual.c \
	%D%/unit/daemon/manual.h

%C%_unit_daemon_test_conf_SOURCES = \
	%D%/unit/daemon/test-conf.c \
	%D%/unit/daemon/conf-text.c \
	%D%/unit/daemon/conf-text.h

%C%_unit_daemon_test_history_SOURCES = \
	%D%/unit/daemon/test-history.c \
	%D%/unit/daemon/conf-text.c \
	%D%/unit/daemon/conf-text.h \
	%D%/unit/daemon/fake-run.c \
	%D%/unit/daemon/fake-run.h

%C%_unit_daemon_test_jobs_SOURCES = \
	%D%/unit/daemon/test-jobs.c \
	%D%/unit/daemon/conf-text.c \
	%D%/unit/daemon/conf-text.h \
	%D%/unit/daemon/fake-run.c \
	%D%/unit/daemon/fake-run.h

%C%_unit_daemon_test_lint_SOURCES = \
	%D%/unit/daemon/test-lint.c \
	%D%/unit/daemon/conf-text.c \
	%D%/unit/daemon/conf-text.h

%C%_unit_daemon_test_options_SOURCES = \
	%D%/unit/daemon/test-options.c \
	%D%/unit/daemon/conf-text.c \
	%D%/unit/daemon/conf-text.h \
	%D%/unit/daemon/manual.c \
	%D%/unit/daemon/manual.h

%C%_unit_daemon_test_problem_SOURCES = \
	%D%/unit/daemon/test-problem.c \
	%D%/unit/daemon/manual.c \
	%D%/unit/daemon/manual.h

%C%_unit_daemon_test_routes_SOURCES = \
	%D%/unit/daemon/test-routes.c \
	%D%/unit/daemon/manual.c \
	%D%/unit/daemon/manual.h

%C%_unit_nbd_test_chunk_SOURCES = \
	%D%/unit/nbd/test-chunk.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_extended_SOURCES = \
	%D%/unit/nbd/test-extended.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_handshake_SOURCES = \
	%D%/unit/nbd/test-handshake.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_info_SOURCES = \
	%D%/unit/nbd/test-info.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_late_SOURCES = \
	%D%/unit/nbd/test-late.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_list_SOURCES = \
	%D%/unit/nbd/test-list.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_reply_SOURCES = \
	%D%/unit/nbd/test-reply.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_request_SOURCES = \
	%D%/unit/nbd/test-request.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_session_SOURCES = \
	%D%/unit/nbd/test-session.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_starttls_SOURCES = \
	%D%/unit/nbd/test-starttls.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_nbd_test_status_SOURCES = \
	%D%/unit/nbd/test-status.c \
	%D%/unit/nbd/script.c \
	%D%/unit/nbd/script.h

%C%_unit_store_test_checkpoint_SOURCES = \
	%D%/unit/store/test-checkpoint.c \
	%D%/unit/store/ask.c \
	%D%/unit/store/ask.h
%C%_unit_store_test_checkpoint_LDADD = $(LDADD) $(SQLITE_LIBS)

%C%_unit_store_test_crash_SOURCES = \
	%D%/lib/crash-vfs.c \
	%D%/lib/crash-vfs.h \
	%D%/unit/store/test-crash.c \
	%D%/unit/store/ask.c \
	%D%/unit/store/ask.h
%C%_unit_store_test_crash_LDADD = $(LDADD) $(SQLITE_LIBS)

%C%_unit_store_test_health_SOURCES = \
	%D%/unit/store/test-health.c \
	%D%/unit/store/ask.c \
	%D%/unit/store/ask.h
%C%_unit_store_test_health_LDADD = $(LDADD) $(SQLITE_LIBS)

# See tests/lib/failing-malloc.h.
failing_malloc_wrap = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=reallocarray,--wrap=strdup,--wrap=strndup
%C%_unit_store_test_memory_SOURCES = \
	%D%/lib/failing-malloc.c \
	%D%/lib/failing-malloc.h \
	%D%/unit/store/test-memory.c \
	%D%/unit/store/ask.c \
	%D%/unit/store/ask.h
%C%_unit_store_test_memory_LDADD = $(LDADD) $(SQLITE_LIBS)
%C%_unit_store_test_memory_LDFLAGS = $(AM_LDFLAGS) $(failing_malloc_wrap)

%C%_unit_store_test_tables_SOURCES = \
	%D%/unit/store/test-tables.c \
	%D%/unit/store/ask.c \
	%D%/unit/store/ask.h
%C%_unit_store_test_tables_LDADD = $(LDADD) $(SQLITE_LIBS)

%C%_unit_store_test_store_SOURCES = \
	%D%/unit/store/test-store.c \
	%D%/unit/store/ask.c \
	%D%/unit/store/ask.h
%C%_unit_store_test_store_LDADD = $(LDADD) $(SQLITE_LIBS)

# A server and clients for integration tests.
check_PROGRAMS += %D%/lib/ext-server %D%/lib/hold-thread \
	%D%/lib/map-client %D%/lib/nbd-do \
	%D%/lib/show-status %D%/lib/tls-client
%C%_lib_ext_server_SOURCES = %D%/lib/ext-server.c
%C%_lib_ext_server_LDADD =
%C%_lib_hold_thread_SOURCES = %D%/lib/hold-thread.c
%C%_lib_hold_thread_LDADD =
%C%_lib_map_client_SOURCES = %D%/lib/map-client.c
%C%_lib_map_client_LDADD = libnbdclient.la
%C%_lib_nbd_do_SOURCES = %D%/lib/nbd-do.c
%C%_lib_nbd_do_LDADD = libnbdclient.la
check_PROGRAMS += %D%/lib/put-checkpoint
%C%_lib_put_checkpoint_SOURCES = %D%/lib/put-checkpoint.c
%C%_lib_put_checkpoint_LDADD = lib/libnbdsync.la $(JANSSON_LIBS)
%C%_lib_show_status_SOURCES = %D%/lib/show-status.c
%C%_lib_show_status_LDADD = lib/libnbdcore.la
%C%_lib_tls_client_SOURCES = %D%/lib/tls-client.c
%C%_lib_tls_client_LDADD = libnbdclient.la

# What the benchmark runs; built with the tests, so that it stays right.
bench_programs = \
	%D%/bench/client-nbdclient \
	%D%/bench/hammer \
	%D%/bench/lean-server \
	%D%/bench/measure \
	%D%/bench/probe-jobs
%C%_bench_client_nbdclient_SOURCES = \
	%D%/bench/client.c \
	%D%/bench/client.h \
	%D%/bench/client-nbdclient.c
%C%_bench_client_nbdclient_LDADD = libnbdclient.la $(EVENT_LIBS)
%C%_bench_client_nbdclient_LDFLAGS = $(AM_LDFLAGS) -no-install
%C%_bench_hammer_SOURCES = %D%/bench/hammer.c
%C%_bench_hammer_LDADD =
%C%_bench_lean_server_SOURCES = %D%/bench/lean-server.c
%C%_bench_lean_server_LDADD =
%C%_bench_measure_SOURCES = %D%/bench/measure.c
%C%_bench_measure_LDADD =
%C%_bench_probe_jobs_SOURCES = %D%/bench/probe-jobs.c
%C%_bench_probe_jobs_LDADD =

if HAVE_LIBNBD
bench_programs += %D%/bench/client-libnbd
%C%_bench_client_libnbd_SOURCES = \
	%D%/bench/client.c \
	%D%/bench/client.h \
	%D%/bench/client-libnbd.c
%C%_bench_client_libnbd_CFLAGS = $(AM_CFLAGS) $(LIBNBD_CFLAGS)
%C%_bench_client_libnbd_LDADD = $(LIBNBD_LIBS)
endif
check_PROGRAMS += $(bench_programs)

if HAVE_CHECK
check_PROGRAMS += $(unit_tests) $(simulations)
TESTS += $(unit_tests) $(simulations)
endif

# Each is run on its corpus; "make fuzz" links them with libFuzzer instead.
fuzz_targets = \
	%D%/fuzz/fuzz-checkpoint \
	%D%/fuzz/fuzz-conf \
	%D%/fuzz/fuzz-control \
	%D%/fuzz/fuzz-handshake \
	%D%/fuzz/fuzz-http-response \
	%D%/fuzz/fuzz-list \
	%D%/fuzz/fuzz-transmission \
	%D%/fuzz/fuzz-uri
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)

check_LTLIBRARIES += %D%/fuzz/libfeed.la %D%/fuzz/libreplay.la
%C%_fuzz_libfeed_la_SOURCES = \
	%D%/fuzz/feed.c \
	%D%/fuzz/fuzz.h
%C%_fuzz_libfeed_la_LIBTOOLFLAGS = --tag=disable-shared
%C%_fuzz_libreplay_la_SOURCES = %D%/fuzz/replay.c
%C%_fuzz_libreplay_la_LIBTOOLFLAGS = --tag=disable-shared

FUZZ_MAIN = %D%/fuzz/libreplay.la
fuzz_ldadd = $(FUZZ_MAIN) %D%/fuzz/libfeed.la daemon/libdaemon.la \
	cli/libcli.la lib/libnbdsync.la $(nbdsyncd_libs)
%C%_fuzz_fuzz_checkpoint_LDADD = $(fuzz_ldadd)
%C%_fuzz_fuzz_conf_LDADD = $(fuzz_ldadd)
%C%_fuzz_fuzz_control_LDADD = $(fuzz_ldadd)
%C%_fuzz_fuzz_handshake_LDADD = $(fuzz_ldadd)
%C%_fuzz_fuzz_http_response_LDADD = $(fuzz_ldadd)
%C%_fuzz_fuzz_list_LDADD = $(fuzz_ldadd)
%C%_fuzz_fuzz_transmission_LDADD = $(fuzz_ldadd)
%C%_fuzz_fuzz_uri_LDADD = $(fuzz_ldadd)

FUZZ_SECONDS = 60
fuzz:
	srcdir='$(abs_top_srcdir)' MAKE='$(MAKE)' \
	    $(SHELL) $(srcdir)/%D%/fuzz/run '$(FUZZ_SECONDS)' \
	    '$(fuzz_targets)' '$(BUILT_SOURCES)'

integration_tests = \
	%D%/integration/backup-qemu.t \
	%D%/integration/bench-helpers.t \
	%D%/integration/cli-bad-server.t \
	%D%/integration/cli-checkpoint.t \
	%D%/integration/cli-command-server.t \
	%D%/integration/cli-configcheck.t \
	%D%/integration/cli-copy.t \
	%D%/integration/cli-daemon.t \
	%D%/integration/cli-info-contexts.t \
	%D%/integration/cli-info-large.t \
	%D%/integration/cli-info-map.t \
	%D%/integration/cli-info.t \
	%D%/integration/cli-jobs.t \
	%D%/integration/cli-json.t \
	%D%/integration/cli-list.t \
	%D%/integration/cli-manual.t \
	%D%/integration/cli-monitor.t \
	%D%/integration/cli-output.t \
	%D%/integration/cli-progress.t \
	%D%/integration/cli-progress-stopped.t \
	%D%/integration/cli-screen-jobs.t \
	%D%/integration/cli-screen-stopped.t \
	%D%/integration/cli-screen.t \
	%D%/integration/cli-signals.t \
	%D%/integration/cli-transports.t \
	%D%/integration/cli-unreachable.t \
	%D%/integration/cli-usage.t \
	%D%/integration/cli-wait-answers.t \
	%D%/integration/client-example.t \
	%D%/integration/client-tls.t \
	%D%/integration/copy-bad-ranges.t \
	%D%/integration/copy-behind.t \
	%D%/integration/compare-again.t \
	%D%/integration/copy-block-sizes.t \
	%D%/integration/copy-canary.t \
	%D%/integration/copy-degradation.t \
	%D%/integration/copy-digest.t \
	%D%/integration/copy-dirty.t \
	%D%/integration/copy-distant.t \
	%D%/integration/copy-errors.t \
	%D%/integration/copy-extended.t \
	%D%/integration/copy-fast-zero.t \
	%D%/integration/copy-fill.t \
	%D%/integration/copy-features.t \
	%D%/integration/copy-lost-server.t \
	%D%/integration/copy-mapfile.t \
	%D%/integration/copy-memory.t \
	%D%/integration/copy-new-file.t \
	%D%/integration/copy-nbd-server.t \
	%D%/integration/copy-other-source.t \
	%D%/integration/copy-promise.t \
	%D%/integration/copy-qemu.t \
	%D%/integration/copy-rate.t \
	%D%/integration/copy-reconnect.t \
	%D%/integration/copy-restarted-command.t \
	%D%/integration/copy-resume-trouble.t \
	%D%/integration/copy-resume.t \
	%D%/integration/copy-refusals.t \
	%D%/integration/copy-several.t \
	%D%/integration/copy-silent-store.t \
	%D%/integration/copy-sizes.t \
	%D%/integration/copy-sparse.t \
	%D%/integration/copy-sync.t \
	%D%/integration/copy-tails.t \
	%D%/integration/copy-trim.t \
	%D%/integration/copy-verify.t \
	%D%/integration/copy-words.t \
	%D%/integration/daemon-api-errors.t \
	%D%/integration/daemon-busy.t \
	%D%/integration/daemon-checkpoint.t \
	%D%/integration/daemon-conf-errors.t \
	%D%/integration/daemon-conflicts.t \
	%D%/integration/daemon-connections.t \
	%D%/integration/daemon-consistent.t \
	%D%/integration/daemon-copy.t \
	%D%/integration/daemon-fill.t \
	%D%/integration/daemon-hooks.t \
	%D%/integration/daemon-hooks-killed.t \
	%D%/integration/daemon-ended-in-run.t \
	%D%/integration/daemon-endpoints.t \
	%D%/integration/daemon-credentials.t \
	%D%/integration/daemon-events.t \
	%D%/integration/daemon-first-answer.t \
	%D%/integration/daemon-hostile-http.t \
	%D%/integration/daemon-history.t \
	%D%/integration/daemon-log.t \
	%D%/integration/daemon-log-full.t \
	%D%/integration/daemon-log-hostile.t \
	%D%/integration/daemon-jobs-many.t \
	%D%/integration/daemon-many.t \
	%D%/integration/daemon-map.t \
	%D%/integration/daemon-last-run.t \
	%D%/integration/daemon-memory.t \
	%D%/integration/daemon-limits.t \
	%D%/integration/daemon-locked.t \
	%D%/integration/daemon-lost-connection.t \
	%D%/integration/daemon-lost-server.t \
	%D%/integration/daemon-metrics-runs.t \
	%D%/integration/daemon-metrics.t \
	%D%/integration/daemon-modes.t \
	%D%/integration/daemon-notify.t \
	%D%/integration/daemon-rate.t \
	%D%/integration/daemon-read-only.t \
	%D%/integration/daemon-recheck.t \
	%D%/integration/daemon-reload.t \
	%D%/integration/daemon-partial.t \
	%D%/integration/daemon-pause.t \
	%D%/integration/daemon-progress.t \
	%D%/integration/daemon-reload-control.t \
	%D%/integration/daemon-resume-age.t \
	%D%/integration/daemon-resume-changed.t \
	%D%/integration/daemon-resume.t \
	%D%/integration/daemon-roles.t \
	%D%/integration/daemon-roles-routes.t \
	%D%/integration/daemon-restart.t \
	%D%/integration/daemon-rpo.t \
	%D%/integration/daemon-schedule.t \
	%D%/integration/daemon-schema.t \
	%D%/integration/daemon-schema-states.t \
	%D%/integration/daemon-server-words.t \
	%D%/integration/daemon-shared-disks.t \
	%D%/integration/daemon-shared-runs.t \
	%D%/integration/daemon-socket.t \
	%D%/integration/daemon-space.t \
	%D%/integration/daemon-stalled.t \
	%D%/integration/daemon-start.t \
	%D%/integration/daemon-state-full.t \
	%D%/integration/daemon-state-hangs.t \
	%D%/integration/daemon-state.t \
	%D%/integration/daemon-stop.t \
	%D%/integration/daemon-units.t \
	%D%/integration/daemon-usage.t \
	%D%/integration/daemon-verify.t \
	%D%/integration/daemon-verify-stored.t \
	%D%/integration/daemon-watchdog.t \
	%D%/integration/daemon-web.t \
	%D%/integration/daemon-zeroes.t \
	%D%/integration/hooks-examples.t \
	%D%/integration/install.t \
	%D%/integration/interop-extended.t \
	%D%/integration/interop-manual.t \
	%D%/integration/interop-nbd-server.t \
	%D%/integration/interop-nbdkit.t \
	%D%/integration/interop-qemu-nbd.t \
	%D%/integration/interop-qemu-storage-daemon.t \
	%D%/integration/manual-examples.t \
	%D%/integration/manuals.t \
	%D%/integration/mirror-passes.t \
	%D%/integration/mirror-failing.t \
	%D%/integration/mirror-several.t \
	%D%/integration/mirror-shrinks.t \
	%D%/integration/mirror-told.t \
	%D%/integration/monitoring.t \
	%D%/integration/nbd-contexts.t \
	%D%/integration/readme.t \
	%D%/integration/recipes.t \
	%D%/integration/refused-flush.t \
	%D%/integration/tls-psk.t \
	%D%/integration/tls-required.t \
	%D%/integration/tls-x509.t \
	%D%/integration/tutorial.t
TESTS += $(integration_tests)

lint_tests = \
	%D%/lint/banned.sh \
	%D%/lint/columns.sh \
	%D%/lint/documents.sh \
	%D%/lint/functions.sh \
	%D%/lint/headers.sh \
	%D%/lint/layers.sh \
	%D%/lint/library-manual.sh \
	%D%/lint/licence.sh \
	%D%/lint/packages.sh \
	%D%/lint/reliability.sh \
	%D%/lint/sources.sh
TESTS += $(lint_tests)

# Not among the others: they take minutes, and need root and a mirror, but no
# program of ours.
package_tests = \
	%D%/packages/debian.t \
	%D%/packages/rpm.t
check-packages: dist
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(package_tests)' \
	    check_PROGRAMS= check_LTLIBRARIES= TEST_LIMIT=3600

EXTRA_DIST += $(integration_tests) $(lint_tests) $(package_tests) \
	%D%/valgrind.supp \
	%D%/bench/operate \
	%D%/bench/report.pl \
	%D%/bench/rows.sh \
	%D%/bench/run \
	%D%/bench/runs.sh \
	%D%/bench/servers.sh \
	%D%/fuzz/corpus \
	%D%/fuzz/run \
	%D%/lib/check-json.pl \
	%D%/lib/slow-proxy.pl \
	%D%/sim/long \
	%D%/lib/check-metrics.pl \
	%D%/lib/daemonlib.sh \
	%D%/lib/interoplib.sh \
	%D%/lib/testlib.sh \
	%D%/lib/screenlib.sh \
	%D%/lib/tlslib.sh \
	%D%/packages/boot.sh \
	%D%/packages/bootlib.sh \
	%D%/lint/layers.conf \
	%D%/lint/library-manual.pl \
	%D%/lint/lint.sh

# Power cuts, failing disks and failing memory under the store, with that many
# times more seeds, and every allocation.
STORE_LONG = 50
store_long_tests = %D%/unit/store/test-crash %D%/unit/store/test-memory
check-store-long:
	NBDSYNC_LONG='$(STORE_LONG)'; export NBDSYNC_LONG; \
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(store_long_tests)'

# Ten thousand worlds, over all processors; best in a build without sanitizers.
SIM_LONG = 10000
check-sim-long: $(simulations)
	$(srcdir)/%D%/sim/long $(SIM_LONG) $(simulations)

.PHONY: bench check-integration check-lint check-packages check-quick \
	check-sim check-sim-long check-store-long check-unit check-valgrind \
	fuzz

# "make bench BENCH='--pairs 3 unix tcp'": see tests/bench/run --help.
bench: nbdsync nbdsyncd $(bench_programs)
	$(srcdir)/%D%/bench/run --builddir . $(BENCH)

# What needs no server.  A list that is broken into lines inside the quotes
# would have a test called "\".
quick_tests = $(lint_tests) $(unit_tests) $(simulations) $(fuzz_targets)
check-quick:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(quick_tests)'

check-unit:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(unit_tests)'

check-sim:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(simulations)'

check-integration:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(integration_tests)'

check-lint:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(lint_tests)'

# In a build without sanitizers; takes a quarter of an hour.  An error in a
# test's process is the test's; servers that a test starts run without.
valgrind_tests = $(unit_tests) $(simulations) $(fuzz_targets)
valgrind_command = valgrind -q --fair-sched=try --error-exitcode=99 \
	--leak-check=full --errors-for-leak-kinds=definite \
	--suppressions=$(abs_srcdir)/%D%/valgrind.supp
check-valgrind:
	CK_TIMEOUT_MULTIPLIER=10; export CK_TIMEOUT_MULTIPLIER; \
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(valgrind_tests)' \
	    LOG_COMPILER='$(valgrind_command)'
