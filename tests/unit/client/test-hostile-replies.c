/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Servers that misbehave once a read, a block status and a flush are on their
 * way: one row each.  Either the connection fails, with the reason, or only
 * the request does; each comes back once, and a read that succeeded has what
 * the server sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "client/conn.h"
#include "fake-server.h"
#include "hostile.h"
#include "unit.h"

/* Replies. */
#define R	 "<read-->"
#define S	 "<status>"
#define F	 "<flush->"
#define OFF	 "\0\0\0\0\0\0\x20"	/* and one more byte */
#define D16	 "dddddddddddddddd"
#define D64	 D16 D16 D16 D16
#define SIMPLE(error, cookie) "\x67\x44\x66\x98\0\0\0" error cookie
#define CHUNK(flags, type, cookie, length) \
	"\x66\x8e\x33\xef\0" flags type cookie length
#define DATA(flags, offset) \
	CHUNK(flags, "\0\1", R, "\0\0\0\x48") offset D64
#define HOLE(flags, offset, length) \
	CHUNK(flags, "\0\2", R, "\0\0\0\xc") offset length
#define READ_OK	  DATA("\0", OFF "\0") DATA("\1", OFF "\x40")
#define STATUS_OK CHUNK("\1", "\0\5", S, "\0\0\0\xc") \
	"\0\0\0\5" "\0\0\x10\0" "\0\0\0\0"
#define FLUSH_OK  SIMPLE("\0", F)
#define OTHERS_OK STATUS_OK FLUSH_OK
#define ERROR(flags, type, cookie, length, error, n) \
	CHUNK(flags, type, cookie, length) "\0\0\0" error n

/* With extended headers; all offsets but the read's are 0. */
#define AT(offset) "\0\0\0\0\0\0" offset
#define LONG_CHUNK(flags, type, cookie, offset, length) \
	"\x6e\x8a\x27\x8c\0" flags type cookie AT(offset) \
	"\0\0\0\0\0\0\0" length
#define LONG_DATA(flags, offset) \
	LONG_CHUNK(flags, "\0\1", R, "\x20\0", "\x48") offset D64
#define LONG_READ_OK LONG_DATA("\0", OFF "\0") LONG_DATA("\1", OFF "\x40")
#define LONG_FLUSH_OK LONG_CHUNK("\1", "\0\0", F, "\0\0", "\0")
#define LONG_STATUS(length) LONG_CHUNK("\1", "\0\6", S, "\0\0", length)
#define FROM_0	  "\0\0\0\5" "\0\0\0\1"	/* our context, one extent */
#define EXTENT(length, flags) "\0\0\0\0" length "\0\0\0\0" flags
#define LONG_STATUS_OK \
	LONG_STATUS("\x18") FROM_0 EXTENT("\0\0\x10\0", "\0\0\0\0")
#define LONG_OTHERS_OK LONG_STATUS_OK LONG_FLUSH_OK

enum {
	READ,
	STATUS,
	FLUSH,
	N_REQUESTS,
	OFFSET = 8192,
	LENGTH = 128,
	CANARY = 64,
	SHORT_MS = 300,		/* ten times that for one request */
	LONG_MS = 60000,
	MAX_S = 25,
};

struct row {
	const char *name;
	struct hostile_words words;
	int errors[N_REQUESTS];
	const char *text;	/* of a request that failed, or the failure */
};

