/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "copy/errors.h"

#include <errno.h>

/*
 * The errors that the NBD protocol knows ("Error values"); what a server says
 * beyond them is EINVAL.
 */
enum copy_error_class
copy_error_class(int error)
{
	switch (-error) {
	case EIO:
		return COPY_ERROR_PLACE;
	case ENOMEM:
	case ESHUTDOWN:
		return COPY_ERROR_TIME;
	case ENOSPC:
		return COPY_ERROR_SPACE;
	default:
		return COPY_ERROR_ALWAYS;
	}
}
