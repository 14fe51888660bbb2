/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_AUTH_H
#define CONTROL_AUTH_H

#include <stddef.h>
#include <sys/types.h>

#include "conf/conf.h"

/*
 * Who is at the other end of the control socket, by the kernel's word, and
 * what that entitles to.
 */

/* Each role includes those before it. */
enum ctl_role {
	CTL_NOBODY,
	CTL_VIEWER,
	CTL_OPERATOR,
	CTL_ADMIN,
};

const char *ctl_role_name(enum ctl_role role);

struct auth_peer {
	uid_t uid;
	gid_t *groups;			/* all of them */
	size_t n_groups;
};

/* Ask about the peer of a connected Unix socket.  Negative errno. */
int auth_peer_init(struct auth_peer *peer, int fd);
void auth_peer_done(struct auth_peer *peer);

/*
 * Root and own_uid, the daemon's, are admins; everybody else is what the
 * configuration says.
 */
enum ctl_role auth_role(const struct conf_control *control,
    const struct auth_peer *peer, uid_t own_uid);

#endif