/* Only the request fails: the connection goes on. */
static const struct row request_rows[] = {
	{ "all is well", SAYS(READ_OK OTHERS_OK), { 0, 0, 0 }, "" },
	{ "pieces out of order are fine", SAYS(DATA("\0", OFF "\x40")
	    DATA("\1", OFF "\0") OTHERS_OK), { 0, 0, 0 }, "" },
	{ "nothing but DONE is no read", SAYS(CHUNK("\1", "\0\0", R, NONE)
	    OTHERS_OK), { -EPROTO, 0, 0 }, "left a part of the read out" },
	{ "the second half of a read is missing", SAYS(DATA("\1", OFF "\0")
	    OTHERS_OK), { -EPROTO, 0, 0 }, "left a part of the read out" },
	{ "the first half of a read is missing", SAYS(DATA("\1", OFF "\x40")
	    OTHERS_OK), { -EPROTO, 0, 0 }, "left a part of the read out" },
	{ "an error has number 0", SAYS(ERROR("\1", "\x80\1", R, "\0\0\0\6",
	    "\0", "\0\0") OTHERS_OK), { -EPROTO, 0, 0 }, "" },
	{ "an error has an unknown number", SAYS(ERROR("\1", "\x80\1", R,
	    "\0\0\0\6", "\xff", "\0\0") OTHERS_OK), { -EINVAL, 0, 0 }, "" },
	{ "an error controls the terminal", SAYS(ERROR("\1", "\x80\1", R,
	    "\0\0\0\xa", "\5", "\0\4") "\x1b[m\xff" OTHERS_OK),
	    { -EIO, 0, 0 }, "\\x1B[m\\xFF" },
	{ "an error of unknown type is one", SAYS(ERROR("\1", "\xff\xff", R,
	    "\0\0\0\x8", "\5", "\0\1") "?x" OTHERS_OK), { -EIO, 0, 0 },
	    "?" },
	{ "data after an error do not heal it", SAYS(ERROR("\0", "\x80\1", R,
	    "\0\0\0\6", "\5", "\0\0") READ_OK OTHERS_OK), { -EIO, 0, 0 },
	    "" },
	{ "an extent has no length", SAYS(READ_OK FLUSH_OK CHUNK("\1", "\0\5",
	    S, "\0\0\0\xc") "\0\0\0\5" NONE NONE), { 0, -EPROTO, 0 },
	    "of no length" },
	{ "extents go on beyond the request", SAYS(READ_OK FLUSH_OK
	    CHUNK("\1", "\0\5", S, "\0\0\0\x14") "\0\0\0\5" "\0\1\0\0" NONE
	    "\0\1\0\0" NONE), { 0, -EPROTO, 0 }, "beyond the request" },
	{ "the last extent may reach far beyond", SAYS(READ_OK FLUSH_OK
	    CHUNK("\1", "\0\5", S, "\0\0\0\xc") "\0\0\0\5" "\xff\xff\xff\xff"
	    NONE), { 0, 0, 0 }, "" },
	{ "extents may have unknown bits", SAYS(READ_OK FLUSH_OK
	    CHUNK("\1", "\0\5", S, "\0\0\0\xc") "\0\0\0\5" "\0\0\x10\0"
	    "\xff\xff\xff\xfc"), { 0, 0, 0 }, "" },
	{ "a block status has no extents", SAYS(READ_OK FLUSH_OK
	    CHUNK("\1", "\0\0", S, NONE)), { 0, -EPROTO, 0 },
	    "left the block status out" },
	{ "a simple reply to a block status has none", SAYS(READ_OK FLUSH_OK
	    SIMPLE("\0", S)), { 0, -EPROTO, 0 }, "left the block status" },
	{ "all fail", SAYS(ERROR("\1", "\x80\1", R, "\0\0\0\6", "\1", "\0\0")
	    SIMPLE("\x0c", S) SIMPLE("\x1c", F)),
	    { -EPERM, -ENOMEM, -ENOSPC }, "" },
};

