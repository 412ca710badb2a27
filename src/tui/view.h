/*
 * Views and the screen they share. A view is a struct of functions; moving, scrolling, searching, prompts and the lines
 * at the top and the bottom are written once, in view.c. Rows are drawn from the model on demand, never kept as text.
 *
 *	title line
 *	header (the view's)
 *	body (the view's list, and whatever else it lays out there)
 *	status line, or the prompt
 */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "analysis/field.h"
#include "analysis/scan.h"
#include "tui/column.h"
#include "tui/keys.h"
#include "tui/search.h"
#include "tui/term.h"

enum { MIN_COLUMNS = 60, MIN_ROWS = 16 };

struct area {
	int y, x, w, h;
};

struct view;
struct report;

/* A key that the status line tells of where it has room. */
struct hint {
	enum act act;
	const char *word;
	bool pair; /* with two models only */
};

struct view_ops {
	const char *title;  /* before the names of the models; NULL: none */
	const struct hint *hints; /* beside help and the way out, the most useful first; one without a word ends them */
	unsigned where;     /* WHERE_ bits: the keys that hold here */
	size_t state_size;
	bool pager;         /* text to read: moving scrolls it, no row is selected */

	size_t (*rows)(struct view *);
	void (*update)(struct view *);                     /* before drawing: take in what was computed since; NULL */
	void (*layout)(struct view *, struct area body);   /* sets view->list; NULL: all of the body */
	void (*draw_header)(struct view *, struct area);   /* one line high; NULL: none */
	void (*draw_row)(struct view *, size_t row, struct area); /* one line high */
	void (*draw_rest)(struct view *);                  /* beside the list; NULL */
	void (*mode)(struct view *, struct buf *);         /* what the status line says of it; NULL */
	void (*place)(struct view *, struct buf *);        /* said instead of the row and how many there are; NULL */
	size_t (*tensor)(struct view *);                   /* the row that is selected; SIZE_MAX or NULL: none */
	const struct sheet *(*sheet)(struct view *);       /* the matrix it shows of it (tui/sheet.h); NULL */
	bool (*busy)(struct view *);                       /* waits for something of its own, which wakes; NULL */

	/* Searching goes over items, which may be more than the rows that show. Without these an item is a row. */
	size_t (*items)(struct view *);
	size_t (*item_at)(struct view *, size_t row);
	size_t (*reveal)(struct view *, size_t item);      /* makes it show; its row */
	void (*unreveal)(struct view *);                   /* closes what reveal opened for a search being typed */
	bool (*find)(struct view *, size_t item, const struct needle *);

	bool (*mouse)(struct view *, struct mouse);        /* false: as everywhere; NULL */
	void (*copy)(struct view *, struct buf *);         /* what Y copies; NULL: the text of the selected row */
	bool (*report)(struct view *, struct report *);    /* a table of what it shows; NULL or false: lines of text */

	bool (*act)(struct view *, enum act);              /* false: not here; the common keys follow */
	void (*close)(struct view *);                      /* frees what the state holds; NULL */
};

struct view {
	const struct view_ops *ops;
	struct screen *screen;
	struct view *below;
	void *state;
	size_t cursor, top;
	struct area list;
	int column; /* where the terminal's cursor stands in the selected row, from the left of the list */
	struct needle needle;
	size_t from_cursor, from_top; /* where the search that is being typed began */
};

enum { PROMPT_MAX = 400 };

struct prompt {
	bool on;
	const char *label;
	char text[PROMPT_MAX];
	size_t n;
	bool search;
	void (*done)(struct view *, const char *text); /* Enter */
	void (*complete)(struct screen *, struct prompt *); /* Tab; NULL: nothing */
};

/* What is to become of the session, as soon as the key that asked for it is done with. */
enum change { CHANGE_NONE, CHANGE_ADD, CHANGE_SWAP };

enum pane { PANE_OFF, PANE_BELOW, PANE_RIGHT, PANE_AUTO };

