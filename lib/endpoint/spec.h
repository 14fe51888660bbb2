/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENDPOINT_SPEC_H
#define ENDPOINT_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/tls.h"

/*
 * A way to reach a disk, as the user wrote it:
 *
 *	nbd://..., nbd+unix://...	an NBD URI
 *	[ COMMAND ARGS ]		a server to start for the run
 *	PATH				a file or block device, served by
 *					nbdkit's file plugin
 *	null:				a destination that swallows everything,
 *					of the size of the source
 *
 * Nothing is opened or started here.
 */

enum endpoint_type {
	ENDPOINT_NBD,
	ENDPOINT_COMMAND,
	ENDPOINT_PATH,
	ENDPOINT_NULL,
	ENDPOINT_FILL,			/* no user has a word for it */
};

struct endpoint_spec {
	enum endpoint_type type;
	char *name;			/* what messages call it: the
					   configured name, or the text */
	char *uri;			/* NBD */
	char **argv;			/* COMMAND, NULL-terminated */
	char *path;			/* PATH */
	uint64_t fill_size;		/* FILL */
	bool is_pattern;		/* likewise; false: zeroes */
	struct tls_settings *tls;	/* NBD: before those of the URI; NULL:
					   none; its texts are ours */
};

/*
 * Who is told, line by line, what the servers say that are started: on the
 * endpoint's loop.  on_line NULL: nobody, they have our standard error.
 */
struct endpoint_words {
	void (*on_line)(void *arg, const char *endpoint, const char *line);
	void *arg;
};

/*
 * From one word: a URI, "null:" or a path.  name may be NULL: the text
 * itself.  *ret_spec is the caller's.  -EINVAL with a sentence (a bad URI);
 * -ENOMEM.
 */
int endpoint_spec_from_text(const char *name, const char *text,
    struct endpoint_spec **ret_spec, struct error *e);

/*
 * From a command, argc words.  -EINVAL: no words.
 */
int endpoint_spec_from_command(const char *name, const char *const *argv,
    int argc, struct endpoint_spec **ret_spec, struct error *e);

/*
 * A source of so many bytes that all are zeroes, or a pattern that says that
 * they are none of the disk's.  -ENOMEM.
 */
int endpoint_spec_for_fill(uint64_t size, bool is_pattern,
    struct endpoint_spec **ret_spec, struct error *e);

/* Speak TLS by these settings, which are copied.  -ENOMEM. */
int endpoint_spec_set_tls(struct endpoint_spec *spec,
    const struct tls_settings *tls);

/* NULL: out of memory. */
struct endpoint_spec *endpoint_spec_copy(const struct endpoint_spec *spec);
void endpoint_spec_free(struct endpoint_spec *spec);

#endif
