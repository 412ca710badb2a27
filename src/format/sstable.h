/*
 * LevelDB's table of sorted keys (google/leveldb, doc/table_format.md, table/format.cc), read front to back. The index
 * of a TensorFlow checkpoint is one.
 */
#ifndef FORMAT_SSTABLE_H
#define FORMAT_SSTABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "bytes/cur.h"

enum { SSTABLE_FOOTER = 48, SSTABLE_KEY_MAX = 64 * 1024 };
#define SSTABLE_UNPACKED_MAX ((uint64_t)256 << 20)

struct sstable_block {
	struct cur c;   /* its entries; offsets in sentences count from the file's start */
	uint64_t at;    /* where it begins */
	struct buf key; /* of the entry before: the next one may repeat its beginning */
};

struct sstable { /* a zeroed one may be closed */
	struct bytes file;
	struct arena *arena; /* for blocks that are compressed */
	uint64_t unpacked;   /* bytes of those */
	struct sstable_block index, data;
	struct buf last;
	uint64_t entries, data_end;
	uint64_t damaged;    /* blocks whose checksum is wrong; they are read all the same */
	uint64_t damaged_at; /* where the first of them stands */
};

/* Whether these are the last bytes of a table. */
bool sstable_looks(struct bytes tail);

/* Compressed blocks are unpacked into the arena: at most SSTABLE_UNPACKED_MAX bytes. */
enum rc sstable_open(struct sstable *, struct bytes file, struct arena *, struct err *);

/* The next entry, in the order of the keys; *more is false when there is none. The key is valid until the next call,
 * the value as long as the file and the arena. */
enum rc sstable_next(struct sstable *, bool *more, struct str *key, struct bytes *value, struct err *);
void sstable_close(struct sstable *);

/* What LevelDB and TensorFlow write in place of a CRC-32C: "masked", since checksums of checksums are weak. */
uint32_t sstable_mask(uint32_t crc);

#endif
