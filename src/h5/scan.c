#include "h5/scan.h"

/* The oldest interface is the one that every version still has. */
#ifndef H5_USE_18_API
#define H5_USE_18_API 1
#endif
#include <errno.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/map.h"
#include "format/h5scan.h"
#include "model/dtype.h"

enum {
	OBJECTS_MAX = 1000000,
	RANK_MOST = 32,
	HELD = 64 * 1024,
	RATIO = 1000                      /* declared to stored bytes, once they are beyond RATIO_FROM */
};
#define RATIO_FROM ((uint64_t)4 << 30)

/* Seconds of its time: some to begin with, and more for many bytes, to be read or unpacked. There are files that the
 * library walks round in for ever. */
enum { TIME_FREE = 3, TIME_BYTES = 10 << 20 };

struct scan {
	int pipe;
	struct buf out;
	struct spool *sp;
	hid_t file;
	char **todo;       /* paths still to be visited, the next one last */
	size_t n_todo, cap_todo;
	struct map seen;   /* groups by their address, as text */
	struct arena keys;
	uint64_t objects, names, attributes;
	uint64_t names_max;
	rlim_t time;       /* seconds that are allowed */
};

/* ---- records ---- */

static void flush(struct scan *s)
{
	const char *p = s->out.p;
	size_t n = s->out.n;

	while (n) {
		ssize_t k = write(s->pipe, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			_exit(1); /* nobody reads any more */
		p += k;
		n -= (size_t)k;
	}
	buf_clear(&s->out);
}

static void put_uint(struct scan *s, uint64_t x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_putc(&s->out, (char)(x >> 8 * i));
}

static void put_bytes(struct scan *s, const char *p, size_t n)
{
	put_uint(s, n, 4);
	buf_add(&s->out, p, n);
}

static void put_text(struct scan *s, const char *z)
{
	put_bytes(s, z, strlen(z));
}

static void begin(struct scan *s, enum h5_record kind)
{
	if (s->out.n > HELD)
		flush(s);
	put_uint(s, kind, 1);
}

static void trouble(struct scan *s, const char *what)
{
	begin(s, H5_TROUBLE);
	put_text(s, what);
}

/* The innermost of the library's complaints. */
static herr_t innermost(unsigned n, const H5E_error2_t *why, void *out)
{
	struct err *e = out;

	if (n == 0)
		err_set(e, "libhdf5: %s", why->desc && *why->desc ? why->desc : "it cannot say what");
	return 0;
}

static const char *complaint(struct err *e)
{
	err_set(e, "libhdf5: it cannot say what");
	H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, e);
	H5Eclear2(H5E_DEFAULT);
	return e->msg;
}

/* ---- the image: the library copies it again and again, and each copy is the same bytes ---- */

static struct bytes image;

static void *image_alloc(size_t n, H5FD_file_image_op_t op, void *data)
{
	(void)op;
	(void)data;
	return n == image.n ? (void *)(uintptr_t)image.p : NULL;
}

static void *image_copy(void *to, const void *from, size_t n, H5FD_file_image_op_t op, void *data)
{
	(void)op;
	(void)data;
	return to == from && n == image.n ? to : NULL;
}

static void *image_grow(void *p, size_t n, H5FD_file_image_op_t op, void *data)
{
	(void)p;
	(void)n;
	(void)op;
	(void)data;
	return NULL;
}

static herr_t image_free(void *p, H5FD_file_image_op_t op, void *data)
{
	(void)p;
	(void)op;
	(void)data;
	return 0;
}

static hid_t open_image(void)
{
	H5FD_file_image_callbacks_t same = {image_alloc, image_copy, image_grow, image_free, NULL, NULL, NULL};
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);

	if (access < 0 || H5Pset_fapl_core(access, 64 * 1024, 0) < 0 ||
	    H5Pset_file_image_callbacks(access, &same) < 0 ||
	    H5Pset_file_image(access, (void *)(uintptr_t)image.p, image.n) < 0)
		return -1;
	return H5Fopen("/dev/null/image", H5F_ACC_RDONLY, access); /* a name that no file can have */
}

/* ---- element types ---- */

struct element {
	enum dtype type;
	bool big;
	const char *word, *why; /* why: it is not decoded */
	unsigned rank;          /* of an element that is an array, its own dimensions */
	hsize_t dims[RANK_MOST];
	size_t size;            /* bytes of one element as the file has it */
};

