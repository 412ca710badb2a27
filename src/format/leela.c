/*
 * Text nets of Leela Zero (Go) and the old ones of Lc0 (chess), plain or, as they are distributed, compressed: one
 * tensor a line. What they look like is read off leela-zero/leela-zero, src/Network.cpp (load_v1_network) and
 * training/tf/tfprocess.py; for Lc0, off src/neural/loader.cc before its text nets were dropped.
 *
 *	line 1       version: 1, or 2. In Leela Zero, 2 says that the value is Black's; in Lc0, that the input has 112
 *	             planes
 *	4 lines      input convolution: weights [filters, planes, 3, 3], biases, means and variances [filters]
 *	8 a block    two such convolutions [filters, filters, 3, 3]
 *	4 lines      policy convolution [outputs, filters, 1, 1]
 *	2 lines      policy layer: weights [moves, outputs * squares], biases
 *	4 lines      value convolution
 *	4 lines      two value layers: weights, biases, weights, biases
 *
 * Nothing says how many blocks, filters or planes there are: lines and numbers are counted. The variances are raw: the
 * programs divide by sqrt(variance + 1e-5). A "bias" is subtracted from the mean before that.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "bytes/spool.h"
#include "format/format.h"
#include "format/notes.h"
#include "format/textnum.h"

enum {
	INPUT = 4, BLOCK = 8, HEADS = 14, /* lines of each */
	BLOCKS_MAX = 10000,
	LINES_MAX = INPUT + BLOCK * BLOCKS_MAX + HEADS,
	VALUES_MIN = 9 * 18 /* a net of one filter has as many in its second line */
};

struct line {
	uint64_t count;   /* of numbers */
	uint64_t data;    /* offset of their floats in the spool */
	const char *bad;  /* NULL, or what stands there instead of a number */
};

struct net {
	struct model *m;
	struct spool *spool;
	unsigned version;
	struct line *lines; /* without the version's */
	size_t n;
	size_t blocks;
	bool known;         /* the number of lines is that of the layout above */
	bool lc0;
	uint64_t filters, planes, squares;
};

/* ---- probing ---- */

static bool skip_version(struct textnum *t, unsigned *version)
{
	struct textnum line;
	struct str word, more;

	if (!textnum_line(t, &line) || !textnum_word(&line, &word) || textnum_word(&line, &more))
		return false;
	if (word.n != 1 || (word.p[0] != '1' && word.p[0] != '2'))
		return false;
	*version = (unsigned)(word.p[0] - '0');
	return true;
}

/* Only the beginning of the second line may be there: its last word is not looked at then. */
static int probe(const struct probe *p)
{
	struct textnum t = textnum_of(p->head), line;
	unsigned version, n = 0;
	float x;

	if (p->head.n < 2 * VALUES_MIN || !skip_version(&t, &version) || !textnum_line(&t, &line))
		return 0;
	while (textnum_f32(&line, &x) == TEXTNUM_OK && (line.p < line.end || line.end < t.end))
		n++;
	return n >= VALUES_MIN && line.p == line.end ? 40 : 0;
}

/* ---- lines ---- */

static enum rc read_line(struct net *n, struct line *l, struct textnum line, uint64_t number, struct err *e)
{
	enum textnum_rc rc;
	struct str word;
	float x;

	l->data = spool_at(n->spool);
	while ((rc = textnum_f32(&line, &x)) == TEXTNUM_OK) {
		if (spool_f32(n->spool, x, e) != RC_OK)
			return RC_FAIL;
		l->count++;
	}
	if (rc == TEXTNUM_BAD && textnum_word(&line, &word)) {
		word = textnum_shown(word);
		l->bad = arena_printf(&n->m->arena, "line %" PRIu64 ": its value %" PRIu64 " is no number: %.*s",
				      number, l->count + 1, (int)word.n, word.p);
	}
	return RC_OK;
}

static enum rc read_lines(struct net *n, struct textnum t, struct err *e)
{
	static const char blanks[] = {' ', '\t', '\r', '\n'};
	struct textnum line;
	size_t cap = 0;

