/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "tls-client URI KEY=VALUE...", or "socket:PATH" for a descriptor instead of
 * the URI, or "command KEY=VALUE... -- SERVER...": reads the first sector
 * with these members of struct nbdclient_tls, and prints version, cipher and
 * size.  Fails with the code of the library, made positive.
 */

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <nbdclient.h>

static struct nbdclient_tls tls;
static struct nbdclient_options options = { .tls = &tls };
static struct nbdclient_error err;
static struct nbdclient_channel *channel;
static struct nbdclient_disk *disk;

static const struct {
	const char *key;
	const char **place;
} places[] = {
	{ "ca_file", &tls.ca_file },
	{ "ca_dir", &tls.ca_dir },
	{ "crl_file", &tls.crl_file },
	{ "cert_file", &tls.cert_file },
	{ "key_file", &tls.key_file },
	{ "key_password", &tls.key_password },
	{ "psk_file", &tls.psk_file },
	{ "psk_user", &tls.psk_user },
	{ "hostname", &tls.hostname },
	{ "pin_sha256", &tls.pin_sha256 },
};

static void
set(char *text)
{
	char *value = strchr(text, '=');
	size_t i;

	if (strcmp(text, "no_verify") == 0) {
		tls.no_verify = true;
		return;
	}
	for (i = 0; value != NULL && i < sizeof places / sizeof places[0];
	     i++) {
		if (strncmp(text, places[i].key, (size_t)(value - text)) == 0)
			*places[i].place = value + 1;
	}
}

static int
connected_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) < 0)
		perror(path);
	return fd;
}

static int
connect_to(const char *where, char **command)
{
	if (strcmp(where, "command") == 0)
		return nbdclient_connect_command(
		    (const char *const *)command, &options, &channel, &err);
	if (strncmp(where, "socket:", 7) == 0)
		return nbdclient_connect_fd(connected_socket(where + 7),
		    &options, &channel, &err);
	return nbdclient_connect(where, &options, &channel, &err);
}

/* The channel has copies of all texts: here they lose theirs. */
static int
use(char **texts, int n)
{
	struct nbdclient_info info;
	char sector[512];
	struct iovec iov = { sector, sizeof sector };
	int code;
	int i;

	for (i = 0; i < n; i++)
		memset(texts[i], 'x', strlen(texts[i]));
	code = nbdclient_negotiate(channel, NULL, &disk, &err);
	if (code == 0)
		code = nbdclient_read(disk, 0, &iov, 1, &err);
	if (code != 0)
		return code;
	nbdclient_get_info(disk, &info);
	(void)printf("%s %s %" PRIu64 "\n",
	    info.tls_version != NULL ? info.tls_version : "plain",
	    info.tls_version != NULL ? info.tls_cipher : "text", info.size);
	return 0;
}

int
main(int argc, char **argv)
{
	int code;
	int n;

	if (argc < 2)
		return 99;
	for (n = 2; n < argc && strcmp(argv[n], "--") != 0; n++)
		set(argv[n]);
	code = connect_to(argv[1], argv + n + (n < argc));
	if (code == 0)
		code = use(argv + 2, n - 2);
	if (code != 0)
		(void)fprintf(stderr, "tls-client: %s\n", err.text);
	nbdclient_disconnect(disk);
	nbdclient_channel_free(channel);
	return -code;
}
