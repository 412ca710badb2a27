/*
 * GNU Backgammon's nets, as text (gnubg.weights) or binary (gnubg.wd): lib/neuralnet.c, makeweights.c and eval.c of
 * GNU Backgammon.
 *
 *	text     GNU Backgammon 1.00
 *	         per net: inputs hidden outputs trained beta beta, and as many numbers
 *	binary   float:472.3782 float:version
 *	         per net: u32:inputs u32:hidden u32:outputs u32:trained float:beta float:beta, and as many floats;
 *	         in the order of the machine that wrote it, little-endian here
 *
 *	numbers  hidden weights [inputs, hidden], output weights [outputs, hidden], hidden and output thresholds
 *
 * There are as many nets as the file holds. Their names are the variables that eval.c reads them into, in its order.
 */
#include <inttypes.h>
#include <string.h>

#include "bytes/cur.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/partial.h"
#include "format/textnum.h"

enum {
	UNITS_MAX = 1 << 20,
	NETS_MAX = 10000,
	ARRAYS = 4
};

static const char first_words[] = "GNU Backgammon ";
static const uint8_t magic[] = {0x69, 0x30, 0xec, 0x43}; /* 472.3782f */

struct reader {
	struct model *m;
	uint32_t member;
	struct spool *spool; /* NULL: binary */
	struct textnum t;
	struct cur c;
	struct err *e;
};

static bool is_text(struct bytes b)
{
	size_t n = sizeof(first_words) - 1;

	return b.n > n && memcmp(b.p, first_words, n) == 0;
}

static bool is_binary(struct bytes b)
{
	return b.n >= 32 && memcmp(b.p, magic, sizeof(magic)) == 0;
}

static int probe(const struct probe *p)
{
	return is_text(p->head) ? 64 : is_binary(p->head) ? 32 : 0;
}

static uint64_t where(const struct reader *r)
{
	return r->spool ? textnum_at(&r->t) : cur_at(&r->c);
}

static bool at_end(const struct reader *r)
{
	struct textnum t = r->t;
	struct str word;

	return r->spool ? !textnum_word(&t, &word) : !cur_left(&r->c);
}

/* ---- numbers, of either kind ---- */

static bool unit(struct reader *r, uint64_t *x)
{
	int64_t n = 0;

	if (r->spool && textnum_i64(&r->t, &n) != TEXTNUM_OK)
		return false;
	if (!r->spool)
		n = cur_u32(&r->c);
	*x = (uint64_t)n;
	return n >= 0 && !r->c.bad;
}

static bool beta(struct reader *r, float *x)
{
	uint32_t bits;

	if (r->spool)
		return textnum_f32(&r->t, x) == TEXTNUM_OK;
	bits = cur_u32(&r->c);
	memcpy(x, &bits, sizeof(*x));
	return !r->c.bad;
}

