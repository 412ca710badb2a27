/* One number among its peers, by measures that a few outliers do not move. */
#ifndef NUM_ROBUST_H
#define NUM_ROBUST_H

#include "base/util.h"

/* The median of n numbers, none of them NaN; sorts them. NAN for none. */
double robust_median(double *x, size_t n);

/*
 * z[i] gets the modified z-score of x[i] (Iglewicz and Hoaglin 1993): 0.6745 (x - median) / MAD, where MAD is the
 * median of |x - median|; where more than half of the numbers are the same, so that it is 0, the mean of |x - median|
 * times 1.2533 takes its place. All 0 where the numbers are the same. x stays as it is; z may not be x.
 */
void robust_z(double *z, const double *x, size_t n);

#endif
