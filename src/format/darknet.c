/*
 * Darknet's weights (YOLO and others): pjreddie/darknet and AlexeyAB/darknet, src/parser.c, load_weights_upto.
 *
 *	i32:major i32:minor i32:revision, images seen in training (u64 from version 0.2 on, else u32), floats
 *
 * The file says nothing of layers: that is in the .cfg beside it, which darknet_cfg.c reads. Files of the first layers
 * of a net alone are legal (darknet53.conv.74). Without a .cfg, or with one that does not fit to the byte, the floats
 * are one flat tensor.
 */
#include <inttypes.h>
#include <string.h>

#include "bytes/cur.h"
#include "format/darknet_cfg.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/shards.h"

struct reader {
	struct model *m;
	uint32_t member;
	struct cur c;
	int32_t version[3];
	uint64_t floats; /* in the file */
	const char *cfg_name;
};

/* Over 1000 they are marks: connected layers are transposed. */
static bool transposed(const int32_t v[3])
{
	return v[0] > 1000 || v[1] > 1000;
}

static bool plausible(const int32_t v[3])
{
	return (v[0] == 0 || transposed(v)) && v[1] >= 0 && v[1] <= 2000 && (v[1] == 1 || v[1] == 2 || transposed(v)) &&
	       v[2] >= 0 && v[2] <= 9;
}

static void header(struct cur *c, int32_t v[3], uint64_t *seen)
{
	for (int i = 0; i < 3; i++)
		v[i] = (int32_t)cur_u32(c);
	*seen = v[0] * (int64_t)10 + v[1] >= 2 ? cur_u64(c) : cur_u32(c);
}

/* The header has little to be known by, so the numbers behind it are to look like weights. */
static int probe(const struct probe *p)
{
	struct cur c = cur_of(p->head);
	int32_t v[3];
	uint64_t seen;
	size_t n = 0;

	header(&c, v, &seen);
	if (c.bad || !plausible(v) || seen > (uint64_t)1 << 48)
		return 0;
	for (; n < 256 && cur_left(&c) >= 4; n++) {
		uint32_t bits = cur_u32(&c), exponent = bits >> 23 & 0xff;

		if (bits && (exponent < 127 - 60 || exponent > 127 + 30)) /* 1e-18 to 1e9 */
			return 0;
	}
	return n < 16 ? 0 : p->size % 4 && p->size != UINT64_MAX ? 12 : 24;
}

static enum rc add(struct reader *r, const char *name, const uint64_t *shape, unsigned rank, struct err *e)
{
	struct tensor *t = model_add_tensor(r->m);

	t->name = str_of(name);
	t->data = (struct span){r->member, cur_at(&r->c), 0};
	if (tensor_set_shape(r->m, t, DT_F32, shape, rank, e) != RC_OK)
		return err_prefix(e, "tensor %.*s", (int)t->name.n, t->name.p);
	t->data.length = 4 * t->count;
	cur_take(&r->c, t->data.length);
	return RC_OK;
}

static enum rc flat(struct reader *r, struct err *e)
{
	if (cur_left(&r->c) % 4)
		model_problem(r->m, STR(""), "%" PRIu64 " bytes at the end are no whole float", cur_left(&r->c) % 4);
	return add(r, "weights", &r->floats, 1, e);
}

/* How many of the arrays the file holds, if it ends between two layers or after the last. */
static bool fits(const struct reader *r, const struct cfg *cfg, size_t *n)
{
	uint64_t left = r->floats;

	for (*n = 0; *n < cfg->n && left >= cfg->arrays[*n].count; ++*n)
		left -= cfg->arrays[*n].count;
	return !left && *n && cur_left(&r->c) % 4 == 0 &&
	       (*n == cfg->n || cfg->arrays[*n].layer != cfg->arrays[*n - 1].layer);
}

static enum rc by_layers(struct reader *r, const struct cfg *cfg, struct err *e)
{
	uint64_t need = 0;
	size_t n;

