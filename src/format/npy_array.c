/* An array of NumPy's, plain or of records, as tensors of the model. */
#include <inttypes.h>
#include <string.h>

#include "format/npy_header.h"

static struct str field_tensor_name(const struct npy_array *a, const struct npy_field *f)
{
	if (!f->name.n)
		return a->name;
	return str_of(arena_printf(&a->m->arena, "%.*s.%.*s", (int)a->name.n, a->name.p, (int)f->name.n, f->name.p));
}

/* The shape of a field is that of the array and then its own. */
static enum rc set_shape(const struct npy_array *a, struct tensor *t, const struct npy_field *f, struct err *e)
{
	uint64_t dims[2 * RANK_MAX];

	memcpy(dims, a->h.shape, a->h.rank * sizeof(*dims));
	memcpy(dims + a->h.rank, f->shape, f->rank * sizeof(*dims));
	return tensor_set_shape(a->m, t, f->type, dims, a->h.rank + f->rank, e);
}

/* Where a field's elements lie. records is the number of records, which take `bytes` bytes. */
static void place(const struct npy_array *a, struct tensor *t, const struct npy_field *f, uint64_t records,
		  uint64_t bytes)
{
	uint64_t last = records ? (records - 1) * a->h.itemsize : 0; /* less than bytes, which did not overflow */

	t->data = (struct span){a->member, a->at, bytes};
	t->big_endian = f->big_endian;
	t->fortran = a->h.fortran && a->h.rank > 1;
	if (f->size * f->items == a->h.itemsize && !f->offset)
		return;
	t->data.offset += records ? f->offset : 0;
	t->data.length = records ? last + f->size * f->items : 0;
	t->stride = a->h.itemsize;
	t->record = f->items;
}

static enum rc add_field(const struct npy_array *a, const struct npy_field *f, uint64_t records, uint64_t bytes,
			 bool cut, struct err *e)
{
	struct tensor *t = model_add_tensor(a->m);

	t->name = field_tensor_name(a, f);
	t->type_name = f->descr;
	if (set_shape(a, t, f, e) != RC_OK)
		return RC_FAIL;
	t->trouble = f->trouble;
	if (a->h.objects) { /* a pickle stands in place of all the data */
		t->data = (struct span){a->member, a->at, a->size};
		if (!t->trouble)
			t->trouble = "stands in a pickle with Python objects, not decoded";
		t->type = DT_OPAQUE;
		return RC_OK;
	}
	if (cut) {
		t->data = (struct span){a->member, a->at, a->size};
		tensor_broken(a->m, t,
			      "its array takes %" PRIu64 " bytes, and %" PRIu64 " are there (from byte %" PRIu64 " on)",
			      bytes, a->size, a->at);
		return RC_OK;
	}
	place(a, t, f, records, bytes);
	if (!t->count)
		t->stride = t->record = t->data.length = 0;
	if (t->fortran && f->rank) {
		/* Records are in Fortran order, what is in them is not. */
		t->trouble = "records of arrays in Fortran order, not decoded";
		t->type = DT_OPAQUE;
	}
	return RC_OK;
}

enum rc npy_array_add(struct npy_array *a, uint64_t *end, struct err *e)
{
	uint64_t records = 1, nonzero = 1, bytes = 0;
	enum rc rc = RC_OK;
	bool cut;

	for (unsigned i = 0; i < a->h.rank; i++) {
		uint64_t dim = a->h.shape[i];

		if (!u64_mul(nonzero, dim ? dim : 1, &nonzero))
			return err_set(e, "the product of its shape overflows");
		records = dim ? records : 0;
	}
	records = records ? nonzero : 0;
	if (!a->h.itemsize && records && !a->h.objects)
		return err_set(e, "%" PRIu64 " elements of no size", records);
	if (!u64_mul(records, a->h.itemsize, &bytes))
		return err_set(e, "the bytes of its shape overflow");
	cut = bytes > a->size;
	for (size_t i = 0; i < a->h.n_fields && rc == RC_OK; i++)
		rc = add_field(a, &a->h.fields[i], records, bytes, cut, e);
	*end = cut || a->h.objects ? a->at + a->size : a->at + bytes;
	return rc;
}
