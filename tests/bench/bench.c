/*
 * What make bench needs besides the program itself:
 *
 *	bench make TYPE MEGABYTES A B    two files of about normal values, B a little off A: safetensors for F32 BF16 F16 F8,
 *	                                 GGUF for Q8_0 Q4_0 Q4_K Q6_K IQ4_XS
 *	bench sum mmap|read THREADS F... GB/s of a plain sum over the bytes of the files, got at that way: the ceiling
 *	bench same mmap|read THREADS A B GB/s of memcmp over both
 *	bench time MEGABYTES COMMAND...  GB/s of a command that reads that many megabytes, its output thrown away
 *
 * Each measures several times and prints the best: what disturbs a run only ever makes it slower.
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

enum { RUNS = 3, TENSORS = 16, MAX_THREADS = 256, PIECE = 256 * 1024, BATCH = 256 };

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

static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void) /* xorshift64, Marsaglia 2003 */
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Four uniform numbers added up are near enough to a normal one, with a standard deviation of about 0.02. */
static float next_weight(void)
{
	uint64_t r = next_random();
	int32_t sum = (int32_t)((r & 0xffff) + (r >> 16 & 0xffff) + (r >> 32 & 0xffff) + (r >> 48));

	return (float)(sum - 131070) * (0.02f / 37837.0f);
}

static uint32_t bits_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static void put(unsigned char *p, uint64_t x, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = (unsigned char)(x >> 8 * i);
}

/* A float to fewer bits, cut off: good enough for a benchmark. bias: of the small type; fraction: its bits. */
static uint32_t narrow(float x, int bias, int fraction)
{
	uint32_t bits = bits_of(x), sign = bits >> 31;
	int e = (int)(bits >> 23 & 255) - 127 + bias;

	if (e <= 0)
		return sign << (fraction == 10 ? 15 : 7);
	return sign << (fraction == 10 ? 15 : 7) | (uint32_t)e << fraction | (bits & 0x7fffff) >> (23 - fraction);
}

static void put_f32(unsigned char *p, float x) { put(p, bits_of(x), 4); }
static void put_bf16(unsigned char *p, float x) { put(p, bits_of(x) >> 16, 2); }
static void put_f16(unsigned char *p, float x) { put(p, narrow(x, 15, 10), 2); }
static void put_f8(unsigned char *p, float x) { *p = (unsigned char)narrow(x, 7, 3); }

/* A block of random codes with a scale (and minimum) of common size; in B some codes differ. */
static void fill_block(unsigned char *a, unsigned char *b, size_t bytes, const int *scales)
{
	for (size_t i = 0; i < bytes; i++)
		a[i] = (unsigned char)next_random();
	for (; *scales >= 0; scales++)
		put(a + *scales, 0x1400 + (next_random() & 0xff), 2); /* about 2^-10 */
	memcpy(b, a, bytes);
	for (int i = 0; i < 4; i++) {
		size_t at = 8 + next_random() % (bytes - 16);

		b[at] ^= (unsigned char)(next_random() & 0x11);
	}
}

static const struct type {
	const char *name, *word;                /* word: in a safetensors header; NULL: GGUF */
	unsigned items, bytes, id;              /* id: GGUF's */
	void (*put)(unsigned char *, float);
	int scales[3];
} types[] = {
	{"F32", "F32", 1, 4, 0, put_f32, {-1}},       {"BF16", "BF16", 1, 2, 0, put_bf16, {-1}},
	{"F16", "F16", 1, 2, 0, put_f16, {-1}},       {"F8", "F8_E4M3", 1, 1, 0, put_f8, {-1}},
	{"Q8_0", NULL, 32, 34, 8, NULL, {0, -1}},     {"Q4_0", NULL, 32, 18, 2, NULL, {0, -1}},
	{"Q4_K", NULL, 256, 144, 12, NULL, {0, 2, -1}}, {"Q6_K", NULL, 256, 210, 14, NULL, {208, -1}},
	{"IQ4_XS", NULL, 256, 136, 23, NULL, {0, -1}},
};