static void no(struct element *el, const char *word, const char *why)
{
	el->type = DT_OPAQUE;
	el->word = word;
	el->why = why;
}

static void integer(hid_t t, struct element *el)
{
	static const enum dtype kinds[2][4] = {{DT_U8, DT_U16, DT_U32, DT_U64}, {DT_I8, DT_I16, DT_I32, DT_I64}};
	H5T_order_t order = H5Tget_order(t);
	bool sign = H5Tget_class(t) == H5T_INTEGER && H5Tget_sign(t) == H5T_SGN_2;
	size_t log = 0;

	while (log < 4 && (size_t)1 << log != el->size)
		log++;
	if (log == 4 || H5Tget_precision(t) != 8 * el->size || H5Tget_offset(t) != 0)
		no(el, "integer", "integers of an odd number of bits, not decoded");
	else if (el->size > 1 && order != H5T_ORDER_LE && order != H5T_ORDER_BE)
		no(el, "integer", "in an odd order of bytes, not decoded");
	else
		el->type = kinds[sign][log];
	el->big = order == H5T_ORDER_BE && el->size > 1;
}

static const struct { /* where a type's parts are: the size, the places of sign, exponent and mantissa */
	enum dtype type;
	size_t size, sign, exponent, exponent_bits, bits, bias;
} floats[] = {
	{DT_F16, 2, 15, 10, 5, 10, 15},    {DT_BF16, 2, 15, 7, 8, 7, 127},     {DT_F32, 4, 31, 23, 8, 23, 127},
	{DT_F64, 8, 63, 52, 11, 52, 1023}, {DT_F8_E5M2, 1, 7, 2, 5, 2, 15},
};

static void real(hid_t t, struct element *el)
{
	size_t sign, exponent, exponent_bits, mantissa, bits, bias = H5Tget_ebias(t);
	H5T_order_t order = H5Tget_order(t);

	no(el, "float", "floats of an odd layout, not decoded");
	if (H5Tget_fields(t, &sign, &exponent, &exponent_bits, &mantissa, &bits) < 0 || mantissa != 0 ||
	    H5Tget_norm(t) != H5T_NORM_IMPLIED || (order != H5T_ORDER_LE && order != H5T_ORDER_BE) ||
	    H5Tget_precision(t) != 8 * el->size || H5Tget_offset(t) != 0)
		return;
	for (size_t i = 0; i < sizeof(floats) / sizeof(floats[0]); i++)
		if (floats[i].size == el->size && floats[i].sign == sign && floats[i].exponent == exponent &&
		    floats[i].exponent_bits == exponent_bits && floats[i].bits == bits && floats[i].bias == bias) {
			el->type = floats[i].type;
			el->big = order == H5T_ORDER_BE && el->size > 1;
			el->why = NULL;
		}
}

static void classify(hid_t t, struct element *el);

/* h5py's booleans: an enumeration of FALSE and TRUE over one byte. Others are the integers that they are. */
static void enumeration(hid_t t, struct element *el)
{
	hid_t base = H5Tget_super(t);
	unsigned char zero = 1, one = 0;

	if (base < 0) {
		no(el, "enum", "an enumeration of nothing");
		return;
	}
	if (el->size == 1 && H5Tget_nmembers(t) == 2 && H5Tenum_valueof(t, "FALSE", &zero) >= 0 &&
	    H5Tenum_valueof(t, "TRUE", &one) >= 0 && zero == 0 && one == 1)
		el->type = DT_BOOL;
	else
		integer(base, el);
	H5Tclose(base);
	H5Eclear2(H5E_DEFAULT);
}

