/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Servers that misbehave before there is a disk: one row each.  Whatever they
 * do, the call returns in time and says what was wrong.
 */
#include <string.h>
#include <time.h>

#include "client/nbdclient.h"
#include "fake-server.h"
#include "hostile.h"
#include "unit.h"

#define PROTOCOL NBDCLIENT_PROTOCOL
#define GONE	 NBDCLIENT_DISCONNECTED
#define LATE	 NBDCLIENT_TIMED_OUT
#define SIZE(size) \
	BASIC REPLY SR ERR("\1") NONE \
	REPLY GO INFO "\0\0\0\xc" "\0\0" size "\0\1" REPLY GO ACK NONE
#define BLOCKS(minimum, preferred, maximum) \
	BASIC REPLY SR ERR("\1") NONE EXPORT \
	REPLY GO INFO "\0\0\0\xe" "\0\3" minimum preferred maximum \
	REPLY GO ACK NONE
#define STRUCTURED BASIC REPLY SR ACK NONE
#define SIMPLE	   BASIC REPLY SR ERR("\1") NONE
#define DIRTY(id)  REPLY META CONTEXT "\0\0\0\xb" id "x:dirty"
/* The name is all that there is to ask for. */
#define NAME_ONLY  SIMPLE REPLY GO ERR("\1") NONE

struct row {
	const char *name;
	int code;		/* 0: it is harmless, and there is a disk */
	const char *text;	/* in what is said; not used with 0 */
	struct hostile_words words;
};

