/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "unit.h"

#define MAX_IOV 4

static const size_t cuts[SCRIPT_N_CUTS] = { 1, 13, SIZE_MAX };

static const char *const contexts[] = { "base:allocation", "x:dirty" };

void
script_open(struct script *script, const struct nbd_session_options *options,
    int cut)
{
	memset(script, 0, sizeof *script);
	script->cut = cuts[cut];
	script->said = malloc(SCRIPT_ROOM);
	script->heard = malloc(SCRIPT_ROOM);
	ck_assert_ptr_nonnull(script->said);
	ck_assert_ptr_nonnull(script->heard);
	ck_assert_int_eq(nbd_session_new(options, &script->s), 0);
}

void
script_close(struct script *script)
{
	nbd_session_free(script->s);
	free(script->said);
	free(script->heard);
}

void
say_bytes(struct script *script, const void *p, size_t n)
{
	ck_assert_uint_le(n, SCRIPT_ROOM - script->n_said);
	memcpy(script->said + script->n_said, p, n);
	script->n_said += n;
}

void
say_text(struct script *script, const char *text)
{
	say_bytes(script, text, strlen(text));
}

void
say_zeroes(struct script *script, size_t n)
{
	while (n-- > 0)
		say8(script, 0);
}

void
say8(struct script *script, uint8_t v)
{
	say_bytes(script, &v, 1);
}

void
say16(struct script *script, uint16_t v)
{
	uint8_t p[2];

	put_be16(p, v);
	say_bytes(script, p, sizeof p);
}

void
say32(struct script *script, uint32_t v)
{
	uint8_t p[4];

	put_be32(p, v);
	say_bytes(script, p, sizeof p);
}

void
say64(struct script *script, uint64_t v)
{
	uint8_t p[8];

	put_be64(p, v);
	say_bytes(script, p, sizeof p);
}

void
say_greeting(struct script *script, uint16_t flags)
{
	say64(script, NBD_MAGIC);
	say64(script, NBD_OPTION_MAGIC);
	say16(script, flags);
}

void
say_option(struct script *script, uint32_t option, uint32_t type,
    uint32_t length)
{
	say64(script, NBD_OPTION_REPLY_MAGIC);
	say32(script, option);
	say32(script, type);
	say32(script, length);
}

void
say_ack(struct script *script, uint32_t option)
{
	say_option(script, option, NBD_REP_ACK, 0);
}

void
say_refusal(struct script *script, uint32_t option, uint32_t error,
    const char *message)
{
	say_option(script, option, error, (uint32_t)strlen(message));
	say_text(script, message);
}

void
say_info_export(struct script *script, uint64_t size, uint16_t flags)
{
	say_option(script, NBD_OPT_GO, NBD_REP_INFO, 12);
	say16(script, NBD_INFO_EXPORT);
	say64(script, size);
	say16(script, flags);
}

void
say_info_block_size(struct script *script, uint32_t minimum,
    uint32_t preferred, uint32_t maximum)
{
	say_option(script, NBD_OPT_GO, NBD_REP_INFO, 14);
	say16(script, NBD_INFO_BLOCK_SIZE);
	say32(script, minimum);
	say32(script, preferred);
	say32(script, maximum);
}

void
say_context(struct script *script, uint32_t id, const char *name)
{
	say_option(script, NBD_OPT_SET_META_CONTEXT, NBD_REP_META_CONTEXT,
	    (uint32_t)(4 + strlen(name)));
	say32(script, id);
	say_text(script, name);
}

void
say_simple(struct script *script, const struct nbd_request *req,
    uint32_t error)
{
	say32(script, NBD_SIMPLE_REPLY_MAGIC);
	say32(script, error);
	say64(script, req->cookie);
}

void
say_chunk(struct script *script, const struct nbd_request *req,
    uint16_t flags, uint16_t type, uint32_t length)
{
	say32(script, script->extended ? NBD_EXTENDED_REPLY_MAGIC :
					 NBD_STRUCTURED_REPLY_MAGIC);
	say16(script, flags);
	say16(script, type);
	say64(script, req->cookie);
	if (script->extended) {
		say64(script, req->offset);
		say64(script, length);
	} else {
		say32(script, length);
	}
}

void
say_data(struct script *script, const struct nbd_request *req, uint16_t flags,
    uint64_t offset, const void *p, uint32_t n)
{
	say_chunk(script, req, flags, NBD_REPLY_TYPE_OFFSET_DATA, 8 + n);
	say64(script, offset);
	say_bytes(script, p, n);
}

