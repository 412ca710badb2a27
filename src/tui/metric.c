#include "tui/metric.h"

#include <math.h>

#include "analysis/scan.h"

enum { DECADES = 8 }; /* that a logarithmic scale spans at most */

static bool has(const struct row *r, unsigned want)
{
	return r->result && !r->result->error && (r->result->have & want) == want;
}

static bool compared(const struct row *r)
{
	return status_compared(r->status) && has(r, WANT_STATS);
}

static double get_rel_l2(const struct row *r)
{
	return compared(r) ? r->result->diff.rel_l2 : NAN;
}

static double get_cosine_distance(const struct row *r)
{
	double cosine = compared(r) ? r->result->diff.cosine : NAN;

	return isnan(cosine) ? NAN : fmax(0, 1 - cosine); /* rounding may leave a cosine above 1 */
}

static double get_changed(const struct row *r)
{
	return compared(r) ? r->result->diff.changed_fraction : NAN;
}

static double get_snr(const struct row *r)
{
	return compared(r) ? r->result->diff.snr_db : NAN;
}

static double get_max_abs_diff(const struct row *r)
{
	return compared(r) ? r->result->diff.max_abs_diff : NAN;
}

static const struct stats *stats_of(const struct row *r)
{
	return has(r, WANT_STATS) && r->t[A] && !r->t[A]->trouble ? &r->result->stats[A] : NULL;
}

static double get_std(const struct row *r)
{
	return stats_of(r) ? stats_of(r)->std : NAN;
}

static double get_absmax(const struct row *r)
{
	return stats_of(r) ? stats_of(r)->absmax : NAN;
}

static double get_sparsity(const struct row *r)
{
	return stats_of(r) && stats_of(r)->count ? (double)stats_of(r)->zero / (double)stats_of(r)->count : NAN;
}

static double get_kurtosis(const struct row *r)
{
	return stats_of(r) ? stats_of(r)->kurtosis : NAN;
}

static double get_entropy(const struct row *r)
{
	return stats_of(r) && has(r, WANT_DIST) ? stats_of(r)->entropy : NAN;
}

const struct metric metrics[] = {
	{"rel_l2", "relative change: ||B-A|| / ||A||", true, WANT_STATS, false, false, get_rel_l2},
	{"cosine distance", "1 - A.B / (||A|| ||B||)", true, WANT_STATS, false, false, get_cosine_distance},
	{"changed", "fraction of the elements that changed", true, WANT_STATS, false, false, get_changed},
	{"max|d|", "the largest |B-A|", true, WANT_STATS, false, false, get_max_abs_diff},
	{"snr_db", "signal to noise: 20 log10(||A|| / ||B-A||)", true, WANT_STATS, true, true, get_snr},
	{"std", "standard deviation", false, WANT_STATS, false, false, get_std},
	{"absmax", "the largest magnitude", false, WANT_STATS, false, false, get_absmax},
	{"sparsity", "fraction of the elements that are 0", false, WANT_STATS, false, false, get_sparsity},
	{"kurtosis", "excess kurtosis: how heavy the tails are", false, WANT_STATS, false, true, get_kurtosis},
	{"entropy", "bits an element, of types of at most 16 bits", false, WANT_DIST, false, false, get_entropy},
	{.key = NULL},
};

int metric_first(bool pair)
{
	int i = 0;

	while (metrics[i].pair != pair)
		i++;
	return i;
}

bool metric_ready(const struct metric *m, const struct row *r)
{
	if (r->result && r->result->error)
		return true;
	return r->result && (r->result->have & m->want) == m->want;
}

double metric_strength(const struct metric *m, double value)
{
	return m->falling ? -value : value;
}

void span_add(struct span_of *s, const struct metric *m, double x)
{
	if (!isfinite(x))
		return;
	if (s->n == 0) {
		s->lo = m->linear ? x : 0;
		s->hi = x;
	}
	s->n++;
	s->lo = fmin(s->lo, x);
	s->hi = fmax(s->hi, x);
	if (x > 0 && (s->least <= 0 || x < s->least))
		s->least = x;
}

/* Only 0 has the lowest level; where there may be less than 0, nothing has. */
int span_level(const struct span_of *s, const struct metric *m, double x, bool log_scale)
{
	double t = 1;
	int level;

	if (m->linear) {
		if (s->hi > s->lo)
			t = m->falling ? (s->hi - x) / (s->hi - s->lo) : (x - s->lo) / (s->hi - s->lo);
		level = ramp_level(SCALE_SIZE, t);
		return level ? level : 1;
	}
	if (log_scale && x > 0) {
		double least = fmax(s->least, s->hi * pow(10, -DECADES));

		t = s->hi > least ? log(x / least) / log(s->hi / least) : 1;
		level = ramp_level(SCALE_SIZE, fmax(t, 0));
		return level ? level : 1;
	}
	return ramp_level(SCALE_SIZE, s->hi > 0 ? x / s->hi : 0);
}