static const struct row open_rows[] = {
	/* The greeting. */
	{ "it is mute", LATE, "greeting", SAYS_THEN("", THEN_MUTE) },
	{ "it closes at once", GONE, "without greeting",
	    SAYS_THEN("", THEN_CLOSE) },
	{ "it resets at once", GONE, "", SAYS_THEN("", THEN_RESET) },
	{ "it trickles", NBDCLIENT_NOT_NBD, "not an NBD server",
	    SAYS_THEN("", THEN_TRICKLE) },
	{ "the magic is wrong", NBDCLIENT_NOT_NBD, "it said 'NBDMAGIX",
	    SAYS("NBDMAGIXIHAVEOPT\0\3") },
	{ "the second magic is wrong", NBDCLIENT_NOT_NBD, "it said 'IHATEOPT",
	    SAYS("NBDMAGICIHATEOPT\0\3") },
	{ "the greeting is cut by a close", GONE, "closed the connection",
	    SAYS_THEN("NBDMAGICIHAVE", THEN_CLOSE) },
	{ "the greeting is cut by a reset", GONE, "",
	    SAYS_THEN("NBDMAGICIHAVE", THEN_RESET) },
	{ "the greeting stops", LATE, "waiting for",
	    SAYS_THEN("NBDMAGICIHAVEOPT", THEN_MUTE) },
	{ "it is oldstyle", NBDCLIENT_TOO_OLD, "oldstyle",
	    SAYS("NBDMAGIC" "\0\0\x42\2\x81\x86\x12\x53\0\0\0\0\0\1\0\0") },
	{ "it speaks HTTP", NBDCLIENT_NOT_NBD, "HTTP/1.1 400 Bad",
	    SAYS("HTTP/1.1 400 Bad Request\r\n\r\n") },
	{ "it controls the terminal", NBDCLIENT_NOT_NBD, "\\x1B]0;hi\\x07",
	    SAYS("\x1b]0;hi\7....") },
	{ "newstyle that is not fixed has a disk too large", PROTOCOL,
	    "more than any disk", SAYS("NBDMAGICIHAVEOPT\0\2"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\0\1") },

	/* Answers to options. */
	{ "an option reply's magic is wrong", PROTOCOL,
	    "an option reply begins with", SAYS(GREETING "????????"
	    SR ACK NONE) },
	{ "it answers another option", PROTOCOL, "instead of",
	    SAYS(GREETING REPLY GO ACK NONE) },
	{ "it answers an option that does not exist", PROTOCOL,
	    "option 4294967295 ", SAYS(GREETING REPLY "\xff\xff\xff\xff"
	    ACK NONE) },
	{ "an answer's type is unknown", PROTOCOL, "of type 99",
	    SAYS(BASIC REPLY SR "\0\0\0\x63" NONE) },
	{ "an ACK has data", PROTOCOL, "with 1 bytes",
	    SAYS(BASIC REPLY SR ACK "\0\0\0\1x") },
	{ "an ACK has 2^32-1 bytes of data", PROTOCOL, "4294967295 bytes",
	    SAYS(BASIC REPLY SR ACK "\xff\xff\xff\xff") },
	{ "an error text is longer than 4096", PROTOCOL, "4097 bytes",
	    SAYS(BASIC REPLY SR ERR("\1") "\0\0\x10\1") },
	{ "an error text is 2^32-1 long", PROTOCOL, "4294967295 bytes",
	    SAYS(BASIC REPLY SR ERR("\1") "\xff\xff\xff\xff") },
	{ "an error text controls the terminal", NBDCLIENT_POLICY,
	    "\\x1B[31mred\\x0A\\x07", SAYS(STRUCTURED REPLY META ERR("\1") NONE
	    REPLY GO ERR("\2") "\0\0\0\xa" "\x1b[31mred\n\a") },
	{ "an error text is not UTF-8", NBDCLIENT_POLICY, "\\xC3(\\xFF",
	    SAYS(STRUCTURED REPLY META ERR("\1") NONE
	    REPLY GO ERR("\2") "\0\0\0\3" "\xc3(\xff") },
	{ "an error text has zero bytes", NBDCLIENT_POLICY, "a\\x00b",
	    SAYS(STRUCTURED REPLY META ERR("\1") NONE
	    REPLY GO ERR("\2") "\0\0\0\3" "a\0b") },
	{ "an error text never ends", LATE, "waiting for",
	    SAYS_THEN(BASIC REPLY SR ERR("\1") "\0\0\x10\0",
		THEN_TRICKLE) },
	{ "an error is unknown", NBDCLIENT_REFUSED, "does not know",
	    SAYS(STRUCTURED REPLY META ERR("\1") NONE
	    REPLY GO "\x80\1\2\3" NONE) },
	{ "an answer is a list's", PROTOCOL, "of type 2",
	    SAYS(BASIC REPLY SR SERVER "\0\0\0\4" NONE) },
	{ "an answer is of type 0", PROTOCOL, "of type 0",
	    SAYS(BASIC REPLY SR NONE NONE) },
	{ "an option is acknowledged twice", PROTOCOL, "instead of",
	    SAYS(BASIC REPLY SR ACK NONE REPLY SR ACK NONE) },
	{ "an option is refused and then acknowledged", PROTOCOL,
	    "instead of", SAYS(BASIC REPLY EXTENDED ACK NONE) },
	{ "the server insists on block sizes it was asked for",
	    NBDCLIENT_REFUSED, "insists on its block sizes",
	    SAYS(SIMPLE REPLY GO ERR("\x8") NONE) },
	{ "the question is too big", NBDCLIENT_REFUSED, "too big",
	    SAYS(SIMPLE REPLY GO ERR("\x9") NONE) },
	{ "extended headers are required after they were refused",
	    NBDCLIENT_REFUSED, "requires extended headers",
	    SAYS(SIMPLE REPLY GO ERR("\xa") NONE) },
	{ "the platform does not do", NBDCLIENT_REFUSED, "platform",
	    SAYS(SIMPLE REPLY GO ERR("\4") NONE) },
	{ "extended headers are acknowledged with data", PROTOCOL,
	    "with 4 bytes", SAYS(GREETING REPLY EXTENDED ACK "\0\0\0\4"
	    NONE) },
	{ "extended headers, and no option that may follow them",
	    NBDCLIENT_TOO_OLD, "too old", SAYS(GREETING REPLY EXTENDED ACK
	    NONE REPLY META ERR("\1") NONE REPLY GO ERR("\1") NONE) },
	{ "it wants TLS", NBDCLIENT_TLS_REQUIRED, "requires TLS",
	    SAYS(BASIC REPLY SR ERR("\5") NONE) },
	{ "it shuts down", NBDCLIENT_REFUSED, "shutting down",
	    SAYS(BASIC REPLY SR ERR("\7") NONE) },
	{ "it closes on an option", GONE, "NBD_OPT_EXTENDED_HEADERS",
	    SAYS_THEN(GREETING, THEN_CLOSE) },
	{ "it closes within an option reply", GONE, "in the middle",
	    SAYS_THEN(GREETING "\0\3\xe8", THEN_CLOSE) },
	{ "it resets within an option reply", GONE, "",
	    SAYS_THEN(GREETING "\0\3\xe8", THEN_RESET) },
	{ "it never answers an option", LATE, "NBD_OPT_EXTENDED_HEADERS",
	    SAYS_THEN(GREETING, THEN_MUTE) },

	{ "it resets on the last option", GONE, "",
	    SAYS_THEN(SIMPLE, THEN_RESET) },
	{ "it shuts down on the last option", NBDCLIENT_REFUSED,
	    "shutting down", SAYS(SIMPLE REPLY GO ERR("\7") NONE) },

	/* NBD_OPT_EXPORT_NAME, once NBD_OPT_GO is not known. */
	{ "a name is not known", NBDCLIENT_NO_EXPORT, "may not have it",
	    SAYS_THEN("NBDMAGICIHAVEOPT\0\2", THEN_CLOSE) },
	{ "a name is not answered", LATE, "NBD_OPT_EXPORT_NAME",
	    SAYS_THEN(NAME_ONLY, THEN_MUTE) },
	{ "a name is answered with a header", PROTOCOL, "an option reply",
	    SAYS(NAME_ONLY "\0\3\xe8\x89\4\x55\x65\xa9\0\1" ) },
	{ "a name is answered in part", GONE, "in the middle",
	    SAYS_THEN(NAME_ONLY "\0\0\0\0\0", THEN_CLOSE) },
	{ "a name is answered without its zeroes", LATE,
	    "NBD_OPT_EXPORT_NAME", SAYS_THEN("NBDMAGICIHAVEOPT\0\0"
	    "\0\0\0\0\0\x10\0\0\0\1", THEN_MUTE) },
	{ "a name has a disk too large", PROTOCOL, "more than any disk",
	    SAYS(NAME_ONLY "\x80\0\0\0\0\0\0\0\0\1") },
	{ "a name has a disk without flags", 0, "",
	    SAYS(NAME_ONLY "\0\0\0\0\0\x10\0\0\0\0") },

	/* Contexts. */
	{ "a context was not asked for", PROTOCOL, "not asked for",
	    SAYS(STRUCTURED REPLY META CONTEXT "\0\0\0\5" "\0\0\0\1x") },
	{ "a context comes twice", PROTOCOL, "twice", SAYS(STRUCTURED
	    ALLOCATION("\0\0\0\1") ALLOCATION("\0\0\0\2")) },
	{ "two contexts have one number", PROTOCOL, "number 1, twice",
	    SAYS(STRUCTURED ALLOCATION("\0\0\0\1") DIRTY("\0\0\0\1")) },
	{ "a context has no name", PROTOCOL, "not asked for",
	    SAYS(STRUCTURED REPLY META CONTEXT "\0\0\0\4" "\0\0\0\1") },
	{ "a context's name goes on behind a zero byte", PROTOCOL,
	    "not asked for", SAYS(STRUCTURED REPLY META CONTEXT "\0\0\0\xd"
	    "\0\0\0\1" "x:dirty\0!") },
	{ "the second context comes and not the first", 0, "",
	    SAYS(STRUCTURED DIRTY("\xff\xff\xff\xff") REPLY META ACK NONE
	    EXPORT REPLY GO ACK NONE) },
	{ "contexts stop", LATE, "NBD_OPT_SET_META_CONTEXT",
	    SAYS_THEN(STRUCTURED ALLOCATION("\0\0\0\1"), THEN_MUTE) },
	{ "contexts are cut off", GONE, "in the middle",
	    SAYS_THEN(STRUCTURED REPLY META CONTEXT "\0\0\0\x13" "\0\0",
		THEN_CLOSE) },
	{ "a context is shorter than its number", PROTOCOL, "3 bytes",
	    SAYS(STRUCTURED REPLY META CONTEXT "\0\0\0\3" "\0\0\0") },
	{ "a context has a name too long", PROTOCOL, "4101 bytes",
	    SAYS(STRUCTURED REPLY META CONTEXT "\0\0\x10\5") },
	{ "contexts are refused after one was named", 0, "",
	    SAYS(STRUCTURED ALLOCATION("\0\0\0\1") REPLY META ERR("\3") NONE
	    EXPORT REPLY GO ACK NONE) },

	/* NBD_OPT_GO. */
	{ "an export is opened without its size", PROTOCOL,
	    "not its size", SAYS(BASIC REPLY SR ERR("\1") NONE
	    REPLY GO ACK NONE) },
	{ "an information has no type", PROTOCOL, "with 0 bytes",
	    SAYS(BASIC REPLY SR ERR("\1") NONE REPLY GO INFO NONE) },
	{ "an information is one byte short", PROTOCOL, "with 9 bytes",
	    SAYS(BASIC REPLY SR ERR("\1") NONE
	    REPLY GO INFO "\0\0\0\xb" "\0\0" "123456789") },
	{ "an information has 2^32-1 bytes", PROTOCOL, "4294967295 bytes",
	    SAYS(BASIC REPLY SR ERR("\1") NONE
	    REPLY GO INFO "\xff\xff\xff\xff") },
	{ "block sizes are one byte short", PROTOCOL, "with 11 bytes",
	    SAYS(BASIC REPLY SR ERR("\1") NONE
	    REPLY GO INFO "\0\0\0\xd" "\0\3" "12345678901") },
	{ "an unknown information is no harm", 0, "",
	    SAYS(BASIC REPLY SR ERR("\1") NONE
	    REPLY GO INFO "\0\0\0\3" "\xff\xffx" EXPORT REPLY GO ACK NONE) },
	{ "there is no end of information", PROTOCOL, "no end of answers",
	    SAYS_AND_REPEATS(BASIC REPLY SR ERR("\1") NONE,
	    REPLY GO INFO "\0\0\0\2" "\0\2") },
	{ "there is more than 1 MiB of information", PROTOCOL,
	    "no end of answers", SAYS_AND_REPEATS(SIMPLE,
	    REPLY GO INFO "\0\0\1\2" "\0\2" W256) },
	{ "a name is longer than 4096", PROTOCOL, "type 1 with 4097",
	    SAYS(SIMPLE REPLY GO INFO "\0\0\x10\3" "\0\1" W256 W256 W256
	    W256 W256 W256 W256 W256 W256 W256 W256 W256 W256 W256 W256 W256
	    "w") },
	{ "an information is cut off", GONE, "in the middle",
	    SAYS_THEN(SIMPLE REPLY GO INFO "\0\0\0\xc" "\0\0",
	    THEN_CLOSE) },
	{ "an export changes its mind about its size", 0, "",
	    SAYS(SIMPLE EXPORT EXPORT REPLY GO ACK NONE) },
	{ "a description controls the terminal", 0, "",
	    SAYS(SIMPLE EXPORT REPLY GO INFO "\0\0\0\6" "\0\2" "\x1b[2J"
	    REPLY GO ACK NONE) },
	{ "an empty name and no description are no harm", 0, "",
	    SAYS(SIMPLE REPLY GO INFO "\0\0\0\2" "\0\1" EXPORT
	    REPLY GO INFO "\0\0\0\2" "\0\2" REPLY GO ACK NONE) },
	{ "all flags there can be", 0, "", SAYS(SIMPLE REPLY GO INFO
	    "\0\0\0\xc" "\0\0\0\0\0\0\0\x10\0\0" "\xff\xff"
	    REPLY GO ACK NONE) },
	{ "an export is withdrawn after its information",
	    NBDCLIENT_NO_EXPORT, "no such export",
	    SAYS(BASIC REPLY SR ERR("\1") NONE EXPORT
	    REPLY GO ERR("\6") NONE) },
	{ "the size is 0", 0, "", SAYS(SIZE("\0\0\0\0\0\0\0\0")) },
	{ "the size is 2^63-1", 0, "",
	    SAYS(SIZE("\x7f\xff\xff\xff\xff\xff\xff\xff")) },
	{ "the size is 2^63", PROTOCOL, "more than any disk",
	    SAYS(SIZE("\x80\0\0\0\0\0\0\0")) },
	{ "the size is 2^64-1", PROTOCOL, "more than any disk",
	    SAYS(SIZE("\xff\xff\xff\xff\xff\xff\xff\xff")) },
	{ "the minimum block is 0", PROTOCOL, "block sizes of 0",
	    SAYS(BLOCKS(NONE, "\0\0\x10\0", "\0\1\0\0")) },
	{ "the minimum block is no power of two", PROTOCOL,
	    "block sizes of 513",
	    SAYS(BLOCKS("\0\0\2\1", "\0\0\x10\0", "\0\1\0\0")) },
	{ "the minimum block is 128 KiB", PROTOCOL, "block sizes of 131072",
	    SAYS(BLOCKS("\0\2\0\0", "\0\2\0\0", "\0\4\0\0")) },
	{ "the maximum block is 0", PROTOCOL, "0 at most",
	    SAYS(BLOCKS("\0\0\2\0", "\0\0\x10\0", NONE)) },
	{ "the maximum block is below the minimum", PROTOCOL, "256 at most",
	    SAYS(BLOCKS("\0\0\2\0", "\0\0\x10\0", "\0\0\1\0")) },
	{ "the maximum block is below 512", PROTOCOL, "511 at most",
	    SAYS(BLOCKS("\0\0\0\1", "\0\0\2\0", "\0\0\1\xff")) },
	{ "there is no maximum block", 0, "",
	    SAYS(BLOCKS("\0\0\2\0", "\0\0\x10\0", "\xff\xff\xff\xff")) },
	{ "the preferred block is 2 GiB", 0, "",
	    SAYS(BLOCKS("\0\0\2\0", "\x80\0\0\0", "\xff\xff\xff\xff")) },
	{ "the disk is smaller than the minimum block", 0, "",
	    SAYS(SIMPLE REPLY GO INFO "\0\0\0\xc"
	    "\0\0\0\0\0\0\0\0\0\1" "\0\1" REPLY GO INFO "\0\0\0\xe"
	    "\0\3" "\0\1\0\0" "\0\1\0\0" "\0\1\0\0" REPLY GO ACK NONE) },
	{ "the preferred block is below the minimum", 0, "",
	    SAYS(BLOCKS("\0\0\x10\0", "\0\0\2\0", "\0\1\0\0")) },
	{ "the preferred block is 0", 0, "",
	    SAYS(BLOCKS("\0\0\x10\0", NONE, "\0\1\0\0")) },
	{ "the maximum block is no multiple of the minimum", 0, "",
	    SAYS(BLOCKS("\0\0\x10\0", "\0\0\x10\0", "\0\1\0\1")) },
};

static const struct row list_rows[] = {
	{ "newstyle that is not fixed cannot be listed", NBDCLIENT_TOO_OLD,
	    "too old", SAYS("NBDMAGICIHAVEOPT\0\0") },
	{ "a listed name is longer than its reply", PROTOCOL, "too long",
	    SAYS(GREETING REPLY LIST SERVER "\0\0\0\5" "\0\0\0\2a") },
	{ "a listed name's length is 2^32-1", PROTOCOL, "too long",
	    SAYS(GREETING REPLY LIST SERVER "\0\0\0\5" "\xff\xff\xff\xff"
	    "a") },
	{ "a listed name has not even a length", PROTOCOL, "2 bytes",
	    SAYS(GREETING REPLY LIST SERVER "\0\0\0\2" "\0\0") },
	{ "a listed name has a zero byte", PROTOCOL, "zero byte",
	    SAYS(GREETING REPLY LIST SERVER "\0\0\0\7" "\0\0\0\3a\0b") },
	{ "a list breaks off", GONE, "in the middle", SAYS_THEN(GREETING
	    REPLY LIST SERVER "\0\0\0\5" "\0\0\0\1a", THEN_CLOSE) },
	{ "a list stops", LATE, "NBD_OPT_LIST", SAYS_THEN(GREETING
	    REPLY LIST SERVER "\0\0\0\5" "\0\0\0\1a", THEN_MUTE) },
	{ "a list resets", GONE, "", SAYS_THEN(GREETING
	    REPLY LIST SERVER "\0\0\0\5" "\0\0\0\1a", THEN_RESET) },
	{ "a listed name is cut off", GONE, "in the middle",
	    SAYS_THEN(GREETING REPLY LIST SERVER "\0\0\0\5" "\0\0\0",
		THEN_CLOSE) },
	{ "a listed name trickles", LATE, "NBD_OPT_LIST",
	    SAYS_THEN(GREETING REPLY LIST SERVER "\0\0\x10\0" NONE,
		THEN_TRICKLE) },
	{ "there are more than 4096 names", PROTOCOL, "no end of answers",
	    SAYS_AND_REPEATS(GREETING, REPLY LIST SERVER "\0\0\0\4" NONE) },
	{ "there is more than 1 MiB of names", PROTOCOL, "no end of answers",
	    SAYS_AND_REPEATS(GREETING, REPLY LIST SERVER "\0\0\1\4"
	    "\0\0\1\0" W256) },
	{ "a listed name is longer than 4096", PROTOCOL, "too long",
	    SAYS(GREETING REPLY LIST SERVER "\0\0\x10\5" "\0\0\x10\1" W256
	    W256 W256 W256 W256 W256 W256 W256 W256 W256 W256 W256 W256 W256
	    W256 W256 "w") },
	{ "a list's answer is 2^32-1 long", PROTOCOL, "4294967295 bytes",
	    SAYS(GREETING REPLY LIST SERVER "\xff\xff\xff\xff") },
	{ "a list answers with information", PROTOCOL, "of type 3",
	    SAYS(GREETING REPLY LIST INFO "\0\0\0\2" "\0\2") },
	{ "a list is acknowledged with data", PROTOCOL, "with 1 bytes",
	    SAYS(GREETING REPLY LIST ACK "\0\0\0\1x") },
	{ "a list of nothing is one", 0, "",
	    SAYS(GREETING REPLY LIST ACK NONE) },
	{ "listed names are no text", 0, "", SAYS(GREETING REPLY LIST SERVER
	    "\0\0\0\x9" "\0\0\0\2" "\xff\x1b" "\x9b\0\a"
	    REPLY LIST ACK NONE) },
	{ "a list goes on behind its end", 0, "",
	    SAYS_AND_REPEATS(GREETING REPLY LIST ACK NONE,
	    REPLY LIST SERVER "\0\0\0\4" NONE) },
	{ "a list requires TLS", NBDCLIENT_TLS_REQUIRED, "requires TLS",
	    SAYS(GREETING REPLY LIST ERR("\5") NONE) },
	{ "a list is forbidden", NBDCLIENT_POLICY, "policy",
	    SAYS(GREETING REPLY LIST ERR("\2") NONE) },
};

/* NBD_OPT_LIST_META_CONTEXT */
static const struct row context_rows[] = {
	{ "newstyle that is not fixed cannot be asked", NBDCLIENT_TOO_OLD,
	    "too old", SAYS("NBDMAGICIHAVEOPT\0\0") },
	{ "contexts have names nobody asked for", 0, "", SAYS(STRUCTURED
	    REPLY QUERY CONTEXT "\0\0\0\5" "\0\0\0\0x"
	    REPLY QUERY ACK NONE) },
	{ "a context is told without a name", PROTOCOL, "name is empty",
	    SAYS(STRUCTURED REPLY QUERY CONTEXT "\0\0\0\4" NONE) },
	{ "a context's name has a zero byte", PROTOCOL, "zero byte",
	    SAYS(STRUCTURED REPLY QUERY CONTEXT "\0\0\0\7" NONE "a\0b") },
	{ "a context is told without a number", PROTOCOL, "3 bytes",
	    SAYS(STRUCTURED REPLY QUERY CONTEXT "\0\0\0\3" "\0\0\0") },
	{ "a context's name is longer than 4096", PROTOCOL, "4101 bytes",
	    SAYS(STRUCTURED REPLY QUERY CONTEXT "\0\0\x10\5") },
	{ "a context is 2^32-1 long", PROTOCOL, "4294967295 bytes",
	    SAYS(STRUCTURED REPLY QUERY CONTEXT "\xff\xff\xff\xff") },
	{ "there are more than 4096 contexts", PROTOCOL, "no end of answers",
	    SAYS_AND_REPEATS(STRUCTURED,
	    REPLY QUERY CONTEXT "\0\0\0\5" NONE "x") },
	{ "contexts are acknowledged as set", PROTOCOL, "instead of",
	    SAYS(STRUCTURED REPLY META ACK NONE) },
	{ "contexts are answered with exports", PROTOCOL, "of type 2",
	    SAYS(STRUCTURED REPLY QUERY SERVER "\0\0\0\4" NONE) },
	{ "contexts are acknowledged with data", PROTOCOL, "with 1 bytes",
	    SAYS(STRUCTURED REPLY QUERY ACK "\0\0\0\1x") },
	{ "contexts are told and then refused", NBDCLIENT_POLICY, "policy",
	    SAYS(STRUCTURED REPLY QUERY CONTEXT "\0\0\0\5" NONE "x"
	    REPLY QUERY ERR("\2") NONE) },
	{ "contexts of no export", NBDCLIENT_NO_EXPORT, "no such export",
	    SAYS(STRUCTURED REPLY QUERY ERR("\6") NONE) },
	{ "the list of contexts breaks off", GONE, "in the middle",
	    SAYS_THEN(STRUCTURED REPLY QUERY CONTEXT "\0\0\0\5" "\0\0",
	    THEN_CLOSE) },
	{ "the list of contexts resets", GONE, "", SAYS_THEN(STRUCTURED
	    REPLY QUERY CONTEXT "\0\0\0\5" "\0\0", THEN_RESET) },
	{ "the list of contexts stops", LATE, "NBD_OPT_LIST_META_CONTEXT",
	    SAYS_THEN(STRUCTURED REPLY QUERY CONTEXT "\0\0\0\5" NONE "x",
	    THEN_MUTE) },
	{ "a context's name trickles", LATE, "NBD_OPT_LIST_META_CONTEXT",
	    SAYS_THEN(STRUCTURED REPLY QUERY CONTEXT "\0\0\x10\0",
	    THEN_TRICKLE) },
	{ "no contexts are some", 0, "",
	    SAYS(STRUCTURED REPLY QUERY ACK NONE) },
};

enum {
	N_CONTEXT_ROWS = sizeof context_rows / sizeof context_rows[0],
	N_OPEN_ROWS = sizeof open_rows / sizeof open_rows[0],
	N_LIST_ROWS = sizeof list_rows / sizeof list_rows[0],
	SHORT_MS = 300,
	LONG_MS = 60000,
	MAX_S = 25,
};

static const struct row *row;
static struct nbdclient_error err;

static void
serve(int fd)
{
	fake_wait_for_release();
	hostile_say(fd, &row->words);
}

static int
call_negotiate(struct nbdclient_channel *channel)
{
	struct nbdclient_disk *disk = NULL;
	int code = nbdclient_negotiate(channel, "disk", &disk, &err);

	ck_assert_msg((code == 0) == (disk != NULL), "%s", row->name);
	nbdclient_disconnect(disk);
	return code;
}

static int
call_list(struct nbdclient_channel *channel)
{
	struct nbdclient_listing *listing = NULL;
	size_t n = 0;
	int code = nbdclient_list(channel, &listing, &n, &err);

	nbdclient_listing_free(listing, n);
	return code;
}

static int
call_list_contexts(struct nbdclient_channel *channel)
{
	struct nbdclient_listing *listing = NULL;
	size_t n = 0;
	int code = nbdclient_list_contexts(channel, "disk", NULL, 0, &listing,
	    &n, &err);

	nbdclient_listing_free(listing, n);
	return code;
}

static void
try_row(const struct row *which, int (*call)(struct nbdclient_channel *))
{
	static const char *const contexts[] = { "base:allocation",
		"x:dirty" };
	struct nbdclient_options options = { .io_timeout_ms = LONG_MS,
		.contexts = contexts, .n_contexts = 2 };
	struct nbdclient_channel *channel;
	time_t start = time(NULL);
	int code;

	row = which;
	options.connect_timeout_ms = row->code == LATE ? SHORT_MS : LONG_MS;
	fake_set_up();
	ck_assert_int_eq(nbdclient_connect_fd(fake_start_tcp(serve), &options,
	    &channel, &err), 0);
	fake_release();
	code = call(channel);
	nbdclient_channel_free(channel);
	fake_tear_down();
	ck_assert_msg(code == row->code, "%s: %d: %s", row->name, code,
	    err.text);
	ck_assert_msg(code == 0 || strstr(err.text, row->text) != NULL,
	    "%s: '%s' is not in '%s'", row->name, row->text, err.text);
	ck_assert_msg(time(NULL) - start <= MAX_S, "%s: late", row->name);
}

START_TEST(a_hostile_handshake_ends_in_time_with_the_reason)
{
	try_row(&open_rows[_i], call_negotiate);
}
END_TEST

START_TEST(a_hostile_list_ends_in_time_with_the_reason)
{
	try_row(&list_rows[_i], call_list);
}
END_TEST

START_TEST(a_hostile_list_of_contexts_ends_in_time_with_the_reason)
{
	try_row(&context_rows[_i], call_list_contexts);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hostile-handshake");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase,
	    a_hostile_handshake_ends_in_time_with_the_reason, 0, N_OPEN_ROWS);
	tcase_add_loop_test(tcase,
	    a_hostile_list_ends_in_time_with_the_reason, 0, N_LIST_ROWS);
	tcase_add_loop_test(tcase,
	    a_hostile_list_of_contexts_ends_in_time_with_the_reason, 0,
	    N_CONTEXT_ROWS);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
