#include "tui/tui.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "analysis/opening.h"
#include "base/pool.h"
#include "bytes/spool.h"
#include "format/h5scan.h"
#include "tui/browse.h"
#include "tui/config.h"
#include "tui/script.h"
#include "tui/view.h"

/*
 * The loop: take what was computed, draw, sleep until a key, a result or a signal. Rows are asked for as they come into
 * sight (browse.c); the rest is fed to the pool a few at a time, so that nothing of the size of the model is done at
 * once. While results arrive the screen is drawn every FRAME_MS at most, and keys are answered at once; when all is
 * computed it is not drawn, and the loop does not wake, until something happens.
 */
enum { FRAME_MS = 100, OWN_MS = 15, PROGRESS_MS = 250, REST_MS = 80, WATCH_MS = 1000, AHEAD = 64 };

/* ---- results ---- */

static uint64_t bytes_of(const struct row *r)
{
	uint64_t n = 0;

	for (int side = A; side <= B; side++)
		if (r->t[side] && !r->t[side]->trouble && !u64_add(n, r->t[side]->data.length, &n))
			n = UINT64_MAX / 4;
	return n;
}

static bool has_all(const struct screen *sc, const struct row *r)
{
	return r->result && (r->result->have & sc->want) == sc->want;
}

/* From the first row on: what is there already is passed over. What was asked for before is on its way and no longer
 * counted: it would be thought to stand behind `next`, and never be taken off. */
void screen_want(struct screen *sc, unsigned want)
{
	if ((sc->want | want) == sc->want)
		return;
	sc->want |= want;
	sc->next = sc->asked = 0;
	sc->unasked = 0;
	for (size_t i = 0; i < sc->s->n_rows; i++)
		if (!has_all(sc, &sc->s->rows[i]) && !u64_add(sc->unasked, bytes_of(&sc->s->rows[i]), &sc->unasked))
			sc->unasked = UINT64_MAX / 4;
}

/* Asks for rows that nobody looked at yet, in their order, a few ahead of the workers. */
static void ask_ahead(struct screen *sc)
{
	while (sc->next < sc->s->n_rows && sc->asked < AHEAD) {
		const struct row *r = &sc->s->rows[sc->next];

		if (!has_all(sc, r)) {
			scan_ask(sc->scan, sc->next, sc->want, PRIO_BACKGROUND, 0);
			sc->asked++;
			sc->unasked -= u64_min(sc->unasked, bytes_of(r));
		}
		sc->next++;
	}
}

static void note_result(struct screen *sc, size_t row)
{
	const struct row *r = &sc->s->rows[row];

	sc->n_ready += !sc->had[row];
	sc->had[row] = true;
	if (status_compared(r->status) && r->result && r->result->diff.rel_l2 > sc->strongest)
		sc->strongest = r->result->diff.rel_l2;
}

static void take_in(struct screen *sc, size_t row)
{
	struct view *v = sc->view;

	sc->news++;
	note_result(sc, row);
	if (row < sc->next && sc->asked)
		sc->asked--;
	while (v->below)
		v = v->below;
	browse_news(v, row);
}

static bool take_all(struct screen *sc)
{
	bool any = false;
	size_t row;

	while (scan_take(sc->scan, &row)) {
		take_in(sc, row);
		any = true;
	}
	if (any || sc->next == 0)
		ask_ahead(sc);
	return any;
}

/* The view on top waits for something of its own: a heat map, say. */
static bool view_busy(struct screen *sc)
{
	return sc->view->ops->busy && sc->view->ops->busy(sc->view);
}

/* There will be something new to draw. */
static bool at_work(struct screen *sc)
{
	return (sc->opening && !opening_done(sc->opening)) || screen_busy(sc);
}

static bool is_done(struct screen *sc)
{
	return !at_work(sc) && !browse_wants_details(sc->view) && !view_busy(sc);
}

/* ---- the session ---- */

static void start(struct screen *sc)
{
	sc->had = xcalloc(sc->s->n_rows, sizeof(*sc->had));
	sc->n_ready = sc->asked = 0;
	sc->strongest = 0;
	sc->scan = scan_new(sc->s, screen_wake, NULL);
	sc->want = 0;
	screen_want(sc, WANT_STATS);
}

static void stop(struct screen *sc)
{
	scan_free(sc->scan);
	free(sc->had);
}

/* A second model, or A and B the other way round: all that knows of rows is made anew, what the user set stays. */
static void change_session(struct screen *sc)
{
	struct view *v = sc->view;
	struct err unused;
	struct kept *k;

	while (v->below)
		v = v->below;
	k = browse_keep(v);
	while (sc->view)
		view_pop(sc);
	sc->quit = false;
	stop(sc);
	pool_wait(sc->s->pool); /* the views gave their jobs up; what these are at ends with the rows still there */
	if (sc->opening)
		opening_take(sc->opening, sc->s);
	else
		session_swap(sc->s);
	sc->opening = NULL;
	sc->message[0] = '\0';
	sc->metric = 0; /* one model's are not a pair's */
	sc->file_news[A] = sc->file_news[B] = SOURCE_SAME;
	start(sc);
	browse_open(sc, &unused); /* its patterns were read once already */
	browse_restore(sc->view, k);
}