/* t->count numbers. A word that is no number takes the place of one. */
static enum rc text_values(struct reader *r, struct tensor *t)
{
	for (uint64_t i = 0; i < t->count; i++) {
		enum textnum_rc rc;
		struct str word;
		float x = 0;

		rc = textnum_f32(&r->t, &x);
		if (rc == TEXTNUM_END) {
			tensor_broken(r->m, t, "the file ends after %" PRIu64 " of its %" PRIu64 " values", i,
				      t->count);
			return err_set(r->e, "the file ends inside a net");
		}
		if (rc == TEXTNUM_BAD && textnum_word(&r->t, &word) && !t->broken) {
			uint64_t at = textnum_at(&r->t) - word.n;

			word = textnum_shown(word);
			tensor_broken(r->m, t, "its value %" PRIu64 " is no number: %.*s (byte %" PRIu64 ")", i + 1,
				      (int)word.n, word.p, at);
		}
		if (spool_f32(r->spool, x, r->e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

static enum rc binary_values(struct reader *r, struct tensor *t)
{
	uint64_t left = cur_left(&r->c);

	if (cur_take(&r->c, t->count * sizeof(float)))
		return RC_OK;
	tensor_broken(r->m, t, "its %" PRIu64 " values from byte %" PRIu64 " on leave the file, which ends at byte %"
		      PRIu64, t->count, t->data.offset, t->data.offset + left);
	return err_set(r->e, "the file ends inside a net");
}

/* ---- nets ---- */

static const char *net_name(struct reader *r, unsigned i)
{
	static const char *const names[] = {"nnContact", "nnRace", "nnCrashed", "nnpContact", "nnpCrashed", "nnpRace"};

	return i < COUNT(names) ? names[i] : arena_printf(&r->m->arena, "nn%u", i);
}

static enum rc arrays(struct reader *r, const char *net, const uint64_t units[3])
{
	static const struct {
		const char *name;
		int rows, columns; /* indexes into units; rows -1: none */
	} kinds[ARRAYS] = {
		{"arHiddenWeight", 0, 1}, {"arOutputWeight", 2, 1}, {"arHiddenThreshold", -1, 1},
		{"arOutputThreshold", -1, 2},
	};
	uint64_t left = r->spool ? (uint64_t)(r->t.end - r->t.p) : cur_left(&r->c) / sizeof(float);

	if ((units[0] + units[2]) * units[1] > left) /* all are small: no overflow */
		return err_set(r->e, "%s: its weights do not fit in this file (byte %" PRIu64 ")", net, where(r));
	for (int i = 0; i < ARRAYS; i++) {
		struct tensor *t = model_add_tensor(r->m);
		bool matrix = kinds[i].rows >= 0;
		uint64_t d[2] = {units[matrix ? kinds[i].rows : kinds[i].columns], units[kinds[i].columns]};

		t->name = str_of(arena_printf(&r->m->arena, "%s.%s", net, kinds[i].name));
		t->data.member = r->spool ? spool_member(r->spool) : r->member;
		t->data.offset = r->spool ? spool_at(r->spool) : cur_at(&r->c);
		if (tensor_set_shape(r->m, t, DT_F32, d, matrix ? 2 : 1, r->e) != RC_OK)
			return RC_FAIL;
		t->data.length = t->count * sizeof(float);
		if ((r->spool ? text_values(r, t) : binary_values(r, t)) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

static enum rc net(struct reader *r, unsigned i)
{
	const char *name = net_name(r, i);
	uint64_t at = where(r), units[3], trained;
	struct arena *a = &r->m->arena;
	float hidden, output;

	for (int k = 0; k < 3; k++)
		if (!unit(r, &units[k]) || !units[k] || units[k] > UNITS_MAX)
			return err_set(r->e, "%s: no whole number of units from 1 on (byte %" PRIu64 ")", name, at);
	if (!unit(r, &trained) || !beta(r, &hidden) || !beta(r, &output))
		return err_set(r->e, "%s: its header is not whole (byte %" PRIu64 ")", name, at);
	fact_uint(r->m, arena_printf(a, "%s.nTrained", name), trained);
	fact_f32(r->m, arena_printf(a, "%s.rBetaHidden", name), hidden);
	fact_f32(r->m, arena_printf(a, "%s.rBetaOutput", name), output);
	return arrays(r, name, units);
}

static enum rc first_line(struct reader *r)
{
	struct str version;
	float x;

	if (!r->spool) {
		cur_u32(&r->c);
		if (beta(r, &x))
			fact_f32(r->m, "version", x);
		return RC_OK;
	}
	r->t.p += sizeof(first_words) - 1;
	if (!textnum_word(&r->t, &version))
		return err_set(r->e, "the file ends in its first line");
	fact_text(r->m, "version", version);
	return RC_OK;
}

static enum rc nets(struct reader *r)
{
	if (first_line(r) != RC_OK)
		return RC_FAIL;
	for (unsigned i = 0; i < NETS_MAX && !at_end(r); i++)
		if (net(r, i) != RC_OK)
			return RC_FAIL;
	if (!at_end(r))
		return err_set(r->e, "more than %d nets", NETS_MAX);
	return r->m->n_tensors ? RC_OK : err_set(r->e, "no net follows the first line");
}

static enum rc read_gnubg(struct model *m, uint32_t member, struct err *e)
{
	struct bytes all = m->source.members[member].data;
	struct reader r = {.m = m, .member = member, .t = textnum_of(all), .c = cur_of(all), .e = e};
	enum rc rc;

	m->files = 1;
	m->bytes = all.n;
	if (!is_text(all) && !is_binary(all))
		return err_set(e, "does not begin as GNU Backgammon's weights do");
	if (is_text(all) && spool_begin(&r.spool, &m->source, m->source.members[member].name, e) != RC_OK)
		return RC_FAIL;
	m->variant = r.spool ? "text" : "binary";
	rc = nets(&r);
	return partial_end(m, r.spool, rc, e);
}

const struct format format_gnubg = {
	.name = "gnubg",
	.about = "nets of GNU Backgammon",
	.reads = "text and little-endian binary weights of every version, as many nets as there are",
	.files = "gnubg.weights gnubg.wd *.weights",
	.probe = probe,
	.read = read_gnubg,
};
