#include "num/stats.h"

const double quantile_at[Q_COUNT] = {
	[Q_P01] = 0.01, [Q_P05] = 0.05, [Q_P25] = 0.25, [Q_MEDIAN] = 0.50,
	[Q_P75] = 0.75, [Q_P95] = 0.95, [Q_P99] = 0.99,
};
