/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations: what they need, and how they become requests.
 *
 * What the server does not offer is refused before the first piece, not by
 * it, so that nothing was written then.  The caller's buffers are cut into a
 * list of iovecs of our own that point into them: nothing is copied.  The
 * first piece that fails stops the operation: no more are sent, and it is
 * over when those in flight are back, since their buffers are the caller's
 * again then.
 *
 * A server may find a request without buffers too large, whatever it said of
 * its sizes ("Size constraints"): then the operation waits for what is in
 * flight, so that no two requests overlap, and goes on from there with smaller
 * pieces.  Some of the range is asked for twice then, which does no harm.
 *
 * Block status goes one request at a time, since only the reply says from
 * where to ask on.  How much is asked for follows the replies: where there is
 * little to tell, ever more, and where there is more than is kept of a reply,
 * only as much as was kept.
 */
#include "client/op.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "client/disk.h"
#include "client/errors.h"

#define MiB (1024U * 1024)

/* What one block status asks for at most; whole blocks of any size. */
#define MAX_STATUS_PIECE     (UINT32_MAX - 65535ULL)
#define MAX_STATUS_PIECE_EXT (1ULL << 50)

/* Flags go to the server as they are. */
_Static_assert(NBDCLIENT_FUA == NBD_CMD_FLAG_FUA &&
    NBDCLIENT_NO_HOLE == NBD_CMD_FLAG_NO_HOLE &&
    NBDCLIENT_DF == NBD_CMD_FLAG_DF &&
    NBDCLIENT_FAST_ZERO == NBD_CMD_FLAG_FAST_ZERO, "other flags");

static const struct kind_row {
	const char *verb;
	enum nbd_command command;
	uint32_t piece_size;
	bool has_payload;		/* the server's maximum block binds */
	bool writes;
	unsigned flags;			/* that it takes */
	unsigned needs;			/* NBD_FLAG_...; 0: nothing */
	const char *what;		/* that is offered then */
} kinds[] = {
	/* clang-format off */
	[OP_READ] = { "read", NBD_CMD_READ, MiB, true, false,
	    NBDCLIENT_DF, 0, "" },
	[OP_WRITE] = { "write", NBD_CMD_WRITE, MiB, true, true,
	    NBDCLIENT_FUA, 0, "" },
	[OP_FLUSH] = { "flush", NBD_CMD_FLUSH, MiB, false, false,
	    0, NBD_FLAG_SEND_FLUSH, "flush" },
	[OP_TRIM] = { "trim", NBD_CMD_TRIM, 128 * MiB, false, true,
	    NBDCLIENT_FUA, NBD_FLAG_SEND_TRIM, "trim" },
	[OP_ZERO] = { "zero", NBD_CMD_WRITE_ZEROES, 128 * MiB, false, true,
	    NBDCLIENT_FUA | NBDCLIENT_NO_HOLE | NBDCLIENT_FAST_ZERO,
	    NBD_FLAG_SEND_WRITE_ZEROES, "write-zeroes" },
	[OP_CACHE] = { "cache", NBD_CMD_CACHE, MiB, true, false,
	    0, NBD_FLAG_SEND_CACHE, "cache" },
	[OP_STATUS] = { "map", NBD_CMD_BLOCK_STATUS, 1024 * MiB, false, false,
	    0, 0, "" },
	/* clang-format on */
};

/* Flags that the server must have offered. */
static const struct {
	unsigned flag;
	unsigned needs;
	const char *what;
} flag_rows[] = {
	{ NBDCLIENT_FUA, NBD_FLAG_SEND_FUA, "FUA" },
	{ NBDCLIENT_DF, NBD_FLAG_SEND_DF, "reads in one piece" },
	{ NBDCLIENT_FAST_ZERO, NBD_FLAG_SEND_FAST_ZERO, "fast zeroes" },
};

#define N_FLAG_ROWS (sizeof flag_rows / sizeof flag_rows[0])

const char *
op_verb(enum op_kind kind)
{
	return kinds[kind].verb;
}