/* Likewise, with extended headers. */
static const struct row long_request_rows[] = {
	{ "all is well", SAYS(LONG_READ_OK LONG_OTHERS_OK), { 0, 0, 0 }, "" },
	{ "a read is left out", SAYS(LONG_CHUNK("\1", "\0\0", R, "\x20\0",
	    "\0") LONG_OTHERS_OK), { -EPROTO, 0, 0 },
	    "left a part of the read out" },
	{ "a half of a read is left out", SAYS(LONG_DATA("\1", OFF "\x40")
	    LONG_OTHERS_OK), { -EPROTO, 0, 0 },
	    "left a part of the read out" },
	{ "an error has number 0", SAYS(LONG_CHUNK("\1", "\x80\1", R,
	    "\x20\0", "\6") NONE "\0\0" LONG_OTHERS_OK),
	    { -EPROTO, 0, 0 }, "" },
	{ "an extent has no length", SAYS(LONG_READ_OK LONG_FLUSH_OK
	    LONG_STATUS("\x18") FROM_0 EXTENT(NONE, NONE)),
	    { 0, -EPROTO, 0 }, "of no length" },
	{ "an extent is 2^64-1 long", SAYS(LONG_READ_OK LONG_FLUSH_OK
	    LONG_STATUS("\x18") FROM_0 "\xff\xff\xff\xff\xff\xff\xff\xff"
	    NONE NONE), { 0, 0, 0 }, "" },
	{ "flags of base:allocation are long", SAYS(LONG_READ_OK
	    LONG_FLUSH_OK LONG_STATUS("\x18") FROM_0 "\0\0\0\0" "\0\0\x10\0"
	    "\0\0\0\1" NONE), { 0, -EPROTO, 0 }, "no base: context has" },
	{ "extents go on beyond the request", SAYS(LONG_READ_OK LONG_FLUSH_OK
	    LONG_STATUS("\x28") "\0\0\0\5" "\0\0\0\2"
	    EXTENT("\0\1\0\0", NONE) EXTENT("\0\1\0\0", NONE)),
	    { 0, -EPROTO, 0 }, "beyond the request" },
	{ "a block status is left out", SAYS(LONG_READ_OK LONG_FLUSH_OK
	    LONG_CHUNK("\1", "\0\0", S, "\0\0", "\0")), { 0, -EPROTO, 0 },
	    "left the block status out" },
};

#define LOST { -ENOTCONN, -ENOTCONN, -ENOTCONN }
#define BREAKS(name, text, says) { name, SAYS(says), LOST, text }