void
say_hole(struct script *script, const struct nbd_request *req, uint16_t flags,
    uint64_t offset, uint32_t n)
{
	say_chunk(script, req, flags, NBD_REPLY_TYPE_OFFSET_HOLE, 12);
	say64(script, offset);
	say32(script, n);
}

void
say_error(struct script *script, const struct nbd_request *req,
    uint16_t flags, uint32_t error, const char *message)
{
	say_chunk(script, req, flags, NBD_REPLY_TYPE_ERROR,
	    (uint32_t)(6 + strlen(message)));
	say32(script, error);
	say16(script, (uint16_t)strlen(message));
	say_text(script, message);
}

void
say_done(struct script *script, const struct nbd_request *req)
{
	say_chunk(script, req, NBD_REPLY_FLAG_DONE, NBD_REPLY_TYPE_NONE, 0);
}

/* As readv() does it; returns the bytes taken. */
static size_t
scatter(const struct iovec *iov, int n_iov, const uint8_t *p, size_t n)
{
	size_t taken = 0;

	for (int i = 0; i < n_iov && taken < n; i++) {
		size_t len = iov[i].iov_len;

		ck_assert_uint_gt(len, 0);
		if (len > n - taken)
			len = n - taken;
		memcpy(iov[i].iov_base, p + taken, len);
		taken += len;
	}
	return taken;
}

void
script_tell(struct script *script)
{
	struct nbd_arrival arrival;
	struct nbd_request *req;
	size_t told = 0;

	while (told < script->n_said) {
		struct iovec iov[2];
		int n_iov = nbd_session_input(script->s, iov);
		size_t n = script->n_said - told;

		if (n_iov == 0)
			break;
		if (n > script->cut)
			n = script->cut;
		n = scatter(iov, n_iov, script->said + told, n);
		told += n;
		nbd_session_received(script->s, n);
	}
	/* What waits for a place, or is piped, is told later. */
	script->n_said -= told;
	memmove(script->said, script->said + told, script->n_said);
	if (!nbd_session_wants_place(script->s, &arrival) &&
	    nbd_session_input_piped(script->s, &req) == 0)
		script->n_said = 0;
}

static void
keep(struct script *script, const struct iovec *iov, size_t n)
{
	for (; n > 0; iov++) {
		size_t len = iov->iov_len < n ? iov->iov_len : n;

		ck_assert_uint_gt(len, 0);
		ck_assert_uint_le(len, SCRIPT_ROOM - script->n_heard);
		memcpy(script->heard + script->n_heard, iov->iov_base, len);
		script->n_heard += len;
		n -= len;
	}
}

void
script_listen(struct script *script)
{
	struct iovec iov[MAX_IOV];
	/* Few places at a time, too. */
	int max = script->cut == SIZE_MAX ? MAX_IOV : 1;

	while (nbd_session_has_output(script->s)) {
		int n_iov = nbd_session_output(script->s, iov, max);
		size_t n = 0;

		ck_assert_int_gt(n_iov, 0);
		ck_assert_int_le(n_iov, max);
		for (int i = 0; i < n_iov; i++)
			n += iov[i].iov_len;
		if (n > script->cut)
			n = script->cut;
		keep(script, iov, n);
		nbd_session_sent(script->s, n);
	}
	ck_assert_int_eq(nbd_session_output(script->s, iov, max), 0);
}

void
script_forget(struct script *script)
{
	script_listen(script);
	script->n_heard = 0;
}

/* Take n bytes off what was heard. */
static void
drop_heard(struct script *script, size_t n)
{
	script->n_heard -= n;
	memmove(script->heard, script->heard + n, script->n_heard);
}

void
hear_bytes(struct script *script, const void *p, size_t n)
{
	script_listen(script);
	ck_assert_uint_ge(script->n_heard, n);
	ck_assert_mem_eq(script->heard, p, n);
	drop_heard(script, n);
}

void
hear_nothing(struct script *script)
{
	script_listen(script);
	ck_assert_uint_eq(script->n_heard, 0);
}

void
hear_flags(struct script *script, uint32_t flags)
{
	uint8_t p[4];

	put_be32(p, flags);
	hear_bytes(script, p, sizeof p);
}

const uint8_t *
hear_option(struct script *script, uint32_t option, size_t *ret_len)
{
	static uint8_t data[128 * 1024];
	size_t len;

	script_listen(script);
	ck_assert_uint_ge(script->n_heard, 16);
	ck_assert_uint_eq(get_be64(script->heard), NBD_OPTION_MAGIC);
	ck_assert_uint_eq(get_be32(script->heard + 8), option);
	len = get_be32(script->heard + 12);
	ck_assert_uint_ge(script->n_heard, 16 + len);
	memcpy(data, script->heard + 16, len);
	drop_heard(script, 16 + len);
	*ret_len = len;
	return data;
}