/* Two floats of one type, real and imaginary part, are a complex number. */
static void compound(hid_t t, struct element *el)
{
	struct element part = {0};
	hid_t first, second;

	no(el, "compound", "records, not decoded");
	if (H5Tget_nmembers(t) != 2)
		return;
	first = H5Tget_member_type(t, 0);
	second = H5Tget_member_type(t, 1);
	if (first >= 0 && second >= 0 && H5Tget_class(first) == H5T_FLOAT && H5Tequal(first, second) > 0 &&
	    H5Tget_member_offset(t, 0) == 0 && H5Tget_member_offset(t, 1) == H5Tget_size(first) &&
	    el->size == 2 * H5Tget_size(first)) {
		part.size = H5Tget_size(first);
		real(first, &part);
		el->type = part.type == DT_F16 ? DT_C32 : part.type == DT_F32 ? DT_C64 :
			   part.type == DT_F64 ? DT_C128 : DT_OPAQUE;
		el->big = part.big;
		if (el->type != DT_OPAQUE)
			el->why = NULL;
	}
	if (first >= 0)
		H5Tclose(first);
	if (second >= 0)
		H5Tclose(second);
}

/* An element that is an array itself: its dimensions come after the dataset's. Arrays of arrays are not decoded. */
/* NOLINTNEXTLINE(misc-no-recursion): once: an array of arrays is left alone */
static void array(hid_t t, struct element *el)
{
	int rank = H5Tget_array_ndims(t);
	hid_t base = H5Tget_super(t);

	no(el, "array", "arrays as elements, of what is not decoded");
	if (base < 0)
		return;
	if (rank >= 1 && rank <= RANK_MOST && H5Tget_class(base) != H5T_ARRAY && H5Tget_array_dims2(t, el->dims) >= 0) {
		struct element part = {.size = H5Tget_size(base)};

		classify(base, &part);
		if (part.type != DT_OPAQUE) {
			el->type = part.type;
			el->big = part.big;
			el->why = NULL;
			el->rank = (unsigned)rank;
		}
	}
	H5Tclose(base);
}

/* NOLINTNEXTLINE(misc-no-recursion): the same, in array */
static void classify(hid_t t, struct element *el)
{
	switch (H5Tget_class(t)) {
	case H5T_INTEGER:
	case H5T_BITFIELD:
		integer(t, el);
		break;
	case H5T_FLOAT:
		real(t, el);
		break;
	case H5T_ENUM:
		enumeration(t, el);
		break;
	case H5T_COMPOUND:
		compound(t, el);
		break;
	case H5T_ARRAY:
		array(t, el);
		break;
	case H5T_STRING:
		no(el, "string", "text, not numbers");
		break;
	case H5T_OPAQUE:
		no(el, "opaque", "bytes without a type");
		break;
	case H5T_REFERENCE:
		no(el, "reference", "references, not numbers");
		break;
	case H5T_VLEN:
		no(el, "vlen", "lists of different lengths, not decoded");
		break;
	default:
		no(el, "unknown", "of a class that is not known here");
	}
}

/* ---- attributes ---- */

/* Text of fixed length ends before its padding. */
static void put_fixed(struct scan *s, const char *p, size_t n)
{
	while (n && (p[n - 1] == '\0' || p[n - 1] == ' '))
		n--;
	put_bytes(s, p, n);
}

/* Strings, `n` of them; the buffer holds pointers or the texts themselves. */
static void put_strings(struct scan *s, hid_t attribute, hid_t type, size_t n, bool list)
{
	bool variable = H5Tis_variable_str(type) > 0;
	size_t size = H5Tget_size(type);
	hid_t space = H5Aget_space(attribute);
	char *p = xcalloc(n, size);
	bool good = H5Aread(attribute, type, p) >= 0;

	if (list)
		put_uint(s, good ? n : 0, 8);
	for (size_t i = 0; good && i < n; i++) {
		if (!variable) {
			put_fixed(s, p + i * size, size);
		} else {
			const char *z = ((char **)p)[i];
			size_t length = z ? strlen(z) : 0;

			/* many elements may be one and the same text */
			s->attributes += length;
			put_bytes(s, z, s->attributes <= H5_ATTRIBUTES_MAX ? length : 0);
		}
		if (s->out.n > HELD)
			flush(s);
	}
	if (!good && !list)
		put_text(s, "cannot be read");
	if (good && variable)
		H5Dvlen_reclaim(type, space, H5P_DEFAULT, p);
	free(p);
	H5Sclose(space);
}

