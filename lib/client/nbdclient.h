/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NBDCLIENT_H
#define NBDCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * libnbdclient: a client for NBD (Network Block Device) servers.
 *
 *	struct nbdclient_channel *ch;
 *	struct nbdclient_disk *disk;
 *	struct nbdclient_error err;
 *
 *	if (nbdclient_connect("nbd://localhost", NULL, &ch, &err) < 0 ||
 *	    nbdclient_negotiate(ch, "disk1", &disk, &err) < 0)
 *		errx(1, "%s", err.text);
 *
 * Calls block, with deadlines.  Handles are independent of each other; one
 * handle is used from one thread at a time.  All calls are safe against any
 * server: every size from it is checked before use.
 *
 * Section names in quotes are those of the NBD protocol, doc/proto.md.
 */

/*
 * What went wrong, for programs.  Every call that can fail returns 0 or one
 * of these, and fills *err (which may be NULL).
 */
enum nbdclient_code {
	NBDCLIENT_OK = 0,

	/* Nothing was written. */
	NBDCLIENT_UNIMPLEMENTED = -1,	/* the server does not offer it */
	NBDCLIENT_READ_ONLY = -2,	/* the export is read-only */
	NBDCLIENT_INVALID = -3,		/* the arguments: not whole sectors,
					   beyond the end, a bad URI */

	/* An unknown amount was written. */
	NBDCLIENT_DISCONNECTED = -4,	/* the connection is gone */
	NBDCLIENT_PROTOCOL = -5,	/* the server broke the protocol */
	NBDCLIENT_TIMED_OUT = -6,	/* a deadline passed; disconnected */
	NBDCLIENT_IO = -7,		/* the server tells an error: errnum */

	/* Before there is a disk. */
	NBDCLIENT_CANNOT_CONNECT = -8,	/* nobody listens, no such host */
	NBDCLIENT_NOT_NBD = -9,		/* what answered is no NBD server */
	NBDCLIENT_POLICY = -10,		/* the server's policy forbids it */
	NBDCLIENT_TOO_OLD = -11,	/* the server is too old to be asked */
	NBDCLIENT_NO_EXPORT = -12,	/* no export of that name */
	NBDCLIENT_TLS_REQUIRED = -13,
	NBDCLIENT_REFUSED = -14,	/* any other refusal */

	NBDCLIENT_NO_MEMORY = -15,

	/* TLS was asked for, and refused by the server, or failed: a
	   certificate (errnum EACCES), a key, the handshake. */
	NBDCLIENT_TLS = -16,
};

#define NBDCLIENT_TEXT_SIZE 512

struct nbdclient_error {
	int code;		/* enum nbdclient_code */
	int errnum;		/* a positive errno, or 0 */
	char text[NBDCLIENT_TEXT_SIZE];	/* one printable sentence: what was
				   being done, to which server and export, at
				   which offset, what the server said */
};

/* A few words for a code, "disconnected"; never NULL.  Any thread. */
const char *nbdclient_strerror(int code);

/*
 * TLS ("TLS support", version 1.2 or 1.3): whom to trust, and who we are.
 * Where one is NULL, a URI's part of the same meaning stands in.  All zero:
 * the server's certificate must be of one of the system's authorities, and
 * for the URI's host.
 */
struct nbdclient_tls {
	const char *ca_file;		/* PEM: the authorities to trust; with
					   neither, the system's */
	const char *ca_dir;		/* the same as openssl-rehash(1) makes
					   it */
	const char *crl_file;		/* PEM: what they have revoked */
	const char *cert_file;		/* PEM: our certificate, its chain */
	const char *key_file;		/* PEM: its key */
	const char *key_password;	/* of an encrypted key_file */
	const char *psk_file;		/* instead of certificates: a file of
					   lines USER:HEXKEY, as psktool(1)
					   makes them */
	const char *psk_user;		/* whose line of it */
	const char *hostname;		/* the name, or address, that the
					   server's certificate must be for;
					   wanted where there is no host in a
					   URI: Unix sockets, descriptors */
	const char *pin_sha256;		/* the key that it must have besides:
					   base64 of the SHA-256 of its
					   SubjectPublicKeyInfo */
	bool no_verify;			/* take a certificate of any authority,
					   name and age; with a pin, if it has
					   that key */
};

