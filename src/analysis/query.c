#include "analysis/query.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/scan.h"
#include "base/buf.h"
#include "base/match.h"

enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

enum { EITHER = 2, DIMS_MAX = 32 };
#define ANY_DIM UINT64_MAX

struct term {
	bool negated;
	struct match *name;        /* a pattern over names; NULL: a condition */
	const struct field *field;
	int side;                  /* A, B or EITHER */
	enum op op;
	double number;
	char *text;                /* globs in small letters, commas between them; owned */
	uint64_t dims[DIMS_MAX];
	unsigned rank;
};

struct query {
	struct term *terms;
	size_t n;
};

/* ---- words ---- */

/* Where a term that stands at s ends: at a blank, but for those in double quotes or in a /regular expression/. */
static size_t term_length(const char *s)
{
	size_t n = strspn(s, "!");
	bool quoted = false;

	if (s[n] == '/')
		for (size_t i = n + 1; s[i]; i++) {
			size_t after = s[i] == '/' ? i + 1 + (s[i + 1] == 'i') : 0;

			if (after && (!s[after] || s[after] == ' '))
				return after;
		}
	for (; s[n] && (quoted || s[n] != ' '); n++)
		quoted ^= s[n] == '"';
	return n;
}

/* The name of the field in front, and the operator behind it; false: this is no condition. */
static bool split(const char *word, struct str *key, enum op *op, const char **value)
{
	static const struct {
		const char *sign;
		enum op op;
	} ops[] = {
		{">=", OP_GE}, {"<=", OP_LE}, {"!=", OP_NE}, {"==", OP_EQ},
		{">", OP_GT},  {"<", OP_LT},  {"=", OP_EQ},  {":", OP_EQ},
	};
	size_t at = strcspn(word, "<>=:");

	if (!word[at] || at == 0)
		return false;
	if (word[at] == '=' && word[at - 1] == '!')
		at--;
	for (size_t i = 0; i < COUNT(ops); i++)
		if (strncmp(word + at, ops[i].sign, strlen(ops[i].sign)) == 0) {
			*key = (struct str){word, at};
			*op = ops[i].op;
			*value = word + at + strlen(ops[i].sign);
			return true;
		}
	return false;
}

/* By its key, or by what stands above its column. */
static const struct field *field_named(struct str key)
{
	const struct field *f = field_by_key(key);

	for (const struct field *g = fields; !f && g->key; g++)
		if (str_eq(key, str_of(g->title)))
			f = g;
	return f;
}

static const struct field *field_of(struct str key, int *side)
{
	const struct field *f = field_named(key);

	*side = EITHER;
	if (f || key.n < 3 || key.p[1] != '.' || !strchr("aAbB", key.p[0]))
		return f;
	*side = tolower((unsigned char)key.p[0]) == 'a' ? A : B;
	return field_named((struct str){key.p + 2, key.n - 2});
}

/* ---- values ---- */

static bool parse_number(const char *s, enum cell_kind kind, double *out)
{
	static const char letters[] = "KMGT";
	const double step = kind == CELL_BYTES ? 1024 : 1000;
	const char *letter;
	char *end;

	*out = strtod(s, &end);
	if (end == s || *out != *out)
		return false;
	if (*end == '%') {
		*out /= 100;
		return end[1] == '\0';
	}
	letter = *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
	if (!letter)
		return *end == '\0';
	for (const char *l = letters; l <= letter; l++)
		*out *= step;
	return end[1] == '\0' || (kind == CELL_BYTES && (strcmp(end + 1, "B") == 0 || strcmp(end + 1, "iB") == 0));
}

static bool parse_shape(const char *s, struct term *t)
{
	for (t->rank = 0; t->rank < DIMS_MAX;) {
		char *end = (char *)s + 1;

		if (*s >= '0' && *s <= '9')
			t->dims[t->rank++] = strtoull(s, &end, 10);
		else if (*s == '*')
			t->dims[t->rank++] = ANY_DIM;
		else
			return false;
		if (*end == '\0')
			return true;
		if (*end == 'x' || *end == ',')
			s = end + 1;
		else if (strncmp(end, "×", strlen("×")) == 0)
			s = end + strlen("×");
		else
			return false;
	}
	return false;
}