	if (!fits(r, cfg, &n)) {
		for (size_t i = 0; i < cfg->n; i++)
			need += cfg->arrays[i].count;
		model_problem(r->m, STR(""), "%s does not describe this file: its layers take %" PRIu64
			      " floats, %" PRIu64 " are here", r->cfg_name, need, r->floats);
		return flat(r, e);
	}
	for (size_t i = 0; i < cfg->n_net; i++)
		fact_text(r->m, arena_printf(&r->m->arena, "net.%.*s", (int)cfg->net[i].key.n, cfg->net[i].key.p),
			  cfg->net[i].value);
	fact_uint(r->m, "layers", cfg->layers);
	if (n < cfg->n)
		fact_uint(r->m, "layers_in_file", cfg->arrays[n - 1].layer + 1);
	for (size_t i = 0; i < n; i++)
		if (add(r, cfg->arrays[i].name, cfg->arrays[i].shape, cfg->arrays[i].rank, e) != RC_OK)
			return RC_FAIL;
	return RC_OK;
}

/* ---- the description beside it ---- */

static size_t last(struct str s, char c)
{
	size_t i = s.n;

	while (i && s.p[i - 1] != c)
		i--;
	return i ? i - 1 : s.n;
}

/* Darknet saves X.cfg's weights as X.weights, X_1000.weights, X_last.weights; its first 74 layers as X.conv.74. */
static enum rc open_cfg(struct reader *r, uint32_t *cfg, struct err *e)
{
	struct model *m = r->m;
	struct str name = base_name(m->source.members[r->member].name), stems[3];
	struct err why;

	stems[0] = (struct str){name.p, last(name, '.')};
	stems[1] = (struct str){name.p, last(stems[0], '_')};
	stems[2] = (struct str){name.p, last(stems[0], '.')};
	for (size_t i = 0; i < COUNT(stems); i++) {
		struct str beside = str_of(arena_printf(&m->arena, "%.*s.cfg", (int)stems[i].n, stems[i].p));

		if (source_open_beside(&m->source, r->member, beside, cfg, &why) == RC_OK) {
			r->cfg_name = beside.p;
			return RC_OK;
		}
		if (i == 0)
			err_set(e, "%.*s beside it %s", (int)beside.n, beside.p, why.msg);
	}
	return RC_FAIL;
}

static enum rc read_body(struct reader *r, struct err *e)
{
	struct model *m = r->m;
	uint32_t member;
	struct err why;
	struct cfg cfg;
	enum rc rc;

	if (open_cfg(r, &member, &why) != RC_OK) {
		m->variant = arena_printf(&m->arena, "%s, one flat tensor: %s", m->variant, why.msg);
		return flat(r, e);
	}
	m->files = 2;
	m->bytes += m->source.members[member].size;
	if (cfg_read(&cfg, &m->arena, m->source.members[member].data, transposed(r->version), &why) != RC_OK) {
		cfg_free(&cfg);
		model_problem(m, STR(""), "%s: %s", r->cfg_name, why.msg);
		return flat(r, e);
	}
	rc = by_layers(r, &cfg, e);
	cfg_free(&cfg);
	return rc;
}

static enum rc read_darknet(struct model *m, uint32_t member, struct err *e)
{
	struct reader r = {.m = m, .member = member, .c = cur_of(m->source.members[member].data)};
	uint64_t seen;

	header(&r.c, r.version, &seen);
	if (r.c.bad || !plausible(r.version))
		return err_set(e, "does not begin with a version of Darknet's weights");
	r.floats = cur_left(&r.c) / 4;
	m->files = 1;
	m->bytes = m->source.members[member].size;
	m->variant = arena_printf(&m->arena, "version %" PRId32 ".%" PRId32 ".%" PRId32, r.version[0], r.version[1],
				  r.version[2]);
	fact_text(m, "version", str_of(m->variant + strlen("version ")));
	fact_uint(m, "seen", seen);
	return read_body(&r, e);
}

const struct format format_darknet = {
	.name = "darknet",
	.about = "weights of Darknet (YOLO), with their .cfg beside them",
	.reads = "every layer but conv_lstm; without a .cfg that fits, one flat tensor",
	.files = "*.weights",
	.probe = probe,
	.read = read_darknet,
};
