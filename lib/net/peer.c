/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is at the other end of a socket, so that two connections to one server
 * are known as such however its address was written.
 */
#include "net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
/* It wants the one before. */
#include <linux/vm_sockets.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "base/escape.h"

/* A socket without a name has no equal: name it after our own end. */
static int
identity_unnamed(int fd, char buf[NET_PEER_SIZE])
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	(void)snprintf(buf, NET_PEER_SIZE, "unix:anon:%ju",
	    (uintmax_t)st.st_ino);
	return 0;
}

static int
identity_unix(int fd, const struct sockaddr_un *sun, socklen_t len,
    char buf[NET_PEER_SIZE])
{
	size_t path_len = len - offsetof(struct sockaddr_un, sun_path);
	char name[NET_PEER_SIZE - 16];
	struct stat st;

	if (path_len == 0)
		return identity_unnamed(fd, buf);
	if (sun->sun_path[0] == '\0') {
		(void)snprintf(buf, NET_PEER_SIZE, "unix:@%s",
		    escape_text(sun->sun_path + 1, path_len - 1, name,
		    sizeof name));
		return 0;
	}
	if (stat(sun->sun_path, &st) < 0)
		return -errno;
	(void)snprintf(buf, NET_PEER_SIZE, "unix:%u:%u:%ju",
	    major(st.st_dev), minor(st.st_dev), (uintmax_t)st.st_ino);
	return 0;
}

static int
identity_inet(const struct sockaddr_in *sin, char buf[NET_PEER_SIZE])
{
	char digits[INET_ADDRSTRLEN];

	if (inet_ntop(AF_INET, &sin->sin_addr, digits, sizeof digits) == NULL)
		return -errno;
	(void)snprintf(buf, NET_PEER_SIZE, "tcp:%s:%u", digits,
	    (unsigned)ntohs(sin->sin_port));
	return 0;
}

/* An IPv4 address mapped into IPv6 is shown, and compares, as IPv4. */
static int
identity_inet6(const struct sockaddr_in6 *sin6, char buf[NET_PEER_SIZE])
{
	struct sockaddr_in sin = { .sin_port = sin6->sin6_port };
	char digits[INET6_ADDRSTRLEN];
	char scope[16] = "";

	if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
		sin.sin_addr.s_addr = sin6->sin6_addr.s6_addr32[3];
		return identity_inet(&sin, buf);
	}
	if (inet_ntop(AF_INET6, &sin6->sin6_addr, digits,
	    sizeof digits) == NULL)
		return -errno;
	if (sin6->sin6_scope_id != 0)
		(void)snprintf(scope, sizeof scope, "%%%u",
		    (unsigned)sin6->sin6_scope_id);
	(void)snprintf(buf, NET_PEER_SIZE, "tcp:[%s%s]:%u", digits, scope,
	    (unsigned)ntohs(sin6->sin6_port));
	return 0;
}

static int
identity_vsock(const struct sockaddr_vm *svm, char buf[NET_PEER_SIZE])
{
	(void)snprintf(buf, NET_PEER_SIZE, "vsock:%u:%u",
	    (unsigned)svm->svm_cid, (unsigned)svm->svm_port);
	return 0;
}

int
net_peer_identity(int fd, char buf[NET_PEER_SIZE])
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_vm vm;
		struct sockaddr_storage room;
	} addr = { .any = { .sa_family = AF_UNSPEC } };
	/* One byte stays zero: a full sun_path comes without a NUL. */
	socklen_t len = sizeof addr.room - 1;

	if (getpeername(fd, &addr.any, &len) < 0)
		return -errno;
	if (addr.any.sa_family == AF_UNIX)
		return identity_unix(fd, &addr.un, len, buf);
	if (addr.any.sa_family == AF_INET)
		return identity_inet(&addr.in, buf);
	if (addr.any.sa_family == AF_INET6)
		return identity_inet6(&addr.in6, buf);
	if (addr.any.sa_family == AF_VSOCK)
		return identity_vsock(&addr.vm, buf);
	return -EAFNOSUPPORT;
}

bool
net_peer_is_local(int fd)
{
	int domain = AF_UNIX;
	socklen_t len = sizeof domain;

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	return domain == AF_UNIX;
}
