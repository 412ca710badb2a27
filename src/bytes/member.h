/* What the files of bytes/ share: adding members, mappings, temporary files. Of no concern to the layers above. */
#ifndef BYTES_MEMBER_H
#define BYTES_MEMBER_H

#include "bytes/source.h"

/* Whether there may be n more members. */
enum rc source_room(const struct source *, uint64_t n, struct err *);

/* Adds a member and returns its number. The name is copied. */
uint32_t source_add(struct source *, struct member);

/* Maps the whole of fd, which is a regular file of `size` bytes (not 0), and adds it as a file. beside is the path by
 * which files in the same directory are found; NULL: it stands in none. fd may be closed afterwards. */
enum rc source_map(struct source *, int fd, uint64_t size, const char *name, const char *beside, uint32_t *member,
		   struct err *);

/* Maps fd likewise and makes it the bytes of a member that is there. */
enum rc source_map_into(struct source *, uint32_t member, int fd, uint64_t size, struct err *);

/* A temporary file without a name: a descriptor, or -1 with a sentence. */
int spool_open(struct err *);
enum rc spool_write(int fd, const void *bytes, size_t n, struct err *);

/* The bytes that may come out of so many packed ones (limits.inflated, limits.ratio); and the sentence when more do. */
uint64_t unpack_limit(uint64_t packed);
enum rc unpack_too_much(uint64_t limit, struct err *);
/* Tells who wants to know how far it is; fails when it is no longer wanted. */
enum rc unpack_tell(const struct source *, uint64_t out, uint64_t in, uint64_t of, struct err *);

/* Copies a pipe into an unlinked temporary file and adds that. */
enum rc source_spool_pipe(struct source *, int fd, const char *name, uint32_t *member, struct err *);

/* Whether bytes look like something compressed or an archive that libarchive is to unpack. */
bool archive_looks(struct bytes head);

/*
 * Unpacks a member, the file at path, and adds the entry wanted, or for NULL its only index or its only weight file.
 * RC_FAIL when there is none, or several (the sentence lists them). The archive stays a member.
 */
enum rc source_add_archive(struct source *, uint32_t archive, const char *path, const char *entry,
			   enum entry_kind (*look)(struct bytes head, const char *name), uint32_t *member,
			   struct err *);

/* The file of that name, relative to the directory of member `beside`, which was unpacked from an archive: as it is
 * there already, or unpacked now. */
enum rc source_archive_beside(struct source *, uint32_t beside, struct str name, uint32_t *member, struct err *);

#endif
