/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NBD_OPT_GO, which opens the export, and NBD_OPT_INFO, which only tells.  The
 * server tells about it in any order, in NBD_REP_INFO replies, also what was
 * not asked for; the next byte behind its NBD_REP_ACK belongs to transmission.
 * A server that does not know NBD_OPT_GO is sent NBD_OPT_EXPORT_NAME instead,
 * unless extended headers were agreed on: then that one is forbidden, and the
 * server contradicts itself.
 */

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"

/* NBD_INFO_EXPORT is always sent. */
static const uint16_t infos[] = {
	NBD_INFO_BLOCK_SIZE,
	NBD_INFO_NAME,
	NBD_INFO_DESCRIPTION,
};

#define N_INFOS (sizeof infos / sizeof infos[0])

static bool
go_wanted(const struct nbd_session *s)
{
	return nbd_option_is_fixed_newstyle(s) && !s->export_name_only;
}

static void
send_export_and_infos(struct nbd_session *s, enum nbd_option number)
{
	size_t len = 4 + strlen(s->export_name) + 2 + 2 * N_INFOS;
	uint8_t *p;

	p = nbd_option_append(s, number, len);
	p = nbd_option_put_string(p, s->export_name);
	put_be16(p, N_INFOS);
	for (size_t i = 0; i < N_INFOS; i++)
		put_be16(p + 2 + 2 * i, infos[i]);
}

static void
go_send(struct nbd_session *s)
{
	send_export_and_infos(s, NBD_OPT_GO);
}

static bool
info_wanted(const struct nbd_session *s)
{
	return s->goal == NBD_GOAL_INFO;
}

static void
info_send(struct nbd_session *s)
{
	send_export_and_infos(s, NBD_OPT_INFO);
}

static void
on_info_export(struct nbd_session *s, const uint8_t *p, uint32_t len UNUSED)
{
	s->got_export_info = true;
	nbd_export_set(s, get_be64(p), get_be16(p + 8));
}

static void
on_info_name(struct nbd_session *s, const uint8_t *p, uint32_t len)
{
	nbd_export_set_text(s, &s->canonical_name, &s->export.canonical_name,
	    p, len);
}

static void
on_info_description(struct nbd_session *s, const uint8_t *p, uint32_t len)
{
	nbd_export_set_text(s, &s->description, &s->export.description, p,
	    len);
}

static void
on_info_block_size(struct nbd_session *s, const uint8_t *p, uint32_t len UNUSED)
{
	nbd_export_set_block_size(s, get_be32(p), get_be32(p + 4),
	    get_be32(p + 8));
}

static const struct info_row {
	uint32_t min;	/* bytes behind the type */
	uint32_t max;
	void (*on_info)(struct nbd_session *s, const uint8_t *p, uint32_t len);
} info_rows[] = {
	[NBD_INFO_EXPORT] = { 10, 10, on_info_export },
	[NBD_INFO_NAME] = { 0, NBD_MAX_STRING, on_info_name },
	[NBD_INFO_DESCRIPTION] = { 0, NBD_MAX_STRING, on_info_description },
	[NBD_INFO_BLOCK_SIZE] = { 12, 12, on_info_block_size },
};

#define N_INFO_ROWS (sizeof info_rows / sizeof info_rows[0])

/* NBD_REP_INFO: 16 bits type, information.  Unknown types are ignored. */
static void
go_on_part(struct nbd_session *s, const uint8_t *p, uint32_t len)
{
	uint16_t type = get_be16(p);

	p += 2;
	len -= 2;
	if (type >= N_INFO_ROWS)
		return;
	if (len < info_rows[type].min || len > info_rows[type].max)
		nbd_session_violation(s,
		    "information of type %" PRIu16 " with %" PRIu32 " bytes",
		    type, len);
	else
		info_rows[type].on_info(s, p, len);
}

static void
go_on_ack(struct nbd_session *s)
{
	if (s->got_export_info)
		nbd_export_ready(s);
	else
		nbd_session_violation(s,
		    "it told about the export, but not its size");
}

/* What it has told so far is void. */
static bool
go_survives(struct nbd_session *s, uint32_t error)
{
	if (error != NBD_REP_ERR_UNSUP || s->export.extended)
		return false;
	nbd_export_reset(s);
	return true;
}

const struct nbd_option_kind nbd_option_info = {
	.number = NBD_OPT_INFO,
	.name = "NBD_OPT_INFO",
	.waiting_for = "the answer to NBD_OPT_INFO",
	.wanted = info_wanted,
	.send = info_send,
	.part = NBD_REP_INFO,
	.part_min = 2,
	.part_max = NBD_MAX_OPTION_REPLY,
	.on_part = go_on_part,
	.on_ack = go_on_ack,
};

const struct nbd_option_kind nbd_option_go = {
	.number = NBD_OPT_GO,
	.name = "NBD_OPT_GO",
	.waiting_for = "the answer to NBD_OPT_GO",
	.wanted = go_wanted,
	.send = go_send,
	.part = NBD_REP_INFO,
	.part_min = 2,
	.part_max = NBD_MAX_OPTION_REPLY,
	.on_part = go_on_part,
	.on_ack = go_on_ack,
	.survives = go_survives,
};
