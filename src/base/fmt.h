/* Numbers as people and scripts read them. Each appends to a buf; NAN stands for "undefined" and prints as "-". */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include "base/buf.h"

void fmt_count(struct buf *b, uint64_t n);   /* 1234567 */
void fmt_grouped(struct buf *b, uint64_t n); /* 1,234,567 */
void fmt_short(struct buf *b, uint64_t n);   /* 950, 1.23 K, 45.6 M, 7.89 G: three digits, powers of 1000 */
void fmt_bytes(struct buf *b, uint64_t n);   /* 950 B, 1.23 KiB, 45.6 MiB: powers of 1024 */
void fmt_real(struct buf *b, double x); /* four significant digits in at most 10 columns: 0.03125, -1.5, 3.403e+38 */
void fmt_exact(struct buf *b, double x);     /* the shortest decimal that reads back as the same double */
void fmt_float(struct buf *b, double x);     /* the shortest decimal, of 6 digits or more, that is the same float */
void fmt_percent(struct buf *b, double fraction); /* 0 %, <0.1 %, 12.3 %, >99.9 %, 100 %: never 0 or 100 unless exact */
void fmt_shape(struct buf *b, const uint64_t *shape, unsigned rank); /* 4096×4096; "scalar" for rank 0 */
void fmt_shape_ascii(struct buf *b, const uint64_t *shape, unsigned rank); /* 4096x4096 */

#endif
