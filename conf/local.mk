# SPDX-License-Identifier: LGPL-2.1-or-later

exampledir = $(docdir)/examples
dist_example_DATA = \
	%D%/nbdsync.conf