static void put_scalar(struct scan *s, hid_t attribute, H5T_class_t class, hid_t type)
{
	bool sign = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
	hid_t as = class == H5T_FLOAT ? H5T_NATIVE_DOUBLE : sign ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64;
	uint64_t x = 0; /* or the bits of a double */

	if (H5Aread(attribute, as, &x) < 0) {
		put_uint(s, H5_OTHER, 1);
		put_text(s, "cannot be read");
		return;
	}
	put_uint(s, class == H5T_FLOAT ? H5_REAL : sign ? H5_INT : H5_UINT, 1);
	put_uint(s, x, 8);
}

static void put_attribute(struct scan *s, hid_t attribute, const char *path, const char *name)
{
	hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
	H5T_class_t class = H5Tget_class(type);
	hssize_t n = H5Sget_simple_extent_npoints(space);
	hsize_t stored = H5Aget_storage_size(attribute);
	bool scalar = H5Sget_simple_extent_type(space) == H5S_SCALAR;

	begin(s, H5_ATTRIBUTE);
	put_text(s, path);
	put_text(s, name);
	s->attributes += stored;
	if (type < 0 || space < 0 || s->attributes > H5_ATTRIBUTES_MAX) {
		put_uint(s, H5_OTHER, 1);
		put_text(s, "too long, or broken");
	} else if (class == H5T_STRING && n >= 0 && n <= H5_KEPT) {
		put_uint(s, scalar ? H5_TEXT : H5_TEXTS, 1);
		put_strings(s, attribute, type, (size_t)n, !scalar);
	} else if (n == 1 && (class == H5T_INTEGER || class == H5T_FLOAT)) {
		put_scalar(s, attribute, class, type);
	} else {
		struct element el = {.size = H5Tget_size(type)};

		classify(type, &el);
		put_uint(s, H5_OTHER, 1);
		put_text(s, el.word ? el.word : dtypes[el.type].name);
	}
	H5Sclose(space);
	H5Tclose(type);
	H5Eclear2(H5E_DEFAULT);
}

struct attribute_walk {
	struct scan *s;
	const char *path;
};

static herr_t one_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
	struct attribute_walk *w = data;
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	(void)info;

	if (attribute < 0 || ++w->s->objects > OBJECTS_MAX)
		return attribute < 0 ? 0 : -1;
	put_attribute(w->s, attribute, w->path, name);
	H5Aclose(attribute);
	return 0;
}

static void put_attributes(struct scan *s, hid_t object, const char *path)
{
	struct attribute_walk w = {s, path};
	hsize_t at = 0;

	H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &at, one_attribute, &w);
	H5Eclear2(H5E_DEFAULT);
}

/* ---- datasets ---- */

struct dataset {
	struct scan *s;
	hid_t id, type, space, plan;
	struct element el;
	hsize_t dims[RANK_MOST];
	unsigned rank;
	uint64_t count, bytes;  /* elements, and what they take as the file has them */
	enum h5_place place;
	uint64_t offset, length;
	struct err why;
};

static void nowhere(struct dataset *d, const char *why)
{
	d->place = H5_NOWHERE;
	d->offset = d->length = 0;
	err_set(&d->why, "%s", why);
}

static const char *filter_name(int id)
{
	static const struct {
		int id;
		const char *name;
	} names[] = {{32000, "LZF"},        {32001, "Blosc"}, {32004, "LZ4"},
		     {32008, "Bitshuffle"}, {32013, "ZFP"},   {32015, "Zstandard"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].id == id)
			return names[i].name;
	return "of somebody's own";
}

/* Whether all filters of a dataset are the library's own, which have the numbers below 256. */
static bool filters_known(struct dataset *d)
{
	int n = H5Pget_nfilters(d->plan);

	for (int i = 0; i < n; i++) {
		unsigned flags, config;
		size_t values = 0;
		H5Z_filter_t id = H5Pget_filter2(d->plan, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);

		if (id < 0 || id > 255 || H5Zfilter_avail(id) <= 0) {
			nowhere(d, "");
			err_set(&d->why, "compressed by filter %d (%s), which is not read", (int)id,
				filter_name((int)id));
			return false;
		}
	}
	return true;
}

/* It was never written: each element is the fill value. */
static void read_fill(struct dataset *d)
{
	void *p = xcalloc(1, d->el.size);
	H5D_fill_value_t state;

	if (H5Pfill_value_defined(d->plan, &state) >= 0 && state == H5D_FILL_VALUE_USER_DEFINED)
		H5Pget_fill_value(d->plan, d->type, p);
	d->place = H5_FILLED;
	d->offset = spool_at(d->s->sp);
	d->length = d->el.size;
	if (spool_put(d->s->sp, p, d->el.size, &d->why) != RC_OK)
		nowhere(d, d->why.msg);
	free(p);
}

