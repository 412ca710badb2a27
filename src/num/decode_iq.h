/* The grids of num/iq_tables.h, expanded: an entry as the bytes of its elements. */
#ifndef NUM_DECODE_IQ_H
#define NUM_DECODE_IQ_H

#include "num/iq_tables.h"

struct iq_grids {
	uint8_t iq2xxs[IQ2XXS_SIZE][8], iq2xs[IQ2XS_SIZE][8], iq2s[IQ2S_SIZE][8];
	uint8_t iq3xxs[IQ3XXS_SIZE][4], iq3s[IQ3S_SIZE][4];
	uint8_t iq1s[IQ1S_SIZE][8]; /* 8 * (element + 1): 0, 8, 16; to these a multiple of 1/8 is added */
};

extern struct iq_grids iq_grids; /* filled by decode_iq_tables() of num/decoder.h */

#endif
