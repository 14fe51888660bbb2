/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ways to say it.
 */
#include "hostile.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "fake-server.h"
#include "nbd/protocol.h"

enum {
	TRICKLE_US = 10 * 1000,
};

static void
trickle(int fd)
{
	while (fake_put(fd, "x", 1))
		(void)usleep(TRICKLE_US);
}

/* Does what was received end with NBD_OPT_ABORT, or NBD_CMD_DISC? */
static bool
is_goodbye(const uint8_t *buf, size_t n)
{
	const uint8_t *end = buf + n;

	if (n >= 16 && get_be64(end - 16) == NBD_OPTION_MAGIC)
		return get_be32(end - 8) == NBD_OPT_ABORT;
	if (n >= 28 && get_be32(end - 28) == NBD_REQUEST_MAGIC)
		return get_be16(end - 22) == NBD_CMD_DISC;
	return n >= 32 && get_be32(end - 32) == NBD_EXTENDED_REQUEST_MAGIC &&
	    get_be16(end - 26) == NBD_CMD_DISC;
}

/* A client that has said goodbye waits for us to close. */
static void
wait_for_goodbye(int fd)
{
	uint8_t buf[4096];
	ssize_t n;

	do
		n = recv(fd, buf, sizeof buf, 0);
	while (n > 0 && !is_goodbye(buf, (size_t)n));
}

void
hostile_say(int fd, const struct hostile_words *words)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	bool is_heard = fake_put(fd, words->p, words->n);

	switch (words->then) {
	case THEN_RESET:
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof at_once);
		return;
	case THEN_CLOSE:
		(void)shutdown(fd, SHUT_WR);
		break;
	case THEN_TRICKLE:
		trickle(fd);
		break;
	case THEN_REPEAT:
		while (is_heard)
			is_heard = fake_put(fd, words->again,
			    words->n_again);
		break;
	case THEN_LISTEN:
		wait_for_goodbye(fd);
		return;
	case THEN_MUTE:
		break;
	}
	fake_wait_for_eof(fd);
}

void
hostile_skip_handshake(int fd)
{
	uint8_t flags[4];
	uint32_t option;

	(void)fake_get(fd, flags, sizeof flags);
	do
		option = fake_get_option(fd);
	while (option != 0 && option != NBD_OPT_GO);
}
