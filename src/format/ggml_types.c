#include "format/ggml_types.h"

/* Tensor types by their number in the file. What has no dtype is shown by its name: types that were removed, and those
 * of ik_llama.cpp, whose rows carry bytes beside their blocks. */
static const struct {
	uint32_t id;
	enum dtype type;
	const char *name;
} types[] = {
	{0, DT_F32, NULL},      {1, DT_F16, NULL},      {2, DT_Q4_0, NULL},    {3, DT_Q4_1, NULL},
	{4, DT_OPAQUE, "Q4_2"}, {5, DT_OPAQUE, "Q4_3"}, {6, DT_Q5_0, NULL},    {7, DT_Q5_1, NULL},
	{8, DT_Q8_0, NULL},     {9, DT_Q8_1, NULL},     {10, DT_Q2_K, NULL},   {11, DT_Q3_K, NULL},
	{12, DT_Q4_K, NULL},    {13, DT_Q5_K, NULL},    {14, DT_Q6_K, NULL},   {15, DT_Q8_K, NULL},
	{16, DT_IQ2_XXS, NULL}, {17, DT_IQ2_XS, NULL},  {18, DT_IQ3_XXS, NULL}, {19, DT_IQ1_S, NULL},
	{20, DT_IQ4_NL, NULL},  {21, DT_IQ3_S, NULL},   {22, DT_IQ2_S, NULL},  {23, DT_IQ4_XS, NULL},
	{24, DT_I8, NULL},      {25, DT_I16, NULL},     {26, DT_I32, NULL},    {27, DT_I64, NULL},
	{28, DT_F64, NULL},     {29, DT_IQ1_M, NULL},   {30, DT_BF16, NULL},   {31, DT_OPAQUE, "Q4_0_4_4"},
	{32, DT_OPAQUE, "Q4_0_4_8"}, {33, DT_OPAQUE, "Q4_0_8_8"}, {34, DT_TQ1_0, NULL}, {35, DT_TQ2_0, NULL},
	{36, DT_OPAQUE, "IQ4_NL_4_4"}, {37, DT_OPAQUE, "IQ4_NL_4_8"}, {38, DT_OPAQUE, "IQ4_NL_8_8"},
	{39, DT_MXFP4, NULL},   {40, DT_NVFP4, NULL},   {41, DT_Q1_0, NULL},   {42, DT_Q2_0, NULL},
	{97, DT_OPAQUE, "Q8_0_X4"}, {98, DT_OPAQUE, "Q8_1_X4"}, {99, DT_OPAQUE, "Q8_2_X4"},
	{133, DT_OPAQUE, "Q6_0"}, {134, DT_OPAQUE, "IQ1_BN"}, {135, DT_OPAQUE, "IQ2_BN"}, {137, DT_OPAQUE, "IQ2_K"},
	{138, DT_OPAQUE, "IQ3_K"}, {139, DT_OPAQUE, "IQ4_K"}, {140, DT_OPAQUE, "IQ5_K"}, {141, DT_OPAQUE, "IQ6_K"},
	{144, DT_OPAQUE, "IQ4_KS"}, {145, DT_OPAQUE, "IQ2_KS"}, {146, DT_OPAQUE, "IQ4_KSS"}, {152, DT_OPAQUE, "IQ5_KS"},
	{153, DT_OPAQUE, "IQ2_KT"}, {154, DT_OPAQUE, "IQ3_KT"}, {155, DT_OPAQUE, "IQ4_KT"}, {156, DT_OPAQUE, "IQ3_KS"},
	{157, DT_OPAQUE, "IQ2_KL"}, {158, DT_OPAQUE, "IQ1_KT"},
};

enum dtype ggml_type(uint32_t id, const char **name)
{
	*name = NULL;
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].id == id) {
			*name = types[i].name;
			return types[i].type;
		}
	return DT_OPAQUE;
}
