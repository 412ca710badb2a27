/*
 * A model: what a reader found in one or several files. Names, shapes and metadata live in the model's arena and die
 * with it; a tensor's data stays in the files and is reached through its span.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "bytes/source.h"
#include "model/dtype.h"

struct pack;

struct tensor {
	struct str name;       /* the file's own bytes */
	enum dtype type;
	unsigned rank;
	const char *type_name; /* dtypes[type].name, or the file's own word for DT_OPAQUE */
	const uint64_t *shape; /* rank of them, slowest-varying first: row-major, as NumPy and PyTorch print it */
	uint64_t count;        /* elements: the product of shape */
	struct span data;
	uint64_t stride;       /* 0: elements stand side by side; else bytes from one record to the next */
	uint64_t record;       /* with stride: elements of this tensor in one record */
	const uint64_t *strides; /* NULL, or rank of them: elements from one index to the next in each dimension, 0
				    where all share one; data reaches from the first element to the last one used.
				    Then stride and fortran are not set. */
	bool big_endian;
	bool fortran;          /* the file stores the first index as the fastest-varying */
	bool broken;           /* what `trouble` tells is the file's fault; else this build does not decode the type */
	bool undecoded;        /* it does not, though the tensor counts as broken: nothing of it can be compared */
	bool has_crc32c;       /* the file keeps a CRC-32C of the data as it stands there: model/checksum.h */
	uint32_t crc32c;
	struct str tied;       /* the name of the tensor before it that is the same elements of the file; or empty */
	const char *note;      /* NULL, or what else is to be known about it: "shares its storage with w" */
	struct str alias;      /* another name that the file has for it, or empty */
	const char *trouble;   /* NULL, or why its values cannot be read ("not decoded: IQ2_XS", "ends past ...") */
	const struct pack *pack; /* NULL, or its values are worked out of several stored arrays (model/pack.h) */
};

enum meta_kind { META_BOOL, META_UINT, META_INT, META_REAL, META_TEXT, META_ARRAY };

struct meta_value {
	enum meta_kind kind;
	const char *type; /* the format's own word: u32, str, bool; the element type for an array */
	union {
		bool boolean;
		uint64_t uint;
		int64_t sint;
		double real;
		struct str text;
		struct {
			uint64_t count;           /* elements in the file */
			uint64_t shown;           /* how many of them, the first ones, are in items */
			struct meta_value *items;
			uint64_t digest[2];       /* of all elements: equal arrays have equal digests in one process */
		} array;
	} u;
};

struct meta {
	struct str key;
	struct meta_value value;
};

/* Something wrong with a file that was opened all the same. Problems make the exit status 2. */
struct problem {
	struct str tensor; /* its name, or empty: about the file */
	const char *message;
};

/*
 * What opening the file with the library it was made for would import or call: pickles only. Here nothing is. What is
 * known to be harmless (torch._utils._rebuild_tensor_v2) has one entry for each function; of what is not, each call has
 * its own, up to CALLS_MAX in all, and as many dangerous ones beside them.
 */
enum call_risk {
	CALL_HARMLESS,  /* in the table of what frameworks write (format/pickle_calls.c) */
	CALL_UNKNOWN,   /* in no table: a class or function of the file's own project, perhaps */
	CALL_DANGEROUS  /* runs programs, opens files or sockets, evaluates code ... */
};

enum { CALLS_MAX = 10000 };

struct call {
	struct str module, name; /* os, system; module is empty where the callee is itself the result of a call */
	struct str args;         /* of the first such call, as Python writes them: ("touch x"); shortened */
	enum call_risk risk;
	bool called;             /* false: only imported */
	uint32_t member;
	uint64_t offset;         /* of the opcode, the first one's */
	uint64_t called_at;      /* of the opcode that calls it */
	uint64_t times;          /* how often, imports and calls together */
};

struct model {
	struct arena arena;
	struct source source;
	const char *path;    /* as the user gave it */
	const char *format;  /* the name in the format table */
	const char *variant; /* what the reader can add: "version 3, little-endian"; or "" */
	uint64_t bytes;      /* of all its files */
	unsigned files;
	bool squeezed;       /* the format drops dimensions of size 1 */

	struct tensor *tensors;
	size_t n_tensors, cap_tensors;
	struct meta *meta;
	size_t n_meta, cap_meta;
	struct meta spare; /* beyond limits.metadata there are more_meta, not kept */
	uint64_t more_meta;
	struct problem *problems;
	size_t n_problems, cap_problems;
	struct problem *notes; /* what is worth knowing and nobody's fault; they do not touch the exit status */
	size_t n_notes, cap_notes;
	struct call *calls;
	size_t n_calls, cap_calls;
	struct span *own; /* see model_claim */
	size_t n_own, cap_own;
	uint64_t more_calls; /* beyond CALLS_MAX, not kept */
	bool disguised;      /* it is no pickle, but the calls are what one would make of it */
	const char *refusal; /* NULL, or why nothing is known of it but what it would call, and its source */
};

/* Makes room for n more tensors at once. n must be a number that the file's own bytes bear out: so many bytes of header
 * for each. */
void model_expect(struct model *, size_t n);

/* Whether there may be one more tensor; a reader asks before it adds one that a file wants, and gives up if not. */
enum rc model_room(const struct model *, struct err *);

/* Adds a tensor, zeroed but for a type_name that says nothing (name, type and so on are the reader's to fill), and
 * returns it; valid until the next one. */
struct tensor *model_add_tensor(struct model *);

/* Sets type, type_name, rank, a copy of shape, and count. Fails when rank is above limits.rank or the product
 * overflows (a zero in the shape does not hide an overflow); the sentence does not name the tensor. */
enum rc tensor_set_shape(struct model *, struct tensor *, enum dtype, const uint64_t *shape, unsigned rank,
			 struct err *);

/* Bytes that count elements of a type take; fails on overflow or when count is not a multiple of the block. */
enum rc dtype_bytes(enum dtype, uint64_t count, uint64_t *bytes, struct err *);

/* Marks a tensor as broken (its values will not be read) and records the problem. Both copy the message. */
void tensor_broken(struct model *, struct tensor *, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void model_problem(struct model *, struct str tensor, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void model_note(struct model *, struct str tensor, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds a metadata entry and returns its value for the reader to fill. The key is copied, and so is text. What is beyond
 * limits.metadata is counted, not kept: model_finish reports it. */
struct meta_value *model_add_meta(struct model *, struct str key);
void meta_set_text(struct model *, struct meta_value *, struct str text);

/* Adds a call and returns its number, or -1 when there are too many. module and name are copied; args is not. */
int64_t model_add_call(struct model *, const struct call *);
bool model_call_fits(const struct model *, enum call_risk);

/* True when two values are the same (arrays by count, type and digest). */
bool meta_equal(const struct meta_value *a, const struct meta_value *b);

/* Checks what every format must keep: the data of each tensor lies inside its member, no two tensors have one name.
 * Breaches become problems. Marks types that num/ cannot decode. Call once, after reading. */
void model_finish(struct model *, bool (*can_decode)(enum dtype));

/* What the format has there beside tensors: a header, a record. The member is then known to be nothing but these and
 * tensors: what is left of it belongs to nobody. A length of 0 says only that. */
void model_claim(struct model *, struct span);

/* Whether its file, or one that holds a part of what it is packed in, became shorter where its bytes were: zeros are
 * read in their place (source_outlive). */
bool tensor_lost(const struct model *, const struct tensor *);

uint64_t model_parameters(const struct model *); /* elements of all tensors; saturates */
void model_close(struct model *);                /* frees everything; safe on a zeroed one */

#endif
