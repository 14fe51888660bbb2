/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COPY_ERRORS_H
#define COPY_ERRORS_H

/* What becomes of a request that failed for good. */
enum copy_on_error {
	COPY_STOP,		/* the disk fails with it */
	COPY_RETRY,		/* it is tried again, then the disk fails */
	COPY_SKIP,		/* it is tried again, then listed */
};

/* What an error means for trying again. */
enum copy_error_class {
	COPY_ERROR_PLACE,	/* of this place on the disk: a smaller request
				   may pass it by */
	COPY_ERROR_TIME,	/* of the moment: it may be over later */
	COPY_ERROR_SPACE,	/* over when somebody makes room */
	COPY_ERROR_ALWAYS,	/* another try would fail too */
};

/* error is a negative errno, of a request. */
enum copy_error_class copy_error_class(int error);

#endif
