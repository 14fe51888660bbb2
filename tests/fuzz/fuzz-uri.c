/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An NBD URI.
 */
#include "fuzz.h"

#include <string.h>

#include "nbd/uri.h"

const char fuzz_target[] = "uri";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct nbd_uri *uri = NULL;
	struct error e = { 0 };

	FUZZ_CHECK(text != NULL);
	(void)nbd_uri_is_uri(text);
	if (nbd_uri_parse(text, &uri, &e) == 0) {
		FUZZ_CHECK(uri->export_name != NULL);
		FUZZ_CHECK(uri->transport != NBD_TRANSPORT_UNIX ||
		    uri->socket != NULL);
		FUZZ_CHECK(uri->transport != NBD_TRANSPORT_TCP ||
		    uri->host != NULL);
	} else {
		FUZZ_CHECK(uri == NULL && e.text[0] != '\0');
	}
	nbd_uri_free(uri);
	free(text);
	return 0;
}
