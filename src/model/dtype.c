#include "model/dtype.h"

/* A plain type of `size` bytes; a big-endian file turns them round. */
#define PLAIN(word_name, of, size, code) \
	{.name = (word_name), .kind = (of), .items = 1, .bytes = (size), .code_bits = (code), .word = (size), \
	 .swap16 = {-1}, .swappable = true}

/* Two halves side by side, each turned round on its own. */
#define COMPLEX(word_name, size) \
	{.name = (word_name), .kind = KIND_COMPLEX, .items = 1, .bytes = (size), .word = (size) / 2, .swap16 = {-1}, \
	 .swappable = true}

/* Less than a byte: the smallest number of elements that fills bytes. */
#define PACKED(word_name, n, size, code) \
	{.name = (word_name), .kind = KIND_FLOAT, .items = (n), .bytes = (size), .code_bits = (code), .word = 1, \
	 .swap16 = {-1}, .swappable = true}

/* A block of ggml. Nobody writes big-endian files of these types, so how one would look is not known. */
#define BLOCK(word_name, n, size, code) \
	{.name = (word_name), .kind = KIND_BLOCK, .items = (n), .bytes = (size), .code_bits = (code), .swap16 = {-1}}

/* A block whose 16-bit fields ggml's own endianness converter turns round; they stand at these offsets. */
#define BLOCK_SWAPPED(word_name, n, size, code, ...) \
	{.name = (word_name), .kind = KIND_BLOCK, .items = (n), .bytes = (size), .code_bits = (code), \
	 .swap16 = {__VA_ARGS__}, .swappable = true}

/* Block sizes: ggml-org/ggml, src/ggml-common.h. */
const struct dtype_info dtypes[DT_COUNT] = {
	[DT_OPAQUE] = {.name = "opaque", .kind = KIND_OPAQUE, .swap16 = {-1}},
	[DT_BOOL] = PLAIN("BOOL", KIND_BOOL, 1, 8),
	[DT_U8] = PLAIN("U8", KIND_UINT, 1, 8),
	[DT_I8] = PLAIN("I8", KIND_INT, 1, 8),
	[DT_U16] = PLAIN("U16", KIND_UINT, 2, 16),
	[DT_I16] = PLAIN("I16", KIND_INT, 2, 16),
	[DT_U32] = PLAIN("U32", KIND_UINT, 4, 0),
	[DT_I32] = PLAIN("I32", KIND_INT, 4, 0),
	[DT_U64] = PLAIN("U64", KIND_UINT, 8, 0),
	[DT_I64] = PLAIN("I64", KIND_INT, 8, 0),
	[DT_F16] = PLAIN("F16", KIND_FLOAT, 2, 16),
	[DT_BF16] = PLAIN("BF16", KIND_FLOAT, 2, 16),
	[DT_F32] = PLAIN("F32", KIND_FLOAT, 4, 0),
	[DT_F64] = PLAIN("F64", KIND_FLOAT, 8, 0),
	[DT_C32] = COMPLEX("C32", 4),
	[DT_C64] = COMPLEX("C64", 8),
	[DT_C128] = COMPLEX("C128", 16),
	[DT_F8_E4M3] = PLAIN("F8_E4M3", KIND_FLOAT, 1, 8),
	[DT_F8_E5M2] = PLAIN("F8_E5M2", KIND_FLOAT, 1, 8),
	[DT_F8_E4M3FNUZ] = PLAIN("F8_E4M3FNUZ", KIND_FLOAT, 1, 8),
	[DT_F8_E5M2FNUZ] = PLAIN("F8_E5M2FNUZ", KIND_FLOAT, 1, 8),
	[DT_F8_E8M0] = PLAIN("F8_E8M0", KIND_FLOAT, 1, 8),
	[DT_F6_E2M3] = PACKED("F6_E2M3", 4, 3, 6),
	[DT_F6_E3M2] = PACKED("F6_E3M2", 4, 3, 6),
	[DT_F4] = PACKED("F4", 2, 1, 4),

	[DT_Q4_0] = BLOCK_SWAPPED("Q4_0", 32, 18, 4, 0, -1),
	[DT_Q4_1] = BLOCK("Q4_1", 32, 20, 4),
	[DT_Q5_0] = BLOCK("Q5_0", 32, 22, 5),
	[DT_Q5_1] = BLOCK("Q5_1", 32, 24, 5),
	[DT_Q8_0] = BLOCK_SWAPPED("Q8_0", 32, 34, 8, 0, -1),
	[DT_Q8_1] = BLOCK("Q8_1", 32, 36, 8),
	[DT_Q2_K] = BLOCK("Q2_K", 256, 84, 2),
	[DT_Q3_K] = BLOCK("Q3_K", 256, 110, 3),
	[DT_Q4_K] = BLOCK_SWAPPED("Q4_K", 256, 144, 4, 0, 2, -1),
	[DT_Q5_K] = BLOCK("Q5_K", 256, 176, 5),
	[DT_Q6_K] = BLOCK_SWAPPED("Q6_K", 256, 210, 6, 208, -1),
	[DT_Q8_K] = BLOCK("Q8_K", 256, 292, 8),

	[DT_IQ2_XXS] = BLOCK("IQ2_XXS", 256, 66, 0),
	[DT_IQ2_XS] = BLOCK("IQ2_XS", 256, 74, 0),
	[DT_IQ3_XXS] = BLOCK("IQ3_XXS", 256, 98, 0),
	[DT_IQ1_S] = BLOCK("IQ1_S", 256, 50, 0),
	[DT_IQ4_NL] = BLOCK("IQ4_NL", 32, 18, 4),
	[DT_IQ3_S] = BLOCK("IQ3_S", 256, 110, 0),
	[DT_IQ2_S] = BLOCK("IQ2_S", 256, 82, 0),
	[DT_IQ4_XS] = BLOCK("IQ4_XS", 256, 136, 4),
	[DT_IQ1_M] = BLOCK("IQ1_M", 256, 56, 0),

	[DT_TQ1_0] = BLOCK("TQ1_0", 256, 54, 2),
	[DT_TQ2_0] = BLOCK("TQ2_0", 256, 66, 2),
	[DT_MXFP4] = BLOCK_SWAPPED("MXFP4", 32, 17, 4, -1),
	[DT_NVFP4] = BLOCK("NVFP4", 64, 36, 4),
	[DT_Q1_0] = BLOCK("Q1_0", 128, 18, 1),
	[DT_Q2_0] = BLOCK("Q2_0", 64, 18, 2),
};

enum dtype dtype_by_name(struct str name)
{
	for (int i = DT_OPAQUE + 1; i < DT_COUNT; i++)
		if (str_eq(name, str_of(dtypes[i].name)))
			return (enum dtype)i;
	return DT_OPAQUE;
}