	while (t.end > t.p && memchr(blanks, t.end[-1], sizeof(blanks))) /* blank lines at the end are none */
		t.end--;
	for (uint64_t number = 2; textnum_line(&t, &line); number++) {
		if (n->n == LINES_MAX)
			return err_set(e, "more than %d lines: no net has so many", LINES_MAX + 1);
		if (n->n == cap) {
			cap = cap ? 2 * cap : 64;
			n->lines = xrealloc(n->lines, cap, sizeof(*n->lines));
		}
		n->lines[n->n] = (struct line){0};
		if (read_line(n, &n->lines[n->n++], line, number, e) != RC_OK)
			return RC_FAIL;
	}
	return RC_OK;
}

/* ---- what the lines are ---- */

static uint64_t count_of(const struct net *n, size_t i)
{
	return i < n->n ? n->lines[i].count : 0;
}

/* The side of the square board, or 0. */
static uint64_t root(uint64_t squares)
{
	for (uint64_t side = 1; side <= 64; side++)
		if (side * side == squares)
			return side;
	return 0;
}

static void look(struct net *n)
{
	size_t heads = n->n >= HEADS ? n->n - HEADS : 0;
	uint64_t moves = count_of(n, heads + 5), outputs = count_of(n, heads + 1);

	n->known = n->n >= INPUT + HEADS && (n->n - INPUT - HEADS) % BLOCK == 0;
	if (!n->known)
		return;
	n->blocks = (n->n - INPUT - HEADS) / BLOCK;
	n->filters = count_of(n, 1);
	n->planes = n->filters ? count_of(n, 0) / n->filters / 9 : 0;
	n->squares = moves && outputs ? count_of(n, heads + 4) / moves / outputs : 0;
	n->lc0 = n->squares == 64 && (n->planes == 112 || n->planes == 120 || moves != n->squares + 1);
}

/* The layers behind the blocks; i counts from the policy convolution on. */
static unsigned head_shape(const struct net *n, size_t first, size_t i, uint64_t d[4])
{
	static const struct {
		uint8_t rank, rows, inputs; /* rows: the line with the biases of the same layer */
	} layers[HEADS] = {
		{4, 1, 0}, {1, 1, 0}, {1, 1, 0}, {1, 1, 0}, {2, 5, 1}, {1, 5, 0}, {4, 7, 0}, {1, 7, 0},
		{1, 7, 0}, {1, 7, 0}, {2, 11, 7}, {1, 11, 0}, {2, 13, 11}, {1, 13, 0},
	};

	d[0] = count_of(n, first + layers[i].rows);
	d[1] = n->filters;
	d[2] = d[3] = 1;
	if (layers[i].rank == 2) {
		d[1] = count_of(n, first + layers[i].inputs);
		if (i < 12 && !u64_mul(d[1], n->squares, &d[1]))
			d[1] = 0;
	}
	return layers[i].rank;
}

static unsigned shape(const struct net *n, size_t i, uint64_t d[4])
{
	size_t tower = n->n - HEADS;

	if (i >= tower)
		return head_shape(n, tower, i - tower, d);
	d[0] = n->filters;
	d[1] = i < INPUT ? n->planes : n->filters;
	d[2] = d[3] = 3;
	return i % 4 ? 1 : 4;
}

/* Leela Zero's own source has only arrays without names: those here follow its layers. Lc0's are its protobuf's. */
static const char *name_of(const struct net *n, size_t i)
{
	static const char *const conv[2][4] = {{"weight", "bias", "bn_mean", "bn_var"},
					       {"weights", "biases", "bn_means", "bn_stddivs"}};
	static const char *const heads[2][HEADS] = {
		{"policy.conv.weight", "policy.conv.bias", "policy.conv.bn_mean", "policy.conv.bn_var",
		 "policy.ip_w", "policy.ip_b", "value.conv.weight", "value.conv.bias", "value.conv.bn_mean",
		 "value.conv.bn_var", "value.ip1_w", "value.ip1_b", "value.ip2_w", "value.ip2_b"},
		{"policy.weights", "policy.biases", "policy.bn_means", "policy.bn_stddivs", "ip_pol_w", "ip_pol_b",
		 "value.weights", "value.biases", "value.bn_means", "value.bn_stddivs", "ip1_val_w", "ip1_val_b",
		 "ip2_val_w", "ip2_val_b"},
	};
	struct arena *a = &n->m->arena;

	if (!n->known)
		return arena_printf(a, "line.%zu", i + 2);
	if (i >= n->n - HEADS)
		return heads[n->lc0][i - (n->n - HEADS)];
	if (i < INPUT)
		return arena_printf(a, "input.%s%s", n->lc0 ? "" : "conv.", conv[n->lc0][i]);
	i -= INPUT;
	return arena_printf(a, "residual.%zu.conv%zu.%s", i / BLOCK, 1 + i / 4 % 2, conv[n->lc0][i % 4]);
}

