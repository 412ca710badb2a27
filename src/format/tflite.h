/* What the files of TensorFlow Lite's reader share. */
#ifndef FORMAT_TFLITE_H
#define FORMAT_TFLITE_H

#include "model/model.h"

enum { TFLITE_CUSTOM = 32 };

/* Claims what the flatbuffer reaches over, and what lies behind it and is named there: the rest is nobody's. Nothing is
 * claimed where that cannot be known, since a table has fields that came after this was written. */
void tflite_claim(struct model *, uint32_t member);

const char *tflite_operator(uint64_t code); /* NULL: no such operator, or one that is newer than this table */

#endif
