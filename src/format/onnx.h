/* Reading an ONNX model that is part of another file. */
#ifndef FORMAT_ONNX_H
#define FORMAT_ONNX_H

#include "model/model.h"

/* Adds the tensors and the metadata of the ModelProto that stands in the member. External data is looked for beside
 * that member's file. */
enum rc onnx_read(struct model *, uint32_t member, struct bytes message, struct err *);

#endif