static void allow_time(struct scan *s, uint64_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CPU, &limit) != 0)
		return;
	s->time += (rlim_t)(bytes / TIME_BYTES);
	limit.rlim_cur = s->time < limit.rlim_max ? s->time : limit.rlim_max;
	setrlimit(RLIMIT_CPU, &limit);
}

/* Through the library, as the file has the elements, into a temporary file. */
static void read_through(struct dataset *d)
{
	struct err e;
	uint64_t at;
	void *p;

	if (spool_room(d->s->sp, d->bytes, &p, &at, &e) != RC_OK) {
		nowhere(d, e.msg);
		return;
	}
	d->place = H5_SPOOLED;
	d->offset = at;
	d->length = d->bytes;
	allow_time(d->s, d->bytes);
	if (H5Dread(d->id, d->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, p) < 0) {
		nowhere(d, "");
		err_set(&d->why, "!its data cannot be read: %s", complaint(&e));
	}
	spool_room_end(d->s->sp, p, d->bytes);
}

static void locate(struct dataset *d)
{
	H5D_layout_t layout = H5Pget_layout(d->plan);
	uint64_t stored = H5Dget_storage_size(d->id);
	haddr_t at;

	if (!d->count) {
		d->place = H5_IN_FILE;
		return;
	}
	if (H5Pget_external_count(d->plan) > 0) {
		nowhere(d, "its data are in other files, which are not read");
	} else if (layout == H5D_CONTIGUOUS) {
		at = H5Dget_offset(d->id);
		if (at == HADDR_UNDEF) {
			read_fill(d);
			return;
		}
		d->place = H5_IN_FILE;
		d->offset = at;
		d->length = d->bytes;
		if (stored != d->bytes || at > image.n || d->bytes > image.n - at) {
			nowhere(d, "");
			err_set(&d->why, "!its %" PRIu64 " bytes from byte %" PRIu64 " on are not in the file",
				d->bytes, (uint64_t)at);
		}
	} else if (layout == H5D_CHUNKED && !stored) {
		read_fill(d);
	} else if (layout == H5D_CHUNKED || layout == H5D_COMPACT) {
		if (d->bytes > RATIO_FROM && d->bytes / RATIO > stored)
			nowhere(d, "its few bytes unpack to very many: refused");
		else if (filters_known(d))
			read_through(d);
	} else {
		nowhere(d, "it is made of other datasets (virtual), which is not read");
	}
	H5Eclear2(H5E_DEFAULT);
}

/* Text of any length, lists and references are kept elsewhere in the file: the elements' bytes say nothing of them. */
static bool points_elsewhere(hid_t type)
{
	return H5Tdetect_class(type, H5T_VLEN) != 0 || H5Tdetect_class(type, H5T_REFERENCE) != 0 ||
	       (H5Tget_class(type) == H5T_STRING ? H5Tis_variable_str(type) != 0
						 : H5Tdetect_class(type, H5T_STRING) != 0);
}

/* Keras writes bfloat16 as two bytes without a type, and says so in an attribute. Of a list there would be more to
 * read than there is room for. */
static bool says_bfloat16(hid_t object)
{
	char word[16] = "", *z = NULL;
	hid_t attribute, type, space;
	bool yes = false, text;

	if (H5Aexists(object, "dtype") <= 0)
		return false;
	attribute = H5Aopen(object, "dtype", H5P_DEFAULT);
	type = H5Aget_type(attribute);
	space = H5Aget_space(attribute);
	text = H5Sget_simple_extent_npoints(space) == 1 && H5Tget_class(type) == H5T_STRING;
	if (text && H5Tis_variable_str(type) > 0 && H5Aread(attribute, type, &z) >= 0 && z) {
		yes = strcmp(z, "bfloat16") == 0;
		H5free_memory(z);
	} else if (text && H5Tis_variable_str(type) == 0 && H5Tget_size(type) < sizeof(word)) {
		yes = H5Aread(attribute, type, word) >= 0 && strncmp(word, "bfloat16", 8) == 0;
	}
	H5Sclose(space);
	H5Tclose(type);
	H5Aclose(attribute);
	return yes;
}

