/* The part of weigh-h5 that uses libhdf5. Both write records as format/h5scan.h has them to the pipe, the last one
 * H5_DONE; the program ends when nobody reads them. */
#ifndef H5_SCAN_H
#define H5_SCAN_H

#include "bytes/spool.h"

/* All that the file, which is mapped, holds; what does not lie in it as it is goes to the spool. It limits its own
 * time. */
void h5_write_all(struct bytes file, struct spool *, int pipe);

/* Why it could not be looked at. */
void h5_write_trouble(const char *what, int pipe);

#endif