/*
 * All zero for the defaults.  Deadlines are in milliseconds; when one passes
 * the connection is over, and a sentence says what was waited for.
 */
struct nbdclient_options {
	uint64_t connect_timeout_ms;	/* connecting, TLS and negotiating
					   together: 10 s */
	uint64_t tls_timeout_ms;	/* the part of it that is TLS's own
					   handshake: no other limit */
	uint64_t option_timeout_ms;	/* the greeting, and all answers to
					   one option: no other limit */
	uint64_t io_timeout_ms;		/* no byte moves while a request is
					   under way: 60 s */
	uint64_t request_timeout_ms;	/* any one request, whatever else
					   moves: ten times io_timeout_ms */
	const char *const *contexts;	/* what block status is to tell of:
					   names of metadata contexts, at most
					   16; copied; NULL: base:allocation */
	size_t n_contexts;
	const struct nbdclient_tls *tls; /* not NULL: TLS or nothing, also
					   where no URI says so; copied, the
					   files are read at each connection */
};

/*
 * A channel: a server to be talked to, not yet an export.
 */
struct nbdclient_channel;

/*
 * A channel to the server of an NBD URI: nbd://, nbd+unix://, nbd+vsock://,
 * and with TLS ("NBD_OPT_STARTTLS"), never without, nbds:// and so on, or
 * options->tls.  Its export name is the default of nbdclient_negotiate().
 * options may be NULL.
 * *ret_channel is the caller's.  The server is contacted by list() and
 * negotiate().  INVALID, NO_MEMORY.
 */
int nbdclient_connect(const char *uri, const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err);

/*
 * A channel on a connected stream socket, which becomes the channel's, also
 * on failure.  It serves one call: list(), list_contexts() or negotiate().
 * INVALID (not a stream socket), NO_MEMORY.
 */
int nbdclient_connect_fd(int fd, const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err);

/*
 * A channel to a server that is started for it: argv (NULL-terminated,
 * argv[0] looked up in PATH) is run without a shell and is given a private
 * listening Unix socket by systemd's socket activation, which nbdkit(1) and
 * qemu-nbd(8) understand.  It serves any number of list() and negotiate().
 * Its words go to our standard error.
 *
 * The server is ended (SIGTERM to its process group, SIGKILL after 5 s) when
 * the channel and all its disks have been given up; the last of these calls
 * waits for that.  The kernel also ends it when the thread that called this
 * ends: that thread must outlive the disks.
 *
 * A server that ends before it answers is told by list() and negotiate() as
 * CANNOT_CONNECT with its exit status.
 * INVALID (no command), CANNOT_CONNECT (it cannot be run: errnum), NO_MEMORY.
 */
int nbdclient_connect_command(const char *const argv[],
    const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err);

/*
 * The same for a server that speaks to us on its standard input and output,
 * which are one end of a socket pair: nbdkit -s, also at the other end of
 * ssh(1).  It serves one call: list(), list_contexts() or negotiate().
 */
int nbdclient_connect_command_stdio(const char *const argv[],
    const struct nbdclient_options *options,
    struct nbdclient_channel **ret_channel, struct nbdclient_error *err);

/*
 * Give a channel up.  Disks negotiated from it live on.  May wait for the end
 * of a server that was started for it.  NULL is fine.
 */
void nbdclient_channel_free(struct nbdclient_channel *channel);

struct nbdclient_listing {
	char *name;
	char *description;	/* "" where the server gave none */
};

/*
 * The exports of the server ("NBD_OPT_LIST").  *ret_listing (*ret_n rows) is
 * the caller's, for nbdclient_listing_free().
 * POLICY: the server's policy forbids it.  TOO_OLD: it cannot be asked.
 * Otherwise CANNOT_CONNECT, NOT_NBD, DISCONNECTED, PROTOCOL, TIMED_OUT,
 * TLS_REQUIRED, TLS, REFUSED, INVALID (files of TLS), NO_MEMORY.
 */
int nbdclient_list(struct nbdclient_channel *channel,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err);

