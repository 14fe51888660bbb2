/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See crash-vfs.h.  Shared memory for the WAL's index is plain memory, and
 * locks are always had: there is one connection.
 */
#include "crash-vfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILES   8
#define NAME_SIZE   512
#define SECTOR	    512
#define MAX_REGIONS 16

struct file {
	char name[NAME_SIZE];
	bool exists;
	uint8_t *data;
	size_t len;
};

enum change_kind {
	CHANGE_WRITE,
	CHANGE_TRUNCATE,
	CHANGE_SYNC,
	CHANGE_DELETE,
};

struct change {
	enum change_kind kind;
	unsigned file;
	bool is_of_directory;		/* a deletion that is durable at once; a
					   sync that makes others so */
	size_t offset;
	size_t len;
	uint8_t *data;
};

struct handle {
	sqlite3_file base;		/* first: SQLite's */
	struct file *file;
	bool delete_on_close;
	bool is_new;			/* its first sync is the directory's */
	void *regions[MAX_REGIONS];
};

static struct file files[MAX_FILES];
static struct change *changes;
static size_t n_changes, room;
static bool is_logging;
static unsigned fail_in;
static enum crash_fault fault;
static bool fault_stays, has_failed;
static uint64_t random_state;

/* splitmix64 */
static uint64_t
next_random(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Shall this call fail? */
static bool
fails(bool is_write)
{
	if (fail_in == 0 || (fault == CRASH_ENOSPC && !is_write))
		return false;
	if (fail_in > 1) {
		fail_in--;
		return false;
	}
	has_failed = true;
	if (!fault_stays)
		fail_in = 0;
	return true;
}

static void
file_resize(struct file *f, size_t len)
{
	if (len > f->len) {
		f->data = realloc(f->data, len);
		assert(f->data != NULL);
		memset(f->data + f->len, 0, len - f->len);
	}
	f->len = len;
	f->exists = true;
}

static void
file_write(struct file *f, const uint8_t *data, size_t len, size_t offset)
{
	if (f->len < offset + len || !f->exists)
		file_resize(f, f->len < offset + len ? offset + len : f->len);
	memcpy(f->data + offset, data, len);
}

static void
file_delete(struct file *f)
{
	free(f->data);
	f->data = NULL;
	f->len = 0;
	f->exists = false;
}

static void
log_change(enum change_kind kind, const struct file *f, size_t offset,
    const void *data, size_t len, bool is_of_directory)
{
	struct change *c;

	if (!is_logging)
		return;
	if (n_changes == room) {
		room = 2 * room + 64;
		changes = realloc(changes, room * sizeof *changes);
		assert(changes != NULL);
	}
	c = &changes[n_changes++];
	*c = (struct change){ kind, (unsigned)(f - files), is_of_directory,
	    offset, len, NULL };
	if (data != NULL) {
		c->data = malloc(len);
		assert(c->data != NULL);
		memcpy(c->data, data, len);
	}
}

static struct handle *
handle_of(sqlite3_file *base)
{
	return (struct handle *)(void *)base;
}

static int
vfs_close(sqlite3_file *base)
{
	struct handle *h = handle_of(base);

	for (unsigned i = 0; i < MAX_REGIONS; i++)
		free(h->regions[i]);
	if (h->delete_on_close)
		file_delete(h->file);
	return SQLITE_OK;
}

static int
vfs_read(sqlite3_file *base, void *data, int len, sqlite3_int64 offset)
{
	const struct file *f = handle_of(base)->file;
	size_t n = (size_t)len, at = (size_t)offset;
	size_t have = at >= f->len ? 0 : f->len - at;

	if (fails(false))
		return SQLITE_IOERR_READ;
	if (have > n)
		have = n;
	if (have > 0)
		memcpy(data, f->data + at, have);
	if (have == n)
		return SQLITE_OK;
	memset((uint8_t *)data + have, 0, n - have);
	return SQLITE_IOERR_SHORT_READ;
}

static int
vfs_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset)
{
	struct handle *h = handle_of(base);

	if (fails(true))
		return fault == CRASH_EIO ? SQLITE_IOERR_WRITE : SQLITE_FULL;
	file_write(h->file, data, (size_t)len, (size_t)offset);
	if (!h->delete_on_close)
		log_change(CHANGE_WRITE, h->file, (size_t)offset, data,
		    (size_t)len, false);
	return SQLITE_OK;
}

static int
vfs_truncate(sqlite3_file *base, sqlite3_int64 len)
{
	struct handle *h = handle_of(base);

	if (fails(true))
		return SQLITE_IOERR_TRUNCATE;
	file_resize(h->file, (size_t)len);
	log_change(CHANGE_TRUNCATE, h->file, 0, NULL, (size_t)len, false);
	return SQLITE_OK;
}

