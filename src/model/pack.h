/*
 * Packed tensors: one logical tensor whose values are worked out of several stored arrays, codes and numbers that a
 * group of them shares. This is the description; num/unpack.c computes the values. A tensor with a pack has the
 * logical shape and type DT_F32, a type_name that says how it is stored (GPTQ4, F8_E4M3/128x128, U8/tensor), and no
 * bytes of its own: `data` begins where the codes do and its length is the sum of the parts, and is not to be read
 * through. num/feed.h serves its elements.
 *
 *	value = (code - zero) * scale + bias        in float32, one operation after the other, in this order
 *
 * with scale * global (or scale / global) for scale where there is a second one, and zero and bias only where they
 * are.
 */
#ifndef MODEL_PACK_H
#define MODEL_PACK_H

#include "model/model.h"

struct pack_part {
	const char *role; /* "codes", "scales", "zeros", ... */
	struct str name;  /* of the stored tensor */
	enum dtype type;
	const char *type_name;
	unsigned rank;
	const uint64_t *shape;
	struct span data;
};

enum array_kind {
	ARRAY_NONE,    /* not there */
	ARRAY_NUMBERS, /* floats in memory: they stood in a header */
	ARRAY_PLAIN,   /* elements of a type */
	ARRAY_BITS,    /* `bits` each, from a row's lowest bit up, across bytes; rows are `pitch` bytes apart */
	ARRAY_COLUMNS, /* likewise, but down the columns: a 32-bit word of each column, then the next of each */
	ARRAY_HIGH,    /* 4 bits, the even element in the high nibble */
	ARRAY_AWQ      /* 4 bits in 32-bit words; nibbles from the lowest on are elements 0 2 4 6 1 3 5 7 of the word */
};

/* A matrix of numbers: codes, or what belongs to them. */
struct pack_array {
	enum array_kind kind;
	const struct pack_part *part; /* NULL for ARRAY_NUMBERS, which has: */
	const float *numbers;         /* row by row */
	enum dtype type;              /* ARRAY_PLAIN: the part's, or what its bytes are to be read as */
	unsigned bits;                /* of what is not ARRAY_PLAIN or ARRAY_NUMBERS: 1 to 8 */
	uint64_t pitch;               /* ARRAY_BITS, ARRAY_AWQ */
	uint64_t rows, cols;          /* of one matrix; part or numbers hold one after the other, row by row */
	bool shared;                  /* there is one for all matrices */
	const float *book;            /* NULL, or what each code stands for: 2^bits of them, or 256 */
	float add;                    /* to what each code stands for: -8 */
};

/*
 * The codes are `count / (rows * cols)` matrices of rows x cols, as they are stored. Element (r, c) of one has the
 * scale, zero and bias at (r / block_rows, c / block_cols) of theirs; row_index[r] and col_index[c], where they are,
 * stand for these. With `swapped` the tensor's last two dimensions stand the other way round than in its shape
 * (tensor.fortran is set then).
 */
struct pack {
	const char *about; /* for people: "GPTQ, 4 bits, groups of 128" */
	const struct pack_part *parts; /* the first one is the codes */
	unsigned n_parts;
	uint64_t rows, cols, block_rows, block_cols;
	bool swapped;
	struct pack_array codes, scale, zero, bias;
	const struct pack *scales;     /* instead of scale: a matrix of one row that is packed itself */
	struct pack_array global;      /* one number for a matrix, or shared */
	bool divide;                   /* by the global one */
	struct pack_array row_index, col_index; /* of one column, of one row */
	float times, plus;             /* not 0: the value is multiplied with times last, and plus is added */
	float steps;                   /* 0, or: t = code / steps, value = bias * (1 - t) + scale * t */
};

/* Makes a tensor, which has its name, the logical shape and a type_name, one of these: sets type, data and pack. The
 * pack and its parts live in the model's arena. Parts that are deflated are inflated first. */
enum rc tensor_pack(struct model *, struct tensor *, const struct pack *, struct err *);

/*
 * Codes of any real type that go over into values by two numbers, a and b, for the whole tensor or for each slice along
 * an axis. The arithmetic is float32 in the order shown.
 */
enum affine_form {
	AFFINE_ZERO,   /* (code - b) * a: scale and zero point, as TFLite and ONNX have it; b may be NULL */
	AFFINE_OFFSET, /* code * a + b */
	AFFINE_RANGE   /* t = code / steps, b * (1 - t) + a * t: from b, the lowest, to a, the highest */
};

struct affine {
	enum affine_form form;
	const float *a, *b;            /* n each; copied */
	uint64_t n;                    /* 1, or shape[axis] */
	unsigned axis;
	float steps;                   /* AFFINE_RANGE */
	const struct pack_part *parts; /* n_parts stored tensors that a and b were read from, to be listed; copied */
	unsigned n_parts;
};

/* Turns a tensor that a reader described as its stored codes (type, shape, data) into the packed one. Fails when n is
 * not 1 or the length of the axis, or when the codes are of a block type, complex, big-endian, strided or in Fortran
 * order. */
enum rc pack_affine(struct model *, struct tensor *, const struct affine *, struct err *);

/* The same for codes of 1 to 8 bits, one after the other from a byte's lowest bit up, that stand for the 2^bits numbers
 * of a table (copied). type_name stays. table: where these are stored, to be listed with the codes; NULL: nowhere. */
enum rc pack_book(struct model *, struct tensor *, unsigned bits, const float *book, const struct pack_part *table,
		  struct err *);

/* What readers packed, taken apart again: those tensors are their codes, as they are stored. */
void model_unpack(struct model *);

/* How a tensor is stored, as a part of another one. */
struct pack_part part_of(const struct tensor *, const char *role);

#endif