static int
error_unimplemented(const struct op *op, const char *what,
    struct nbdclient_error *err)
{
	return client_error_set(err, NBDCLIENT_UNIMPLEMENTED, EOPNOTSUPP,
	    "cannot %s %s: the server offers no %s", op_verb(op->kind),
	    op->name, what);
}

static int
error_invalid(const struct op *op, const char *why,
    struct nbdclient_error *err)
{
	return client_error_set(err, NBDCLIENT_INVALID, EINVAL,
	    "cannot %s %s: %s", op_verb(op->kind), op->name, why);
}

static int
check_offered(const struct op *op, unsigned flags,
    struct nbdclient_error *err)
{
	const struct kind_row *row = &kinds[op->kind];
	const unsigned offered = op->export->flags;
	size_t i;

	if (row->writes && (offered & NBD_FLAG_READ_ONLY) != 0)
		return client_error_set(err, NBDCLIENT_READ_ONLY, EROFS,
		    "cannot %s %s: it is read-only", row->verb, op->name);
	if ((flags & ~row->flags) != 0)
		return error_invalid(op, "a flag that it does not take", err);
	if ((offered & row->needs) != row->needs)
		return error_unimplemented(op, row->what, err);
	for (i = 0; i < N_FLAG_ROWS; i++) {
		if ((flags & flag_rows[i].flag) != 0 &&
		    (offered & flag_rows[i].needs) == 0)
			return error_unimplemented(op, flag_rows[i].what, err);
	}
	return 0;
}

/*
 * "The last buffer ends with it": only where the disk ends may a buffer, and
 * then the last one, be no whole number of sectors.
 */
static int
check_buffers(struct op *op, const struct op_params *p, uint64_t room,
    struct nbdclient_error *err)
{
	const uint32_t sector = disk_sector_size(op->export);
	uint64_t total = 0;
	int i;

	if (p->n_iov < 0)
		return error_invalid(op, "a negative number of buffers", err);
	for (i = 0; i < p->n_iov; i++) {
		if (p->iov[i].iov_len > room - total)
			return error_invalid(op, "it would reach beyond the "
			    "end of the disk", err);
		total += p->iov[i].iov_len;
		if (p->iov[i].iov_len % sector != 0 &&
		    (i != p->n_iov - 1 || total != room))
			return error_invalid(op, "a buffer is not a whole "
			    "number of sectors", err);
	}
	op->left = total;
	return 0;
}

static int
check_sectors(struct op *op, const struct op_params *p, uint64_t room,
    struct nbdclient_error *err)
{
	const uint32_t sector = disk_sector_size(op->export);

	if (p->n_sectors > room / sector + (room % sector != 0))
		return error_invalid(op, "it would reach beyond the end of "
		    "the disk", err);
	op->left = p->n_sectors * sector;
	if (op->left > room)
		op->left = room;
	return 0;
}

static int
check_range(struct op *op, const struct op_params *p,
    struct nbdclient_error *err)
{
	const struct nbd_export *x = op->export;
	const uint32_t size = disk_sector_size(x);
	int code;

	if (p->sector > x->size / size + (x->size % size != 0))
		return error_invalid(op, "it would begin beyond the end of "
		    "the disk", err);
	op->offset = p->sector * size;
	if (op->offset > x->size)
		op->offset = x->size;
	if (op->kind == OP_READ || op->kind == OP_WRITE)
		code = check_buffers(op, p, x->size - op->offset, err);
	else
		code = check_sectors(op, p, x->size - op->offset, err);
	if (code != 0)
		return code;
	/* "Size constraints": no request may end between two blocks. */
	if ((op->offset + op->left) % x->block_minimum != 0)
		return error_invalid(op, "the disk ends in less than the "
		    "server's minimum block, which no request can reach", err);
	return 0;
}

/* Pieces are whole blocks, and no larger than the server takes. */
static uint32_t
piece_size(const struct nbd_export *x, const struct kind_row *row)
{
	uint32_t size = row->piece_size;

	if (row->has_payload && size > x->block_maximum)
		size = x->block_maximum;
	size -= size % x->block_minimum;
	return size;
}

