# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The lower half of lib/ is what libnbdclient consists of; the programs and
# the unit tests link the whole of it.

noinst_LTLIBRARIES += %D%/libnbdcore.la
%C%_libnbdcore_la_SOURCES = \
	%D%/base/annotate.c \
	%D%/base/annotate.h \
	%D%/base/backoff.h \
	%D%/base/bytes.h \
	%D%/base/cleanup.h \
	%D%/base/error.c \
	%D%/base/error.h \
	%D%/base/escape.c \
	%D%/base/escape.h \
	%D%/base/list.h \
	%D%/base/log.c \
	%D%/base/log.h \
	%D%/base/ranges.c \
	%D%/base/ranges.h \
	%D%/base/units.c \
	%D%/base/units.h \
	%D%/nbd/chunk.c \
	%D%/nbd/errors.c \
	%D%/nbd/export.c \
	%D%/nbd/greeting.c \
	%D%/nbd/inflight.c \
	%D%/nbd/opt-export-name.c \
	%D%/nbd/opt-extended-headers.c \
	%D%/nbd/opt-go.c \
	%D%/nbd/opt-list-meta-context.c \
	%D%/nbd/opt-list.c \
	%D%/nbd/opt-set-meta-context.c \
	%D%/nbd/opt-starttls.c \
	%D%/nbd/opt-structured-reply.c \
	%D%/nbd/option.c \
	%D%/nbd/payload.c \
	%D%/nbd/protocol.h \
	%D%/nbd/reply.c \
	%D%/nbd/request.c \
	%D%/nbd/session-private.h \
	%D%/nbd/session.c \
	%D%/nbd/session.h \
	%D%/nbd/status.c \
	%D%/nbd/uri.c \
	%D%/nbd/uri.h \
	%D%/net/address.c \
	%D%/net/address.h \
	%D%/net/child.c \
	%D%/net/child.h \
	%D%/net/lines.c \
	%D%/net/lines.h \
	%D%/net/command.c \
	%D%/net/command.h \
	%D%/net/dial-private.h \
	%D%/net/dial-tcp.c \
	%D%/net/dial-unix.c \
	%D%/net/dial-vsock.c \
	%D%/net/dial.c \
	%D%/net/dial.h \
	%D%/net/loop.c \
	%D%/net/loop.h \
	%D%/net/peer.c \
	%D%/net/pipe.c \
	%D%/net/pipe.h \
	%D%/net/race.c \
	%D%/net/race.h \
	%D%/net/resolve.c \
	%D%/net/resolve.h \
	%D%/net/spawn.c \
	%D%/net/spawn.h \
	%D%/net/stream.c \
	%D%/net/stream.h \
	%D%/net/thread.c \
	%D%/net/thread.h \
	%D%/net/tls-context.c \
	%D%/net/tls-private.h \
	%D%/net/tls-expiry.c \
	%D%/net/tls-verify.c \
	%D%/net/tls.c \
	%D%/net/tls.h \
	%D%/client/channel.c \
	%D%/client/channel.h \
	%D%/client/conn.c \
	%D%/client/conn.h \
	%D%/client/disk-io.c \
	%D%/client/disk.c \
	%D%/client/disk.h \
	%D%/client/errors.c \
	%D%/client/errors.h \
	%D%/client/event-disk.c \
	%D%/client/event-link.c \
	%D%/client/event-link.h \
	%D%/client/event-list.c \
	%D%/client/failure.c \
	%D%/client/failure.h \
	%D%/client/io.c \
	%D%/client/io.h \
	%D%/client/link.c \
	%D%/client/link.h \
	%D%/client/security.c \
	%D%/client/security.h \
	%D%/client/listing.c \
	%D%/client/listing.h \
	%D%/client/look.c \
	%D%/client/look.h \
	%D%/client/served.c \
	%D%/client/served.h \
	%D%/client/op.c \
	%D%/client/op.h \
	%D%/client/stall.c \
	%D%/client/stall.h \
	%D%/client/target.c \
	%D%/client/target.h \
	%D%/client/transport.c \
	%D%/client/transport.h \
	%D%/client/wire.c \
	%D%/client/wire.h
