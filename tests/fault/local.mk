# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests that do harm: power cuts, lost connections, errors.

fault_tests = \
	%D%/fault-allocations.t \
	%D%/fault-cuts.t \
	%D%/fault-errors.t \
	%D%/fault-flips.t \
	%D%/fault-isolation.t \
	%D%/fault-kill.t \
	%D%/fault-malloc.t \
	%D%/fault-malloc-control.t \
	%D%/fault-mute.t \
	%D%/fault-one.t \
	%D%/fault-power.t \
	%D%/fault-slow.t \
	%D%/fault-soak.t \
	%D%/fault-tools.t
TESTS += $(fault_tests)

check_PROGRAMS += %D%/proxy
%C%_proxy_SOURCES = \
	%D%/nbd-stream.c \
	%D%/nbd-stream.h \
	%D%/proxy.c
%C%_proxy_LDADD =

# Our programs, of whose allocations one fails.
starved_ldflags = $(AM_LDFLAGS) $(PIE_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray \
	-Wl,--wrap=strdup,--wrap=strndup,--wrap=asprintf,--wrap=vasprintf
check_PROGRAMS += %D%/nbdsync-starved %D%/nbdsyncd-starved
%C%_nbdsync_starved_SOURCES = cli/main.c %D%/starve.c
%C%_nbdsync_starved_LDADD = $(nbdsync_LDADD)
%C%_nbdsync_starved_LDFLAGS = $(starved_ldflags)
%C%_nbdsyncd_starved_SOURCES = daemon/main.c %D%/starve.c
%C%_nbdsyncd_starved_CPPFLAGS = $(nbdsyncd_CPPFLAGS)
%C%_nbdsyncd_starved_LDADD = $(nbdsyncd_LDADD)
%C%_nbdsyncd_starved_LDFLAGS = $(starved_ldflags)

# For nbdkit, which is built without our sanitizers.  An -rpath makes libtool
# build what can be loaded.
if HAVE_NBDKIT_PLUGIN
check_LTLIBRARIES += %D%/volatile-plugin.la
%C%_volatile_plugin_la_SOURCES = %D%/volatile-plugin.c
%C%_volatile_plugin_la_CFLAGS = -std=gnu17 -pthread $(WARN_CFLAGS)
%C%_volatile_plugin_la_LDFLAGS = -pthread -module -avoid-version -shared \
	-rpath /nowhere
endif

EXTRA_DIST += $(fault_tests) \
	%D%/faultlib.sh

.PHONY: check-fault check-long

check-fault:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(fault_tests)'

# Hours.  FAULT_ROUNDS=N for another number of rounds, FAULT_SEED=N to repeat.
check-long: tests/sim/sim-copy
	tests/sim/sim-copy --seeds 100000
	FAULT_LONG=1; export FAULT_LONG; \
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(fault_tests)' TEST_LIMIT=0
