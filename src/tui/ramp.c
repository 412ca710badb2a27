#include "tui/ramp.h"

#include <float.h>
#include <math.h>

struct lab {
	double l, a, b; /* Oklab: lightness from 0 to 1, and green to red, blue to yellow */
};

int ramp_levels(enum scale s)
{
	return s == SCALE_SIZE ? SIZE_LEVELS : SIGNED_LEVELS;
}

int ramp_level(enum scale s, double x)
{
	int steps = s == SCALE_SIZE ? SIZE_LEVELS - 1 : SIGNED_ZERO, k;

	k = (int)ceil(fmin(fabs(x), 1) * steps - 1e-9);
	if (k == 0 && x != 0)
		k = 1;
	return s == SCALE_SIZE ? k : x < 0 ? SIGNED_ZERO - k : SIGNED_ZERO + k;
}

/* ---- Oklab ---- */

/* Linear light of red, green and blue, from 0 to 1. */
static void linear_of(struct lab c, double rgb[3])
{
	double l = pow(c.l + 0.3963377774 * c.a + 0.2158037573 * c.b, 3);
	double m = pow(c.l - 0.1055613458 * c.a - 0.0638541728 * c.b, 3);
	double s = pow(c.l - 0.0894841775 * c.a - 1.2914855480 * c.b, 3);

	rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
	rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
	rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
}

static struct lab lab_of(uint32_t rgb)
{
	double c[3], l, m, s;

	for (int i = 0; i < 3; i++) {
		double x = (rgb >> (16 - 8 * i) & 255) / 255.0;

		c[i] = x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
	}
	l = cbrt(0.4122214708 * c[0] + 0.5363325363 * c[1] + 0.0514459929 * c[2]);
	m = cbrt(0.2119034982 * c[0] + 0.6806995451 * c[1] + 0.1073969566 * c[2]);
	s = cbrt(0.0883024619 * c[0] + 0.2817188376 * c[1] + 0.6299787005 * c[2]);
	return (struct lab){
		0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
		1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
		0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
	};
}

static bool on_screen(const double rgb[3])
{
	for (int i = 0; i < 3; i++)
		if (rgb[i] < -1e-4 || rgb[i] > 1 + 1e-4)
			return false;
	return true;
}

static uint32_t rgb_of(struct lab c)
{
	double rgb[3];
	uint32_t out = 0;

	for (linear_of(c, rgb); !on_screen(rgb); linear_of(c, rgb)) { /* paler, of the same lightness and hue */
		c.a *= 0.98;
		c.b *= 0.98;
	}
	for (int i = 0; i < 3; i++) {
		double x = fmin(fmax(rgb[i], 0), 1);

		x = x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
		out = out << 8 | (uint32_t)(255 * x + 0.5);
	}
	return out;
}

static struct lab polar(double lightness, double chroma, double degrees)
{
	double turn = degrees * 3.14159265358979 / 180;

	return (struct lab){lightness, chroma * cos(turn), chroma * sin(turn)};
}

/* t from 0 to 1, the strongest. */
static struct lab size_colour(double t, bool light)
{
	if (light)
		return polar(0.93 - 0.65 * t, 0.09 + 0.06 * t, 105 + 190 * t);
	return polar(0.30 + 0.62 * t, 0.12 + 0.06 * t, 295 - 190 * t);
}

static struct lab signed_colour(double t, bool light)
{
	double far = fabs(t), hue = t < 0 ? 250 : 65;

	if (light)
		return polar(0.90 - 0.48 * far, 0.05 + 0.11 * far, t < 0 ? hue : hue - 15 * far);
	return polar(0.35 + 0.45 * far, 0.10 + 0.08 * far, hue);
}

uint32_t ramp_rgb(enum scale s, int level, bool light)
{
	double t;

	if (level == ramp_levels(s))
		return light ? 0xd700d7 : 0xff40ff;
	if (s == SCALE_SIZE)
		return rgb_of(size_colour((double)level / (SIZE_LEVELS - 1), light));
	t = (double)(level - SIGNED_ZERO) / SIGNED_ZERO;
	if (t == 0)
		return light ? 0xe4e4e4 : 0x262626;
	return rgb_of(signed_colour(t, light));
}

/* ---- 256 colours ---- */

uint32_t ramp_xterm_rgb(int colour)
{
	static const uint32_t steps[6] = {0, 95, 135, 175, 215, 255};
	uint32_t i = (uint32_t)colour - 16;

	if (colour >= 232)
		return (8 + 10 * ((uint32_t)colour - 232)) * 0x10101;
	return steps[i / 36] << 16 | steps[i / 6 % 6] << 8 | steps[i % 6];
}

/* Hue counts for more than lightness: with so few colours a blue that comes out grey is the worse mistake. */
int ramp_nearest_xterm(uint32_t rgb)
{
	struct lab want = lab_of(rgb);
	double least = DBL_MAX;
	int best = 16;

	for (int i = 16; i < 256; i++) {
		struct lab c = lab_of(ramp_xterm_rgb(i));
		double d = hypot(c.l - want.l, 1.6 * hypot(c.a - want.a, c.b - want.b));

		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}
