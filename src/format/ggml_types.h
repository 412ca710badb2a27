/* The numbers of ggml's tensor types, in GGUF files and in those before it: ggml-org/ggml, include/ggml.h. */
#ifndef FORMAT_GGML_TYPES_H
#define FORMAT_GGML_TYPES_H

#include "model/dtype.h"

/* The type with that number. For DT_OPAQUE *name gets ggml's name for it, or NULL: nobody knows the number. */
enum dtype ggml_type(uint32_t id, const char **name);

#endif