/* Sets the shape, with what an element adds to it, and counts. */
static bool measure(struct dataset *d)
{
	int rank = H5Sget_simple_extent_ndims(d->space);
	uint64_t n = 1;

	if (H5Sget_simple_extent_type(d->space) == H5S_NULL) {
		d->rank = 1;
		d->dims[0] = 0;
	} else if (rank < 0 || rank + (int)d->el.rank > RANK_MOST ||
		   H5Sget_simple_extent_dims(d->space, d->dims, NULL) != rank) {
		return false;
	} else {
		d->rank = (unsigned)rank;
	}
	for (unsigned k = 0; k < d->rank; k++)
		if (d->dims[k] && !u64_mul(n, d->dims[k], &n))
			return false;
	for (unsigned k = 0; k < d->rank; k++)
		n = d->dims[k] ? n : 0;
	d->count = n;
	for (unsigned k = 0; k < d->el.rank; k++)
		d->dims[d->rank++] = d->el.dims[k];
	return u64_mul(d->count, d->el.size, &d->bytes);
}

static void put_dataset(struct scan *s, hid_t id, const char *path)
{
	struct dataset d = {.s = s, .id = id, .type = H5Dget_type(id), .space = H5Dget_space(id),
			    .plan = H5Dget_create_plist(id), .why = {""}};
	struct err e;

	if (d.type < 0 || d.space < 0 || d.plan < 0) {
		nowhere(&d, "");
		err_set(&d.why, "!%s", complaint(&e));
	} else {
		d.el.size = H5Tget_size(d.type);
		classify(d.type, &d.el);
		if (d.el.type == DT_OPAQUE && H5Tget_class(d.type) == H5T_OPAQUE && d.el.size == 2 &&
		    says_bfloat16(id)) {
			d.el.type = DT_BF16;
			d.el.why = NULL;
		}
		if (!d.el.size || !measure(&d))
			nowhere(&d, "!its shape is broken, or too large");
		else if (d.el.why && points_elsewhere(d.type))
			nowhere(&d, d.el.why);
		else
			locate(&d);
		if (d.place != H5_NOWHERE && d.el.why)
			err_set(&d.why, "%s", d.el.why);
	}
	begin(s, H5_DATASET);
	put_text(s, path);
	put_text(s, d.el.type == DT_OPAQUE && d.el.word ? d.el.word : dtypes[d.el.type].name);
	put_uint(s, d.el.type, 1);
	put_uint(s, d.el.big, 1);
	put_uint(s, d.rank, 1);
	for (unsigned k = 0; k < d.rank; k++)
		put_uint(s, d.dims[k], 8);
	put_uint(s, d.place, 1);
	put_uint(s, d.offset, 8);
	put_uint(s, d.length, 8);
	put_text(s, d.why.msg);
	H5Pclose(d.plan);
	H5Sclose(d.space);
	H5Tclose(d.type);
}

/* ---- the tree, without recursion ---- */

static void push(struct scan *s, char *path)
{
	if (s->n_todo == s->cap_todo) {
		s->cap_todo = s->cap_todo ? 2 * s->cap_todo : 64;
		s->todo = xrealloc(s->todo, s->cap_todo, sizeof(*s->todo));
	}
	s->todo[s->n_todo++] = path;
}

struct link_walk {
	struct scan *s;
	const char *path;
	size_t first;  /* of this group's links in s->todo */
	bool too_many;
};

/* A link that is no plain one is told, not followed. */
static void put_link(struct scan *s, hid_t group, const char *name, const char *path, const H5L_info_t *info)
{
	char *value = NULL;
	const char *to = "a link of somebody's own, not followed", *file = NULL, *inside = NULL;
	char *text = NULL;

	if (info->type != H5L_TYPE_HARD && info->u.val_size && info->u.val_size < 65536) {
		value = xcalloc(info->u.val_size + 1, 1);
		if (H5Lget_val(group, name, value, info->u.val_size, H5P_DEFAULT) < 0)
			value[0] = '\0';
	}
	if (info->type == H5L_TYPE_SOFT && value) {
		to = value;
	} else if (info->type == H5L_TYPE_EXTERNAL && value &&
		   H5Lunpack_elink_val(value, info->u.val_size, NULL, &file, &inside) >= 0) {
		size_t size = strlen(file) + strlen(inside) + 40;

		text = xmalloc(size);
		snprintf(text, size, "in another file, not followed: %s:%s", file, inside);
		to = text;
	}
	begin(s, H5_LINK);
	put_text(s, path);
	put_text(s, to);
	free(value);
	free(text);
}