static bool parse_yes(const char *s, double *out)
{
	*out = strcmp(s, "yes") == 0 || strcmp(s, "true") == 0 || strcmp(s, "1") == 0;
	return *out > 0 || strcmp(s, "no") == 0 || strcmp(s, "false") == 0 || strcmp(s, "0") == 0;
}

/* Whether one of the globs of a text matches. */
static bool one_matches(const char *globs, struct str s)
{
	char word[256], text[256];
	size_t n = s.n < sizeof(text) ? s.n : sizeof(text) - 1;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)tolower((unsigned char)s.p[i]);
	text[n] = '\0';
	for (const char *p = globs; p;) {
		size_t len = strcspn(p, ",");

		snprintf(word, sizeof(word), "%.*s", (int)len, p);
		if (fnmatch(word, text, FNM_NOESCAPE) == 0)
			return true;
		p = p[len] ? p + len + 1 : NULL;
	}
	return false;
}

static bool is_a_status(const char *globs)
{
	for (int i = ST_IDENTICAL; i < ST_SINGLE; i++)
		if (one_matches(globs, str_of(statuses[i].name)))
			return true;
	return false;
}

static enum rc parse_text(struct term *t, const char *value, struct err *e)
{
	t->text = xstrdup(value);
	for (char *p = t->text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (strcmp(t->field->key, "status") == 0 && !is_a_status(t->text))
		return err_set(e, "no status is called '%s'", value);
	return RC_OK;
}

static enum rc parse_value(struct term *t, const char *word, const char *value, struct err *e)
{
	enum cell_kind kind = t->field->kind;

	if (!*value)
		return err_set(e, "%s: a value is missing", word);
	if ((kind == CELL_TEXT || kind == CELL_SHAPE || kind == CELL_BOOL) && t->op != OP_EQ && t->op != OP_NE)
		return err_set(e, "%s: %s is no number, only : and != compare it", word, t->field->key);
	if (kind == CELL_TEXT)
		return parse_text(t, value, e);
	if (kind == CELL_SHAPE)
		return parse_shape(value, t) ? RC_OK : err_set(e, "%s: not a shape, such as 4096 or 64x*x3", word);
	if (kind == CELL_BOOL)
		return parse_yes(value, &t->number) ? RC_OK : err_set(e, "%s: yes or no is expected", word);
	return parse_number(value, kind, &t->number) ? RC_OK : err_set(e, "%s: '%s' is not a number", word, value);
}

/* ---- terms ---- */

/* A word is looked for anywhere in the name; a glob is the whole of it. */
static enum rc parse_name(struct term *t, const char *word, struct err *e)
{
	size_t n = strlen(word);
	bool is_regex = n > 2 && word[0] == '/' && (word[n - 1] == '/' || strcmp(word + n - 2, "/i") == 0);
	struct buf pattern = {0};
	enum rc rc;

	buf_printf(&pattern, is_regex || strpbrk(word, "*?[") ? "%s" : "*%s*", word);
	rc = match_compile(&t->name, pattern.p, e);
	buf_free(&pattern);
	return rc;
}

static enum rc parse_term(struct term *t, char *word, struct err *e)
{
	size_t n;
	const char *value;
	struct str key;

	for (; *word == '!'; word++)
		t->negated = !t->negated;
	n = strlen(word);
	if (n == 0)
		return err_set(e, "nothing stands behind !");
	if (*word == '"') {
		word[n - (n > 1 && word[n - 1] == '"')] = '\0';
		return parse_name(t, word + 1, e);
	}
	if (*word == '/' || !split(word, &key, &t->op, &value))
		return parse_name(t, word, e);
	t->field = field_of(key, &t->side);
	if (t->field && strcmp(t->field->key, "name") == 0 && (t->op == OP_EQ || t->op == OP_NE) && *value) {
		t->negated ^= t->op == OP_NE;
		return parse_name(t, value, e);
	}
	if (t->field)
		return parse_value(t, word, value, e);
	if (word[key.n] == ':')
		return parse_name(t, word, e);
	return err_set(e, "%s: there is no field '%.*s'", word, (int)key.n, key.p);
}

enum rc query_parse(struct query **out, const char *text, struct err *e)
{
	struct query *q = xcalloc(1, sizeof(*q));
	enum rc rc = RC_OK;