static bool product_is(const uint64_t *d, unsigned rank, uint64_t count)
{
	uint64_t x = 1;

	for (unsigned k = 0; k < rank; k++)
		if (!u64_mul(x, d[k], &x))
			return false;
	return x == count;
}

/* A line with another number of values than its neighbours ask for is shown as it stands, as a vector. */
static enum rc add_tensor(struct net *n, size_t i, struct err *e)
{
	const struct line *l = &n->lines[i];
	struct tensor *t = model_add_tensor(n->m);
	uint64_t d[4] = {l->count};
	unsigned rank = n->known ? shape(n, i, d) : 1;

	t->name = str_of(name_of(n, i));
	if (!l->bad && !product_is(d, rank, l->count)) {
		model_problem(n->m, t->name, "line %zu has %" PRIu64 " values, which do not fit the layers beside it",
			      i + 2, l->count);
		rank = 1;
		d[0] = l->count;
	}
	t->data = (struct span){spool_member(n->spool), l->data, l->count * sizeof(float)};
	if (tensor_set_shape(n->m, t, DT_F32, d, rank, e) != RC_OK)
		return err_prefix(e, "tensor %.*s", (int)t->name.n, t->name.p);
	if (l->bad)
		tensor_broken(n->m, t, "%s", l->bad);
	return RC_OK;
}

/* ---- the file ---- */

static void tell(struct net *n)
{
	struct model *m = n->m;
	uint64_t side = root(n->squares);

	fact_uint(m, "version", n->version);
	if (!n->known) {
		m->variant = arena_printf(&m->arena, "version %u, layout not known", n->version);
		model_problem(m, STR(""), "lines of values: %zu; a net has 18, and 8 more for each block", n->n);
		return;
	}
	m->variant = arena_printf(&m->arena, "%s version %u, %zu block%s, %" PRIu64 " filters",
				  n->lc0 ? "Lc0 text" : "text", n->version, n->blocks, n->blocks == 1 ? "" : "s",
				  n->filters);
	fact_uint(m, "blocks", n->blocks);
	fact_uint(m, "filters", n->filters);
	fact_uint(m, "input_planes", n->planes);
	if (side)
		fact_uint(m, "board_size", side);
	if (!n->lc0)
		fact_text(m, "value", n->version == 2 ? STR("for Black") : STR("for the side to move"));
}

static enum rc read_net(struct net *n, struct textnum t, struct err *e)
{
	if (read_lines(n, t, e) != RC_OK)
		return RC_FAIL;
	if (!n->n)
		return err_set(e, "nothing follows the version in line 1");
	look(n);
	tell(n);
	for (size_t i = 0; i < n->n; i++)
		if (add_tensor(n, i, e) != RC_OK)
			return RC_FAIL;
	return RC_OK;
}

static enum rc read_leela(struct model *m, uint32_t member, struct err *e)
{
	struct net n = {.m = m};
	struct textnum t = textnum_of(m->source.members[member].data);
	enum rc rc;

	m->files = 1;
	m->bytes = m->source.members[member].size;
	if (!skip_version(&t, &n.version))
		return err_set(e, "line 1 is not the version 1 or 2 of a Leela Zero net");
	if (spool_begin(&n.spool, &m->source, m->source.members[member].name, e) != RC_OK)
		return RC_FAIL;
	rc = read_net(&n, t, e);
	free(n.lines);
	if (rc == RC_OK)
		return spool_end(n.spool, e);
	spool_drop(n.spool);
	return rc;
}

const struct format format_leela = {
	.name = "leela-zero",
	.about = "text nets of Leela Zero (Go), and Lc0's old ones (chess)",
	.reads = "versions 1 and 2; blocks, filters and board are found by counting; numbers become F32",
	.files = "*.txt",
	.probe = probe,
	.read = read_leela,
};
