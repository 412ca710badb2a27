/*
 * How two tensors of different types are related when their values differ: the rungs between equal and changed.
 *
 *	cast        one side is the other rounded to its type: every element, by one named rounding (num/cast.h)
 *	quantised   one side is of a block type, and the other's elements are within half a step of the values that
 *	            their blocks hold (num/grid.h); the share that is not is at most RUNG_FEW
 *
 * 1 % is more than what quantisers leave beyond half a step. Those of ggml, run on normal and heavy-tailed numbers and
 * on real nets: none for the types of 32 elements, Q4_K to Q6_K and IQ4_XS, up to 0.02 % for Q2_K and Q3_K, whose
 * search for a scale clips a few; with an importance matrix, which trades elements against each other, up to 0.41 %.
 * Q1_0, which keeps little but signs, left 1.6 % of normal numbers there: such pairs are changed.
 */
#ifndef NUM_LADDER_H
#define NUM_LADDER_H

#include "base/buf.h"
#include "num/cast.h"

#define RUNG_FEW 0.01

struct ladder {
	enum dtype type[2];       /* of A and B */
	struct castsum cast[2];   /* [0]: B is A rounded; [1]: A is B rounded */
	bool quantised[2];        /* not ruled out yet: [0] B holds A quantised, [1] A holds B */
	uint64_t count, beyond[2];
};

/* For tensors of count elements. Two of one type, or of which one is complex, have no rungs here. */
void ladder_init(struct ladder *, enum dtype a, enum dtype b, uint64_t count);

/* Whether any rung may still hold; else nothing more needs to be added. */
bool ladder_open(const struct ladder *);

/* The next n elements (whole blocks of both): decoded, and as stored. Complex ones are two doubles each. */
void ladder_add(struct ladder *, const double *a, const double *b, const uint8_t *raw_a, const uint8_t *raw_b,
		size_t n);
void ladder_merge(struct ladder *, const struct ladder *); /* of other elements of the same tensors, in any order */

enum rung { RUNG_NONE, RUNG_CAST, RUNG_QUANTISED };

struct relation {
	enum rung rung;
	bool reverse;           /* A was made from B */
	unsigned roundings;     /* RUNG_CAST: bits 1 << enum rounding, all that fit */
	enum rounding rounding; /* the first of them */
	unsigned over;          /* an OVER_ bit: what became of n_over numbers beyond the range; 0: none were */
	uint64_t n_over, n_flushed;
	uint64_t beyond;        /* RUNG_QUANTISED: elements beyond half a step */
	double share;           /* beyond / all */
};

/* The first rung that holds of all elements. */
void ladder_end(const struct ladder *, struct relation *);

/* Appends it in words: "rounded to nearest even, 3 numbers to infinity", "within half a step but for 12 (<0.1 %)". */
void relation_words(struct buf *, const struct relation *);

#endif