static int
error_memory(const struct op *op, struct nbdclient_error *err)
{
	return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
	    "cannot %s %s: out of memory", op_verb(op->kind), op->name);
}

/* In the worst case each piece cuts one buffer in two. */
static int
prepare_buffers(struct op *op, const struct op_params *p,
    struct nbdclient_error *err)
{
	const size_t n_iov = (size_t)p->n_iov;
	const uint64_t n_cuts = op->left / op->piece_size + 1 + n_iov;

	op->iov = op->few;
	if (n_cuts + n_iov > OP_FEW_CUTS) {
		op->many = calloc(n_cuts + n_iov, sizeof *op->many);
		if (op->many == NULL)
			return error_memory(op, err);
		op->iov = op->many;
	}
	if (n_iov > 0)
		memcpy(op->iov, p->iov, n_iov * sizeof *p->iov);
	op->cuts = op->iov + n_iov;
	return 0;
}

static int
prepare_status(struct op *op, const struct op_params *p,
    struct nbdclient_error *err)
{
	const struct nbd_export *x = op->export;
	size_t n = 0;
	size_t i;

	op->extents = calloc(x->n_contexts + 1, sizeof *op->extents);
	op->tellings = calloc(x->n_contexts + 1, sizeof *op->tellings);
	if (op->extents == NULL || op->tellings == NULL)
		return error_memory(op, err);
	op->n_contexts = x->n_contexts;
	for (i = 0; i < x->n_contexts; i++) {
		if (x->contexts[i] == NULL || (p->context != NULL &&
		    strcmp(x->contexts[i], p->context) != 0))
			continue;
		op->tellings[i].context = x->contexts[i];
		op->tellings[i].from = op->offset;
		n++;
	}
	if (n == 0)
		return error_unimplemented(op, p->context == NULL ?
		    "block status" : "block status of this context, or it was "
		    "not asked for", err);
	op->on_extent = p->on_extent;
	op->extent_arg = p->extent_arg;
	return 0;
}

static uint64_t
max_status_piece(const struct op *op)
{
	return op->export->extended ? MAX_STATUS_PIECE_EXT : MAX_STATUS_PIECE;
}

static int
op_prepare(struct op *op, const struct op_params *p,
    struct nbdclient_error *err)
{
	int code;

	code = check_offered(op, p->flags, err);
	if (code != 0)
		return code;
	if (op->kind == OP_FLUSH) {
		op->flush_is_due = true;
		return 0;
	}
	code = check_range(op, p, err);
	if (code != 0)
		return code;
	op->piece_size = piece_size(op->export, &kinds[op->kind]);
	op->piece_limit = op->kind == OP_STATUS ? max_status_piece(op) :
	    op->piece_size;
	if (op->kind == OP_READ || op->kind == OP_WRITE)
		return prepare_buffers(op, p, err);
	if (op->kind == OP_STATUS)
		return prepare_status(op, p, err);
	return 0;
}

int
op_new(const struct nbd_export *export, const char *name,
    const struct op_params *params, struct op **ret_op,
    struct nbdclient_error *err)
{
	struct op *op;
	int code;

	op = malloc(sizeof *op);
	if (op == NULL)
		return client_error_set(err, NBDCLIENT_NO_MEMORY, ENOMEM,
		    "cannot %s %s: out of memory", op_verb(params->kind),
		    name);
	/* The error is most of it, and seldom needed. */
	memset(op, 0, offsetof(struct op, error));
	list_init(&op->all);
	list_init(&op->queued);
	op->export = export;
	op->name = name;
	op->kind = params->kind;
	op->flags = (uint16_t)params->flags;
	op->redo_from = UINT64_MAX;
	code = op_prepare(op, params, err);
	if (code != 0)
		op_free(op);
	else
		*ret_op = op;
	return code;
}

void
op_free(struct op *op)
{
	size_t i;

	for (i = 0; op->extents != NULL && i < op->n_contexts; i++)
		free(op->extents[i].v);
	free(op->extents);
	free(op->tellings);
	free(op->many);
	free(op);
}

