/*
 * What make bench needs besides the program itself:
 *
 *	bench make F32|BF16 MEGABYTES A B   two safetensors files of about normal values, B a little off A
 *	bench sum THREADS A B               GB/s of a plain sum over the bytes of both, mapped: the ceiling
 *	bench time MEGABYTES COMMAND...     GB/s of a command that reads that many megabytes, its output thrown away
 *
 * Both measure three times and print the best: what disturbs a run only ever makes it slower.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 3, TENSORS = 16, MAX_THREADS = 256 };

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- make ---- */

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Four uniform numbers added up are near enough to a normal one, with a standard deviation of about 0.02. */
static float next_weight(uint64_t *s)
{
	uint64_t r = next_random(s);
	int32_t sum = (int32_t)((r & 0xffff) + (r >> 16 & 0xffff) + (r >> 32 & 0xffff) + (r >> 48));

	return (float)(sum - 131070) * (0.02f / 37837.0f);
}

static void put(FILE *f, float v, size_t size)
{
	uint32_t bits;
	unsigned char b[4];

	memcpy(&bits, &v, sizeof(bits));
	if (size == 2)
		bits >>= 16;
	for (size_t i = 0; i < size; i++)
		b[i] = (unsigned char)(bits >> 8 * i);
	fwrite(b, 1, size, f);
}

static FILE *open_model(const char *path, const char *type, unsigned long elements, size_t size)
{
	FILE *f = fopen(path, "wb");
	char json[TENSORS * 128], *p = json;
	size_t n;

	if (!f)
		fail(path);
	for (unsigned long i = 0; i < TENSORS; i++)
		p += sprintf(p, "%s\"layers.%lu.weight\":{\"dtype\":\"%s\",\"shape\":[%lu],\"data_offsets\":[%lu,%lu]}",
			     i ? "," : "{", i, type, elements, i * elements * size, (i + 1) * elements * size);
	p += sprintf(p, "}");
	while ((p - json) % 8)
		*p++ = ' ';
	n = (size_t)(p - json);
	for (int i = 0; i < 8; i++)
		fputc((int)((uint64_t)n >> 8 * i & 0xff), f);
	fwrite(json, 1, n, f);
	return f;
}

static int make(char **argv)
{
	size_t size = strcmp(argv[0], "F32") ? 2 : 4;
	unsigned long elements = strtoul(argv[1], NULL, 10) * 1000000 / TENSORS / size;
	FILE *a = open_model(argv[2], argv[0], elements, size), *b = open_model(argv[3], argv[0], elements, size);
	uint64_t state = 88172645463325252;

	for (unsigned long i = 0; i < elements * TENSORS; i++) {
		float v = next_weight(&state);

		put(a, v, size);
		put(b, v + 0.01f * next_weight(&state), size);
	}
	if (fclose(a) || fclose(b))
		fail("writing");
	return 0;
}

/* ---- sum ---- */

struct part {
	const unsigned char *p;
	size_t n;
	uint64_t sum;
};

static void *sum_part(void *arg)
{
	struct part *t = arg;
	uint64_t lanes[8] = {0}, word[8];

	for (size_t i = 0; i + sizeof(word) <= t->n; i += sizeof(word)) {
		memcpy(word, t->p + i, sizeof(word));
		for (int k = 0; k < 8; k++)
			lanes[k] += word[k];
	}
	for (int k = 0; k < 8; k++)
		t->sum += lanes[k];
	return NULL;
}

/* Maps a file afresh, as the program must, and sums it up in so many parts at a time. */
static size_t sum_file(const char *path, size_t threads, uint64_t *sum)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	struct part part[MAX_THREADS];
	pthread_t thread[MAX_THREADS];
	unsigned char *p;
	size_t n;

	if (fd < 0 || fstat(fd, &st))
		fail(path);
	n = (size_t)st.st_size;
	p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		fail(path);
	for (size_t i = 0; i < threads; i++) {
		size_t from = n / threads * i, end = i + 1 < threads ? n / threads * (i + 1) : n;

		part[i] = (struct part){p + from, end - from, 0};
		if (pthread_create(&thread[i], NULL, sum_part, &part[i]))
			fail("thread");
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		*sum += part[i].sum;
	}
	munmap(p, n);
	close(fd);
	return n;
}

static int sum(char **argv)
{
	size_t threads = strtoul(argv[0], NULL, 10), bytes = 0;
	double best = 0;
	uint64_t total = 0;

	if (threads < 1 || threads > MAX_THREADS)
		threads = 1;
	for (int run = 0; run < RUNS; run++) {
		double start = now(), rate;

		bytes = sum_file(argv[1], threads, &total) + sum_file(argv[2], threads, &total);
		rate = (double)bytes / (now() - start) / 1e9;
		if (rate > best)
			best = rate;
	}
	fprintf(stderr, "sum %llu\n", (unsigned long long)total); /* so that it is computed */
	printf("%.3f\n", best);
	return 0;
}

/* ---- time ---- */

/* Status 0 and 1 (they differ) are both fine. */
static double run_command(char **argv)
{
	double start = now();
	int status;
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		fprintf(stderr, "bench: %s failed\n", argv[0]);
		exit(2);
	}
	return now() - start;
}

static int time_command(char **argv)
{
	double bytes = 1e6 * strtod(argv[0], NULL), best = 0;

	for (int run = 0; run < RUNS; run++) {
		double rate = bytes / run_command(argv + 1) / 1e9;

		if (rate > best)
			best = rate;
	}
	printf("%.3f\n", best);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "make"))
		return make(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "sum"))
		return sum(argv + 2);
	if (argc > 3 && !strcmp(argv[1], "time"))
		return time_command(argv + 2);
	fputs("usage: bench make F32|BF16 MEGABYTES A B | sum THREADS A B | time MEGABYTES COMMAND...\n", stderr);
	return 2;
}