/* The connection fails. */
static const struct row failure_rows[] = {
	{ "it shuts down", SAYS(ERROR("\1", "\x80\1", R, "\0\0\0\6", "\x6c",
	    "\0\0") STATUS_OK SIMPLE("\x6c", F)),
	    { -ESHUTDOWN, 0, -ESHUTDOWN }, "shutting down" },
	BREAKS("a reply's magic is wrong", "begins with 0x67446699",
	    "\x67\x44\x66\x99" "\0\0\0\0" R),
	BREAKS("a cookie is unknown", "not in flight",
	    SIMPLE("\0", "????????")),
	BREAKS("a cookie is 0", "not in flight",
	    SIMPLE("\0", "\0\0\0\0\0\0\0\0")),
	BREAKS("a cookie is 2^64-1", "not in flight",
	    SIMPLE("\0", "\xff\xff\xff\xff\xff\xff\xff\xff")),
	BREAKS("a chunk's cookie is unknown", "not in flight",
	    CHUNK("\1", "\0\0", "????????", NONE)),
	{ "a request is answered twice", SAYS(FLUSH_OK FLUSH_OK),
	    { -ENOTCONN, -ENOTCONN, 0 }, "not in flight" },
	{ "a read is answered twice", SAYS(READ_OK DATA("\1", OFF "\0")),
	    { 0, -ENOTCONN, -ENOTCONN }, "not in flight" },
	BREAKS("a read gets a simple reply", "simple reply to a read",
	    SIMPLE("\0", R) D64 D64),
	BREAKS("a read gets a simple error", "simple reply to a read",
	    SIMPLE("\5", R)),
	BREAKS("data begin before the read", "in answer to a read",
	    DATA("\1", "\0\0\0\0\0\0\x1f\xff")),
	BREAKS("data end behind the read", "in answer to a read",
	    DATA("\1", OFF "\x41")),
	BREAKS("the offset of data is 2^64-1", "in answer to a read",
	    DATA("\1", "\xff\xff\xff\xff\xff\xff\xff\xff")),
	BREAKS("the offset of data wraps into the read", "in answer to",
	    DATA("\1", "\xff\xff\xff\xff\xff\xff\xff\xc0")),
	BREAKS("data are longer than the read", "with 144 bytes",
	    CHUNK("\1", "\0\1", R, "\0\0\0\x90")),
	BREAKS("data are 2^32-1 long", "with 4294967295 bytes",
	    CHUNK("\1", "\0\1", R, "\xff\xff\xff\xff")),
	BREAKS("data are empty", "with 8 bytes",
	    CHUNK("\1", "\0\1", R, "\0\0\0\x8")),
	BREAKS("data are shorter than their offset", "with 7 bytes",
	    CHUNK("\1", "\0\1", R, "\0\0\0\7")),
	BREAKS("data come twice", "twice", DATA("\0", OFF "\0")
	    DATA("\1", OFF "\0")),
	BREAKS("data overlap by a byte", "twice", DATA("\0", OFF "\0")
	    DATA("\1", OFF "\x3f")),
	BREAKS("a hole overlaps data", "twice", DATA("\0", OFF "\x40")
	    HOLE("\1", OFF "\0", "\0\0\0\x41")),
	BREAKS("a hole has no length", "no length",
	    HOLE("\1", OFF "\0", NONE)),
	BREAKS("a hole is 2^32-1 long", "in answer to a read",
	    HOLE("\1", OFF "\0", "\xff\xff\xff\xff")),
	BREAKS("a hole's chunk is too long", "with 13 bytes",
	    CHUNK("\1", "\0\2", R, "\0\0\0\xd")),
	BREAKS("data answer a flush", "to a flush",
	    CHUNK("\1", "\0\1", F, "\0\0\0\x9")),
	BREAKS("block status answers a read", "to a read",
	    CHUNK("\1", "\0\5", R, "\0\0\0\xc")),
	BREAKS("a chunk's type is unknown", "unknown type 6",
	    CHUNK("\1", "\0\6", R, NONE)),
	BREAKS("an empty chunk has bytes", "with 1 bytes",
	    CHUNK("\1", "\0\0", R, "\0\0\0\1")),
	BREAKS("an empty chunk is not the last", "not the last",
	    CHUNK("\0", "\0\0", R, NONE)),
	BREAKS("an error is too short", "with 5 bytes",
	    CHUNK("\1", "\x80\1", R, "\0\0\0\5")),
	BREAKS("an error is 2^32-1 long", "with 4294967295 bytes",
	    CHUNK("\1", "\x80\1", R, "\xff\xff\xff\xff")),
	BREAKS("an error's message is longer than it", "too long",
	    ERROR("\1", "\x80\1", R, "\0\0\0\7", "\5", "\0\2") "x"),
	BREAKS("an error's message is 65535 long", "too long",
	    ERROR("\1", "\x80\1", R, "\0\0\0\7", "\5", "\xff\xff") "x"),
	BREAKS("an error's offset is cut off", "too long",
	    ERROR("\1", "\x80\2", R, "\0\0\0\xd", "\5", "\0\0") "1234567"),
	BREAKS("an error's message is where its offset should be", "too long",
	    ERROR("\1", "\x80\2", R, "\0\0\0\xe", "\5", "\0\1") "x"
	    "\0\0\0\0\0\0\x20"),
	BREAKS("an error's offset is elsewhere", "outside of the request",
	    ERROR("\1", "\x80\2", R, "\0\0\0\xe", "\5", "\0\0") "12345678"),
	BREAKS("a context is unknown", "unknown context (6)",
	    CHUNK("\1", "\0\5", S, "\0\0\0\xc") "\0\0\0\6" "\0\0\x10\0" NONE),
	BREAKS("a context comes twice", "in two chunks",
	    CHUNK("\0", "\0\5", S, "\0\0\0\xc") "\0\0\0\5" "\0\0\x10\0" NONE
	    STATUS_OK),
	BREAKS("an extent is cut in half", "do not add up",
	    CHUNK("\1", "\0\5", S, "\0\0\0\xd") "\0\0\0\5" "\0\0\x10\0" NONE
	    "x"),
	BREAKS("a block status is too short", "with 4 bytes",
	    CHUNK("\1", "\0\5", S, "\0\0\0\4") "\0\0\0\5"),
	BREAKS("a block status is 2^32-1 long", "with 4294967295 bytes",
	    CHUNK("\1", "\0\5", S, "\xff\xff\xff\xff")),
	BREAKS("a reply is an extended one", "begins with 0x6e8a278c",
	    LONG_FLUSH_OK),
	BREAKS("a reply is a request", "begins with 0x25609513",
	    "\x25\x60\x95\x13\0\0\0\0" R),
	BREAKS("a reply is an option's", "begins with 0x0003e889",
	    REPLY GO ACK NONE),
	BREAKS("a reserved magic", "begins with 0x96744668",
	    "\x96\x74\x46\x68\0\0\0\0" R),
	BREAKS("a cookie's place is right and its number is not",
	    "not in flight", SIMPLE("\0", "\0\0\0\0\0\0\0\0")),
	BREAKS("a simple reply comes behind a chunk", "structured one is due",
	    CHUNK("\0", "\x80\1", F, "\0\0\0\6") "\0\0\0\5" "\0\0"
	    FLUSH_OK),
	BREAKS("an extent is all there is room for but the context",
	    "with 8 bytes", CHUNK("\1", "\0\5", S, "\0\0\0\x8")),
	BREAKS("a block status for extended headers", "unknown type 6",
	    CHUNK("\1", "\0\6", S, "\0\0\0\x18")),
	BREAKS("a hole begins before the read", "in answer to a read",
	    HOLE("\1", "\0\0\0\0\0\0\x1f\xff", "\0\0\0\2")),
	BREAKS("a hole's offset is 2^64-1", "in answer to a read",
	    HOLE("\1", "\xff\xff\xff\xff\xff\xff\xff\xff", "\0\0\0\1")),
	BREAKS("a hole answers a block status", "to a block status",
	    CHUNK("\1", "\0\2", S, "\0\0\0\xc")),
	BREAKS("an error's offset is 2^64-1", "outside of the request",
	    ERROR("\1", "\x80\2", R, "\0\0\0\xe", "\5", "\0\0")
	    "\xff\xff\xff\xff\xff\xff\xff\xff"),
	BREAKS("an error has an offset in a flush", "outside of the request",
	    ERROR("\1", "\x80\2", F, "\0\0\0\xe", "\5", "\0\0")
	    "\0\0\0\0\0\0\0\0"),
	{ "one read too many is answered", SAYS(READ_OK OTHERS_OK
	    DATA("\1", OFF "\0")), { 0, 0, 0 }, "not in flight" },
	{ "words follow when all is answered", SAYS(READ_OK OTHERS_OK
	    "and now for something"), { 0, 0, 0 }, "begins with" },
	{ "it closes when all is answered", SAYS_THEN(READ_OK OTHERS_OK,
	    THEN_CLOSE), { 0, 0, 0 }, "closed the connection" },
	{ "the last chunk never comes", SAYS_THEN(DATA("\0", OFF "\0")
	    DATA("\0", OFF "\x40") OTHERS_OK, THEN_MUTE),
	    { -ENOTCONN, 0, 0 }, "no answer for 0.3" },
	{ "a block status stops", SAYS_THEN(CHUNK("\1", "\0\5", S,
	    "\0\0\0\x14") "\0\0\0\5" "\0\0\x10\0" NONE, THEN_MUTE),
	    LOST, "no answer for 0.3" },
	{ "a read trickles", SAYS_THEN(CHUNK("\1", "\0\1", R,
	    "\0\0\0\x48") OFF "\0", THEN_TRICKLE),
	    { -EPROTO, -ENOTCONN, -ENOTCONN }, "begins with" },
	{ "other replies keep the line alive",
	    SAYS_AND_REPEATS(READ_OK FLUSH_OK, ERROR("\0", "\x80\1", S,
	    "\0\0\0\6", "\5", "\0\0")), { 0, -ENOTCONN, 0 },
	    "not answered for 3.0 s" },
	{ "it closes before a reply", SAYS_THEN("", THEN_CLOSE), LOST,
	    "closed the connection" },
	{ "it resets before a reply", SAYS_THEN("", THEN_RESET), LOST,
	    "reset" },
	{ "it closes within a magic", SAYS_THEN("\x66\x8e", THEN_CLOSE), LOST,
	    "closed the connection" },
	{ "it closes within a header", SAYS_THEN(CHUNK("\1", "\0", "", ""),
	    THEN_CLOSE), LOST, "closed the connection" },
	{ "it resets within a header", SAYS_THEN(CHUNK("\1", "\0", "", ""),
	    THEN_RESET), LOST, "reset" },
	{ "it closes within data", SAYS_THEN(CHUNK("\1", "\0\1", R,
	    "\0\0\0\x48") OFF "\0" D16, THEN_CLOSE), LOST,
	    "closed the connection" },
	{ "it resets within data", SAYS_THEN(CHUNK("\1", "\0\1", R,
	    "\0\0\0\x48") OFF "\0" D16, THEN_RESET), LOST, "reset" },
	{ "it closes within a block status", SAYS_THEN(CHUNK("\1", "\0\5", S,
	    "\0\0\0\xc") "\0\0\0\5\0", THEN_CLOSE), LOST,
	    "closed the connection" },
	{ "it is mute", SAYS_THEN("", THEN_MUTE), LOST, "no answer for 0.3" },
	{ "it stops within a header", SAYS_THEN("\x66\x8e", THEN_MUTE), LOST,
	    "no answer for 0.3" },
	{ "it stops within data", SAYS_THEN(CHUNK("\1", "\0\1", R,
	    "\0\0\0\x48") OFF "\0" D16, THEN_MUTE), LOST,
	    "no answer for 0.3" },
	{ "it trickles a long error", SAYS_THEN(CHUNK("\1", "\x80\1", R,
	    "\0\0\x10\0"), THEN_TRICKLE), LOST, "not answered for 3.0 s" },
	{ "errors without end keep the line alive", SAYS_AND_REPEATS("",
	    ERROR("\0", "\x80\1", R, "\0\0\0\6", "\5", "\0\0")), LOST,
	    "not answered for 3.0 s" },
};

