/*
 * Where bytes come from. A source is the set of files one model lies in; each file, and each entry of a zip file, is
 * a member. A tensor's data is a span {member, offset, length}, never a pointer: source_slice turns it into mapped
 * memory where the member's bytes stand in a file as they are (plain files, stored zip entries), and stream_open
 * (bytes/stream.h) reads any of them front to back.
 *
 * Files are opened and mapped read-only and private. What stands compressed as a whole (x.gguf.gz, an entry of a
 * tarball) is inflated once into an unlinked temporary file and then mapped like the rest; deflated zip entries stay
 * where they are and are streamed. So is a member made of pieces: what a file keeps apart though it is one tensor.
 */
#ifndef BYTES_SOURCE_H
#define BYTES_SOURCE_H

#include "base/arena.h"
#include "base/err.h"

struct span {
	uint32_t member;
	uint64_t offset, length;
};

/* Bytes of a mapped member, as often as said: a constant that a file gives once may stand for many elements. */
struct piece {
	struct span span;
	uint64_t times;
};

enum member_kind {
	MEMBER_MAPPED,   /* bytes stand in a mapped file: data is valid */
	MEMBER_DEFLATED, /* raw deflate: packed is valid, size is the inflated size */
	MEMBER_PIECES    /* one after the other: pieces is valid */
};

struct member {
	struct str name;      /* a file's path as it was opened, or the entry's name inside its container */
	enum member_kind kind;
	struct bytes data;    /* the mapped bytes */
	struct bytes packed;  /* MEMBER_DEFLATED: the compressed bytes */
	const struct piece *pieces; /* MEMBER_PIECES: n_pieces of them */
	size_t n_pieces;
	uint64_t size;        /* bytes, inflated */
	uint64_t file_offset; /* where data, packed or the first piece begins in its file; 0 for a whole file */
	uint32_t file;        /* the member that is the file this one lies in (itself for a file) */
	uint32_t crc;         /* MEMBER_DEFLATED and stored entries: CRC-32 of the inflated bytes */
	const char *entry;    /* NULL, or its path in the archive that it was unpacked from, */
	uint32_t archive;     /* which is this member */
};

/* What an entry of an archive is, by its first bytes (all of them, if they are fewer than 64 KiB) and its name. */
enum entry_kind {
	ENTRY_OTHER,
	ENTRY_PICKLE, /* one that is not sound: taken where there is nothing else */
	ENTRY_MODEL,
	ENTRY_INDEX /* names the other files of its model, which stand beside it or below */
};

/* Who hears how far unpacking is: it takes its time. */
struct unpacking {
	void (*tell)(void *arg, uint64_t out, uint64_t in, uint64_t of); /* NULL: nobody. So many bytes came out, of
									     `in` of `of` packed ones; of = 0: a pipe */
	bool (*stop)(void *arg); /* whether it is no longer wanted: then it fails; NULL: never */
	void *arg;
};

/* An entry of an archive that was passed by, and is a program or a script by its first bytes or its name. */
struct stray {
	const char *path;    /* in the archive */
	const char *program; /* what kind of one; NULL: none */
	bool script;         /* by its first bytes */
};

enum { STRAYS_MAX = 1000 };

struct source {
	const struct unpacking *unpacking; /* NULL: nobody; must outlive the source */
	struct arena arena;
	struct member *members;
	size_t n, cap;
	struct mapping *mappings;
	unsigned kept; /* files whose descriptor is kept */
	struct stray *strays;  /* in the arena; at most STRAYS_MAX of them */
	size_t n_strays;
	uint64_t gone_through; /* bytes of archives, each time that one was searched */
	uint64_t tar_end;      /* where a tar file's last entry ends, in what is unpacked; 0: no tar file */
};

/* Opens a file, "-" for standard input, or "ARCHIVE:ENTRY", and adds it; *member gets its number. A pipe, a
 * compressed file and an archive's entry go to an unlinked temporary file first, as much as base/limits.h allows.
 * An archive (tar, 7z, ... as libarchive reads them, plain zip) opens its only index, or its only weight file, as
 * `look` sees it; NULL: nothing is looked into. */
enum rc source_open(struct source *, const char *path, enum entry_kind (*look)(struct bytes head, const char *name),
		    uint32_t *member, struct err *);

/* Opens the file `name` beside the file that is member `beside`, in its directory or its archive. name must be a plain
 * base name (no slash, no "..", no NUL); symbolic links are followed only inside that directory. */
enum rc source_open_beside(struct source *, uint32_t beside, struct str name, uint32_t *member, struct err *);

/* The same for a path of such names with slashes between them: a file in the directory of `beside`, or below it. */
enum rc source_open_below(struct source *, uint32_t beside, struct str path, uint32_t *member, struct err *);

/* Adds the entries of the zip file that is member `file`, which must be mapped: *first gets the number of the first
 * one, *count how many there are. Directories are left out; an encrypted or otherwise unreadable entry fails. */
enum rc source_add_zip(struct source *, uint32_t file, uint32_t *first, uint32_t *count, struct err *);

/* Adds a member that is the pieces, which lie in mapped members, one after the other. Nothing is copied but the
 * list. It comes to at most limits.repeated bytes where something is repeated. */
enum rc source_add_pieces(struct source *, struct str name, const struct piece *, size_t n, uint32_t *member,
			  struct err *);

/* The mapped bytes of a span; false when the member is not mapped or the span leaves it. */
bool source_slice(const struct source *, struct span, struct bytes *out);

/*
 * The same bytes by way of read(2): copied to out. Where a page's first touch costs more than a copy (virtual
 * machines), or a file may shrink or stand on a network, this is the better way. source_can_copy: whether the span
 * is mapped and its file is still at hand. Fails when the file gives fewer bytes than it had.
 */
bool source_can_copy(const struct source *, struct span);
enum rc source_copy(const struct source *, struct span, void *out, struct err *);

/* For another program that is to map the span, which must be mapped here: a descriptor of the file that it stands in,
 * for the caller to close, and where in it. A file that is no longer at hand, as one of very many, is copied to an
 * unlinked temporary one. -1, with a sentence: that cannot be done. */
int source_descriptor(const struct source *, struct span, uint64_t *offset, struct err *);

/*
 * Files that change while they are open. A mapped file that became shorter raises SIGBUS where its pages are gone: the
 * handler calls source_recover, which puts zeros there and remembers from where on the file is lost; false: the
 * address is in no file of ours, or nobody called source_outlive: who does promises to throw away what was read
 * meanwhile if source_lost says so. source_watch looks at the files themselves, and remembers, too; *name gets the
 * first one that is not as it was.
 */
enum source_news { SOURCE_SAME, SOURCE_TOUCHED, SOURCE_GONE, SOURCE_SHRANK };
void source_outlive(void);
bool source_recover(void *address);
bool source_lost(const struct source *, struct span);
enum source_news source_watch(const struct source *, struct str *name);

/* Hints to the system: the whole span will now be read in place; it will not be again (for files that memory cannot
 * hold). */
void source_expect(const struct source *, struct span);
void source_forget(const struct source *, struct span);

/* The first n (or fewer, if it is shorter) bytes of a member, inflated into memory of the source's arena if need be. */
enum rc source_head(struct source *, uint32_t member, size_t n, struct bytes *out, struct err *);

void source_close(struct source *); /* unmaps and closes all; safe on a zeroed one */

#endif