void
hear_empty_option(struct script *script, uint32_t option)
{
	size_t len;

	(void)hear_option(script, option, &len);
	ck_assert_uint_eq(len, 0);
}

void
hear_request(struct script *script, const struct nbd_request *req)
{
	uint8_t header[32];
	uint16_t flags = req->flags;

	if (script->extended && req->command == NBD_CMD_WRITE)
		flags |= NBD_CMD_FLAG_PAYLOAD_LEN;
	put_be32(header, script->extended ? NBD_EXTENDED_REQUEST_MAGIC :
					    NBD_REQUEST_MAGIC);
	put_be16(header + 4, flags);
	put_be16(header + 6, (uint16_t)req->command);
	put_be64(header + 8, req->cookie);
	put_be64(header + 16, req->offset);
	if (script->extended)
		put_be64(header + 24, req->length);
	else
		put_be32(header + 24, (uint32_t)req->length);
	hear_bytes(script, header, script->extended ? 32 : 28);
}

static void
say_disk(struct script *script, const struct disk_kind *kind)
{
	if (kind->extended)
		say_ack(script, NBD_OPT_EXTENDED_HEADERS);
	else if (kind->structured)
		say_ack(script, NBD_OPT_STRUCTURED_REPLY);
	if (kind->n_contexts > 0) {
		for (size_t i = 0; i < kind->n_contexts; i++)
			say_context(script, (uint32_t)i, contexts[i]);
		say_ack(script, NBD_OPT_SET_META_CONTEXT);
	}
	say_info_export(script, kind->extended ? HUGE_SIZE : DISK_SIZE,
	    (uint16_t)(kind->flags | NBD_FLAG_HAS_FLAGS));
	if (kind->minimum > 0)
		say_info_block_size(script, kind->minimum, 4096,
		    kind->maximum);
	say_ack(script, NBD_OPT_GO);
}

void
script_open_disk(struct script *script, const struct disk_kind *kind, int cut)
{
	struct nbd_session_options options = {
		.export_name = "disk",
		.contexts = contexts,
		.n_contexts = kind->n_contexts,
		.no_structured = !kind->structured && !kind->extended,
		.no_extended = !kind->extended,
	};

	script_open(script, &options, cut);
	script->extended = kind->extended;
	say_greeting(script, FIXED);
	say_disk(script, kind);
	script_tell(script);
	expect_phase(script, NBD_PHASE_READY);
	script_forget(script);
}

void
script_submit(struct script *script, struct nbd_request *req)
{
	ck_assert_int_eq(nbd_session_submit(script->s, req), 0);
	script_forget(script);
}

void
expect_done(struct script *script, struct nbd_request *req, int error)
{
	ck_assert_ptr_eq(nbd_session_reap(script->s), req);
	ck_assert_int_eq(req->error, error);
}

void
expect_none_done(struct script *script)
{
	ck_assert_ptr_null(nbd_session_reap(script->s));
}

void
expect_phase(struct script *script, enum nbd_phase phase)
{
	const char *text;

	(void)nbd_session_failure(script->s, &text);
	ck_assert_msg(nbd_session_phase(script->s) == phase, "phase %d: %s",
	    (int)nbd_session_phase(script->s), text);
}

/* Nothing more is sent, but for NBD_OPT_ABORT at the end. */
static void
expect_goodbye_at_most(struct script *script)
{
	const uint8_t *end;

	if (!nbd_session_has_output(script->s))
		return;
	script_listen(script);
	ck_assert_uint_ge(script->n_heard, 16);
	end = script->heard + script->n_heard;
	ck_assert_uint_eq(get_be64(end - 16), NBD_OPTION_MAGIC);
	ck_assert_uint_eq(get_be32(end - 8), NBD_OPT_ABORT);
}

void
expect_failure(struct script *script, enum nbd_failure why, const char *text)
{
	struct iovec iov[2];
	const char *said;

	expect_phase(script, NBD_PHASE_FAILED);
	ck_assert_int_eq(nbd_session_failure(script->s, &said), why);
	ck_assert_msg(strstr(said, text) != NULL, "'%s' is not in '%s'", text,
	    said);
	ck_assert_uint_eq(nbd_session_in_flight(script->s), 0);
	ck_assert_int_eq(nbd_session_input(script->s, iov), 0);
	expect_goodbye_at_most(script);
}
