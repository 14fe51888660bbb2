/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a hostile server says, as text in C's own notation, and what it does
 * then.  In what is said to requests "<read-->", "<status>" and "<flush->"
 * stand for the cookies of those requests.
 */

enum hostile_then {
	THEN_LISTEN,		/* until the client hangs up, or is about to */
	THEN_MUTE,		/* likewise; a deadline is what has to end it */
	THEN_CLOSE,		/* its half of the connection */
	THEN_RESET,
	THEN_TRICKLE,		/* a byte now and then, for ever */
	THEN_REPEAT,		/* say something else again and again */
};

struct hostile_words {
	const char *p;
	size_t n;
	enum hostile_then then;
	const char *again;	/* THEN_REPEAT */
	size_t n_again;
};

#define SAYS_THEN(text, then) { text, sizeof text - 1, then, NULL, 0 }
#define SAYS(text)	      SAYS_THEN(text, THEN_LISTEN)
#define SAYS_AND_REPEATS(text, again) \
	{ text, sizeof text - 1, THEN_REPEAT, again, sizeof again - 1 }

/* Pieces of the handshake. */
#define GREETING "NBDMAGICIHAVEOPT\0\3"
#define REPLY	 "\0\3\xe8\x89\4\x55\x65\xa9"
#define LIST	 "\0\0\0\3"
#define GO	 "\0\0\0\7"
#define SR	 "\0\0\0\x8"
#define QUERY	 "\0\0\0\x9"
#define META	 "\0\0\0\xa"
#define EXTENDED "\0\0\0\xb"
#define ACK	 "\0\0\0\1"
#define SERVER	 "\0\0\0\2"
#define INFO	 "\0\0\0\3"
#define CONTEXT	 "\0\0\0\4"
#define ERR(n)	 "\x80\0\0" n
#define NONE	 "\0\0\0\0"
/* 256 letters. */
#define W16	 "wwwwwwwwwwwwwwww"
#define W64	 W16 W16 W16 W16
#define W256	 W64 W64 W64 W64
/* Without extended headers. */
#define BASIC	 GREETING REPLY EXTENDED ERR("\1") NONE
/* A disk of 1 MiB that can flush and FUA. */
#define EXPORT	 REPLY GO INFO "\0\0\0\xc" "\0\0\0\0\0\0\0\x10\0\0\0\xd"
#define ALLOCATION(id) REPLY META CONTEXT "\0\0\0\x13" id "base:allocation"
#define OPENS	 BASIC REPLY SR ACK NONE ALLOCATION("\0\0\0\5") \
	REPLY META ACK NONE EXPORT REPLY GO ACK NONE
#define OPENS_EXTENDED \
	GREETING REPLY EXTENDED ACK NONE ALLOCATION("\0\0\0\5") \
	REPLY META ACK NONE EXPORT REPLY GO ACK NONE

/* Say it to the client, do the rest, and return when the client is gone. */
void hostile_say(int fd, const struct hostile_words *words);
/* The client goes on until its requests can be answered: read to there. */
void hostile_skip_handshake(int fd);

#endif
