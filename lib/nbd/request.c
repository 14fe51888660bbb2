/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests on their way out ("Request message").  What the export does not
 * offer, or would be an error in any case, is refused here and never sent:
 * some servers die of it, others lose step.  The rest is sent straight from
 * the request and the caller's buffers.
 */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "nbd/session-private.h"

static const struct command_row {
	const char *name;	/* NULL: not for callers */
	uint16_t needs;		/* NBD_FLAG_... of the export; 0: none */
	uint16_t flags;		/* NBD_CMD_FLAG_... that it takes */
	bool writes;
	bool has_buffers;
} command_rows[] = {
	[NBD_CMD_READ] = { "read", 0, NBD_CMD_FLAG_DF, false, true },
	[NBD_CMD_WRITE] = { "write", 0, NBD_CMD_FLAG_FUA, true, true },
	[NBD_CMD_DISC] = { .name = NULL },
	[NBD_CMD_FLUSH] = { "flush", NBD_FLAG_SEND_FLUSH, 0, false, false },
	[NBD_CMD_TRIM] = { "trim", NBD_FLAG_SEND_TRIM, NBD_CMD_FLAG_FUA, true,
	    false },
	[NBD_CMD_CACHE] = { "cache", NBD_FLAG_SEND_CACHE, 0, false, false },
	[NBD_CMD_WRITE_ZEROES] = { "write-zeroes", NBD_FLAG_SEND_WRITE_ZEROES,
	    NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_NO_HOLE | NBD_CMD_FLAG_FAST_ZERO,
	    true, false },
	[NBD_CMD_BLOCK_STATUS] = { "block status", 0, NBD_CMD_FLAG_REQ_ONE,
	    false, false },
};

#define N_COMMANDS (sizeof command_rows / sizeof command_rows[0])

/* What the flags of a request need. */
static const struct flag_row {
	uint16_t flag;
	uint16_t needs;
} flag_rows[] = {
	{ NBD_CMD_FLAG_FUA, NBD_FLAG_SEND_FUA },
	{ NBD_CMD_FLAG_NO_HOLE, NBD_FLAG_SEND_WRITE_ZEROES },
	{ NBD_CMD_FLAG_DF, NBD_FLAG_SEND_DF },
	{ NBD_CMD_FLAG_FAST_ZERO, NBD_FLAG_SEND_FAST_ZERO },
};

#define N_FLAGS (sizeof flag_rows / sizeof flag_rows[0])

const char *
nbd_request_name(const struct nbd_request *req)
{
	return command_rows[req->command].name;
}

static bool
has_context(const struct nbd_session *s)
{
	for (uint32_t i = 0; i < s->n_contexts; i++) {
		if (s->contexts[i].selected)
			return true;
	}
	return false;
}

static int
check_offered(const struct nbd_session *s, const struct nbd_request *req,
    const struct command_row *row)
{
	uint16_t flags = s->export.flags;

	if (row->writes && (flags & NBD_FLAG_READ_ONLY))
		return -EROFS;
	if ((flags & row->needs) != row->needs ||
	    (req->flags & (uint16_t)~row->flags) != 0)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < N_FLAGS; i++) {
		if ((req->flags & flag_rows[i].flag) != 0 &&
		    (flags & flag_rows[i].needs) == 0)
			return -EOPNOTSUPP;
	}
	if (req->command == NBD_CMD_BLOCK_STATUS && !has_context(s))
		return -EOPNOTSUPP;
	return 0;
}

/* "Size constraints" bind only where they were told. */
static int
check_range(const struct nbd_export *export, const struct nbd_request *req)
{
	uint32_t align = export->block_size_told ? export->block_minimum : 1;

	if (req->command == NBD_CMD_FLUSH)
		return req->offset == 0 && req->length == 0 ? 0 : -EINVAL;
	if (req->length == 0 ||
	    !range_is_within(req->offset, req->length, 0, export->size) ||
	    req->offset % align != 0 || req->length % align != 0)
		return -EINVAL;
	return 0;
}

static int
check_buffers(const struct nbd_export *export, const struct nbd_request *req)
{
	bool is_late = req->command == NBD_CMD_READ && req->iov == NULL;
	uint64_t left = req->length;

	if (req->n_piped > (req->command == NBD_CMD_WRITE ? left : 0))
		return -EINVAL;
	left -= req->n_piped;
	for (int i = 0; i < req->n_iov; i++) {
		if (req->iov[i].iov_len > left)
			return -EINVAL;
		left -= req->iov[i].iov_len;
	}
	if (left > 0 && !is_late)
		return -EINVAL;
	return req->length > export->block_maximum ? -EMSGSIZE : 0;
}

static int
check_request(const struct nbd_session *s, const struct nbd_request *req)
{
	const struct command_row *row;
	int r;

	if (nbd_session_phase(s) != NBD_PHASE_READY || s->shutting_down)
		return -ENOTCONN;
	if ((size_t)req->command >= N_COMMANDS)
		return -EINVAL;
	row = &command_rows[req->command];
	if (row->name == NULL)
		return -EINVAL;
	r = check_offered(s, req, row);
	if (r < 0)
		return r;
	r = check_range(&s->export, req);
	if (r < 0)
		return r;
	if (req->length > UINT32_MAX && !s->export.extended)
		return -EMSGSIZE;
	return row->has_buffers ? check_buffers(&s->export, req) : 0;
}

