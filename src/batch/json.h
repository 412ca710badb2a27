/*
 * JSON, one value at a time: the frame is written as it goes, so memory stays flat however many tensors there are.
 * Numbers are finite and read back exactly; what is undefined is null. Counts beyond 2^63 - 1, which jansson does not
 * hold, are strings of digits. NaN and infinities of the file itself (metadata, values) are the strings "nan", "inf"
 * and "-inf".
 */
#ifndef BATCH_JSON_H
#define BATCH_JSON_H

#include <jansson.h>

#include "analysis/tree.h"
#include "batch/out.h"

json_t *js_text(struct str); /* repaired to valid UTF-8 */
json_t *js_u64(uint64_t);
json_t *js_number(double);   /* null unless it is finite */
json_t *js_value(double);    /* a value of the file */
json_t *js_meta(const struct meta_value *);
json_t *js_model(const struct model *);
json_t *js_shape(const uint64_t *dims, unsigned rank);
json_t *js_tensor(const struct model *, const struct tensor *); /* what the header says of it */
json_t *js_bins(const struct bins *);
json_t *js_pair(const struct row *); /* a, b, via, status and the rest of the headers */

/* Values of a row by the field table; null where there are none. With dist, the distribution too. */
json_t *js_stats(const struct row *, int side);
json_t *js_diff(const struct row *);

/* Sets a key; js_put_text adds KEY_bytes in base64 when the text was not UTF-8. Both eat what they are given. */
void js_put(json_t *object, const char *key, json_t *);
void js_put_text(json_t *object, const char *key, struct str);
void js_put_cell(json_t *object, const char *key, const struct cell *);

/* Prints a value as it is, and eats it. */
void js_print(json_t *);

/* The frame: {"weigh":...,"command":..., then members and arrays of items, }. With JSON lines there is no frame: items
 * are lines, the rest is left out. All eat the values given to them. */
void js_begin(const struct style *, const char *command);
void js_member(const struct style *, const char *key, json_t *);
void js_open_array(const struct style *, const char *key);
void js_item(const struct style *, json_t *);

/* An item whose last member the caller writes itself with out_*, since it may be long: the object (not empty) but for
 * its closing brace, and the key; then the brace. */
void js_item_open(const struct style *, json_t *object, const char *key);
void js_item_close(const struct style *);
void js_close_array(const struct style *);
void js_end(const struct style *);

#endif
