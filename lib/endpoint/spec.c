/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "endpoint/spec.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "nbd/uri.h"

/* The texts of settings. */
#define TEXT(member) offsetof(struct tls_settings, member)

static const size_t tls_texts[] = {
	TEXT(ca_file), TEXT(ca_dir), TEXT(crl_file), TEXT(pin_sha256),
	TEXT(cert_file), TEXT(key_file), TEXT(key_password), TEXT(psk_file),
	TEXT(user), TEXT(name),
};

#define N_TLS_TEXTS (sizeof tls_texts / sizeof tls_texts[0])

static const char **
tls_text(struct tls_settings *tls, size_t i)
{
	return (const char **)(void *)((char *)tls + tls_texts[i]);
}

/* One of the texts is a secret. */
static void
tls_settings_free(struct tls_settings *tls)
{
	for (size_t i = 0; tls != NULL && i < N_TLS_TEXTS; i++) {
		char *text = (char *)(uintptr_t)*tls_text(tls, i);

		if (text != NULL)
			explicit_bzero(text, strlen(text));
		free(text);
	}
	free(tls);
}

int
endpoint_spec_set_tls(struct endpoint_spec *spec,
    const struct tls_settings *tls)
{
	struct tls_settings *copy = malloc(sizeof *copy);
	bool is_complete = true;

	if (copy == NULL)
		return -ENOMEM;
	*copy = *tls;
	for (size_t i = 0; i < N_TLS_TEXTS; i++) {
		const char **text = tls_text(copy, i);

		if (*text == NULL)
			continue;
		*text = strdup(*text);
		is_complete = is_complete && *text != NULL;
	}
	if (!is_complete) {
		tls_settings_free(copy);
		return -ENOMEM;
	}
	tls_settings_free(spec->tls);
	spec->tls = copy;
	return 0;
}

void
endpoint_spec_free(struct endpoint_spec *spec)
{
	size_t i;

	if (spec == NULL)
		return;
	for (i = 0; spec->argv != NULL && spec->argv[i] != NULL; i++)
		free(spec->argv[i]);
	free(spec->argv);
	free(spec->name);
	free(spec->uri);
	free(spec->path);
	tls_settings_free(spec->tls);
	free(spec);
}

/* For CLEANUP(). */
static void
spec_freep(struct endpoint_spec **spec)
{
	endpoint_spec_free(*spec);
}

static struct endpoint_spec *
spec_new(enum endpoint_type type, const char *name)
{
	struct endpoint_spec *spec = calloc(1, sizeof *spec);

	if (spec == NULL)
		return NULL;
	spec->type = type;
	spec->name = strdup(name);
	if (spec->name == NULL) {
		free(spec);
		return NULL;
	}
	return spec;
}

static int
no_memory(struct error *e)
{
	return error_set(e, -ENOMEM, "out of memory");
}

int
endpoint_spec_from_text(const char *name, const char *text,
    struct endpoint_spec **ret_spec, struct error *e)
{
	CLEANUP(spec_freep) struct endpoint_spec *spec = NULL;
	CLEANUP(nbd_uri_freep) struct nbd_uri *uri = NULL;
	enum endpoint_type type = ENDPOINT_PATH;
	char **field = NULL;
	int r;

	if (text[0] == '\0')
		return error_set(e, -EINVAL, "the name of a disk is empty");
	if (strcmp(text, "null:") == 0) {
		type = ENDPOINT_NULL;
	} else if (nbd_uri_is_uri(text)) {
		type = ENDPOINT_NBD;
		r = nbd_uri_parse(text, &uri, e);
		if (r < 0)
			return r;
	}
	spec = spec_new(type, name != NULL ? name : text);
	if (spec == NULL)
		return no_memory(e);
	if (type == ENDPOINT_NBD)
		field = &spec->uri;
	else if (type == ENDPOINT_PATH)
		field = &spec->path;
	if (field != NULL) {
		*field = strdup(text);
		if (*field == NULL)
			return no_memory(e);
	}
	*ret_spec = STEAL(spec);
	return 0;
}

int
endpoint_spec_from_command(const char *name, const char *const *argv,
    int argc, struct endpoint_spec **ret_spec, struct error *e)
{
	CLEANUP(spec_freep) struct endpoint_spec *spec = NULL;
	int i;

	if (argc < 1 || argv[0][0] == '\0')
		return error_set(e, -EINVAL, "the command is empty");
	spec = spec_new(ENDPOINT_COMMAND, name != NULL ? name : argv[0]);
	if (spec == NULL)
		return no_memory(e);
	spec->argv = calloc((size_t)argc + 1, sizeof *spec->argv);
	if (spec->argv == NULL)
		return no_memory(e);
	for (i = 0; i < argc; i++) {
		spec->argv[i] = strdup(argv[i]);
		if (spec->argv[i] == NULL)
			return no_memory(e);
	}
	*ret_spec = STEAL(spec);
	return 0;
}

int
endpoint_spec_for_fill(uint64_t size, bool is_pattern,
    struct endpoint_spec **ret_spec, struct error *e)
{
	struct endpoint_spec *spec = spec_new(ENDPOINT_FILL, "filling");

	if (spec == NULL)
		return no_memory(e);
	spec->fill_size = size;
	spec->is_pattern = is_pattern;
	*ret_spec = spec;
	return 0;
}

struct endpoint_spec *
endpoint_spec_copy(const struct endpoint_spec *spec)
{
	struct endpoint_spec *copy = NULL;
	const char *text = spec->uri != NULL ? spec->uri :
	    spec->path != NULL		     ? spec->path :
					       "null:";
	int argc = 0;
	int r;

	if (spec->type == ENDPOINT_COMMAND) {
		while (spec->argv[argc] != NULL)
			argc++;
		r = endpoint_spec_from_command(spec->name,
		    (const char *const *)spec->argv, argc, &copy, NULL);
	} else if (spec->type == ENDPOINT_FILL) {
		r = endpoint_spec_for_fill(spec->fill_size, spec->is_pattern,
		    &copy, NULL);
	} else {
		r = endpoint_spec_from_text(spec->name, text, &copy, NULL);
	}
	if (r == 0 && spec->tls != NULL)
		r = endpoint_spec_set_tls(copy, spec->tls);
	if (r == 0)
		return copy;
	endpoint_spec_free(copy);
	return NULL;
}