/* What was opened on the pool is there: but not while a prompt or a question is on, whose view must stay. Returns
 * whether anything became of it. */
static bool take_opened(struct screen *sc)
{
	struct err e;

	if (!sc->opening || !opening_done(sc->opening) || sc->prompt.on || sc->question[0] || sc->letter_of != ACT_NONE)
		return false;
	if (opening_result(sc->opening, &e) == RC_OK) {
		change_session(sc);
	} else {
		screen_stop_opening(sc);
		screen_trouble(sc, "%s", e.msg);
	}
	return true;
}

/* A small file is there at once: the screen need not say that it is being opened. */
static void strike(struct screen *sc, int key)
{
	enum { AT_ONCE_MS = 20 };
	enum change change;

	screen_key(sc, key);
	change = sc->quit ? CHANGE_NONE : sc->change;
	sc->change = CHANGE_NONE;
	if (change == CHANGE_ADD) {
		sc->opening = opening_start(sc->s, sc->added, screen_wake, NULL);
		opening_wait(sc->opening, AT_ONCE_MS);
	} else if (change == CHANGE_SWAP) {
		change_session(sc);
	}
	take_opened(sc);
}

/* ---- the files ---- */

/* Whether they are still what was opened; said once for each thing that befalls a model. Returns whether it was. */
static bool watch_files(struct screen *sc)
{
	bool said = false;
	static const char *const words[] = {
		[SOURCE_TOUCHED] = "was written to meanwhile",
		[SOURCE_GONE] = "was removed or replaced",
		[SOURCE_SHRANK] = "shrank: ? marks what is lost",
	};

	for (unsigned i = 0; i < sc->s->n_models; i++) {
		struct str name = {"", 0};
		int news = (int)source_watch(&sc->s->m[i].source, &name);
		const char *slash = strrchr(name.n ? name.p : "", '/');

		if (news <= sc->file_news[i])
			continue;
		sc->file_news[i] = news;
		screen_trouble(sc, "%s %s", slash ? slash + 1 : name.p, words[news]);
		said = true;
	}
	return said;
}

/* ---- with a terminal ---- */

static long ms_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

/* How long to sleep: for ever, unless a frame is due, the details of a row that the keys came to rest on, or, once
 * after whatever happened, a look at the files. */
static int patience(long frame_due, const struct timespec *frame, bool resting, const struct timespec *key, bool watch,
		    const struct timespec *watched)
{
	long ms = LONG_MAX;

	if (watch)
		ms = WATCH_MS - ms_since(watched);
	if (frame_due && frame_due - ms_since(frame) < ms)
		ms = frame_due - ms_since(frame);
	if (resting && REST_MS - ms_since(key) < ms)
		ms = REST_MS - ms_since(key);
	return ms == LONG_MAX ? -1 : ms > 0 ? (int)ms : 0;
}

static void interact(struct screen *sc)
{
	struct timespec frame = {0}, key = {0}, watched = {0};
	bool draw = true, news = false, own = false, watch = false;

	while (!sc->quit && sc->view) {
		bool resting;
		unsigned ev;
		long due;
		int k;

		draw = take_opened(sc) || draw;
		news = take_all(sc) || news;
		if (sc->hasty && ms_since(&key) >= REST_MS) {
			sc->hasty = false;
			draw = true;
		}
		due = own ? OWN_MS : news ? FRAME_MS : at_work(sc) ? PROGRESS_MS : 0;
		if (draw || (due && ms_since(&frame) >= due)) {
			screen_draw(sc);
			clock_gettime(CLOCK_MONOTONIC, &frame);
			draw = news = own = false;
			due = at_work(sc) ? PROGRESS_MS : 0;
		}
		resting = browse_wants_details(sc->view);
		if (resting && ms_since(&key) >= REST_MS) {
			browse_ask_details(sc->view);
			resting = false;
		}
		ev = term_wait(patience(due, &frame, resting || sc->hasty, &key, watch, &watched));
		if (ev & EV_END)
			return;
		while ((ev & EV_KEY) && !sc->quit && (k = term_key()) != K_NONE) {
			strike(sc, k);
			clock_gettime(CLOCK_MONOTONIC, &key);
			draw = sc->hasty = true;
		}
		draw = draw || (ev & EV_RESIZE);
		watch = watch || ev;
		if (watch && ms_since(&watched) >= WATCH_MS) {
			draw = watch_files(sc) || draw;
			clock_gettime(CLOCK_MONOTONIC, &watched);
			watch = false;
		}
		own = own || ((ev & EV_WAKE) && sc->view && sc->view->ops->busy);
	}
}