bool
op_has_piece(const struct op *op)
{
	if (op->code != 0 || op->is_lost || op->redo_from != UINT64_MAX)
		return false;
	if (op->kind == OP_STATUS && op->n_in_flight > 0)
		return false;
	return op->left > 0 || op->flush_is_due;
}

bool
op_is_over(const struct op *op)
{
	if (op->n_in_flight > 0 || op->is_lost)
		return false;
	return op->code != 0 || (op->left == 0 && !op->flush_is_due);
}

/* The buffers of one piece, from where the piece before ended. */
static void
op_cut(struct op *op, struct nbd_request *req)
{
	uint64_t left = req->length;

	req->iov = &op->cuts[op->n_cuts];
	req->n_iov = 0;
	while (left > 0) {
		struct iovec *cut = &op->cuts[op->n_cuts];
		size_t len = op->iov->iov_len - op->iov_done;

		if (len > left)
			len = left;
		cut->iov_base = (char *)op->iov->iov_base + op->iov_done;
		cut->iov_len = len;
		left -= (uint32_t)len;
		op->iov_done += len;
		if (len > 0) {
			op->n_cuts++;
			req->n_iov++;
		}
		if (op->iov_done == op->iov->iov_len) {
			op->iov++;
			op->iov_done = 0;
		}
	}
}

void
op_next_piece(struct op *op, struct nbd_request *req)
{
	req->command = kinds[op->kind].command;
	req->flags = op->flags;
	req->offset = op->offset;
	req->length = op->left < op->piece_size ? op->left : op->piece_size;
	req->extents = op->extents;
	req->owner = op;
	if (op->kind == OP_READ || op->kind == OP_WRITE)
		op_cut(op, req);
}

void
op_sent(struct op *op, const struct nbd_request *req)
{
	op->n_in_flight++;
	op->flush_is_due = false;
	if (op->kind == OP_STATUS)
		return;
	op->offset += req->length;
	op->left -= req->length;
}

static void
op_fail_piece(struct op *op, int code, const struct nbd_request *req,
    int error, const char *message)
{
	const char *why = strerrordesc_np(-error);
	const char *colon = message[0] == '\0' ? "" : ": ";

	if (op->code != 0 && req->offset >= op->error_offset)
		return;
	if (why == NULL)
		why = "unknown error";
	op->error_offset = req->offset;
	if (op->kind == OP_FLUSH)
		op->code = client_error_set(&op->error, code, -error,
		    "cannot flush %s: %s%s%s", op->name, why, colon, message);
	else
		op->code = client_error_set(&op->error, code, -error,
		    "cannot %s %" PRIu64 " bytes at offset %" PRIu64
		    " of %s: %s%s%s", op_verb(op->kind), req->length,
		    req->offset, op->name, why, colon, message);
}

void
op_refused(struct op *op, const struct nbd_request *req, int error)
{
	op_fail_piece(op, error == -ENOMEM ? NBDCLIENT_NO_MEMORY :
	    NBDCLIENT_INVALID, req, error, "");
}

/* Neighbours with the same flags are told as one, also of two replies. */
static void
op_tell(const struct op *op, struct op_telling *t, uint64_t length,
    uint64_t flags)
{
	const struct op_telling before = *t;

	if (before.length > 0 && length > 0 && flags == before.flags) {
		t->length += length;
		return;
	}
	t->from += before.length;
	t->length = length;
	t->flags = flags;
	if (before.length > 0)
		op->on_extent(op->extent_arg, before.context, before.from,
		    before.length, before.flags);
}

/* How much of the rest the extents tell of, in whole blocks. */
static uint64_t
extents_length(const struct op *op, const struct nbd_extents *extents)
{
	uint64_t length = 0;
	size_t i;

	for (i = 0; i < extents->n && length < op->left; i++)
		length += extents->v[i].length;
	if (length >= op->left)
		return op->left;
	return length - length % op->export->block_minimum;
}

