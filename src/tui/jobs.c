#include "tui/jobs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/opening.h"
#include "base/fmt.h"
#include "base/pool.h"
#include "base/sandbox.h"
#include "base/utf8.h"
#include "num/kern.h"
#include "tui/plot.h"
#include "tui/text.h"

/* The text is made anew whenever it is drawn, which is a few times a second while anything is computed. */
enum { SAMPLES = 12, SHOWN = 200 /* jobs */, LABEL = 14, BAR = 24, TEXT_MOST = 100 };

struct sample {
	double at; /* seconds */
	uint64_t done;
};

struct state {
	struct text text; /* first: text.h */
	struct sample samples[SAMPLES]; /* a ring, one every quarter of a second */
	size_t n;
	int width;
};

static struct state *state(struct view *v)
{
	return v->state;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- speed ---- */

static void take_sample(struct state *st, uint64_t done)
{
	double t = now();

	if (st->n && t - st->samples[(st->n - 1) % SAMPLES].at < 0.2)
		return;
	st->samples[st->n++ % SAMPLES] = (struct sample){t, done};
}

/* Bytes a second over the last seconds; 0: not known yet. */
static double recent_speed(const struct state *st)
{
	const struct sample *last, *first;

	if (st->n < 2)
		return 0;
	last = &st->samples[(st->n - 1) % SAMPLES];
	first = &st->samples[st->n > SAMPLES ? st->n % SAMPLES : 0];
	return last->at > first->at && last->done > first->done ?
		       (double)(last->done - first->done) / (last->at - first->at) : 0;
}

static void put_speed(struct buf *b, double speed)
{
	fmt_bytes(b, (uint64_t)speed);
	buf_puts(b, "/s");
}

static void put_time(struct buf *b, double s)
{
	if (s < 1)
		buf_printf(b, "%.0f ms", 1e3 * s);
	else if (s < 100)
		buf_printf(b, "%.*f s", s < 10 ? 1 : 0, s);
	else if (s < 6000)
		buf_printf(b, "%.0f min", s / 60);
	else
		buf_printf(b, "%.1f h", s / 3600);
}

/* ---- lines ---- */

/* "label   text", by which the buffer is emptied. */
static void add(struct state *st, enum role role, const char *label, struct buf *b)
{
	text_entry(&st->text, role, str_of(label), buf_view(b), (size_t)st->width, LABEL);
	buf_clear(b);
}

static void put_bar(struct buf *b, double fraction, bool ascii)
{
	size_t start = b->n, width;

	plot_bar(b, fraction, BAR, ascii);
	width = utf8_width((struct str){b->p ? b->p + start : "", b->n - start});
	buf_repeat(b, ascii ? '.' : ' ', BAR - width);
	buf_printf(b, " %3d %%", (int)(100 * fraction));
}

static void add_whole(struct state *st, struct screen *sc, const struct scan_work *w)
{
	uint64_t total;
	struct buf b = {0};

	if (!u64_add(w->total, sc->unasked, &total))
		total = UINT64_MAX;
	put_bar(&b, total ? (double)w->done / (double)total : 1, sc->ascii);
	add(st, ROLE_TEXT, "all", &b);
	buf_printf(&b, "%zu of %zu %s%s", sc->n_ready, sc->s->n_rows, sc->s->n_models < 2 ? "tensor" : "pair",
		   sc->s->n_rows == 1 ? "" : "s");
	add(st, ROLE_TEXT, "computed", &b);
	fmt_bytes(&b, w->done);
	buf_puts(&b, " of ");
	fmt_bytes(&b, total);
	if (total - w->done) {
		buf_puts(&b, ", ");
		fmt_bytes(&b, total - w->done);
		buf_puts(&b, " left");
	}
	add(st, ROLE_TEXT, "read", &b);
	buf_free(&b);
}

static void add_speed(struct state *st, struct screen *sc, const struct scan_work *w)
{
	double recent = screen_busy(sc) ? recent_speed(st) : 0;
	double mean = w->seconds > 0 ? (double)w->done / w->seconds : 0;
	struct buf b = {0};

	if (recent > 0) {
		put_speed(&b, recent);
		buf_puts(&b, " now, ");
	}
	if (mean > 0) {
		put_speed(&b, mean);
		buf_puts(&b, " on average");
		add(st, ROLE_TEXT, "speed", &b);
	}
	put_time(&b, w->seconds);
	if (recent > 0 && screen_busy(sc)) {
		buf_puts(&b, ", about ");
		put_time(&b, (double)(w->total - w->done + sc->unasked) / recent);
		buf_puts(&b, " left");
	}
	add(st, ROLE_TEXT, "time", &b);
	buf_free(&b);
}

static void add_kernels(struct state *st)
{
	struct buf b = {0};
	bool any = false;

	buf_printf(&b, "%s", kern->name);
	for (size_t i = 0; kerns[i]; i++)
		if (kerns[i]->usable() && kerns[i] != kern) {
			buf_puts(&b, any ? ", " : "; this processor could use ");
			buf_puts(&b, kerns[i]->name);
			any = true;
		}
	add(st, ROLE_TEXT, "kernels", &b);
	buf_free(&b);
}

/* How the bytes of files are come by; where both ways were tried, how fast each was. */
static void add_access(struct state *st, struct screen *sc, const struct scan_work *w)
{
	static const char *const names[] = {[IO_AUTO] = "mapped or read; which is faster is not settled",
					    [IO_MMAP] = "mapped into memory", [IO_READ] = "read into buffers"};
	struct buf b = {0};

	buf_puts(&b, names[w->io]);
	if (sc->opts->io != IO_AUTO)
		buf_puts(&b, ", as --io says");
	add(st, ROLE_TEXT, "file access", &b);
	if (w->speed[0] > 0 && w->speed[1] > 0) {
		buf_puts(&b, "tried: mapped ");
		put_speed(&b, w->speed[0]);
		buf_puts(&b, ", read ");
		put_speed(&b, w->speed[1]);
		add(st, ROLE_DIM, "", &b);
	}
	buf_free(&b);
}

static void add_means(struct state *st, struct screen *sc, const struct scan_work *w)
{
	struct buf b = {0};

	add_kernels(st);
	buf_printf(&b, "%u, for %u processor%s", pool_threads(sc->s->pool), pool_cores(), pool_cores() == 1 ? "" : "s");
	add(st, ROLE_TEXT, "threads", &b);
	add_access(st, sc, w);
	buf_puts(&b, sandbox_about());
	add(st, ROLE_TEXT, "sandbox", &b);
	buf_free(&b);
}

/* ---- jobs ---- */

static void put_wants(struct buf *b, unsigned want, bool pair)
{
	buf_puts(b, want & WANT_EQUAL ? "equality" : pair ? "differences" : "statistics");
	buf_puts(b, want & WANT_DIST ? ", distribution" : "");
	buf_puts(b, want & WANT_BINS ? ", histogram" : "");
}

static void add_job(struct text *t, struct screen *sc, const struct scan_job *j, int width)
{
	const struct row *r = &sc->s->rows[j->row];
	struct buf b = {0}, name = {0}, wants = {0};

	put_wants(&wants, j->want, r->t[A] && r->t[B]);
	buf_puts(&b, "   ");
	utf8_display(&name, r->name, sc->ascii);
	utf8_ellipsis_name(&b, buf_view(&name), (size_t)(width - 30), sc->ascii);
	buf_repeat(&b, ' ', (size_t)width - 26 - utf8_width(buf_view(&b)));
	if (j->begun)
		buf_printf(&b, "%3d %% of ", (int)(j->total ? 100 * (double)j->done / (double)j->total : 0));
	else
		buf_puts(&b, j->priority >= PRIO_VISIBLE ? " next    " : " waits   ");
	fmt_bytes(&b, j->total);
	text_add(t, j->begun ? ROLE_TEXT : ROLE_DIM, buf_view(&b));
	buf_clear(&b);
	if (j->begun) {
		buf_puts(&b, "     ");
		buf_str(&b, buf_view(&wants));
		text_add(t, ROLE_DIM, buf_view(&b));
	}
	buf_free(&b);
	buf_free(&name);
	buf_free(&wants);
}

static void add_opening(struct text *t, struct screen *sc)
{
	uint64_t out, in, of;
	struct buf b = {0};

	if (!sc->opening)
		return;
	opening_progress(sc->opening, &out, &in, &of);
	buf_puts(&b, "   opening ");
	utf8_display(&b, str_of(sc->added), sc->ascii);
	if (out) {
		buf_puts(&b, ": ");
		fmt_bytes(&b, out);
		buf_puts(&b, " unpacked");
	}
	if (of)
		buf_printf(&b, ", %d %% of it", (int)(100 * (double)in / (double)of));
	text_add(t, ROLE_TEXT, buf_view(&b));
	buf_free(&b);
}

static void add_jobs(struct state *st, struct screen *sc, const struct scan_work *w)
{
	struct text *t = &st->text;
	struct scan_job *jobs = xcalloc(SHOWN, sizeof(*jobs));
	size_t n = scan_jobs(sc->scan, jobs, SHOWN), not_asked = sc->s->n_rows - sc->next;

	text_add(t, ROLE_HEADER, STR("Under way"));
	add_opening(t, sc);
	if (n == 0 && !sc->opening)
		text_printf(t, ROLE_DIM, "   nothing%s", screen_busy(sc) ? " at this moment" : ": all of it is there");
	for (size_t i = 0; i < n; i++)
		add_job(t, sc, &jobs[i], st->width);
	if (w->at_work + w->waiting > n)
		text_printf(t, ROLE_DIM, "   and %zu more", w->at_work + w->waiting - n);
	if (not_asked)
		text_printf(t, ROLE_DIM, "   %zu more follow, in the order of the file", not_asked);
	free(jobs);
}

/* ---- the view ---- */

static void update(struct view *v)
{
	struct state *st = state(v);
	struct screen *sc = v->screen;
	struct scan_work w;

	scan_work(sc->scan, &w);
	take_sample(st, w.done);
	st->width = v->list.w - 2 < TEXT_MOST ? v->list.w - 2 : TEXT_MOST;
	text_clear(&st->text);
	text_add(&st->text, ROLE_HEADER, STR("Progress"));
	add_whole(st, sc, &w);
	add_speed(st, sc, &w);
	text_add(&st->text, ROLE_TEXT, STR(""));
	text_add(&st->text, ROLE_HEADER, STR("Means"));
	add_means(st, sc, &w);
	text_add(&st->text, ROLE_TEXT, STR(""));
	add_jobs(st, sc, &w);
}

static bool act(struct view *v, enum act act)
{
	if (act != ACT_JOBS)
		return false;
	view_pop(v->screen);
	return true;
}

static const struct view_ops jobs_view = {
	TEXT_VIEW,
	.title = "jobs",
	.state_size = sizeof(struct state),
	.update = update,
	.act = act,
};

void jobs_open(struct screen *sc)
{
	view_push(sc, &jobs_view);
}
