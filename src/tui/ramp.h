/*
 * Scales of colour that are readable with any colour vision. Sizes go from dark violet over green to bright yellow, so
 * that lightness alone carries them; signed values from dark grey to a bright blue below 0 and a bright orange above.
 * On a light background they go the other way, so that what is strong stands out there, too: from pale yellow over
 * green to dark violet, and from pale grey to a dark blue and a dark orange. Steps are even in Oklab (Ottosson, "A
 * perceptual color space for image processing", 2020).
 */
#ifndef TUI_RAMP_H
#define TUI_RAMP_H

#include "base/util.h"

enum scale { SCALE_SIZE, SCALE_SIGNED };

/* Levels count from 0. Of a signed scale the middle one is 0; odd, so that there is one. */
enum { SIZE_LEVELS = 20, SIGNED_LEVELS = 25, SIGNED_ZERO = SIGNED_LEVELS / 2 };

int ramp_levels(enum scale);

/* One level more, in a colour of its own, is for what is no number: ramp_levels() itself. */

/* The level of a value from 0 to 1, or from -1 to 1 on the signed scale. What is not exactly 0 never gets the level of
 * 0. */
int ramp_level(enum scale, double x);

uint32_t ramp_rgb(enum scale, int level, bool light); /* 0xRRGGBB; light: for a terminal with a light background */

/* Of the 256 colours of xterm: what 16 to 255 look like, and which of them is nearest. */
uint32_t ramp_xterm_rgb(int colour);
int ramp_nearest_xterm(uint32_t rgb);

#endif