static int
vfs_sync(sqlite3_file *base, int flags)
{
	struct handle *h = handle_of(base);

	(void)flags;
	if (fails(true))
		return SQLITE_IOERR_FSYNC;
	log_change(CHANGE_SYNC, h->file, 0, NULL, 0, h->is_new);
	h->is_new = false;
	return SQLITE_OK;
}

static int
vfs_size(sqlite3_file *base, sqlite3_int64 *ret_len)
{
	if (fails(false))
		return SQLITE_IOERR_FSTAT;
	*ret_len = (sqlite3_int64)handle_of(base)->file->len;
	return SQLITE_OK;
}

static int
vfs_lock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int
vfs_is_reserved(sqlite3_file *base, int *ret_is_reserved)
{
	(void)base;
	*ret_is_reserved = 0;
	return SQLITE_OK;
}

static int
vfs_control(sqlite3_file *base, int op, void *arg)
{
	(void)base;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
vfs_sector_size(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

/* As SQLite supposes of Unix: what lies beside a write is not touched. */
static int
vfs_characteristics(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int
vfs_shm_map(sqlite3_file *base, int i, int size, int extend,
    void volatile **ret_region)
{
	struct handle *h = handle_of(base);

	assert(i < MAX_REGIONS);
	if (h->regions[i] == NULL && extend) {
		h->regions[i] = calloc(1, (size_t)size);
		if (h->regions[i] == NULL)
			return SQLITE_NOMEM;
	}
	*ret_region = h->regions[i];
	return SQLITE_OK;
}

static int
vfs_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
	(void)base;
	(void)offset;
	(void)n;
	(void)flags;
	return SQLITE_OK;
}

static void
vfs_shm_barrier(sqlite3_file *base)
{
	(void)base;
}

static int
vfs_shm_unmap(sqlite3_file *base, int delete)
{
	struct handle *h = handle_of(base);

	(void)delete;
	for (unsigned i = 0; i < MAX_REGIONS; i++) {
		free(h->regions[i]);
		h->regions[i] = NULL;
	}
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = vfs_close,
	.xRead = vfs_read,
	.xWrite = vfs_write,
	.xTruncate = vfs_truncate,
	.xSync = vfs_sync,
	.xFileSize = vfs_size,
	.xLock = vfs_lock,
	.xUnlock = vfs_lock,
	.xCheckReservedLock = vfs_is_reserved,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector_size,
	.xDeviceCharacteristics = vfs_characteristics,
	.xShmMap = vfs_shm_map,
	.xShmLock = vfs_shm_lock,
	.xShmBarrier = vfs_shm_barrier,
	.xShmUnmap = vfs_shm_unmap,
};

/* NULL: there is none, and none is to be made. */
static struct file *
find_file(const char *name, bool make)
{
	struct file *empty = NULL;

	for (unsigned i = 0; i < MAX_FILES; i++) {
		if (strcmp(files[i].name, name) == 0)
			return files[i].exists || make ? &files[i] : NULL;
		if (empty == NULL && files[i].name[0] == '\0')
			empty = &files[i];
	}
	if (!make)
		return NULL;
	assert(empty != NULL && strlen(name) < NAME_SIZE);
	strcpy(empty->name, name);
	return empty;
}

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
    int *ret_flags)
{
	struct handle *h = handle_of(base);

	(void)vfs;
	memset(h, 0, sizeof *h);
	if (fails(false))
		return SQLITE_CANTOPEN;
	h->file = find_file(name == NULL ? "temporary" : name,
	    (flags & SQLITE_OPEN_CREATE) != 0);
	if (h->file == NULL)
		return SQLITE_CANTOPEN;
	/* As SQLite has it on Unix. */
	h->is_new = !h->file->exists && (flags & (SQLITE_OPEN_WAL |
	    SQLITE_OPEN_MAIN_JOURNAL)) != 0;
	h->file->exists = true;
	h->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
	h->base.pMethods = &methods;
	if (ret_flags != NULL)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	struct file *f = find_file(name, false);

	(void)vfs;
	if (fails(false))
		return SQLITE_IOERR_DELETE;
	if (f == NULL)
		return SQLITE_IOERR_DELETE_NOENT;
	file_delete(f);
	log_change(CHANGE_DELETE, f, 0, NULL, 0, sync_directory != 0);
	return SQLITE_OK;
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_ok)
{
	const struct file *f = find_file(name, false);

	(void)vfs;
	if (fails(false))
		return SQLITE_IOERR_ACCESS;
	*ret_ok = f != NULL && (flags != SQLITE_ACCESS_EXISTS || f->len > 0);
	return SQLITE_OK;
}

static int
vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret_name)
{
	(void)vfs;
	assert(strlen(name) < (size_t)size);
	strcpy(ret_name, name);
	return SQLITE_OK;
}

