/* HDF5 files, and what Keras keeps in them. */
#ifndef FORMAT_KERAS_H
#define FORMAT_KERAS_H

#include "model/model.h"

/* Reads the HDF5 file that is a member, which must be mapped, into the model. */
enum rc hdf5_read(struct model *, uint32_t member, struct err *);

/* What a model's configuration, JSON, says: class and name of the model, how many layers it has, and those that hold
 * code (Lambda). Text that is not sound is a problem of the model. */
void keras_config(struct model *, struct str text);

#endif
