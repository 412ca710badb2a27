/* Text as it stands in a field of a table that another program reads. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buf.h"

/* RFC 4180: quoted where it holds a comma, a quote or a line's end. What a spreadsheet would take for a formula, for a
 * name may be =HYPERLINK(...), gets an apostrophe in front, by which it is text; -1.5, +inf and -1+2j are values. */
void escape_csv(struct buf *out, struct str s);

/* What Markdown would take for more than text, such as a link or a tag, behind a backslash. */
void escape_markdown(struct buf *out, struct str s);

/* A JSON string with its quotes: valid UTF-8, and harmless where it is shown (utf8_json). */
void escape_json(struct buf *out, struct str s);

#endif
