/*
 * Evaluation nets of chess engines without any header: 16-bit integers from the first byte to the last. Nothing in such
 * a file can be recognised, so it is read only when --format says so. The layout of jw1912/akimbo (src/network.rs in
 * 2023; bullet trains such nets) is found by the size of the file, which may be padded to a multiple of 64 bytes:
 *
 *	i16 feature_weights[768][width], feature_bias[width], output_weights[buckets][2][width], output_bias[buckets]
 *
 * with 1 or 8 buckets. Any other size is one flat tensor.
 */
#include <inttypes.h>

#include "format/format.h"
#include "format/notes.h"

enum {
	FEATURES = 768, /* a piece of either colour on a square */
	STEP = 8,       /* widths are multiples of it */
	PAD = 64
};

static int probe(const struct probe *p)
{
	(void)p;
	return 0;
}

/* The width with which that many buckets fill so many bytes; 0: none does. */
static uint64_t width_for(uint64_t bytes, uint64_t buckets)
{
	uint64_t row = FEATURES + 1 + 2 * buckets, width = bytes / 2 / row, exact;

	width -= width % STEP;
	exact = 2 * (width * row + buckets);
	return width && (bytes == exact || bytes == u64_ceil_div(exact, PAD) * PAD) ? width : 0;
}

static enum rc add(struct model *m, const char *name, uint64_t *at, uint32_t member, const uint64_t *d, unsigned rank,
		   struct err *e)
{
	struct tensor *t = model_add_tensor(m);

	t->name = str_of(name);
	if (tensor_set_shape(m, t, DT_I16, d, rank, e) != RC_OK)
		return RC_FAIL;
	t->data = (struct span){member, *at, 2 * t->count};
	*at += t->data.length;
	return RC_OK;
}

static enum rc add_layers(struct model *m, uint32_t member, uint64_t width, uint64_t buckets, struct err *e)
{
	uint64_t features[2] = {FEATURES, width}, outputs[3] = {buckets, 2, width}, at = 0;

	if (add(m, "feature_weights", &at, member, features, 2, e) != RC_OK ||
	    add(m, "feature_bias", &at, member, &width, 1, e) != RC_OK ||
	    add(m, "output_weights", &at, member, outputs, 3, e) != RC_OK ||
	    add(m, "output_bias", &at, member, &buckets, 1, e) != RC_OK)
		return RC_FAIL;
	fact_uint(m, "accumulator", width);
	fact_uint(m, "output_buckets", buckets);
	return RC_OK;
}

static enum rc read_raw(struct model *m, uint32_t member, struct err *e)
{
	static const uint64_t buckets[] = {1, 8};
	uint64_t bytes = m->source.members[member].size, at = 0, n = bytes / 2;

	m->files = 1;
	m->bytes = bytes;
	m->variant = "16-bit integers";
	for (size_t i = 0; i < COUNT(buckets); i++) {
		uint64_t width = width_for(bytes, buckets[i]);

		if (width) {
			m->variant = arena_printf(&m->arena, "(768 -> %" PRIu64 ")x2 -> %" PRIu64, width, buckets[i]);
			return add_layers(m, member, width, buckets[i], e);
		}
	}
	if (bytes % 2)
		model_problem(m, STR(""), "the last byte is no whole integer");
	return add(m, "values", &at, member, &n, 1, e);
}

const struct format format_nnue_raw = {
	.name = "nnue-raw",
	.about = "nets of chess engines without a header, only with --format nnue-raw",
	.reads = "16-bit integers; (768 -> N)x2 -> 1 or 8 is recognised by its size, else one flat tensor",
	.files = "*.nnue *.bin",
	.probe = probe,
	.read = read_raw,
};