static int
vfs_randomness(sqlite3_vfs *vfs, int n, char *ret_bytes)
{
	static uint8_t counter;

	(void)vfs;
	for (int i = 0; i < n; i++)
		ret_bytes[i] = (char)(++counter * 37);
	return n;
}

static int
vfs_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int
vfs_time(sqlite3_vfs *vfs, double *ret_days)
{
	(void)vfs;
	*ret_days = 2460000.5;
	return SQLITE_OK;
}

static int
vfs_last_error(sqlite3_vfs *vfs, int n, char *text)
{
	(void)vfs;
	(void)n;
	(void)text;
	return 0;
}

static sqlite3_vfs the_vfs = {
	.iVersion = 1,
	.szOsFile = sizeof(struct handle),
	.mxPathname = NAME_SIZE - 16,
	.zName = CRASH_VFS,
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_full_name,
	.xRandomness = vfs_randomness,
	.xSleep = vfs_sleep,
	.xCurrentTime = vfs_time,
	.xGetLastError = vfs_last_error,
};

void
crash_reset(void)
{
	for (unsigned i = 0; i < MAX_FILES; i++) {
		file_delete(&files[i]);
		files[i].name[0] = '\0';
	}
	for (size_t i = 0; i < n_changes; i++)
		free(changes[i].data);
	free(changes);
	changes = NULL;
	n_changes = 0;
	room = 0;
	is_logging = true;
	fail_in = 0;
	has_failed = false;
	if (sqlite3_vfs_find(CRASH_VFS) == NULL)
		sqlite3_vfs_register(&the_vfs, 0);
}

size_t
crash_n_changes(void)
{
	return n_changes;
}

void
crash_stop_logging(void)
{
	is_logging = false;
}

const char *
crash_kind_name(enum crash_kind kind)
{
	static const char *const names[CRASH_KINDS] = {
		"all", "none", "torn", "random", "lying",
	};

	return names[kind];
}

static void
apply(const struct change *c)
{
	struct file *f = &files[c->file];

	if (c->kind == CHANGE_WRITE)
		file_write(f, c->data, c->len, c->offset);
	else if (c->kind == CHANGE_TRUNCATE)
		file_resize(f, c->len);
	else if (c->kind == CHANGE_DELETE)
		file_delete(f);
}

/* Some of its sectors, or all, or none. */
static void
apply_some(const struct change *c)
{
	uint64_t dice = next_random() % 4;

	if (c->kind != CHANGE_WRITE || dice == 0) {
		if (dice % 2 == 0)
			apply(c);
		return;
	}
	for (size_t at = 0; dice > 1 && at < c->len;) {
		size_t n = SECTOR - (c->offset + at) % SECTOR;

		if (n > c->len - at)
			n = c->len - at;
		if (dice == 2 || next_random() % 2 == 0)
			file_write(&files[c->file], c->data + at, n,
			    c->offset + at);
		at += n;
	}
}

/* Does sync make change so, which came before? */
static bool
is_synced_by(const struct change *change, const struct change *sync)
{
	if (sync->kind != CHANGE_SYNC)
		return false;
	return change->kind == CHANGE_DELETE ? sync->is_of_directory :
	    sync->file == change->file;
}

/* Is change i on the disk for good when n have been made? */
static bool
is_synced(size_t i, size_t n)
{
	if (changes[i].kind == CHANGE_DELETE && changes[i].is_of_directory)
		return true;
	for (size_t k = i + 1; k < n; k++)
		if (is_synced_by(&changes[i], &changes[k]))
			return true;
	return false;
}

static void
apply_unsynced(size_t i, size_t n, enum crash_kind kind)
{
	struct change half = changes[i];

	if (kind == CRASH_RANDOM || kind == CRASH_LYING) {
		apply_some(&changes[i]);
	} else if (kind == CRASH_TORN && i == n - 1 &&
	    half.kind == CHANGE_WRITE) {
		half.len /= 2;
		apply(&half);
	} else if (kind != CRASH_NONE) {
		apply(&changes[i]);
	}
}

void
crash_cut(size_t n, enum crash_kind kind, uint64_t seed)
{
	random_state = seed;
	for (unsigned i = 0; i < MAX_FILES; i++)
		file_delete(&files[i]);
	for (size_t i = 0; i < n; i++) {
		if (kind != CRASH_LYING && is_synced(i, n))
			apply(&changes[i]);
		else
			apply_unsynced(i, n, kind);
	}
}

void
crash_fail_at(unsigned n, enum crash_fault which, bool stays)
{
	fail_in = n;
	fault = which;
	fault_stays = stays;
	has_failed = false;
}

bool
crash_has_failed(void)
{
	return has_failed;
}
