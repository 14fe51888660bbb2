# SPDX-License-Identifier: LGPL-2.1-or-later

units = \
	%D%/systemd/nbdsync-job@.service \
	%D%/systemd/nbdsync-job@.timer \
	%D%/systemd/nbdsync-notify@.service \
	%D%/systemd/nbdsync.service \
	%D%/systemd/nbdsync.socket
tmpfiles = %D%/tmpfiles/nbdsync.conf

# By hand and not by configure, which does not know what $(prefix) will be.
%D%/systemd/nbdsync-job@.service: %D%/systemd/nbdsync-job@.service.in
%D%/systemd/nbdsync-job@.timer: %D%/systemd/nbdsync-job@.timer.in
%D%/systemd/nbdsync-notify@.service: %D%/systemd/nbdsync-notify@.service.in
%D%/systemd/nbdsync.service: %D%/systemd/nbdsync.service.in
%D%/systemd/nbdsync.socket: %D%/systemd/nbdsync.socket.in
%D%/tmpfiles/nbdsync.conf: %D%/tmpfiles/nbdsync.conf.in
$(units) $(tmpfiles): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed -e 's|@bindir[@]|$(bindir)|g' \
	    -e 's|@sbindir[@]|$(sbindir)|g' \
	    -e 's|@libexecdir[@]|$(libexecdir)|g' \
	    -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	    $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@

if HAVE_SYSTEMD_UNITS
systemdsystemunit_DATA = $(units)
nbdsynclibexecdir = $(libexecdir)/nbdsync
dist_nbdsynclibexec_SCRIPTS = %D%/systemd/notify
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = %D%/sysusers/nbdsync.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
tmpfiles_DATA = $(tmpfiles)
endif

prometheusdir = $(exampledir)/prometheus
dist_prometheus_DATA = \
	%D%/prometheus/alerts.yml \
	%D%/prometheus/grafana-dashboard.json \
	%D%/prometheus/prometheus.yml

# Packages have it in /etc/logrotate.d.
logrotatedir = $(exampledir)/logrotate
dist_logrotate_DATA = %D%/logrotate/nbdsync

# What journalctl -x says.
catalogdir = $(prefix)/lib/systemd/catalog
dist_catalog_DATA = %D%/journal/nbdsync.catalog

CLEANFILES += $(units) $(tmpfiles)
EXTRA_DIST += \
	%D%/build.sh \
	%D%/debian \
	%D%/dependencies.sh \
	%D%/nbdsync.spec \
	%D%/systemd/nbdsync-job@.service.in \
	%D%/systemd/nbdsync-job@.timer.in \
	%D%/systemd/nbdsync-notify@.service.in \
	%D%/systemd/nbdsync.service.in \
	%D%/systemd/nbdsync.socket.in \
	%D%/sysusers/nbdsync.conf \
	%D%/tmpfiles/nbdsync.conf.in
