# SPDX-License-Identifier: LGPL-2.1-or-later

dist_man_MANS += \
	%D%/nbdclient.3 \
	%D%/nbdsync-api.7 \
	%D%/nbdsync.1 \
	%D%/nbdsync.conf.5 \
	%D%/nbdsyncd.8

dist_doc_DATA += \
	%D%/recipes.md \
	%D%/performance.md \
	%D%/reliability.md \
	%D%/tutorial.md

backupdir = $(exampledir)/backup
dist_backup_SCRIPTS = %D%/examples/backup/qemu-backup

hookdir = $(exampledir)/hooks
dist_hook_SCRIPTS = \
	%D%/examples/hooks/healthchecks \
	%D%/examples/hooks/lvm-snapshot \
	%D%/examples/hooks/mail \
	%D%/examples/hooks/ntfy

dist_example_DATA += \
	%D%/examples/read-disk.c \
	%D%/examples/read-event.c
