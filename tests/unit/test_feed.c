/* num/feed: every way in which a file may keep its elements comes out as the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "num/feed.h"

enum { ROWS = 37, COLUMNS = 53, N = ROWS * COLUMNS };

/* Element number i, row by row, is the number i; they are stored as the tensor says. */
static uint32_t values[N];

static void put(uint8_t *p, uint32_t x, bool big)
{
	for (size_t k = 0; k < 4; k++)
		p[big ? 3 - k : k] = (uint8_t)(x >> 8 * k);
}

static struct bytes deflated(struct bytes raw)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)raw.p, .avail_in = (uInt)raw.n};
	uint8_t *out = malloc(raw.n + 1000);

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)raw.n + 1000;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct bytes){out, z.total_out};
}

struct fixture {
	struct model m;
	struct tensor t;
	struct member member;
	uint8_t *raw;
};

static const uint64_t shape[2] = {ROWS, COLUMNS};

/* A tensor behind 5 bytes of something else; with a stride, `record` elements stand in each 40 bytes. */
static void make(struct fixture *f, bool packed, bool big, bool fortran, uint64_t record)
{
	uint64_t size = 5 + (record ? (N + record - 1) / record * 40 : 4 * N);

	memset(f, 0, sizeof(*f));
	f->raw = calloc(1, size);
	for (uint32_t i = 0; i < N; i++) {
		uint64_t at = fortran ? i % COLUMNS * ROWS + i / COLUMNS : i;

		put(f->raw + 5 + (record ? at / record * 40 + at % record * 4 : 4 * at), i, big);
	}
	f->member = (struct member){.name = STR("m"), .kind = MEMBER_MAPPED, .data = {f->raw, size}, .size = size};
	if (packed) {
		f->member.kind = MEMBER_DEFLATED;
		f->member.packed = deflated(f->member.data);
		f->member.data = (struct bytes){NULL, 0};
		f->member.crc = (uint32_t)crc32(0, f->raw, (uInt)size);
	}
	f->m.source.members = &f->member;
	f->m.source.n = f->m.source.cap = 1;
	f->t = (struct tensor){
		.name = STR("t"), .type = DT_U32, .type_name = "U32", .rank = 2, .shape = shape, .count = N,
		.data = {0, 5, size - 5}, .stride = record ? 40 : 0, .record = record,
		.big_endian = big, .fortran = fortran,
	};
}

static void done(struct fixture *f)
{
	free(f->raw);
	free((void *)(uintptr_t)f->member.packed.p);
}

static void expect(struct fixture *f, enum feed_order order, const uint32_t *want)
{
	static const size_t steps[] = {1, 7, 64, N};
	struct err e;

	for (size_t k = 0; k < COUNT(steps); k++) {
		struct feed *feed;

		if (feed_open(&feed, &f->m, &f->t, order, &e) != RC_OK)
			fail_msg("%s", e.msg);
		for (uint64_t i = 0; i < N; i += steps[k]) {
			size_t n = N - i < steps[k] ? (size_t)(N - i) : steps[k];
			const uint8_t *p = feed_get(feed, i, n, &e);

			if (!p)
				fail_msg("%s", e.msg);
			for (size_t j = 0; j < n; j++) {
				uint8_t bytes[4];

				put(bytes, want[i + j], false);
				assert_memory_equal(p + 4 * j, bytes, 4);
			}
		}
		feed_close(feed);
	}
}

static void every_way(void **state)
{
	static const uint64_t records[] = {0, 1, 10};
	static uint32_t by_columns[N];
	(void)state;

	for (uint32_t i = 0; i < N; i++) {
		values[i] = i;
		by_columns[i % COLUMNS * ROWS + i / COLUMNS] = i;
	}
	for (int bits = 0; bits < 8; bits++)
		for (size_t r = 0; r < COUNT(records); r++) {
			struct fixture f;

			make(&f, bits & 1, bits & 2, bits & 4, records[r]);
			assert_int_equal(feed_random(&f.m, &f.t), !(bits & 1));
			expect(&f, FEED_LOGICAL, values);
			expect(&f, FEED_STORED, bits & 4 ? by_columns : values);
			done(&f);
		}
}

/* Element (i, j, k) stands where the strides say: views that are transposed, cut, expanded (0). */
static void by_strides(void **state)
{
	static const uint64_t dims[3] = {3, 4, 5}, cases[][3] = {
		{1, 3, 12}, {20, 1, 4}, {40, 7, 1}, {0, 7, 2}, {100, 0, 1}, {5, 1, 0}, {0, 0, 0}, {1, 1, 1}, {97, 31, 11},
	};
	static uint32_t want[60];
	(void)state;

	for (size_t c = 0; c < COUNT(cases); c++)
		for (int bits = 0; bits < 4; bits++) {
			static const size_t steps[] = {1, 7, 60};
			const uint64_t *s = cases[c];
			struct fixture f;
			struct err e;

			make(&f, bits & 1, bits & 2, false, 0);
			f.t.rank = 3;
			f.t.shape = dims;
			f.t.strides = s;
			f.t.count = 60;
			f.t.data.length = 4 * (2 * s[0] + 3 * s[1] + 4 * s[2] + 1);
			for (uint32_t i = 0; i < 60; i++)
				want[i] = (uint32_t)(i / 20 * s[0] + i / 5 % 4 * s[1] + i % 5 * s[2]);
			for (size_t k = 0; k < COUNT(steps); k++)
				for (int order = FEED_STORED; order <= FEED_LOGICAL; order++) {
					struct feed *feed;

					if (feed_open(&feed, &f.m, &f.t, (enum feed_order)order, &e) != RC_OK)
						fail_msg("%s", e.msg);
					for (size_t i = 0; i < 60; i += steps[k]) {
						size_t n = 60 - i < steps[k] ? 60 - i : steps[k];
						const uint8_t *p = feed_get(feed, i, n, &e);

						assert_non_null(p);
						for (size_t j = 0; j < n; j++) {
							uint8_t bytes[4];

							put(bytes, want[i + j], false);
							assert_memory_equal(p + 4 * j, bytes, 4);
						}
					}
					feed_close(feed);
				}
			done(&f);
		}
}

