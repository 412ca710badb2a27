/* bytes/source: a file that becomes shorter, or another, while it is mapped. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/model.h"
#include "model/pack.h"

enum { PAGES = 16, SIZE = PAGES * 65536 };

static volatile sig_atomic_t faults;

/* As the program's own. */
static void on_bus_error(int sig, siginfo_t *info, void *unused)
{
	(void)sig, (void)unused;
	faults++;
	if (!source_recover(info->si_addr))
		_exit(1);
}

static void make_file(const char *path)
{
	FILE *f = fopen(path, "w");
	char *page = malloc(SIZE);

	memset(page, 'x', SIZE);
	assert_int_equal(fwrite(page, 1, SIZE, f), SIZE);
	assert_int_equal(fclose(f), 0);
	free(page);
}

static unsigned char at(const struct source *s, uint32_t member, uint64_t offset)
{
	struct bytes b;

	assert_true(source_slice(s, (struct span){member, offset, 1}, &b));
	return *(const volatile unsigned char *)b.p;
}

/* A tensor whose codes are there, and whose scales are not. */
static void is_lost_with_a_part(const struct source *s, uint32_t member)
{
	struct pack_part parts[] = {{.data = {member, 0, 16}}, {.data = {member, SIZE - 16, 16}}};
	struct pack pack = {.parts = parts, .n_parts = 1};
	struct tensor t = {.data = parts[0].data, .pack = &pack};
	struct model m = {.source = *s};

	assert_false(tensor_lost(&m, &t));
	pack.n_parts = 2;
	assert_true(tensor_lost(&m, &t));
}

static void shrinks(void **unused)
{
	struct sigaction bus = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO}, before;
	struct source s = {0};
	uint32_t member;
	struct str name;
	struct err e;
	(void)unused;

	make_file("shrinks");
	sigaction(SIGBUS, &bus, &before);
	source_outlive();
	assert_int_equal(source_open(&s, "shrinks", NULL, &member, &e), 0);
	assert_int_equal(source_watch(&s, &name), SOURCE_SAME);
	assert_int_equal(at(&s, member, SIZE - 1), 'x');
	assert_int_equal(truncate("shrinks", SIZE / 2), 0);
	assert_false(source_lost(&s, (struct span){member, SIZE - 2, 1}));

	assert_int_equal(at(&s, member, SIZE - 65536), 0);
	assert_int_equal(faults, 1);
	assert_int_equal(at(&s, member, SIZE - 1), 0); /* all behind it went with it */
	assert_int_equal(faults, 1);
	assert_int_equal(at(&s, member, SIZE / 2 - 1), 'x');
	assert_true(source_lost(&s, (struct span){member, SIZE - 2, 1}));
	assert_true(source_lost(&s, (struct span){member, 0, SIZE}));
	assert_false(source_lost(&s, (struct span){member, 0, SIZE / 2}));

	assert_int_equal(source_watch(&s, &name), SOURCE_SHRANK);
	assert_true(str_eq(name, STR("shrinks")));
	assert_true(source_lost(&s, (struct span){member, SIZE / 2, 1})); /* known without touching it */
	is_lost_with_a_part(&s, member);
	assert_false(source_recover(&s));
	source_close(&s);
	sigaction(SIGBUS, &before, NULL);
	unlink("shrinks");
}

static void vanishes(void **unused)
{
	struct source s = {0};
	uint32_t member;
	struct str name;
	struct err e;
	(void)unused;

	make_file("vanishes");
	assert_int_equal(source_open(&s, "vanishes", NULL, &member, &e), 0);
	unlink("vanishes");
	assert_int_equal(source_watch(&s, &name), SOURCE_GONE);
	assert_int_equal(at(&s, member, SIZE - 1), 'x');
	assert_false(source_lost(&s, (struct span){member, 0, SIZE}));
	source_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(shrinks), cmocka_unit_test(vanishes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