/* Likewise, with extended headers. */
static const struct row long_failure_rows[] = {
	BREAKS("a reply is simple", "after extended headers were agreed on",
	    FLUSH_OK),
	BREAKS("a reply is structured", "after extended headers were agreed",
	    CHUNK("\1", "\0\0", F, NONE)),
	BREAKS("a cookie is unknown", "not in flight",
	    LONG_CHUNK("\1", "\0\0", "????????", "\0\0", "\0")),
	BREAKS("a reply is for another offset", "for offset 8193 to a read",
	    LONG_CHUNK("\1", "\0\1", R, "\x20\1", "\x48")),
	BREAKS("a flush has an offset", "for offset 1 to a flush",
	    LONG_CHUNK("\1", "\0\0", F, "\0\1", "\0")),
	BREAKS("a chunk is 2^32 long", "a chunk of 4294967296 bytes",
	    "\x6e\x8a\x27\x8c\0\1" "\0\1" R AT("\x20\0")
	    "\0\0\0\1" NONE),
	BREAKS("a chunk is 2^64-1 long", "of 18446744073709551615 bytes",
	    "\x6e\x8a\x27\x8c\0\1" "\0\1" R AT("\x20\0")
	    "\xff\xff\xff\xff\xff\xff\xff\xff"),
	BREAKS("data are longer than the read", "with 255 bytes",
	    LONG_CHUNK("\1", "\0\1", R, "\x20\0", "\xff")),
	BREAKS("data end behind the read", "in answer to a read",
	    LONG_DATA("\1", OFF "\x41")),
	BREAKS("data come twice", "twice", LONG_DATA("\0", OFF "\0")
	    LONG_DATA("\1", OFF "\0")),
	BREAKS("a block status is a short one", "unknown type 5",
	    LONG_CHUNK("\1", "\0\5", S, "\0\0", "\xc")),
	BREAKS("a block status is too short", "with 23 bytes",
	    LONG_STATUS("\x17")),
	BREAKS("extents are more than their number", "do not add up",
	    LONG_STATUS("\x28") FROM_0),
	BREAKS("extents are fewer than their number", "do not add up",
	    LONG_STATUS("\x18") "\0\0\0\5" "\xff\xff\xff\xff"),
	BREAKS("there are no extents", "do not add up",
	    LONG_STATUS("\x18") "\0\0\0\5" NONE),
	BREAKS("an extent is cut in half", "do not add up",
	    LONG_STATUS("\x19") FROM_0),
	BREAKS("a context is unknown", "unknown context (6)",
	    LONG_STATUS("\x18") "\0\0\0\6" "\0\0\0\1"),
	BREAKS("an error is too long", "too long", LONG_CHUNK("\1",
	    "\x80\1", R, "\x20\0", "\7") "\0\0\0\5" "\0\2" "x"),
	{ "it closes within a header", SAYS_THEN("\x6e\x8a\x27\x8c\0\1",
	    THEN_CLOSE), LOST, "closed the connection" },
	{ "it stops within a header", SAYS_THEN("\x6e\x8a\x27\x8c\0\1",
	    THEN_MUTE), LOST, "no answer for 0.3" },
};