/*
 * The names of the metadata contexts that the server has for an export
 * ("NBD_OPT_LIST_META_CONTEXT"), to be used in nbdclient_options;
 * export_name as for nbdclient_negotiate().  queries are n_queries, at most
 * 16, names or beginnings of names ("qemu:dirty-bitmap:"); none: all there
 * are.  *ret_listing and errors are as above, descriptions "".
 * NO_EXPORT: no export of that name.  TOO_OLD: the server cannot be asked.
 * None at all is a success with *ret_n 0.
 */
int nbdclient_list_contexts(struct nbdclient_channel *channel,
    const char *export_name, const char *const *queries, size_t n_queries,
    struct nbdclient_listing **ret_listing, size_t *ret_n,
    struct nbdclient_error *err);

/* Give back what the two above brought.  NULL is fine. */
void nbdclient_listing_free(struct nbdclient_listing *listing, size_t n);

/*
 * A disk: one export, over one connection.
 */
struct nbdclient_disk;

/*
 * Negotiate an export ("NBD_OPT_GO", with "NBD_OPT_EXPORT_NAME" as the
 * fallback); export_name NULL: the URI's, or the default export "".
 * *ret_disk is the caller's, for nbdclient_disconnect().
 * NO_EXPORT, POLICY, TLS_REQUIRED, TLS, CANNOT_CONNECT, NOT_NBD, TOO_OLD (an
 * oldstyle server), DISCONNECTED, PROTOCOL, TIMED_OUT, REFUSED, INVALID,
 * NO_MEMORY.
 */
int nbdclient_negotiate(struct nbdclient_channel *channel,
    const char *export_name, struct nbdclient_disk **ret_disk,
    struct nbdclient_error *err);

struct nbdclient_info {
	bool read_write;
	uint32_t sector_size;	/* bytes: the export's minimum block size, 512
				   where it tells none */
	uint64_t n_sectors;	/* counting a last one that is shorter */
	uint64_t size;		/* bytes */
	uint16_t flags;		/* "Transmission flags" */
	bool block_size_told;	/* the server told the three below */
	uint32_t block_minimum;	/* bytes */
	uint32_t block_preferred;
	uint32_t block_maximum;	/* largest payload of one request */
	bool structured_replies;
	bool extended_headers;	/* requests and extents of 64 bits */
	bool base_allocation;	/* its block status can be asked for */
	const char *description; /* the disk's; escaped; NULL: none told */
	const char *canonical_name; /* likewise */
	const char *tls_version; /* "TLSv1.3"; the disk's; NULL: no TLS */
	const char *tls_cipher;	/* "TLS_AES_128_GCM_SHA256"; likewise */
	const char *const *contexts; /* those of the options; the disk's; a
				   NULL among them: the server lacks it */
	size_t n_contexts;
};

/* Cannot fail, asks nobody. */
void nbdclient_get_info(const struct nbdclient_disk *disk,
    struct nbdclient_info *ret_info);

/*
 * Read from sector on into the n_iov buffers, each a whole number of sectors,
 * of any total length ("NBD_CMD_READ").  Where the disk ends in a shorter
 * sector, the last buffer ends with it.  On success all are filled; on error
 * some may not be.
 * INVALID, DISCONNECTED, PROTOCOL, TIMED_OUT, IO (errnum), NO_MEMORY.
 */
int nbdclient_read(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, struct nbdclient_error *err);

/*
 * Write the n_iov buffers from sector on ("NBD_CMD_WRITE").  They are not
 * copied: they belong to the call until it returns.  On error some may have
 * been written, except for UNIMPLEMENTED, READ_ONLY and INVALID, where
 * nothing was.  Written is not yet stable: see nbdclient_flush().
 * READ_ONLY, and those of nbdclient_read().
 */
int nbdclient_write(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, struct nbdclient_error *err);

/*
 * Flags of the calls below ("Command flags", with the values they have
 * there).  UNIMPLEMENTED where the server does not offer one, INVALID where a
 * call does not take it: nothing was sent then.
 */
