/*
 * Text nets of RNNoise (noise suppression): GregorR/rnnoise-nu, src/rnn_reader.c and src/rnn.c.
 *
 *	rnnoise-nu model file version 1
 *	six layers; dense: inputs neurons activation, weights [inputs, neurons], bias [neurons]
 *	            GRU:   inputs neurons activation, weights [inputs, 3 * neurons], recurrent weights
 *	                   [neurons, 3 * neurons], bias [3 * neurons]: update gate, reset gate, candidate
 *
 * All are whole numbers of one signed byte; a weight is worth 1/256 of it.
 */
#include <inttypes.h>
#include <string.h>

#include "bytes/spool.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/partial.h"
#include "format/textnum.h"

enum { NEURONS_MAX = 1 << 16 };

static const char first_line[] = "rnnoise-nu model file version ";

static const struct {
	const char *name;
	bool gru;
} layers[] = {
	{"input_dense", false}, {"vad_gru", true},         {"noise_gru", true},
	{"denoise_gru", true},  {"denoise_output", false}, {"vad_output", false},
};

struct reader {
	struct model *m;
	struct spool *spool;
	struct textnum t;
	struct err *e;
};

static int probe(const struct probe *p)
{
	size_t n = sizeof(first_line) - 1;

	return p->head.n > n && memcmp(p->head.p, first_line, n) == 0 ? 64 : 0;
}

static enum rc number(struct reader *r, const char *layer, const char *what, int64_t least, int64_t most, uint64_t *out)
{
	uint64_t at = textnum_at(&r->t);
	int64_t x;

	if (textnum_i64(&r->t, &x) != TEXTNUM_OK || x < least || x > most)
		return err_set(r->e, "%s: its %s is no number from %" PRId64 " to %" PRId64 " (byte %" PRIu64 ")",
			       layer, what, least, most, at);
	*out = (uint64_t)x;
	return RC_OK;
}

/* Reads t->count values into the spool. A word that is no value takes the place of one. */
static enum rc values(struct reader *r, struct tensor *t)
{
	for (uint64_t i = 0; i < t->count; i++) {
		uint64_t at = textnum_at(&r->t);
		enum textnum_rc rc;
		struct str word;
		int64_t x = 0;
		int8_t byte;

		rc = textnum_i64(&r->t, &x);
		if (rc == TEXTNUM_END) {
			tensor_broken(r->m, t, "the file ends after %" PRIu64 " of its %" PRIu64 " values", i,
				      t->count);
			return err_set(r->e, "the file ends inside a layer");
		}
		if (rc == TEXTNUM_BAD)
			textnum_word(&r->t, &word);
		if ((rc == TEXTNUM_BAD || x < INT8_MIN || x > INT8_MAX) && !t->broken)
			tensor_broken(r->m, t, "its value %" PRIu64 " is no number from -128 to 127 (byte %" PRIu64 ")",
				      i + 1, at);
		byte = (int8_t)x;
		if (spool_put(r->spool, &byte, 1, r->e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

static enum rc array(struct reader *r, const char *layer, const char *what, uint64_t rows, uint64_t columns)
{
	uint64_t d[2] = {rows ? rows : columns, columns};
	struct tensor *t;

	if ((rows ? rows : 1) * columns > (uint64_t)(r->t.end - r->t.p)) /* both are small: no overflow */
		return err_set(r->e, "%s: its %s do not fit in this file (byte %" PRIu64 ")", layer, what,
			       textnum_at(&r->t));
	t = model_add_tensor(r->m);
	t->name = str_of(arena_printf(&r->m->arena, "%s.%s", layer, what));
	if (tensor_set_shape(r->m, t, DT_I8, d, rows ? 2 : 1, r->e) != RC_OK)
		return RC_FAIL;
	t->data = (struct span){spool_member(r->spool), spool_at(r->spool), t->count};
	return values(r, t);
}

static enum rc layer(struct reader *r, const char *name, bool gru)
{
	static const char *const activations[] = {"tanh", "sigmoid", "relu"};
	uint64_t inputs, neurons, activation, n;

	if (number(r, name, "number of inputs", 1, NEURONS_MAX, &inputs) != RC_OK ||
	    number(r, name, "number of neurons", 1, NEURONS_MAX, &neurons) != RC_OK ||
	    number(r, name, "activation", 0, COUNT(activations) - 1, &activation) != RC_OK)
		return RC_FAIL;
	fact_text(r->m, arena_printf(&r->m->arena, "%s.activation", name), str_of(activations[activation]));
	n = gru ? 3 * neurons : neurons;
	if (array(r, name, "input_weights", inputs, n) != RC_OK)
		return RC_FAIL;
	if (gru && array(r, name, "recurrent_weights", neurons, n) != RC_OK)
		return RC_FAIL;
	return array(r, name, "bias", 0, n);
}

static enum rc read_net(struct reader *r)
{
	struct str word;
	uint64_t version;

	for (int i = 0; i < 4; i++)
		textnum_word(&r->t, &word);
	if (number(r, "line 1", "version", 1, 1, &version) != RC_OK)
		return RC_FAIL;
	fact_uint(r->m, "version", version);
	fact_f32(r->m, "weights_scale", 1.0f / 256);
	for (size_t i = 0; i < COUNT(layers); i++)
		if (layer(r, layers[i].name, layers[i].gru) != RC_OK)
			return RC_FAIL;
	if (textnum_word(&r->t, &word))
		model_problem(r->m, STR(""), "%" PRIu64 " bytes after the net belong to nothing (from byte %" PRIu64
			      " on)", (uint64_t)(r->t.end - word.p), textnum_at(&r->t) - word.n);
	return RC_OK;
}

static enum rc read_rnnoise(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .t = textnum_of(m->source.members[member].data), .e = e};
	enum rc rc;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (spool_begin(&r.spool, &m->source, m->source.members[member].name, e) != RC_OK)
		return RC_FAIL;
	rc = read_net(&r);
	m->variant = "text version 1";
	return partial_end(m, r.spool, rc, e);
}

const struct format format_rnnoise = {
	.name = "rnnoise",
	.about = "text nets of RNNoise (noise suppression)",
	.reads = "version 1; values as the stored integers",
	.files = "*.rnnn",
	.probe = probe,
	.read = read_rnnoise,
};
