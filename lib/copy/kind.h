/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_KIND_H
#define COPY_KIND_H

/* What there is in a stretch of the disk. */
enum copy_kind {
	COPY_DATA,	/* or not known */
	COPY_ZEROES,	/* at the source */
	COPY_HOLE,	/* at the source, and whatever it reads as does not
			   matter */
	COPY_SUSPECT,	/* zeroes at the source, and perhaps something else
			   at the destinations: to be read there */
};

/* Those that the source tells come first. */
#define COPY_SOURCE_KINDS (COPY_HOLE + 1)

#endif
