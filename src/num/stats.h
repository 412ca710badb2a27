/*
 * The results: statistics of a tensor and differences of a pair, as the manual defines them. A value that is
 * undefined (0/0, an empty tensor, not asked for, or beyond the range of a double) is NAN here, null in JSON and -
 * in text.
 */
#ifndef NUM_STATS_H
#define NUM_STATS_H

#include "base/util.h"

enum { Q_P01, Q_P05, Q_P25, Q_MEDIAN, Q_P75, Q_P95, Q_P99, Q_COUNT };
extern const double quantile_at[Q_COUNT]; /* 0.01 ... 0.99 */

struct stats { /* over elements that are neither NaN nor infinite, but for the first three */
	uint64_t count, nan, inf, zero;
	double min, max, absmax;
	double mean, std; /* std is the population's: divided by the number of elements */
	double rms, l1, l2;
	double skewness, kurtosis; /* kurtosis is excess: 0 for a normal distribution */

	double q[Q_COUNT]; /* linear between the two nearest elements, as NumPy's default */
	double distinct;   /* stored codes that occur; NAN for types of more than 16 bits */
	double entropy;    /* Shannon's, bits an element over the stored codes; NAN likewise */
};

struct diff { /* d = B - A over elements finite in both, but for count, changed and nan_mismatch */
	uint64_t count, changed, sign_flips, nan_mismatch;
	double changed_fraction;
	double max_abs_diff;
	uint64_t max_abs_index; /* row-major; UINT64_MAX when no element is finite in both */
	double mean_diff, mean_abs_diff, rmse, l2_diff, rel_l2, cosine, snr_db;
	double p50_abs_diff, p99_abs_diff;
};

#endif
