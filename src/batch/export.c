/*
 * export: a tensor as a .npy file (NumPy's format 1.0, row by row, little-endian). What NumPy has a type for keeps it;
 * all others, blocks and packed tensors among them, become float32, which holds their values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/outfile.h"
#include "base/utf8.h"
#include "batch/batch.h"
#include "num/decode.h"
#include "num/feed.h"

enum { CHUNK_OUT = 1 << 14 }; /* elements; a multiple of every block */

static const struct npy_type {
	const char *descr;
	bool as_stored; /* the bytes as they are; else decoded, and written as floats (or as 0 and 1) */
} npy_types[DT_COUNT] = {
	[DT_BOOL] = {"|b1", false}, [DT_U8] = {"|u1", true},   [DT_I8] = {"|i1", true},   [DT_U16] = {"<u2", true},
	[DT_I16] = {"<i2", true},   [DT_U32] = {"<u4", true},  [DT_I32] = {"<i4", true},  [DT_U64] = {"<u8", true},
	[DT_I64] = {"<i8", true},   [DT_F16] = {"<f2", true},  [DT_F32] = {"<f4", true},  [DT_F64] = {"<f8", true},
	[DT_C32] = {"<c8", false},  [DT_C64] = {"<c8", true},  [DT_C128] = {"<c16", true},
};

static struct npy_type npy_type_of(enum dtype t)
{
	return npy_types[t].descr ? npy_types[t] : (struct npy_type){"<f4", false};
}

/* ---- where it goes: a file, or standard output for NULL ---- */

static enum rc put(struct outfile *o, const void *p, size_t n, struct err *e)
{
	if (o)
		return outfile_write(o, p, n, e);
	out_raw((struct str){p, n});
	return RC_OK; /* out_end tells of what was lost */
}

/* ---- the array ---- */

/* The dict, padded so that the data begins at a multiple of 64. */
static void make_header(struct buf *b, const struct tensor *t)
{
	enum { PREFIX = 10, ALIGN = 64 };
	struct buf dict = {0};
	size_t n;

	buf_printf(&dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", npy_type_of(t->type).descr);
	for (unsigned i = 0; i < t->rank; i++)
		buf_printf(&dict, "%llu%s", (unsigned long long)t->shape[i],
			   t->rank == 1 ? "," : i + 1 < t->rank ? ", " : "");
	buf_puts(&dict, "), }");
	n = (size_t)u64_ceil_div(PREFIX + dict.n + 1, ALIGN) * ALIGN - PREFIX;
	buf_repeat(&dict, ' ', n - 1 - dict.n);
	buf_putc(&dict, '\n');
	buf_add(b, "\x93NUMPY\x01\x00", 8);
	buf_putc(b, (char)(n & 255));
	buf_putc(b, (char)(n >> 8));
	buf_str(b, buf_view(&dict));
	buf_free(&dict);
}

static void store_float(uint8_t *p, double x)
{
	float f = (float)x;
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(bits >> 8 * i);
}

/* Decodes n elements to out; returns the bytes that they took. */
static size_t convert(enum dtype t, uint8_t *out, double *x, const uint8_t *raw, size_t n)
{
	size_t numbers = n * decode_width(t);

	decode(t, x, raw, n);
	for (size_t i = 0; i < numbers; i++)
		if (t == DT_BOOL)
			out[i] = x[i] != 0;
		else
			store_float(out + 4 * i, x[i]);
	return t == DT_BOOL ? n : 4 * numbers;
}

static enum rc write_elements(struct outfile *o, struct feed *f, const struct model *m, const struct tensor *t,
			      struct err *e)
{
	bool as_stored = npy_type_of(t->type).as_stored;
	double *x = xcalloc(2 * CHUNK_OUT, sizeof(*x));
	uint8_t *out = xmalloc(2 * CHUNK_OUT * sizeof(float));
	enum rc rc = RC_OK;

	for (uint64_t at = 0; rc == RC_OK && at < t->count && !out_lost(); at += CHUNK_OUT) {
		size_t n = (size_t)u64_min(CHUNK_OUT, t->count - at), bytes;
		const uint8_t *raw = feed_get(f, at, n, e);

		if (!raw) {
			rc = RC_FAIL;
			break;
		}
		bytes = as_stored ? n * dtypes[t->type].bytes : convert(t->type, out, x, raw, n);
		rc = put(o, as_stored ? raw : out, bytes, e);
	}
	free(x);
	free(out);
	if (rc == RC_OK && tensor_lost(m, t))
		rc = err_set(e, "the file shrank while it was open");
	return rc;
}

static enum rc write_array(struct outfile *o, struct feed *f, const struct model *m, const struct tensor *t,
			   struct err *e)
{
	struct buf header = {0};
	enum rc rc;

	make_header(&header, t);
	rc = put(o, header.p, header.n, e);
	buf_free(&header);
	return rc == RC_OK ? write_elements(o, f, m, t, e) : RC_FAIL;
}

static enum rc export_to(const char *path, struct feed *f, const struct model *m, const struct tensor *t,
			 struct err *e)
{
	struct outfile *o = NULL;
	enum rc rc;

	if (!path)
		return write_array(NULL, f, m, t, e);
	rc = outfile_open(&o, path, e);
	if (rc == RC_OK)
		rc = write_array(o, f, m, t, e);
	if (rc == RC_OK)
		rc = outfile_commit(o, e);
	outfile_close(o);
	return rc == RC_OK ? RC_OK : err_prefix(e, "%s", path);
}

/* The tensor is opened first: what cannot be read leaves no trace. */
static enum rc export_one(const struct model *m, const struct tensor *t, const char *path, struct err *e)
{
	struct feed *f;
	enum rc rc;

	source_outlive(); /* write_elements keeps its promise */
	if (feed_open(&f, m, t, FEED_LOGICAL, e) != RC_OK)
		return RC_FAIL;
	rc = export_to(path, f, m, t, e);
	feed_close(f);
	return rc;
}

/* ---- names ---- */

/* A tensor's name as that of a file: letters, digits and - _ . stay, but no dot in front; other bytes become %XX. Two
 * names never become one. */
static void file_name(struct buf *b, struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			     c == '_' || (c == '.' && i > 0);

		if (plain)
			buf_putc(b, (char)c);
		else
			buf_printf(b, "%%%02X", c);
	}
	buf_puts(b, name.n ? ".npy" : "%.npy");
}

