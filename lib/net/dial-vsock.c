/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dialling over vsock(7), from a virtual machine to its host or back.
 *
 * An address is two numbers, a machine's CID and a port.  Where the kernel
 * has no vsock, or no way to that machine, its error number alone would send
 * people looking in the wrong place.
 */
#include <sys/socket.h>
/* It wants the one before. */
#include <linux/vm_sockets.h>

#include <errno.h>
#include <stdio.h>

#include "net/dial-private.h"

int
net_dial_vsock(struct net_loop *loop, uint32_t cid, uint32_t port,
    net_dial_cb *cb, void *arg, struct net_dial **ret_dial, struct error *e)
{
	struct sockaddr_vm svm = {
		.svm_family = AF_VSOCK,
		.svm_cid = cid,
		.svm_port = port,
	};
	struct net_dial *d;

	d = dial_new(loop, cb, arg);
	if (d == NULL)
		return error_set(e, -ENOMEM, "out of memory");
	(void)snprintf(d->target, sizeof d->target, "vsock %u:%u",
	    (unsigned)cid, (unsigned)port);
	if (dial_start_single(d, &svm, sizeof svm) < 0) {
		dial_free(d);
		return error_set(e, -ENOMEM, "out of memory");
	}
	*ret_dial = d;
	return 0;
}

const char *
dial_vsock_reason(int errnum)
{
	if (errnum == EAFNOSUPPORT)
		return "the kernel has no vsock (module vsock)";
	if (errnum == ENODEV || errnum == ENETUNREACH)
		return "the kernel has no vsock device that leads there";
	return NULL;
}
