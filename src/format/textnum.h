/*
 * Numbers in text: nets that come as decimals (Leela Zero, KataGo, GNU Backgammon, RNNoise) are read with this. It
 * scans bytes that no NUL ends, allocates nothing, and gives the float nearest to what is written.
 *
 * A number is what strtod(3) takes in the C locale without its hexadecimals: [+-] digits [. digits] [e [+-] digits],
 * or nan, inf, infinity in any case. White space stands between numbers. LC_NUMERIC is never set in this program.
 */
#ifndef FORMAT_TEXTNUM_H
#define FORMAT_TEXTNUM_H

#include "base/util.h"

struct textnum {
	const char *p, *end, *start;
};

enum textnum_rc {
	TEXTNUM_OK,
	TEXTNUM_END, /* nothing but white space was left */
	TEXTNUM_BAD  /* the next word is no number: the scanner stands at its front, so textnum_word takes it */
};

struct textnum textnum_of(struct bytes);
uint64_t textnum_at(const struct textnum *); /* offset from the start */

/* Takes a line, without its end, as a scanner of its own, whose offsets count from the same start; false: none left. */
bool textnum_line(struct textnum *, struct textnum *line);

/* Takes the next word, whatever it is; false when there is none. */
bool textnum_word(struct textnum *, struct str *);

/* The beginning of a word, for a sentence. */
struct str textnum_shown(struct str word);

enum textnum_rc textnum_f32(struct textnum *, float *);      /* rounded once; beyond the largest float: infinity */
enum textnum_rc textnum_i64(struct textnum *, int64_t *);    /* decimal digits with or without a sign */

#endif