static void strides_refused(void **state)
{
	static const uint64_t dims[2] = {2, 3}, far[2] = {N, 1}, huge[2] = {UINT64_MAX, 1}, sum[2] = {UINT64_MAX - 1, 1};
	const uint64_t *const bad[] = {far, huge, sum};
	struct fixture f;
	struct feed *feed;
	struct err e;
	(void)state;

	make(&f, false, false, false, 0);
	f.t.rank = 2;
	f.t.shape = dims;
	f.t.count = 6;
	for (size_t i = 0; i < COUNT(bad); i++) {
		f.t.strides = bad[i];
		assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	}
	f.t.type = DT_Q4_0; /* blocks do not stand by themselves */
	f.t.strides = dims;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	done(&f);
}

static void in_place(void **state)
{
	struct fixture f;
	struct feed *feed;
	struct err e;
	(void)state;

	make(&f, false, false, false, 0);
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_LOGICAL, &e), RC_OK);
	assert_ptr_equal(feed_get(feed, 10, 20, &e), f.raw + 5 + 40);
	assert_ptr_equal(feed_get(feed, 3, 20, &e), f.raw + 5 + 12);
	assert_null(feed_get(feed, N - 1, 2, &e));
	assert_null(feed_get(feed, UINT64_MAX, 2, &e));
	feed_close(feed);
	feed_close(NULL);
	done(&f);
}

static void refused(void **state)
{
	struct fixture f;
	struct feed *feed;
	struct err e;
	(void)state;

	make(&f, false, false, false, 10);
	f.t.trouble = "not decoded";
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	assert_string_equal(e.msg, "not decoded");
	f.t.trouble = NULL;
	f.t.record = 11; /* records would overlap */
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	f.t.record = 0;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	f.t.record = 10;
	f.t.count = UINT64_MAX;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	f.t.stride = UINT64_MAX;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	f.t.stride = 0;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	f.t.type = DT_Q4_0;
	f.t.count = 33;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_FAIL);
	assert_null(feed);
	done(&f);
}

static void broken_streams(void **state)
{
	struct fixture f;
	struct feed *feed;
	struct err e;
	(void)state;

	make(&f, true, false, false, 0);
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_OK);
	assert_non_null(feed_get(feed, 0, 10, &e));
	assert_null(feed_get(feed, 20, 10, &e)); /* not where the last one ended */
	feed_close(feed);
	f.member.crc ^= 1;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_STORED, &e), RC_OK);
	assert_non_null(feed_get(feed, 0, 10, &e));
	assert_null(feed_get(feed, 10, N - 10, &e));
	feed_close(feed);
	f.t.fortran = true;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_LOGICAL, &e), RC_FAIL);
	f.member.packed.n /= 2;
	assert_int_equal(feed_open(&feed, &f.m, &f.t, FEED_LOGICAL, &e), RC_FAIL);
	done(&f);
}

static void big_endian_blocks(void **state)
{
	static const uint64_t one[1] = {64};
	uint8_t raw[36] = {0x3e, 0x00, 1, 2, [18] = 0x38, 0x01, 3, 4};
	struct member member = {.name = STR("m"), .kind = MEMBER_MAPPED, .data = {raw, 36}, .size = 36};
	struct model m = {.source = {.members = &member, .n = 1, .cap = 1}};
	struct tensor t = {.type = DT_Q4_0, .type_name = "Q4_0", .rank = 1, .shape = one, .count = 64,
			   .data = {0, 0, 36}, .big_endian = true};
	const uint8_t *p;
	struct feed *feed;
	struct err e;
	(void)state;

	assert_int_equal(feed_open(&feed, &m, &t, FEED_STORED, &e), RC_OK);
	p = feed_get(feed, 0, 64, &e);
	assert_non_null(p);
	assert_true(p[0] == 0 && p[1] == 0x3e && p[2] == 1 && p[18] == 1 && p[19] == 0x38 && p[20] == 3);
	p = feed_get(feed, 32, 32, &e);
	assert_true(p && p[0] == 1 && p[1] == 0x38);
	assert_null(feed_get(feed, 16, 32, &e));
	feed_close(feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way),         cmocka_unit_test(in_place),        cmocka_unit_test(refused),
		cmocka_unit_test(broken_streams),    cmocka_unit_test(big_endian_blocks), cmocka_unit_test(by_strides),
		cmocka_unit_test(strides_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