static const struct row *row;
static bool is_extended;
static struct net_loop *loop;
static struct conn *conn;
static struct error failure;
static struct nbd_request reqs[N_REQUESTS];
static struct nbd_extents extents;
static unsigned n_reaped[N_REQUESTS];
static unsigned n_total;
static uint8_t buffer[CANARY + LENGTH + CANARY];

/* Put the cookie where its placeholder is. */
static void
put_cookie(uint8_t *p, size_t n, const char *placeholder, uint64_t cookie)
{
	uint8_t *at;

	while ((at = memmem(p, n, placeholder, 8)) != NULL)
		put_be64(at, cookie);
}

static bool
get_request(int fd, struct fake_request *req)
{
	char longer[4];

	return fake_get_request(fd, req) &&
	    (!is_extended || fake_get(fd, longer, sizeof longer));
}

static void
serve(int fd)
{
	struct hostile_words words = row->words;
	uint8_t said[2][2048];
	struct fake_request req;

	memcpy(said[0], words.p, words.n);
	memcpy(said[1], words.again != NULL ? words.again : "",
	    words.n_again);
	if (is_extended)
		(void)fake_put(fd, OPENS_EXTENDED, sizeof OPENS_EXTENDED - 1);
	else
		(void)fake_put(fd, OPENS, sizeof OPENS - 1);
	hostile_skip_handshake(fd);
	for (int i = 0; i < N_REQUESTS && get_request(fd, &req); i++) {
		const char *placeholder = req.command == NBD_CMD_READ ? R :
		    req.command == NBD_CMD_FLUSH		      ? F : S;

		put_cookie(said[0], words.n, placeholder, req.cookie);
		put_cookie(said[1], words.n_again, placeholder, req.cookie);
	}
	words.p = (const char *)said[0];
	words.again = (const char *)said[1];
	hostile_say(fd, &words);
}