static size_t
header_size(const struct nbd_session *s)
{
	return s->export.extended ? NBD_EXTENDED_REQUEST_SIZE :
				    NBD_REQUEST_SIZE;
}

/*
 * The two kinds differ in the magic and in the size of the length, which was
 * checked to fit.  With extended headers a flag says where the length is that
 * of a payload.
 */
static void
encode_header(const struct nbd_session *s, uint8_t *header,
    const struct nbd_request *req)
{
	bool extended = s->export.extended;
	uint16_t flags = req->flags;

	if (extended && req->command == NBD_CMD_WRITE)
		flags |= NBD_CMD_FLAG_PAYLOAD_LEN;
	put_be32(header,
	    extended ? NBD_EXTENDED_REQUEST_MAGIC : NBD_REQUEST_MAGIC);
	put_be16(header + 4, flags);
	put_be16(header + 6, (uint16_t)req->command);
	put_be64(header + 8, req->cookie);
	put_be64(header + 16, req->offset);
	if (extended)
		put_be64(header + 24, req->length);
	else
		put_be32(header + 24, (uint32_t)req->length);
}

static void
request_reset(const struct nbd_session *s, struct nbd_request *req)
{
	req->error = 0;
	req->message[0] = '\0';
	req->got_chunk = false;
	req->got_content = false;
	req->contiguous = 0;
	req->contexts_seen = 0;
	req->bytes_sent = 0;
	if (req->command != NBD_CMD_BLOCK_STATUS)
		return;
	for (uint32_t i = 0; i < s->n_contexts; i++)
		req->extents[i].n = 0;
}

int
nbd_session_submit(struct nbd_session *s, struct nbd_request *req)
{
	int r;

	r = check_request(s, req);
	if (r < 0)
		return r;
	r = nbd_inflight_add(s, req);
	if (r < 0)
		return r;
	request_reset(s, req);
	req->header_size = (uint8_t)header_size(s);
	encode_header(s, req->header, req);
	list_append(&s->queue, &req->node);
	return 0;
}

static uint64_t
wire_size(const struct nbd_request *req)
{
	return req->header_size +
	    (req->command == NBD_CMD_WRITE ? req->length : 0);
}

bool
nbd_request_is_sent(const struct nbd_request *req)
{
	return req->bytes_sent == wire_size(req);
}

/* What is left of [p, p+len) after *skip bytes, which are used up. */
static int
output_piece(struct iovec *iov, void *p, size_t len, uint64_t *skip)
{
	size_t skipped = *skip < len ? (size_t)*skip : len;

	*skip -= skipped;
	if (skipped == len)
		return 0;
	iov->iov_base = (uint8_t *)p + skipped;
	iov->iov_len = len - skipped;
	return 1;
}

static int
output_request(struct nbd_request *req, struct iovec *iov, int n, int max)
{
	uint64_t skip = req->bytes_sent;

	if (n < max)
		n += output_piece(&iov[n], req->header, req->header_size,
		    &skip);
	if (req->command != NBD_CMD_WRITE)
		return n;
	for (int i = 0; i < req->n_iov && n < max; i++)
		n += output_piece(&iov[n], req->iov[i].iov_base,
		    req->iov[i].iov_len, &skip);
	return n;
}

int
nbd_request_output(const struct nbd_session *s, struct iovec *iov, int n,
    int max)
{
	for (struct list *l = s->queue.next; l != &s->queue && n < max;
	     l = l->next) {
		struct nbd_request *req = list_entry(l, struct nbd_request,
		    node);

		n = output_request(req, iov, n, max);
		/* What is piped comes before the next request. */
		if (req->n_piped > 0)
			break;
	}
	return n;
}

uint64_t
nbd_request_output_piped(const struct nbd_session *s,
    struct nbd_request **ret_req)
{
	struct nbd_request *req;
	uint64_t left;

	if (list_is_empty(&s->queue))
		return 0;
	req = list_entry(s->queue.next, struct nbd_request, node);
	left = wire_size(req) - req->bytes_sent;
	if (req->command != NBD_CMD_WRITE || left > req->n_piped)
		return 0;
	*ret_req = req;
	return left;
}

void
nbd_request_sent(struct nbd_session *s, size_t n)
{
	while (n > 0 && !list_is_empty(&s->queue)) {
		struct nbd_request *req = list_entry(s->queue.next,
		    struct nbd_request, node);
		uint64_t left = wire_size(req) - req->bytes_sent;

		if (n < left) {
			req->bytes_sent += n;
			return;
		}
		req->bytes_sent += left;
		n -= (size_t)left;
		list_remove(&req->node);
		if (req->tells_sent)
			list_append(&s->sent, &req->node);
	}
}

/* It takes no flags: a server that sees any may answer and stay. */
void
nbd_request_disconnect(struct nbd_session *s)
{
	const struct nbd_request disc = {
		.command = NBD_CMD_DISC,
		.cookie = ++s->inflight.n_ever << NBD_COOKIE_INDEX_BITS,
	};

	encode_header(s, nbd_session_append(s, header_size(s)), &disc);
}
