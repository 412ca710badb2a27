/* tui/ramp: lightness alone carries the scales, on dark and on light backgrounds, in direct colour and in 256. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "tui/ramp.h"

/* CIE L* from 0 to 100 (IEC 61966-2-1 for the linear light). */
static double lightness(uint32_t rgb)
{
	static const double weights[3] = {0.2126, 0.7152, 0.0722};
	double y = 0;

	for (int i = 0; i < 3; i++) {
		double x = (rgb >> (16 - 8 * i) & 255) / 255.0;

		y += weights[i] * (x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4));
	}
	return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27;
}

static double shown(enum scale s, int level, bool light, bool direct)
{
	uint32_t rgb = ramp_rgb(s, level, light);

	return lightness(direct ? rgb : ramp_xterm_rgb(ramp_nearest_xterm(rgb)));
}

/* From `from` to `to` the lightness goes one way: up on a dark background, down on a light one; 256 colours may err by
 * `slack`, as there are few of them. */
static void goes_one_way(enum scale s, int from, int to, bool light, bool direct, double slack)
{
	int step = to > from ? 1 : -1;

	for (int i = from; i != to; i += step) {
		double now = shown(s, i, light, direct), next = shown(s, i + step, light, direct);

		if (light ? next > now + slack : next < now - slack)
			fail_msg("level %d to %d: lightness %.1f to %.1f", i, i + step, now, next);
	}
	assert_true(fabs(shown(s, to, light, direct) - shown(s, from, light, direct)) > 35);
}

static void lightness_carries(void **state)
{
	(void)state;
	for (int light = 0; light < 2; light++)
		for (int direct = 0; direct < 2; direct++) {
			double slack = direct ? 0.01 : 15; /* hue counts for more: ramp_nearest_xterm */

			goes_one_way(SCALE_SIZE, 0, SIZE_LEVELS - 1, light, direct, slack);
			goes_one_way(SCALE_SIGNED, SIGNED_ZERO, 0, light, direct, slack);
			goes_one_way(SCALE_SIGNED, SIGNED_ZERO, SIGNED_LEVELS - 1, light, direct, slack);
		}
}

/* What is strong is far from the background, and no number has a colour of no level. */
static void ends(void **state)
{
	(void)state;
	for (int light = 0; light < 2; light++)
		for (int s = SCALE_SIZE; s <= SCALE_SIGNED; s++) {
			double ground = light ? 100 : 0;
			int last = ramp_levels((enum scale)s);

			assert_true(fabs(shown((enum scale)s, last - 1, light, true) - ground) > 50);
			for (int i = 0; i < last; i++) {
				uint32_t odd = ramp_rgb((enum scale)s, last, light);

				assert_int_not_equal(ramp_nearest_xterm(ramp_rgb((enum scale)s, i, light)),
						     ramp_nearest_xterm(odd));
			}
		}
}

static void levels(void **state)
{
	(void)state;
	for (int s = SCALE_SIZE; s <= SCALE_SIGNED; s++) {
		int zero = s == SCALE_SIZE ? 0 : SIGNED_ZERO;

		assert_int_equal(ramp_level((enum scale)s, 0), zero);
		assert_int_equal(ramp_level((enum scale)s, 1e-300), zero + 1); /* not 0: it shows */
		assert_int_equal(ramp_level((enum scale)s, 7), ramp_levels((enum scale)s) - 1);
	}
	assert_int_equal(ramp_level(SCALE_SIGNED, -1e-300), SIGNED_ZERO - 1);
	assert_int_equal(ramp_level(SCALE_SIGNED, -1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lightness_carries),
		cmocka_unit_test(ends),
		cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
