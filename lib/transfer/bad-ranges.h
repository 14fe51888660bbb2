/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_BAD_RANGES_H
#define TRANSFER_BAD_RANGES_H

#include <stddef.h>

#include "transfer/run.h"

/*
 * Put n bad ranges in the order of destinations and offsets, join those that
 * are neighbours and have the same cause, and drop what lies in others.
 * Returns how many are left.
 */
size_t bad_ranges_sort(struct run_bad_range *v, size_t n);

#endif