struct chosen {
	size_t *rows, n, cap;
};

static void choose(struct chosen *c, size_t row)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->rows[i] == row)
			return;
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 16;
		c->rows = xrealloc(c->rows, c->cap, sizeof(*c->rows));
	}
	c->rows[c->n++] = row;
}

/* A whole name first, since names may hold what patterns do; then a pattern. */
static enum rc choose_named(struct chosen *c, const struct batch *b, const char *operand, struct err *e)
{
	size_t before = c->n;
	struct match *match;

	for (size_t i = 0; i < b->n_rows; i++)
		if (str_eq(b->s->rows[b->rows[i]].name, str_of(operand))) {
			choose(c, b->rows[i]);
			return RC_OK;
		}
	if (match_compile(&match, operand, e) != RC_OK)
		return RC_FAIL;
	for (size_t i = 0; i < b->n_rows; i++)
		if (match_test(match, b->s->rows[b->rows[i]].name))
			choose(c, b->rows[i]);
	match_free(match);
	return c->n > before ? RC_OK : err_set(e, "no such tensor");
}

static bool is_directory(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The model is still read, and whoever names a file of it hardly wants a tensor in its place. */
static bool is_of_model(struct batch *b, const char *path)
{
	const struct source *s = &b->s->m[A].source;
	struct stat st, own;

	if (!path || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->members[i].file == i && stat(arena_str(&b->arena, s->members[i].name).p, &own) == 0 &&
		    own.st_dev == st.st_dev && own.st_ino == st.st_ino)
			return true;
	return false;
}

static void export_row(struct batch *b, size_t row, bool into)
{
	const struct tensor *t = b->s->rows[row].t[A];
	struct buf path = {0};
	struct err e;

	if (t->broken) /* among the model's problems */
		return;
	if (b->o->file)
		buf_printf(&path, into ? "%s/" : "%s", b->o->file);
	if (into)
		file_name(&path, t->name);
	if (is_of_model(b, path.p))
		batch_mishap(b, A, t->name, "it does not go into a file of its own model");
	else if (export_one(&b->s->m[A], t, path.p, &e) != RC_OK)
		batch_mishap(b, A, t->name, e.msg);
	buf_free(&path);
}

int cmd_export(struct session *s, const struct opts *o)
{
	struct opts plain = *o; /* the operands are names here, not patterns */
	bool into = is_directory(o->file);
	struct chosen c = {.n = 0};
	struct batch b;

	plain.n_patterns = 0;
	if (!batch_begin(&b, s, &plain, "export"))
		return 2;
	for (size_t i = 0; i < o->n_patterns; i++) {
		struct err e;

		if (choose_named(&c, &b, o->patterns[i], &e) != RC_OK)
			batch_mishap(&b, A, str_of(o->patterns[i]), e.msg);
	}
	for (size_t i = 0; o->n_patterns == 0 && b.filtered && i < b.n_rows; i++)
		choose(&c, b.rows[i]);
	if (c.n == 0 && b.n_mishaps == 0) {
		free(c.rows);
		return batch_fail(&b, "export needs the name of a tensor; `weigh list` prints them");
	}
	if (c.n > 1 && !into) {
		size_t n = c.n;

		free(c.rows);
		return batch_fail(&b, "%zu tensors do not go into one .npy file: -o names a directory for them", n);
	}
	if (c.n && !o->file && isatty(STDOUT_FILENO)) {
		free(c.rows);
		return batch_fail(&b, "a .npy file is not for a terminal: -o FILE, or a pipe");
	}
	for (size_t i = 0; i < c.n && !out_lost(); i++)
		export_row(&b, c.rows[i], into);
	free(c.rows);
	batch_account(&b);
	return batch_end(&b, 0);
}
