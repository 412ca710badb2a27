/*
 * The terminal, behind a thin layer: text at a place in a role, keys, sizes, and giving it all back. Only the thread
 * that called term_open calls any of this, but for term_wake.
 */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include <stdio.h>

#include "analysis/opts.h"
#include "base/buf.h"
#include "base/sandbox.h"
#include "tui/ramp.h"

/* What a piece of text is; how it looks stands in one table (term.c), for 256 colours, 8, and none. */
enum role {
	ROLE_TEXT,
	ROLE_DIM,     /* there, but not to be looked at first; values that are still to come */
	ROLE_TITLE,   /* the line at the top */
	ROLE_HEADER,  /* titles of columns and of parts of the screen */
	ROLE_GROUP,
	ROLE_STATUS,  /* the line at the bottom */
	ROLE_CURSOR,  /* the selected row */
	ROLE_RESTING, /* the selected row while the keys go elsewhere */
	ROLE_SAME,
	ROLE_CONVERTED, /* cast or quantised */
	ROLE_CHANGED,
	ROLE_ADDED,
	ROLE_REMOVED,
	ROLE_PROBLEM,
	ROLE_BAR,
	ROLE_A,
	ROLE_B,
	ROLE_D,
	ROLE_MATCH,   /* what a search found */
	ROLE_COUNT
};

/* Colours for a dark or a light background, or the terminal's own eight. */
enum theme { THEME_AUTO, THEME_DARK, THEME_LIGHT, THEME_TERMINAL, THEME_MONO, THEME_COUNT };
extern const char *const theme_names[THEME_COUNT];

/* Keys that are not characters. Control characters are themselves, but for those that have a name here. */
enum key {
	K_NONE = -1,
	K_UP = 0x200000,
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_HOME,
	K_END,
	K_PGUP,
	K_PGDN,
	K_ENTER,
	K_TAB,
	K_ESC,
	K_BACKSPACE,
	K_MOUSE, /* term_mouse says what */
	K_OTHER /* one that has no name here */
};

enum mouse_what { MOUSE_PRESS, MOUSE_DOUBLE, MOUSE_DRAG, MOUSE_RELEASE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

struct mouse {
	enum mouse_what what;
	int x, y;
};

/* What term_wait saw, several at once. */
enum { EV_KEY = 1, EV_WAKE = 2, EV_RESIZE = 4, EV_END = 8 };

/* What term_open will read. */
void term_needs(struct sandbox *);

/* Takes the terminal; with opts.keys_file, one that nobody sees, of opts.columns by opts.rows. Fails when the terminal
 * is not one that can be drawn on. die() gives it back from now on. */
enum rc term_open(const struct opts *, struct err *);
void term_give_back(void); /* as it was found; nothing is drawn from now on */
void term_close(void);  /* that, and the end: no term_wake any more */
int term_signal(void);  /* the signal that asked for the end, or 0 */

bool term_ascii(void);
void term_theme(enum theme); /* from the next drawing on; AUTO: by COLORFGBG, which some terminals set, else dark */
void term_size(int *columns, int *rows);
void term_resize(int columns, int rows); /* of a terminal that nobody sees */

/* Draws harmless UTF-8 at a place, cut to `width` columns; returns the columns it took. */
int term_put(int y, int x, int width, enum role, struct str);
int term_puts(int y, int x, int width, enum role, const char *);
void term_fill(int y, int x, int width, enum role); /* with spaces */

/* Scales of colour, where the terminal has 256 of them or more; elsewhere these draw in ROLE_TEXT and the text alone
 * says how large a thing is. A cell in two halves, the upper one above the lower one, needs the colours; a level of -1
 * is the terminal's own background. */
bool term_has_scales(void);
void term_shade(int y, int x, int width, enum scale, int level, struct str);   /* marks that hardly show, on it */
void term_tint(int y, int x, int width, enum scale, int level, struct str);    /* text to be read, on it */
void term_halves(int y, int x, enum scale, int upper, int lower);
void term_clear(void);
void term_redraw(void); /* everything anew at the next flush: another program may have written on the screen */
void term_flush(int cursor_y, int cursor_x);

/* Sleeps until something happened, at most `ms` milliseconds (-1: for ever). */
unsigned term_wait(int ms);
int term_key(void);   /* the next key, or K_NONE */
struct mouse term_mouse(void); /* of the K_MOUSE that term_key returned last */
void term_use_mouse(bool);     /* whether the terminal tells of it; else it keeps it to itself, for selecting text */
void term_wake(void); /* from any thread, once taken, until term_close */

/* Gives text to the terminal's clipboard (OSC 52); false: this kind of terminal would show it instead. */
bool term_copy(struct str);

/* Appends a line as it is on the screen, without the blanks at its end; or a part of it, without those at its front. */
void term_text(struct buf *, int y);
void term_line(struct buf *, int y, int x, int width);

/* The screen as text, blanks at the ends of lines cut, and its looks: a letter a cell, as the table in term.c says; on
 * a scale of colour 0 to 9 and A to J (K: no number), or A to Y with M for 0 (Z). Where cells have halves, the lower
 * ones follow. */
void term_save_text(FILE *);
void term_save_attrs(FILE *);

#endif
