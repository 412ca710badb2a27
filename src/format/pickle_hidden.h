/* Pickles in a file that its reader does not come to, and other programs may. */
#ifndef FORMAT_PICKLE_HIDDEN_H
#define FORMAT_PICKLE_HIDDEN_H

#include "model/model.h"

/* Of a model that was opened: in the entries of its zip files, and its files themselves taken as pickles. */
void hidden_pickles(struct model *);

/* Of one that was refused: behind every local header of a zip file, whatever its directory says. */
void hidden_in_ruins(struct model *);

#endif
