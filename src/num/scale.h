/* The scales of a quantised block: what its stored codes are multiplied with, group by group. */
#ifndef NUM_SCALE_H
#define NUM_SCALE_H

#include "model/dtype.h"

enum { SCALES_MAX = 16 };

/* The elements of a group have the values scale * (code - zero) - min, or, where the codes are indices into a table,
 * scale * table[code]. */
struct block_scale {
	double scale, min;
	int zero;
	bool table;

	/* What is stored: scale = unit * times, where unit is the block's and times the group's own (1 where it has
	 * none); min likewise (0 times where there is none). */
	double unit, min_unit;
	int times, min_times;
};

/* Of one block, as packed little-endian bytes. Returns how many groups of equal length it has, at most SCALES_MAX; 0
 * when the layout of the type is not known here, or it has none. */
unsigned block_scales(enum dtype, const uint8_t *block, struct block_scale out[SCALES_MAX]);

/* A code as the type means it: codes of 8 bits are signed. */
int block_code(enum dtype, uint16_t code);

#endif
