/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRANSFER_DIFFERENCES_H
#define TRANSFER_DIFFERENCES_H

#include <stddef.h>

#include "transfer/run.h"

/*
 * Put n differences in the order of destinations and offsets, and join those
 * of a destination that overlap or are neighbours.  Returns how many are left.
 */
size_t differences_sort(struct run_difference *v, size_t n);

#endif
