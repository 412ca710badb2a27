/* What the files of TensorFlow Lite's reader share. */
#ifndef FORMAT_TFLITE_H
#define FORMAT_TFLITE_H

#include <stdint.h>

enum { TFLITE_CUSTOM = 32 };

const char *tflite_operator(uint64_t code); /* NULL: no such operator, or one that is newer than this table */

#endif
