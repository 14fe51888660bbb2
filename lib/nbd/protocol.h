/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NBD_PROTOCOL_H
#define NBD_PROTOCOL_H

#include <stdint.h>

/*
 * The numbers of the NBD protocol, named as in the project's doc/proto.md.
 */

#define NBD_MAGIC		0x4e42444d41474943ULL	/* "NBDMAGIC" */
#define NBD_OPTION_MAGIC	0x49484156454f5054ULL	/* "IHAVEOPT" */
#define NBD_OLDSTYLE_MAGIC	0x0000420281861253ULL
#define NBD_OPTION_REPLY_MAGIC	0x0003e889045565a9ULL
#define NBD_REQUEST_MAGIC	0x25609513U
#define NBD_SIMPLE_REPLY_MAGIC	0x67446698U
#define NBD_STRUCTURED_REPLY_MAGIC 0x668e33efU
#define NBD_EXTENDED_REQUEST_MAGIC 0x21e41c71U
#define NBD_EXTENDED_REPLY_MAGIC 0x6e8a278cU

/* Handshake flags, from the server and from the client. */
#define NBD_FLAG_FIXED_NEWSTYLE (1U << 0)
#define NBD_FLAG_NO_ZEROES	(1U << 1)

enum nbd_option {
	NBD_OPT_EXPORT_NAME = 1,
	NBD_OPT_ABORT = 2,
	NBD_OPT_LIST = 3,
	NBD_OPT_STARTTLS = 5,
	NBD_OPT_INFO = 6,
	NBD_OPT_GO = 7,
	NBD_OPT_STRUCTURED_REPLY = 8,
	NBD_OPT_LIST_META_CONTEXT = 9,
	NBD_OPT_SET_META_CONTEXT = 10,
	NBD_OPT_EXTENDED_HEADERS = 11,
};

#define NBD_REP_ACK		1U
#define NBD_REP_SERVER		2U
#define NBD_REP_INFO		3U
#define NBD_REP_META_CONTEXT	4U
#define NBD_REP_FLAG_ERROR	(1U << 31)
#define NBD_REP_ERR_UNSUP	(NBD_REP_FLAG_ERROR | 1U)
#define NBD_REP_ERR_POLICY	(NBD_REP_FLAG_ERROR | 2U)
#define NBD_REP_ERR_INVALID	(NBD_REP_FLAG_ERROR | 3U)
#define NBD_REP_ERR_PLATFORM	(NBD_REP_FLAG_ERROR | 4U)
#define NBD_REP_ERR_TLS_REQD	(NBD_REP_FLAG_ERROR | 5U)
#define NBD_REP_ERR_UNKNOWN	(NBD_REP_FLAG_ERROR | 6U)
#define NBD_REP_ERR_SHUTDOWN	(NBD_REP_FLAG_ERROR | 7U)
#define NBD_REP_ERR_BLOCK_SIZE_REQD (NBD_REP_FLAG_ERROR | 8U)
#define NBD_REP_ERR_TOO_BIG	(NBD_REP_FLAG_ERROR | 9U)
#define NBD_REP_ERR_EXT_HEADER_REQD (NBD_REP_FLAG_ERROR | 10U)

#define NBD_INFO_EXPORT		0
#define NBD_INFO_NAME		1
#define NBD_INFO_DESCRIPTION	2
#define NBD_INFO_BLOCK_SIZE	3

/* Transmission flags: what the export can do. */
#define NBD_FLAG_HAS_FLAGS	   (1U << 0)
#define NBD_FLAG_READ_ONLY	   (1U << 1)
#define NBD_FLAG_SEND_FLUSH	   (1U << 2)
#define NBD_FLAG_SEND_FUA	   (1U << 3)
#define NBD_FLAG_ROTATIONAL	   (1U << 4)
#define NBD_FLAG_SEND_TRIM	   (1U << 5)
#define NBD_FLAG_SEND_WRITE_ZEROES (1U << 6)
#define NBD_FLAG_SEND_DF	   (1U << 7)
#define NBD_FLAG_CAN_MULTI_CONN	   (1U << 8)
#define NBD_FLAG_SEND_RESIZE	   (1U << 9)
#define NBD_FLAG_SEND_CACHE	   (1U << 10)
#define NBD_FLAG_SEND_FAST_ZERO	   (1U << 11)

enum nbd_command {
	NBD_CMD_READ = 0,
	NBD_CMD_WRITE = 1,
	NBD_CMD_DISC = 2,
	NBD_CMD_FLUSH = 3,
	NBD_CMD_TRIM = 4,
	NBD_CMD_CACHE = 5,
	NBD_CMD_WRITE_ZEROES = 6,
	NBD_CMD_BLOCK_STATUS = 7,
};

#define NBD_CMD_FLAG_FUA       (1U << 0)
#define NBD_CMD_FLAG_NO_HOLE   (1U << 1)
#define NBD_CMD_FLAG_DF	       (1U << 2)
#define NBD_CMD_FLAG_REQ_ONE   (1U << 3)
#define NBD_CMD_FLAG_FAST_ZERO (1U << 4)
#define NBD_CMD_FLAG_PAYLOAD_LEN (1U << 5)	/* extended headers only */

#define NBD_REPLY_TYPE_NONE	    0
#define NBD_REPLY_TYPE_OFFSET_DATA  1
#define NBD_REPLY_TYPE_OFFSET_HOLE  2
#define NBD_REPLY_TYPE_BLOCK_STATUS 5
#define NBD_REPLY_TYPE_BLOCK_STATUS_EXT 6
#define NBD_REPLY_TYPE_FLAG_ERROR   (1U << 15)
#define NBD_REPLY_TYPE_ERROR	    (NBD_REPLY_TYPE_FLAG_ERROR | 1U)
#define NBD_REPLY_TYPE_ERROR_OFFSET (NBD_REPLY_TYPE_FLAG_ERROR | 2U)
#define NBD_REPLY_FLAG_DONE	    (1U << 0)

/* base:allocation */
#define NBD_STATE_HOLE (1U << 0)
#define NBD_STATE_ZERO (1U << 1)

/* Limits: the protocol's, or ours where it has none. */
#define NBD_MAX_STRING	      4096U	/* names, descriptions, error texts */
#define NBD_MAX_OPTION_REPLY  (64U * 1024)	/* data of one option reply */
#define NBD_MAX_OPTION_BYTES  (1024U * 1024)	/* all replies to one option */
#define NBD_MAX_OPTION_REPLIES 4096U	/* before the last */
#define NBD_MAX_EXTENTS	      65536U	/* kept of one block status reply */
#define NBD_MAX_STATUS_CHUNK  (4U + 8U * 1048576U)
#define NBD_MAX_STATUS_CHUNK_EXT (8U + 16U * 1048576U)
#define NBD_MAX_CONTEXTS      16U
#define NBD_MAX_EXPORT_SIZE   0x7fffffffffffffffULL
#define NBD_DEFAULT_MAX_PAYLOAD (32U * 1024 * 1024)

#endif
