#include "num/robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;

	return (a > b) - (a < b);
}

double robust_median(double *x, size_t n)
{
	if (!n)
		return NAN;
	qsort(x, n, sizeof(*x), by_size);
	return n % 2 ? x[n / 2] : x[n / 2 - 1] + (x[n / 2] - x[n / 2 - 1]) / 2;
}

void robust_z(double *z, const double *x, size_t n)
{
	double median, mad, mean = 0, unit;

	if (!n)
		return;
	memcpy(z, x, n * sizeof(*z));
	median = robust_median(z, n);
	for (size_t i = 0; i < n; i++) {
		z[i] = fabs(x[i] - median);
		mean += z[i] / (double)n;
	}
	mad = robust_median(z, n);
	unit = mad > 0 ? mad / 0.6745 : 1.2533 * mean;
	for (size_t i = 0; i < n; i++)
		z[i] = unit > 0 ? (x[i] - median) / unit : 0;
}