%C%_libnbdcore_la_LIBADD = $(EVENT_LIBS) $(OPENSSL_LIBS)

noinst_LTLIBRARIES += %D%/libnbdsync.la
%C%_libnbdsync_la_SOURCES = \
	%D%/copy/bad.c \
	%D%/copy/bad.h \
	%D%/copy/behind.c \
	%D%/copy/clear.c \
	%D%/copy/compare.c \
	%D%/copy/cursor.h \
	%D%/copy/digest.c \
	%D%/copy/digest.h \
	%D%/copy/epoch.c \
	%D%/copy/epoch.h \
	%D%/copy/errors.c \
	%D%/copy/errors.h \
	%D%/copy/kind.h \
	%D%/copy/lane-private.h \
	%D%/copy/lane.c \
	%D%/copy/lane.h \
	%D%/copy/ledger.c \
	%D%/copy/ledger.h \
	%D%/copy/line.c \
	%D%/copy/line.h \
	%D%/copy/load.c \
	%D%/copy/lost.c \
	%D%/copy/map.c \
	%D%/copy/map.h \
	%D%/copy/outcome.c \
	%D%/copy/pace.c \
	%D%/copy/pace.h \
	%D%/copy/plan.c \
	%D%/copy/plan.h \
	%D%/copy/sample.c \
	%D%/copy/sample.h \
	%D%/copy/shape.h \
	%D%/copy/skip.c \
	%D%/copy/skip.h \
	%D%/copy/slot.c \
	%D%/copy/sparse.c \
	%D%/copy/tuning.c \
	%D%/copy/tuning.h \
	%D%/digest/digest.c \
	%D%/digest/digest.h \
	%D%/digest/kind.h \
	%D%/digest/sha256.c \
	%D%/digest/xxh3.c \
	%D%/endpoint/disk.h \
	%D%/endpoint/endpoint-command.c \
	%D%/endpoint/endpoint-fill.c \
	%D%/endpoint/endpoint-nbd.c \
	%D%/endpoint/endpoint-null.c \
	%D%/endpoint/endpoint-path.c \
	%D%/endpoint/endpoint.h \
	%D%/endpoint/kind.h \
	%D%/endpoint/kinds.c \
	%D%/endpoint/spec.c \
	%D%/endpoint/spec.h \
	%D%/runtime/mailbox.c \
	%D%/runtime/mailbox.h \
	%D%/runtime/worker.c \
	%D%/runtime/worker.h \
	%D%/store/aside.c \
	%D%/store/call.c \
	%D%/store/checkpoint.c \
	%D%/store/checkpoint.h \
	%D%/store/db.c \
	%D%/store/db.h \
	%D%/store/store-private.h \
	%D%/store/store.c \
	%D%/store/store.h \
	%D%/store/table-checkpoints.c \
	%D%/store/table-jobs.c \
	%D%/store/table-runs.c \
	%D%/store/tables.h \
	%D%/transfer/bad-ranges.c \
	%D%/transfer/bad-ranges.h \
	%D%/transfer/budget.c \
	%D%/transfer/budget.h \
	%D%/transfer/canary.c \
	%D%/transfer/canary.h \
	%D%/transfer/carrier.c \
	%D%/transfer/carrier.h \
	%D%/transfer/checkpoint.c \
	%D%/transfer/connections.c \
	%D%/transfer/connections.h \
	%D%/transfer/differences.c \
	%D%/transfer/differences.h \
	%D%/transfer/drive.c \
	%D%/transfer/fill.c \
	%D%/transfer/flow.c \
	%D%/transfer/further.c \
	%D%/transfer/gave-up.c \
	%D%/transfer/keeper.c \
	%D%/transfer/keeper.h \
	%D%/transfer/lane-commands.c \
	%D%/transfer/lane-private.h \
	%D%/transfer/lane.c \
	%D%/transfer/lane.h \
	%D%/transfer/latency.c \
	%D%/transfer/latency.h \
	%D%/transfer/marks.c \
	%D%/transfer/marks.h \
	%D%/transfer/mirror.c \
	%D%/transfer/picture.c \
	%D%/transfer/planning.c \
	%D%/transfer/probe.c \
	%D%/transfer/progress.c \
	%D%/transfer/progress.h \
	%D%/transfer/pulse.c \
	%D%/transfer/readback-blocks.c \
	%D%/transfer/readback-private.h \
	%D%/transfer/readback.c \
	%D%/transfer/recheck.c \
	%D%/transfer/recognize.c \
	%D%/transfer/reconnect.c \
	%D%/transfer/report-checkpoint.c \
	%D%/transfer/report-json.c \
	%D%/transfer/report-line.c \
	%D%/transfer/report-lists.c \
	%D%/transfer/report.c \
	%D%/transfer/report.h \
	%D%/transfer/resume.c \
	%D%/transfer/run-map.c \
	%D%/transfer/run-map.h \
	%D%/transfer/run-names.c \
	%D%/transfer/run-private.h \
	%D%/transfer/run.c \
	%D%/transfer/run.h \
	%D%/transfer/series-private.h \
	%D%/transfer/series.c \
	%D%/transfer/series.h \
	%D%/transfer/stats.c \
	%D%/transfer/stats.h \
	%D%/transfer/throttle.c \
	%D%/transfer/verdict.c \
	%D%/transfer/wind-up.c \
	%D%/transfer/zeroes.c \
	%D%/transfer/zeroes.h