enum nbdclient_flag {
	NBDCLIENT_FUA = 1,		/* writes, zeroes, trims: stable when
					   the call returns */
	NBDCLIENT_NO_HOLE = 2,		/* zeroes: keep the space allocated */
	NBDCLIENT_DF = 4,		/* reads: the server answers in one
					   piece, or, more than 64 KiB, may
					   fail: IO, with errnum EOVERFLOW */
	NBDCLIENT_FAST_ZERO = 16,	/* zeroes: fail where they would be no
					   faster than written data: IO, with
					   errnum EOPNOTSUPP */
};

/*
 * As nbdclient_read(), with NBDCLIENT_DF or 0 in flags.  A long read is cut
 * into requests of 1 MiB at most, each of which is in one piece.
 */
int nbdclient_read_flags(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    struct nbdclient_error *err);

/* As nbdclient_write(), with NBDCLIENT_FUA or 0 in flags. */
int nbdclient_write_flags(struct nbdclient_disk *disk, uint64_t sector,
    const struct iovec *iov, int n_iov, unsigned flags,
    struct nbdclient_error *err);

/*
 * Ranges are n_sectors sectors from sector on, of any length: they are cut
 * into requests that the server takes; what it refuses for its size, or seems
 * to (EINVAL, EOVERFLOW), is cut again, down to its preferred block.  A last,
 * shorter sector of the disk counts as one.  Errors are those of
 * nbdclient_write(), with UNIMPLEMENTED where the server does not offer the
 * command or a flag: nothing was sent then.
 */

/*
 * Write zeroes ("NBD_CMD_WRITE_ZEROES").  flags: 0 or any of FUA, NO_HOLE,
 * FAST_ZERO.
 */
int nbdclient_write_zeroes(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, unsigned flags, struct nbdclient_error *err);

/*
 * Say that the contents are not needed any more ("NBD_CMD_TRIM"): reads may
 * give anything from now on.  flags: 0 or FUA.
 */
int nbdclient_trim(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, unsigned flags, struct nbdclient_error *err);

/*
 * Say that the range is going to be read ("NBD_CMD_CACHE").  Works on
 * read-only exports.
 */
int nbdclient_cache(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, struct nbdclient_error *err);

/*
 * In a metadata context, whose name is the disk's, length bytes from offset
 * on, both bytes on the disk, have flags: the bits below for base:allocation,
 * else what the context defines.  May not use the disk.
 */
typedef void nbdclient_extent_cb(void *arg, const char *context,
    uint64_t offset, uint64_t length, uint64_t flags);

#define NBDCLIENT_STATE_HOLE 1		/* not allocated */
#define NBDCLIENT_STATE_ZERO 2		/* reads as zeroes */

/*
 * The state of a range ("NBD_CMD_BLOCK_STATUS") in one of the contexts of
 * the channel's options, or, with NULL, in all of them that the server has,
 * for the same requests.  on_extent is called, from inside this call, for
 * each context's extents one after the other, without gaps; neighbours
 * differ in their flags, and no extent reaches beyond the range.  Those of
 * different contexts need not have the same ends, and come in turns.  On an
 * error a part of the range has been told, or none.
 * UNIMPLEMENTED (the server does not offer the context, or it was not asked
 * for), INVALID, DISCONNECTED, PROTOCOL, TIMED_OUT, IO, NO_MEMORY.
 */
int nbdclient_block_status(struct nbdclient_disk *disk, uint64_t sector,
    uint64_t n_sectors, const char *context, nbdclient_extent_cb *on_extent,
    void *arg, struct nbdclient_error *err);

/*
 * Make everything written before stable ("NBD_CMD_FLUSH").
 * UNIMPLEMENTED where the server offers no flush, DISCONNECTED, PROTOCOL,
 * TIMED_OUT, IO, NO_MEMORY.
 */
int nbdclient_flush(struct nbdclient_disk *disk, struct nbdclient_error *err);

/*
 * Say goodbye ("Terminating the transmission phase"), close, and free the
 * disk.  May take time (at most a second, and the end of a server that was
 * started for it), cannot fail.  NULL is fine.
 */
void nbdclient_disconnect(struct nbdclient_disk *disk);

#ifdef __cplusplus
}
#endif

#endif
