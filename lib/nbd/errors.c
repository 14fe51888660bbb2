/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The protocol's error numbers ("Error values").  They look like Linux's,
 * but are the protocol's own: mapped by table, not by the host's errno.h.
 */

#include <errno.h>

#include "nbd/session-private.h"

static const struct error_row {
	uint32_t error;
	int errnum;
} error_rows[] = {
	{ 1, -EPERM },
	{ 5, -EIO },
	{ 12, -ENOMEM },
	{ 22, -EINVAL },
	{ 28, -ENOSPC },
	{ 75, -EOVERFLOW },
	{ 95, -EOPNOTSUPP },
	{ 108, -ESHUTDOWN },
};

int
nbd_error_to_errno(uint32_t error)
{
	for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++) {
		if (error_rows[i].error == error)
			return error_rows[i].errnum;
	}
	/* "SHOULD treat ... any other value as if it were NBD_EINVAL" */
	return -EINVAL;
}
