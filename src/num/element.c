#include "num/element.h"

#include <inttypes.h>
#include <math.h>

#include "base/fmt.h"
#include "num/decode.h"

bool element_is_whole(enum dtype type)
{
	return type == DT_I64 || type == DT_U64;
}

/* Digits that tell apart any two neighbours: 1 + ceil(p * log10(2)) for a fraction of p bits. */
static void show_real(struct buf *b, enum dtype type, double x)
{
	switch (type) {
	case DT_F64:
	case DT_C128:
		fmt_exact(b, x);
		break;
	case DT_F16:
	case DT_C32:
		buf_printf(b, "%.5g", x);
		break;
	case DT_BF16:
		buf_printf(b, "%.4g", x);
		break;
	case DT_F32:
	case DT_C64:
		fmt_float(b, x);
		break;
	default:
		buf_printf(b, dtypes[type].kind == KIND_BLOCK ? "%.6g" : "%.4g", x);
	}
}

static void show_part(struct buf *b, enum dtype type, double x, bool json)
{
	enum dtype_kind kind = dtypes[type].kind;

	if (!isfinite(x))
		buf_printf(b, json ? "\"%s\"" : "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
	else if (kind == KIND_BOOL)
		buf_puts(b, x != 0 ? "true" : "false");
	else if (kind == KIND_UINT || kind == KIND_INT)
		buf_printf(b, "%.0f", x);
	else if (json && x == 0)
		buf_puts(b, signbit(x) ? "-0.0" : "0.0"); /* "-0" would be read as the integer 0 */
	else if (json)
		fmt_exact(b, x);
	else
		show_real(b, type, x);
}

static void show_complex(struct buf *b, enum dtype type, const double *x, bool json)
{
	struct buf imaginary = {0};

	buf_puts(b, json ? "[" : "");
	show_part(b, type, x[0], json);
	show_part(&imaginary, type, x[1], json);
	if (json)
		buf_putc(b, ',');
	else if (imaginary.p[0] != '-')
		buf_putc(b, '+');
	buf_puts(b, imaginary.p);
	buf_puts(b, json ? "]" : "j");
	buf_free(&imaginary);
}

void element_text(struct buf *b, enum dtype type, const struct element *e, bool json)
{
	if (type == DT_I64)
		buf_printf(b, "%" PRId64, (int64_t)e->whole);
	else if (type == DT_U64)
		buf_printf(b, "%" PRIu64, e->whole);
	else if (decode_width(type) == 2)
		show_complex(b, type, e->x, json);
	else
		show_part(b, type, e->x[0], json);
}