static void
on_ready(void *arg)
{
	static const struct iovec iov = { buffer + CANARY, LENGTH };

	(void)arg;
	reqs[READ] = (struct nbd_request){ .command = NBD_CMD_READ,
		.offset = OFFSET, .length = LENGTH, .iov = &iov, .n_iov = 1 };
	reqs[STATUS] = (struct nbd_request){ .command = NBD_CMD_BLOCK_STATUS,
		.length = 65536, .extents = &extents };
	reqs[FLUSH] = (struct nbd_request){ .command = NBD_CMD_FLUSH };
	for (int i = 0; i < N_REQUESTS; i++)
		ck_assert_int_eq(conn_submit(conn, &reqs[i]), 0);
}

static void
on_completions(void *arg)
{
	struct nbd_request *req;

	(void)arg;
	while ((req = conn_reap(conn)) != NULL) {
		n_reaped[req - reqs]++;
		n_total++;
	}
	if (n_total == N_REQUESTS)
		net_loop_stop(loop);
}

static void
on_failed(void *arg, const struct error *e)
{
	(void)arg;
	failure = *e;
	net_loop_stop(loop);
}

static void
on_closed(void *arg)
{
	*(bool *)arg = true;
	net_loop_stop(loop);
}

static void
open_and_run(void)
{
	static const struct conn_events events = {
		.on_ready = on_ready,
		.on_completions = on_completions,
		.on_failed = on_failed,
	};
	static const char *const contexts[] = { "base:allocation" };
	/* It is a deadline that has to end it. */
	bool is_slow = strstr(row->text, " answer") != NULL &&
	    strstr(row->text, " for ") != NULL;
	struct nbd_uri uri = { .transport = NBD_TRANSPORT_UNIX,
		.export_name = (char[]){ "disk" } };
	struct conn_options options = {
		.uri = &uri,
		.fd = fake_start_tcp(serve),
		.contexts = contexts,
		.n_contexts = 1,
		.connect_timeout_ms = LONG_MS,
		.io_timeout_ms = is_slow ? SHORT_MS : LONG_MS,
	};
	struct error e;

	ck_assert_int_eq(conn_open(loop, &options, &events, NULL, &conn, &e),
	    0);
	ck_assert_int_eq(net_loop_run(loop), 0);
}

