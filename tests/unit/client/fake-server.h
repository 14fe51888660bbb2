/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Servers for tests: functions with blocking calls on a thread of their own,
 * at the other end of a socket pair or listening on a Unix socket.  A client
 * that went away ends them: the calls below that move bytes say false then.
 */

#define FAKE_DISK_SIZE (64 * 1024 * 1024)

/* What a server function wants the test to know, after fake_join(). */
extern char fake_notes[64];
/* Where fake_listen() listens. */
extern char fake_path[80];

void fake_set_up(void);
void fake_tear_down(void);

/* Run serve on one end of a socket pair; returns the client's end. */
int fake_start(void (*serve)(int fd));
/* Likewise with TCP, where closing can be a reset. */
int fake_start_tcp(void (*serve)(int fd));

/* Listen, at first without a server; fake_unlisten() after fake_join(). */
void fake_listen(int backlog);
void fake_start_listening(void (*serve)(int listener));
void fake_unlisten(void);

/* Let servers in fake_wait_for_release() go on; wait for the thread's end. */
void fake_release(void);
void fake_join(void);

/* For server functions. */
bool fake_get(int fd, void *buf, size_t len);
bool fake_put(int fd, const void *buf, size_t len);
void fake_wait_for_release(void);
void fake_wait_for_eof(int fd);

/* The greeting, and the client's flags. */
bool fake_greet(int fd);
/* The next option, its payload thrown away; 0 at the end. */
uint32_t fake_get_option(int fd);
bool fake_put_reply(int fd, uint32_t option, uint32_t type, const void *data,
    uint32_t len);
/* The whole answer to NBD_OPT_GO, and with NBD_FLAG_... of one's own. */
bool fake_put_export_info(int fd);
bool fake_put_export_flags(int fd, uint16_t flags);
/* All from the greeting to the answer of NBD_OPT_GO; others are refused. */
bool fake_negotiate(int fd);

struct fake_request {
	uint16_t flags;
	uint16_t command;
	uint64_t cookie;
	uint32_t length;
};

bool fake_get_request(int fd, struct fake_request *ret_req);
bool fake_put_simple_reply(int fd, uint64_t cookie);

/* Whole servers. */
void fake_serve_nothing(int fd);
void fake_serve_greeting_only(int fd);
void fake_serve_handshake_only(int fd);
/* Answers everything; notes "D" when it is told goodbye. */
void fake_serve_well(int fd);

#endif
