/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Authorisation by SO_PEERCRED and SO_PEERGROUPS: the user and groups the
 * peer had when it connected.  Never by process id, which is another
 * process's a moment later, and never by anything the peer sends.
 */

#include "control/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

const char *
ctl_role_name(enum ctl_role role)
{
	static const char *const names[] = {
		[CTL_NOBODY] = "nobody",
		[CTL_VIEWER] = "viewer",
		[CTL_OPERATOR] = "operator",
		[CTL_ADMIN] = "admin",
	};

	return names[role];
}

int
auth_peer_init(struct auth_peer *peer, int fd)
{
	CLEANUP(cleanup_free) gid_t *groups = NULL;
	struct ucred cred;
	socklen_t cred_len = sizeof cred;
	socklen_t len = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) < 0)
		return -errno;
	/* With no room the kernel says how much it wants, unless it is 0. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) < 0 &&
	    errno != ERANGE)
		return -errno;
	groups = malloc(len + sizeof *groups);
	if (groups == NULL)
		return -ENOMEM;
	if (len > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups,
	    &len) < 0)
		return -errno;
	peer->uid = cred.uid;
	peer->n_groups = len / sizeof *groups;
	/* The primary group need not be among the others. */
	groups[peer->n_groups++] = cred.gid;
	peer->groups = STEAL(groups);
	return 0;
}

void
auth_peer_done(struct auth_peer *peer)
{
	free(peer->groups);
	memset(peer, 0, sizeof *peer);
}

static bool
has_group(const struct auth_peer *peer, gid_t gid)
{
	for (size_t i = 0; i < peer->n_groups; i++)
		if (peer->groups[i] == gid)
			return true;
	return false;
}

static bool
is_among(const struct conf_peers *peers, const struct auth_peer *peer)
{
	for (size_t i = 0; i < peers->n; i++) {
		const struct conf_peer *p = &peers->v[i];

		if (p->is_group ? has_group(peer, p->id) : peer->uid == p->id)
			return true;
	}
	return false;
}

enum ctl_role
auth_role(const struct conf_control *control, const struct auth_peer *peer,
    uid_t own_uid)
{
	if (peer->uid == 0 || peer->uid == own_uid ||
	    is_among(&control->admins, peer))
		return CTL_ADMIN;
	if (is_among(&control->operators, peer))
		return CTL_OPERATOR;
	if (is_among(&control->viewers, peer))
		return CTL_VIEWER;
	return CTL_NOBODY;
}
