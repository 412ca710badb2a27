/* num/decode_iq: the grids of the IQ types, expanded, are those of ggml: by the sha256 of their bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "num/decode.h"
#include "num/decode_iq.h"

/* ---- SHA-256 (FIPS 180-4), of whole messages ---- */

static uint32_t k[64], first[8];

/* The first 32 bits of the fraction of a root; long double holds enough of them. */
static void sha_constants(void)
{
	int n = 0;

	for (int p = 2; n < 64; p++) {
		int i = 2;

		while (i * i <= p && p % i)
			i++;
		if (i * i <= p)
			continue;
		if (n < 8)
			first[n] = (uint32_t)((sqrtl(p) - floorl(sqrtl(p))) * 0x1p32L);
		k[n++] = (uint32_t)((cbrtl(p) - floorl(cbrtl(p))) * 0x1p32L);
	}
}

static uint32_t turn(uint32_t x, int by)
{
	return x >> by | x << (32 - by);
}

static void sha_chunk(uint32_t h[8], const uint8_t *p)
{
	uint32_t w[64], v[8];

	memcpy(v, h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t s0, s1, t1, t2;

		if (i < 16) {
			w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
		} else {
			s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
			s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
			w[i] = w[i - 16] + s0 + w[i - 7] + s1;
		}
		s1 = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25);
		t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		s0 = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22);
		t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

static void sha256(char text[65], const uint8_t *p, size_t n)
{
	uint8_t last[128] = {0};
	size_t rest = n % 64, end = rest < 56 ? 64 : 128;
	uint32_t h[8];

	memcpy(h, first, sizeof(h));
	for (size_t i = 0; i + 64 <= n; i += 64)
		sha_chunk(h, p + i);
	memcpy(last, p + n - rest, rest);
	last[rest] = 0x80;
	for (int i = 0; i < 8; i++)
		last[end - 1 - i] = (uint8_t)((uint64_t)n * 8 >> 8 * i);
	for (size_t i = 0; i < end; i += 64)
		sha_chunk(h, last + i);
	for (int i = 0; i < 8; i++)
		sprintf(text + 8 * i, "%08x", (unsigned)h[i]);
}

#define assert_sha256(p, n, want)                \
	do {                                     \
		char got_[65];                   \
		sha256(got_, (p), (n));          \
		assert_string_equal(got_, want); \
	} while (0)

static void grids(void **state)
{
	static const uint8_t zero[18];
	static uint8_t signed_bytes[IQ1S_SIZE][8];
	double x[128];
	(void)state;

	sha_constants();
	assert_sha256((const uint8_t *)"abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	decode(DT_Q1_0, x, zero, 128); /* any type: the tables are made */
	for (size_t i = 0; i < IQ1S_SIZE; i++)
		for (int j = 0; j < 8; j++) {
			assert_true(iq_grids.iq1s[i][j] % 8 == 0);
			signed_bytes[i][j] = (uint8_t)(iq_grids.iq1s[i][j] / 8 - 1);
		}
	assert_sha256(iq_grids.iq2xxs[0], 2048, "05826b5d3e472a3a78f196be62ac78acf81df0f909626e12ab9fa2a5d490dd54");
	assert_sha256(iq_grids.iq2xs[0], 4096, "06e47aaca60b4dc1d9b5a3f34540437058a6b142b4d7a59d5ded769b4d1bf1de");
	assert_sha256(iq_grids.iq2s[0], 8192, "e1aa1473412b0552c2174c30ef22ab4073f6a181b85a17056e8249bd2932fd88");
	assert_sha256(iq_grids.iq3xxs[0], 1024, "46e35f5a997efdee6c99ce57854c8a0d4f0ff8ca57e5e8a60c0793ea580acf5d");
	assert_sha256(iq_grids.iq3s[0], 2048, "bd1af4945a1717c65610b0284e4628b9a1ba3b306fae3a06f6e5f597356e349f");
	assert_sha256(signed_bytes[0], 16384, "07540ffc1aeaf6ad4d97e96b0fcc765aae39671d4ae4a27bbd0e796fde167c6a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(grids)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