static void safetensors_header(FILE *f, const struct type *t, unsigned long items)
{
	char json[TENSORS * 128], *p = json;
	unsigned char length[8];

	for (unsigned long i = 0; i < TENSORS; i++)
		p += sprintf(p, "%s\"layers.%lu.weight\":{\"dtype\":\"%s\",\"shape\":[%lu],\"data_offsets\":[%lu,%lu]}",
			     i ? "," : "{", i, t->word, items, i * items * t->bytes, (i + 1) * items * t->bytes);
	p += sprintf(p, "}");
	while ((p - json) % 8)
		*p++ = ' ';
	put(length, (uint64_t)(p - json), 8);
	fwrite(length, 1, 8, f);
	fwrite(json, 1, (size_t)(p - json), f);
}

static void gguf_header(FILE *f, const struct type *t, unsigned long items)
{
	static const unsigned char zeros[32];
	unsigned char b[64];
	uint64_t at = 0;

	memcpy(b, "GGUF\3\0\0\0", 8);
	put(b + 8, TENSORS, 8);
	put(b + 16, 0, 8);
	fwrite(b, 1, 24, f);
	for (unsigned long i = 0; i < TENSORS; i++) {
		int n = sprintf((char *)b + 8, "blk.%lu.weight", i);

		put(b, (uint64_t)n, 8);
		put(b + 8 + n, 1, 4);
		put(b + 12 + n, items, 8);
		put(b + 20 + n, t->id, 4);
		put(b + 24 + n, at, 8);
		fwrite(b, 1, 32 + (size_t)n, f);
		at += items / t->items * t->bytes;
	}
	fwrite(zeros, 1, (size_t)(-ftell(f) & 31), f);
}

/* Elements of each tensor: whole blocks, and so many that its bytes keep GGUF's alignment of 32. */
static unsigned long elements(const struct type *t, const char *megabytes)
{
	unsigned long bytes = strtoul(megabytes, NULL, 10) * 1000000 / TENSORS, unit = 32ul * t->bytes;

	return bytes / unit * 32 * t->items;
}

static int make(char **argv)
{
	const struct type *t = types;
	FILE *a = fopen(argv[2], "wb"), *b = fopen(argv[3], "wb");
	static unsigned char buf[2][BATCH * 256];
	unsigned long n;

	if (!a || !b)
		fail(argv[2]);
	while (strcmp(t->name, argv[0]) != 0)
		if (++t == types + sizeof(types) / sizeof(types[0]))
			return 2;
	n = elements(t, argv[1]);
	(t->word ? safetensors_header : gguf_header)(a, t, n);
	(t->word ? safetensors_header : gguf_header)(b, t, n);
	for (unsigned long left = n / t->items * TENSORS; left;) {
		unsigned long k = left < BATCH ? left : BATCH;

		for (unsigned long i = 0; i < k; i++) {
			unsigned char *pa = buf[0] + i * t->bytes, *pb = buf[1] + i * t->bytes;

			if (t->put) {
				float x = next_weight();

				t->put(pa, x);
				t->put(pb, x + 0.01f * next_weight());
			} else {
				fill_block(pa, pb, t->bytes, t->scales);
			}
		}
		fwrite(buf[0], t->bytes, k, a);
		fwrite(buf[1], t->bytes, k, b);
		left -= k;
	}
	if (fclose(a) || fclose(b))
		fail("writing");
	return 0;
}

/* ---- sum, same: what a program cannot be faster than that looks at every byte ---- */

struct part {
	int fd[2];
	const unsigned char *map[2];
	size_t from, n;
	int files;
	uint64_t sum;
};

static void sum_bytes(uint64_t *sum, const unsigned char *p, size_t n)
{
	uint64_t lanes[16] = {0}, word[16];

	for (size_t i = 0; i + sizeof(word) <= n; i += sizeof(word)) {
		memcpy(word, p + i, sizeof(word));
		for (int k = 0; k < 16; k++)
			lanes[k] += word[k];
	}
	for (int k = 0; k < 16; k++)
		*sum += lanes[k];
}

