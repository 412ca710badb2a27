/*
 * How much a file may ask for. Weight files come from strangers, and none may take all memory, disk or time; where that
 * is refused, the sentence names the limit, and --limit raises it. Readers refuse before they allocate, and allocate by
 * what the file's bytes bear out, never by what its header claims: a limit is for what they do bear out.
 *
 * What a format itself cannot have (a net of Darknet of more than 10000 layers, an array of four dimensions in GGML) is
 * no limit of this kind, but a mark of a broken file, and stands with its reader. So do the lists that are cut short
 * where they are shown.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include "base/err.h"
#include "base/util.h"

/* Sizes of arrays that stand on the stack: what rank and nesting can be raised to. */
enum { RANK_MAX = 64, NESTING_MAX = 1024 };

struct limits {
#define LIMIT(name, usual, most, about) uint64_t name;
#include "base/limits.def"
#undef LIMIT
};

/* Those in force: the usual ones, but for what limits_set changed before anything was opened. */
extern struct limits limits;

/* Sets one from "tensors=2M". Fails with a sentence for a wrong name or value. */
enum rc limits_set(const char *arg, struct err *);

/* A number of bytes or other things; K, M, G and T behind it are powers of 1024. */
bool limits_number(const char *arg, uint64_t *out);

/* The sentence for what is beyond a limit, which is a member of `limits`:
 * "more than 1048576 tensors: refused (--limit tensors=N allows more)". */
enum rc limits_passed(const uint64_t *limit, struct err *);
#define limits_passed(limit, e) rc_fails(limits_passed(limit, e))

/* Bytes that all names in a file of so many may come to. */
uint64_t limits_names(uint64_t file);

struct limit_info {
	const char *name, *about;
	uint64_t usual, most;
	uint64_t *value; /* in limits */
};
extern const struct limit_info limit_infos[]; /* ended by a NULL name */

#endif
