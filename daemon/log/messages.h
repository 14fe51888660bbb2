/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOG_MESSAGES_H
#define LOG_MESSAGES_H

#include "base/log.h"

/*
 * The kinds of messages that programs tell from others by their name, or in
 * the journal by their MESSAGE_ID.  packaging/journal/nbdsync.catalog explains
 * each; an id never changes its meaning.
 */

enum message {
	MSG_DAEMON_READY,
	MSG_DAEMON_STOPPING,
	MSG_CONF_TAKEN,
	MSG_CONF_REJECTED,
	MSG_RUN_STARTED,
	MSG_RUN_SUCCEEDED,
	MSG_RUN_WARNING,
	MSG_RUN_DIFFERENT,
	MSG_RUN_FAILED,
	MSG_RUN_CANCELLED,
	MSG_RUN_SKIPPED,
	MSG_RUN_HELD,
	MSG_RUN_NOTE,
	MSG_RUN_REPAIRED,
	MSG_STALLED,
	MSG_STALL_OVER,
	MSG_LOST,
	MSG_BACK,
	MSG_PASS_FAILED,
	MSG_PASS_COMPLETE,
	MSG_JOB_PAUSED,
	MSG_JOB_RESUMED,
	MSG_JOB_CHANGED,
	MSG_RPO,
	MSG_RPO_OK,
	MSG_HOOK,
	MSG_SERVER,
	MSG_HOOK_FAILED,
	MSG_STATE,
	MSG_CONTROL,
	MSG_ACCEPT,
	MSG_OUTLET,
	MSG_LIMITED,
	MSG_CERTIFICATE,
	MESSAGES,
};

extern const struct log_message messages[MESSAGES];

#endif