%C%_libnbdsync_la_LIBADD = %D%/libnbdcore.la $(JANSSON_LIBS) \
	$(OPENSSL_LIBS) $(SQLITE_LIBS) $(XXHASH_LIBS)
# Linked into programs only.
%C%_libnbdsync_la_LIBTOOLFLAGS = --tag=disable-shared

lib_LTLIBRARIES += libnbdclient.la
libnbdclient_la_SOURCES =
libnbdclient_la_LIBADD = %D%/libnbdcore.la
libnbdclient_la_LDFLAGS = $(AM_LDFLAGS) \
	-no-undefined \
	-version-info $(NBDCLIENT_VERSION_INFO) \
	-Wl,--version-script=$(srcdir)/%D%/client/nbdclient.map
EXTRA_libnbdclient_la_DEPENDENCIES = %D%/client/nbdclient.map
EXTRA_DIST += %D%/client/nbdclient.map

# An archive knows no version script: to the same end its objects become one,
# in which only the symbols of the script are global.
all-local: libnbdclient.stamp
libnbdclient.stamp: libnbdclient.la %D%/client/nbdclient.map
	$(AM_V_GEN)if test -f .libs/libnbdclient.a; then \
		sed -n 's/^	\(nbdclient_[a-z_]*\);$$/\1/p' \
		    $(srcdir)/%D%/client/nbdclient.map >%D%/nbdclient.symbols && \
		$(LD) -r -o %D%/nbdclient-all.o --whole-archive \
		    .libs/libnbdclient.a && \
		$(OBJCOPY) --keep-global-symbols=%D%/nbdclient.symbols \
		    %D%/nbdclient-all.o && \
		rm -f %D%/nbdclient-all.a && \
		$(AR) $(ARFLAGS) %D%/nbdclient-all.a %D%/nbdclient-all.o && \
		$(RANLIB) %D%/nbdclient-all.a && \
		mv -f %D%/nbdclient-all.a .libs/libnbdclient.a; \
	fi && touch $@
CLEANFILES += libnbdclient.stamp %D%/nbdclient.symbols \
	%D%/nbdclient-all.o %D%/nbdclient-all.a

include_HEADERS += %D%/client/nbdclient.h %D%/client/nbdclient-event.h
pkgconfig_DATA += %D%/client/nbdclient.pc
