/*
 * The element types. A type is a block: `items` elements in `bytes` bytes (1 element for the plain ones). Names, sizes
 * and exactness live in this table, decoders in num/decode.c under the same index.
 */
#ifndef MODEL_DTYPE_H
#define MODEL_DTYPE_H

#include "base/util.h"

enum dtype {
	DT_OPAQUE, /* a type nobody here knows: shown by the file's own word, never decoded */
	DT_BOOL,
	DT_U8, DT_I8, DT_U16, DT_I16, DT_U32, DT_I32, DT_U64, DT_I64,
	DT_F16, DT_BF16, DT_F32, DT_F64,
	DT_C32, DT_C64, DT_C128, /* complex: two halves, floats, doubles */
	DT_F8_E4M3, DT_F8_E5M2, DT_F8_E4M3FNUZ, DT_F8_E5M2FNUZ, DT_F8_E8M0,
	DT_F6_E2M3, DT_F6_E3M2, DT_F4,
	DT_Q4_0, DT_Q4_1, DT_Q5_0, DT_Q5_1, DT_Q8_0, DT_Q8_1,
	DT_Q2_K, DT_Q3_K, DT_Q4_K, DT_Q5_K, DT_Q6_K, DT_Q8_K,
	DT_IQ2_XXS, DT_IQ2_XS, DT_IQ3_XXS, DT_IQ1_S, DT_IQ4_NL, DT_IQ3_S, DT_IQ2_S, DT_IQ4_XS, DT_IQ1_M,
	DT_TQ1_0, DT_TQ2_0, DT_MXFP4, DT_NVFP4, DT_Q1_0, DT_Q2_0,
	DT_COUNT
};

enum dtype_kind { KIND_OPAQUE, KIND_BOOL, KIND_UINT, KIND_INT, KIND_FLOAT, KIND_COMPLEX, KIND_BLOCK };

struct dtype_info {
	const char *name; /* as every output prints it: BF16, Q4_K */
	enum dtype_kind kind;
	unsigned items;     /* elements of a block */
	unsigned bytes;     /* bytes of a block */
	/* bits of an element's stored code, without scales; 0: not counted (over 16, complex, one code for several) */
	unsigned code_bits;
	unsigned word;      /* bytes of the unit that a big-endian file swaps; 0: see swap16 */
	int16_t swap16[4];  /* KIND_BLOCK: offsets of the 16-bit fields that a big-endian file swaps, ended by -1 */
	bool swappable;     /* a big-endian tensor of this type can be read */
};

extern const struct dtype_info dtypes[DT_COUNT];

/* By the name that safetensors and we use (BF16); DT_OPAQUE when there is none. */
enum dtype dtype_by_name(struct str name);

#endif
