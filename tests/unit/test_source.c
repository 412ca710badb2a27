/* bytes/source: descriptors for another program, also of files that are no longer open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes/source.h"

enum { FILES = 200 }; /* more than stay open */

/* A descriptor of the span is the caller's, and gives its bytes from the offset on. */
static void check_span(const struct source *s, struct span span, const char *want)
{
	char got[8] = "";
	uint64_t at;
	struct err e;
	int fd = source_descriptor(s, span, &at, &e);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, got, (size_t)span.length, (off_t)at), span.length);
	assert_string_equal(got, want);
	assert_int_equal(close(fd), 0);
}

static void test_descriptors(void **state)
{
	char path[] = "source.XXXXXX";
	int fd = mkstemp(path);
	struct source s = {0};
	unsigned copies = 0;
	uint32_t member;
	struct err e;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "weights", 7), 7);
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(source_open(&s, path, NULL, &member, &e), RC_OK);
		copies += !source_can_copy(&s, (struct span){member, 0, 7});
	}
	close(fd);
	unlink(path);
	assert_in_range(copies, 1, FILES - 1);
	for (uint32_t i = 0; i < FILES; i++) {
		check_span(&s, (struct span){i, 0, 7}, "weights");
		check_span(&s, (struct span){i, 3, 4}, "ghts");
	}
	assert_int_equal(source_descriptor(&s, (struct span){0, 3, 5}, &(uint64_t){0}, &e), -1); /* it leaves the file */
	source_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_descriptors)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