/* How much of the rest all contexts tell of; and the most extents of one. */
static uint64_t
op_told_length(const struct op *op, size_t *ret_n)
{
	uint64_t told = op->left;
	uint64_t length;
	size_t i;

	*ret_n = 0;
	for (i = 0; i < op->n_contexts; i++) {
		if (op->tellings[i].context == NULL)
			continue;
		length = extents_length(op, &op->extents[i]);
		if (length < told)
			told = length;
		if (op->extents[i].n > *ret_n)
			*ret_n = op->extents[i].n;
	}
	return told;
}

/* told bytes of the request's were told, in n extents. */
static void
op_fit_status_piece(struct op *op, const struct nbd_request *req,
    uint64_t told, size_t n)
{
	if (n == NBD_MAX_EXTENTS)
		op->piece_size = told;
	else if (told >= req->length && n < NBD_MAX_EXTENTS / 2)
		op->piece_size *= 2;
	if (op->piece_size > op->piece_limit)
		op->piece_size = op->piece_limit;
}

/* The next left bytes of one context; behind the last is nothing. */
static void
op_tell_context(const struct op *op, size_t context, uint64_t left,
    const bool *stop)
{
	const struct nbd_extents *extents = &op->extents[context];
	struct op_telling *t = &op->tellings[context];
	uint64_t length;
	size_t i;

	for (i = 0; left > 0 && !*stop; i++) {
		length = extents->v[i].length;
		if (length > left)
			length = left;
		op_tell(op, t, length, extents->v[i].flags);
		left -= length;
	}
	if (op->left == 0 && !*stop)
		op_tell(op, t, 0, 0);
}

static void
op_take_extents(struct op *op, const struct nbd_request *req,
    const bool *stop)
{
	uint64_t told;
	size_t n;
	size_t i;

	told = op_told_length(op, &n);
	if (told == 0) {
		op_fail_piece(op, NBDCLIENT_PROTOCOL, req, -EPROTO,
		    "the server told of less than a block");
		return;
	}
	op_fit_status_piece(op, req, told, n);
	op->offset += told;
	op->left -= told;
	for (i = 0; i < op->n_contexts && !*stop; i++) {
		if (op->tellings[i].context != NULL)
			op_tell_context(op, i, told, stop);
	}
}

/*
 * What to try instead of length bytes: what is sure to be taken of payload,
 * then less and less; 0: nothing.  Whole blocks.
 */
static uint64_t
smaller_piece(const struct nbd_export *x, uint64_t length)
{
	uint64_t size = length > x->block_maximum ? x->block_maximum :
	    length / 2;

	size -= size % x->block_minimum;
	if (size < x->block_preferred)
		size = x->block_preferred;
	return size < length ? size : 0;
}

/* A piece was refused: was it too large?  Then less is to be tried. */
static bool
op_try_smaller(struct op *op, const struct nbd_request *req)
{
	const bool has_buffers = op->kind == OP_READ || op->kind == OP_WRITE;
	uint64_t size = smaller_piece(op->export, req->length);

	if ((req->error != -EINVAL && req->error != -EOVERFLOW) ||
	    has_buffers || size == 0)
		return false;
	if (op->piece_limit > size)
		op->piece_limit = size;
	if (op->piece_size > size)
		op->piece_size = size;
	if (op->redo_from > req->offset)
		op->redo_from = req->offset;
	return true;
}

static void
op_redo(struct op *op)
{
	op->left += op->offset - op->redo_from;
	op->offset = op->redo_from;
	op->redo_from = UINT64_MAX;
}

void
op_completed(struct op *op, const struct nbd_request *req, const bool *stop)
{
	op->n_in_flight--;
	if (req->error == -ENOTCONN)
		op->is_lost = true;
	else if (req->error != 0 && !op_try_smaller(op, req))
		op_fail_piece(op, NBDCLIENT_IO, req, req->error, req->message);
	else if (req->error == 0 && op->kind == OP_STATUS)
		op_take_extents(op, req, stop);
	if (op->redo_from != UINT64_MAX && op->n_in_flight == 0)
		op_redo(op);
}

void
op_fail(struct op *op, int code, int errnum, const char *text)
{
	op->code = client_error_set(&op->error, code, errnum,
	    "cannot %s %s: %s", op_verb(op->kind), op->name, text);
}