/* ---- without ---- */

static void wait_for_all(struct screen *sc)
{
	for (;;) {
		take_opened(sc);
		take_all(sc);
		screen_draw(sc); /* what came into sight is asked for */
		browse_ask_details(sc->view);
		if (is_done(sc))
			return;
		if (term_wait(-1) & EV_END)
			return;
	}
}

static enum rc save(const char *file, void (*write)(FILE *), struct err *e)
{
	FILE *f = fopen(file, "w");

	if (!f)
		return err_set(e, "%s: %s", file, strerror(errno));
	write(f);
	if (fclose(f) != 0)
		return err_set(e, "%s: %s", file, strerror(errno));
	return RC_OK;
}

static enum rc perform(struct screen *sc, const struct action *a, struct err *e)
{
	switch (a->step) {
	case STEP_KEY:
		strike(sc, a->key);
		break;
	case STEP_WAIT:
		wait_for_all(sc);
		break;
	case STEP_SAVE:
		return save(a->file, term_save_text, e);
	case STEP_ATTRS:
		return save(a->file, term_save_attrs, e);
	case STEP_SIZE:
		term_resize(a->columns, a->rows);
		break;
	case STEP_MOUSE:
		screen_mouse(sc, a->mouse);
		break;
	case STEP_END:
		sc->quit = true;
		break;
	}
	if (!sc->quit) {
		take_all(sc);
		watch_files(sc);
		screen_draw(sc);
	}
	return RC_OK;
}

static enum rc run_script(struct screen *sc, const char *path, struct err *e)
{
	struct script script;
	struct action a;
	enum rc rc = script_open(&script, path, e);

	if (rc != RC_OK)
		return rc;
	take_all(sc);
	screen_draw(sc);
	while (rc == RC_OK && !sc->quit && !term_signal()) {
		rc = script_next(&script, &a, e);
		if (rc == RC_OK)
			rc = perform(sc, &a, e);
	}
	script_close(&script);
	return rc;
}

/* ---- both ---- */

static enum rc run(struct screen *sc, struct err *e)
{
	enum rc rc;

	start(sc);
	rc = browse_open(sc, e);
	if (rc == RC_OK && sc->opts->keys_file)
		rc = run_script(sc, sc->opts->keys_file, e);
	else if (rc == RC_OK)
		interact(sc);
	screen_stop_opening(sc);
	while (sc->view)
		view_pop(sc);
	return rc;
}

/* The files that a script saves to are named in it. One that comes through a pipe can only be read once: it may write
 * here and below. */
static void script_needs(const char *path, struct sandbox *box)
{
	struct script script;
	struct action a;
	struct stat st;
	struct err e;

	sandbox_allow(box, path, SANDBOX_READ);
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
		sandbox_allow(box, ".", SANDBOX_OUTPUT);
		return;
	}
	if (script_open(&script, path, &e) != RC_OK)
		return; /* it will be told */
	while (script_next(&script, &a, &e) == RC_OK && a.step != STEP_END)
		if (a.step == STEP_SAVE || a.step == STEP_ATTRS)
			sandbox_allow(box, a.file, SANDBOX_OUTPUT);
	script_close(&script);
}

void tui_needs(const struct opts *o, struct sandbox *box)
{
	struct buf config = {0};

	term_needs(box);
	if (o->n_paths < 2) { /* a second model may be asked for, and lie anywhere */
		h5_needs(box);
		sandbox_allow(box, "/", SANDBOX_READ);
		sandbox_allow(box, spool_directory(), SANDBOX_TEMPORARY);
	}
	sandbox_allow(box, ".", SANDBOX_OUTPUT); /* reports go here or below */
	if (config_path(&config))
		sandbox_allow(box, config.p, SANDBOX_OUTPUT);
	buf_free(&config);
	if (o->keys_file)
		script_needs(o->keys_file, box);
}

enum rc tui_run(struct session *s, const struct opts *o, struct err *e)
{
	struct screen sc = {.s = s, .opts = o, .prefix = K_NONE, .letter_of = ACT_NONE, .pane = PANE_AUTO};
	enum rc rc;
	int sig;

	pool_give_way(s->pool); /* a key is answered before anything more is computed */
	rc = term_open(o, e);
	if (rc == RC_OK) {
		sc.ascii = term_ascii();
		config_read(&sc);
		rc = run(&sc, e);
		sig = term_signal();
		/* first the terminal, then the wait for what the workers are at */
		term_give_back();
		stop(&sc);
		term_close();
		if (sig)
			raise(sig);
	}
	return rc;
}
