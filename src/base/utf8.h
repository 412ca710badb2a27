/*
 * Text from strangers, made fit for a terminal or for JSON. Names are kept as the file has them; these are the
 * only ways from there to a screen or a document.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/*
 * Decodes one character (RFC 3629: no overlong form, no surrogate, at most U+10FFFF) from the front of s.
 * Returns its length in bytes, or 0 for an invalid byte or an empty string; *cp gets the code point.
 */
size_t utf8_next(struct str s, uint32_t *cp);

bool utf8_valid(struct str s);

/* Appends s as valid UTF-8: each invalid byte becomes U+FFFD. Returns whether any did. */
bool utf8_repair(struct buf *out, struct str s);

/*
 * Appends s as text that is harmless on a terminal: control characters, invalid bytes, bidirectional overrides and
 * other invisible formatting become visible escapes (\n, \x1b, \u202e), and so do marks with no letter to stand on and
 * those beyond the fourth on one. With ascii, so does all beyond ASCII. Text that is harmless stays as it is.
 */
void utf8_display(struct buf *out, struct str s, bool ascii);

/* Appends JSON with the escapes of JSON in place of such characters (blanks between values are kept): the same to who
 * parses it, and harmless where it is shown. */
void utf8_json(struct buf *out, struct str s);

/* Columns that s, already made harmless, takes on a terminal (wide characters 2, combining ones 0). */
size_t utf8_width(struct str s);

/* The longest prefix of s, in bytes, that takes at most `columns`; *used gets the columns it takes. */
size_t utf8_fit(struct str s, size_t columns, size_t *used);

/* The longest end of s that takes at most `columns`. */
struct str utf8_end(struct str s, size_t columns);

/* Appends s cut to `columns` with an ellipsis ('…', or '~' in ASCII) in the middle, so that both ends show. */
void utf8_ellipsis(struct buf *out, struct str s, size_t columns, bool ascii);
/* Likewise of a tensor's name, whose end tells more: it gets three quarters of the room. */
void utf8_ellipsis_name(struct buf *out, struct str s, size_t columns, bool ascii);

#endif