static void
close_it(void)
{
	bool is_closed = false;

	conn_close(conn, on_closed, &is_closed);
	while (!is_closed)
		ck_assert_int_eq(net_loop_run(loop), 0);
	fake_tear_down();
	net_loop_free(loop);
}

static void
check_buffer(void)
{
	for (size_t i = 0; i < sizeof buffer; i++) {
		bool is_inside = i >= CANARY && i < CANARY + LENGTH;

		if (!is_inside)
			ck_assert_msg(buffer[i] == 0xcc, "%s: outside",
			    row->name);
		else if (reqs[READ].error == 0)
			ck_assert_msg(buffer[i] == 'd', "%s: wrong data",
			    row->name);
	}
}

static void
try_row(const struct row *which, bool extended)
{
	time_t start = time(NULL);

	row = which;
	is_extended = extended;
	memset(buffer, 0xcc, sizeof buffer);
	ck_assert_int_eq(net_loop_new(&loop), 0);
	fake_set_up();
	open_and_run();
	for (int i = 0; i < N_REQUESTS; i++) {
		ck_assert_msg(n_reaped[i] == 1, "%s: request %d came %u times",
		    row->name, i, n_reaped[i]);
		ck_assert_msg(reqs[i].error == row->errors[i],
		    "%s: request %d: %d", row->name, i, reqs[i].error);
	}
	check_buffer();
	ck_assert_msg(time(NULL) - start <= MAX_S, "%s: late", row->name);
}

static void
expect_answer(const struct row *which, bool extended)
{
	const char *text = "";

	try_row(which, extended);
	ck_assert_msg(failure.code == 0, "%s: %s", row->name, failure.text);
	for (int i = 0; i < N_REQUESTS; i++) {
		if (reqs[i].error != 0 && reqs[i].message[0] != '\0')
			text = reqs[i].message;
	}
	ck_assert_msg(strstr(text, row->text) != NULL,
	    "%s: '%s' is not in '%s'", row->name, row->text, text);
	close_it();
	free(extents.v);
}

static void
expect_failure(const struct row *which, bool extended)
{
	try_row(which, extended);
	if (failure.code == 0)
		ck_assert_int_eq(net_loop_run(loop), 0);
	ck_assert_msg(strstr(failure.text, row->text) != NULL,
	    "%s: '%s' is not in '%s'", row->name, row->text, failure.text);
	close_it();
	free(extents.v);
}

START_TEST(a_hostile_answer_ends_its_request_only)
{
	expect_answer(&request_rows[_i], false);
}
END_TEST

START_TEST(a_hostile_reply_ends_the_connection_in_time)
{
	expect_failure(&failure_rows[_i], false);
}
END_TEST

START_TEST(a_hostile_extended_answer_ends_its_request_only)
{
	expect_answer(&long_request_rows[_i], true);
}
END_TEST

START_TEST(a_hostile_extended_reply_ends_the_connection_in_time)
{
	expect_failure(&long_failure_rows[_i], true);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hostile-replies");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, a_hostile_answer_ends_its_request_only, 0,
	    sizeof request_rows / sizeof request_rows[0]);
	tcase_add_loop_test(tcase, a_hostile_reply_ends_the_connection_in_time,
	    0, sizeof failure_rows / sizeof failure_rows[0]);
	tcase_add_loop_test(tcase,
	    a_hostile_extended_answer_ends_its_request_only, 0,
	    sizeof long_request_rows / sizeof long_request_rows[0]);
	tcase_add_loop_test(tcase,
	    a_hostile_extended_reply_ends_the_connection_in_time, 0,
	    sizeof long_failure_rows / sizeof long_failure_rows[0]);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