static herr_t one_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
	struct link_walk *w = data;
	struct scan *s = w->s;
	size_t size = strlen(w->path) + strlen(name) + 2;
	char *path = xmalloc(size);

	snprintf(path, size, "%s%s%s", w->path, *w->path ? "/" : "", name);
	s->names += strlen(path);
	if (++s->objects > OBJECTS_MAX || s->names > s->names_max) {
		free(path);
		w->too_many = true;
		return -1;
	}
	if (info->type == H5L_TYPE_HARD && *name && strcmp(name, ".") != 0 && !strchr(name, '/')) {
		push(s, path);
		return 0;
	}
	put_link(s, group, name, path, info);
	free(path);
	return 0;
}

static void put_group(struct scan *s, hid_t id, const char *path)
{
	struct link_walk w = {s, path, s->n_todo, false};
	hsize_t at = 0;
	struct err e, why;

	put_attributes(s, id, path);
	if (H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, &at, one_link, &w) < 0) {
		if (w.too_many)
			err_set(&why, "more than %d objects, or names of more than %" PRIu64 " bytes", OBJECTS_MAX,
				s->names_max);
		else
			err_set(&why, "group /%s: %s", path, complaint(&e));
		trouble(s, why.msg);
	}
	for (size_t i = w.first, j = s->n_todo; i + 1 < j; i++) { /* the first one is to be visited first */
		char *swap = s->todo[i];

		s->todo[i] = s->todo[--j];
		s->todo[j] = swap;
	}
}

/* Groups can contain one another: each is visited once. */
static bool seen_before(struct scan *s, const H5O_info_t *info)
{
	struct str key = str_of(arena_printf(&s->keys, "%" PRIx64, (uint64_t)info->addr));

	return map_add(&s->seen, key, 0) != MAP_NONE;
}

static void visit(struct scan *s, const char *path)
{
	hid_t id = H5Oopen(s->file, *path ? path : "/", H5P_DEFAULT);
	H5O_info_t info;
	struct err e, why;

	if (id < 0 || H5Oget_info(id, &info) < 0) {
		err_set(&why, "/%s: %s", path, complaint(&e));
		trouble(s, why.msg);
	} else if (info.type == H5O_TYPE_GROUP && seen_before(s, &info)) {
		begin(s, H5_LINK);
		put_text(s, path);
		put_text(s, "a group that has another path, too");
	} else if (info.type == H5O_TYPE_GROUP) {
		put_group(s, id, path);
	} else if (info.type == H5O_TYPE_DATASET) {
		put_dataset(s, id, path);
	}
	if (id >= 0)
		H5Oclose(id);
}

static void end(struct scan *s)
{
	begin(s, H5_DONE);
	put_uint(s, s->sp ? spool_at(s->sp) : 0, 8);
	flush(s);
	buf_free(&s->out);
	free(s->todo);
	map_free(&s->seen);
	arena_free(&s->keys);
}

void h5_write_all(struct bytes file, struct spool *sp, int pipe)
{
	struct scan s = {.pipe = pipe, .sp = sp, .time = TIME_FREE};
	struct err e;

	image = file;
	s.names_max = u64_min(H5_NAMES_MAX, 16 * (uint64_t)file.n + (1 << 20));
	allow_time(&s, file.n);
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	H5PLset_loading_state(0);
	s.file = open_image();
	if (s.file < 0) {
		trouble(&s, complaint(&e));
	} else {
		push(&s, xstrdup(""));
		while (s.n_todo) {
			char *path = s.todo[--s.n_todo];

			visit(&s, path);
			free(path);
		}
	}
	if (spool_flush(sp, &e) != RC_OK)
		trouble(&s, e.msg);
	end(&s);
}

void h5_write_trouble(const char *what, int pipe)
{
	struct scan s = {.pipe = pipe};

	trouble(&s, what);
	end(&s);
}
