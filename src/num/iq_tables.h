/*
 * The grids of the IQ types: an entry is 8 or 4 neighbouring elements, each one of a few numbers. An entry's code holds
 * them from the lowest bits up, as indices of 2 bits (8 elements) or 3 bits (4 elements) into the numbers of its grid.
 */
#ifndef NUM_IQ_TABLES_H
#define NUM_IQ_TABLES_H

#include <stdint.h>

enum {
	IQ2XXS_SIZE = 256, IQ2XS_SIZE = 512, IQ2S_SIZE = 1024, /* 8, 25, 43 */
	IQ3XXS_SIZE = 256, /* 4, 12, 20, 28, 36, 44, 52, 62 */
	IQ3S_SIZE = 512,   /* 1, 3, 5, 7, 9, 11, 13, 15 */
	IQ1S_SIZE = 2048   /* -1, 0, 1 */
};

extern const uint16_t iq2xxs_codes[IQ2XXS_SIZE], iq2xs_codes[IQ2XS_SIZE], iq2s_codes[IQ2S_SIZE];
extern const uint16_t iq3xxs_codes[IQ3XXS_SIZE], iq3s_codes[IQ3S_SIZE], iq1s_codes[IQ1S_SIZE];

#endif
