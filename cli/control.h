/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/commands.h"

#define CONTROL_SAID_SIZE 512

/*
 * Talking to the daemon.  What goes wrong is told here, once, and becomes an
 * exit code.
 */
struct control {
	const struct command *command;
	const char *socket_path;
	int interrupt_fd;		/* of signals_open(); -1: none */
	const char *body;		/* JSON to send along, or NULL */
	char *said;			/* of CONTROL_SAID_SIZE: what would be
					   told goes there; or NULL */
	bool json;			/* options that most commands have */
	bool quiet;
};

/* The socket of the environment, or the usual one. */
void control_init(struct control *control, const struct command *command);

/*
 * The same, and all of the command line: --socket, --json and --quiet go
 * where they belong, and others to own(), which returns 0 or OPTIONS_STOP;
 * NULL: there are none.  Returns OPTIONS_END, with the operands in o, or
 * OPTIONS_STOP.
 */
int control_open(struct control *control, const struct command *command,
    struct options *o, int argc, char **argv,
    int (*own)(struct options *o, void *arg, int id, const char *value),
    void *arg);

/*
 * Ask, and wait for the answer wait_s longer than usual.  CLI_OK: *ret_json,
 * a new reference, is the answer.  CLI_INTERRUPTED, untold: interrupt_fd is
 * readable.
 */
int control_ask(const struct control *control, const char *method,
    const char *target, uint64_t wait_s, json_t **ret_json);

/*
 * The same about a job: target is "/v1/jobs/JOB" with suffix, which may have
 * a query.
 */
int control_ask_job(const struct control *control, const char *method,
    const char *job, const char *suffix, uint64_t wait_s, json_t **ret_json);

/*
 * Ask for an answer that goes on: on_line gets each line, and ends it by
 * returning something other than 0; so does a silence of silence_ms, unless
 * that is 0.  Returns an exit code; all is told, but
 * for CLI_INTERRUPTED.
 */
int control_follow(const struct control *control, const char *target,
    uint64_t silence_ms, int (*on_line)(void *arg, char *line), void *arg);

#endif