/* What a user's file may set beside keys (tui/config.h). */
struct settings {
	struct chosen columns[2]; /* of one model, of two */
	enum theme theme;
	bool no_mouse;
};

struct screen {
	struct session *s;
	const struct opts *opts;
	struct scan *scan;
	struct view *view; /* the one on top */
	struct prompt prompt;
	char message[512];
	enum change change;
	char added[PROMPT_MAX]; /* the model to open beside the first one */
	struct opening *opening; /* while it is being opened; else NULL */
	char written[PROMPT_MAX]; /* the file that was last written to */
	bool bad;          /* the message is about trouble */
	int prefix;        /* the first of two keys, or K_NONE */
	enum act letter_of; /* what a letter is awaited for, or ACT_NONE */
	void (*letter)(struct view *, enum act, int key);
	char question[PROMPT_MAX + 64]; /* awaits y or another key; "": none */
	void (*yes)(struct view *);
	bool ascii, quit;
	bool hasty;        /* keys are being struck: what is beside the list may follow when they rest */
	bool *had;         /* by row: it had a result before */
	size_t n_ready;    /* rows with a result */
	size_t next;       /* rows before this one were asked for in the background */
	size_t asked;      /* in the background and not there yet */
	uint64_t unasked;  /* bytes of the rows from `next` on */
	double strongest;  /* the largest rel_l2 so far: a full bar */
	unsigned long news; /* grows with every result */
	int file_news[2];  /* of each model: the worst that was seen of its files (bytes/source.h) */
	unsigned want;     /* what is computed of every row: bits of analysis/scan.h */

	struct settings settings;

	/* what the options view sets */
	enum pane pane;
	bool log_scale;
	int reduction;     /* of the heat map */
	int metric;        /* of the layer map: an index into metrics */
};

struct view *view_push(struct screen *, const struct view_ops *); /* opens a view; its state is zeroed */
void view_pop(struct screen *);  /* closes the one on top; the last one: quits */
size_t view_tensor(struct view *); /* the session's row that is selected in the view; SIZE_MAX: none */
void view_move(struct view *, size_t row);   /* puts the cursor there, in sight */
void view_center(struct view *, size_t row); /* likewise; in the middle unless it is in sight */

/* The next item for which test holds, from the cursor on in direction +1 or -1, around the end; false: none. */
bool view_seek(struct view *, int direction, bool here, bool (*test)(struct view *, size_t item));

/* Asks for a y; any other key: no. */
void screen_ask(struct screen *, void (*yes)(struct view *), const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The next key goes to `done`, as the letter of an action. */
void screen_letter(struct screen *, enum act, void (*done)(struct view *, enum act, int key));
void screen_want(struct screen *, unsigned want); /* more of every row, from now on */
void screen_key(struct screen *, int key);
void screen_mouse(struct screen *, struct mouse);
bool row_lost(const struct screen *, const struct row *); /* the file became shorter, and what it had is gone */
void screen_act(struct screen *, enum act); /* as if a key had been struck */
void screen_draw(struct screen *);
void screen_wake(void *unused); /* on a worker: there is something new to draw */
void screen_stop_opening(struct screen *); /* the second model, if one is being opened: now it is not */
bool screen_busy(struct screen *); /* something is being computed, or is still to be */
void screen_message(struct screen *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void screen_trouble(struct screen *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A prompt on the status line; `done` gets what was typed. */
void screen_prompt(struct screen *, const char *label, const char *text, void (*done)(struct view *, const char *));

/* Pieces of a line, from left to right. With `selected` every piece has the cursor's role. */
struct pen {
	int y, x, end;
	bool selected;
	enum role over;
	bool ascii;
	const struct needle *needle; /* what it finds is marked; NULL: nothing */
};

struct pen pen_at(struct view *, struct area, bool selected, enum role over); /* clears the line */
void pen_put(struct pen *, int width, bool right, enum role, struct str); /* cut with an ellipsis, padded */
void pen_puts(struct pen *, int width, bool right, enum role, const char *);
void pen_skip(struct pen *, int width);

#endif
