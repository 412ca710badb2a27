/*
 * What the rules of format/packs.c share: finding stored tensors by name, fitting scales to codes by their shapes, and
 * making one tensor of the parts.
 */
#ifndef FORMAT_PACKER_H
#define FORMAT_PACKER_H

#include <jansson.h>

#include "base/map.h"
#include "model/pack.h"

/* Why tensors of one kind were left as they are: the first one's name and reason, and how many there are. */
struct doubt {
	struct str name;
	const char *why;
	size_t n;
};

#define NAME_TWICE (MAP_NONE - 1) /* two tensors have the name: neither is taken for a part */

struct packer {
	struct model *m;
	struct map names;     /* of the stored tensors: their number, or NAME_TWICE */
	bool *taken;          /* by tensor: it became a part of another one */
	size_t n;             /* how many tensors these are about */
	struct doubt *doubt;  /* of the rule at work */
	bool looked;          /* for the next two */
	json_t *config;       /* config.json beside the model, or NULL */
	json_t *quantize;     /* quantize_config.json likewise */
};

/* The tensor of this name: whole, and its elements one after the other. NULL: there is none, or two. */
struct tensor *find(struct packer *, struct str base, const char *ending);

/* Whether anything has that name, sound or not. */
bool is_there(const struct packer *, struct str base, const char *ending);

/* The stored bytes of a tensor, at most `most`; false when there are none or more. */
bool stored_bytes(struct packer *, const struct tensor *, size_t most, struct bytes *out);

/* Says that what looks like a packed tensor is left as it is; the sentence goes on "shown as stored: ". */
void doubt(struct packer *, struct str name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- JSON beside the model ---- */

/* config.json's entry of that name, an object, or NULL. The last is for GPTQ's quantize_config.json. */
json_t *config_of(struct packer *, const char *key);
json_t *quantize_config(struct packer *);
bool quantised_by(struct packer *, const char *method); /* quantization_config.quant_method of config.json */
bool json_size(const json_t *, uint64_t *out); /* a positive whole number */

/* ---- types, of tensors that may be NULL ---- */

static inline bool is_type(const struct tensor *t, enum dtype type)
{
	return t && t->type == type;
}

static inline bool is_float(const struct tensor *t)
{
	return t && (t->type == DT_F32 || t->type == DT_F16 || t->type == DT_BF16);
}

static inline bool is_f8(const struct tensor *t)
{
	return t && t->type >= DT_F8_E4M3 && t->type <= DT_F8_E5M2FNUZ;
}

/* Powers of two, by either of the types they are stored as. */
static inline bool is_e8m0(const struct tensor *t)
{
	return t && (t->type == DT_F8_E8M0 || t->type == DT_U8);
}

/* ---- shapes ---- */

bool same_dims(const struct tensor *, const struct tensor *);

/* The shape of the values: that of the codes, with `times` as many in the last dimension. */
struct logical {
	unsigned rank;
	uint64_t dims[RANK_MAX];
};
bool logical_of(struct logical *, const struct tensor *codes, uint64_t times);

/* How codes and scales lie; rows and so on as in struct pack. */
struct grid {
	uint64_t rows, cols, block_rows, block_cols;
	uint64_t scale_rows, scale_cols;
	char word[44];   /* that stands in the type for it: row, 128, 128x128 */
	char about[64];  /* likewise for people: a scale for each row */
};

/* One scale for the tensor, for a row, or for what the first dimensions name: the scales' shape is the codes' with ones
 * (or nothing) in the last places. */
bool fit_rows(struct grid *, const struct logical *, const struct tensor *scales);

/* Groups along the last dimension, of `size` elements or, for 0, of equal parts of it. */
bool fit_groups(struct grid *, const struct logical *, const struct tensor *scales, uint64_t size);

/* The one group size, a power of two or an equal part, that makes so many groups of n elements; false: there is not
 * just one. */
bool only_size(uint64_t n, uint64_t groups, uint64_t *size);

/* Blocks of rows and columns, of these sizes or, for NULL, of powers of two. */
bool fit_blocks(struct grid *, const struct logical *, const struct tensor *scales, const uint64_t size[2]);

/* ---- making one ---- */

enum { PARTS_MAX = 8 };

struct draft {
	struct packer *pk;
	struct pack *p;
	struct pack_part *parts;
	struct tensor *tensors[PARTS_MAX];
};

/* Begins one whose codes are this tensor; the grid's numbers are copied. */
struct draft draft_new(struct packer *, struct tensor *codes, const struct grid *);

/* Another part. */
const struct pack_part *draft_part(struct draft *, struct tensor *, const char *role);

/* Arrays, by the grid of the codes or of the scales. */
struct pack_array codes_plain(const struct draft *);
struct pack_array codes_bits(const struct draft *, unsigned bits, uint64_t pitch);
struct pack_array scales_plain(struct draft *, struct tensor *, const char *role, enum dtype, const struct grid *);
struct pack_array number(struct draft *, struct tensor *, const char *role); /* one, or one for each matrix */

extern const float e2m1[16]; /* what the codes of FP4 stand for (OCP MX) */

struct str joined(struct packer *, struct str base, const char *ending); /* in the model's arena */

/* The tensor of the codes becomes the packed one. False, with a doubt, when it cannot be. */
bool draft_done(struct draft *, struct str name, const struct logical *shape, const char *type, const char *about);

/* FP4 in U8, I8 or F4, with scales of groups of 32 or 16; a doubt where they do not fit. NVFP4 has two scales, one for
 * all: some multiply by it, some divide. */
void pack_mxfp4(struct packer *, struct str name, struct tensor *codes, struct tensor *scales);
void pack_nvfp4(struct packer *, struct str name, struct tensor *codes, struct tensor *scales, struct tensor *global,
		bool divide);

/* ---- the rules: each gets the tensor whose name has the rule's ending, and the name without it ---- */

typedef void pack_rule(struct packer *, struct str base, struct tensor *);

pack_rule rule_blocks, rule_scale, rule_scale_inv, rule_plain_scale, rule_scale_weight, rule_scb; /* pack_scaled.c */
pack_rule rule_ct, rule_bnb, rule_qweight, rule_mlx, rule_mlx_float; /* pack_ct.c and so on */

#endif