	for (text += strspn(text, " "); rc == RC_OK && *text; text += strspn(text, " ")) {
		size_t n = term_length(text);
		struct buf word = {0};

		buf_add(&word, text, n);
		q->terms = xrealloc(q->terms, q->n + 1, sizeof(*q->terms));
		q->terms[q->n] = (struct term){.side = EITHER};
		rc = parse_term(&q->terms[q->n++], word.p, e);
		buf_free(&word);
		text += n;
	}
	if (rc == RC_OK)
		*out = q;
	else
		query_free(q);
	return rc;
}

void query_free(struct query *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->n; i++) {
		match_free(q->terms[i].name);
		free(q->terms[i].text);
	}
	free(q->terms);
	free(q);
}

/* ---- testing ---- */

static bool compare(enum op op, double a, double b)
{
	switch (op) {
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_GT: return a > b;
	case OP_GE: return a >= b;
	}
	return false;
}

static bool shape_is(const struct term *t, const uint64_t *dims, unsigned rank)
{
	if (t->rank == 1 && t->dims[0] != ANY_DIM) {
		for (unsigned i = 0; i < rank; i++)
			if (dims[i] == t->dims[0])
				return true;
		return false;
	}
	for (unsigned i = 0; i < rank && i < t->rank; i++)
		if (t->dims[i] != ANY_DIM && t->dims[i] != dims[i])
			return false;
	return rank == t->rank;
}

/* Whether it holds of one cell; *known: the cell has a value at all. */
static bool holds(const struct term *t, const struct cell *c, bool *known)
{
	*known |= c->kind != CELL_NONE;
	switch (c->kind) {
	case CELL_NONE: return false;
	case CELL_TEXT: return one_matches(t->text, c->u.text) == (t->op == OP_EQ);
	case CELL_SHAPE: return shape_is(t, c->u.shape.dims, c->u.shape.rank) == (t->op == OP_EQ);
	case CELL_COUNT:
	case CELL_BYTES:
	case CELL_BOOL: return compare(t->op, (double)c->u.count, t->number);
	case CELL_REAL:
	case CELL_FRACTION: return compare(t->op, c->u.real, t->number);
	}
	return false;
}

static bool is_status(const struct field *f)
{
	return strcmp(f->key, "status") == 0;
}

static bool term_holds(const struct term *t, const struct row *r)
{
	bool known = false, hit = false;

	if (is_status(t->field) && r->status == ST_PENDING)
		return false;
	for (int side = A; side <= B; side++) {
		struct cell c;

		if (!r->t[side] || (t->side != EITHER && t->side != side))
			continue;
		c = field_get(t->field, r, side);
		hit = holds(t, &c, &known) || hit;
	}
	return known && hit != t->negated;
}

bool query_names(const struct query *q, const struct row *r)
{
	for (size_t i = 0; q && i < q->n; i++) {
		const struct term *t = &q->terms[i];
		bool hit = false;

		for (int side = A; t->name && side <= B; side++)
			hit = hit || (r->t[side] && match_test(t->name, r->t[side]->name));
		if (t->name && hit == t->negated)
			return false;
	}
	return true;
}

bool query_values(const struct query *q, const struct row *r)
{
	for (size_t i = 0; q && i < q->n; i++)
		if (!q->terms[i].name && !term_holds(&q->terms[i], r))
			return false;
	return true;
}

bool query_waits(const struct query *q)
{
	for (size_t i = 0; q && i < q->n; i++) {
		const struct field *f = q->terms[i].name ? NULL : q->terms[i].field;

		if (f && (f->group != FIELD_HEADER || is_status(f) || strcmp(f->key, "how") == 0 ||
			  strcmp(f->key, "beyond") == 0))
			return true;
	}
	return false;
}

unsigned query_wants(const struct query *q)
{
	unsigned want = 0;

	for (size_t i = 0; q && i < q->n; i++) {
		const struct field *f = q->terms[i].name ? NULL : q->terms[i].field;

		if (f && (f->group == FIELD_DIST || f->group == FIELD_DIFF_DIST))
			want |= WANT_DIST;
	}
	return want;
}
