#include "batch/batch.h"
#include "base/limits.h"
#include "format/format.h"

static const struct column format_columns[] = {
	{.key = "format", .title = "format", .left = true},
	{.key = "about", .title = "what it is", .left = true},
	{.key = "files", .title = "files", .left = true},
	{.key = "reads", .title = "what is read", .left = true, .expendable = 1},
};

static const struct column type_columns[] = {
	{.key = "type", .title = "type", .left = true}, {.key = "kind", .title = "kind", .left = true},
	{.key = "items", .title = "items"},             {.key = "bytes", .title = "bytes"},
	{.key = "bits", .title = "bits"},               {.key = "code_bits", .title = "code bits"},
	{.key = "big_endian", .title = "big-endian", .left = true},
};

static const struct column limit_columns[] = {
	{.key = "limit", .title = "limit", .left = true},
	{.key = "most", .title = "at most"},
	{.key = "of", .title = "of what", .left = true},
};

static struct cell bits_of(const struct dtype_info *d)
{
	return (struct cell){.kind = CELL_REAL, .u.real = 8.0 * d->bytes / d->items};
}

/* None where elements have no stored code that is counted. */
static struct cell code_of(const struct dtype_info *d)
{
	return d->code_bits ? cell_count(d->code_bits) : (struct cell){.kind = CELL_NONE};
}

static void put_formats(const struct style *st)
{
	struct table *t = table_new(st, format_columns, COUNT(format_columns));

	js_open_array(st, "formats");
	for (size_t i = 0; formats[i]; i++) {
		const struct format *f = formats[i];

		table_row(t, (struct cell[]){cell_text(str_of(f->name)), cell_text(str_of(f->about)),
					     cell_text(str_of(f->files)), cell_text(str_of(f->reads))}, HUE_NONE);
	}
	js_close_array(st);
	table_end(t);
}

static void put_types(const struct style *st)
{
	static const char *const kinds[] = {
		[KIND_OPAQUE] = "opaque", [KIND_BOOL] = "bool",       [KIND_UINT] = "unsigned", [KIND_INT] = "signed",
		[KIND_FLOAT] = "float",   [KIND_COMPLEX] = "complex", [KIND_BLOCK] = "block",
	};
	struct table *t = table_new(st, type_columns, COUNT(type_columns));

	js_open_array(st, "types");
	for (int i = DT_OPAQUE + 1; i < DT_COUNT; i++) {
		const struct dtype_info *d = &dtypes[i];

		table_row(t, (struct cell[]){cell_text(str_of(d->name)), cell_text(str_of(kinds[d->kind])),
					     cell_count(d->items), cell_count(d->bytes), bits_of(d), code_of(d),
					     cell_bool(d->swappable)}, HUE_NONE);
	}
	js_close_array(st);
	table_end(t);
}

/* What --limit takes. */
static void put_limits(const struct style *st)
{
	struct table *t = table_new(st, limit_columns, COUNT(limit_columns));

	js_open_array(st, "limits");
	for (const struct limit_info *i = limit_infos; i->name; i++)
		table_row(t, (struct cell[]){cell_text(str_of(i->name)), cell_count(*i->value),
					     cell_text(str_of(i->about))}, HUE_NONE);
	js_close_array(st);
	table_end(t);
}

int cmd_formats(struct session *s, const struct opts *o)
{
	struct style st = style_of(o);
	(void)s;

	out_begin(&st, "weigh formats");
	js_begin(&st, "formats");
	put_formats(&st);
	if (st.output != OUT_JSON && st.output != OUT_JSONL)
		out_puts("\n");
	put_types(&st);
	if (st.output != OUT_JSON && st.output != OUT_JSONL)
		out_puts("\n");
	put_limits(&st);
	js_end(&st);
	return 0;
}
