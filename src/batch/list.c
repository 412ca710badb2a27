#include <inttypes.h>
#include <stdlib.h>

#include "batch/batch.h"
#include "model/pack.h"

static const struct column columns[] = {
	{.key = "name", .title = "name", .left = true, .shrink = true},
	{.key = "type", .title = "type", .left = true},
	{.key = "shape", .title = "shape", .left = true},
	{.key = "parameters", .title = "params"},
	{.key = "bytes", .title = "bytes", .expendable = 1},
	{.key = "offset", .title = "offset", .expendable = 2},
	{.key = "file", .title = "file", .left = true, .shrink = true, .quiet = true, .expendable = 4},
	{.key = "trouble", .title = "", .left = true, .quiet = true, .expendable = 3},
	{.key = "note", .title = "", .left = true, .quiet = true, .expendable = 3},
};

enum { N_FIELDS = 6 }; /* up to the offset, columns are fields */

/* --parts: what a packed tensor is stored as, a line a part below its own. */
static void put_parts(struct table *t, const struct batch *b, const struct pack *p)
{
	bool plain = b->st.output == OUT_CSV || b->st.output == OUT_TSV;
	const struct model *m = &b->s->m[A];

	for (unsigned i = 0; i < p->n_parts; i++) {
		const struct pack_part *part = &p->parts[i];
		struct buf name = {0};
		uint64_t count = 1;

		for (unsigned k = 0; k < part->rank; k++)
			count *= part->shape[k]; /* of a tensor that was checked */
		if (!plain)
			buf_printf(&name, "  %s: ", part->role);
		buf_str(&name, part->name);
		table_row(t, (struct cell[]){
			cell_text(buf_view(&name)), cell_text(str_of(part->type_name)),
			{.kind = CELL_SHAPE, .u.shape = {part->shape, part->rank}}, cell_count(count),
			cell_bytes(part->data.length), cell_count(part->data.offset),
			cell_text(m->files > 1 ? member_file(m, part->data.member) : STR("")), cell_text(STR("")),
			cell_text(STR("")),
		}, HUE_QUIET);
		buf_free(&name);
	}
}

/* What is to be known of a tensor beside its shape: that it is another one again, how it lies in the file. */
static void put_note(struct buf *b, const struct tensor *t)
{
	if (t->tied.n) {
		buf_puts(b, b->n ? "; tied to " : "tied to ");
		buf_str(b, t->tied);
	}
	if (t->alias.n) {
		buf_puts(b, b->n ? "; also named " : "also named ");
		buf_str(b, t->alias);
	}
	if (t->note)
		buf_printf(b, "%s%s", b->n ? "; " : "", t->note);
	if (!t->strides)
		return;
	buf_printf(b, "%sstrides ", b->n ? "; " : "");
	for (unsigned i = 0; i < t->rank; i++)
		buf_printf(b, "%s%" PRIu64, i ? "," : "", t->strides[i]);
}

/* In text, one column tells of that, and why a tensor is not decoded. */
static void put_row(struct table *t, const struct batch *b, const struct row *r, const struct field *const *f)
{
	bool text = b->st.output == OUT_TEXT;
	const struct model *m = &b->s->m[A];
	struct cell cells[COUNT(columns)];
	struct buf note = {0};

	if (text && r->t[A]->trouble)
		buf_puts(&note, r->t[A]->trouble);
	put_note(&note, r->t[A]);
	for (size_t i = 0; i < N_FIELDS; i++)
		cells[i] = field_get(f[i], r, A);
	cells[N_FIELDS] = cell_text(m->files > 1 ? tensor_file(m, r->t[A]) : STR(""));
	cells[N_FIELDS + 1] = cell_text(str_of(text ? NULL : r->t[A]->trouble));
	cells[N_FIELDS + 2] = cell_text(buf_view(&note));
	table_row(t, cells, r->t[A]->trouble ? HUE_WARN : HUE_NONE);
	if (b->o->parts && r->t[A]->pack)
		put_parts(t, b, r->t[A]->pack);
	buf_free(&note);
}

static void print_rows(struct batch *b, const size_t *rows, size_t n)
{
	struct table *t = table_new(&b->st, columns, COUNT(columns));
	const struct field *f[N_FIELDS];

	table_expect(t, n);
	for (size_t i = 0; i < N_FIELDS; i++)
		f[i] = field_by_key(str_of(columns[i].key));
	js_open_array(&b->st, "tensors");
	for (size_t i = 0; i < n && !out_lost(); i++) {
		const struct row *r = &b->s->rows[rows[i]];

		if (b->st.output == OUT_JSON || b->st.output == OUT_JSONL)
			js_item(&b->st, js_tensor(&b->s->m[A], r->t[A]));
		else
			put_row(t, b, r, f);
	}
	js_close_array(&b->st);
	table_end(t);
}

int cmd_list(struct session *s, const struct opts *o)
{
	struct batch b;
	size_t *rows, n;

	if (!batch_begin(&b, s, o, "list"))
		return 2;
	batch_scan(&b, 0); /* nothing is read, unless the order needs it */
	js_begin(&b.st, "list");
	js_member(&b.st, "model", js_model(&s->m[A]));
	n = batch_shown(&b, &rows);
	if (o->group)
		print_groups(&b, b.rows, b.n_rows);
	else
		print_rows(&b, rows, n);
	free(rows);
	batch_account(&b);
	batch_errors_json(&b);
	js_end(&b.st);
	return batch_end(&b, 0);
}