static const unsigned char *piece(const struct part *t, int file, size_t at, size_t n, unsigned char *buf)
{
	if (t->map[file])
		return t->map[file] + at;
	if (pread(t->fd[file], buf, n, (off_t)at) != (ssize_t)n)
		fail("pread");
	return buf;
}

static void *look(void *arg)
{
	struct part *t = arg;
	unsigned char *buf[2] = {malloc(PIECE), malloc(PIECE)};
	size_t n;

	for (size_t at = t->from; at < t->from + t->n; at += n) {
		const unsigned char *p[2];

		n = t->from + t->n - at < PIECE ? t->from + t->n - at : PIECE;
		for (int i = 0; i < 2; i++)
			p[i] = i < t->files || t->files < 0 ? piece(t, i, at, n, buf[i]) : NULL;
		for (int i = 0; i < t->files; i++)
			sum_bytes(&t->sum, p[i], n);
		if (t->files < 0) /* both, compared */
			t->sum += memcmp(p[0], p[1], n) != 0;
	}
	free(buf[0]);
	free(buf[1]);
	return NULL;
}

static size_t open_file(const char *path, int mapped, int *fd, const unsigned char **map)
{
	struct stat st;

	*fd = open(path, O_RDONLY);
	if (*fd < 0 || fstat(*fd, &st))
		fail(path);
	*map = NULL;
	if (mapped) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, *fd, 0);

		if (p == MAP_FAILED)
			fail(path);
		*map = p;
	}
	return (size_t)st.st_size;
}

/* Opens the files afresh, as the program must, and looks at them in so many parts at a time. files < 0: compares. */
static double rate(int mapped, size_t threads, char **paths, int files, uint64_t *sum)
{
	struct part part[MAX_THREADS], all = {.files = files};
	pthread_t thread[MAX_THREADS];
	int n_files = files < 0 ? 2 : files;
	double start = now();
	size_t n = 0;

	for (int i = 0; i < n_files; i++)
		n = open_file(paths[i], mapped, &all.fd[i], &all.map[i]);
	for (size_t i = 0; i < threads; i++) {
		part[i] = all;
		part[i].from = n / threads * i;
		part[i].n = i + 1 < threads ? n / threads : n - part[i].from;
		if (pthread_create(&thread[i], NULL, look, &part[i]))
			fail("thread");
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		*sum += part[i].sum;
	}
	for (int i = 0; i < n_files; i++) {
		if (all.map[i])
			munmap((void *)(uintptr_t)all.map[i], n);
		close(all.fd[i]);
	}
	return (double)n * n_files / (now() - start) / 1e9;
}

static int best_rate(int files, char **argv)
{
	size_t threads = strtoul(argv[1], NULL, 10);
	uint64_t total = 0;
	double best = 0;

	if (threads < 1 || threads > MAX_THREADS)
		threads = 1;
	for (int run = 0; run < RUNS; run++) {
		double r = rate(strcmp(argv[0], "mmap") == 0, threads, argv + 2, files, &total);

		best = r > best ? r : best;
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
		double r = bytes / run_command(argv + 1) / 1e9;

		best = r > best ? r : best;
	}
	printf("%.3f\n", best);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "make"))
		return make(argv + 2);
	if ((argc == 5 || argc == 6) && !strcmp(argv[1], "sum"))
		return best_rate(argc - 4, argv + 2);
	if (argc == 6 && !strcmp(argv[1], "same"))
		return best_rate(-1, argv + 2);
	if (argc > 3 && !strcmp(argv[1], "time"))
		return time_command(argv + 2);
	fputs("usage: bench make TYPE MEGABYTES A B | sum|same mmap|read THREADS FILE... | time MEGABYTES COMMAND...\n", stderr);
	return 2;
}
