/* What TensorFlow's checkpoints and graphs share: the element types and shapes of their protobuf messages
 * (tensorflow/core/framework/types.proto, tensor_shape.proto). */
#ifndef FORMAT_TF_H
#define FORMAT_TF_H

#include "model/model.h"

/* The type that DataType number means, and TensorFlow's own word for it (static; NULL: no such type). DT_OPAQUE for
 * what is no number (text, resources) and what is not decoded. *_REF types are the ones they refer to. */
enum dtype tf_type(uint64_t number, const char **word);

struct tf_shape {
	uint64_t dims[RANK_MAX];
	unsigned rank;
	bool unknown; /* a dimension is not known (-1), or not even how many there are */
};

/* Reads a TensorShapeProto. Fails on more than limits.rank dimensions and on a broken message. */
enum rc tf_shape_read(struct bytes message, struct tf_shape *, struct err *);

/* Sets the tensor's shape and type from what the message says: type_name is TensorFlow's word where ours is none. A
 * failure concerns this tensor alone. */
enum rc tf_set_shape(struct model *, struct tensor *, uint64_t number, const struct tf_shape *, struct err *);

/* Reads a checkpoint, whose index is that member, into the model. */
enum rc tf_bundle_read(struct model *, uint32_t index, struct err *);

#endif
