/* The header of a .npy file: a Python dict literal, of which only what NumPy writes is understood; and arrays as they
 * come from such a header, or from a pickle (format/ndarray.h). */
#ifndef FORMAT_NPY_HEADER_H
#define FORMAT_NPY_HEADER_H

#include "model/model.h"

enum { NPY_HEADER_MAX = 10000, NPY_PREFIX_MAX = 12, NPY_FIELDS_MAX = 1000 };

/* One field of a record, or the whole element of a plain array (with an empty name). */
struct npy_field {
	struct str name;      /* in m->arena; dotted for nested ones */
	const char *descr;    /* the file's own word: <f4 */
	enum dtype type;      /* DT_OPAQUE for text, dates, objects ... */
	const char *trouble;  /* why values are not decoded; NULL: they may be */
	bool big_endian;
	uint64_t offset, size; /* in the record: bytes */
	uint64_t items;        /* of its own shape */
	uint64_t shape[RANK_MAX];
	unsigned rank;
};

struct npy_header {
	unsigned major, minor;
	uint64_t data;     /* offset of the data from the magic on */
	bool fortran, objects;
	uint64_t shape[RANK_MAX];
	unsigned rank;
	uint64_t itemsize; /* bytes of a record */
	struct npy_field *fields; /* grown as needed; npy_header_free */
	size_t n_fields, cap_fields;
};

/* Parses the header that head begins with. head holds the file's first NPY_PREFIX_MAX + NPY_HEADER_MAX bytes, or
 * all. */
enum rc npy_header_read(struct npy_header *, struct arena *, struct bytes head, struct err *);
void npy_header_free(struct npy_header *);

/* One more field, of one item; NULL: there are too many. */
struct npy_field *npy_add_field(struct npy_header *);

/* Sets type, size, byte order and trouble of a field from "<f4", "|S10", "<M8[ns]" ..., which must be NUL-terminated
 * and stay; for objects, h->objects. NULL: fine; else what is wrong with it. */
const char *npy_element(struct npy_header *, struct npy_field *, struct str descr);

/* ---- an array and its tensors ---- */

struct npy_array {
	struct model *m;
	uint32_t member;
	uint64_t at, size;  /* where its data begins; bytes of the member from there on that may belong to it */
	struct str name;    /* in m->arena; columns of records are name.field */
	struct npy_header h;
};

/* Adds its tensors, one for each field. *end gets the offset past its data, or past everything when that cannot be
 * told. Data that is cut off makes broken tensors; RC_FAIL: a shape that overflows. */
enum rc npy_array_add(struct npy_array *, uint64_t *end, struct err *);

#endif
